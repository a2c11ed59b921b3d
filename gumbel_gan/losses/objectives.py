"""Adversarial objectives: a loss of the discriminator and a loss of the generator, as functions of logits.

Throughout, d = log(D / (1 - D)) is the discriminator's logit and D = sigmoid(d) the probability that it assigns to a
sequence being real. All losses are written with softplus, so that they and their gradients are finite at any finite
logit.

| objective | discriminator's loss | generator's loss |
|---|---|---|
| `log_odds` | cross-entropy | -mean log(D / (1 - D)) of generated sequences |
| `minimax` | cross-entropy | mean log(1 - D) of generated sequences |
| `non_saturating` | cross-entropy | -mean log D of generated sequences |
| `relativistic` | mean softplus(d_generated - d_real) over pairs | mean softplus(d_real - d_generated) over pairs |
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gumbel_gan.losses._checks import require_floating

softplus = jax.nn.softplus


class Objective(NamedTuple):
    """A pair of losses, both to be minimized. Each maps (real logits `[B]`, generated logits `[N]`) to a scalar.

    The ready ones are `log_odds`, `minimax`, `non_saturating` and `relativistic`. They also take the logits of
    prefixes, `[B, T]` and `[N, T]`.

    Attributes:
      discriminator_loss: the loss of the discriminator.
      generator_loss: the loss of the generator. It must be a mean over the generated sequences: algorithms evaluate it
        on one generated sequence at a time where they need the loss of each.
    """

    discriminator_loss: Callable[[jax.Array, jax.Array], jax.Array]
    generator_loss: Callable[[jax.Array, jax.Array], jax.Array]


def cross_entropy(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the discriminator's cross-entropy, -mean log D(real) - mean log(1 - D(generated)).

    Args:
      real: `[B]` logits of real sequences, or `[B, T]` of their prefixes; floating.
      generated: `[N]` logits of generated sequences, or `[N, T]` of their prefixes; floating.

    Returns:
      A scalar; 2 log 2 where all logits are 0.

    Raises:
      TypeError: `real` or `generated` is not a floating array.
      ValueError: `real` or `generated` has another shape or is empty, or their T differ.

    References:
      Goodfellow et al. 2014, equation 1, https://arxiv.org/abs/1406.2661.
    """
    _check_logits(real, generated)
    return jnp.mean(softplus(-real)) + jnp.mean(softplus(generated))


def log_odds_loss(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the generator loss of Kusner and Hernández-Lobato, -mean log(D / (1 - D)) = -mean d.

    With the optimal discriminator, d = log(p_data / p_generator), this is an estimate of KL(generator || data).

    Args:
      real: `[B]` or `[B, T]` logits of real sequences; only checked.
      generated: `[N]` or `[N, T]` logits of generated sequences.

    Returns:
      A scalar.

    Raises:
      TypeError: as `cross_entropy`.
      ValueError: as `cross_entropy`.

    References:
      Kusner & Hernández-Lobato 2016, equation 4, https://arxiv.org/abs/1611.04051.
    """
    _check_logits(real, generated)
    return -jnp.mean(generated)


def minimax_loss(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the generator loss of the minimax game, mean log(1 - D).

    It saturates: its gradient goes to 0 where the discriminator recognizes the generated sequences.

    Args:
      real: `[B]` or `[B, T]` logits of real sequences; only checked.
      generated: `[N]` or `[N, T]` logits of generated sequences.

    Returns:
      A scalar.

    Raises:
      TypeError: as `cross_entropy`.
      ValueError: as `cross_entropy`.

    References:
      Goodfellow et al. 2014, equation 1, https://arxiv.org/abs/1406.2661.
    """
    _check_logits(real, generated)
    return -jnp.mean(softplus(generated))


def non_saturating_loss(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the non-saturating generator loss, -mean log D.

    Args:
      real: `[B]` or `[B, T]` logits of real sequences; only checked.
      generated: `[N]` or `[N, T]` logits of generated sequences.

    Returns:
      A scalar.

    Raises:
      TypeError: as `cross_entropy`.
      ValueError: as `cross_entropy`.

    References:
      Goodfellow et al. 2014, section 3, https://arxiv.org/abs/1406.2661.
    """
    _check_logits(real, generated)
    return jnp.mean(softplus(-generated))


def relativistic_loss(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the discriminator's relativistic loss, the mean of softplus(d_generated - d_real) over all pairs.

    The loss is an expectation over independent pairs of a real and a generated sequence. All B * N pairs of the batch
    are used instead of min(B, N) disjoint ones, which lowers the variance of the estimate and costs only scalars. The
    logits of prefixes are paired at equal prefix length.

    Args:
      real: `[B]` logits of real sequences, or `[B, T]` of their prefixes; floating.
      generated: `[N]` logits of generated sequences, or `[N, T]` of their prefixes; floating.

    Returns:
      A scalar; log 2 where all logits are equal.

    Raises:
      TypeError: as `cross_entropy`.
      ValueError: as `cross_entropy`.

    References:
      Jolicoeur-Martineau 2020, https://arxiv.org/abs/1901.02474; Huang et al. 2024, https://arxiv.org/abs/2501.05441.
    """
    _check_logits(real, generated)
    return jnp.mean(softplus(generated[None, :] - real[:, None]))


def relativistic_generator_loss(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the generator's relativistic loss, the mean of softplus(d_real - d_generated) over all pairs.

    This is `relativistic_loss` with real and generated sequences exchanged.

    Args:
      real: `[B]` or `[B, T]` logits of real sequences.
      generated: `[N]` or `[N, T]` logits of generated sequences.

    Returns:
      A scalar; log 2 where all logits are equal.

    Raises:
      TypeError: as `cross_entropy`.
      ValueError: as `cross_entropy`.

    References:
      As `relativistic_loss`.
    """
    _check_logits(real, generated)
    return relativistic_loss(generated, real)


log_odds = Objective(cross_entropy, log_odds_loss)
minimax = Objective(cross_entropy, minimax_loss)
non_saturating = Objective(cross_entropy, non_saturating_loss)
relativistic = Objective(relativistic_loss, relativistic_generator_loss)


def _check_logits(real: jax.Array, generated: jax.Array) -> None:
    require_floating("real", real, "B", "BT")
    require_floating("generated", generated, "N", "NT")
    if real.shape[1:] != generated.shape[1:]:
        raise ValueError(
            f"generated must have the axes of real but for the first, got shapes {generated.shape} and {real.shape}"
        )
