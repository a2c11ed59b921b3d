"""Splits sequences into training, validation and test sets by hashes, for data that does not fit in memory."""

from pathlib import Path

import numpy as np

TRAIN, VALIDATION, TEST, REPEATED = range(4)

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_ROWS_AT_ONCE = 2**22


def row_hashes(tokens: np.ndarray, seed: int) -> np.ndarray:
    """Computes the `[N]` uint64 hashes of `[N, T]` sequences; the hashes depend on the seed.

    Among N different sequences, two share a hash with a probability of about N^2 / 2^65: 3e-4 for 100 million.
    """
    hashes = _mixed(np.full(len(tokens), seed + 1, np.uint64) * _MULTIPLIER)
    for column in tokens.T:
        hashes = (hashes ^ column.astype(np.uint64)) * _MULTIPLIER
        hashes ^= hashes >> np.uint64(32)
    return _mixed(hashes)


def split_by_hashes(path: Path, num: int, *, num_heldout: int, deduplicate: bool) -> np.ndarray:
    """Splits sequences such that equal sequences are in the same set; those with the smallest hashes are held out.

    Args:
      path: a file with the uint64 hashes of N sequences.
      num: N.
      num_heldout: number of distinct sequences for validation, and the same number for the test.
      deduplicate: whether only the first copy of a sequence is kept.

    Returns:
      `[N]` uint8: TRAIN, VALIDATION, TEST or REPEATED for each sequence.

    Raises:
      ValueError: no sequence would be left for training.
    """
    bits = max(0, int(np.ceil(np.log2(max(1, num) / _ROWS_AT_ONCE))))
    group = np.zeros(num, np.uint8)
    num_distinct = 0
    for part in range(2**bits):
        rows, hashes = _part(path, num, part, bits)
        values, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
        rank = num_distinct + np.arange(len(values))
        of_value = np.select([rank < num_heldout, rank < 2 * num_heldout], [VALIDATION, TEST], TRAIN).astype(np.uint8)
        of_row = of_value[inverse]
        if deduplicate:
            is_first = np.zeros(len(rows), bool)
            is_first[first] = True
            of_row[~is_first] = REPEATED
        group[rows] = of_row
        num_distinct += len(values)
    if 2 * num_heldout >= num_distinct:
        raise ValueError(
            f"num_heldout must be less than half of the distinct sequences, which are {num_distinct:,}; "
            f"got {num_heldout:,}"
        )
    return group


def _part(path: Path, num: int, part: int, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows, in order, whose hashes begin with the `bits` bits of `part`, and their hashes."""
    rows, found = [], []
    for start in range(0, num, _ROWS_AT_ONCE):
        hashes = np.fromfile(path, np.uint64, _ROWS_AT_ONCE, offset=8 * start)
        chosen = np.flatnonzero(hashes >> np.uint64(64 - bits) == part) if bits else np.arange(len(hashes))
        rows.append(chosen + start)
        found.append(hashes[chosen])
    return np.concatenate(rows), np.concatenate(found)


def _mixed(hashes: np.ndarray) -> np.ndarray:
    """Returns hashes in which every bit depends on all input bits (the finalizer of SplitMix64)."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * _MIX[0]
    hashes = (hashes ^ (hashes >> np.uint64(27))) * _MIX[1]
    return hashes ^ (hashes >> np.uint64(31))
