"""Score-function estimators of independent variables, against the exact gradient by enumeration."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gumbel_gan as gg
from tests.test_gradient_estimators import (
    LOGITS,
    STATES,
    check_mean,
    exact_gradient,
    exponential,
    linear,
    probabilities,
)

NUM_DRAWS = 4_000


def control(slope):
    return lambda scores: slope * jnp.sum(jnp.tanh(scores) * jnp.arange(6.0).reshape(2, 3))


LOSSES = {
    "reinforce": lambda key, f, logits: gg.reinforce_loss(key, f, logits, num_samples=3),
    "moving_baseline": lambda key, f, logits: gg.moving_baseline_loss(key, f, logits, 2.0, num_samples=2)[0],
    "indecater": lambda key, f, logits: gg.indecater_loss(key, f, logits, num_samples=2),
    "rebar": lambda key, f, logits: gg.rebar_loss(key, f, logits, temperature=0.5, num_samples=2),
    "relax": lambda key, f, logits: gg.relax_loss(key, f, control(0.3), logits),
}


@pytest.mark.parametrize("name", LOSSES)
def test_every_estimate_is_unbiased(name):
    keys = jax.random.split(jax.random.key(1), NUM_DRAWS)
    draw = jax.jit(jax.vmap(lambda key: jax.value_and_grad(lambda a: LOSSES[name](key, exponential, a))(LOGITS)))
    values, gradients = draw(keys)
    check_mean(gradients, exact_gradient(exponential))
    check_mean(values, probabilities(LOGITS) @ jax.vmap(exponential)(STATES))


def test_indecater_is_exact_where_variables_do_not_interact():
    gradient = jax.grad(lambda a: gg.indecater_loss(jax.random.key(2), linear, a))(LOGITS)
    np.testing.assert_allclose(gradient, exact_gradient(linear), rtol=1e-4, atol=1e-5)


def test_the_baseline_is_a_moving_average():
    _, baseline = gg.moving_baseline_loss(
        jax.random.key(3), lambda d: jnp.sum(d), LOGITS, 1.0, num_samples=2, decay=0.5
    )
    assert baseline == 1.5


@pytest.mark.parametrize("dtype", [jnp.int32, jnp.bool_, jnp.bfloat16, jnp.float32])
def test_the_baseline_of_a_function_of_any_dtype_is_floating(dtype):
    def loss(logits):
        return gg.moving_baseline_loss(
            jax.random.key(3), lambda d: jnp.sum(d).astype(dtype), logits, 0.5, num_samples=1, decay=0.75
        )

    value = float(jnp.asarray(2.0, dtype))
    gradient, baseline = jax.grad(loss, has_aux=True)(LOGITS)
    assert baseline.dtype == jnp.float32
    assert baseline == 0.75 * 0.5 + 0.25 * value
    samples = np.asarray(jnp.argmax(LOGITS + gg.sample_gumbel(jax.random.key(3), (1, *LOGITS.shape))[0], axis=-1))
    score = np.eye(LOGITS.shape[-1])[samples] - jax.nn.softmax(LOGITS)
    np.testing.assert_allclose(gradient, (value - 0.5) * score, rtol=1e-5, atol=1e-6)


def test_the_control_variate_can_be_trained():
    keys = jax.random.key_data(jax.random.split(jax.random.key(4), 500))

    def second_moment(slope):
        def gradient(key_data):
            return gg.relax_gradient(jax.random.wrap_key_data(key_data), linear, control(slope), LOGITS)[1]

        return jnp.mean(jnp.sum(jax.vmap(gradient)(keys) ** 2, axis=(1, 2)))

    moments, slopes = jax.jit(jax.vmap(jax.value_and_grad(second_moment)))(jnp.array([-0.1, 0.0, 0.1]))
    # The second moment is quadratic in the slope, so that the central difference is exact.
    np.testing.assert_allclose((moments[2] - moments[0]) / 0.2, slopes[1], rtol=1e-2)


@pytest.mark.parametrize("name", LOSSES)
def test_forbidden_and_extreme_symbols_are_finite_in_every_dtype(name):
    logits = jnp.array([[1e4, -1e4, 0.0], [-jnp.inf, 1.0, -1.0]])

    def f(x):
        return jnp.sum(x[:, :1] * x[:, -1:]) ** 2 + jnp.sum(x[0])

    @jax.jit
    def draw(logits):
        if name == "relax":
            loss = gg.relax_loss(jax.random.key(5), f, lambda z: f(jax.nn.softmax(z)), logits)
        else:
            loss = LOSSES[name](jax.random.key(5), f, logits)
        return loss

    for given in (logits, logits.astype(jnp.bfloat16), jnp.zeros((2, 1))):
        value, gradient = jax.value_and_grad(draw)(given)
        assert gradient.dtype == given.dtype
        assert np.isfinite(value)
        assert np.all(np.isfinite(gradient.astype(jnp.float32)))


def test_parameters_of_the_function_get_their_gradient():
    def loss(scale):
        return gg.reinforce_loss(jax.random.key(6), lambda d: scale * jnp.sum(d), LOGITS, num_samples=2)

    np.testing.assert_allclose(jax.grad(loss)(3.0), 2.0, rtol=1e-5)


def test_bad_arguments_are_named():
    keys = jax.random.split(jax.random.key(7), 5)
    with pytest.raises(ValueError, match="num_samples must be at least 2, got 1"):
        gg.reinforce_loss(keys[0], linear, LOGITS, num_samples=1)
    with pytest.raises(ValueError, match=r"f must return a scalar, got shape \(2, 3\)"):
        gg.indecater_loss(keys[1], lambda d: d, LOGITS)
    with pytest.raises(ValueError, match=r"control must return a scalar, got shape \(2, 3\)"):
        gg.relax_loss(keys[2], linear, lambda z: z, LOGITS)
    with pytest.raises(ValueError, match="temperature must be a finite number > 0, got 0"):
        gg.rebar_loss(keys[3], linear, LOGITS, temperature=0)
    with pytest.raises(TypeError, match="logits must be floating, got int32"):
        gg.relax_gradient(keys[4], linear, linear, jnp.zeros((2, 3), jnp.int32))
