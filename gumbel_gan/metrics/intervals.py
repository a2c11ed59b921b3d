"""Confidence intervals of metrics, computed in the same way for all of them."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gumbel_gan.arguments import require_at_least

_NORMAL_QUANTILE = 1.96
# Number of indices of resamples in memory at a time.
_INDICES_AT_ONCE = 2**22


class Estimate(NamedTuple):
    """A metric's value and its 95 % interval.

    Attributes:
      value: the metric of the whole sample.
      low: lower end of the interval.
      high: upper end of the interval.
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

    Percentile intervals would be wrong here. A resample repeats some elements and has fewer distinct ones, which shifts
    statistics that are nonlinear in the empirical distribution (divergences, counts of distinct sequences). The shift
    is often so large that the percentile interval does not contain the value. A shift does not change the standard
    error.

    The interval covers only the noise of drawing this sample: references, training data and the trained model are
    fixed. The interval is not clipped to the range of the metric. If the value is not finite, both ends are the value.

    Args:
      statistic: (`[num]` indices, repeats allowed) -> a number.
      num: size of the sample, at least 2.
      num_resamples: number of resamples, at least 2.
      seed: seed of the draws, at least 0.

    Returns:
      The estimate.

    Raises:
      TypeError: `num`, `num_resamples` or `seed` is not an integer.
      ValueError: `num` or `num_resamples` is less than 2, or `seed` is negative.

    References:
      Efron 1979, https://doi.org/10.1214/aos/1176344552.
    """
    # Imported here because the import takes a second.
    from scipy import stats

    require_at_least(2, num=num, num_resamples=num_resamples)
    require_at_least(0, seed=seed)
    indices = np.arange(num)
    value = float(statistic(indices))
    if not math.isfinite(value):
        return Estimate(value, value, value)
    result = stats.bootstrap(
        (indices,),
        statistic,
        n_resamples=num_resamples,
        batch=max(1, _INDICES_AT_ONCE // num),
        vectorized=False,
        method="percentile",
        rng=seed,
    )
    margin = _NORMAL_QUANTILE * float(result.standard_error)
    return Estimate(value, value - margin, value + margin)
