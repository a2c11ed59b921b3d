"""Many steps in one `lax.scan`, and seeds as a leading axis. Nothing here knows of files."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gumbel_gan.algorithms.interface import Algorithm, Metrics, State


def seed_keys(seeds: Sequence[int]) -> jax.Array:
    """Gives `[S]` typed keys, one for each seed."""
    return jax.vmap(jax.random.key)(jnp.asarray(seeds, jnp.uint32))


class RunKeys(NamedTuple):
    """The independent keys that a run makes of its own key."""

    init: jax.Array
    train: jax.Array
    sample: jax.Array


def run_keys(key: jax.Array) -> RunKeys:
    """Derives a run's keys: for its initial state, its training steps, and samples of the trained generator."""
    return RunKeys(*jax.random.split(key, 3))


def init(algorithm: Algorithm, key: jax.Array) -> State:
    """Makes the initial state of one run.

    Args:
      algorithm: the training method.
      key: the run's key; the same key goes to `train`.

    Returns:
      A state.
    """
    return algorithm.init(run_keys(key).init)


def train(
    algorithm: Algorithm, key: jax.Array, state: State, data: jax.Array, *, batch_size: int, num_steps: int
) -> tuple[State, Metrics]:
    """Runs a number of steps on batches drawn uniformly, with replacement, from data on the device.

    Everything random at a step comes from `fold_in(run_keys(key).train, state.step)`: many short calls and one long
    call are the same run. Wrap it in `jax.vmap` over (key, state) for a seeds axis, and in `jax.jit`.

    Args:
      algorithm: the training method.
      key: the run's key.
      state: the state to go on from.
      data: `[N, T]` int32 tokens.
      batch_size: B, between 1 and N.
      num_steps: number of steps, at least 1.

    Returns:
      The state after the last step, and the metrics of every step, `[num_steps]` each.

    Raises:
      ValueError: `batch_size` or `num_steps` is out of its range.
    """
    if not 1 <= batch_size <= len(data):
        raise ValueError(f"batch_size must be between 1 and the number of sequences, {len(data)}; got {batch_size}")
    if num_steps < 1:
        raise ValueError(f"num_steps must be at least 1, got {num_steps}")
    train_key = run_keys(key).train

    def one_step(state: State, _: None) -> tuple[State, Metrics]:
        batch_key, step_key = jax.random.split(jax.random.fold_in(train_key, state.step))
        rows = jax.random.randint(batch_key, (batch_size,), 0, len(data))
        return algorithm.step(step_key, state, data[rows])

    return jax.lax.scan(one_step, state, length=num_steps)
