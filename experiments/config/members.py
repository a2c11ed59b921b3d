"""The members of a run, the leading axis of its state: its seeds, at every point of its sweep if it has one."""

from collections.abc import Sequence
from typing import NamedTuple

from experiments.config import sweeps
from experiments.config.run_config import RunConfig


class Members(NamedTuple):
    """The members of a run, one entry each.

    Attributes:
      seeds: the seed.
      points: index of the point of the sweep; 0 where there is none.
    """

    seeds: list[int]
    points: list[int]


def members(config: RunConfig) -> Members:
    """Returns the members of a run: all seeds at the first point of its sweep, then all at the second, and so on."""
    seeds = range(config.seed, config.seed + config.num_seeds)
    pairs = [(seed, point) for point in range(len(sweep(config))) for seed in seeds]
    return Members([seed for seed, _ in pairs], [point for _, point in pairs])


def member_names(config: RunConfig) -> list[str]:
    """Returns the names of the members of a run, 'seed_3', or 'point_1/seed_3' where it has a sweep."""
    seeds, points = members(config)
    swept = len(sweep(config)) > 1
    return [
        f"point_{point}/seed_{seed}" if swept else f"seed_{seed}" for seed, point in zip(seeds, points, strict=True)
    ]


def sweep(config: RunConfig) -> list[dict[str, str]]:
    """Returns the points of a run's sweep, as `sweeps.points` does."""
    return sweeps.points(config.sweep)


def first_members(points: Sequence[int]) -> list[int]:
    """Returns the index of the first member at each point of a sweep, of each member's point."""
    return [points.index(point) for point in sorted(set(points))]
