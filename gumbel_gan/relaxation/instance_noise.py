"""Instance noise for sequences of symbols: noise in the discriminator's inputs, for both real and generated data."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_key, require_number
from gumbel_gan.relaxation.gumbel import check_logits, compute_dtype


def add_instance_noise(key: jax.Array, x: ArrayLike, strength: ArrayLike) -> jax.Array:
    """Moves every symbol of a sequence a random distance toward a random symbol.

    x'_t = (1 - l_t) x_t + l_t e_{j_t}, with j_t uniform over the K symbols and l_t uniform on [0, strength].

    A straight-through generator learns from the gradient of the discriminator d at one-hot points, but training a
    discriminator only on one-hot points does not constrain that gradient. Along the line from one symbol to another,
    the gradient integrates to the difference of the two logits,

        integral_0^1 grad d(x + l (e_j - x)) . (e_j - x) dl = d(e_j) - d(x),

    so that the gradient at a random point of the line, unlike that at its start, depends on the effect of changing the
    symbol. The gradient is passed to x unchanged: the shift of x is treated as a constant.
    Real and generated sequences get the same kind of noise. It is invertible in distribution if strength < 1: the noisy
    distributions are equal only if the distributions without noise are equal.

    Args:
      key: typed PRNG key; consumed.
      x: `[..., K]` points on the simplex, floating, such as sequences `[B, T, K]`.
      strength: scalar in [0, 1], the largest l_t; may be traced.

    Returns:
      `[..., K]` points on the simplex, in the dtype of `x`, whose derivative with respect to `x` is the identity.

    Raises:
      TypeError: `key` is not a typed PRNG key, `x` is not floating, or `strength` is not a scalar number.
      ValueError: K is 0, or `strength` is not traced and not in [0, 1].

    References:
      Sønderby et al. 2017, section 3.2, https://arxiv.org/abs/1610.04490, for Gaussian noise on images.
    """
    require_key(key=key)
    x = check_logits(x, "x")
    require_number("strength", strength, low=0, high=1)
    symbol_key, distance_key = jax.random.split(key)
    dtype = compute_dtype(x.dtype)
    leading, num_symbols = x.shape[:-1], x.shape[-1]
    symbols = jax.random.randint(symbol_key, leading, 0, num_symbols, dtype=jnp.int32)
    distances = jnp.asarray(strength, dtype) * jax.random.uniform(distance_key, (*leading, 1), dtype)
    wide_x = x.astype(dtype)
    shift = distances * (jax.nn.one_hot(symbols, num_symbols, dtype=dtype) - wide_x)
    return (wide_x + jax.lax.stop_gradient(shift)).astype(x.dtype)
