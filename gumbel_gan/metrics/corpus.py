"""What is measured on a sample as a set of whole sequences: repeats, copies of the training data, lengths."""

from collections.abc import Collection, Sequence

import numpy as np


def uniqueness(samples: Sequence[tuple[int, ...]]) -> float:
    """Computes the share of distinct sequences.

        uniqueness = |{s_1, ..., s_N}| / N

    It falls with N, also for the true law: compare samples of one size.

    Args:
      samples: N sequences of tokens, padding stripped.

    Returns:
      A number in (0, 1].

    Raises:
      ValueError: there are no samples.
    """
    require_sequences(samples=samples)
    return len(set(samples)) / len(samples)


def novelty(samples: Sequence[tuple[int, ...]], train: Collection[tuple[int, ...]]) -> float:
    """Computes the share of samples, repeats counted, that are not among the training sequences.

    Args:
      samples: N sequences of tokens, padding stripped.
      train: the training sequences; a set is not copied.

    Returns:
      A number in [0, 1].

    Raises:
      ValueError: there are no samples, or no training sequences.
    """
    require_sequences(samples=samples, train=train)
    known = train if isinstance(train, set | frozenset) else set(train)
    return sum(sample not in known for sample in samples) / len(samples)


def length_distance(samples: Sequence[tuple[int, ...]], references: Sequence[tuple[int, ...]]) -> float:
    """Computes the total variation between two empirical laws of the length.

        length_distance = 1/2 sum_l |share of samples of length l - share of references of length l|

    Args:
      samples: N sequences of tokens, padding stripped.
      references: the sequences to compare with, likewise.

    Returns:
      A number in [0, 1].

    Raises:
      ValueError: there are no samples, or no references.
    """
    require_sequences(samples=samples, references=references)
    lengths = [np.fromiter(map(len, sequences), np.int64) for sequences in (samples, references)]
    bins = max(each.max() for each in lengths) + 1
    shares = [np.bincount(each, minlength=bins) / len(each) for each in lengths]
    return 0.5 * float(np.abs(shares[0] - shares[1]).sum())


def require_sequences(**sequences: Collection[tuple[int, ...]]) -> None:
    """Refuses arguments that hold nothing.

    Args:
      **sequences: the arguments by name.

    Raises:
      ValueError: one of them is empty.
    """
    for name, each in sequences.items():
        if not len(each):
            raise ValueError(f"{name} must not be empty")
