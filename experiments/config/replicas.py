"""The replicas of a run, the leading axis of its state: the seeds, at every point of a sweep."""

from collections.abc import Sequence
from typing import NamedTuple

from experiments.config import sweeps
from experiments.config.run_config import RunConfig


class Replicas(NamedTuple):
    """The replicas of a run, with one entry for each replica.

    Attributes:
      seeds: seed of the replica.
      points: index of the replica's point of the sweep; 0 without a sweep.
    """

    seeds: list[int]
    points: list[int]


def replicas(config: RunConfig) -> Replicas:
    """Returns the replicas of a run: all seeds at the first point of the sweep, then all at the second, and so on."""
    seeds = range(config.seed, config.seed + config.num_seeds)
    pairs = [(seed, point) for point in range(len(sweep(config))) for seed in seeds]
    return Replicas([seed for seed, _ in pairs], [point for _, point in pairs])


def replica_names(config: RunConfig) -> list[str]:
    """Returns the names of the replicas of a run: 'seed_3', or 'point_1/seed_3' if the run has a sweep."""
    seeds, points = replicas(config)
    swept = len(sweep(config)) > 1
    return [
        f"point_{point}/seed_{seed}" if swept else f"seed_{seed}" for seed, point in zip(seeds, points, strict=True)
    ]


def sweep(config: RunConfig) -> list[dict[str, str]]:
    """Returns the points of the sweep of a run, as `sweeps.points` does."""
    return sweeps.points(config.sweep)


def first_replicas(points: Sequence[int]) -> list[int]:
    """Returns the index of the first replica at each point of a sweep, given the point of each replica."""
    return [points.index(point) for point in sorted(set(points))]
