import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan.relaxation.estimators import Estimator, soft, straight_through
from gumbel_gan.relaxation.gumbel import gumbel_max

LOGITS = jnp.array([[0.3, -1.2, 2.0], [0.0, 0.5, -0.5]])
NOISE = jax.random.gumbel(jax.random.key(1), (2, 3))
ESTIMATORS = {"soft": soft, "straight_through": straight_through}


def test_straight_through_is_exactly_one_hot_at_every_temperature():
    for seed, temperature in enumerate((0.01, 0.3, 1.0, 7.0)):
        noise = jax.random.gumbel(jax.random.key(seed), (1_000, 3))
        logits = jax.random.normal(jax.random.key(100 + seed), (1_000, 3)) * 5
        sample = np.asarray(straight_through(logits, noise, temperature))
        np.testing.assert_array_equal(sample, np.eye(3)[np.argmax(np.asarray(logits + noise), -1)])


def test_straight_through_has_the_gradient_of_the_relaxation():
    cotangent = jnp.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])
    _, pull_back = jax.vjp(lambda logits: straight_through(logits, NOISE, 0.7), LOGITS)
    y = np.asarray(jax.nn.softmax((LOGITS + NOISE) / 0.7))
    g = np.asarray(cotangent)
    np.testing.assert_allclose(pull_back(cotangent)[0], (y * g - y * (y * g).sum(-1, keepdims=True)) / 0.7, rtol=1e-5)


def test_soft_is_the_relaxation_and_its_gradient_exact():
    chex.assert_trees_all_close(soft(LOGITS, NOISE, 0.7), jax.nn.softmax((LOGITS + NOISE) / 0.7))
    jax.test_util.check_grads(lambda logits: soft(logits, NOISE, 0.7), (LOGITS,), order=1, modes="rev")


def test_straight_through_gradient_is_near_the_exact_one_by_enumeration():
    # f is quadratic in the one-hot sample; the exact gradient of E f is a sum over the three symbols.
    table = jnp.array([[0.0, 1.0, -1.0], [1.0, 2.0, 0.5], [-1.0, 0.5, 1.0]])
    logits = LOGITS[0]

    def f(x):
        return x @ table @ x

    exact = jax.grad(lambda logits: jax.nn.softmax(logits) @ jnp.diag(table))(logits)
    noise = jax.random.gumbel(jax.random.key(0), (200_000, 3))
    gradient = jax.grad(lambda logits, noise: f(straight_through(logits, noise, 1.0)))
    estimate = jax.jit(jax.vmap(gradient, (None, 0)))(logits, noise).mean(0)
    cosine = exact @ estimate / jnp.linalg.norm(exact) / jnp.linalg.norm(estimate)
    assert cosine > 0.9


def test_estimators_say_what_they_are():
    assert (soft.one_hot, soft.uses_key) == (False, False)
    assert (straight_through.one_hot, straight_through.uses_key) == (True, False)


def test_a_call_is_a_call_of_sample_with_the_key_where_one_is_used():
    def fresh(key, logits, noise, temperature):
        return soft(logits, jax.random.gumbel(key, noise.shape, jnp.float32), temperature)

    estimator = Estimator(fresh, one_hot=False, uses_key=True)
    sample = estimator(jax.random.key(1), LOGITS, jnp.zeros_like(NOISE), 0.5)
    np.testing.assert_array_equal(sample, soft.sample(LOGITS, NOISE, 0.5))
    np.testing.assert_array_equal(soft(LOGITS, NOISE, temperature=0.5), soft.sample(LOGITS, NOISE, 0.5))


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_both_estimators_share_one_signature_and_symbol(name):
    estimator = ESTIMATORS[name]
    sample = jax.jit(estimator)(LOGITS, NOISE, 0.5)
    chex.assert_shape(sample, (2, 3))
    np.testing.assert_array_equal(sample.argmax(-1), (LOGITS + NOISE).argmax(-1))
    temperatures = jnp.array([0.3, 2.0])
    together = jax.vmap(lambda temperature: estimator(LOGITS, NOISE, temperature))(temperatures)
    for each, temperature in zip(together, (0.3, 2.0), strict=True):
        np.testing.assert_allclose(each, estimator(LOGITS, NOISE, temperature), rtol=1e-5)


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
@pytest.mark.parametrize("shape", [(0, 3), (2, 1), (3,)])
def test_small_shapes_are_fine(name, shape):
    sample = ESTIMATORS[name](jnp.zeros(shape), jnp.zeros(shape), 0.5)
    np.testing.assert_allclose(sample.sum(-1), np.ones(shape[:-1]), rtol=1e-6)


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_bad_arguments_are_named(name):
    estimator = ESTIMATORS[name]
    for temperature in (0.0, -1, float("nan"), np.float32(0)):
        with pytest.raises(ValueError, match="temperature must be a finite number > 0, got"):
            estimator(LOGITS, NOISE, temperature)
    for temperature in (True, "1", jnp.ones((2, 1))):
        with pytest.raises(TypeError, match="temperature must be a finite number > 0, got"):
            estimator(LOGITS, NOISE, temperature)
    with pytest.raises(ValueError, match=r"noise must have the shape of logits, \(2, 3\), got \(3,\)"):
        estimator(LOGITS, NOISE[0], 1.0)
    with pytest.raises(TypeError, match="logits must be floating, got int32"):
        estimator(jnp.zeros((2, 3), jnp.int32), NOISE, 1.0)
    with pytest.raises(ValueError, match="at least 1 symbol on the last axis"):
        estimator(jnp.zeros((2, 0)), jnp.zeros((2, 0)), 1.0)


def test_narrow_samples_are_one_hot_and_those_of_gumbel_max():
    logits = jax.random.normal(jax.random.key(0), (500, 50)).astype(jnp.bfloat16)
    noise = jax.random.gumbel(jax.random.key(1), logits.shape, jnp.float32)
    sample = straight_through(logits, noise, 0.7)
    assert sample.dtype == jnp.bfloat16
    onehot = jax.nn.one_hot(gumbel_max(jax.random.key(1), logits), 50, dtype=jnp.bfloat16)
    np.testing.assert_array_equal(sample.astype(jnp.float32), onehot.astype(jnp.float32))


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_samples_keep_the_dtype_of_the_logits_under_x64(name):
    with jax.enable_x64(True):
        for dtype in (jnp.float32, jnp.float64):
            noise = jnp.asarray(NOISE, dtype)
            assert ESTIMATORS[name](jnp.asarray(LOGITS, dtype), noise, np.float64(0.7)).dtype == dtype
            assert jax.jit(ESTIMATORS[name])(LOGITS, noise, np.float64(0.7)).dtype == jnp.float32
