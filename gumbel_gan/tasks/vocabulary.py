"""Strings to token arrays and back."""

from collections.abc import Sequence
from itertools import chain

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
    lengths = np.fromiter(map(len, strings), np.int32, len(strings))
    if (lengths > length).any():
        longest = strings[int(lengths.argmax())]
        raise ValueError(f"strings must be at most {length} symbols long, got {longest!r}")
    try:
        written = np.fromiter(map(token_of.__getitem__, chain.from_iterable(strings)), np.int32, lengths.sum())
    except KeyError as error:
        unknown = error.args[0]
        holder = next(string for string in strings if unknown in string)
        raise ValueError(
            f"strings must be over the symbols {' '.join(symbols)}, got {unknown!r} in {holder!r}"
        ) from None
    tokens = np.full((len(strings), length), padding, np.int32)
    tokens[np.arange(length)[None, :] < lengths[:, None]] = written
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
    # As objects: an array of strings would drop the NUL at the end of one.
    rows = np.asarray(symbols, object)[tokens]
    lengths = sequence_lengths(tokens, padding, ends=ends)
    return [separator.join(row[:length]) for row, length in zip(rows, lengths, strict=True)]
