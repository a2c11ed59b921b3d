"""What every source of sequences gives."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np


class Oracle(NamedTuple):
    """What is known of the true law of a task.

    Attributes:
      is_valid: tells whether a string, padding stripped, has a probability > 0.
      method: how validity is decided, for reports: 'enumeration' of the support, or 'parser'.
      support: `[M, T]` int32, every sequence of probability > 0; None where they are too many to list.
      log_probs: `[M]` float64, their log-probabilities in nats, which sum to 1 as probabilities; None with `support`.
      law: the probability of every valid string, padding stripped; None with `support`.
      length_probs: `[T + 1]` float64, the law of the length in symbols, padding stripped.
    """

    is_valid: Callable[[str], bool]
    method: str
    support: np.ndarray | None
    log_probs: np.ndarray | None
    law: Mapping[str, float] | None
    length_probs: np.ndarray


class Task(NamedTuple):
    """Sequences to learn from, all of one length T.

    Attributes:
      name: short name, for reports.
      symbols: the vocabulary, K strings; a token is an index into it.
      padding: the token that fills a sequence up to T.
      train: `[N, T]` int32 tokens.
      validation: `[N', T]` int32 tokens, to choose by.
      test: `[N'', T]` int32 tokens, to report on.
      decode: maps `[N, T]` tokens to N strings, their padding stripped.
      oracle: the true law, where it is known.
    """

    name: str
    symbols: tuple[str, ...]
    padding: int
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    decode: Callable[[np.ndarray], list[str]]
    oracle: Oracle | None

    @property
    def length(self) -> int:
        """T, the number of symbols of a sequence, padding included."""
        return self.train.shape[1]
