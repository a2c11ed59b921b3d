"""Rewards of generated sequences, as functions of the discriminator's logit.

d = log(D / (1 - D)) is the logit and D = sigmoid(d) the probability that the discriminator assigns to a sequence being
real. The table gives the divergence that each reward descends with the optimal discriminator,
d = log(p_data / p_generator), held fixed while the generator follows the policy gradient. For an f-divergence
E_generator[f(p_data / p_generator)], the reward is f*(f'(e^d)) up to a constant, with f* the convex conjugate of f. It
is the negative derivative of the divergence with respect to a probability of the generator.

| reward | of d | descends |
|---|---|---|
| `logit` | d | KL(generator || data) |
| `tanh_half_logit` | tanh(d / 2) | 2 KL(data || (data + generator) / 2) |
| `log_sigmoid` | -softplus(-d) | KL(generator || data) - 2 JS(generator, data) |
| `softplus_logit` | softplus(d) | 2 JS(generator, data) |
| `exp_logit` | e^d | KL(data || generator) |
| `exp_twice_logit` | e^(2 d) | Pearson's chi-squared, E_generator[(p_data / p_generator - 1)^2] |
| `exp_half_logit` | e^(d / 2) | the squared Hellinger distance, sum (sqrt(p_data) - sqrt(p_generator))^2 |

For exponents above 20, exponentials are continued linearly. For exponents below -20, they are the reciprocal of that
continuation. Exponentials and their gradients are therefore finite for logits of magnitude up to 1e29, in float32 and
bfloat16.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gumbel_gan.losses._checks import require_floating
from gumbel_gan.losses._exponents import slow_growing

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


def softplus_logit(logits: jax.Array) -> jax.Array:
    """Computes -log(1 - D) = softplus(d), the negative of the minimax generator loss.

    Its policy gradient descends 2 JS(generator, data), the divergence of the original GAN.

    Args:
      logits: `[...]` logits, floating.

    Returns:
      `[...]` rewards, >= 0.

    Raises:
      TypeError: `logits` is not a floating array.

    References:
      Goodfellow et al. 2014, equation 1, https://arxiv.org/abs/1406.2661.
    """
    require_floating("logits", logits)
    return jax.nn.softplus(logits)


def exp_logit(logits: jax.Array) -> jax.Array:
    """Computes e^d, the density ratio, whose policy gradient descends KL(data || generator).

    Args:
      logits: `[...]` logits, floating.

    Returns:
      `[...]` rewards, > 0.

    Raises:
      TypeError: `logits` is not a floating array.

    References:
      Mohamed & Lakshminarayanan 2016, section 3, https://arxiv.org/abs/1610.03483.
    """
    require_floating("logits", logits)
    return jnp.exp(slow_growing(logits))


def exp_twice_logit(logits: jax.Array) -> jax.Array:
    """Computes e^(2 d), the squared density ratio, whose policy gradient descends Pearson's chi-squared divergence.

    The divergence is E_generator[(p_data / p_generator - 1)^2].

    Args:
      logits: `[...]` logits, floating.

    Returns:
      `[...]` rewards, > 0.

    Raises:
      TypeError: `logits` is not a floating array.

    References:
      As in `exp_logit`.
    """
    require_floating("logits", logits)
    return jnp.exp(slow_growing(2 * logits))


def exp_half_logit(logits: jax.Array) -> jax.Array:
    """Computes e^(d / 2), whose policy gradient descends the squared Hellinger distance.

    The distance is sum (sqrt(p_data) - sqrt(p_generator))^2 = 2 - 2 sum sqrt(p_data p_generator).

    Args:
      logits: `[...]` logits, floating.

    Returns:
      `[...]` rewards, > 0.

    Raises:
      TypeError: `logits` is not a floating array.

    References:
      As in `exp_logit`.
    """
    require_floating("logits", logits)
    return jnp.exp(slow_growing(logits / 2))
