"""Distances between sampled strings and the true distribution, including sampling noise."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from gumbel_gan.arguments import as_strings
from gumbel_gan.metrics.interface import Metric

SAMPLED: dict[str, Metric] = {
    "sampled_validity": Metric(
        "validity of samples",
        "higher",
        "Share of valid sequences among the samples.",
        applies="samples",
        panel="validity",
        estimates="validity",
        in_progress=True,
    ),
    "sampled_total_variation": Metric(
        "total variation of samples",
        "lower",
        "Total variation between the empirical distribution of the samples and the true one; above 0 even for samples "
        "of the true distribution.",
        applies="samples",
        panel="total variation",
        estimates="total_variation",
    ),
    "sampled_length_total_variation": Metric(
        "length total variation of samples",
        "lower",
        "Total variation between the distribution of the length of the samples and the true one.",
        applies="samples",
        panel="total variation",
        estimates="length_total_variation",
    ),
    "distinct_strings": Metric(
        "distinct strings", "as data", "Number of distinct strings among the samples.", unit="count", applies="samples"
    ),
}


def sampled_distances(
    strings: Sequence[str],
    *,
    is_valid: Callable[[str], bool],
    length_probs: np.ndarray | None = None,
    probs: Mapping[str, float] | None = None,
    lengths: Sequence[int] | np.ndarray | None = None,
) -> dict[str, float]:
    """Computes distances between the empirical distribution of strings and the true one.

    With v the share of valid strings, and q(s) the share of a valid string s among all N strings:

        sampled_validity = v
        sampled_length_total_variation = 1/2 (sum_l |q(l) - p(l)| + 1 - v), with q(l) the share of those of length l
        sampled_total_variation = 1/2 (sum_s |q(s) - p(s)| + 1 - v)

    Even samples of the true distribution do not score 0 on the last two metrics, so compare with such samples of the
    same size.

    Args:
      strings: N strings, without padding.
      is_valid: (string) -> whether its true probability is > 0.
      length_probs: `[T + 1]`, the true distribution of the length; None omits `sampled_length_total_variation`.
      probs: the true probability of every valid string; None omits `sampled_total_variation`.
      lengths: `[N]` lengths of the strings in symbols; None stands for the numbers of characters.

    Returns:
      The metrics by name.

    Raises:
      TypeError: `strings` is a single string, or holds an element that is not a string.
      ValueError: `strings` is empty, `lengths` does not hold N lengths, or the length of a valid string is not from 0
        to T.
    """
    strings = as_strings(strings=strings)
    if not strings:
        raise ValueError("strings must hold at least one string, got none")
    if lengths is not None and len(lengths) != len(strings):
        raise ValueError(f"lengths must be as many as strings, {len(strings)}, got {len(lengths)}")
    shares = {string: count / len(strings) for string, count in Counter(strings).items() if is_valid(string)}
    validity = sum(shares.values())
    metrics = {"sampled_validity": validity}
    if length_probs is not None:
        length_of = dict(zip(strings, map(len, strings) if lengths is None else lengths, strict=True))
        by_length = np.zeros(len(length_probs))
        for string, share in shares.items():
            if not 0 <= length_of[string] < len(length_probs):
                raise ValueError(
                    f"lengths of valid strings must be from 0 to {len(length_probs) - 1}, as in length_probs, "
                    f"got {length_of[string]} of {string!r}"
                )
            by_length[length_of[string]] += share
        distance = float(np.abs(by_length - length_probs).sum())
        metrics["sampled_length_total_variation"] = 0.5 * (distance + 1.0 - validity)
    if probs is not None:
        distance = sum(abs(shares.get(string, 0.0) - prob) for string, prob in probs.items())
        metrics["sampled_total_variation"] = 0.5 * (distance + 1.0 - validity)
    return metrics
