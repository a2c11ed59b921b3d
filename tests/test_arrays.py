"""Tasks from arrays of tokens."""

import jax
import numpy as np
import pytest

from gumbel_gan.data import Batch
from gumbel_gan.tasks import array_task

TOKENS = np.arange(60).reshape(20, 3) % 11


def rows(batch):
    return [tuple(row) for row in batch.tokens.tolist()]


def test_sequences_are_split_once_and_kept_whole():
    tokens = np.arange(60).reshape(20, 3)
    task = array_task(tokens.astype(np.int64))
    assert [split.tokens.shape for split in task[2:5]] == [(16, 3), (2, 3), (2, 3)]
    assert task.train.tokens.dtype == np.int32
    assert sorted(row for split in task[2:5] for row in rows(split)) == rows(Batch(tokens))
    assert (task.name, task.num_symbols, task.length, task.oracle) == ("array", 60, 3, None)
    assert task.symbols[:3] == ("0", "1", "2")
    assert task.decode(np.array([[10, 2, 59]])) == ["10 2 59"]
    assert task.train.condition is None
    assert task.notes == (
        "Repeated sequences, kept, all copies of a sequence in the same split: 0.",
        "Symbols of the vocabulary: 60. Sequences for training: 16; for validation: 2; for the test: 2.",
    )


@pytest.mark.parametrize("seed", range(5))
def test_no_test_sequence_is_a_training_sequence(seed):
    tokens = np.random.default_rng(0).integers(0, 3, (200, 3))
    task = array_task(tokens, num_heldout=5, seed=seed)
    train, validation, test = map(rows, task[2:5])
    assert sorted([*train, *validation, *test]) == sorted(rows(Batch(tokens)))
    assert (len(set(validation)), len(set(test))) == (5, 5)
    assert set(train).isdisjoint([*validation, *test])
    assert set(validation).isdisjoint(test)
    assert task.chosen == array_task(tokens, validation=tokens, test=tokens).chosen == {}
    assert array_task(tokens, seed=seed).chosen == {"num_heldout": 2}
    distinct = array_task(tokens, num_heldout=5, seed=seed, deduplicate=True)
    assert [len(split.tokens) for split in distinct[2:5]] == [len(set(split)) for split in (train, validation, test)]
    assert set(rows(distinct.test)) == set(test)


def test_the_split_is_seeded():
    tokens = np.arange(300).reshape(100, 3)
    first, again, other = (array_task(tokens, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.train.tokens, again.train.tokens)
    assert set(rows(first.test)) != set(rows(other.test))


def test_conditions_stay_with_their_sequences():
    tokens = np.random.default_rng(0).integers(0, 50, (40, 4))
    condition = {"first": tokens[:, 0], "doubled": (2.0 * tokens, np.ones((40, 0)))}
    task = array_task(tokens, condition=condition, num_heldout=3)
    for split in task[2:5]:
        np.testing.assert_array_equal(split.condition["first"], split.tokens[:, 0])
        np.testing.assert_array_equal(split.condition["doubled"][0], 2.0 * split.tokens)
    assert len(task.test.tokens) == 3


def test_with_a_condition_pairs_are_split():
    # One sequence with 30 conditions, each pair twice.
    task = array_task(np.ones((60, 2), int), condition=np.repeat(np.arange(30), 2), num_heldout=4)
    labels = [split.condition.tolist() for split in task[2:5]]
    assert sorted(label for each in labels for label in each) == sorted([*range(30)] * 2)
    assert [len(each) for each in labels] == [44, 8, 8]
    assert set(labels[0]).isdisjoint([*labels[1], *labels[2]])
    assert task.notes[0] == "Repeated sequences, kept, all copies of a sequence in the same split: 30."


def test_sets_of_your_own_are_kept_and_overlaps_counted():
    task = array_task(TOKENS, validation=TOKENS[:2], test=np.array([[0, 0, 0], [0, 1, 2], [5, 5, 5]]))
    for split, expected in zip(task[2:4], (TOKENS, TOKENS[:2]), strict=True):
        np.testing.assert_array_equal(split.tokens, expected)
    assert task.notes[0] == (
        "Sequences that are training sequences, too, kept: 2 of the validation set, 1 of the test set."
    )
    labeled = array_task(
        TOKENS,
        condition=np.arange(20),
        validation=Batch(TOKENS[:2], np.arange(2)),
        test=Batch(TOKENS[:2], np.arange(2) + 30),
    )
    assert labeled.notes[0].endswith("kept: 2 of the validation set, 0 of the test set.")
    # A symbol that occurs only in the test set is in the vocabulary.
    assert array_task(TOKENS, validation=TOKENS, test=[[12, 0, 0]]).num_symbols == 13


def test_symbols_are_your_own():
    task = array_task(TOKENS, symbols="abcdefghijk")
    assert task.decode(np.array([[0, 10, 2]])) == ["akc"]
    np.testing.assert_array_equal(task.encode(["akc"]), [[0, 10, 2]])
    words = array_task(TOKENS, symbols=["do", *"bcdefghijk"])
    assert words.decode(np.array([[0, 10, 2]])) == ["do k c"]
    np.testing.assert_array_equal(words.encode(["do k c"]), [[0, 10, 2]])
    assert array_task(ROWS, symbols="a ").decode(np.array([[1, 0]])) == [" a"]
    assert array_task(TOKENS, num_symbols=20).symbols == tuple(map(str, range(20)))
    assert array_task(jax.numpy.asarray(TOKENS)).num_symbols == 11


@pytest.mark.parametrize(
    ("tokens", "padding_ends", "expected"),
    [
        ([[1, 2, 0], [1, 0, 0], [2, 2, 2]], None, (True, False)),
        ([[1, 2, 0], [0, 0, 0], [2, 2, 2]], None, (True, True)),
        ([[1, 0, 2], [1, 0, 0], [2, 2, 2]], None, (False, False)),
        ([[1, 0, 2], [0, 1, 0], [2, 2, 2]], None, (False, True)),
        ([[1, 2, 0], [1, 0, 0], [2, 2, 2]], False, (False, False)),
        ([[1, 2, 0], [1, 0, 0], [2, 2, 2]], True, (True, False)),
    ],
)
def test_the_data_say_whether_padding_ends_sequences_and_whether_one_is_empty(tokens, padding_ends, expected):
    vocabulary = array_task(tokens, padding=0, padding_ends=padding_ends).vocabulary
    assert (vocabulary.padding, vocabulary.padding_ends, vocabulary.allow_empty) == (0, *expected)


def test_padding_that_no_sequence_needs_is_a_symbol():
    padded, plain = array_task([[0, 1], [1, 0], [1, 1]], padding=2), array_task([[0, 1], [1, 0], [1, 1]])
    assert padded.vocabulary[:5] == (("0", "1", "2"), 2, True, False, " ")
    assert plain.vocabulary[:5] == (("0", "1"), None, False, True, " ")


ROWS = [[0, 1], [1, 0], [1, 1]]


@pytest.mark.parametrize(
    ("tokens", "settings", "message"),
    [
        ([[0, 1], [1]], {}, r"tokens must be \[N, T\], got sequences of several lengths"),
        ([0, 1], {}, r"tokens must be \[N, T\] with N and T at least 1, got shape \(2,\)"),
        (np.zeros((0, 3), int), {}, r"with N and T at least 1, got shape \(0, 3\)"),
        (np.zeros((3, 0), int), {}, r"with N and T at least 1, got shape \(3, 0\)"),
        ([[0, -1]], {}, r"tokens must be in \[0, 2\*\*31\), got -1 to 0"),
        ([[0, 2**31]], {}, r"tokens must be in \[0, 2\*\*31\), got 0 to 2147483648"),
        (ROWS, {"num_symbols": 1}, r"tokens must be in \[0, 1\), got 1"),
        (ROWS, {"symbols": "a"}, r"tokens must be in \[0, 1\), got 1"),
        (ROWS, {"symbols": "aa"}, "symbols must differ, got 2 of which 1 are different"),
        (ROWS, {"symbols": ["Rome", "New York"]}, "no blank unless all are single characters, got 'New York'"),
        (ROWS, {"symbols": "ab", "num_symbols": 3}, "num_symbols must be the number of symbols, 2, got 3"),
        (ROWS, {"num_symbols": 0}, "num_symbols must be at least 1, got 0"),
        (ROWS, {"padding": -1}, "padding must be at least 0, got -1"),
        (ROWS, {"padding": 2, "num_symbols": 2}, r"padding must be a token in \[0, 2\), got 2"),
        (ROWS, {"padding_ends": True}, "padding must be a token where padding_ends is true, got None"),
        (ROWS, {"padding": 0, "padding_ends": True}, "tokens must hold only padding after the first padding"),
        (ROWS, {"condition": np.zeros(2)}, r"condition must have a leading axis of 3, got shape \(2,\)"),
        (ROWS, {"condition": 1.0}, r"condition must have a leading axis of 3, got shape \(\)"),
        (ROWS, {"condition": [np.array([0, np.nan, 1])]}, "condition must be finite, got NaN or infinity"),
        (ROWS, {"num_heldout": 2}, "num_heldout must be less than half of the distinct sequences, which are 3; got 2"),
        (ROWS, {"num_heldout": 0}, "num_heldout must be at least 1, got 0"),
        (ROWS, {"seed": -1}, "seed must be at least 0, got -1"),
        ([[0, 1], [1, 0], [0, 1]], {}, "tokens must hold at least 3 distinct sequences, for training, validation and"),
        (ROWS, {"test": ROWS}, "validation and test must be given together, got one of them"),
        (ROWS, {"validation": ROWS, "test": [[1]]}, r"test must be \[N, 2\] as tokens, got shape \(1, 1\)"),
        (ROWS, {"validation": np.zeros((0, 2), int), "test": ROWS}, r"validation must be \[N, T\] with N and T"),
        (ROWS, {"validation": Batch(ROWS, np.ones(3)), "test": ROWS}, "validation must have a condition like that of"),
        (ROWS, {"validation": ROWS, "test": Batch(ROWS, weights=np.ones(3))}, "test must have no weights"),
    ],
)
def test_bad_arguments_are_named(tokens, settings, message):
    with pytest.raises(ValueError, match=message):
        array_task(tokens, **settings)


@pytest.mark.parametrize(
    ("tokens", "settings", "message"),
    [
        (np.zeros((3, 2)), {}, "tokens must be integers, got float64"),
        (np.zeros((3, 2), bool), {}, "tokens must be integers, got bool"),
        ([["a", "b"]], {}, "tokens must be integers, got <U1"),
        (ROWS, {"symbols": 2}, "symbols must be strings, got 2"),
        (ROWS, {"symbols": [0, 1]}, r"symbols must be strings, got \[0, 1\]"),
        (ROWS, {"condition": np.array(["a", "b", "c"])}, "condition must hold numbers, got <U1"),
        (ROWS, {"num_heldout": 1.0}, "num_heldout must be an integer, got 1.0"),
    ],
)
def test_arguments_of_other_types_are_named(tokens, settings, message):
    with pytest.raises(TypeError, match=message):
        array_task(tokens, **settings)
