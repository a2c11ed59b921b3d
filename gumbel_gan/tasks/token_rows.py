"""Sequences in a file, of which only what is asked for is read."""

import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np

from gumbel_gan.arguments import require_at_least, require_integers, require_symbols

_DTYPES = (np.uint8, np.uint16, np.int32)


def token_dtype(num_symbols: int) -> np.dtype[Any]:
    """Returns the narrowest dtype of tokens in [0, num_symbols)."""
    return np.dtype(next(dtype for dtype in _DTYPES if num_symbols - 1 <= np.iinfo(dtype).max))


class TokenRows:
    """Sequences `[N, T]` in a file, row after row.

    Memory does not depend on the size of the file.

    Attributes:
      path: the file.
      length: T.
    """

    def __init__(
        self, path: Path, num: int, length: int, dtype: np.dtype[Any], *, translation: np.ndarray | None = None
    ):
        """Describes the file, which is opened when it is read.

        Args:
          path: the file.
          num: N, at least 1.
          length: T, at least 1.
          dtype: of the tokens in the file.
          translation: `[K]`, what each token of the file stands for; None where it stands for itself.

        Raises:
          TypeError: a number is not an integer.
          ValueError: a number is out of its range.
        """
        require_at_least(1, num=num, length=length)
        self.path, self.length = path, length
        self._num, self._dtype, self._translation = num, np.dtype(dtype), translation
        self._row_bytes = length * self._dtype.itemsize
        self._descriptor: int | None = None

    def __len__(self) -> int:
        """Returns N."""
        return self._num

    def translated(self, translation: np.ndarray) -> "TokenRows":
        """Returns the same sequences with other tokens, `translation` `[K]` saying what each becomes."""
        if self._translation is not None:
            translation = translation[self._translation]
        return TokenRows(self.path, self._num, self.length, self._dtype, translation=translation)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Reads sequences.

        Args:
          rows: `[M]` integers in [0, N).

        Returns:
          `[M, T]` tokens, of a narrow dtype.

        Raises:
          TypeError: `rows` is not an array of integers.
          ValueError: a row is out of its range, or the file is not of N rows.
        """
        require_integers(rows=rows)
        require_symbols(self._num, rows=rows)
        if self._descriptor is None:
            self._descriptor = self._opened()
        tokens = np.empty((len(rows), self.length), self._dtype)
        # Rows of a memory-mapped file would leave whole blocks of pages resident, in the end all of the file.
        for index, row in enumerate(rows.tolist()):
            num_read = os.preadv(self._descriptor, [tokens[index]], row * self._row_bytes)
            if num_read != self._row_bytes:
                raise ValueError(
                    f"{self.path} must hold {self._num:,} sequences of {self._row_bytes:,} bytes, got {num_read:,} "
                    f"bytes of sequence {row:,}"
                )
        return tokens if self._translation is None else self._translation[tokens]

    def _opened(self) -> int:
        """Returns a descriptor of the file that stays open, wherever the file is moved, as long as `self` lives."""
        wanted, found = self._num * self._row_bytes, self.path.stat().st_size
        if found != wanted:
            raise ValueError(f"{self.path} must hold {self._num:,} sequences in {wanted:,} bytes, got {found:,} bytes")
        descriptor = os.open(self.path, os.O_RDONLY)
        weakref.finalize(self, os.close, descriptor)
        return descriptor
