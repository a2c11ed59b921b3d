import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan import estimators
from gumbel_gan.relaxation.estimators import ESTIMATORS

LOGITS = jnp.array([[0.3, -1.2, 2.0], [0.0, 0.5, -0.5]])
KEY = jax.random.key(0)
NOISE = jax.random.gumbel(jax.random.key(1), (2, 3))


def test_straight_through_is_exactly_one_hot_at_every_temperature():
    for seed, temperature in enumerate((0.01, 0.3, 1.0, 7.0)):
        noise = jax.random.gumbel(jax.random.key(seed), (1_000, 3))
        logits = jax.random.normal(jax.random.key(100 + seed), (1_000, 3)) * 5
        sample = np.asarray(estimators.straight_through(KEY, logits, noise, temperature))
        np.testing.assert_array_equal(sample, np.eye(3)[np.argmax(np.asarray(logits + noise), -1)])


def test_straight_through_has_the_gradient_of_the_relaxation():
    cotangent = jnp.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])
    _, pull_back = jax.vjp(lambda logits: estimators.straight_through(KEY, logits, NOISE, 0.7), LOGITS)
    y = np.asarray(jax.nn.softmax((LOGITS + NOISE) / 0.7))
    g = np.asarray(cotangent)
    np.testing.assert_allclose(pull_back(cotangent)[0], (y * g - y * (y * g).sum(-1, keepdims=True)) / 0.7, rtol=1e-5)


def test_soft_is_the_relaxation_and_its_gradient_exact():
    chex.assert_trees_all_close(estimators.soft(KEY, LOGITS, NOISE, 0.7), jax.nn.softmax((LOGITS + NOISE) / 0.7))
    jax.test_util.check_grads(lambda logits: estimators.soft(KEY, logits, NOISE, 0.7), (LOGITS,), order=1, modes="rev")


def test_straight_through_gradient_is_near_the_exact_one_by_enumeration():
    # f is quadratic in the one-hot sample; the exact gradient of E f is a sum over the three symbols.
    table = jnp.array([[0.0, 1.0, -1.0], [1.0, 2.0, 0.5], [-1.0, 0.5, 1.0]])
    logits = LOGITS[0]

    def f(x):
        return x @ table @ x

    exact = jax.grad(lambda logits: jax.nn.softmax(logits) @ jnp.diag(table))(logits)
    noise = jax.random.gumbel(KEY, (200_000, 3))
    estimate = jax.vmap(
        jax.grad(lambda logits, noise: f(estimators.straight_through(jax.random.key(0), logits, noise, 1.0))), (None, 0)
    )(logits, noise).mean(0)
    cosine = exact @ estimate / jnp.linalg.norm(exact) / jnp.linalg.norm(estimate)
    assert cosine > 0.9


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_every_estimator_shares_one_signature_and_symbol(name):
    sample = jax.jit(ESTIMATORS[name])(KEY, LOGITS, NOISE, 0.5)
    chex.assert_shape(sample, (2, 3))
    np.testing.assert_array_equal(sample.argmax(-1), (LOGITS + NOISE).argmax(-1))
    with pytest.raises(ValueError, match="temperature must be"):
        ESTIMATORS[name](KEY, LOGITS, NOISE, 0.0)
