"""Weights in files of older versions of PyTorch, read without PyTorch and without running code from their pickles."""

from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gumbel_gan.metrics.molecules import restricted_pickle

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


class _Slot(NamedTuple):
    """A placeholder for a tensor whose values come later in the file."""

    key: str
    shape: tuple[int, ...]


def load_torch_file(path: Path) -> Any:
    """Reads a file of contiguous float32 tensors that `torch.save` wrote in the format before version 1.6.

    The file holds five pickles, followed by the values of each storage. The pickles can call only
    `collections.OrderedDict` and replacements of `torch._utils._rebuild_tensor_v2` and `torch.FloatStorage`.

    Args:
      path: the file.

    Returns:
      The saved object, with float32 NumPy arrays in place of tensors.

    Raises:
      ValueError: the file is in another format, or holds other objects.
    """
    with path.open("rb") as file:
        if restricted_pickle.load(file, {}) != _MAGIC or restricted_pickle.load(file, {}) != _PROTOCOL:
            raise ValueError(f"path must be a file of torch.save before PyTorch 1.6, got {str(path)!r}")
        if restricted_pickle.load(file, {})["little_endian"] is not True:
            raise ValueError(f"path must be a file in little-endian order, got {str(path)!r}")
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch", "FloatStorage"): "float32",
            ("torch._utils", "_rebuild_tensor_v2"): _slot,
        }
        saved = restricted_pickle.load(file, known, persistent=_key)
        numbers = {key: _storage(file.read) for key in restricted_pickle.load(file, {})}
    return _filled(saved, numbers)


def _key(identifier: Any) -> str:
    """Returns the key of a storage from its persistent identifier."""
    _, dtype, key, *_ = identifier
    if dtype != "float32":
        raise ValueError(f"path must be a file of float32 tensors, got {dtype}")
    return key


def _slot(key: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> _Slot:
    """Replaces the function of PyTorch that builds a tensor from a storage."""
    contiguous = tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))
    if offset or strides != contiguous:
        raise ValueError(f"path must be a file of contiguous tensors, got one with strides {strides}")
    return _Slot(key, shape)


def _storage(read: Any) -> np.ndarray:
    (size,) = np.frombuffer(read(8), "<i8")
    return np.frombuffer(read(4 * int(size)), "<f4").astype(np.float32)


def _filled(value: Any, numbers: dict[str, np.ndarray]) -> Any:
    if isinstance(value, _Slot):
        return numbers[value.key].reshape(value.shape)
    if isinstance(value, dict):
        return {name: _filled(each, numbers) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(each, numbers) for each in value]
    return value
