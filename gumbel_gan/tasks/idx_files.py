"""Pictures in idx files, the format of MNIST."""

import gzip
import math
import zlib

import numpy as np

from gumbel_gan.tasks.files import Files, file_paths, read_contents

_GZIP = b"\x1f\x8b"
# Two zeros, the type of unsigned bytes, and the number of axes.
_MAGIC = b"\0\0\x08\x03"
_HEADER = len(_MAGIC) + 3 * 4


def read_pictures(files: Files, digest: str = "") -> np.ndarray:
    """Reads the pictures of idx files, compressed by gzip or not.

    Args:
      files: a path or a sequence of paths; the pictures of all files are concatenated.
      digest: expected result of `files_digest(files)`; '' accepts any files.

    Returns:
      `[N, S, S]` uint8 shades.

    Raises:
      TypeError: `files` is not a path or a sequence of paths.
      ValueError: there are no files; a file cannot be read, or does not hold square pictures in this format; the files
        do not match `digest`; or the files hold pictures of different sizes.

    References:
      https://yann.lecun.com/exdb/mnist/, on the format.
    """
    paths = file_paths(files)
    contents = read_contents(files, digest)
    pictures = [_pictures(str(path), content) for path, content in zip(paths, contents, strict=True)]
    for path, each in zip(paths, pictures, strict=True):
        if each.shape[1:] != pictures[0].shape[1:]:
            raise ValueError(
                f"files must have pictures of one size, got {_size(pictures[0].shape)} in {str(paths[0])!r} and "
                f"{_size(each.shape)} in {str(path)!r}"
            )
    return np.concatenate(pictures)


def _pictures(name: str, content: bytes) -> np.ndarray:
    """Returns the pictures of a file, from its bytes."""
    if content.startswith(_GZIP):
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"files must be complete gzip files, or plain files, got {name!r} ({error})") from error
    if not content.startswith(_MAGIC) or len(content) < _HEADER:
        raise ValueError(
            f"files must be idx files of pictures, which begin with the bytes {_MAGIC.hex(' ')} and three sizes; "
            f"{name!r} begins with {content[: len(_MAGIC)].hex(' ')}"
        )
    shape = tuple(np.frombuffer(content, ">u4", count=3, offset=len(_MAGIC)).tolist())
    num_shades = len(content) - _HEADER
    if num_shades != math.prod(shape):
        raise ValueError(
            f"files must have the size that their header states, got {num_shades:,} bytes for {shape[0]:,} pictures of "
            f"{_size(shape)} in {name!r}"
        )
    if shape[1] != shape[2] or not num_shades:
        raise ValueError(f"files must hold square pictures, got {shape[0]:,} of {_size(shape)} in {name!r}")
    return np.frombuffer(content, np.uint8, offset=_HEADER).reshape(shape)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[2]}"
