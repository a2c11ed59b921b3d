"""Samples of a symbol that carry a gradient, behind one signature.

An estimator takes the logits and the Gumbel noise that decides the sample, so that two calls with the
same noise agree on the symbol whatever their temperatures. Its key serves estimators that need randomness
beyond that noise; the two below need none.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.relaxation.gumbel import relax

Estimator = Callable[[jax.Array, jax.Array, jax.Array, ArrayLike], jax.Array]


def soft(key: jax.Array, logits: jax.Array, noise: jax.Array, temperature: ArrayLike) -> jax.Array:
    """Gives the relaxed sample itself, y = softmax((logits + noise) / temperature).

    The sample lies inside the simplex, so a discriminator can tell it from one-hot data by its sharpness alone.

    Args:
      key: typed PRNG key; unused.
      logits: `[..., K]` unnormalised log-probabilities, floating.
      noise: `[..., K]` standard Gumbel noise.
      temperature: scalar > 0; may be traced.

    Returns:
      `[..., K]` points on the simplex, differentiable in `logits`.

    References:
      Kusner & Hernández-Lobato 2016, equation 8, https://arxiv.org/abs/1611.04051.
    """
    del key
    return relax(logits, noise, temperature)


def straight_through(key: jax.Array, logits: jax.Array, noise: jax.Array, temperature: ArrayLike) -> jax.Array:
    """Gives the exact one-hot sample, with the gradient of the relaxed one.

    d = onehot(argmax(logits + noise)) going forward, softmax((logits + noise) / temperature) going back.

    Args:
      key: typed PRNG key; unused.
      logits: `[..., K]` unnormalised log-probabilities, floating.
      noise: `[..., K]` standard Gumbel noise.
      temperature: scalar > 0 of the backward pass; may be traced.

    Returns:
      `[..., K]` one-hot vectors, exactly, whose law is softmax(logits) at every temperature.

    References:
      Jang et al. 2017, section 2.2, https://arxiv.org/abs/1611.01144.
    """
    del key
    y = relax(logits, noise, temperature)
    onehot = jax.nn.one_hot(jnp.argmax(logits + noise, axis=-1), logits.shape[-1], dtype=logits.dtype)
    # The brackets matter: (onehot + y) - y rounds, and is not exactly one-hot.
    return onehot + (y - jax.lax.stop_gradient(y))


ESTIMATORS: Mapping[str, Estimator] = MappingProxyType({"soft": soft, "straight_through": straight_through})
