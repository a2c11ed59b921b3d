"""What is measured on drawn strings, sampling noise included."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np


def distance_to_law(
    strings: Sequence[str],
    *,
    is_valid: Callable[[str], bool],
    length_probs: np.ndarray,
    law: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Measures the empirical law of drawn strings against the true one.

    Args:
      strings: N strings, padding stripped.
      is_valid: tells whether a string has a probability > 0.
      length_probs: `[T + 1]`, the true law of the length.
      law: the true probability of every valid string, where it is known.

    Returns:
      `sampled_validity`, the share of valid strings; `sampled_length_total_variation`, with invalid strings of
      whatever length in a cell of their own; and, where `law` is given, `sampled_total_variation`. Even draws of the
      true law don't score 0 on the last two: compare with such draws.

    Raises:
      ValueError: there are no strings.
    """
    if not strings:
        raise ValueError("strings must not be empty")
    counts = Counter(strings)
    valid = {string: count / len(strings) for string, count in counts.items() if is_valid(string)}
    validity = sum(valid.values())
    by_length = np.zeros(len(length_probs))
    for string, share in valid.items():
        by_length[len(string)] += share
    metrics = {
        "sampled_validity": validity,
        "sampled_length_total_variation": 0.5 * float(np.abs(by_length - length_probs).sum() + 1.0 - validity),
    }
    if law is not None:
        distance = sum(abs(valid.get(string, 0.0) - prob) for string, prob in law.items())
        metrics["sampled_total_variation"] = 0.5 * (distance + 1.0 - validity)
    return metrics
