"""Metrics of whole sequences: repeats, copies of the training data, and lengths."""

from collections.abc import Collection, Sequence

import numpy as np

from gumbel_gan.metrics.checks import as_known_sequences, as_sequences


def uniqueness(samples: Sequence[tuple[int, ...]]) -> float:
    """Computes the share of distinct sequences.

        uniqueness = |{s_1, ..., s_N}| / N

    Uniqueness decreases with N even for the true distribution, so compare samples of the same size.

    Args:
      samples: N sequences of tokens, without padding.

    Returns:
      A number in (0, 1].

    Raises:
      TypeError: `samples` does not hold sequences of integers.
      ValueError: there are no samples, or a token is negative.
    """
    samples = as_sequences("samples", samples)
    return len(set(samples)) / len(samples)


def novelty(samples: Sequence[tuple[int, ...]], train: Collection[tuple[int, ...]]) -> float:
    """Computes the share of samples that are not training sequences, counting repeats.

    Novelty is not informative if most true samples are training sequences: for the arithmetic grammar with uniform
    lengths, 92 % of the test strings are. Compare it with the novelty of held-out data.

    Args:
      samples: N sequences of tokens, without padding.
      train: the training sequences; a set is not copied.

    Returns:
      A number in [0, 1].

    Raises:
      TypeError: an argument does not hold sequences of integers.
      ValueError: there are no samples or no training sequences, or a token is negative.
    """
    samples, known = as_sequences("samples", samples), as_known_sequences("train", train)
    return sum(sample not in known for sample in samples) / len(samples)


def length_distance(samples: Sequence[tuple[int, ...]], references: Sequence[tuple[int, ...]]) -> float:
    """Computes the total variation between the length distributions of two sets of sequences.

        length_distance = 1/2 sum_l |share of samples of length l - share of references of length l|

    Args:
      samples: N sequences of tokens, without padding.
      references: M sequences of tokens to compare with, without padding.

    Returns:
      A number in [0, 1].

    Raises:
      TypeError: an argument does not hold sequences of integers.
      ValueError: there are no samples or no references, or a token is negative.
    """
    return distance_of_lengths(
        lengths_of(as_sequences("samples", samples)), lengths_of(as_sequences("references", references))
    )


def lengths_of(sequences: Sequence[tuple[int, ...]]) -> np.ndarray:
    """Returns the `[N]` lengths of N sequences."""
    return np.fromiter(map(len, sequences), np.int64, len(sequences))


def distance_of_lengths(lengths: np.ndarray, reference_lengths: np.ndarray) -> float:
    """Computes `length_distance` from the `[N]` and `[M]` lengths of the sequences."""
    bins = max(lengths.max(), reference_lengths.max()) + 1
    shares = [np.bincount(each, minlength=bins) / len(each) for each in (lengths, reference_lengths)]
    return 0.5 * float(np.abs(shares[0] - shares[1]).sum())
