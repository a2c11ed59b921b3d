"""Comparison of two runs by a metric, with a rank test over seeds."""

import functools
import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from experiments.reports.formats import format_band
from experiments.reports.report import Statement
from experiments.reports.runs import FinishedRun
from gumbel_gan.metrics import describe

SIGNIFICANT = 0.05
_POWER = 0.8


def compared(
    claim: str,
    run: FinishedRun,
    other: FinishedRun,
    name: str,
    *,
    shown: Sequence[str] = (),
    failed_beyond: float | None = None,
    with_power: bool = False,
) -> Statement:
    """Compares two runs by a metric, with the Mann-Whitney test over seeds.

    Args:
      claim: the claim of the returned statement.
      run: the run that the outcome, 'better' or 'worse', refers to.
      other: the run to compare with.
      name: the name of a metric for which either higher or lower is better.
      shown: names of more metrics, for the evidence.
      failed_beyond: a value of the metric; if the medians of both runs are worse, both have failed.
      with_power: whether the evidence ends with the difference that the test would detect with a probability of 0.8.

    Raises:
      ValueError: for `name`, neither higher nor lower is better.
    """
    better = describe(name).better
    if better not in ("higher", "lower"):
        raise ValueError(f"name must be a metric of which higher or lower is better, got {name!r}")
    sign = 1 if better == "lower" else -1
    ours, theirs = run.final(name), other.final(name)
    test = stats.mannwhitneyu(sign * ours, sign * theirs)
    best_median = min(np.median(sign * ours), np.median(sign * theirs))
    if failed_beyond is not None and best_median > sign * failed_beyond:
        outcome = "both fail"
    elif 2 / math.comb(len(ours) + len(theirs), len(ours)) >= SIGNIFICANT:
        outcome = "too few seeds to tell"
    elif test.pvalue >= SIGNIFICANT:
        outcome = "no difference seen"
    else:
        outcome = "better" if test.statistic < len(ours) * len(theirs) / 2 else "worse"
    difference = ""
    if all(np.isfinite(values).all() and np.ptp(values) > 0 for values in (ours, theirs)):
        low, high = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval()
        difference = f"; difference of means {ours.mean() - theirs.mean():+.3g} (95 % {low:.3g} to {high:.3g}, Welch)"
    evidence = [
        f"{describe(each).title} {format_band(each, run.final(each))} against {format_band(each, other.final(each))}"
        for each in (name, *shown)
    ]
    evidence.append(f"Mann–Whitney p = {test.pvalue:.2g}{difference}")
    if with_power:
        evidence.append(_detectable(ours, theirs))
    return Statement(claim, outcome, "; ".join(evidence))


def _detectable(ours: np.ndarray, theirs: np.ndarray) -> str:
    """Describes the difference of means that the test would detect, for normal values with these values' variances."""
    shift = least_shift(len(ours), len(theirs))
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return "the values are not all finite"
    if shift is None:
        return "no difference is certain with so few seeds"
    deviation = np.sqrt((np.var(ours, ddof=1) + np.var(theirs, ddof=1)) / 2)
    return f"a difference of {shift * deviation:.2g} would be seen with a probability of {_POWER}"


@functools.cache
def least_shift(num: int, num_others: int) -> float | None:
    """Estimates the shift that the rank test detects with a probability of 0.8, in standard deviations.

    Args:
      num: number of values.
      num_others: number of values that they are compared with.

    Returns:
      The least multiple of 0.1, up to 5, for which at least 80 % of 1,000 pairs of normal samples have p < 0.05; None
      if there is none.
    """
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(size=(1_000, num)), rng.normal(size=(1_000, num_others))
    for tenths in range(1, 51):
        pvalues = stats.mannwhitneyu(ours + tenths / 10, theirs, axis=1).pvalue
        if np.mean(pvalues < SIGNIFICANT) >= _POWER:
            return tenths / 10
    return None
