"""Training for many steps in one `lax.scan`, with seeds as a leading axis."""

import functools
import numbers
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gumbel_gan import sharding
from gumbel_gan.algorithms.interface import Algorithm, Metrics, State
from gumbel_gan.arguments import require_at_least, require_integer, require_integers, require_key
from gumbel_gan.data import Batch, as_batch, check_data, num_sequences, take

_LAST_SEED = 2**32 - 1
_LARGEST = 1e18


class RunKeys(NamedTuple):
    """The independent keys of a run.

    Attributes:
      init: key of the initial state.
      train: key of the steps; each step folds in its number.
      sample: key of samples of the trained generator.
    """

    init: jax.Array
    train: jax.Array
    sample: jax.Array


def run_keys(seed: int | jax.Array) -> RunKeys:
    """Returns the keys of a run.

    Args:
      seed: an integer from 0 to 2^32 - 1; may be traced.

    Raises:
      TypeError: `seed` is not an integer.
      ValueError: `seed` is not from 0 to 2^32 - 1.
    """
    _check_seed(seed)
    return RunKeys(*jax.random.split(jax.random.key(jnp.asarray(seed, jnp.uint32)), 3))


def seeds_axis(seeds: Sequence[int]) -> RunKeys:
    """Returns the keys of S runs, each field `[S]`, to vmap over.

    Raises:
      TypeError: `seeds` is not a sequence of integers.
      ValueError: `seeds` is empty, or a seed is not from 0 to 2^32 - 1.
    """
    if isinstance(seeds, str) or not np.iterable(seeds):
        raise TypeError(f"seeds must be a sequence of integers, got {seeds!r}")
    if not len(seeds):
        raise ValueError("seeds must hold at least one seed, got none")
    for seed in seeds:
        _check_seed(seed, "seeds")
    return jax.jit(jax.vmap(run_keys))(np.asarray(seeds, np.uint32))


def train(
    algorithm: Algorithm,
    key: jax.Array,
    state: State,
    data: Batch | jax.Array,
    *,
    batch_size: int,
    num_steps: int,
    shard_axis: str | None = None,
    keep_finite: bool = False,
) -> tuple[State, Metrics]:
    """Trains on batches drawn uniformly, with replacement, from data on the device.

    An algorithm with `reads_in_order` gets the data in order instead: at step t, counted from 0, row b of the B rows is
    sequence (b floor(N / B) + t) mod N. So each row reads all of the data, from its own starting point.

    All randomness of a step comes from `fold_in(key, state.step)`, so many short calls and one long call are the same
    run. Wrap this function in `jax.vmap` over (key, state) for a seeds axis, and in `jax.jit`. Inside `jax.jit` the
    values of the data cannot be checked: call `data.check_data` before.

    Under a mapped axis of data shards (`jax.shard_map`, `jax.vmap`), every shard is called with the same arguments and
    takes its part of each batch, with its own noise. Algorithms average gradients over the axis, so that all shards end
    with the same state. Results depend on the number of shards, but not on the devices that hold them.

    Args:
      algorithm: the training method; with shards, built with the same `shard_axis`.
      key: typed PRNG key, `RunKeys.train`, the same at every call.
      state: the state to continue from.
      data: a `Batch` of all N sequences, or their tokens `[N, T]`.
      batch_size: B, batch size over all shards, between 1 and N.
      num_steps: number of steps, at least 1.
      shard_axis: name of the mapped axis of shards; None if there is none.
      keep_finite: whether to undo a step that makes the state diverge, see `has_diverged`. Every later step would be
        the same step again and is also undone, so that the last finite state is returned, with its `step`. Unused if
        the given state has already diverged.

    Returns:
      The state after the last step, and the metrics of every step, `[num_steps]` each, averaged over the shards.

    Raises:
      TypeError: `key` is not a typed PRNG key, the tokens are not integers, or `batch_size` or `num_steps` is not an
        integer.
      ValueError: as in `data.check_data`, for the algorithm's model; `batch_size` or `num_steps` is out of range; or
        `batch_size` is not a multiple of the number of shards.
    """
    model = algorithm.model
    checked = check_data(data, num_symbols=model.generator.num_symbols, length=model.length)
    sequences: Batch = jax.tree.map(jnp.asarray, checked)
    num = num_sequences(sequences)
    require_key(key=key)
    require_at_least(1, num_steps=num_steps)
    require_integer(batch_size=batch_size)
    if not 1 <= batch_size <= num:
        raise ValueError(f"batch_size must be between 1 and the number of sequences, {num}; got {batch_size}")
    num_shards = 1 if shard_axis is None else jax.lax.axis_size(shard_axis)
    if batch_size % num_shards:
        raise ValueError(f"batch_size must be a multiple of the number of shards, {num_shards}; got {batch_size}")

    num_rows = batch_size * algorithm.batches_per_step

    def draw(batch_key: jax.Array, step: jax.Array, _: None) -> Batch:
        if algorithm.reads_in_order:
            rows = (jnp.arange(num_rows, dtype=jnp.int32) * (num // num_rows) + step % num) % num
        else:
            rows = jax.random.randint(batch_key, (num_rows,), 0, num, jnp.int32)
        if shard_axis is not None:
            rows = rows.reshape(num_shards, -1)[jax.lax.axis_index(shard_axis)]
        return take(sequences, rows)

    return _scan(algorithm, key, state, draw, None, num_steps, shard_axis, keep_finite)


def train_on(
    algorithm: Algorithm,
    key: jax.Array,
    state: State,
    batches: Batch | jax.Array,
    *,
    shard_axis: str | None = None,
    keep_finite: bool = False,
) -> tuple[State, Metrics]:
    """Trains on given batches, one after the other, for data that does not fit on the device.

    This function equals `train` except for the source of the batches: the same batches give the same results.

    Args:
      algorithm: the training method; with shards, built with the same `shard_axis`.
      key: typed PRNG key, `RunKeys.train`, the same at every call.
      state: the state to continue from.
      batches: a `Batch` whose arrays have an axis of steps before the axis of sequences, or its tokens
        `[num_steps, B, T]`, integers of any width. B is `algorithm.batches_per_step` times the size of a batch. Under
        an axis of shards, each shard is given its own part of each batch. For an algorithm with `reads_in_order`, each
        row must continue the same row of the batch before.
      shard_axis: name of the mapped axis of shards; None if there is none.
      keep_finite: whether to undo a step that makes the state diverge, see `has_diverged`. The next step then takes the
        next batch.

    Returns:
      The same as `train`.

    Raises:
      TypeError: `key` is not a typed PRNG key, or the tokens are not integers.
      ValueError: the tokens are not `[num_steps, B, T]`, with the T of the algorithm's model and B a multiple of
        `algorithm.batches_per_step`.
    """
    require_key(key=key)
    sequences = as_batch(batches)
    require_integers(batches=sequences.tokens)
    shape, length = sequences.tokens.shape, algorithm.model.length
    if len(shape) != 3 or not shape[0] or shape[2] != length or not shape[1] or shape[1] % algorithm.batches_per_step:
        raise ValueError(
            f"batches must be [num_steps, B, {length}] with B a multiple of {algorithm.batches_per_step}, got shape "
            f"{shape}"
        )

    def take_next(_: jax.Array, __: jax.Array, batch: Batch) -> Batch:
        return batch._replace(tokens=batch.tokens.astype(jnp.int32))

    return _scan(algorithm, key, state, take_next, sequences, shape[0], shard_axis, keep_finite)


def _scan(
    algorithm: Algorithm,
    key: jax.Array,
    state: State,
    next_batch: Callable[[jax.Array, jax.Array, Any], Batch],
    inputs: Any,
    num_steps: int,
    shard_axis: str | None,
    keep_finite: bool,
) -> tuple[State, Metrics]:
    """Trains on the batches that `next_batch` returns for a key, the step and each entry of `inputs`."""
    # The state of an optimizer may hold an infinity from the start.
    was_finite = ~has_diverged(state) if keep_finite else None

    def one_step(state: State, given: Any) -> tuple[State, Metrics]:
        batch_key, step_key = jax.random.split(jax.random.fold_in(key, state.step))
        if shard_axis is not None:
            step_key = jax.random.fold_in(step_key, jax.lax.axis_index(shard_axis))
        new_state, metrics = algorithm.step(step_key, state, next_batch(batch_key, state.step, given))
        if was_finite is not None:
            new_state = select(has_diverged(new_state) & was_finite, state, new_state)
        return new_state, metrics

    state, metrics = jax.lax.scan(one_step, state, inputs, length=num_steps)
    return state, sharding.mean_over(shard_axis, metrics)


def has_diverged(state: State) -> jax.Array:
    """Returns whether a state has diverged: it holds a number that is NaN, infinite, or larger than 1e18 in magnitude.

    The square of a float32 above about 1.8e19 is infinite, so the next step would be lost.

    Args:
      state: a pytree of arrays.

    Returns:
      A bool scalar.
    """
    floating = [leaf for leaf in jax.tree.leaves(state) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    # All comparisons with a NaN are false.
    return ~functools.reduce(jnp.logical_and, [jnp.all(jnp.abs(leaf) <= _LARGEST) for leaf in floating], jnp.bool(True))


def select(condition: jax.Array, first: State, second: State) -> State:
    """Selects between two states.

    Args:
      condition: a bool scalar, or `[S]` bools to choose for each entry of the leading axis of the leaves.
      first: a pytree of arrays, chosen where the condition is true.
      second: a pytree of arrays of the same structure, shapes and dtypes.

    Returns:
      The chosen state.
    """

    def choose(one: jax.Array, other: jax.Array) -> jax.Array:
        return jnp.where(condition.reshape(condition.shape + (1,) * (one.ndim - condition.ndim)), one, other)

    return jax.tree.map(choose, first, second)


def _check_seed(seed: Any, name: str = "seed") -> None:
    is_array = isinstance(seed, np.ndarray | np.generic | jax.Array)
    is_integer = jnp.issubdtype(seed.dtype, jnp.integer) if is_array else isinstance(seed, numbers.Integral)
    if isinstance(seed, bool) or not is_integer or jnp.ndim(seed):
        raise TypeError(f"{name} must be an integer, got {seed!r}")
    if not isinstance(seed, jax.core.Tracer) and not 0 <= int(seed) <= _LAST_SEED:
        raise ValueError(f"{name} must be from 0 to {_LAST_SEED}, got {seed}")
