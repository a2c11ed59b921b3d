"""Building blocks of estimators: exact samples, and arrays with a given value and a given derivative."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.relaxation.gumbel import divided


def one_hot_sample(logits: jax.Array, noise: jax.Array) -> jax.Array:
    """Returns the `[..., K]` one-hot vectors of argmax(logits + noise), which have no gradient."""
    return jax.nn.one_hot(jnp.argmax(logits + noise, axis=-1), logits.shape[-1], dtype=logits.dtype)


def tempered_softmax(scores: jax.Array, temperature: ArrayLike) -> jax.Array:
    """Returns softmax(scores / temperature) over the last axis."""
    return jax.nn.softmax(divided(scores, temperature), axis=-1)


def with_derivative(value: jax.Array, surrogate: jax.Array, dtype: jnp.dtype) -> jax.Array:
    """Returns `value` exactly, with the derivative of `surrogate`, both cast to `dtype`."""
    surrogate = surrogate.astype(dtype)
    # The brackets matter: (value + surrogate) - surrogate rounds.
    return jax.lax.stop_gradient(value.astype(dtype)) + (surrogate - jax.lax.stop_gradient(surrogate))


def with_identity_derivative(value: jax.Array, logits: jax.Array) -> jax.Array:
    """Returns `value`, held constant, with the derivative of `logits`: the identity, and 0 for excluded symbols.

    Args:
      value: `[..., K]`, or `[D, ..., K]` with an additional leading axis.
      logits: `[..., K]`; -inf excludes a symbol.
    """
    # Logits of -inf are replaced, since -inf - (-inf) is NaN.
    moving = jnp.where(jnp.isneginf(logits), 0, logits)
    moving = moving if moving.ndim == value.ndim else moving[None]
    return with_derivative(value, moving, jnp.result_type(value, logits))
