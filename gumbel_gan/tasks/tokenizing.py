"""Converts texts to arrays of tokens, block by block, and counts their symbols."""

from collections.abc import Callable
from itertools import chain
from typing import NamedTuple

import numpy as np

from gumbel_gan.tasks.normalization import normalized
from gumbel_gan.tasks.units import CHARACTERS, Unit

_NUM_CHARACTERS = 0x110000


class Written(NamedTuple):
    """The symbols of a block of text, line after line.

    Attributes:
      codes: `[M]` integers, the number of each symbol.
      lengths: `[n]` integers, the lengths of the lines that are not blank.
      num_lines: number of all lines, blank or not.
    """

    codes: np.ndarray
    lengths: np.ndarray
    num_lines: int


class Coder:
    """Numbers and counts the symbols of texts: characters by code point, other symbols in order of appearance.

    Attributes:
      counts: the count of each symbol, by its number.
    """

    def __init__(self, unit: Unit, normalize: str, *, lowercase: bool):
        """Stores how texts are normalized and split into symbols.

        Args:
          unit: the unit of a symbol.
          normalize: the Unicode normal form to which a text is converted.
          lowercase: whether a text is lower-cased.
        """
        self._unit, self._normalize, self._lowercase = unit, normalize, lowercase
        self._numbers: dict[str, int] | None = None if unit == CHARACTERS else {}
        self.counts = np.zeros(_NUM_CHARACTERS if self._numbers is None else 0, np.int64)

    def prepared(self, text: str) -> str:
        """Returns a text in the normal form and, if `lowercase` was set, in lower case."""
        return normalized(text, self._normalize, lowercase=self._lowercase)

    def lines(self, text: str) -> Written:
        """Returns the symbols of the nonblank lines of a prepared text, stripped of surrounding whitespace."""
        lines = text.removesuffix("\n").split("\n")
        kept = [line for line in map(str.strip, lines) if line]
        symbols = kept if self._numbers is None else [self._unit.split(line) for line in kept]
        lengths = np.fromiter(map(len, symbols), np.int64, len(symbols))
        joined = "".join(kept) if self._numbers is None else list(chain.from_iterable(symbols))
        return Written(self._codes(joined), lengths, len(lines))

    def text(self, text: str) -> np.ndarray:
        """Returns the numbers of the symbols of a prepared text, line ends included unless the unit is words."""
        return self._codes(text if self._numbers is None else self._unit.split(text))

    def count(self, codes: np.ndarray) -> None:
        """Adds symbols, given by their numbers, to `counts`."""
        if self._numbers is not None and len(self._numbers) > len(self.counts):
            self.counts = np.pad(self.counts, (0, 2 * len(self._numbers) - len(self.counts)))
        self.counts += np.bincount(codes, minlength=len(self.counts))

    def symbols(self, codes: np.ndarray) -> list[str]:
        """Returns the symbols with the given numbers."""
        if self._numbers is None:
            return [chr(code) for code in codes]
        known = list(self._numbers)
        return [known[code] for code in codes]

    def _codes(self, symbols: str | list[str] | tuple[str, ...]) -> np.ndarray:
        if self._numbers is None:
            return np.frombuffer("".join(symbols).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)
        numbers = self._numbers
        return np.fromiter((numbers.setdefault(each, len(numbers)) for each in symbols), np.int64, len(symbols))


def limited(written: Written, max_length: int, too_long: str) -> tuple[Written, int]:
    """Drops or cuts the lines of more than `max_length` symbols; also returns the number of these lines."""
    is_longer = written.lengths > max_length
    num_longer = int(is_longer.sum())
    if not num_longer:
        return written, 0
    if too_long == "cut":
        kept = np.minimum(written.lengths, max_length)
        return _selected(written, _places(written.lengths) < max_length)._replace(lengths=kept), num_longer
    return _without(written, is_longer), num_longer


def without_lines_of(written: Written, is_rare: np.ndarray) -> tuple[Written, int]:
    """Drops the lines with a symbol that is rare by the mask `is_rare`; also returns the number of these lines."""
    line_of = np.repeat(np.arange(len(written.lengths)), written.lengths)
    holds = np.zeros(len(written.lengths), bool)
    holds[line_of[is_rare[written.codes]]] = True
    return _without(written, holds), int(holds.sum())


def rows_of(tokens: np.ndarray, lengths: np.ndarray, length: int, write: Callable[[np.ndarray], None]) -> None:
    """Writes lines as rows of `length` tokens, padded with token 0, a few million tokens at a time.

    Args:
      tokens: `[M]`, the tokens of all lines.
      lengths: `[n]`, the lengths of the lines.
      length: T, at least the length of the longest line.
      write: called with `[k, T]` rows in the dtype of `tokens`.
    """
    at_once = max(1, 2**23 // length)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    for start in range(0, len(lengths), at_once):
        part = lengths[start : start + at_once]
        rows = np.zeros((len(part), length), tokens.dtype)
        rows[np.arange(length)[None, :] < part[:, None]] = tokens[ends[start] : ends[start + len(part)]]
        write(rows)


def _places(lengths: np.ndarray) -> np.ndarray:
    """Returns the position of each symbol in its line."""
    starts = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum())) - np.repeat(starts, lengths)


def _selected(written: Written, is_kept: np.ndarray) -> Written:
    return written._replace(codes=written.codes[is_kept])


def _without(written: Written, is_dropped: np.ndarray) -> Written:
    kept = _selected(written, np.repeat(~is_dropped, written.lengths))
    return kept._replace(lengths=written.lengths[~is_dropped])
