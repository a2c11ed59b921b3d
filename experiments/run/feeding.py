"""What a run learns from, as its steps take it: data on the devices, or batches that stream from files."""

import time
from typing import Any, Protocol

import jax
import numpy as np

from experiments.config.build import Experiment
from experiments.config.members import members
from experiments.config.run_config import RunConfig
from gumbel_gan import sharding
from gumbel_gan.data import Batch
from gumbel_gan.streaming import Steps, Stream


class Feed(Protocol):
    """The data of consecutive chunks of steps."""

    @property
    def seconds_waited(self) -> float | None:
        """How long training has waited for it; None where it never does."""
        ...

    def take(self, num_steps: int) -> Any:
        """Returns the data of the next steps."""
        ...


def types(config: RunConfig, experiment: Experiment, mesh: jax.sharding.Mesh, num_steps: int) -> Any:
    """Returns the shapes and dtypes of the data of some steps, with their sharding."""
    if experiment.task.stream is None:
        placed = sharding.replicated(mesh)
        return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=placed), experiment.data)
    dtype = experiment.task.stream.take(np.arange(1)).dtype
    shape = _shape(config, experiment, num_steps)
    return Batch(jax.ShapeDtypeStruct(shape, dtype, sharding=sharding.batches_sharding(mesh)))


def feed(config: RunConfig, experiment: Experiment, mesh: jax.sharding.Mesh, first_step: int) -> Feed:
    """Returns the data of a run from a step on."""
    if experiment.task.stream is None:
        return _Resident(experiment, mesh)
    return _Streamed(config, experiment, mesh, first_step)


def _shape(config: RunConfig, experiment: Experiment, num_steps: int) -> tuple[int, ...]:
    """Returns that of the batches of some steps: members, shards, steps, sequences, symbols."""
    size = config.batch_size * experiment.algorithm.batches_per_step // config.num_shards
    return (len(members(config).seeds), config.num_shards, num_steps, size, experiment.task.length)


class _Resident:
    seconds_waited: float | None = None

    def __init__(self, experiment: Experiment, mesh: jax.sharding.Mesh):
        self._data = sharding.place(experiment.data, sharding.replicated(mesh))

    def take(self, num_steps: int) -> Any:
        return self._data


class _Streamed:
    def __init__(self, config: RunConfig, experiment: Experiment, mesh: jax.sharding.Mesh, first_step: int):
        self._config, self._experiment = config, experiment
        self._sharding = sharding.batches_sharding(mesh)
        # Of the members and shards, those of this process's devices, which are next to each other.
        shape = _shape(config, experiment, 1)
        indices = list(self._sharding.addressable_devices_indices_map(shape).values())
        bounds = [[index[axis].indices(shape[axis]) for index in indices if index] for axis in (0, 1)]
        self._starts = [min(start for start, _, _ in each) for each in bounds]
        ends = [max(stop for _, stop, _ in each) for each in bounds]
        own, shards = (range(*each) for each in zip(self._starts, ends, strict=True))
        seeds = members(config).seeds[own.start : own.stop]
        assert experiment.task.stream is not None
        batch_size = config.batch_size * experiment.algorithm.batches_per_step
        steps = Steps(experiment.task.stream, seeds, batch_size, shards, config.num_shards)
        self._stream = Stream(steps, first_step, num_ahead=config.steps_per_chunk)
        self._waited = 0.0

    @property
    def seconds_waited(self) -> float:
        """How long training has waited for it."""
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
