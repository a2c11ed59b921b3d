"""Gradient penalties by hand and by finite differences, and the checks of their settings."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gumbel_gan.losses.penalties import (
    GradientPenalty,
    check_penalty,
    interpolate,
    logits_and_gradients,
    one_centered_gradient_penalty,
    zero_centered_gradient_penalty,
)


def penalty_of(discriminate, x):
    return zero_centered_gradient_penalty(logits_and_gradients(discriminate, x)[1])


def recurrent_discriminator(key, num_symbols, hidden_size):
    """Returns a plain tanh network, as a function of `[B, T, K]` sequences."""
    in_key, recurrent_key, out_key = jax.random.split(key, 3)
    w_in = jax.random.normal(in_key, (num_symbols, hidden_size))
    w_recurrent = jax.random.normal(recurrent_key, (hidden_size, hidden_size)) / hidden_size**0.5
    w_out = jax.random.normal(out_key, (hidden_size,))

    def discriminate(x):
        def body(hidden_BH, x_BK):
            return jnp.tanh(x_BK @ w_in + hidden_BH @ w_recurrent), None

        hidden_BH, _ = jax.lax.scan(body, jnp.zeros((len(x), hidden_size), x.dtype), jnp.swapaxes(x, 0, 1))
        return hidden_BH @ w_out

    return discriminate


def test_a_linear_discriminator_by_hand():
    weights_TK = jnp.array([[1.0, 2.0, 3.0], [0.0, 0.0, 6.0]])
    x = jax.nn.one_hot(jnp.array([[0, 1], [2, 2]]), 3)
    penalty = penalty_of(lambda x: jnp.einsum("btk,tk->b", x, weights_TK), x)
    # Centered rows: [-1, 0, 1] and [-2, -2, 4]. The penalty is half of 2 + 24.
    np.testing.assert_allclose(penalty, 13.0, rtol=1e-6)
    _, gradient = logits_and_gradients(lambda x: jnp.einsum("btk,tk->b", x, weights_TK), x)
    np.testing.assert_allclose(one_centered_gradient_penalty(gradient), (np.sqrt(26) - 1) ** 2, rtol=1e-6)


def test_a_gradient_of_0_has_a_norm_with_a_finite_derivative():
    value, slope = jax.value_and_grad(one_centered_gradient_penalty)(jnp.zeros((2, 3, 4)))
    np.testing.assert_allclose(value, 1.0, rtol=1e-5)
    np.testing.assert_array_equal(slope, 0)


def test_points_between_sequences_have_one_uniform_share_each():
    first, second = jnp.zeros((1_000, 2, 3)), jnp.ones((1_000, 2, 3))
    points = np.asarray(interpolate(jax.random.key(0), first, second))
    np.testing.assert_array_equal(points, np.broadcast_to(points[:, :1, :1], points.shape))
    shares = np.sort(points[:, 0, 0])
    assert np.abs(shares - np.linspace(0, 1, 1_000)).max() < 1.63 / np.sqrt(1_000)  # Kolmogorov-Smirnov test at 1 %


def test_a_shift_of_all_symbols_is_not_penalized():
    shift_T1 = jnp.array([[3.0], [-2.0]])
    x = jax.nn.one_hot(jnp.array([[0, 1]]), 3)
    np.testing.assert_allclose(penalty_of(lambda x: jnp.einsum("btk,tu->b", x, shift_T1), x), 0.0)


def test_the_penalty_of_a_recurrent_network_is_that_of_finite_differences():
    discriminate = jax.jit(recurrent_discriminator(jax.random.key(0), 3, 4))
    x = jax.nn.one_hot(jnp.array([[0, 1, 2, 0], [2, 2, 1, 1]]), 3)
    logits, gradients = jax.jit(lambda x: logits_and_gradients(discriminate, x))(x)
    np.testing.assert_allclose(logits, discriminate(x), rtol=1e-6)

    step, gradient = 1e-2, np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        shift = jnp.zeros_like(x).at[index].set(step)
        gradient[index] = ((discriminate(x + shift) - discriminate(x - shift)) / (2 * step))[index[0]]
    np.testing.assert_allclose(gradients, gradient, rtol=1e-2, atol=1e-3)
    tangent = gradient - gradient.mean(-1, keepdims=True)
    expected = 0.5 * (tangent**2).sum((1, 2)).mean()
    assert expected > 0.01
    np.testing.assert_allclose(zero_centered_gradient_penalty(gradients), expected, rtol=1e-2)


def test_the_penalty_of_a_batch_is_the_mean_of_those_of_its_parts():
    # Therefore a part of the batch gives an unbiased estimate.
    gradient = jax.random.normal(jax.random.key(0), (6, 4, 3))
    parts = [zero_centered_gradient_penalty(gradient[index : index + 2]) for index in (0, 2, 4)]
    np.testing.assert_allclose(zero_centered_gradient_penalty(gradient), np.mean(parts), rtol=1e-6)


def test_one_symbol_leaves_nothing_to_penalize():
    assert zero_centered_gradient_penalty(jnp.ones((2, 3, 1))) == 0


def test_bad_arrays_are_named():
    x = jnp.zeros((2, 4, 3))
    with pytest.raises(TypeError, match="x must be floating, got int32"):
        logits_and_gradients(lambda x: x.sum((1, 2)), x.astype(jnp.int32))
    with pytest.raises(ValueError, match=r"x must be \[B, T, K\] and not empty, got shape \(4, 3\)"):
        logits_and_gradients(lambda x: x.sum(1), x[0])
    with pytest.raises(ValueError, match=r"discriminate must return logits of shape \(2,\), got shape \(2, 4\)"):
        logits_and_gradients(lambda x: x.sum(2), x)
    with pytest.raises(TypeError, match="gradient must be an array, got float"):
        zero_centered_gradient_penalty(1.0)
    with pytest.raises(ValueError, match=r"gradient must be \[B, T, K\] and not empty, got shape \(0, 4, 3\)"):
        zero_centered_gradient_penalty(x[:0])


def test_settings_may_be_numbers_traced_numbers_and_schedules():
    check_penalty(GradientPenalty())
    check_penalty(GradientPenalty(real_weight=0, generated_weight=np.float32(2.5), fraction=0.25))
    check_penalty(GradientPenalty(optax.cosine_decay_schedule(1.0, 10), jnp.asarray(1.0), 1))

    def weight(value):
        check_penalty(GradientPenalty(real_weight=value))
        return value

    np.testing.assert_allclose(jax.vmap(weight)(jnp.array([0.5, 2.0])), [0.5, 2.0])


@pytest.mark.parametrize("name", ["real_weight", "generated_weight", "interpolated_weight"])
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), np.float32(-0.5)])
def test_a_weight_out_of_its_range_is_named(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a finite number >= 0, got"):
        check_penalty(GradientPenalty(**{name: value}))


@pytest.mark.parametrize("name", ["real_weight", "generated_weight"])
@pytest.mark.parametrize("value", [True, "1", 1j, np.ones(2)])
def test_a_weight_that_is_no_number_is_named(name, value):
    with pytest.raises(TypeError, match=f"{name} must be a finite number >= 0, got"):
        check_penalty(GradientPenalty(**{name: value}))


def test_bad_settings_are_named():
    for fraction in (0.0, -0.5, 1.5, float("nan")):
        with pytest.raises(ValueError, match=r"fraction must be a finite number in \(0, 1\], got"):
            check_penalty(GradientPenalty(fraction=fraction))
    for fraction in (None, True, "1", jnp.asarray(0.5)):
        with pytest.raises(TypeError, match=r"fraction must be a Python number in \(0, 1\], got"):
            check_penalty(GradientPenalty(fraction=fraction))
    with pytest.raises(TypeError, match=r"penalty must be a GradientPenalty, got 3.0"):
        check_penalty(3.0)
