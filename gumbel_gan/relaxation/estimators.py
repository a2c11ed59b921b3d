"""Samples of a symbol that carry a gradient, behind one signature.

An estimator takes the logits a `[..., K]`, the standard Gumbel noise g `[..., K]` that decides the sample, and a scalar
temperature t > 0. With y = softmax((a + g) / t), the two below are

    soft                y
    straight-through    onehot(argmax(a + g)) going forward, y going backward

Two calls with the same noise agree on the symbol, argmax(a + g), whatever their temperatures.
"""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.relaxation.gumbel import compute_dtype, relax


# Not a NamedTuple, whose objects can't be jitted: jax.jit keeps a weak reference, and a tuple allows none.
@dataclasses.dataclass(frozen=True)
class Estimator:
    """A way to sample a symbol with a gradient; calling it calls `sample`.

    Attributes:
      sample: (logits `[..., K]`, noise `[..., K]`, temperature) -> `[..., K]` points on the simplex, differentiable in
        the logits. With `uses_key` a typed PRNG key comes before these.
      one_hot: whether the samples are exactly one-hot.
      uses_key: whether `sample` needs randomness beyond the noise.
    """

    sample: Callable[..., jax.Array]
    one_hot: bool
    uses_key: bool = False

    def __call__(self, *args: ArrayLike, **kwargs: ArrayLike) -> jax.Array:
        """Returns what `sample` returns."""
        return self.sample(*args, **kwargs)


def soft_sample(logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> jax.Array:
    """Computes the relaxed sample itself, y = softmax((logits + noise) / temperature).

    The sample lies inside the simplex, so a discriminator can tell it from one-hot data by its sharpness alone.

    Args:
      logits: `[..., K]` unnormalized log-probabilities, floating.
      noise: `[..., K]` standard Gumbel noise.
      temperature: scalar > 0; may be traced.

    Returns:
      `[..., K]` points on the simplex, differentiable in `logits` and in its dtype.

    Raises:
      TypeError: `logits` or `noise` is not floating, or `temperature` is not a scalar number.
      ValueError: K is 0, the shapes differ, or `temperature` is not traced and not a finite number > 0.

    References:
      Kusner & Hernández-Lobato 2016, equation 8, https://arxiv.org/abs/1611.04051.
    """
    return relax(logits, noise, temperature)


def straight_through_sample(logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> jax.Array:
    """Computes the exact one-hot sample, with the gradient of the relaxed one.

    d = onehot + (y - stop_gradient(y)), with onehot that of argmax(logits + noise) and
    y = softmax((logits + noise) / temperature).

    Args:
      logits: `[..., K]` unnormalized log-probabilities, floating.
      noise: `[..., K]` standard Gumbel noise.
      temperature: scalar > 0 of the backward pass; may be traced.

    Returns:
      `[..., K]` one-hot vectors, exactly, whose distribution is softmax(logits) at every temperature, in the dtype of
      `logits`.

    Raises:
      TypeError: `logits` or `noise` is not floating, or `temperature` is not a scalar number.
      ValueError: K is 0, the shapes differ, or `temperature` is not traced and not a finite number > 0.

    References:
      Jang et al. 2017, section 2.2, https://arxiv.org/abs/1611.01144.
    """
    y = relax(logits, noise, temperature)
    dtype = compute_dtype(jnp.result_type(logits), jnp.result_type(noise))
    symbols = jnp.argmax(jnp.asarray(logits, dtype) + jnp.asarray(noise, dtype), axis=-1)
    onehot = jax.nn.one_hot(symbols, y.shape[-1], dtype=y.dtype)
    # The brackets matter: (onehot + y) - y rounds, and is not exactly one-hot.
    return onehot + (y - jax.lax.stop_gradient(y))


soft = Estimator(soft_sample, one_hot=False)
straight_through = Estimator(straight_through_sample, one_hot=True)
