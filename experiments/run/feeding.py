"""The training data of a run as its steps take it: data on the devices, or batches that stream from files."""

import time
from typing import Any, Protocol

import jax
import numpy as np

from experiments.config.build import Experiment
from experiments.config.replicas import replicas
from experiments.config.run_config import RunConfig
from experiments.run import renewal
from experiments.run.texts import Row
from gumbel_gan import sharding, training
from gumbel_gan.data import Batch
from gumbel_gan.streaming import Steps, Stream


class Feed(Protocol):
    """The data of consecutive chunks of steps."""

    @property
    def seconds_waited(self) -> float | None:
        """Seconds that training has waited for data; None if it never waits."""
        ...

    @property
    def pool(self) -> renewal.Pool | None:
        """The data if it changes during training, otherwise None."""
        ...

    def renew(self, step: int, state: Any) -> Row:
        """Renews the data before the chunk that begins at a step, and returns metrics of the new data."""
        ...

    def take(self, num_steps: int) -> Any:
        """Returns the data of the next steps."""
        ...


def types(config: RunConfig, experiment: Experiment, mesh: jax.sharding.Mesh, num_steps: int) -> Any:
    """Returns the shapes and dtypes of the data of some steps, with their sharding."""
    if renewal.is_renewed(experiment):
        tokens = renewal.pool_types(experiment, len(replicas(config).seeds)).tokens
        placed = sharding.seeds_sharding(mesh)
        return Batch(jax.ShapeDtypeStruct(tokens.shape, tokens.dtype, sharding=placed))
    if experiment.task.stream is None:
        placed = sharding.replicated(mesh)
        return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=placed), experiment.data)
    dtype = experiment.task.stream.take(np.arange(1)).dtype
    shape = _shape(config, experiment, num_steps)
    return Batch(jax.ShapeDtypeStruct(shape, dtype, sharding=sharding.batches_sharding(mesh)))


def axis(experiment: Experiment) -> int | str | None:
    """Returns the mapped axes of the data of a chunk, as `sharding.vmap_seeds` takes them."""
    if renewal.is_renewed(experiment):
        return 0
    return None if experiment.task.stream is None else sharding.SHARDS


def feed(
    config: RunConfig,
    experiment: Experiment,
    mesh: jax.sharding.Mesh,
    first_step: int,
    keys: training.RunKeys,
    pool: renewal.Pool | None = None,
) -> Feed:
    """Returns the data of a run from a step on; renewed data starts from the pool that was saved with this step."""
    if renewal.is_renewed(experiment):
        return renewal.Renewed(experiment, mesh, keys, pool)
    if experiment.task.stream is None:
        return _Resident(experiment, mesh)
    return _Streamed(config, experiment, mesh, first_step)


def _shape(config: RunConfig, experiment: Experiment, num_steps: int) -> tuple[int, ...]:
    """Returns the shape of the batches of some steps: replicas, shards, steps, sequences, symbols."""
    size = config.batch_size * experiment.algorithm.batches_per_step // config.num_shards
    return (len(replicas(config).seeds), config.num_shards, num_steps, size, experiment.task.length)


class _Unchanged:
    pool: renewal.Pool | None = None

    def renew(self, step: int, state: Any) -> Row:
        return {}


class _Resident(_Unchanged):
    seconds_waited: float | None = None

    def __init__(self, experiment: Experiment, mesh: jax.sharding.Mesh):
        self._data = sharding.place(experiment.data, sharding.replicated(mesh))

    def take(self, num_steps: int) -> Any:
        return self._data


class _Streamed(_Unchanged):
    def __init__(self, config: RunConfig, experiment: Experiment, mesh: jax.sharding.Mesh, first_step: int):
        self._config, self._experiment = config, experiment
        self._sharding = sharding.batches_sharding(mesh)
        # The replicas and shards on the devices of this process, which are contiguous.
        shape = _shape(config, experiment, 1)
        indices = list(self._sharding.addressable_devices_indices_map(shape).values())
        bounds = [[index[axis].indices(shape[axis]) for index in indices if index] for axis in (0, 1)]
        self._starts = [min(start for start, _, _ in each) for each in bounds]
        ends = [max(stop for _, stop, _ in each) for each in bounds]
        own, shards = (range(*each) for each in zip(self._starts, ends, strict=True))
        seeds = replicas(config).seeds[own.start : own.stop]
        assert experiment.task.stream is not None
        batch_size = config.batch_size * experiment.algorithm.batches_per_step
        steps = Steps(experiment.task.stream, seeds, batch_size, shards, config.num_shards)
        self._stream = Stream(steps, first_step, num_ahead=config.steps_per_chunk)
        self._waited = 0.0

    @property
    def seconds_waited(self) -> float:
        """Seconds that training has waited for data."""
        return self._waited

    def take(self, num_steps: int) -> Any:
        began = time.monotonic()
        own = self._stream.take(num_steps)
        self._waited += time.monotonic() - began
        shape = _shape(self._config, self._experiment, num_steps)

        def part(index: Any) -> np.ndarray:
            (first, last), (low, high) = (
                [bound - start for bound in index[axis].indices(shape[axis])[:2]]
                for axis, start in enumerate(self._starts)
            )
            return own[first:last, low:high]

        return Batch(jax.make_array_from_callback(shape, self._sharding, part))
