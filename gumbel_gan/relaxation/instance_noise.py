"""Instance noise for sequences of symbols: what the discriminator sees, blurred alike for real and generated data."""

import numbers

import jax
from jax.typing import ArrayLike


def mix_in_symbols(key: jax.Array, x: jax.Array, strength: ArrayLike) -> jax.Array:
    """Moves every symbol of a sequence a random way towards a random symbol.

    x'_t = (1 - l_t) x_t + l_t e_{j_t}, with j_t uniform over the K symbols and l_t uniform on [0, strength].

    Why: a straight-through generator learns from the gradient of the discriminator d at one-hot points, but a
    discriminator that has only ever seen one-hot points is free to have any gradient there. On the way from one
    symbol to another the gradient has to add up to what the change of the symbol is worth,

        integral_0^1 grad d(x + l (e_j - x)) . (e_j - x) dl = d(e_j) - d(x),

    so a gradient at a random point of the way, instead of at its beginning, tells where a change of symbol leads. It is
    handed to x as it is: the shift of x counts as a constant.
    Real and generated sequences go through the same kernel, which loses nothing while strength < 1: their laws are
    equal after it only if they were before.

    Args:
      key: typed PRNG key; consumed.
      x: `[B, T, K]` sequences on the simplex.
      strength: scalar in [0, 1], the farthest way; may be traced.

    Returns:
      `[B, T, K]` sequences on the simplex, whose derivative by `x` is the identity.

    Raises:
      ValueError: `strength` is a Python number outside [0, 1].

    References:
      Sønderby et al. 2017, section 3.2, https://arxiv.org/abs/1610.04490, for Gaussian noise on images.
    """
    if isinstance(strength, numbers.Real) and not 0 <= float(strength) <= 1:
        raise ValueError(f"strength must be in [0, 1], got {strength}")
    symbol_key, way_key = jax.random.split(key)
    symbols_BTK = jax.nn.one_hot(jax.random.randint(symbol_key, x.shape[:2], 0, x.shape[2]), x.shape[2], dtype=x.dtype)
    way_BT1 = strength * jax.random.uniform(way_key, (*x.shape[:2], 1), x.dtype)
    return x + jax.lax.stop_gradient(way_BT1 * (symbols_BTK - x))
