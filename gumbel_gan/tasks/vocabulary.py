"""Strings to token arrays and back."""

from collections.abc import Sequence

import numpy as np

from gumbel_gan.tasks.interface import sequence_lengths


def encode(strings: Sequence[Sequence[str]], symbols: Sequence[str], length: int, *, padding: int = 0) -> np.ndarray:
    """Turns sequences of symbols into one array of tokens, padded at the end.

    Args:
      strings: N sequences over `symbols`, each at most `length` long: strings for their characters, or lists of words.
      symbols: K strings.
      length: T.
      padding: token that fills up.

    Returns:
      `[N, T]` int32 tokens.

    Raises:
      ValueError: a sequence is too long or holds an unknown symbol.
    """
    token_of = {symbol: token for token, symbol in enumerate(symbols)}
    tokens = np.full((len(strings), length), padding, np.int32)
    for row, string in zip(tokens, strings, strict=True):
        if len(string) > length:
            raise ValueError(f"strings must be at most {length} symbols long, got {string!r}")
        unknown = [symbol for symbol in string if symbol not in token_of]
        if unknown:
            raise ValueError(f"strings must be over the symbols {' '.join(symbols)}, got {unknown[0]!r} in {string!r}")
        row[: len(string)] = [token_of[symbol] for symbol in string]
    return tokens


def decode(
    tokens: np.ndarray,
    symbols: Sequence[str],
    *,
    padding: int | None = 0,
    ends: bool = False,
    separator: str = "",
) -> list[str]:
    """Turns tokens into strings.

    Args:
      tokens: `[N, T]` integers in [0, K).
      symbols: K strings.
      padding: token that is stripped; None strips nothing.
      ends: whether a string ends at its first padding; otherwise only the padding at the end is stripped.
      separator: what stands between two symbols: '' for characters, ' ' for words.

    Returns:
      N strings.
    """
    tokens = np.asarray(tokens)
    rows = np.asarray(symbols)[tokens]
    lengths = sequence_lengths(tokens, padding, ends=ends)
    return [separator.join(row[:length]) for row, length in zip(rows, lengths, strict=True)]
