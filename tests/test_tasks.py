from functools import partial

import numpy as np
import pytest

from gumbel_gan.tasks import Task, vocabulary
from gumbel_gan.tasks.interface import sequence_lengths

# In turn: full; ends early; padding in the middle and at the end; padding first; nothing but padding.
TOKENS = np.array([[1, 2, 1], [2, 0, 0], [1, 0, 2], [0, 1, 0], [0, 0, 0]], np.int32)
ENDS = [(1, 2, 1), (2,), (1,), (), ()]
STRIPPED = [(1, 2, 1), (2,), (1, 0, 2), (0, 1), ()]
WHOLE = [(1, 2, 1), (2, 0, 0), (1, 0, 2), (0, 1, 0), (0, 0, 0)]
CASES = [(0, True, ENDS), (0, False, STRIPPED), (None, False, WHOLE), (None, True, WHOLE)]


def make_task(padding, ends, symbols=("_", "a", "b")):
    decode = partial(vocabulary.decode, symbols=symbols, padding=padding, ends=ends)
    return Task("hand-made", symbols, padding, TOKENS, TOKENS[:1], TOKENS[1:], decode, None, ends)


@pytest.mark.parametrize(("padding", "ends", "expected"), CASES)
def test_sequences_lengths_and_strings_agree_on_where_a_sequence_ends(padding, ends, expected):
    task = make_task(padding, ends)
    assert task.sequences(TOKENS) == expected
    np.testing.assert_array_equal(sequence_lengths(TOKENS, padding, ends=ends), [len(each) for each in expected])
    assert task.decode(TOKENS) == ["".join("_ab"[token] for token in each) for each in expected]
    assert task.length == 3


def test_sequences_are_plain_integers_of_any_length():
    ((first, *_),) = make_task(0, True).sequences(np.array([[2, 1, 1, 2, 1]], np.int8))
    assert type(first) is int
    assert make_task(0, True).sequences(np.zeros((0, 3), int)) == []


def test_padding_may_be_another_token_than_zero():
    tokens = np.array([[0, 2, 1], [2, 2, 2]])
    np.testing.assert_array_equal(sequence_lengths(tokens, 2, ends=True), [1, 0])
    np.testing.assert_array_equal(sequence_lengths(tokens, 2, ends=False), [3, 0])
    np.testing.assert_array_equal(vocabulary.encode(["a", "ba"], "ab_", 3, padding=2), [[0, 2, 2], [1, 0, 2]])


def test_words_are_encoded_and_joined():
    symbols = ("", "a", "rose", "is")
    tokens = vocabulary.encode([["a", "rose", "is"], ["is"], []], symbols, 3)
    np.testing.assert_array_equal(tokens, [[1, 2, 3], [3, 0, 0], [0, 0, 0]])
    assert tokens.dtype == np.int32
    assert vocabulary.decode(tokens, symbols, ends=True, separator=" ") == ["a rose is", "is", ""]


@pytest.mark.parametrize(("padding", "ends"), [(0, True), (0, False), (None, False)])
def test_decoding_undoes_encoding(padding, ends):
    symbols = ["", "é", "e", "\u0301", "🙂", " ", "\n", "\0"]
    rng = np.random.default_rng(0)
    least = 6 if padding is None else 0
    strings = ["".join(rng.choice(symbols[1:], rng.integers(least, 7))) for _ in range(200)]
    # NumPy drops the NUL at the end of a string it draws.
    strings = [*strings, "\0" * 6, "ée🙂 \n\0"]
    tokens = vocabulary.encode(strings, symbols, 6)
    assert vocabulary.decode(tokens, symbols, padding=padding, ends=ends) == strings


def test_encoding_nothing_gives_no_rows():
    assert vocabulary.encode([], "_ab", 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("strings", "message"),
    [
        (["ab", "abab", "aba"], "strings must be at most 2 symbols long, got 'abab'"),
        (["ab", "ac"], "strings must be over the symbols _ a b, got 'c' in 'ac'"),
        ([["a"], ["b", "ab"]], r"strings must be over the symbols _ a b, got 'ab' in \['b', 'ab'\]"),
    ],
)
def test_strings_that_do_not_fit_are_named(strings, message):
    with pytest.raises(ValueError, match=message):
        vocabulary.encode(strings, "_ab", 2)
