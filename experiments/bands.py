"""What a metric is over seeds: its band, and how many seeds failed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
      values: the metric; infinite values take their places, and one that is no number makes the band so.
      axis: the axis of the seeds.

    Returns:
      The band, without that axis.
    """
    # Between two order statistics of which one is infinite lies no number: the quartile is then the outer of the two.
    with np.errstate(invalid="ignore"):
        inner = np.quantile(values, (0.5, 0.25, 0.75), axis=axis, method="linear")
    outer = np.quantile(values, (0.5, 0.25, 0.75), axis=axis, method="higher")
    median, lower, upper = np.where(np.isnan(inner) & ~np.isnan(outer), outer, inner)
    return Band(median, lower, upper, np.min(values, axis=axis), np.max(values, axis=axis))


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
      name: the metric's; of a validity the worst is the least, of everything else the greatest.
    """
    worst = -np.inf if name.endswith("validity") else np.inf
    return np.array([worst if value is None else value for value in values], float)
