"""Adversarial training by policy gradients: the generator acts, the discriminator pays, and nothing is relaxed."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from gumbel_gan.algorithms import adversary, averaging, likelihood
from gumbel_gan.algorithms.adversary import AdversarialState
from gumbel_gan.algorithms.interface import Algorithm, Metrics
from gumbel_gan.losses.advantages import Baseline, Credit, Drawn
from gumbel_gan.networks import Discriminator, Generator, Params, PrefixDiscriminator
from gumbel_gan.losses.objectives import cross_entropy
from gumbel_gan.sharding import mean_over
from gumbel_gan.losses.rewards import Reward


class PolicyGradientState(NamedTuple):
    """State of policy gradients; arrays only.

    Attributes:
      step: int32 scalar, number of updates made.
      generator: parameters of the generator.
      discriminator: parameters of the discriminator.
      average: exponential moving average of `generator`, which is sampled and scored.
      generator_optimizer: state of the generator's optimiser.
      discriminator_optimizer: state of the discriminator's optimiser.
      baseline: what the credit remembers of earlier rewards.
    """

    step: jax.Array
    generator: Params
    discriminator: Params
    average: Params
    generator_optimizer: optax.OptState
    discriminator_optimizer: optax.OptState
    baseline: Baseline


def policy_gradient(
    generator: Generator,
    discriminator: Discriminator | PrefixDiscriminator,
    *,
    length: int,
    generator_optimizer: optax.GradientTransformation,
    discriminator_optimizer: optax.GradientTransformation,
    reward: Reward,
    credit: Credit,
    warm_up_steps: int = 0,
    real_penalty: optax.Schedule | None = None,
    generated_penalty: optax.Schedule | None = None,
    penalised_fraction: float = 1.0,
    average_decay: ArrayLike = 0.0,
    num_latent_draws: int = 256,
    shard_axis: str | None = None,
) -> Algorithm:
    """Makes adversarial training whose generator follows the gradient of its expected reward.

    A step draws as many sequences y as there are real ones, updates the discriminator on both by cross-entropy, with
    gradient penalties, and then the generator along

        1/N sum_n sum_t A_nt grad log p_G(y_nt | y_n1 .. y_n(t-1)),

    with the advantages A that the credit makes of the rewards reward(d), d the logits of the updated discriminator.
    With `credit.terminal()` that is without bias for the expected reward of whole sequences, but for one thing: the
    discriminator has been updated on the very sequences that it then pays, an effect of the order of its rate over N.

    Args:
      generator: the generator, without a latent.
      discriminator: the discriminator, of prefixes where the credit is, else of whole sequences. That of prefixes has
        the cross-entropy of all prefixes, averaged.
      length: T, number of symbols of a sequence, padding included.
      generator_optimizer: the generator's optimiser.
      discriminator_optimizer: the discriminator's optimiser.
      reward: maps logits to rewards, one by one: one of `rewards.REWARDS` or your own.
      credit: makes advantages of rewards, for example `credit.terminal()`.
      warm_up_steps: number of first steps in which the generator follows the likelihood of the batch instead, and
        `generator_loss` is its negative; the discriminator trains as always. Schedules and the state of the optimiser
        know of no border: they count all steps. At 0 there is no such phase.
      real_penalty: schedule of the weight of the discriminator's penalty R1; None computes none.
      generated_penalty: schedule of the weight of R2; None computes none.
      penalised_fraction: share of the sequences of a step, in (0, 1], at which the penalties are measured.
      average_decay: decay of the moving average of the generator's weights, in [0, 1).
      num_latent_draws: unused, since there is no latent; every algorithm has it.
      shard_axis: name of the mapped axis of shards; None where there is none. What sequences are compared with, others
        of their step, are those of their shard.

    Returns:
      An `Algorithm`. Where the credit compares sequences with each other, its step raises ValueError for fewer than
      two of them in a shard.

    Raises:
      ValueError: `average_decay`, `penalised_fraction`, `num_latent_draws` or `warm_up_steps` is out of its range, the
        generator has a latent, the discriminator is none for the credit, or there are penalties on one of prefixes.

    References:
      Williams 1992, https://doi.org/10.1007/BF00992696; Yu et al. 2017, https://arxiv.org/abs/1609.05473; de Masson
      d'Autume et al. 2019, https://arxiv.org/abs/1905.09922.
    """
    likelihood.require_exact(generator)
    averaging.check_decay(average_decay)
    if warm_up_steps < 0:
        raise ValueError(f"warm_up_steps must be at least 0, got {warm_up_steps}")
    _check_discriminator(discriminator, credit, real_penalty=real_penalty, generated_penalty=generated_penalty)
    observers = likelihood.of_average(generator, length, num_latent_draws)
    discriminator_loss = adversary.penalised_loss(
        discriminator,
        cross_entropy,
        real_penalty=real_penalty,
        generated_penalty=generated_penalty,
        penalised_fraction=penalised_fraction,
    )

    def init(key: jax.Array) -> PolicyGradientState:
        pair = adversary.init(key, generator, discriminator, generator_optimizer, discriminator_optimizer)
        return PolicyGradientState(*pair, baseline=credit.init())

    def step(key: jax.Array, state: PolicyGradientState, batch: jax.Array) -> tuple[PolicyGradientState, Metrics]:
        num = len(batch)
        # Drawing splits the key in two; this is a third one.
        credit_key = jax.random.fold_in(key, 2)
        tokens_NT = likelihood.sample(key, generator, state.generator, num, length)
        pair, metrics = adversary.update_discriminator(
            AdversarialState(*state[:-1]),
            _one_hot(batch, generator),
            _one_hot(tokens_NT, generator),
            loss=discriminator_loss,
            optimizer=discriminator_optimizer,
            shard_axis=shard_axis,
        )

        def pay(tokens: jax.Array) -> jax.Array:
            return reward(discriminator.logits(pair.discriminator, _one_hot(tokens, generator)))

        rewards = pay(tokens_NT)
        drawn = Drawn(tokens_NT, rewards, pay, generator, pair.generator)
        advantages_NT, baseline = credit.advantages(credit_key, state.baseline, drawn)
        if warm_up_steps:
            # The likelihood's gradient is that of a policy whose every act is the data's, and worth 1.
            warms_up = state.step < warm_up_steps
            tokens_NT = jnp.where(warms_up, batch, tokens_NT)
            advantages_NT = jnp.where(warms_up, 1.0, advantages_NT)
        carry = generator.initial_carry(jax.random.key(0), num)
        log_probs_NT, pull_back = jax.vjp(
            lambda params: likelihood.token_log_probs(generator, params, carry, tokens_NT), pair.generator
        )
        gradient, baseline = mean_over(shard_axis, (pull_back(-advantages_NT / num)[0], baseline))
        loss = -jnp.mean(rewards)
        if warm_up_steps:
            loss = jnp.where(warms_up, -jnp.mean(jnp.sum(log_probs_NT, axis=1)), loss)
        metrics |= {"generator_loss": loss, "generator_gradient_norm": optax.tree.norm(gradient)}
        pair = adversary.update_generator(pair, gradient, optimizer=generator_optimizer, average_decay=average_decay)
        return PolicyGradientState(*pair, baseline=baseline), metrics

    return Algorithm(init, step, *observers)


def _one_hot(tokens: jax.Array, generator: Generator) -> jax.Array:
    return jax.nn.one_hot(tokens, generator.num_symbols)


def _check_discriminator(
    discriminator: Discriminator | PrefixDiscriminator, credit: Credit, **penalties: optax.Schedule | None
) -> None:
    wanted = PrefixDiscriminator if credit.of_prefixes else Discriminator
    if not isinstance(discriminator, wanted):
        raise ValueError(
            f"discriminator must be a {wanted.__name__} for this credit, got a {type(discriminator).__name__}"
        )
    for name, penalty in penalties.items():
        if credit.of_prefixes and penalty is not None:
            raise ValueError(f"{name} must be None where prefixes are paid, got a schedule")
