"""Formats numbers for tables and reports."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.reports.bands import band
from experiments.run.summary import Summary
from gumbel_gan.metrics import describe

# From here on, numbers are in scientific notation, so that a diverged seed does not widen its column.
_LARGE = 1e7


def format_metric(name: str, value: Any) -> str:
    """Formats a metric: four decimals; from 10 on none, or two for nats; scientific notation for extreme values."""
    if not np.isfinite(value):
        return "∞" if value > 0 else "failed"
    if abs(value) >= _LARGE or 0 < abs(value) < 1e-4:
        return f"{value:.0e}"
    unit = describe(name).unit
    if abs(value) >= 10 or unit == "count":
        return f"{value:,.2f}" if unit == "nats" else f"{value:,.0f}"
    return f"{value:.4f}"


def format_range(name: str, least: Any, greatest: Any) -> str:
    """Formats an interval of a metric."""
    return f"{format_metric(name, least)}–{format_metric(name, greatest)}"


def format_band(name: str, values: np.ndarray) -> str:
    """Formats the median of a metric over replicas and, if there are several, the range in brackets."""
    over_seeds = band(values)
    middle = format_metric(name, over_seeds.median)
    return f"{middle} ({format_range(name, over_seeds.least, over_seeds.greatest)})" if len(values) > 1 else middle


def format_point(settings: Mapping[str, Any]) -> list[str]:
    """Formats the swept settings of a point of a sweep, each by the last part of its path."""
    return [f"{name.rpartition('.')[2]}={value}" for name, value in settings.items()]


def half_width(summary: Summary, name: str, replicas: Sequence[int]) -> float:
    """Returns half the width of a metric's 95 % interval: the median over replicas that have one; NaN without any."""
    ends = np.array([summary.intervals[name][index] for index in replicas], float)
    ends = ends[np.isfinite(ends).all(axis=1)]
    if not len(ends):
        return float("nan")
    # Rounded, since the resamples of a constant differ in their last bits.
    return round(float(np.median(ends[:, 1] - ends[:, 0]) / 2), 12)
