"""Maximum likelihood by teacher forcing, the baseline of all adversarial methods."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from gumbel_gan import unroll
from gumbel_gan.algorithms import _ema
from gumbel_gan.algorithms._batch import check_batch
from gumbel_gan.algorithms.interface import Algorithm, Metrics
from gumbel_gan.arguments import Scalar, at_step, require_kind, require_scalar
from gumbel_gan.data import Batch
from gumbel_gan.model import SequenceModel, inputs, teacher_forced_logits, token_step
from gumbel_gan.networks import Params
from gumbel_gan.sharding import mean_over


class MaximumLikelihoodState(NamedTuple):
    """State of maximum likelihood; arrays only.

    Attributes:
      step: int32 scalar, number of updates made.
      generator_params: parameters of the generator.
      ema_params: exponential moving average of `generator_params`.
      opt_state: state of the optimizer.
    """

    step: jax.Array
    generator_params: Params
    ema_params: Params
    opt_state: optax.OptState


def maximum_likelihood(
    model: SequenceModel,
    *,
    optimizer: optax.GradientTransformation,
    sampling_rate: Scalar | None = None,
    ema_decay: Scalar = 0.0,
    shard_axis: str | None = None,
) -> Algorithm:
    """Builds maximum likelihood training, which minimizes -mean log p(x | condition) over whole sequences.

    Padding is part of a sequence. With weights in the batch, the loss is the mean of -w log p(x). If the generator has
    a latent, the loss is -mean log p(x | z), with one z drawn for each sequence.

    Args:
      model: the model.
      optimizer: the optimizer.
      sampling_rate: probability in [0, 1] that a symbol that is fed back in training is drawn from the generator
        (scheduled sampling); None: teacher forcing. With scheduled sampling the loss is not a likelihood, and its
        minimum is not the distribution of the data. A number, a traced number or a schedule.
      ema_decay: decay of the moving average of the parameters, in [0, 1). A number, a traced number or a schedule.
        After t updates the decay is at most (1 + t) / (10 + t).
      shard_axis: name of the mapped axis that gradients are averaged over; None if there is none.

    Returns:
      An `Algorithm` with the metrics `generator_loss`, in nats per sequence, and `generator_gradient_norm`.

    Raises:
      TypeError: an argument has the wrong type.
      ValueError: `sampling_rate` or `ema_decay` is out of range.

    References:
      Bengio et al. 2015, for scheduled sampling, https://arxiv.org/abs/1506.03099.
    """
    require_kind(SequenceModel, model=model)
    require_kind(optax.GradientTransformation, optimizer=optimizer)
    _ema.check_decay(ema_decay)
    if sampling_rate is not None:
        require_scalar("sampling_rate", sampling_rate, low=0, high=1)

    def init(key: jax.Array) -> MaximumLikelihoodState:
        params = model.init(key)
        return MaximumLikelihoodState(jnp.zeros((), jnp.int32), params, _ema.init(params), optimizer.init(params))

    def logits(params: Params, key: jax.Array, step: jax.Array, batch: Batch) -> jax.Array:
        num, length = batch.tokens.shape
        if sampling_rate is None:
            given = inputs(model, key, num, batch.condition, training=True)
            return teacher_forced_logits(model, params, batch.tokens, given)
        latent_key, sampling_key = jax.random.split(key)
        given = inputs(model, latent_key, num, batch.condition, training=True)
        return unroll.scheduled(
            sampling_key,
            token_step(model, params),
            model.generator.initial_carry(params, num, length, **given),
            unroll.start_tokens(num, model.generator.num_symbols),
            batch.tokens,
            sampling_rate=at_step(sampling_rate, step),
            padding=model.padding,
        )

    def negative_log_likelihood(params: Params, key: jax.Array, step: jax.Array, batch: Batch) -> jax.Array:
        log_probs_BT = unroll.token_log_probs(logits(params, key, step, batch), batch.tokens)
        log_prob_B = jnp.sum(log_probs_BT, axis=1)
        return -jnp.mean(log_prob_B if batch.weights is None else batch.weights * log_prob_B)

    def step(key: jax.Array, state: MaximumLikelihoodState, batch: Batch) -> tuple[MaximumLikelihoodState, Metrics]:
        batch = check_batch(batch, model, weights=True)
        loss, gradient = jax.value_and_grad(negative_log_likelihood)(state.generator_params, key, state.step, batch)
        gradient = mean_over(shard_axis, gradient)
        updates, opt_state = optimizer.update(gradient, state.opt_state, state.generator_params)
        params = optax.apply_updates(state.generator_params, updates)
        metrics = {"generator_loss": loss, "generator_gradient_norm": optax.tree.norm(gradient)}
        ema_params = _ema.update(params, state.ema_params, ema_decay, state.step)
        return MaximumLikelihoodState(state.step + 1, params, ema_params, opt_state), metrics

    def params(state: MaximumLikelihoodState, *, averaged: bool = True) -> Params:
        return state.ema_params if averaged else state.generator_params

    return Algorithm(init, step, params, model)
