"""Sequences in a file, which are read only when they are requested."""

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
        """Stores the format of the file, which is opened by the first `take`.

        Args:
          path: the file.
          num: N, at least 1.
          length: T, at least 1.
          dtype: dtype of the tokens in the file.
          translation: `[K]`, the token to return for each token of the file; None returns the tokens of the file.

        Raises:
          TypeError: a number is not an integer.
          ValueError: a number is out of range.
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
        """Returns the same sequences with each token replaced by its entry in `translation` `[K]`."""
        if self._translation is not None:
            translation = translation[self._translation]
        return TokenRows(self.path, self._num, self.length, self._dtype, translation=translation)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Reads sequences.

        Args:
          rows: `[M]` integers in [0, N).

        Returns:
          `[M, T]` tokens, in the dtype of the file or of the translation.

        Raises:
          TypeError: `rows` is not an array of integers.
          ValueError: a row is out of range, or the file does not have N rows.
        """
        require_integers(rows=rows)
        require_symbols(self._num, rows=rows)
        if self._descriptor is None:
            self._descriptor = self._opened()
        tokens = np.empty((len(rows), self.length), self._dtype)
        # Reading from a memory map would keep whole blocks of pages resident, and in the end the whole file.
        for index, row in enumerate(rows.tolist()):
            num_read = os.preadv(self._descriptor, [tokens[index]], row * self._row_bytes)
            if num_read != self._row_bytes:
                raise ValueError(
                    f"{self.path} must hold {self._num:,} sequences of {self._row_bytes:,} bytes, got {num_read:,} "
                    f"bytes of sequence {row:,}"
                )
        return tokens if self._translation is None else self._translation[tokens]

    def _opened(self) -> int:
        """Returns a file descriptor that stays open as long as `self` lives, even if the file is moved."""
        wanted, found = self._num * self._row_bytes, self.path.stat().st_size
        if found != wanted:
            raise ValueError(f"{self.path} must hold {self._num:,} sequences in {wanted:,} bytes, got {found:,} bytes")
        descriptor = os.open(self.path, os.O_RDONLY)
        weakref.finalize(self, os.close, descriptor)
        return descriptor
