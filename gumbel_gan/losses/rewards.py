"""Rewards of a generator for its sequences, as functions of the discriminator's logit.

d = log(D / (1 - D)) is the logit and D = sigmoid(d) the probability that the discriminator assigns to a sequence being
real. What a reward optimizes is stated for the optimal discriminator, d = log(p_data / p_generator), held fixed while
the generator follows the policy gradient.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gumbel_gan.losses._checks import require_floating

# Maps logits `[...]` to rewards `[...]`, elementwise.
Reward = Callable[[jax.Array], jax.Array]


def logit(logits: jax.Array) -> jax.Array:
    """Returns d itself, the reward whose policy gradient descends KL(generator || data).

    Args:
      logits: `[...]` logits, floating.

    Returns:
      `[...]` rewards.

    Raises:
      TypeError: `logits` is not a floating array.
    """
    require_floating("logits", logits)
    return logits


def tanh_half_logit(logits: jax.Array) -> jax.Array:
    """Computes 2 D - 1 = tanh(d / 2), a reward in [-1, 1].

    Its policy gradient descends 2 KL(data || (data + generator) / 2).

    Args:
      logits: `[...]` logits, floating.

    Returns:
      `[...]` rewards.

    Raises:
      TypeError: `logits` is not a floating array.

    References:
      de Masson d'Autume et al. 2019, section 3, https://arxiv.org/abs/1905.09922.

    >>> tanh_half_logit(jnp.array([0.0, 100.0])).tolist()
    [0.0, 1.0]
    """
    require_floating("logits", logits)
    return jnp.tanh(logits / 2)


def log_sigmoid(logits: jax.Array) -> jax.Array:
    """Computes log D = -softplus(-d), the negative of the non-saturating generator loss.

    Its policy gradient descends KL(generator || data) - 2 JS(generator, data), with JS the Jensen-Shannon divergence.

    Args:
      logits: `[...]` logits, floating.

    Returns:
      `[...]` rewards, <= 0.

    Raises:
      TypeError: `logits` is not a floating array.

    References:
      Goodfellow et al. 2014, section 3, https://arxiv.org/abs/1406.2661; Arjovsky & Bottou 2017, theorem 2.5,
      https://arxiv.org/abs/1701.04862.
    """
    require_floating("logits", logits)
    return -jax.nn.softplus(-logits)
