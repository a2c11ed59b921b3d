"""The Gumbel-softmax GAN for discrete sequences (Kusner & Hernández-Lobato 2016)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from gumbel_gan.algorithms import _adversarial, _ema
from gumbel_gan.algorithms._adversarial import AdversarialState, Sequences
from gumbel_gan.algorithms._batch import check_batch, one_hot
from gumbel_gan.algorithms.interface import Algorithm, Metrics
from gumbel_gan.arguments import Scalar, at_step, is_zero, require_at_least, require_kind, require_scalar
from gumbel_gan.data import Batch
from gumbel_gan.losses.objectives import Objective, loss_of_each
from gumbel_gan.losses.penalties import GradientPenalty
from gumbel_gan.losses.score_function import leave_one_out
from gumbel_gan.model import SequenceModel, again, inputs, relaxed_sample, token_log_probs
from gumbel_gan.networks import Discriminator, Params
from gumbel_gan.relaxation.estimators import Estimator
from gumbel_gan.relaxation.instance_noise import add_instance_noise
from gumbel_gan.sharding import mean_over


class Feedback(NamedTuple):
    """Settings of the symbols that are fed back to the generator.

    Attributes:
      temperature: temperature of the symbols that are fed back; None: that of the emitted symbols. A number, a traced
        number or a schedule.
      gradient: whether gradients flow through the symbols that are fed back; static.
    """

    temperature: Scalar | None = None
    gradient: bool = True


def relaxed_gan(
    model: SequenceModel,
    discriminator: Discriminator,
    *,
    generator_optimizer: optax.GradientTransformation,
    discriminator_optimizer: optax.GradientTransformation,
    objective: Objective,
    estimator: Estimator,
    temperature: Scalar = 1.0,
    feedback: Feedback = Feedback(),
    score_weight: Scalar = 0.0,
    penalty: GradientPenalty = GradientPenalty(),
    instance_noise: Scalar | None = None,
    num_generated: int | None = None,
    discriminator_updates: int = 1,
    ema_decay: Scalar = 0.0,
    discriminator_ema_decay: Scalar | None = None,
    shard_axis: str | None = None,
) -> Algorithm:
    """Builds the adversarial training method of the paper, with additions that it needs to converge.

    A step is Algorithm 1 of the paper: draw data and noise, update the discriminator, then update the generator against
    the updated discriminator. The generator is sampled once, and its backward pass follows the update of the
    discriminator. The discriminator minimizes

        L_D(d(x), d(y)) + w_real R1(x) + w_generated R2(y) + w_interpolated G(x, y),

    with L_D the objective's discriminator loss, R1, R2 and G the penalties of `GradientPenalty`, and x real and y
    generated sequences, both with instance noise of the same strength. The generator descends along

        (1 - w_score) g_relaxed + w_score g_score,

    with g_relaxed the gradient of the objective's loss through the relaxed samples, which is biased for
    straight-through samples, and g_score its score-function estimate on the same samples, which has more variance.
    g_score is unbiased for a discriminator that does not depend on the samples. Here the discriminator has just been
    updated on the samples; no bias was found within 2 standard errors.

    Hyperparameters of type `Scalar` are numbers, traced numbers or schedules; the others are static.

    Args:
      model: the model.
      discriminator: the discriminator. A discriminator of packs judges packs of sequences, and its penalties are
        computed at packs.
      generator_optimizer: the generator's optimizer.
      discriminator_optimizer: the discriminator's optimizer.
      objective: the pair of losses, such as `losses.log_odds`.
      estimator: draws the samples that carry a gradient, such as `relaxation.straight_through`.
      temperature: temperature > 0 of the emitted symbols.
      feedback: how samples are fed back.
      score_weight: w_score in [0, 1]. Unless it is the number 0, the estimator must draw one-hot samples, and a step
        must generate at least 2 sequences.
      penalty: the weights of the gradient penalties, and the share of the sequences at which they are computed.
      instance_noise: strength in [0, 1] of the noise that is added to all inputs of the discriminator; None adds none.
      num_generated: number of generated sequences in a step, per data shard; None: as many as real ones. Must be None
        with a condition.
      discriminator_updates: number of discriminator updates in a step, each on its own batch.
      ema_decay: decay of the moving average of the generator's parameters, in [0, 1). After t updates the decay is at
        most (1 + t) / (10 + t).
      discriminator_ema_decay: decay, in [0, 1), of a moving average of the discriminator's parameters, against which
        the generator is trained; None: the generator is trained against the newest parameters.
      shard_axis: name of the mapped axis of data shards, over which gradients are averaged; None if there is none. The
        pairs of a relativistic objective and the baselines of g_score are formed within a shard.

    Returns:
      An `Algorithm`. Its metrics are `generator_loss`, `generator_gradient_norm`, `temperature`, `discriminator_loss`,
      `real_logit` and `generated_logit` (means), and, for the penalties that have a weight, `real_penalty`,
      `generated_penalty` and `interpolated_penalty` (R1, R2 and G).

    Raises:
      TypeError: an argument has the wrong type.
      ValueError: an argument is out of range, or `score_weight` needs one-hot samples that `estimator` does not draw.

    References:
      Kusner & Hernández-Lobato 2016, Algorithm 1, https://arxiv.org/abs/1611.04051; Williams 1992, for g_score,
      https://doi.org/10.1007/BF00992696.
    """
    _adversarial.check_parts(
        model, discriminator, Discriminator, generator_optimizer, discriminator_optimizer, takes_packs=True
    )
    require_kind(Objective, objective=objective)
    require_kind(Estimator, estimator=estimator)
    require_kind(Feedback, feedback=feedback)
    require_scalar("temperature", temperature, low=0, open_low=True)
    if feedback.temperature is not None:
        require_scalar("feedback.temperature", feedback.temperature, low=0, open_low=True)
    require_scalar("score_weight", score_weight, low=0, high=1)
    if instance_noise is not None:
        require_scalar("instance_noise", instance_noise, low=0, high=1)
    if num_generated is not None:
        require_at_least(1, num_generated=num_generated)
    require_at_least(1, discriminator_updates=discriminator_updates)
    _ema.check_decay(ema_decay)
    if discriminator_ema_decay is not None:
        _ema.check_decay(discriminator_ema_decay, "discriminator_ema_decay")
    uses_score = not is_zero(score_weight)
    if uses_score and not estimator.one_hot:
        raise ValueError(f"score_weight must be 0 for an estimator of samples that are not one-hot, got {score_weight}")
    if uses_score and num_generated == 1:
        raise ValueError("num_generated must be at least 2 where score_weight is not 0, got 1")
    discriminator_loss = _adversarial.penalized_loss(discriminator, objective.discriminator_loss, penalty)

    def init(key: jax.Array) -> AdversarialState:
        state = _adversarial.init(key, model, discriminator, generator_optimizer, discriminator_optimizer)
        if discriminator_ema_decay is None:
            return state
        return state._replace(discriminator_ema_params=_ema.init(state.discriminator_params))

    def seen(key: jax.Array, step: jax.Array, x: jax.Array, batch: Batch) -> Sequences:
        """Returns the discriminator's input for sequences: with instance noise, and in packs if it judges packs."""
        if instance_noise is not None:
            x = add_instance_noise(key, x, at_step(instance_noise, step))
        return _adversarial.packed(Sequences(x, batch.condition), discriminator.pack_size)

    def real_sequences(key: jax.Array, step: jax.Array, batch: Batch) -> Sequences:
        return seen(key, step, one_hot(batch.tokens, model), batch)

    def generate(
        params: Params, latent_key: jax.Array, noise_key: jax.Array, step: jax.Array, batch: Batch
    ) -> tuple[jax.Array, jax.Array]:
        """Returns `[N, T, K]` samples, and their `[N]` log-probabilities if the score function is used, else zeros."""
        num = len(batch.tokens) if num_generated is None else num_generated
        given = inputs(model, latent_key, num, batch.condition, training=True)
        emitted_NTK = relaxed_sample(
            noise_key,
            model,
            params,
            num,
            given,
            estimator=estimator,
            temperature=at_step(temperature, step),
            feedback_temperature=None if feedback.temperature is None else at_step(feedback.temperature, step),
            feedback_gradient=feedback.gradient,
        )
        if not uses_score:
            return emitted_NTK, jnp.zeros((num,), jnp.float32)
        # A second, teacher-forced pass, so that the likelihood has no gradient through the symbols that were fed back.
        tokens_NT = jnp.argmax(emitted_NTK, axis=-1).astype(jnp.int32)
        return emitted_NTK, jnp.sum(token_log_probs(model, params, tokens_NT, again(given)), axis=1)

    def update_discriminator(
        key: jax.Array, state: AdversarialState, real: Sequences, generated: Sequences
    ) -> tuple[AdversarialState, Metrics]:
        return _adversarial.update_discriminator(
            state,
            real,
            generated,
            key,
            loss=discriminator_loss,
            optimizer=discriminator_optimizer,
            shard_axis=shard_axis,
        )

    def first_update(key: jax.Array, state: AdversarialState, batch: Batch) -> AdversarialState:
        roll_out_key, real_key, generated_key, dropout_key = jax.random.split(key, 4)
        latent_key, noise_key = jax.random.split(roll_out_key)
        generated_NTK, _ = generate(state.generator_params, latent_key, noise_key, state.step, batch)
        generated = seen(generated_key, state.step, generated_NTK, batch)
        return update_discriminator(dropout_key, state, real_sequences(real_key, state.step, batch), generated)[0]

    def step(key: jax.Array, state: AdversarialState, batch: Batch) -> tuple[AdversarialState, Metrics]:
        batch = check_batch(batch, model, num_updates=discriminator_updates)
        if batch.condition is not None and num_generated is not None:
            raise ValueError(f"num_generated must be None where there is a condition, got {num_generated}")
        updates_key, update_key, loss_key = (jax.random.fold_in(key, number) for number in (3, 4, 5))
        roll_out_key, real_key, generated_key = jax.random.split(key, 3)
        latent_key, noise_key = jax.random.split(roll_out_key)
        state, batch = _adversarial.first_updates(updates_key, state, batch, discriminator_updates, first_update)

        # Below, N is the number of generated sequences, or of packs if the discriminator judges packs.
        def generate_seen(params: Params) -> tuple[jax.Array, jax.Array]:
            emitted, log_probs = generate(params, latent_key, noise_key, state.step, batch)
            x_NTK = seen(generated_key, state.step, emitted, batch).x
            return x_NTK, jnp.sum(log_probs.reshape(len(x_NTK), -1), axis=1)

        real = real_sequences(real_key, state.step, batch)
        (generated_NTK, log_prob_N), pull_back = jax.vjp(generate_seen, state.generator_params)
        state, metrics = update_discriminator(update_key, state, real, Sequences(generated_NTK, batch.condition))
        params = state.discriminator_params
        if discriminator_ema_decay is not None:
            params = _ema.update(params, state.discriminator_ema_params, discriminator_ema_decay, state.step)
            state = state._replace(discriminator_ema_params=params)

        def generator_losses(generated_NTK: jax.Array) -> jax.Array:
            # Two separate calls, so that the real logits cost nothing if the objective ignores them.
            generated = Sequences(generated_NTK, batch.condition)
            first_key, second_key = jax.random.split(loss_key)
            real_B = _adversarial.discriminator_logits(discriminator, params, real, first_key)
            generated_N = _adversarial.discriminator_logits(discriminator, params, generated, second_key)
            return loss_of_each(objective, real_B, generated_N)

        num = len(generated_NTK)
        weight = jnp.asarray(at_step(score_weight, state.step), jnp.float32)
        losses_N, pull_back_losses = jax.vjp(generator_losses, generated_NTK)
        (gradient_NTK,) = pull_back_losses(jnp.full((num,), (1.0 - weight) / num, jnp.float32))
        score_N = weight / num * leave_one_out(losses_N) if uses_score else jnp.zeros_like(log_prob_N)
        gradient = mean_over(shard_axis, pull_back((gradient_NTK, score_N))[0])

        metrics |= {
            "generator_loss": jnp.mean(losses_N),
            "generator_gradient_norm": optax.tree.norm(gradient),
            "temperature": jnp.asarray(at_step(temperature, state.step), jnp.float32),
        }
        state = _adversarial.update_generator(state, gradient, optimizer=generator_optimizer, ema_decay=ema_decay)
        return state, metrics

    return _adversarial.algorithm(init, step, model, discriminator, discriminator_updates)
