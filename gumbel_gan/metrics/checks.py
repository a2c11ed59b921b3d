"""Checks of the arguments of metrics."""

from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any

import jax
import numpy as np

from gumbel_gan.arguments import require_at_least


def as_sequences(name: str, sequences: Iterable[Sequence[int]], *, least: int = 1) -> list[tuple[int, ...]]:
    """Checks sequences of tokens.

    Args:
      name: name of the argument, for error messages.
      sequences: sequences of tokens without padding: tuples, lists or arrays `[T]` of integers.
      least: minimum number of sequences.

    Returns:
      The sequences as tuples of integers.

    Raises:
      TypeError: `sequences` is a string, is not iterable, or does not hold sequences of integers.
      ValueError: there are fewer than `least` sequences, or a token is negative.
    """
    if isinstance(sequences, str) or not isinstance(sequences, Iterable):
        raise TypeError(f"{name} must be a collection of sequences of tokens, got {sequences!r}")
    tuples = [each if isinstance(each, tuple) else _as_tuple(name, each) for each in sequences]
    _check_tokens(name, tuples)
    if len(tuples) < least:
        wanted = "one sequence" if least == 1 else f"{least} sequences"
        raise ValueError(f"{name} must hold at least {wanted}, got {len(tuples)}")
    return tuples


def as_known_sequences(name: str, sequences: Collection[Sequence[int]]) -> set[tuple[int, ...]] | frozenset:
    """Checks sequences of tokens as `as_sequences` does and returns them as a set; a set is returned without a copy."""
    if not isinstance(sequences, set | frozenset):
        return set(as_sequences(name, sequences))
    as_sequences(name, sequences)
    return sequences


def require_seed(seed: int) -> None:
    """Raises unless a seed is an integer from 0 to 2**32 - 1, the range that scikit-learn and openTSNE accept."""
    require_at_least(0, seed=seed)
    if seed >= 2**32:
        raise ValueError(f"seed must be less than 2**32, got {seed}")


def _as_tuple(name: str, sequence: Any) -> tuple[int, ...]:
    if isinstance(sequence, np.ndarray | jax.Array) and sequence.ndim == 1:
        return tuple(np.asarray(sequence).tolist())
    if isinstance(sequence, Sequence) and not isinstance(sequence, str | bytes):
        return tuple(sequence)
    raise TypeError(f"{name} must hold sequences of tokens, got {sequence!r}")


def _check_tokens(name: str, sequences: list[tuple[int, ...]]) -> None:
    for kind in set(map(type, chain.from_iterable(sequences))):
        if kind is not int and not issubclass(kind, np.integer):
            raise TypeError(f"{name} must hold sequences of integers, got a token of type {kind.__name__}")
    least = min(chain.from_iterable(sequences), default=0)
    if least < 0:
        raise ValueError(f"{name} must hold tokens of at least 0, got {least}")
