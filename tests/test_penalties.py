import jax
import jax.numpy as jnp
import numpy as np

from gumbel_gan.networks import lstm_discriminator
from gumbel_gan.losses.penalties import logits_and_gradients, zero_centred_gradient_penalty


def penalty_of(discriminate, x):
    return zero_centred_gradient_penalty(logits_and_gradients(discriminate, x)[1])


def test_a_linear_discriminator_by_hand():
    weights_TK = jnp.array([[1.0, 2.0, 3.0], [0.0, 0.0, 6.0]])
    x = jax.nn.one_hot(jnp.array([[0, 1], [2, 2]]), 3)
    penalty = penalty_of(lambda x: jnp.einsum("btk,tk->b", x, weights_TK), x)
    # Centred rows: [-1, 0, 1] and [-2, -2, 4]; half of 2 + 24.
    np.testing.assert_allclose(penalty, 13.0, rtol=1e-6)


def test_a_shift_of_all_symbols_costs_nothing():
    shift_T1 = jnp.array([[3.0], [-2.0]])
    x = jax.nn.one_hot(jnp.array([[0, 1]]), 3)
    np.testing.assert_allclose(penalty_of(lambda x: jnp.einsum("btk,tu->b", x, shift_T1), x), 0.0)


def test_the_penalty_of_an_lstm_is_that_of_finite_differences():
    discriminator = lstm_discriminator(3, 4)
    params = discriminator.init(jax.random.key(0))
    x = jax.nn.one_hot(jnp.array([[0, 1, 2, 0], [2, 2, 1, 1]]), 3)

    def discriminate(x):
        return discriminator.logits(params, x)

    penalty = jax.jit(lambda x: penalty_of(discriminate, x))(x)
    step, gradient = 1e-2, np.zeros(x.shape)
    logits = jax.jit(discriminate)
    for index in np.ndindex(*x.shape):
        shift = jnp.zeros_like(x).at[index].set(step)
        gradient[index] = ((logits(x + shift) - logits(x - shift)) / (2 * step))[index[0]]
    tangent = gradient - gradient.mean(-1, keepdims=True)
    np.testing.assert_allclose(penalty, 0.5 * (tangent**2).sum((1, 2)).mean(), rtol=1e-2)
