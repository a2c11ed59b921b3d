"""Exponents that grow slowly where exponentials of logits would overflow."""

import jax
import jax.numpy as jnp

_LINEAR_UP_TO = 20.0


def slow_growing(x: jax.Array) -> jax.Array:
    """Computes x if |x| <= 20, and otherwise sign(x) (20 + log(1 + |x| - 20)).

    The function is increasing and has a continuous derivative. Its exponential grows linearly for x > 20, so that the
    exponential and its gradient are finite for x up to 1e29.
    """
    excess = jnp.maximum(jnp.abs(x) - _LINEAR_UP_TO, 0)
    return jnp.clip(x, -_LINEAR_UP_TO, _LINEAR_UP_TO) + jnp.sign(x) * jnp.log1p(excess)
