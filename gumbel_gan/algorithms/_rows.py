"""Rows of a batch that read long texts window by window, with their positions in the state of an algorithm."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan import carried
from gumbel_gan.arguments import Scalar, require_at_least, require_scalar
from gumbel_gan.carried import Position
from gumbel_gan.data import Batch
from gumbel_gan.model import SequenceModel
from gumbel_gan.networks import Params


class Start(NamedTuple):
    """What N rows start a window from.

    Attributes:
      before: the position after the window before, without dropout masks.
      restarts: `[N]` booleans, the rows that start at the beginning of a text instead.
    """

    before: Position
    restarts: jax.Array


def check_arguments(model: SequenceModel, batch_size: int, restart_rate: Scalar) -> None:
    """Checks the arguments of an algorithm that carries a generator's state over windows.

    Raises:
      TypeError: an argument has the wrong type.
      ValueError: an argument is out of range, or the generator's state cannot be carried on.
    """
    carried.require_carried(model)
    require_at_least(1, batch_size=batch_size)
    require_scalar("restart_rate", restart_rate, low=0, high=1)


def check_windows(batch: Batch, position: Position, shard_axis: str | None) -> None:
    """Checks that a shard's batch holds windows of the rows of `position`, the position of the rows of all shards.

    Raises:
      ValueError: the batch has a condition, or another number of rows.
    """
    if batch.condition is not None:
        raise ValueError("condition must be None for this algorithm, got one")
    num, batch_size = len(batch.tokens), len(position.last_tokens)
    num_shards = 1 if shard_axis is None else jax.lax.axis_size(shard_axis)
    if num * num_shards != batch_size:
        raise ValueError(
            f"tokens must hold batch_size, {batch_size}, sequences in {num_shards} shards, got {num} in each"
        )


def start(key: jax.Array, position: Position, num: int, *, restart_rate: ArrayLike, shard_axis: str | None) -> Start:
    """Returns what a shard's rows start a window from, with the rows that restart drawn.

    Args:
      key: typed PRNG key; consumed.
      position: the position after the window before, of the rows of all shards.
      num: N, number of rows of this shard.
      restart_rate: probability that a row restarts.
      shard_axis: name of the mapped axis of shards; None if there is none.
    """
    if shard_axis is not None:
        first = jax.lax.axis_index(shard_axis) * num
        position = jax.tree.map(lambda leaf: jax.lax.dynamic_slice_in_dim(leaf, first, num), position)
    return Start(position, jax.random.bernoulli(key, jnp.asarray(restart_rate, jnp.float32), (num,)))


def begun(model: SequenceModel, params: Params, start: Start, given: dict[str, jax.Array]) -> Position:
    """Returns the position of N rows at the start of a window; no gradient flows into the state before it.

    Args:
      model: the model.
      params: the generator's parameters.
      start: what the rows start from.
      given: keyword arguments for N sequences, as returned by `model.inputs`; dropout masks are drawn from them.
    """
    known = dict(jax.tree_util.tree_leaves_with_path(start.before))

    def chosen(path: tuple, fresh: jax.Array) -> jax.Array:
        if path not in known:
            return fresh
        return jnp.where(start.restarts.reshape(-1, *[1] * (fresh.ndim - 1)), fresh, known[path])

    new = carried.beginning(model, params, len(start.restarts), **given)
    return jax.tree_util.tree_map_with_path(chosen, new)


def without_dropout(after: Position, start: Start) -> Position:
    """Returns the position `after` a window with only the arrays that a state holds."""
    found = dict(jax.tree_util.tree_leaves_with_path(after))
    return jax.tree_util.tree_map_with_path(lambda path, _: found[path], start.before)


def of_all(position: Position, shard_axis: str | None) -> Position:
    """Returns on each shard the position of the rows of all shards, gathered from all shards."""
    if shard_axis is None:
        return position
    return jax.tree.map(lambda leaf: jax.lax.all_gather(leaf, shard_axis, tiled=True), position)
