"""Adversarial objectives: a loss of the discriminator and a loss of the generator, as functions of logits.

Throughout, d is the discriminator's output for a sequence. If its optimum is log(p_data / p_generator), it is the logit
log(D / (1 - D)) of the probability D = sigmoid(d) that the sequence is real. All losses and their gradients are finite
for |d| up to at least 1e4, in float32 and in bfloat16.

| objective | discriminator's loss | generator's loss | optimal d, r = p_data / p_generator |
|---|---|---|---|
| `log_odds` | cross-entropy | -mean d of generated sequences | log r |
| `minimax` | cross-entropy | mean log(1 - D) of generated sequences | log r |
| `non_saturating` | cross-entropy | -mean log D of generated sequences | log r |
| `ratio_kl` | cross-entropy | -mean e^d of generated sequences | log r |
| `ratio_pearson` | cross-entropy | -mean e^(2 d) of generated sequences | log r |
| `ratio_squared_hellinger` | cross-entropy | -mean e^(d / 2) of generated sequences | log r |
| `pearson_fit` | mean e^(2 d_generated) / 2 - mean e^(d_real) | -mean d of generated sequences | log r |
| `relativistic` | mean softplus(d_generated - d_real) over pairs | the same, the two exchanged | log r + any constant |
| `least_squares` | mean (d_real - 1)^2 / 2 + mean d_generated^2 / 2 | mean (d_generated - 1)^2 / 2 | r / (1 + r) |
| `hinge` | mean relu(1 - d_real) + mean relu(1 + d_generated) | -mean d of generated sequences | sign(log r) |
| `wasserstein` | mean d_generated - mean d_real | -mean d of generated sequences | needs a penalty |

Further objectives: `losses.divergences` (f-divergences in their variational form) and `losses.mmd`.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gumbel_gan.arguments import require_callable
from gumbel_gan.losses._checks import require_logits
from gumbel_gan.losses._exponents import slow_growing
from gumbel_gan.losses.rewards import (
    Reward,
    exp_half_logit,
    exp_logit,
    exp_twice_logit,
    log_sigmoid,
    logit,
    softplus_logit,
)

softplus = jax.nn.softplus
Loss = Callable[[jax.Array, jax.Array], jax.Array]


class Objective(NamedTuple):
    """A pair of losses, both to be minimized. Each maps (real logits `[B]`, generated logits `[N]`) to a scalar.

    The losses also accept the logits of prefixes, `[B, T]` and `[N, T]`.

    Attributes:
      discriminator_loss: the loss of the discriminator.
      generator_loss: the loss of the generator. Unless `generator_losses` is given, it must be a mean over the
        generated sequences: algorithms that need the loss of each sequence evaluate it on one generated sequence at a
        time.
      generator_losses: for a generator loss that is not such a mean: (real `[B]`, generated `[N]`) -> `[N]`, the loss
        of each generated sequence given the others, which carry no gradient. The gradient of their mean must be that of
        `generator_loss`. None: `generator_loss` is a mean.
    """

    discriminator_loss: Loss
    generator_loss: Loss
    generator_losses: Loss | None = None


def loss_of_each(objective: Objective, real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the generator's loss of each generated sequence.

    Args:
      objective: the objective.
      real: `[B]` logits of real sequences.
      generated: `[N]` logits of generated sequences.

    Returns:
      `[N]` losses. Their mean has the gradient of `objective.generator_loss`.
    """
    if objective.generator_losses is not None:
        return objective.generator_losses(real, generated)
    return jax.vmap(lambda logit: objective.generator_loss(real, logit[None]))(generated)


def cross_entropy(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the discriminator's cross-entropy, -mean log D(real) - mean log(1 - D(generated)).

    Args:
      real: `[B]` logits of real sequences, or `[B, T]` of their prefixes; floating.
      generated: `[N]` logits of generated sequences, or `[N, T]` of their prefixes; floating.

    Returns:
      A scalar; 2 log 2 if all logits are 0.

    Raises:
      TypeError: `real` or `generated` is not a floating array.
      ValueError: `real` or `generated` has the wrong shape or is empty, or their T differ.

    References:
      Goodfellow et al. 2014, equation 1, https://arxiv.org/abs/1406.2661.
    """
    require_logits(real, generated)
    return jnp.mean(softplus(-real)) + jnp.mean(softplus(generated))


def density_ratio(reward: Reward) -> Objective:
    """Builds the objective of a discriminator that estimates log(p_data / p_generator) and of a generator that uses it.

    The discriminator minimizes its cross-entropy for any reward. The generator minimizes

        -mean reward(d(y))    over generated sequences y.

    `losses.rewards` lists the divergence that each reward descends. `log_odds` is `density_ratio(logit)` and descends
    KL(generator || data). The reward of `minimax` is `softplus_logit`, of `non_saturating` `log_sigmoid`, of `ratio_kl`
    `exp_logit`, of `ratio_pearson` `exp_twice_logit`, and of `ratio_squared_hellinger` `exp_half_logit`. `minimax`
    saturates: its gradient goes to 0 as the discriminator recognizes the generated sequences. The gradients of the
    exponential rewards go to 0 too, and their variance is large if single ratios are large.

    Args:
      reward: maps logits to rewards, elementwise.

    Returns:
      An `Objective`. Its losses raise the errors of `cross_entropy`.

    Raises:
      TypeError: `reward` is not callable.

    References:
      Mohamed & Lakshminarayanan 2016, section 3, https://arxiv.org/abs/1610.03483; for `log_odds`, Kusner &
      Hernández-Lobato 2016, equation 4, https://arxiv.org/abs/1611.04051; for `minimax` and `non_saturating`,
      Goodfellow et al. 2014, equation 1 and section 3, https://arxiv.org/abs/1406.2661.
    """
    require_callable(reward=reward)

    def generator_loss(real: jax.Array, generated: jax.Array) -> jax.Array:
        require_logits(real, generated)
        return -jnp.mean(reward(generated))

    return Objective(cross_entropy, generator_loss)


def pearson_fit_loss(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes b-GAN's loss of a discriminator that fits the density ratio r = e^d by least squares.

    The expectation of mean r(generated)^2 / 2 - mean r(real) is E_generator[(r - p_data / p_generator)^2] / 2 up to a
    constant.

    Args:
      real: `[B]` or `[B, T]` logits of real sequences.
      generated: `[N]` or `[N, T]` logits of generated sequences.

    Returns:
      A scalar, at least -(1 + chi^2) / 2 in expectation, with chi^2 Pearson's divergence E_generator[(r - 1)^2] of the
      true r; -1/2 if all logits are 0.

    Raises:
      TypeError: as in `cross_entropy`.
      ValueError: as in `cross_entropy`.

    References:
      Uehara et al. 2016, https://arxiv.org/abs/1610.02920.
    """
    require_logits(real, generated)
    return 0.5 * jnp.mean(jnp.exp(2 * slow_growing(generated))) - jnp.mean(jnp.exp(slow_growing(real)))


def relativistic_loss(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the discriminator's relativistic loss, the mean of softplus(d_generated - d_real) over all pairs.

    The loss is an expectation over independent pairs of a real and a generated sequence. All B * N pairs of the batch
    are used instead of min(B, N) disjoint ones, which lowers the variance of the estimate and costs only scalars. The
    logits of prefixes are paired at equal prefix length.

    Args:
      real: `[B]` logits of real sequences, or `[B, T]` of their prefixes; floating.
      generated: `[N]` logits of generated sequences, or `[N, T]` of their prefixes; floating.

    Returns:
      A scalar; log 2 if all logits are equal.

    Raises:
      TypeError: as in `cross_entropy`.
      ValueError: as in `cross_entropy`.

    References:
      Jolicoeur-Martineau 2020, https://arxiv.org/abs/1901.02474; Huang et al. 2024, https://arxiv.org/abs/2501.05441.
    """
    require_logits(real, generated)
    return jnp.mean(softplus(generated[None, :] - real[:, None]))


def relativistic_generator_loss(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the generator's relativistic loss, the mean of softplus(d_real - d_generated) over all pairs.

    This is `relativistic_loss` with real and generated sequences exchanged.

    Args:
      real: `[B]` or `[B, T]` logits of real sequences.
      generated: `[N]` or `[N, T]` logits of generated sequences.

    Returns:
      A scalar; log 2 if all logits are equal.

    Raises:
      TypeError: as in `cross_entropy`.
      ValueError: as in `cross_entropy`.

    References:
      As in `relativistic_loss`.
    """
    require_logits(real, generated)
    return relativistic_loss(generated, real)


def least_squares_loss(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the discriminator's least-squares loss, mean (d_real - 1)^2 / 2 + mean d_generated^2 / 2.

    The output d itself estimates p_data / (p_data + p_generator), without a sigmoid.

    Args:
      real: `[B]` or `[B, T]` outputs for real sequences.
      generated: `[N]` or `[N, T]` outputs for generated sequences.

    Returns:
      A scalar >= 0; 1/2 if all outputs are 0.

    Raises:
      TypeError: as in `cross_entropy`.
      ValueError: as in `cross_entropy`.

    References:
      Mao et al. 2017, equation 2 with a = 0 and b = c = 1, https://arxiv.org/abs/1611.04076.
    """
    require_logits(real, generated)
    return 0.5 * jnp.mean(jnp.square(real - 1)) + 0.5 * jnp.mean(jnp.square(generated))


def hinge_loss(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the discriminator's hinge loss, mean relu(1 - d_real) + mean relu(1 + d_generated).

    Args:
      real: `[B]` or `[B, T]` outputs for real sequences.
      generated: `[N]` or `[N, T]` outputs for generated sequences.

    Returns:
      A scalar >= 0; 2 if all outputs are 0.

    Raises:
      TypeError: as in `cross_entropy`.
      ValueError: as in `cross_entropy`.

    References:
      Lim & Ye 2017, https://arxiv.org/abs/1705.02894; Miyato et al. 2018, equations 16 and 17,
      https://arxiv.org/abs/1802.05957.
    """
    require_logits(real, generated)
    return jnp.mean(jax.nn.relu(1 - real)) + jnp.mean(jax.nn.relu(1 + generated))


def wasserstein_loss(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the critic's Wasserstein loss, mean d_generated - mean d_real.

    Its negative is a lower bound of the Wasserstein-1 distance for a critic with a Lipschitz constant of at most 1. The
    loss does not enforce this constant: use it with `GradientPenalty(interpolated_weight=10.0)`.

    Args:
      real: `[B]` or `[B, T]` outputs for real sequences.
      generated: `[N]` or `[N, T]` outputs for generated sequences.

    Returns:
      A scalar; 0 if all outputs are equal.

    Raises:
      TypeError: as in `cross_entropy`.
      ValueError: as in `cross_entropy`.

    References:
      Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875; Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028.
    """
    require_logits(real, generated)
    return jnp.mean(generated) - jnp.mean(real)


def _least_squares_generator_loss(real: jax.Array, generated: jax.Array) -> jax.Array:
    require_logits(real, generated)
    return 0.5 * jnp.mean(jnp.square(generated - 1))


log_odds = density_ratio(logit)
minimax = density_ratio(softplus_logit)
non_saturating = density_ratio(log_sigmoid)
ratio_kl = density_ratio(exp_logit)
ratio_pearson = density_ratio(exp_twice_logit)
ratio_squared_hellinger = density_ratio(exp_half_logit)
pearson_fit = Objective(pearson_fit_loss, log_odds.generator_loss)
relativistic = Objective(relativistic_loss, relativistic_generator_loss)
least_squares = Objective(least_squares_loss, _least_squares_generator_loss)
hinge = Objective(hinge_loss, log_odds.generator_loss)
wasserstein = Objective(wasserstein_loss, log_odds.generator_loss)
