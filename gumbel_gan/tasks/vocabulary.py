"""A vocabulary, which converts strings to arrays of tokens, and back."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from gumbel_gan.arguments import require_at_least
from gumbel_gan.tasks.normalization import NO_FORM, normalized
from gumbel_gan.tasks.units import split

# The largest number of symbols that an error message lists.
_MOST_SHOWN = 40


class Vocabulary(NamedTuple):
    """Symbols, and the rules for padding sequences of symbols. A token is an index into `symbols`.

    Attributes:
      symbols: K different strings.
      padding: the token that fills a sequence up to T; None if every sequence is T symbols long.
      padding_ends: whether a sequence ends at its first padding, so that only padding follows; otherwise, padding is an
        ordinary symbol, which may also occur inside a sequence, and only padding at the end is stripped.
      allow_empty: whether a sequence may begin with padding. False if no sequence of the data does, so that no
        generated sequence is empty.
      separator: the string between two symbols of a string: '' for characters, ' ' for words.
      pattern: a regular expression whose matches in a string are symbols, as are the characters outside of all matches;
        see `units.split`. '' for no pattern.
      normalize: the Unicode normal form to which a string is converted before it is encoded, as in `strings_task`.
      unknown: the symbol that replaces any symbol that is not in `symbols`; None if such a symbol is an error.
    """

    symbols: tuple[str, ...]
    padding: int | None = None
    padding_ends: bool = False
    allow_empty: bool = True
    separator: str = ""
    pattern: str = ""
    normalize: str = NO_FORM
    unknown: str | None = None

    @property
    def size(self) -> int:
        """K, the number of symbols, padding included."""
        return len(self.symbols)

    def encode(self, strings: Sequence[str | Sequence[str]], length: int) -> np.ndarray:
        """Returns the tokens of strings, padded at the end.

        This is the inverse of `decode`, provided that the separator or the pattern splits a string into its symbols. A
        string may also be given as a sequence of its symbols.

        Args:
          strings: N strings of at most `length` symbols, or of exactly `length` symbols if there is no padding.
          length: T.

        Returns:
          `[N, T]` int32 tokens.

        Raises:
          TypeError: `strings` is a single string, or an element is not a string or a sequence of strings.
          ValueError: a string is too long, or too short without padding; a string holds a symbol that is not in
            `symbols` although `unknown` is None, or holds the padding symbol although `padding_ends` is true; two
            symbols of the vocabulary are equal; or `padding` or `unknown` is not in the vocabulary.
        """
        require_at_least(0, length=length)
        token_of = {symbol: token for token, symbol in enumerate(self.symbols)}
        if len(token_of) < self.size:
            raise ValueError(f"symbols must differ, got {self.size} of which {len(token_of)} are different")
        if self.padding is not None and not 0 <= self.padding < self.size:
            raise ValueError(f"padding must be None or a token in [0, {self.size}), got {self.padding}")
        if self.unknown is not None and self.unknown not in token_of:
            raise ValueError(f"unknown must be None or one of the symbols, got {self.unknown!r}")
        if isinstance(strings, str) or not isinstance(strings, Iterable):
            raise TypeError(f"strings must be a sequence of strings, got {strings!r}")
        sequences = [self.symbols_of(string) for string in strings]
        lengths_N = np.fromiter(map(len, sequences), np.int64, len(sequences))
        self._check_lengths(sequences, lengths_N, length)
        if self.unknown is not None:
            unknown_token = token_of[self.unknown]
            token_of = {symbol: unknown_token for symbol in chain.from_iterable(sequences)} | token_of
        try:
            written = np.fromiter(map(token_of.__getitem__, chain.from_iterable(sequences)), np.int32, lengths_N.sum())
        except KeyError as error:
            unknown = error.args[0]
            holder = next(string for string in sequences if unknown in string)
            raise ValueError(
                f"strings must be over the symbols {self._shown_symbols()}, got {unknown!r} in {holder!r}"
                f"{self._separation(unknown)}"
            ) from None
        if self.padding_ends and (written == self.padding).any():
            symbol = self.symbols[written[written == self.padding][0]]
            holder = next(string for string in sequences if symbol in list(string))
            raise ValueError(
                f"strings must not hold the symbol {symbol!r}, which ends a sequence, got {holder!r}"
                f"{self._separation(symbol)}"
            )
        tokens_NT = np.full((len(sequences), length), 0 if self.padding is None else self.padding, np.int32)
        tokens_NT[np.arange(length)[None, :] < lengths_N[:, None]] = written
        return tokens_NT

    def encode_prefixes(self, strings: Sequence[str | Sequence[str]], length: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the tokens of prefixes of sequences, for `SequenceModel.complete`.

        Args:
          strings: N strings, or sequences of symbols, of at most `length` symbols.
          length: T.

        Returns:
          `[N, T]` int32 tokens, and the `[N]` int32 lengths of the prefixes; tokens after a prefix have no meaning.

        Raises:
          TypeError: as in `encode`.
          ValueError: as in `encode`.
        """
        padded = self._replace(padding=0) if self.padding is None else self
        tokens_NT = padded.encode(strings, length)
        return tokens_NT, np.array([len(self.symbols_of(string)) for string in strings], np.int32)

    def decode(self, tokens: np.ndarray) -> list[str]:
        """Returns the strings of tokens, without their padding.

        Args:
          tokens: `[N, T]` integers in [0, K), of any T.

        Returns:
          N strings.

        Raises:
          TypeError: the tokens are not integers.
          ValueError: the tokens are not `[N, T]`, or a token is not in [0, K).
        """
        tokens_NT = self.check_tokens(tokens)
        # The dtype is object, because an array of strings would drop a NUL at the end of a symbol.
        rows = np.asarray(self.symbols, object)[tokens_NT]
        return [self.separator.join(row[:num]) for row, num in zip(rows, self.lengths(tokens_NT), strict=True)]

    def sequences(self, tokens: np.ndarray) -> list[tuple[int, ...]]:
        """Returns the tokens of each sequence without its padding, in the format that the metrics take.

        Args:
          tokens: `[N, T]` integers in [0, K), of any T.

        Returns:
          N tuples of integers.

        Raises:
          TypeError: the tokens are not integers.
          ValueError: the tokens are not `[N, T]`, or a token is not in [0, K).
        """
        tokens_NT = self.check_tokens(tokens)
        return [tuple(row[:num]) for row, num in zip(tokens_NT.tolist(), self.lengths(tokens_NT), strict=True)]

    def lengths(self, tokens: np.ndarray) -> np.ndarray:
        """Returns the lengths of sequences without their padding.

        Args:
          tokens: `[N, T]` integers in [0, K), of any T.

        Returns:
          `[N]` integers from 0 to T.

        Raises:
          TypeError: the tokens are not integers.
          ValueError: the tokens are not `[N, T]`, or a token is not in [0, K).
        """
        tokens_NT = self.check_tokens(tokens)
        num, length = tokens_NT.shape
        if self.padding is None:
            return np.full(num, length)
        is_symbol_NT = tokens_NT != self.padding
        if self.padding_ends:
            return np.logical_and.accumulate(is_symbol_NT, axis=1).sum(axis=1)
        return length - np.logical_and.accumulate(~is_symbol_NT[:, ::-1], axis=1).sum(axis=1)

    def check_tokens(self, tokens: np.ndarray) -> np.ndarray:
        """Checks that tokens are sequences over this vocabulary.

        Args:
          tokens: `[N, T]` integers in [0, K), of any N and T.

        Returns:
          The tokens as a NumPy array.

        Raises:
          TypeError: the tokens are not integers.
          ValueError: the tokens are not `[N, T]`, or a token is not in [0, K).
        """
        try:
            tokens = np.asarray(tokens)
        except (TypeError, ValueError) as error:
            raise TypeError(f"tokens must be integers, got {tokens!r}") from error
        if not np.issubdtype(tokens.dtype, np.integer):
            raise TypeError(f"tokens must be integers, got {tokens.dtype}")
        if tokens.ndim != 2:
            raise ValueError(f"tokens must be [N, T], got shape {tokens.shape}")
        if tokens.size and (tokens.min() < 0 or tokens.max() >= self.size):
            raise ValueError(f"tokens must be in [0, {self.size}), got {tokens.min()} to {tokens.max()}")
        return tokens

    def symbols_of(self, string: str | Sequence[str]) -> Sequence[str]:
        """Returns the symbols of a string or of a sequence of symbols, whether or not they are in the vocabulary.

        Raises:
          TypeError: `string` is not a string or a sequence of strings.
        """
        if isinstance(string, str):
            string = normalized(string, self.normalize)
            if not self.separator:
                return split(string, self.pattern)
            return string.split(self.separator) if string else ()
        if isinstance(string, Sequence) and all(isinstance(symbol, str) for symbol in string):
            return string
        raise TypeError(f"strings must hold strings, or sequences of symbols, got {string!r}")

    def _check_lengths(self, sequences: Sequence[Sequence[str]], lengths_N: np.ndarray, length: int) -> None:
        if (lengths_N > length).any():
            longest = sequences[int(lengths_N.argmax())]
            separation = self._separation("") if "" in longest else ""
            raise ValueError(f"strings must be at most {length} symbols long, got {longest!r}{separation}")
        if self.padding is None and (lengths_N < length).any():
            shortest = sequences[int(lengths_N.argmin())]
            raise ValueError(f"strings must be {length} symbols long, as there is no padding, got {shortest!r}")

    def _separation(self, symbol: str) -> str:
        """Returns how symbols are separated, if a wrong symbol suggests a mistake in that; otherwise ''."""
        if not self.separator or (symbol and not any(map(str.isspace, symbol))):
            return ""
        return (
            f"; between two symbols of a string there must be one {self.separator!r}, and no blank or tab elsewhere, "
            "such as at its beginning or end"
        )

    def _shown_symbols(self) -> str:
        shown = " ".join(self.symbols[:_MOST_SHOWN])
        return shown if self.size <= _MOST_SHOWN else f"{shown} ... ({self.size:,} in all)"
