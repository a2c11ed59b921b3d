"""Adversarial objectives: a loss for the discriminator and one for the generator, on logits.

Throughout, d = log(D / (1 - D)) is the discriminator's logit, D = sigmoid(d) its belief that a sequence is real.
Every loss is written with softplus, so that it and its gradient stay finite at any logit.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import jax
import jax.numpy as jnp

softplus = jax.nn.softplus


class Objective(NamedTuple):
    """A pair of losses, both to be minimised; each takes (real logits `[B]`, generated logits `[N]`).

    The generator's is a mean over generated sequences, so that it can be asked for the loss of each.
    """

    discriminator_loss: Callable[[jax.Array, jax.Array], jax.Array]
    generator_loss: Callable[[jax.Array, jax.Array], jax.Array]


def cross_entropy(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the discriminator's cross-entropy, -mean log D(real) - mean log(1 - D(generated)).

    Args:
      real: `[B]` logits of real sequences, or `[B, T]` of their prefixes.
      generated: `[N]` logits of generated sequences, or `[N, T]` of their prefixes.

    Returns:
      A scalar; 2 log 2 where the discriminator knows nothing.

    References:
      Goodfellow et al. 2014, equation 1, https://arxiv.org/abs/1406.2661.
    """
    return jnp.mean(softplus(-real)) + jnp.mean(softplus(generated))


def log_odds(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the paper's generator loss, mean of -log(D / (1 - D)) = mean of -d.

    Against the optimal discriminator this is KL(generator || data), the reverse KL.

    Args:
      real: `[B]` logits of real sequences; unused.
      generated: `[N]` logits of generated sequences.

    Returns:
      A scalar.

    References:
      Kusner & Hernández-Lobato 2016, equation 4, https://arxiv.org/abs/1611.04051.
    """
    del real
    return -jnp.mean(generated)


def saturating(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the minimax generator loss, mean of log(1 - D).

    Args:
      real: `[B]` logits of real sequences; unused.
      generated: `[N]` logits of generated sequences.

    Returns:
      A scalar; its gradient vanishes where the discriminator is sure of itself.

    References:
      Goodfellow et al. 2014, equation 1, https://arxiv.org/abs/1406.2661.
    """
    del real
    return -jnp.mean(softplus(generated))


def non_saturating(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the non-saturating generator loss, mean of -log D.

    Args:
      real: `[B]` logits of real sequences; unused.
      generated: `[N]` logits of generated sequences.

    Returns:
      A scalar.

    References:
      Goodfellow et al. 2014, section 3, https://arxiv.org/abs/1406.2661.
    """
    del real
    return jnp.mean(softplus(-generated))


def relativistic(winner: jax.Array, loser: jax.Array) -> jax.Array:
    """Computes the relativistic pairing loss, the mean of softplus(loser_j - winner_i) over all pairs.

    The expectation is over independent pairs; taking all B * N of them instead of B costs only scalars
    and lowers the variance of the estimate.

    Args:
      winner: `[B]` logits that are to be raised.
      loser: `[N]` logits that are to be lowered.

    Returns:
      A scalar; log 2 where the logits are equal.

    References:
      Jolicoeur-Martineau 2020, https://arxiv.org/abs/1901.02474; Huang et al. 2024, https://arxiv.org/abs/2501.05441.
    """
    return jnp.mean(softplus(loser[None, :] - winner[:, None]))


OBJECTIVES: Mapping[str, Objective] = MappingProxyType(
    {
        "log_odds": Objective(cross_entropy, log_odds),
        "minimax": Objective(cross_entropy, saturating),
        "non_saturating": Objective(cross_entropy, non_saturating),
        "relativistic_pairing": Objective(relativistic, lambda real, generated: relativistic(generated, real)),
    }
)
