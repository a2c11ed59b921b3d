"""Confidence intervals of metrics, by one rule for all of them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.stats

_NORMAL_QUANTILE = 1.96


class Estimate(NamedTuple):
    """A metric's value and its 95 % interval.

    Attributes:
      value: the metric on the whole sample.
      low: the interval's lower end.
      high: its upper end.
    """

    value: float
    low: float
    high: float


def bootstrap(
    statistic: Callable[[np.ndarray], float], num: int, *, num_resamples: int = 200, seed: int = 0
) -> Estimate:
    """Estimates a statistic of a sample, with a 95 % interval by the bootstrap's standard error.

        value +- 1.96 s, with value = statistic(0, ..., num - 1) and
        s the standard deviation of the statistic over index arrays drawn with replacement

    Why not percentiles: a resample repeats members, so it holds fewer distinct ones, and plug-in statistics that are
    nonlinear in the empirical law (divergences, counts of distinct sequences) are shifted by it, often so far that
    the percentile interval does not contain the value. The standard error isn't touched by a shift.

    The interval is the noise of drawing this sample and nothing else: references, training data and the model that
    was trained stay as they are. It isn't cut off at the end of a metric's range.

    Args:
      statistic: maps `[num]` indices, repeats allowed, to a number.
      num: size of the sample, at least 2.
      num_resamples: how often to draw anew, at least 2.
      seed: of the draws.

    Returns:
      The estimate.

    Raises:
      ValueError: `num` or `num_resamples` is less than 2.

    References:
      Efron 1979, https://doi.org/10.1214/aos/1176344552.
    """
    for name, count in (("num", num), ("num_resamples", num_resamples)):
        if count < 2:
            raise ValueError(f"{name} must be at least 2, got {count}")
    indices = np.arange(num)
    result = scipy.stats.bootstrap(
        (indices,), statistic, n_resamples=num_resamples, vectorized=False, method="percentile", rng=seed
    )
    value, margin = float(statistic(indices)), _NORMAL_QUANTILE * float(result.standard_error)
    return Estimate(value, value - margin, value + margin)
