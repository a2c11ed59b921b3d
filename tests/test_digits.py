import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from gumbel_gan.tasks import digits_task


def all_rows(task):
    return np.concatenate([task.train, task.validation, task.test])


def test_all_shades_give_the_pictures_themselves():
    task = digits_task(levels=17)
    assert task.symbols == tuple("0123456789abcdefg")
    assert (task.padding, task.ends, task.image_shape, task.oracle) == (None, False, (8, 8), None)
    assert task.train.shape == (1_437, 64)
    assert task.validation.shape == task.test.shape == (180, 64)
    assert task.train.dtype == np.int32
    expected = load_digits().data.astype(int)
    assert sorted(all_rows(task).tolist()) == sorted(expected.tolist())


def test_two_levels_are_light_and_dark():
    task = digits_task()
    expected = (load_digits().data > 8).astype(int)
    assert sorted(all_rows(task).tolist()) == sorted(expected.tolist())
    assert task.symbols == ("0", "1")


@pytest.mark.parametrize("levels", range(2, 18))
def test_bins_are_equal_and_all_used(levels):
    tokens = digits_task(levels=levels).train
    np.testing.assert_array_equal(np.unique(tokens), np.arange(levels))


def test_decoding_gives_a_character_a_pixel():
    task = digits_task(levels=17)
    strings = task.decode(task.test[:20])
    assert [[int(character, 17) for character in string] for string in strings] == task.test[:20].tolist()
    assert task.sequences(task.test) == [tuple(row) for row in task.test.tolist()]


def test_no_test_picture_is_a_training_picture():
    task = digits_task(levels=2)
    train, validation, test = (set(task.decode(tokens)) for tokens in (task.train, task.validation, task.test))
    assert train.isdisjoint(validation | test)
    assert validation.isdisjoint(test)
    assert (len(validation), len(test)) == (180, 180)
    assert len(all_rows(task)) == 1_797
    assert task.notes[0].endswith("all copies of a picture in the same split: 45.")


def test_the_split_is_seeded():
    np.testing.assert_array_equal(digits_task(seed=3).test, digits_task(seed=3).test)
    assert set(digits_task(seed=3).decode(digits_task(seed=3).test)) != set(digits_task().decode(digits_task().test))


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"digits_task needs scikit-learn \(pip install 'gumbel_gan\[data\]'\)"):
        digits_task()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"levels": 1}, "levels must be from 2 to 17, got 1"),
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
