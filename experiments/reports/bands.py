"""Statistics of a metric over seeds: its band, and the share of seeds that failed."""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.run.summary import Summary
from gumbel_gan.metrics import describe

FAILURE_VALIDITY = 0.5


class Band(NamedTuple):
    """Order statistics of a metric over seeds.

    Attributes:
      median: the median.
      lower: the lower quartile.
      upper: the upper quartile.
      least: the least value.
      greatest: the greatest value.
    """

    median: NDArray[np.floating]
    lower: NDArray[np.floating]
    upper: NDArray[np.floating]
    least: NDArray[np.floating]
    greatest: NDArray[np.floating]


def band(values: NDArray[np.floating], axis: int = -1) -> Band:
    """Computes the band of a metric.

    Args:
      values: the metric; infinite values are ordered as usual, and NaN is left out.
      axis: the axis of the seeds.

    Returns:
      The band, without the axis of the seeds; NaN where all seeds are NaN.
    """
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.filterwarnings("ignore", "All-NaN", RuntimeWarning)
        between, low, high = (
            np.nanquantile(values, (0.5, 0.25, 0.75), axis=axis, method=method)
            for method in ("linear", "lower", "higher")
        )
        least, greatest = np.nanmin(values, axis=axis), np.nanmax(values, axis=axis)
    # Where a quantile is an order statistic, NumPy still interpolates with the next one, which may be infinite.
    between = np.where(low == high, low, between)
    # Does not interpolate between a finite and an infinite order statistic, but takes the infinite one, the worse.
    median, lower, upper = np.where(
        np.isfinite(low) & np.isfinite(high), between, np.where(np.isfinite(low), high, low)
    )
    return Band(median, lower, upper, least, greatest)


def state_accuracies(summary: Summary, stage: str, replicas: Sequence[int], step: int = -1) -> NDArray[np.floating]:
    """Returns the accuracy of telling teacher-forced from free-running states, for some replicas.

    Args:
      summary: a summary that holds `dynamics`.
      stage: 'before', 'after' or 'heldout'.
      replicas: indices of the replicas.
      step: index of the observed step; -1 is the last.
    """
    accuracy = (summary.dynamics or {})[stage]["accuracy"]
    return numbers([accuracy[replica][step] for replica in replicas], "dynamics_accuracy")


def final(summary: Summary, name: str, replicas: Sequence[int]) -> NDArray[np.floating]:
    """Returns the final metric of some replicas, see `numbers`."""
    return numbers([summary.metrics[name][index] for index in replicas], name)


def failure_rate(validity: Sequence[float | None]) -> float:
    """Returns the share of seeds that failed: those whose final validity is below a half or not finite.

    Args:
      validity: the final validity of each seed, at least one; None if it is not finite.
    """
    return float(np.mean([value is None or not value >= FAILURE_VALIDITY for value in validity]))


def numbers(values: Sequence[float | None], name: str) -> NDArray[np.floating]:
    """Returns the entries of a metric as numbers, with the metric's worst value in place of None.

    JSON stores infinity and NaN as null. A band without the failed seeds would look better than it is.

    Args:
      values: one entry per seed, as read from JSON.
      name: name of the metric.
    """
    worst = describe(name).worst_value
    return np.array([worst if value is None else value for value in values], float)
