"""What metrics are called, and how their numbers are written."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.reports.bands import band
from gumbel_gan.metrics import DIVERGENCE_ORDERS, METRICS

WINDOW_METRICS = tuple(f"ngram_divergence_{order}" for order in DIVERGENCE_ORDERS)
LABELS = {
    "validity": "validity mass",
    "total_variation": "total variation",
    "kl_data_model": "KL(data || model), nats",
    "length_total_variation": "length total variation",
    "sampled_validity": "validity",
    "sampled_total_variation": "total variation",
    "sampled_length_total_variation": "length total variation",
    "distinct_strings": "distinct strings",
    **{name: metric.label for name, metric in METRICS.items()},
    **{f"long_{name}": f"{METRICS[name].label} beyond the trained length" for name in WINDOW_METRICS},
    "dynamics_accuracy": "accuracy of telling states read from states drawn",
    "dynamics_excess": "accuracy of telling states read from drawn, above that of two held-out sets",
}
_COUNTS = ("distinct_strings",)
_NATS = ("nll", "_by_data", "_by_samples")


def format_metric(name: str, value: Any) -> str:
    """Writes a metric: four decimals; from 10 on a whole number, or nats with two; below 1e-4 a power of ten."""
    if not np.isfinite(value):
        return "∞" if value > 0 else "failed"
    if 0 < value < 1e-4:
        return f"{value:.0e}"
    if value >= 10 or name in _COUNTS:
        return f"{value:,.2f}" if name.endswith(_NATS) else f"{value:,.0f}"
    return f"{value:.4f}"


def spread(name: str, values: np.ndarray) -> str:
    """Writes the median of a metric over members, and in brackets the least and the greatest."""
    over_seeds = band(values)
    middle, least, greatest = (
        format_metric(name, value) for value in (over_seeds.median, over_seeds.least, over_seeds.greatest)
    )
    return f"{middle} ({least}–{greatest})"


def half_width(summary: Mapping[str, Any], name: str, members: Sequence[int]) -> float:
    """Gives half the width of a metric's 95 % interval, the median over members."""
    ends = np.array([summary["intervals"][name][index] for index in members], float)
    # Rounded, since the resamples of a metric that can't vary differ in their last bits.
    return round(float(np.median(ends[:, 1] - ends[:, 0]) / 2), 12)
