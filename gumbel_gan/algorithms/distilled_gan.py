"""TextKD-GAN: a GAN whose real sequences are the softmax outputs of an autoencoder (Haidar & Rezagholizadeh 2019)."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from gumbel_gan.algorithms import _adversarial, _ema
from gumbel_gan.algorithms._adversarial import AdversarialState, Sequences
from gumbel_gan.algorithms._batch import check_batch, one_hot
from gumbel_gan.algorithms._latents import require_array_latent
from gumbel_gan.algorithms.interface import Algorithm, Metrics
from gumbel_gan.arguments import Scalar, at_step, require_at_least, require_kind, require_one_of, require_scalar
from gumbel_gan.data import Batch
from gumbel_gan.losses.objectives import Objective, wasserstein
from gumbel_gan.losses.penalties import GradientPenalty
from gumbel_gan.model import (
    SequenceModel,
    independent_logits,
    inputs,
    relaxed_sample,
    sequence_model,
    teacher_forced_logits,
)
from gumbel_gan.networks import Discriminator, Encoder, Generator, Params
from gumbel_gan.relaxation.estimators import Estimator
from gumbel_gan.sharding import mean_over

PyTree = Any

RECONSTRUCTIONS = ("squared_error", "cross_entropy")


class DistilledState(NamedTuple):
    """State of a distilled GAN; arrays only.

    Attributes:
      adversarial: state of the generator, the discriminator and their optimizers.
      encoder_params: parameters of the encoder.
      decoder_params: parameters of the decoder.
      autoencoder_opt_state: state of the optimizer of encoder and decoder.
    """

    adversarial: AdversarialState
    encoder_params: Params
    decoder_params: Params
    autoencoder_opt_state: optax.OptState

    @property
    def step(self) -> jax.Array:
        """The number of updates of the generator, an int32 scalar."""
        return self.adversarial.step


def distilled_gan(
    model: SequenceModel,
    discriminator: Discriminator,
    encoder: Encoder,
    decoder: Generator,
    *,
    generator_optimizer: optax.GradientTransformation,
    discriminator_optimizer: optax.GradientTransformation,
    autoencoder_optimizer: optax.GradientTransformation,
    objective: Objective = wasserstein,
    penalty: GradientPenalty = GradientPenalty(interpolated_weight=10.0),
    reconstruction: str = "squared_error",
    estimator: Estimator | None = None,
    temperature: Scalar = 1.0,
    discriminator_updates: int = 5,
    ema_decay: Scalar = 0.0,
    shard_axis: str | None = None,
) -> Algorithm:
    """Builds a GAN whose discriminator compares softmax outputs of the generator with those of an autoencoder.

    A discriminator can tell one-hot real sequences from soft generated ones by their sharpness alone. Here an
    autoencoder, trained at the same time, maps a real sequence x to

        r(x) = softmax(decoder(c)),    c = the mean of encoder(x),

    and the discriminator learns to tell r(x) from the generator's outputs y. A step updates, in this order,

    1. the autoencoder, on the reconstruction loss alone: sum_t ||x_t - r(x)_t||^2, or -sum_t log r(x)_t[x_t];
    2. the discriminator, `discriminator_updates` times, with r(x) as real sequences, as in `relaxed_gan`;
    3. the generator, on the objective's loss of y.

    The generator's outputs are the softmax of its logits, with no noise except that of its latent. With an estimator
    they are its relaxed samples, which an autoregressive generator also gets as feedback. Sequences are sampled from
    the generator as usual, each symbol from the softmax, so the samples are only as sharp as the softmax has become.

    Hyperparameters of type `Scalar` are numbers, traced numbers or schedules; the others are static.

    Args:
      model: the model. Without an estimator, its generator has `independent_logits`.
      discriminator: the discriminator, or critic.
      encoder: computes codes of Z numbers.
      decoder: a generator of the same symbols with a latent `[B, Z]` of any distribution, which is replaced by the
        code. An autoregressive decoder also reads the symbols of x before t.
      generator_optimizer: the generator's optimizer.
      discriminator_optimizer: the discriminator's optimizer.
      autoencoder_optimizer: the optimizer of encoder and decoder, as one tree.
      objective: losses of the discriminator and of the generator.
      penalty: the gradient penalties of the discriminator, at r(x), at y, and between the two.
      reconstruction: the autoencoder's loss, 'squared_error' (the paper's) or 'cross_entropy'.
      estimator: estimator of relaxed samples; None: the softmax itself.
      temperature: temperature > 0 of the relaxed samples; unused without an estimator.
      discriminator_updates: number of discriminator updates in a step, at least 1, each on its own batch. The
        autoencoder is trained on the last of these batches.
      ema_decay: decay of the moving average of the generator's parameters, in [0, 1). After t updates the decay is at
        most (1 + t) / (10 + t).
      shard_axis: name of the mapped axis that gradients are averaged over; None if there is none.

    Returns:
      An `Algorithm`. Its metrics are those of `relaxed_gan` except `temperature`; `reconstruction_loss`, summed over a
      sequence; and `reconstruction_entropy` and `generated_entropy`, the mean entropy per position of r(x) and of y in
      nats, which is 0 for one-hot outputs. Its `discriminator_logits` are those of r(tokens).

    Raises:
      TypeError: an argument has the wrong type.
      ValueError: an argument is out of range; `decoder` has another number of symbols, or no latent of shape `[B, Z]`;
        or `estimator` is None for an autoregressive generator.

    References:
      Haidar & Rezagholizadeh 2019, section 3, https://arxiv.org/abs/1905.01976; Gulrajani et al. 2017, for the critic,
      https://arxiv.org/abs/1704.00028.
    """
    _adversarial.check_parts(model, discriminator, Discriminator, generator_optimizer, discriminator_optimizer)
    require_kind(Encoder, encoder=encoder)
    require_kind(Generator, decoder=decoder)
    require_kind(optax.GradientTransformation, autoencoder_optimizer=autoencoder_optimizer)
    require_kind(Objective, objective=objective)
    require_one_of(RECONSTRUCTIONS, reconstruction=reconstruction)
    require_scalar("temperature", temperature, low=0, open_low=True)
    require_at_least(1, discriminator_updates=discriminator_updates)
    _ema.check_decay(ema_decay)
    if estimator is not None:
        require_kind(Estimator, estimator=estimator)
    elif model.generator.independent_logits is None:
        raise ValueError("estimator must be given for a generator without independent_logits, got None")
    if decoder.num_symbols != model.generator.num_symbols:
        raise ValueError(f"decoder must have {model.generator.num_symbols} symbols, got {decoder.num_symbols}")
    require_array_latent(decoder=decoder)
    # After padding, r(x) is as soft as y: relaxed samples are one-hot there, the softmax of independent symbols is not.
    decoder_model = sequence_model(
        decoder,
        length=model.length,
        padding=model.padding,
        padding_ends=model.padding_ends and estimator is not None,
        allow_empty=model.allow_empty,
    )
    discriminator_loss = _adversarial.penalized_loss(discriminator, objective.discriminator_loss, penalty)

    def init(key: jax.Array) -> DistilledState:
        encoder_key, decoder_key = (jax.random.fold_in(key, number) for number in (2, 3))
        adversarial = _adversarial.init(key, model, discriminator, generator_optimizer, discriminator_optimizer)
        both = (encoder.init(encoder_key), decoder.init(decoder_key))
        return DistilledState(adversarial, *both, autoencoder_optimizer.init(both))

    def reconstruct(
        both: tuple[Params, Params], tokens: jax.Array, condition: PyTree, key: jax.Array | None
    ) -> jax.Array:
        """Computes the `[B, T, K]` logits of r(x); dropout is on with a key, which is consumed."""
        encoder_params, decoder_params = both
        num = tokens.shape[0]
        given: dict[str, Any] = {} if condition is None else {"condition": condition}
        encoder_key, decoder_key = (None, None) if key is None else jax.random.split(key)
        if key is not None and encoder.uses_dropout:
            given["dropout_key"] = encoder_key
        code_BZ, _ = encoder.moments(encoder_params, one_hot(tokens, model), **given)
        given = inputs(decoder_model, decoder_key, num, condition, training=True) | {"latent": code_BZ}
        return teacher_forced_logits(decoder_model, decoder_params, tokens, given)

    def reconstruction_loss(both: tuple[Params, Params], batch: Batch, key: jax.Array) -> tuple[jax.Array, Metrics]:
        logits_BTK, real_BTK = reconstruct(both, batch.tokens, batch.condition, key), one_hot(batch.tokens, model)
        log_probs_BTK = jax.nn.log_softmax(logits_BTK)
        if reconstruction == "cross_entropy":
            losses_BTK = -real_BTK * log_probs_BTK
        else:
            losses_BTK = jnp.square(real_BTK - jnp.exp(log_probs_BTK))
        loss = jnp.mean(jnp.sum(losses_BTK, axis=(1, 2)))
        return loss, {"reconstruction_loss": loss}

    def update_autoencoder(key: jax.Array, state: DistilledState, batch: Batch) -> tuple[DistilledState, Metrics]:
        both = (state.encoder_params, state.decoder_params)
        gradient, metrics = jax.grad(reconstruction_loss, has_aux=True)(both, batch, key)
        updates, opt_state = autoencoder_optimizer.update(
            mean_over(shard_axis, gradient), state.autoencoder_opt_state, both
        )
        encoder_params, decoder_params = optax.apply_updates(both, updates)
        return state._replace(
            encoder_params=encoder_params, decoder_params=decoder_params, autoencoder_opt_state=opt_state
        ), metrics

    def generate(key: jax.Array, params: Params, step: jax.Array, batch: Batch) -> jax.Array:
        """Returns the generator's `[B, T, K]` outputs."""
        num = len(batch.tokens)
        latent_key, noise_key = jax.random.split(key)
        given = inputs(model, latent_key, num, batch.condition, training=True)
        if estimator is None:
            return jax.nn.softmax(independent_logits(model, params, num, model.length, given))
        tau = at_step(temperature, step)
        return relaxed_sample(noise_key, model, params, num, given, estimator=estimator, temperature=tau)

    def step(key: jax.Array, state: DistilledState, batch: Batch) -> tuple[DistilledState, Metrics]:
        batch = check_batch(batch, model, num_updates=discriminator_updates)
        updates_key, generate_key, update_key, loss_key, autoencoder_key = (
            jax.random.fold_in(key, number) for number in range(5)
        )
        num = len(batch.tokens) // discriminator_updates
        last = jax.tree.map(lambda leaf: leaf[-num:], batch)
        state, metrics = update_autoencoder(autoencoder_key, state, last)

        def soft_data(batch: Batch) -> Sequences:
            both = (state.encoder_params, state.decoder_params)
            logits_BTK = reconstruct(both, batch.tokens, batch.condition, None)
            return Sequences(jax.nn.softmax(logits_BTK), batch.condition)

        def update_discriminator(
            key: jax.Array, adversarial: AdversarialState, batch: Batch, generated_BTK: jax.Array
        ) -> tuple[AdversarialState, Metrics, Sequences]:
            real = soft_data(batch)
            adversarial, metrics = _adversarial.update_discriminator(
                adversarial,
                real,
                Sequences(generated_BTK, batch.condition),
                key,
                loss=discriminator_loss,
                optimizer=discriminator_optimizer,
                shard_axis=shard_axis,
            )
            return adversarial, metrics, real

        def first_update(key: jax.Array, adversarial: AdversarialState, batch: Batch) -> AdversarialState:
            generate_key, update_key = jax.random.split(key)
            generated_BTK = generate(generate_key, adversarial.generator_params, adversarial.step, batch)
            return update_discriminator(update_key, adversarial, batch, generated_BTK)[0]

        adversarial, _ = _adversarial.first_updates(
            updates_key, state.adversarial, batch, discriminator_updates, first_update
        )
        generated_BTK, pull_back = jax.vjp(
            lambda params: generate(generate_key, params, state.step, last), adversarial.generator_params
        )
        adversarial, of_update, real = update_discriminator(update_key, adversarial, last, generated_BTK)

        def generator_loss(generated_BTK: jax.Array) -> jax.Array:
            params = adversarial.discriminator_params
            real_key, generated_key = jax.random.split(loss_key)
            real_B = _adversarial.discriminator_logits(discriminator, params, real, real_key)
            generated = Sequences(generated_BTK, last.condition)
            generated_B = _adversarial.discriminator_logits(discriminator, params, generated, generated_key)
            return objective.generator_loss(real_B, generated_B)

        loss, gradient_BTK = jax.value_and_grad(generator_loss)(generated_BTK)
        gradient = mean_over(shard_axis, pull_back(gradient_BTK)[0])
        metrics |= of_update | {
            "generator_loss": loss,
            "generator_gradient_norm": optax.tree.norm(gradient),
            "reconstruction_entropy": _mean_entropy(real.x),
            "generated_entropy": _mean_entropy(generated_BTK),
        }
        adversarial = _adversarial.update_generator(
            adversarial, gradient, optimizer=generator_optimizer, ema_decay=ema_decay
        )
        return state._replace(adversarial=adversarial), metrics

    def params(state: DistilledState, *, averaged: bool = True) -> Params:
        return _adversarial.params(state.adversarial, averaged=averaged)

    def discriminator_logits(state: DistilledState, tokens: jax.Array, *, condition: PyTree = None) -> jax.Array:
        both = (state.encoder_params, state.decoder_params)
        soft = Sequences(jax.nn.softmax(reconstruct(both, tokens, condition, None)), condition)
        return _adversarial.discriminator_logits(discriminator, state.adversarial.discriminator_params, soft)

    return Algorithm(init, step, params, model, discriminator_updates, discriminator_logits)


def _mean_entropy(probs: jax.Array) -> jax.Array:
    """Computes the mean entropy in nats of `[..., K]` distributions."""
    return jnp.mean(jnp.sum(jax.scipy.special.entr(probs), axis=-1))
