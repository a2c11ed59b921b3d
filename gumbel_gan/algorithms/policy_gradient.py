"""Adversarial training by policy gradients: the generator acts, the discriminator pays, and nothing is relaxed."""

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from gumbel_gan.algorithms import adversary, averaging, likelihood
from gumbel_gan.algorithms.adversary import AdversarialState
from gumbel_gan.algorithms.interface import Algorithm, Metrics
from gumbel_gan.networks import Discriminator, Generator
from gumbel_gan.objectives import cross_entropy
from gumbel_gan.placement import mean_over
from gumbel_gan.rewards import Reward
from gumbel_gan.score_function import leave_one_out


def policy_gradient(
    generator: Generator,
    discriminator: Discriminator,
    *,
    length: int,
    generator_optimizer: optax.GradientTransformation,
    discriminator_optimizer: optax.GradientTransformation,
    reward: Reward,
    real_penalty: optax.Schedule | None = None,
    generated_penalty: optax.Schedule | None = None,
    penalised_fraction: float = 1.0,
    average_decay: ArrayLike = 0.0,
    num_latent_draws: int = 256,
    shard_axis: str | None = None,
) -> Algorithm:
    """Makes adversarial training with a reward at the end of a sequence.

    A step draws as many sequences y as there are real ones, updates the discriminator on both by cross-entropy with
    gradient penalties, and then the generator along the gradient of its expected reward,

        1/N sum_n (r_n - mean_{m != n} r_m) grad log p_G(y_n),    r_n = reward(d(y_n)),

    with d the logit of the updated discriminator: without bias for that discriminator, and with the other sequences'
    mean reward as the baseline.

    Args:
      generator: the generator, without a latent.
      discriminator: the discriminator.
      length: T, number of symbols of a sequence, padding included.
      generator_optimizer: the generator's optimiser.
      discriminator_optimizer: the discriminator's optimiser.
      reward: maps `[N]` logits to `[N]` rewards, one of `rewards.REWARDS` or your own.
      real_penalty: schedule of the weight of the discriminator's penalty R1; None computes none.
      generated_penalty: schedule of the weight of R2; None computes none.
      penalised_fraction: share of the sequences of a step, in (0, 1], at which the penalties are measured.
      average_decay: decay of the moving average of the generator's weights, in [0, 1).
      num_latent_draws: unused, since there is no latent; every algorithm has it.
      shard_axis: name of the mapped axis of shards; None where there is none. Baselines are those within a shard.

    Returns:
      An `Algorithm`, whose step takes batches of at least two sequences.

    Raises:
      ValueError: `average_decay` or `penalised_fraction` is out of its range, or the generator has a latent.

    References:
      Williams 1992, https://doi.org/10.1007/BF00992696; Yu et al. 2017, https://arxiv.org/abs/1609.05473.
    """
    likelihood.require_exact(generator)
    averaging.check_decay(average_decay)
    observers = likelihood.of_average(generator, length, num_latent_draws)
    discriminator_loss = adversary.penalised_loss(
        discriminator,
        cross_entropy,
        real_penalty=real_penalty,
        generated_penalty=generated_penalty,
        penalised_fraction=penalised_fraction,
    )

    def init(key: jax.Array) -> AdversarialState:
        return adversary.init(key, generator, discriminator, generator_optimizer, discriminator_optimizer)

    def step(key: jax.Array, state: AdversarialState, batch: jax.Array) -> tuple[AdversarialState, Metrics]:
        num = len(batch)
        tokens_NT = likelihood.sample(key, generator, state.generator, num, length)
        generated_NTK = jax.nn.one_hot(tokens_NT, generator.num_symbols)
        state, metrics = adversary.update_discriminator(
            state,
            jax.nn.one_hot(batch, generator.num_symbols),
            generated_NTK,
            loss=discriminator_loss,
            optimizer=discriminator_optimizer,
            shard_axis=shard_axis,
        )
        reward_N = reward(discriminator.logits(state.discriminator, generated_NTK))
        _, pull_back = jax.vjp(
            lambda params: likelihood.log_prob(generator, params, tokens_NT, num_latent_draws=1), state.generator
        )
        gradient = mean_over(shard_axis, pull_back(-leave_one_out(reward_N) / num)[0])
        metrics |= {
            "generator_loss": -jnp.mean(reward_N),
            "generator_gradient_norm": optax.tree.norm(gradient),
        }
        state = adversary.update_generator(state, gradient, optimizer=generator_optimizer, average_decay=average_decay)
        return state, metrics

    return Algorithm(init, step, *observers)
