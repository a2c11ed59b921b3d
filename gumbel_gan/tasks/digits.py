"""Handwritten digits, pixel by pixel."""

import string

import numpy as np

from gumbel_gan.arguments import require_at_least
from gumbel_gan.tasks.arrays import array_task
from gumbel_gan.tasks.interface import Task

SYMBOLS = string.digits + "abcdefg"
IMAGE_SHAPE = (8, 8)


def digits_task(*, levels: int = 2, num_heldout: int = 180, seed: int = 0) -> Task:
    """Builds a task of scikit-learn's 1,797 images of digits, as sequences of their 64 pixels, row by row.

    With few levels, two images can become the same sequence. All copies are kept, in the same split, so that no test
    image is a training image.

    Args:
      levels: number of equal bins, 2 to 17, for the 17 shades of gray; symbol 0 is the background, and the last symbol
        is the darkest ink.
      num_heldout: number of distinct images for validation, and the same number for the test.
      seed: seed of the split.

    Returns:
      A `Task` without an oracle and without padding, T = 64. Its decoded strings have one character per pixel.

    Raises:
      ImportError: scikit-learn is not installed.
      TypeError: an argument is not an integer.
      ValueError: an argument is out of range.

    References:
      https://archive.ics.uci.edu/dataset/80 (its test set).
    """
    require_at_least(2, levels=levels)
    if levels > len(SYMBOLS):
        raise ValueError(f"levels must be from 2 to {len(SYMBOLS)}, got {levels}")
    require_at_least(1, num_heldout=num_heldout)
    shades = _shades()
    tokens = shades * levels // len(SYMBOLS)
    task = array_task(tokens, symbols=SYMBOLS[:levels], num_heldout=num_heldout, seed=seed, name="digits")
    num_repeated = len(tokens) - len(np.unique(tokens, axis=0))
    note = f"Images: {len(tokens):,}; repeated, kept, all copies of an image in the same split: {num_repeated}."
    return task._replace(image_shape=IMAGE_SHAPE, notes=(note, *task.notes[1:]))


def _shades() -> np.ndarray:
    """Returns `[1797, 64]` integers from 0 to 16."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError("digits_task needs scikit-learn (pip install 'gumbel_gan[data]')") from error
    return load_digits().data.astype(np.int32)
