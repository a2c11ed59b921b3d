"""Gradient penalties on the discriminator."""

from collections.abc import Callable

import jax
import jax.numpy as jnp


def logits_and_gradients(discriminate: Callable[[jax.Array], jax.Array], x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Computes a discriminator's logits and, in the same pass, their gradients by its input.

    Args:
      discriminate: maps `[B, T, K]` sequences to `[B]` logits, each from its own sequence only.
      x: `[B, T, K]` sequences on the simplex.

    Returns:
      `[B]` logits and `[B, T, K]` gradients dd/dx.
    """
    logits, pull_back = jax.vjp(discriminate, x)
    return logits, pull_back(jnp.ones_like(logits))[0]


def zero_centred_gradient_penalty(gradient: jax.Array) -> jax.Array:
    """Computes half the mean squared norm of a discriminator's gradient.

    1/2 mean_b || P dd/dx_b ||^2, with P the projection that subtracts the mean over the symbols. Sequences live on
    a product of simplices, along which the removed component can't move; without P it would be penalised for nothing.
    At real sequences this is R1, at generated ones R2. One-hot samples show the discriminator only the vertices of
    the simplex: its gradient there, which is all that a straight-through generator learns from, is otherwise free.

    Args:
      gradient: `[B, T, K]` gradients dd/dx, as `logits_and_gradients` gives them.

    Returns:
      A scalar >= 0.

    References:
      Mescheder et al. 2018, equations 9 and 10, https://arxiv.org/abs/1801.04406.
    """
    tangent_BTK = gradient - jnp.mean(gradient, axis=-1, keepdims=True)
    return 0.5 * jnp.mean(jnp.sum(jnp.square(tangent_BTK), axis=(1, 2)))
