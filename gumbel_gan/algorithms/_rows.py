"""Rows of a batch that read long texts window by window, with their positions in the state of an algorithm."""

import jax
import jax.numpy as jnp

from gumbel_gan import carried
from gumbel_gan.algorithms._batch import check_batch
from gumbel_gan.arguments import Scalar, at_step
from gumbel_gan.carried import Position
from gumbel_gan.data import Batch
from gumbel_gan.model import SequenceModel
from gumbel_gan.networks import Params


def check_windows(batch: Batch, model: SequenceModel, batch_size: int, shard_axis: str | None) -> Batch:
    """Checks a batch of windows and returns it, as `check_batch` does.

    Raises:
      TypeError: as in `check_batch`.
      ValueError: as in `check_batch`; or the batch has a condition, or does not hold `batch_size` sequences over all
        shards.
    """
    batch = check_batch(batch, model)
    if batch.condition is not None:
        raise ValueError("condition must be None for this algorithm, got one")
    num = len(batch.tokens)
    num_shards = 1 if shard_axis is None else jax.lax.axis_size(shard_axis)
    if num * num_shards != batch_size:
        raise ValueError(
            f"tokens must hold batch_size, {batch_size}, sequences in {num_shards} shards, got {num} in each"
        )
    return batch


def restarts(key: jax.Array, rate: Scalar, step: jax.Array, num: int) -> jax.Array:
    """Draws `[num]` booleans, true with probability `rate` at a step, for rows that restart; consumes the key."""
    return jax.random.bernoulli(key, jnp.asarray(at_step(rate, step), jnp.float32), (num,))


def begun(
    model: SequenceModel, params: Params, before: Position, restarts: jax.Array, given: dict[str, jax.Array]
) -> Position:
    """Returns the position at the start of a window: the beginning of a text for rows that restart, else `before`.

    Args:
      model: the model.
      params: the generator's parameters.
      before: the position of N rows after the window before, without dropout masks.
      restarts: `[N]` booleans, the rows that restart.
      given: keyword arguments for N sequences, as returned by `model.inputs`; dropout masks are drawn from them.
    """
    known = dict(jax.tree_util.tree_leaves_with_path(before))

    def chosen(path: tuple, fresh: jax.Array) -> jax.Array:
        if path not in known:
            return fresh
        return jnp.where(restarts.reshape(-1, *[1] * (fresh.ndim - 1)), fresh, known[path])

    new = carried.beginning(model, params, len(restarts), **given)
    return jax.tree_util.tree_map_with_path(chosen, new)


def without_dropout(after: Position, before: Position) -> Position:
    """Returns the position `after` with only the arrays that `before` has."""
    found = dict(jax.tree_util.tree_leaves_with_path(after))
    return jax.tree_util.tree_map_with_path(lambda path, _: found[path], before)


def own(position: Position, num: int, shard_axis: str | None) -> Position:
    """Returns the position of a shard's own `num` rows, selected from the rows of all shards."""
    if shard_axis is None:
        return position
    first = jax.lax.axis_index(shard_axis) * num
    return jax.tree.map(lambda leaf: jax.lax.dynamic_slice_in_dim(leaf, first, num), position)


def of_all(position: Position, shard_axis: str | None) -> Position:
    """Returns on each shard the position of the rows of all shards, gathered from all shards."""
    if shard_axis is None:
        return position
    return jax.tree.map(lambda leaf: jax.lax.all_gather(leaf, shard_axis, tiled=True), position)
