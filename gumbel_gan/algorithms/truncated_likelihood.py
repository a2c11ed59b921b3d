"""Maximum likelihood of a long text by truncated backpropagation through time."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from gumbel_gan import carried
from gumbel_gan.algorithms import _ema
from gumbel_gan.algorithms._batch import check_batch
from gumbel_gan.algorithms.interface import Algorithm, Metrics
from gumbel_gan.arguments import Scalar, at_step, require_at_least, require_kind, require_scalar
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
      position: where the generator is in the text that each of the B rows reads, those of all shards.
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
    """Builds maximum likelihood training on a long text in windows, which carries the state from one to the next.

    The loss is -mean log p(window | the text before it). The gradient goes back to the beginning of the window, not
    into the state that it begins with. Row b of a batch has to continue row b of the one before (`reads_in_order`).

    Works for every generator whose carry is good for any number of steps, as those of recurrent ones are; a
    transformer's, a cache of fixed length, is not. Where there is dropout, its factors are drawn anew for each window.

    Args:
      model: the model, of windows without padding.
      batch_size: B, sequences of a batch, of all shards together; at least 1.
      optimizer: the optimizer.
      restart_rate: probability in [0, 1] with which a row begins a window anew, with the initial state and the start
        symbol, so that the generator also learns to begin, as it does in samples. At 1 this is maximum likelihood of
        single windows. A number, a traced number or a schedule.
      ema_decay: decay of the moving average of the parameters, in [0, 1). A number, a traced number or a schedule.
      shard_axis: name of the mapped axis that gradients are averaged over; None where there is none.

    Returns:
      An `Algorithm` with the metrics `generator_loss`, in nats a window, and `generator_gradient_norm`. Its step raises
      ValueError where the batch is not one of `batch_size`, or has a condition or weights.

    Raises:
      TypeError: `batch_size` is not an integer, or `restart_rate` or `ema_decay` is not a number or a schedule.
      ValueError: one of them is out of its range, or the generator's state can't be carried on, see
        `carried.require_carried`.

    References:
      Mikolov et al. 2010, https://www.isca-archive.org/interspeech_2010/mikolov10_interspeech.html, for carried states;
      Williams & Peng 1990, https://doi.org/10.1162/neco.1990.2.4.490, for truncation.
    """
    carried.require_carried(model)
    require_at_least(1, batch_size=batch_size)
    require_kind(optax.GradientTransformation, optimizer=optimizer)
    require_scalar("restart_rate", restart_rate, low=0, high=1)
    _ema.check_decay(ema_decay)

    def init(key: jax.Array) -> TruncatedLikelihoodState:
        params = model.init(key)
        position = carried.beginning(model, params, batch_size)
        return TruncatedLikelihoodState(
            jnp.zeros((), jnp.int32), params, _ema.init(params), optimizer.init(params), position
        )

    def step(key: jax.Array, state: TruncatedLikelihoodState, batch: Batch) -> tuple[TruncatedLikelihoodState, Metrics]:
        batch = check_batch(batch, model)
        if batch.condition is not None:
            raise ValueError("condition must be None for this algorithm, got one")
        num = len(batch.tokens)
        num_shards = 1 if shard_axis is None else jax.lax.axis_size(shard_axis)
        if num * num_shards != batch_size:
            raise ValueError(
                f"tokens must hold batch_size, {batch_size}, sequences in {num_shards} shards, got {num} in each"
            )
        restart_key, dropout_key = jax.random.split(key)
        restarts_B = jax.random.bernoulli(
            restart_key, jnp.asarray(at_step(restart_rate, state.step), jnp.float32), (num,)
        )
        given = inputs(model, dropout_key, num, training=True)
        before = _own_rows(state.position, num, shard_axis)

        def negative_log_likelihood(params: Params) -> tuple[jax.Array, Position]:
            begun = _begun(carried.beginning(model, params, num, **given), before, restarts_B)
            after, log_probs_BT = carried.read(model, params, begun, batch.tokens)
            return -jnp.mean(jnp.sum(log_probs_BT, axis=1)), _without_dropout(after, before)

        gradient_of = jax.value_and_grad(negative_log_likelihood, has_aux=True)
        (loss, after), gradient = gradient_of(state.generator_params)
        gradient = mean_over(shard_axis, gradient)
        updates, opt_state = optimizer.update(gradient, state.opt_state, state.generator_params)
        params = optax.apply_updates(state.generator_params, updates)
        metrics = {"generator_loss": loss, "generator_gradient_norm": optax.tree.norm(gradient)}
        ema_params = _ema.update(params, state.ema_params, ema_decay, state.step)
        position = _all_rows(after, shard_axis)
        return TruncatedLikelihoodState(state.step + 1, params, ema_params, opt_state, position), metrics

    def params(state: TruncatedLikelihoodState, *, averaged: bool = True) -> Params:
        return state.ema_params if averaged else state.generator_params

    return Algorithm(init, step, params, model, reads_in_order=True)


def _own_rows(position: Position, num: int, shard_axis: str | None) -> Position:
    """Returns the position of a shard's own rows out of those of all shards."""
    if shard_axis is None:
        return position
    first = jax.lax.axis_index(shard_axis) * num
    return jax.tree.map(lambda leaf: jax.lax.dynamic_slice_in_dim(leaf, first, num), position)


def _all_rows(position: Position, shard_axis: str | None) -> Position:
    """Returns the position of the rows of all shards, on each of them, out of that of its own rows."""
    if shard_axis is None:
        return position
    return jax.tree.map(lambda leaf: jax.lax.all_gather(leaf, shard_axis, tiled=True), position)


def _begun(new: Position, before: Position, restarts: jax.Array) -> Position:
    """Returns where rows begin a window: anew where they restart, else where they were before.

    What only a new position has, the factors of dropout, is taken from that.
    """
    known = dict(jax.tree_util.tree_leaves_with_path(before))

    def chosen(path: tuple, fresh: jax.Array) -> jax.Array:
        if path not in known:
            return fresh
        return jnp.where(restarts.reshape(-1, *[1] * (fresh.ndim - 1)), fresh, known[path])

    return jax.tree_util.tree_map_with_path(chosen, new)


def _without_dropout(after: Position, before: Position) -> Position:
    """Returns a position with the arrays that `before` has, and no others."""
    found = dict(jax.tree_util.tree_leaves_with_path(after))
    return jax.tree_util.tree_map_with_path(lambda path, _: found[path], before)
