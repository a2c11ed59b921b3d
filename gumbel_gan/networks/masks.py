"""Masks of logits, which force or exclude a symbol."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

# The logit of a symbol with probability zero. It is finite, so that no gradient is 0 times infinity.
EXCLUDED = -1e9


def force_symbol(logits: jax.Array, symbol: int) -> jax.Array:
    """Returns logits `[..., K]` with the probability of every symbol but one set to zero.

    >>> force_symbol(jnp.array([0.5, 2.0, 1.0]), 2).tolist()
    [-1000000000.0, -1000000000.0, 1.0]
    """
    return jnp.where(_is_symbol(logits, symbol), logits, jnp.asarray(EXCLUDED, logits.dtype))


def mask_symbol(logits: jax.Array, symbol: int) -> jax.Array:
    """Returns logits `[..., K]` with the probability of one symbol set to zero.

    >>> mask_symbol(jnp.array([0.5, 2.0, 1.0]), 2).tolist()
    [0.5, 2.0, -1000000000.0]
    """
    return jnp.where(_is_symbol(logits, symbol), jnp.asarray(EXCLUDED, logits.dtype), logits)


def divided(logits: jax.Array, temperature: ArrayLike) -> jax.Array:
    """Returns logits `[..., K]` divided by a temperature; masked symbols stay excluded at every temperature.

    >>> divided(jnp.array([1.0, EXCLUDED]), 1e9).tolist()
    [9.999999717180685e-10, -1000000000.0]
    """
    is_excluded = logits <= jnp.asarray(EXCLUDED, logits.dtype)
    scaled = logits / temperature
    return jnp.where(is_excluded, jnp.minimum(logits, scaled), scaled)


def _is_symbol(logits: jax.Array, symbol: int) -> jax.Array:
    shape = (*(1,) * (logits.ndim - 1), logits.shape[-1])
    return (jnp.arange(logits.shape[-1], dtype=jnp.int32) == symbol).reshape(shape)


def possible(log_probs: jax.Array) -> jax.Array:
    """Returns log-probabilities with -inf in place of those that include the finite logit of a masked symbol."""
    return jnp.where(log_probs < EXCLUDED / 2, -jnp.inf, log_probs)
