"""Adversarial training by policy gradients: the reward is a function of the discriminator's logits."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from gumbel_gan.algorithms import _adversarial, _ema
from gumbel_gan.algorithms._adversarial import AdversarialState, Sequences
from gumbel_gan.algorithms._batch import check_batch, one_hot
from gumbel_gan.algorithms.interface import Algorithm, Metrics
from gumbel_gan.arguments import (
    Scalar,
    at_step,
    is_zero,
    require_at_least,
    require_callable,
    require_kind,
    require_number,
    require_scalar,
)
from gumbel_gan.data import Batch
from gumbel_gan.losses.advantages import AdvantageEstimator, Baseline, Rollout
from gumbel_gan.losses.objectives import cross_entropy
from gumbel_gan.losses.penalties import GradientPenalty, has_weights
from gumbel_gan.losses.rewards import Reward
from gumbel_gan.model import SequenceModel, again, complete_tokens, inputs, sample, token_log_probs
from gumbel_gan.networks import Discriminator, Params, PrefixDiscriminator
from gumbel_gan.scoring.host_reward import PropertyReward
from gumbel_gan.sharding import mean_over


class PolicyGradientState(NamedTuple):
    """State of policy gradients; arrays only.

    Attributes:
      adversarial: state of both networks and their optimizers.
      baseline: state of the advantage estimator, computed from earlier returns.
    """

    adversarial: AdversarialState
    baseline: Baseline

    @property
    def step(self) -> jax.Array:
        """The number of updates of the generator, an int32 scalar."""
        return self.adversarial.step


def policy_gradient(
    model: SequenceModel,
    discriminator: Discriminator | PrefixDiscriminator,
    *,
    generator_optimizer: optax.GradientTransformation,
    discriminator_optimizer: optax.GradientTransformation,
    reward: Reward,
    advantages: AdvantageEstimator,
    property_reward: PropertyReward | None = None,
    adversarial_weight: Scalar = 1.0,
    warm_up_steps: ArrayLike = 0,
    penalty: GradientPenalty = GradientPenalty(),
    discriminator_updates: int = 1,
    ema_decay: Scalar = 0.0,
    shard_axis: str | None = None,
) -> Algorithm:
    """Builds adversarial training in which the generator follows the gradient of its expected reward.

    A step draws as many sequences y as there are real ones, updates the discriminator on both by cross-entropy, with
    gradient penalties, and then updates the generator along

        1/N sum_n sum_t A_nt grad log p_G(y_nt | y_n1 .. y_n(t-1)),

    with advantages A estimated from the rewards reward(d), d the logits of the updated discriminator. With
    `advantages.reinforce()` the estimate is unbiased for the expected reward of whole sequences under a discriminator
    that does not depend on them. Here the discriminator has been updated on the same sequences, an effect of the order
    of its learning rate over N. No bias was found within 2 standard errors. With a latent z, p_G(. | z) replaces p_G,
    with one z drawn for each sequence.

    With a `property_reward` r, the reward of a whole sequence is that of ORGAN,

        adversarial_weight reward(d) + (1 - adversarial_weight) r(y),

    and the mean of r is the additional metric `property`.

    Args:
      model: the model.
      discriminator: the discriminator, a `PrefixDiscriminator` if `advantages.of_prefixes`, else a `Discriminator`. A
        prefix discriminator minimizes the mean cross-entropy of all prefixes.
      generator_optimizer: the generator's optimizer.
      discriminator_optimizer: the discriminator's optimizer.
      reward: maps logits to rewards elementwise, such as `losses.logit`.
      advantages: estimates advantages from rewards, such as `losses.reinforce()`.
      property_reward: maps tokens `[N, T]` to `[N]` rewards of whole sequences, such as a function returned by
        `scoring.host_reward`; it is traced. `monte_carlo` also calls it for all completions. None: only the
        discriminator's reward is used.
      adversarial_weight: the share of the discriminator's reward, in [0, 1]; a number, a traced number or a schedule.
        Without a `property_reward` it must be 1.
      warm_up_steps: number of first steps in which the generator is trained by maximum likelihood on the batch, and
        `generator_loss` is its negative log-likelihood; may be traced. The discriminator is trained as in later steps,
        and schedules count all steps.
      penalty: the weights of the discriminator's gradient penalties; not allowed with a `PrefixDiscriminator`.
      discriminator_updates: number of discriminator updates in a step, each on its own batch; static.
      ema_decay: decay of the moving average of the generator's parameters, in [0, 1). A number, a traced number or a
        schedule. After t updates the decay is at most (1 + t) / (10 + t).
      shard_axis: name of the mapped axis of data shards; None if there is none. Baselines that compare sequences with
        each other compare those within a shard.

    Returns:
      An `Algorithm`. If the advantages compare sequences with each other, its step raises ValueError for fewer than two
      sequences in a shard.

    Raises:
      TypeError: an argument has the wrong type, or the discriminator is not of the kind that `advantages` needs.
      ValueError: an argument is out of range; there are penalties with a `PrefixDiscriminator`, or a `property_reward`
        with advantages of prefixes; or `adversarial_weight` is not 1 without a `property_reward`.

    References:
      Williams 1992, https://doi.org/10.1007/BF00992696; Yu et al. 2017, https://arxiv.org/abs/1609.05473; de Masson
      d'Autume et al. 2019, https://arxiv.org/abs/1905.09922; for the property, Guimaraes et al. 2017,
      https://arxiv.org/abs/1705.10843.
    """
    require_kind(AdvantageEstimator, advantages=advantages)
    kind = PrefixDiscriminator if advantages.of_prefixes else Discriminator
    _adversarial.check_parts(model, discriminator, kind, generator_optimizer, discriminator_optimizer)
    require_callable(reward=reward)
    _ema.check_decay(ema_decay)
    require_number("warm_up_steps", warm_up_steps, low=0)
    require_at_least(1, discriminator_updates=discriminator_updates)
    if advantages.of_prefixes and has_weights(penalty):
        raise ValueError(f"penalty must have no weights with a PrefixDiscriminator, got {penalty}")
    _check_property(property_reward, adversarial_weight, advantages)
    discriminator_loss = _adversarial.penalized_loss(discriminator, cross_entropy, penalty)
    warms_up_ever = not is_zero(warm_up_steps)

    def init(key: jax.Array) -> PolicyGradientState:
        state = _adversarial.init(key, model, discriminator, generator_optimizer, discriminator_optimizer)
        return PolicyGradientState(state, advantages.init())

    def draw(key: jax.Array, params: Params, batch: Batch) -> tuple[jax.Array, dict]:
        """Returns `[N, T]` drawn sequences, and the generator's inputs that they were drawn with."""
        num = len(batch.tokens)
        latent_key, noise_key = jax.random.split(key)
        given = inputs(model, latent_key, num, batch.condition, training=True)
        return sample(noise_key, model, params, num, given, length=model.length), given

    def update_discriminator(
        key: jax.Array, state: AdversarialState, batch: Batch, tokens_NT: jax.Array
    ) -> tuple[AdversarialState, Metrics]:
        return _adversarial.update_discriminator(
            state,
            Sequences(one_hot(batch.tokens, model), batch.condition),
            Sequences(one_hot(tokens_NT, model), batch.condition),
            key,
            loss=discriminator_loss,
            optimizer=discriminator_optimizer,
            shard_axis=shard_axis,
        )

    def first_update(key: jax.Array, state: AdversarialState, batch: Batch) -> AdversarialState:
        draw_key, dropout_key = jax.random.split(key)
        tokens_NT, _ = draw(draw_key, state.generator_params, batch)
        return update_discriminator(dropout_key, state, batch, tokens_NT)[0]

    def step(key: jax.Array, state: PolicyGradientState, batch: Batch) -> tuple[PolicyGradientState, Metrics]:
        batch = check_batch(batch, model, num_updates=discriminator_updates)
        advantages_key, updates_key, update_key = (jax.random.fold_in(key, number) for number in (2, 3, 4))
        adversarial, batch = _adversarial.first_updates(
            updates_key, state.adversarial, batch, discriminator_updates, first_update
        )
        num = len(batch.tokens)
        tokens_NT, given = draw(key, adversarial.generator_params, batch)
        adversarial, metrics = update_discriminator(update_key, adversarial, batch, tokens_NT)

        def rewards_of(tokens: jax.Array) -> jax.Array:
            sequences = Sequences(one_hot(tokens, model), batch.condition)
            params = adversarial.discriminator_params
            return reward(_adversarial.discriminator_logits(discriminator, params, sequences))

        def mixed(tokens: jax.Array) -> tuple[jax.Array, jax.Array | None]:
            """Returns the rewards, and the property rewards if there are any."""
            if property_reward is None:
                return rewards_of(tokens), None
            adversarial_N, property_N = rewards_of(tokens), property_reward(tokens)
            weight = jnp.asarray(at_step(adversarial_weight, state.step), adversarial_N.dtype)
            return weight * adversarial_N + (1 - weight) * property_N.astype(adversarial_N.dtype), property_N

        def complete(key: jax.Array, tokens: jax.Array, num_given: ArrayLike) -> jax.Array:
            return complete_tokens(key, model, adversarial.generator_params, tokens, num_given, again(given))

        rewards, property_N = mixed(tokens_NT)
        rollout = Rollout(tokens_NT, rewards, lambda tokens: mixed(tokens)[0], complete)
        advantages_NT, baseline = advantages.advantages(advantages_key, state.step, state.baseline, rollout)
        if warms_up_ever:
            # The likelihood's gradient is a policy gradient on the data's tokens with advantages of 1.
            warms_up = state.step < warm_up_steps
            tokens_NT = jnp.where(warms_up, batch.tokens, tokens_NT)
            advantages_NT = jnp.where(warms_up, 1.0, advantages_NT)
        log_probs_NT, pull_back = jax.vjp(
            lambda params: token_log_probs(model, params, tokens_NT, again(given)), adversarial.generator_params
        )
        gradient, baseline = mean_over(shard_axis, (pull_back(-advantages_NT / num)[0], baseline))
        loss = -jnp.mean(rewards)
        if warms_up_ever:
            loss = jnp.where(warms_up, -jnp.mean(jnp.sum(log_probs_NT, axis=1)), loss)
        metrics |= {"generator_loss": loss, "generator_gradient_norm": optax.tree.norm(gradient)}
        if property_N is not None:
            metrics["property"] = jnp.mean(property_N)
        adversarial = _adversarial.update_generator(
            adversarial, gradient, optimizer=generator_optimizer, ema_decay=ema_decay
        )
        return PolicyGradientState(adversarial, baseline), metrics

    def params(state: PolicyGradientState, *, averaged: bool = True) -> Params:
        return _adversarial.params(state.adversarial, averaged=averaged)

    def discriminator_logits(state: PolicyGradientState, tokens: jax.Array, *, condition: Any = None) -> jax.Array:
        return _adversarial.logits_of_tokens(discriminator, model)(state.adversarial, tokens, condition=condition)

    return Algorithm(init, step, params, model, discriminator_updates, discriminator_logits)


def _check_property(
    property_reward: PropertyReward | None, adversarial_weight: Scalar, advantages: AdvantageEstimator
) -> None:
    require_scalar("adversarial_weight", adversarial_weight, low=0.0, high=1.0)
    if property_reward is None:
        if callable(adversarial_weight) or isinstance(adversarial_weight, jax.core.Tracer) or adversarial_weight != 1:
            raise ValueError(f"adversarial_weight must be 1 without a property_reward, got {adversarial_weight!r}")
        return
    require_callable(property_reward=property_reward)
    if advantages.of_prefixes:
        raise ValueError(
            f"property_reward must be None with advantages of prefixes, since it is one of whole sequences; "
            f"got {property_reward!r}"
        )
