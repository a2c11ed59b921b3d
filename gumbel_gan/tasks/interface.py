"""What every source of sequences gives."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np


class Oracle(NamedTuple):
    """What is known of the true law of a task.

    Attributes:
      is_valid: tells whether a string, padding stripped, has a probability > 0; None where every one has.
      method: how validity is decided, for reports: 'enumeration' of the support, or 'parser'; None with `is_valid`.
      support: `[M, T]` int32, every sequence of probability > 0; None where they are too many to list.
      log_probs: `[M]` float64, their log-probabilities in nats, which sum to 1 as probabilities; None with `support`.
      law: the probability of every valid string, padding stripped; None with `support`.
      length_probs: `[T + 1]` float64, the law of the length in symbols, padding stripped.
      log_prob: maps `[N, T]` tokens to `[N]` log-probabilities in nats, for a law that can be computed and not listed.
    """

    is_valid: Callable[[str], bool] | None
    method: str | None
    support: np.ndarray | None
    log_probs: np.ndarray | None
    law: Mapping[str, float] | None
    length_probs: np.ndarray
    log_prob: Callable[[np.ndarray], np.ndarray] | None = None


class Task(NamedTuple):
    """Sequences to learn from, all of one length T.

    Attributes:
      name: short name, for reports.
      symbols: the vocabulary, K strings; a token is an index into it.
      padding: the token that fills a sequence up to T; None where every sequence is T symbols long.
      train: `[N, T]` int32 tokens.
      validation: `[N', T]` int32 tokens, to choose by.
      test: `[N'', T]` int32 tokens, to report on.
      decode: maps `[N, T]` tokens to N strings, their padding stripped.
      oracle: the true law, where it is known.
      ends: whether the first padding ends a sequence, so that nothing but padding follows it; otherwise padding is a
        symbol like the others, which a generator may write in the middle.
      image_shape: height and width, where a sequence is a picture's pixels, row by row; None where it is none.
      notes: what happened to the data on its way here, a sentence each, for the user to see.
    """

    name: str
    symbols: tuple[str, ...]
    padding: int | None
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    decode: Callable[[np.ndarray], list[str]]
    oracle: Oracle | None
    ends: bool = False
    image_shape: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()

    @property
    def length(self) -> int:
        """T, the number of symbols of a sequence, padding included."""
        return self.train.shape[1]

    @property
    def is_valid(self) -> Callable[[str], bool] | None:
        """Tells valid strings; None where no oracle does."""
        return None if self.oracle is None else self.oracle.is_valid

    def sequences(self, tokens: np.ndarray) -> list[tuple[int, ...]]:
        """Strips the padding.

        Args:
          tokens: `[N, T]` integers in [0, K), of any T.

        Returns:
          N sequences of tokens: up to the first padding where that ends a sequence, else without the padding at the
          end.
        """
        tokens = np.asarray(tokens)
        lengths = sequence_lengths(tokens, self.padding, ends=self.ends)
        return [tuple(row[:length]) for row, length in zip(tokens.tolist(), lengths, strict=True)]


def sequence_lengths(tokens: np.ndarray, padding: int | None, *, ends: bool) -> np.ndarray:
    """Gives the lengths of padded sequences.

    Args:
      tokens: `[N, T]` integers.
      padding: the token that pads; None where none does.
      ends: whether the first padding ends a sequence; otherwise only the padding at the end is none of it.

    Returns:
      `[N]` integers from 0 to T.
    """
    num, length = tokens.shape
    if padding is None:
        return np.full(num, length)
    written = tokens != padding
    if ends:
        return np.logical_and.accumulate(written, axis=1).sum(axis=1)
    return length - np.logical_and.accumulate(~written[:, ::-1], axis=1).sum(axis=1)
