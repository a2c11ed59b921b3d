import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from gumbel_gan.tasks import digits_task


def all_rows(task):
    return np.concatenate([task.train.tokens, task.validation.tokens, task.test.tokens])


def test_all_shades_are_the_images_themselves():
    task = digits_task(levels=17)
    assert task.symbols == tuple("0123456789abcdefg")
    assert task.vocabulary[1:5] == (None, False, True, "")
    assert (task.image_shape, task.oracle) == ((8, 8), None)
    assert task.train.tokens.shape == (1_437, 64)
    assert task.validation.tokens.shape == task.test.tokens.shape == (180, 64)
    assert task.train.tokens.dtype == np.int32
    expected = load_digits().data.astype(int)
    assert sorted(all_rows(task).tolist()) == sorted(expected.tolist())


def test_two_levels_are_light_and_dark():
    task = digits_task()
    expected = (load_digits().data > 8).astype(int)
    assert sorted(all_rows(task).tolist()) == sorted(expected.tolist())
    assert task.symbols == ("0", "1")


@pytest.mark.parametrize("levels", range(2, 18))
def test_bins_are_equal_and_all_used(levels):
    tokens = digits_task(levels=levels).train.tokens
    np.testing.assert_array_equal(np.unique(tokens), np.arange(levels))


def test_decoded_strings_hold_a_character_per_pixel():
    task = digits_task(levels=17)
    tokens = task.test.tokens[:20]
    strings = task.decode(tokens)
    assert [[int(character, 17) for character in string] for string in strings] == tokens.tolist()
    assert task.sequences(tokens) == [tuple(row) for row in tokens.tolist()]
    np.testing.assert_array_equal(task.encode(strings), tokens)


def test_no_test_image_is_a_training_image():
    task = digits_task(levels=2)
    train, validation, test = (set(task.decode(split.tokens)) for split in task[2:5])
    assert train.isdisjoint(validation | test)
    assert validation.isdisjoint(test)
    assert (len(validation), len(test)) == (180, 180)
    assert len(all_rows(task)) == 1_797
    assert task.notes[0].endswith("all copies of an image in the same split: 45.")


def test_the_split_is_seeded():
    first, again, other = (digits_task(seed=seed) for seed in (3, 3, 0))
    np.testing.assert_array_equal(first.test.tokens, again.test.tokens)
    assert set(first.decode(first.test.tokens)) != set(other.decode(other.test.tokens))


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"digits_task needs scikit-learn \(pip install 'gumbel_gan\[data\]'\)"):
        digits_task()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"levels": 1}, "levels must be at least 2, got 1"),
        ({"levels": 18}, "levels must be from 2 to 17, got 18"),
        ({"num_heldout": 0}, "num_heldout must be at least 1, got 0"),
        (
            {"num_heldout": 900},
            "num_heldout must be less than half of the distinct sequences, which are 1,752; got 900",
        ),
        ({"seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_bad_arguments_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        digits_task(**settings)
