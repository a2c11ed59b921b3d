"""Splits data into training, validation and test sets that share no sequence."""

from collections.abc import Hashable, Sequence

import numpy as np

WINDOWS_NOTE = "The beginning of the text is for training, the part after it for validation, and the end for the test."

_HELDOUT_SHARE, _MOST_HELDOUT = 10, 1_000


def usual_heldout(num_distinct: int) -> int:
    """Returns the default number of sequences in each held-out set: a tenth of `num_distinct`, from 1 to 1,000."""
    return min(max(1, num_distinct // _HELDOUT_SHARE), _MOST_HELDOUT)


def split_rows(
    keys: Sequence[Hashable],
    *,
    deduplicate: bool,
    num_heldout: int | None,
    seed: int,
    name: str,
    noun: str = "sequences",
    notes: Sequence[str] = (),
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draws a split into three sets such that equal rows are in the same set.

    Args:
      keys: N keys, one per row; equal rows have equal keys.
      deduplicate: whether only the first copy of a row is kept.
      num_heldout: number of distinct rows for validation, and the same number for the test; None takes `usual_heldout`.
      seed: seed of the split and of the order of rows within each set.
      name: name of the argument that holds the rows, for the error message.
      noun: what the distinct keys are, for the error message.
      notes: sentences on the rows that were read and left out, which may be the cause of an error, for its message.

    Returns:
      The indices of the rows for training, for validation and for the test, each in random order.

    Raises:
      ValueError: no row would be left for training.
    """
    first_row: dict[Hashable, int] = {}
    for row, key in enumerate(keys):
        first_row.setdefault(key, row)
    number_of = {key: number for number, key in enumerate(first_row)}
    num_distinct = len(number_of)
    told = f". {' '.join(notes)}" if notes else ""
    if num_heldout is None:
        num_heldout = usual_heldout(num_distinct)
        if num_distinct < 3:
            raise ValueError(
                f"{name} must hold at least 3 distinct {noun}, for training, validation and test, "
                f"got {num_distinct}{told}"
            )
    if 2 * num_heldout >= num_distinct:
        raise ValueError(
            f"num_heldout must be less than half of the distinct {noun}, which are {num_distinct:,}; "
            f"got {num_heldout:,}{told}"
        )
    rng = np.random.default_rng(seed)
    rank_of_number = rng.permutation(num_distinct)
    kept = np.fromiter(first_row.values(), np.int64) if deduplicate else np.arange(len(keys))
    rows = kept[rng.permutation(len(kept))]
    ranks = rank_of_number[np.fromiter((number_of[keys[row]] for row in rows), np.int64, len(rows))]
    validation = ranks < num_heldout
    test = ~validation & (ranks < 2 * num_heldout)
    return rows[~validation & ~test], rows[validation], rows[test]


def describe_sizes(num_symbols: int, train: int, validation: int, test: int) -> str:
    """Returns a sentence with the sizes of a vocabulary and of the splits, for the notes of a task."""
    return (
        f"Symbols of the vocabulary: {num_symbols:,}. Sequences for training: {train:,}; "
        f"for validation: {validation:,}; for the test: {test:,}."
    )


def describe_repeats(noun: str, num_repeated: int, *, deduplicate: bool) -> str:
    """Returns a sentence on the treatment and the number of repeated sequences, for the notes of a task."""
    done = "left out" if deduplicate else f"kept, all copies of a {noun} in the same split"
    return f"Repeated {noun}s, {done}: {num_repeated:,}."
