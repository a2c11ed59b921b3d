"""The members of a run: its seeds, at every point of its sweep if it has one. They are the leading axis of its state.

A sweep is written in the text of a schedule, with a list where a number may stand:
`temperature='linear(5.0, [0.5, 1.0, 2.0])'` trains every seed at three final temperatures, in one program.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from experiments.config import schedule_text
from experiments.run.directory import flatten


class Members(NamedTuple):
    """The members of a run, one entry each.

    Attributes:
      seeds: the seed.
      points: index of the point of the sweep; 0 where there is none.
    """

    seeds: list[int]
    points: list[int]


def members(config: Mapping[str, Any]) -> Members:
    """Gives the members of a run: all seeds at the first point of its sweep, then all at the second, and so on.

    Args:
      config: a config as in `experiments/configs`.

    Raises:
      ValueError: the config's sweep is wrong, see `sweep`.
    """
    seeds = range(config["seed"], config["seed"] + config["num_seeds"])
    pairs = [(seed, point) for point in range(len(sweep(config))) for seed in seeds]
    return Members([seed for seed, _ in pairs], [point for _, point in pairs])


def member_names(config: Mapping[str, Any]) -> list[str]:
    """Names the members of a run, 'seed_3', or 'point_1/seed_3' where it has a sweep."""
    seeds, points = members(config)
    swept = len(sweep(config)) > 1
    return [
        f"point_{point}/seed_{seed}" if swept else f"seed_{seed}" for seed, point in zip(seeds, points, strict=True)
    ]


def sweep(config: Mapping[str, Any]) -> list[dict[str, str]]:
    """Gives the points of a run's sweep: for each, what the swept settings are there.

    Args:
      config: a config as in `experiments/configs`.

    Returns:
      At least one point. A setting is named by its path without 'config.', and its text has a number for its list. A
      run without a sweep has one point, which sets nothing.

    Raises:
      ValueError: a list is empty, or two lists differ in length.
    """
    swept: dict[str, tuple[str, int]] = {}
    for name, text in flatten(ConfigDict(config["algorithm"]).to_dict(), "algorithm.").items():
        for values in schedule_text.lists(text):
            swept.setdefault(name, (text, len(values.elts)))
            first, (_, size) = next(iter(swept.items()))
            if len(values.elts) != size or not size:
                raise ValueError(
                    f"config.{name} must have as many values in its list as config.{first}, {size}, and at least 1; "
                    f"got {text!r}"
                )
    size = next(iter(swept.values()))[1] if swept else 1
    return [{name: schedule_text.at(text, point) for name, (text, _) in swept.items()} for point in range(size)]


def members_at(point: int, points: Sequence[int]) -> list[int]:
    """Gives the indices of the members at a point, of each member's point."""
    return [index for index, each in enumerate(points) if each == point]
