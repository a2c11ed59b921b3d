"""Variational autoencoders: training of a generator with a latent by a bound on the likelihood."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from gumbel_gan.algorithms import _ema
from gumbel_gan.algorithms._batch import check_batch, one_hot
from gumbel_gan.algorithms._latents import require_array_latent
from gumbel_gan.algorithms.interface import Algorithm, Metrics
from gumbel_gan.arguments import Scalar, at_step, require_kind, require_scalar
from gumbel_gan.data import Batch
from gumbel_gan.model import SequenceModel, inputs, token_log_probs
from gumbel_gan.networks import Encoder, Params
from gumbel_gan.sharding import mean_over


class VariationalState(NamedTuple):
    """State of a variational autoencoder; arrays only.

    Attributes:
      step: int32 scalar, number of updates made.
      generator_params: parameters of the generator, which is the decoder.
      ema_params: exponential moving average of `generator_params`.
      encoder_params: parameters of the encoder.
      opt_state: state of the optimizer of both networks.
    """

    step: jax.Array
    generator_params: Params
    ema_params: Params
    encoder_params: Params
    opt_state: optax.OptState


def variational_autoencoder(
    model: SequenceModel,
    encoder: Encoder,
    *,
    optimizer: optax.GradientTransformation,
    kl_weight: Scalar = 1.0,
    ema_decay: Scalar = 0.0,
    shard_axis: str | None = None,
) -> Algorithm:
    """Builds the training of a generator with a latent by the evidence lower bound (ELBO).

    It minimizes, over the parameters of both networks and for whole sequences x including padding,

        -E_{z ~ q(z | x)} [log p(x | z)] + w KL(q(z | x) || N(0, 1)),

    with q the normal distribution whose moments the encoder computes, and one z drawn for each sequence. At w = 1 this
    is an upper bound on the negative log-likelihood, tight if q is the posterior. To sample, the generator draws z from
    N(0, 1).

    Args:
      model: the model, whose generator has a latent `[B, Z]` of independent N(0, 1) numbers.
      encoder: computes the moments of q, a distribution of Z numbers.
      optimizer: the optimizer of both networks, as one tree.
      kl_weight: w >= 0; a number, a traced number or a schedule. A rise from 0 keeps the generator from ignoring the
        latent. A final value below 1 favors reconstruction over the fit of the prior.
      ema_decay: decay of the moving average of the generator's parameters, in [0, 1). A number, a traced number or a
        schedule. After t updates the decay is at most (1 + t) / (10 + t).
      shard_axis: name of the mapped axis that gradients are averaged over; None if there is none.

    Returns:
      An `Algorithm` with the metrics `generator_loss` (the minimized loss), `negative_elbo` (that loss at w = 1),
      `reconstruction_loss` and `latent_kl`, in nats per sequence, and `generator_gradient_norm`.

    Raises:
      TypeError: an argument has the wrong type.
      ValueError: an argument is out of range, or the generator has no latent of shape `[B, Z]`.

    References:
      Kingma & Welling 2014, https://arxiv.org/abs/1312.6114; Bowman et al. 2016, for the weight's schedule,
      https://arxiv.org/abs/1511.06349.
    """
    require_kind(SequenceModel, model=model)
    require_kind(Encoder, encoder=encoder)
    require_kind(optax.GradientTransformation, optimizer=optimizer)
    require_scalar("kl_weight", kl_weight, low=0)
    _ema.check_decay(ema_decay)
    require_array_latent(generator=model.generator)

    def init(key: jax.Array) -> VariationalState:
        generator_key, encoder_key = jax.random.split(key)
        generator_params, encoder_params = model.init(generator_key), encoder.init(encoder_key)
        opt_state = optimizer.init((generator_params, encoder_params))
        ema_params = _ema.init(generator_params)
        return VariationalState(jnp.zeros((), jnp.int32), generator_params, ema_params, encoder_params, opt_state)

    def losses(
        params: tuple[Params, Params], key: jax.Array, step: jax.Array, batch: Batch
    ) -> tuple[jax.Array, Metrics]:
        generator_params, encoder_params = params
        noise_key, dropout_key, inputs_key = jax.random.split(key, 3)
        given = {} if batch.condition is None else {"condition": batch.condition}
        if encoder.uses_dropout:
            given["dropout_key"] = dropout_key
        mean_BZ, log_deviation_BZ = encoder.moments(encoder_params, one_hot(batch.tokens, model), **given)
        latent_BZ = mean_BZ + jnp.exp(log_deviation_BZ) * jax.random.normal(noise_key, mean_BZ.shape, mean_BZ.dtype)
        given = inputs(model, inputs_key, len(batch.tokens), batch.condition, training=True) | {"latent": latent_BZ}
        reconstruction = -jnp.mean(jnp.sum(token_log_probs(model, generator_params, batch.tokens, given), axis=1))
        latent_kl = jnp.mean(jnp.sum(normal_kl(mean_BZ, log_deviation_BZ), axis=1))
        loss = reconstruction + at_step(kl_weight, step) * latent_kl
        return loss, {
            "generator_loss": loss,
            "negative_elbo": reconstruction + latent_kl,
            "reconstruction_loss": reconstruction,
            "latent_kl": latent_kl,
        }

    def step(key: jax.Array, state: VariationalState, batch: Batch) -> tuple[VariationalState, Metrics]:
        batch = check_batch(batch, model)
        both = (state.generator_params, state.encoder_params)
        gradient, metrics = jax.grad(losses, has_aux=True)(both, key, state.step, batch)
        gradient = mean_over(shard_axis, gradient)
        updates, opt_state = optimizer.update(gradient, state.opt_state, both)
        generator_params, encoder_params = optax.apply_updates(both, updates)
        metrics["generator_gradient_norm"] = optax.tree.norm(gradient[0])
        ema_params = _ema.update(generator_params, state.ema_params, ema_decay, state.step)
        return VariationalState(state.step + 1, generator_params, ema_params, encoder_params, opt_state), metrics

    def params(state: VariationalState, *, averaged: bool = True) -> Params:
        return state.ema_params if averaged else state.generator_params

    return Algorithm(init, step, params, model)


def normal_kl(mean: jax.Array, log_deviation: jax.Array) -> jax.Array:
    """Computes KL(N(mean, deviation^2) || N(0, 1)) in nats, elementwise."""
    return 0.5 * (jnp.square(mean) + jnp.exp(2.0 * log_deviation) - 1.0) - log_deviation
