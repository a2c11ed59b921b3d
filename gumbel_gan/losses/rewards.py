"""What a generator is paid for a sequence, by the discriminator's logit d = log(D / (1 - D))."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import jax
import jax.numpy as jnp

Reward = Callable[[jax.Array], jax.Array]


def logit(logits: jax.Array) -> jax.Array:
    """Gives d itself; against the optimal discriminator, its policy gradient is that of -KL(generator || data)."""
    return logits


def twice_belief_minus_one(logits: jax.Array) -> jax.Array:
    """Gives 2 D - 1 = tanh(d / 2), which is bounded by -1 and 1.

    References:
      de Masson d'Autume et al. 2019, section 3, https://arxiv.org/abs/1905.09922.

    >>> twice_belief_minus_one(jnp.array([0.0, 100.0])).tolist()
    [0.0, 1.0]
    """
    return jnp.tanh(logits / 2)


def log_belief(logits: jax.Array) -> jax.Array:
    """Gives log D = -softplus(-d), the reward of the non-saturating loss."""
    return -jax.nn.softplus(-logits)


REWARDS: Mapping[str, Reward] = MappingProxyType(
    {"logit": logit, "twice_belief_minus_one": twice_belief_minus_one, "log_belief": log_belief}
)
