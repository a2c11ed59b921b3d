"""Strings to token arrays and back, for vocabularies of single characters."""

from collections.abc import Sequence

import numpy as np


def encode(strings: Sequence[str], symbols: Sequence[str], length: int, *, padding: int = 0) -> np.ndarray:
    """Turns strings into one array of tokens, padded at the end.

    Args:
      strings: N strings over `symbols`, each at most `length` long.
      symbols: K single characters.
      length: T.
      padding: token that fills up.

    Returns:
      `[N, T]` int32 tokens.

    Raises:
      ValueError: a string is too long or holds an unknown character.
    """
    token_of = {symbol: token for token, symbol in enumerate(symbols)}
    tokens = np.full((len(strings), length), padding, np.int32)
    for row, string in zip(tokens, strings, strict=True):
        if len(string) > length:
            raise ValueError(f"strings must be at most {length} characters long, got {string!r}")
        unknown = [character for character in string if character not in token_of]
        if unknown:
            raise ValueError(f"strings must be over the symbols {''.join(symbols)!r}, got {unknown[0]!r} in {string!r}")
        row[: len(string)] = [token_of[character] for character in string]
    return tokens


def decode(tokens: np.ndarray, symbols: Sequence[str], *, padding: int = 0) -> list[str]:
    """Turns tokens into strings, the padding at the end stripped and no other.

    Args:
      tokens: `[N, T]` integers in [0, K).
      symbols: K single characters.
      padding: token that is stripped.

    Returns:
      N strings.
    """
    characters = np.asarray(symbols)[np.asarray(tokens)]
    return ["".join(row).rstrip(symbols[padding]) for row in characters]
