"""What a metric is over seeds: its band, and how many seeds failed."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gumbel_gan.metrics import METRICS

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
      values: the metric; infinite values take their places, and those that are no number are left out.
      axis: the axis of the seeds.

    Returns:
      The band, without that axis; no number where no seed has one.
    """
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.filterwarnings("ignore", "All-NaN", RuntimeWarning)
        between, low, high = (
            np.nanquantile(values, (0.5, 0.25, 0.75), axis=axis, method=method)
            for method in ("linear", "lower", "higher")
        )
        least, greatest = np.nanmin(values, axis=axis), np.nanmax(values, axis=axis)
    # Between two order statistics of which one is infinite lies no number: the infinite one is taken, the worse.
    median, lower, upper = np.where(
        np.isfinite(low) & np.isfinite(high), between, np.where(np.isfinite(low), high, low)
    )
    return Band(median, lower, upper, least, greatest)


def told_apart(summary: Mapping[str, Any], stage: str, members: Sequence[int], step: int = -1) -> NDArray[np.floating]:
    """Gives how well some members' states read are told from states drawn, as `numbers`.

    Args:
      summary: a summary that holds `dynamics`.
      stage: 'before', 'after' or 'heldout'.
      members: their indices.
      step: index of the observed step; -1 is the last.
    """
    accuracy = summary["dynamics"][stage]["accuracy"]
    return numbers([accuracy[member][step] for member in members], "dynamics_accuracy")


def failure_rate(validity: Sequence[float | None]) -> float:
    """Gives the share of seeds that failed: those whose validity ends below a half, or is no number.

    Args:
      validity: the final validity of each seed, at least one; None is no number.
    """
    return float(np.mean([value is None or not value >= FAILURE_VALIDITY for value in validity]))


def numbers(values: Sequence[float | None], name: str) -> NDArray[np.floating]:
    """Turns the entries of a metric as JSON holds them into numbers, None into the worst that the metric can be.

    JSON has no infinity, and a failed seed must not vanish from a band.

    Args:
      values: one entry a seed.
      name: the metric's; of a validity and where higher is better the worst is the least, else the greatest, which
        for an accuracy is 1.
    """
    if name.endswith("accuracy"):
        return np.array([1.0 if value is None else value for value in values], float)
    higher = name in METRICS and METRICS[name].better == "higher"
    worst = -np.inf if higher or name.endswith("validity") else np.inf
    return np.array([worst if value is None else value for value in values], float)
