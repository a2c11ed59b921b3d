"""The Gumbel-softmax GAN for discrete sequences (Kusner & Hernández-Lobato 2016)."""

from functools import partial

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from gumbel_gan import unroll
from gumbel_gan.algorithms import adversary, averaging, likelihood
from gumbel_gan.algorithms.adversary import AdversarialState
from gumbel_gan.algorithms.interface import Algorithm, Metrics
from gumbel_gan.relaxation.estimators import Estimator
from gumbel_gan.relaxation.instance_noise import mix_in_symbols
from gumbel_gan.networks import Carry, Discriminator, Generator, Params
from gumbel_gan.losses.objectives import Objective
from gumbel_gan.sharding import mean_over
from gumbel_gan.losses.score_function import leave_one_out


def relaxed_gan(
    generator: Generator,
    discriminator: Discriminator,
    *,
    length: int,
    generator_optimizer: optax.GradientTransformation,
    discriminator_optimizer: optax.GradientTransformation,
    objective: Objective,
    estimator: Estimator,
    temperature: optax.Schedule,
    feedback_temperature: optax.Schedule | None = None,
    feedback_gradient: bool = True,
    score_weight: float = 0.0,
    num_generated: int | None = None,
    instance_noise: optax.Schedule | None = None,
    real_penalty: optax.Schedule | None = None,
    generated_penalty: optax.Schedule | None = None,
    penalised_fraction: float = 1.0,
    average_decay: ArrayLike = 0.0,
    num_latent_draws: int = 256,
    shard_axis: str | None = None,
) -> Algorithm:
    """Makes the adversarial training method of the paper, with what it needs to converge.

    A step is the paper's Algorithm 1: draw data and noise, update the discriminator, then the generator against the
    updated discriminator. The generator is sampled once a step; its backward pass waits for the updated discriminator.
    The discriminator minimises

        L_D(d(x), d(y)) + w_real R1(x) + w_generated R2(y),

    with L_D of the objective, R1 and R2 the zero-centred gradient penalties, and x real and y generated sequences, both
    seen through the same instance noise. The generator descends along

        (1 - w_score) g_relaxed + w_score g_score,

    with g_relaxed the gradient of the objective's loss through the relaxed samples, which is biased where they are
    straight-through, and g_score its score-function estimate on the same samples, which is noisier and has no bias.

    Args:
      generator: the generator.
      discriminator: the discriminator.
      length: T, number of symbols of a sequence, padding included.
      generator_optimizer: the generator's optimiser.
      discriminator_optimizer: the discriminator's optimiser.
      objective: the pair of losses.
      estimator: makes the samples that carry a gradient.
      temperature: schedule of the temperature of what is emitted.
      feedback_temperature: schedule of the temperature of what is fed back; None is that of what is emitted.
      feedback_gradient: whether gradients flow through what is fed back.
      score_weight: w_score in [0, 1]; other than 0 only for an `estimator` of one-hot samples, at least 2 a step.
      num_generated: generated sequences a step, of a shard where there are shards; None is the size of the batch.
      instance_noise: schedule of the strength of the noise through which the discriminator sees all sequences; None
        adds none.
      real_penalty: schedule of the weight w_real of R1; None computes none.
      generated_penalty: schedule of the weight w_generated of R2; None computes none.
      penalised_fraction: share of the sequences of a step, in (0, 1], at which R1 and R2 are measured. Less than 1 is
        cheaper, and an unbiased estimate, since the sequences of a batch are drawn independently.
      average_decay: decay of the moving average of the generator's weights, in [0, 1).
      num_latent_draws: draws of the latent in `log_prob`, where the generator has one.
      shard_axis: name of the mapped axis of shards, over which gradients are averaged; None where there is none. The
        pairs of a relativistic objective and the baselines of g_score are then those within a shard.

    Returns:
      An `Algorithm`.

    Raises:
      ValueError: `num_generated`, `average_decay`, `num_latent_draws`, `penalised_fraction` or `score_weight` is out
        of its range, or the latter asks for one-hot samples that `estimator` does not give.

    References:
      Kusner & Hernández-Lobato 2016, Algorithm 1, https://arxiv.org/abs/1611.04051; Williams 1992, for g_score,
      https://doi.org/10.1007/BF00992696.
    """
    if num_generated is not None and num_generated < 1:
        raise ValueError(f"num_generated must be at least 1, got {num_generated}")
    averaging.check_decay(average_decay)
    observers = likelihood.of_average(generator, length, num_latent_draws)
    _check_score_weight(score_weight, estimator)
    discriminator_loss = adversary.penalised_loss(
        discriminator,
        objective.discriminator_loss,
        real_penalty=real_penalty,
        generated_penalty=generated_penalty,
        penalised_fraction=penalised_fraction,
    )
    if score_weight and num_generated == 1:
        raise ValueError("num_generated must be at least 2 where score_weight is not 0, got 1")

    def init(key: jax.Array) -> AdversarialState:
        return adversary.init(key, generator, discriminator, generator_optimizer, discriminator_optimizer)

    def roll_out(key: jax.Array, step: jax.Array, carry: Carry, params: Params) -> jax.Array:
        num = len(jax.tree.leaves(carry)[0])
        return unroll.relaxed(
            key,
            partial(generator.step, params),
            carry,
            unroll.start_symbols(num, generator.num_symbols),
            length,
            estimator=estimator,
            temperature=temperature(step),
            feedback_temperature=None if feedback_temperature is None else feedback_temperature(step),
            feedback_gradient=feedback_gradient,
        ).emitted

    def blur(key: jax.Array, step: jax.Array, x: jax.Array) -> jax.Array:
        return x if instance_noise is None else mix_in_symbols(key, x, instance_noise(step))

    def generator_losses(generated_NTK: jax.Array, params: Params, real_BTK: jax.Array) -> jax.Array:
        # Apart, so that an objective that ignores the real logits costs nothing for them.
        real_B, generated_N = discriminator.logits(params, real_BTK), discriminator.logits(params, generated_NTK)
        return jax.vmap(lambda logit: objective.generator_loss(real_B, logit[None]))(generated_N)

    def step(key: jax.Array, state: AdversarialState, batch: jax.Array) -> tuple[AdversarialState, Metrics]:
        real_BTK = jax.nn.one_hot(batch, generator.num_symbols)
        num = len(batch) if num_generated is None else num_generated
        roll_out_key, real_key, generated_key = jax.random.split(key, 3)
        latent_key, noise_key = jax.random.split(roll_out_key)
        carry = generator.initial_carry(latent_key, num)

        def generate(params: Params) -> tuple[jax.Array, jax.Array]:
            emitted_NTK = roll_out(noise_key, state.step, carry, params)
            log_prob_N = jnp.zeros(num)
            if score_weight:
                # Rolled out once more, on fixed symbols: a likelihood has no gradient through what was fed back.
                tokens_NT = jnp.argmax(emitted_NTK, axis=-1)
                log_prob_N = likelihood.conditional_log_prob(generator, params, carry, tokens_NT)
            return blur(generated_key, state.step, emitted_NTK), log_prob_N

        real_BTK = blur(real_key, state.step, real_BTK)
        (generated_NTK, log_prob_N), pull_back = jax.vjp(generate, state.generator)

        state, metrics = adversary.update_discriminator(
            state,
            real_BTK,
            generated_NTK,
            loss=discriminator_loss,
            optimizer=discriminator_optimizer,
            shard_axis=shard_axis,
        )

        losses_N, pull_back_losses = jax.vjp(
            partial(generator_losses, params=state.discriminator, real_BTK=real_BTK), generated_NTK
        )
        (gradient_NTK,) = pull_back_losses(jnp.full(num, (1.0 - score_weight) / num))
        score_N = score_weight / num * leave_one_out(losses_N) if score_weight else jnp.zeros_like(log_prob_N)
        gradient = mean_over(shard_axis, pull_back((gradient_NTK, score_N))[0])

        metrics |= {
            "generator_loss": jnp.mean(losses_N),
            "generator_gradient_norm": optax.tree.norm(gradient),
            "temperature": jnp.asarray(temperature(state.step)),
        }
        state = adversary.update_generator(state, gradient, optimizer=generator_optimizer, average_decay=average_decay)
        return state, metrics

    return Algorithm(init, step, *observers)


def _check_score_weight(score_weight: float, estimator: Estimator) -> None:
    if not 0 <= score_weight <= 1:
        raise ValueError(f"score_weight must be in [0, 1], got {score_weight}")
    if score_weight:
        with jax.ensure_compile_time_eval():
            sample = estimator(jax.random.key(0), jnp.zeros(2), jnp.array([0.0, 1.0]), 1.0).tolist()
        if sample != [0.0, 1.0]:
            raise ValueError(
                f"score_weight must be 0 for an estimator of samples that are not one-hot, got {score_weight}"
            )
