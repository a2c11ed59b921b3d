"""Maximum likelihood of a long text by truncated backpropagation through time."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from gumbel_gan import carried
from gumbel_gan.algorithms import _ema, _rows
from gumbel_gan.algorithms._batch import check_batch
from gumbel_gan.algorithms.interface import Algorithm, Metrics
from gumbel_gan.arguments import Scalar, at_step, require_kind
from gumbel_gan.carried import Position
from gumbel_gan.data import Batch
from gumbel_gan.model import SequenceModel, inputs
from gumbel_gan.networks import Params
from gumbel_gan.sharding import mean_over


class TruncatedLikelihoodState(NamedTuple):
    """State of `truncated_likelihood`; arrays only.

    Attributes:
      step: int32 scalar, number of updates made.
      generator_params: parameters of the generator.
      ema_params: exponential moving average of `generator_params`.
      opt_state: state of the optimizer.
      position: position of the generator in the text of each of the B rows, over all shards.
    """

    step: jax.Array
    generator_params: Params
    ema_params: Params
    opt_state: optax.OptState
    position: Position


def truncated_likelihood(
    model: SequenceModel,
    *,
    batch_size: int,
    optimizer: optax.GradientTransformation,
    restart_rate: Scalar = 0.05,
    ema_decay: Scalar = 0.0,
    shard_axis: str | None = None,
) -> Algorithm:
    """Builds maximum likelihood training on windows of a long text, with the state carried from one to the next.

    The loss is -mean log p(window | the text before it). The gradient flows back to the beginning of the window, but
    not into its initial state. Row b of a batch must continue row b of the batch before (`reads_in_order`).

    The generator's carry must be valid for any number of steps, as it is in recurrent generators. The cache of a
    transformer is not valid beyond its fixed length. Dropout masks are drawn anew for each window.

    Args:
      model: the model, of windows without padding.
      batch_size: B, batch size over all shards, at least 1.
      optimizer: the optimizer.
      restart_rate: probability in [0, 1] that a row restarts at a window, with the initial state and the start symbol,
        so that the generator also learns to begin a text, as in sampling. At 1 this is maximum likelihood of single
        windows. A number, a traced number or a schedule.
      ema_decay: decay of the moving average of the parameters, in [0, 1). A number, a traced number or a schedule.
        After t updates the decay is at most (1 + t) / (10 + t).
      shard_axis: name of the mapped axis that gradients are averaged over; None if there is none.

    Returns:
      An `Algorithm` with the metrics `generator_loss`, in nats per window, and `generator_gradient_norm`. Its step
      raises ValueError if the batch does not hold `batch_size` sequences, or has a condition or weights.

    Raises:
      TypeError: an argument has the wrong type.
      ValueError: `batch_size`, `restart_rate` or `ema_decay` is out of range, or the generator's state cannot be
        carried on, see `carried.require_carried`.

    References:
      Mikolov et al. 2010, https://www.isca-archive.org/interspeech_2010/mikolov10_interspeech.html, for carried states;
      Williams & Peng 1990, https://doi.org/10.1162/neco.1990.2.4.490, for truncation.
    """
    _rows.check_arguments(model, batch_size, restart_rate)
    require_kind(optax.GradientTransformation, optimizer=optimizer)
    _ema.check_decay(ema_decay)

    def init(key: jax.Array) -> TruncatedLikelihoodState:
        params = model.init(key)
        position = carried.beginning(model, params, batch_size)
        return TruncatedLikelihoodState(
            jnp.zeros((), jnp.int32), params, _ema.init(params), optimizer.init(params), position
        )

    def step(key: jax.Array, state: TruncatedLikelihoodState, batch: Batch) -> tuple[TruncatedLikelihoodState, Metrics]:
        batch = check_batch(batch, model)
        _rows.check_windows(batch, state.position, shard_axis)
        num = len(batch.tokens)
        restart_key, dropout_key = jax.random.split(key)
        rate = at_step(restart_rate, state.step)
        start = _rows.start(restart_key, state.position, num, restart_rate=rate, shard_axis=shard_axis)
        given = inputs(model, dropout_key, num, training=True)

        def negative_log_likelihood(params: Params) -> tuple[jax.Array, Position]:
            begun = _rows.begun(model, params, start, given)
            after, log_probs_BT = carried.read(model, params, begun, batch.tokens)
            return -jnp.mean(jnp.sum(log_probs_BT, axis=1)), _rows.without_dropout(after, start)

        gradient_of = jax.value_and_grad(negative_log_likelihood, has_aux=True)
        (loss, after), gradient = gradient_of(state.generator_params)
        gradient = mean_over(shard_axis, gradient)
        updates, opt_state = optimizer.update(gradient, state.opt_state, state.generator_params)
        params = optax.apply_updates(state.generator_params, updates)
        metrics = {"generator_loss": loss, "generator_gradient_norm": optax.tree.norm(gradient)}
        ema_params = _ema.update(params, state.ema_params, ema_decay, state.step)
        position = _rows.of_all(after, shard_axis)
        return TruncatedLikelihoodState(state.step + 1, params, ema_params, opt_state, position), metrics

    def params(state: TruncatedLikelihoodState, *, averaged: bool = True) -> Params:
        return state.ema_params if averaged else state.generator_params

    return Algorithm(init, step, params, model, reads_in_order=True)
