"""Many steps in one `lax.scan`, and seeds as a leading axis. Nothing here knows of files."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gumbel_gan import sharding
from gumbel_gan.algorithms.interface import Algorithm, Metrics, State


class RunKeys(NamedTuple):
    """The independent keys of a run.

    Attributes:
      init: for its initial state.
      train: for its steps; each step folds its number in.
      sample: for samples of the trained generator.
    """

    init: jax.Array
    train: jax.Array
    sample: jax.Array


def run_keys(seed: int | jax.Array) -> RunKeys:
    """Makes the keys of a run out of its seed."""
    return RunKeys(*jax.random.split(jax.random.key(seed), 3))


def seeds_axis(seeds: Sequence[int]) -> RunKeys:
    """Makes the keys of several runs, each field `[S]`, to vmap over."""
    return jax.vmap(run_keys)(jnp.asarray(seeds, jnp.uint32))


def train(
    algorithm: Algorithm,
    key: jax.Array,
    state: State,
    data: jax.Array,
    *,
    batch_size: int,
    num_steps: int,
    shard_axis: str | None = None,
) -> tuple[State, Metrics]:
    """Runs a number of steps on batches drawn uniformly, with replacement, from data on the device.

    Everything random at a step comes from `fold_in(key, state.step)`: many short calls and one long call are the same
    run. Wrap it in `jax.vmap` over (key, state) for a seeds axis, and in `jax.jit`.

    Under a mapped axis of shards (`jax.shard_map`, `jax.vmap`), every shard is called with the same arguments and takes
    its part of each batch, with noise of its own; algorithms average gradients over the axis, so that all shards end
    with the same state. Results depend on the number of shards, not on the devices that hold them.

    Args:
      algorithm: the training method; where there are shards, made with the same `shard_axis`.
      key: typed PRNG key, `RunKeys.train`, the same at every call.
      state: the state to go on from.
      data: `[N, T]` int32 tokens.
      batch_size: B, between 1 and N, of all shards together.
      num_steps: number of steps, at least 1.
      shard_axis: name of the mapped axis of shards; None where there is none.

    Returns:
      The state after the last step, and the metrics of every step, `[num_steps]` each, averaged over the shards.

    Raises:
      ValueError: `batch_size` or `num_steps` is out of its range, or the former is no multiple of the number of shards.
    """
    if not 1 <= batch_size <= len(data):
        raise ValueError(f"batch_size must be between 1 and the number of sequences, {len(data)}; got {batch_size}")
    if num_steps < 1:
        raise ValueError(f"num_steps must be at least 1, got {num_steps}")
    num_shards = 1 if shard_axis is None else jax.lax.axis_size(shard_axis)
    if batch_size % num_shards:
        raise ValueError(f"batch_size must be a multiple of the number of shards, {num_shards}; got {batch_size}")

    def one_step(state: State, _: None) -> tuple[State, Metrics]:
        batch_key, step_key = jax.random.split(jax.random.fold_in(key, state.step))
        rows = jax.random.randint(batch_key, (batch_size,), 0, len(data))
        if shard_axis is not None:
            shard = jax.lax.axis_index(shard_axis)
            rows = rows.reshape(num_shards, -1)[shard]
            step_key = jax.random.fold_in(step_key, shard)
        return algorithm.step(step_key, state, data[rows])

    state, metrics = jax.lax.scan(one_step, state, length=num_steps)
    return state, sharding.mean_over(shard_axis, metrics)
