"""Handwritten digits, pixel by pixel."""

import string
from functools import partial

import numpy as np

from gumbel_gan.arguments import require_at_least
from gumbel_gan.tasks import lines, vocabulary
from gumbel_gan.tasks.interface import Task

SYMBOLS = string.digits + "abcdefg"
IMAGE_SHAPE = (8, 8)


def digits_task(*, levels: int = 2, num_heldout: int = 180, seed: int = 0) -> Task:
    """Makes a task of scikit-learn's 1,797 pictures of digits, as sequences of their 64 pixels, row by row.

    Two pictures can become the same sequence, when there are few levels. All copies are kept, in the same split: no
    picture of the test is a training picture.

    Args:
      levels: 2 to 17, number of equal bins that the 17 shades of grey are put in; symbol 0 is the paper, and the last
        one the darkest ink.
      num_heldout: number of distinct pictures for validation, and as many for the test.
      seed: of the split.

    Returns:
      A `Task` without an oracle and without padding, T = 64, whose decoded strings hold a character a pixel.

    Raises:
      ImportError: scikit-learn is not installed.
      ValueError: an argument is out of its range.

    References:
      https://archive.ics.uci.edu/dataset/80 (its test set).
    """
    if not 2 <= levels <= len(SYMBOLS):
        raise ValueError(f"levels must be from 2 to {len(SYMBOLS)}, got {levels}")
    require_at_least(1, num_heldout=num_heldout)
    require_at_least(0, seed=seed)
    symbols = tuple(SYMBOLS[:levels])
    shades = _shades()
    pictures = vocabulary.decode(shades * levels // len(SYMBOLS), symbols, padding=None)
    splits = lines.split_distinct(pictures, deduplicate=False, num_heldout=num_heldout, seed=seed)
    train, validation, test = (vocabulary.encode(split, symbols, shades.shape[1]) for split in splits)
    num_repeated = len(pictures) - len(set(pictures))
    return Task(
        name="digits",
        symbols=symbols,
        padding=None,
        train=train,
        validation=validation,
        test=test,
        decode=partial(vocabulary.decode, symbols=symbols, padding=None),
        oracle=None,
        image_shape=IMAGE_SHAPE,
        notes=(
            f"Pictures: {len(pictures):,}; repeated, kept, all copies of a picture in the same split: {num_repeated}.",
            lines.sizes(symbols, train, validation, test),
        ),
    )


def _shades() -> np.ndarray:
    """Gives `[1797, 64]` integers from 0 to 16."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError("digits_task needs scikit-learn (pip install 'gumbel_gan[data]')") from error
    return load_digits().data.astype(np.int32)
