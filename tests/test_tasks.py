"""Vocabularies, and the attributes that a task derives from its vocabulary."""

import numpy as np
import pytest

from gumbel_gan.data import Batch
from gumbel_gan.tasks import Oracle, Task, Vocabulary

# In order: no padding; padding at the end; in the middle; at both ends; only padding.
TOKENS = np.array([[1, 2, 1], [2, 0, 0], [1, 0, 2], [0, 1, 0], [0, 0, 0]], np.int32)
ENDED = [(1, 2, 1), (2,), (1,), (), ()]
STRIPPED = [(1, 2, 1), (2,), (1, 0, 2), (0, 1), ()]
WHOLE = [(1, 2, 1), (2, 0, 0), (1, 0, 2), (0, 1, 0), (0, 0, 0)]
CASES = [(0, True, ENDED), (0, False, STRIPPED), (None, False, WHOLE)]

WORDS = Vocabulary(("", "a", "rose", "is"), padding=0, padding_ends=True, separator=" ")


def vocabulary(padding=0, padding_ends=False):
    return Vocabulary(("_", "a", "b"), padding, padding_ends)


@pytest.mark.parametrize(("padding", "padding_ends", "expected"), CASES)
def test_sequences_lengths_and_strings_agree_on_where_a_sequence_ends(padding, padding_ends, expected):
    known = vocabulary(padding, padding_ends)
    assert known.sequences(TOKENS) == expected
    np.testing.assert_array_equal(known.lengths(TOKENS), [len(each) for each in expected])
    assert known.decode(TOKENS) == ["".join("_ab"[token] for token in each) for each in expected]


def test_a_task_takes_length_symbols_and_functions_from_its_fields():
    task = Task("hand-made", vocabulary(), Batch(TOKENS), Batch(TOKENS[:1]), Batch(TOKENS[1:]))
    assert (task.length, task.symbols, task.num_symbols) == (3, ("_", "a", "b"), 3)
    assert (task.oracle, task.is_valid, task.image_shape, task.notes) == (None, None, None, ())
    np.testing.assert_array_equal(task.encode(["ab"]), [[1, 2, 0]])
    assert task.decode(TOKENS[:2]) == ["aba", "b"]
    assert task.sequences(TOKENS[:2]) == [(1, 2, 1), (2,)]
    assert task._replace(oracle=Oracle()).is_valid is None
    assert task._replace(oracle=Oracle(is_valid={"a"}.__contains__)).is_valid("a")


def test_sequences_are_plain_integers_of_any_length():
    ((first, *_),) = vocabulary().sequences(np.array([[2, 1, 1, 2, 1]], np.int8))
    assert type(first) is int
    assert vocabulary().sequences(np.zeros((0, 3), int)) == []
    assert vocabulary().decode(np.zeros((2, 0), int)) == ["", ""]


def test_padding_may_be_another_token_than_zero():
    tokens = np.array([[0, 2, 1], [2, 2, 2]])
    np.testing.assert_array_equal(vocabulary(2, True).lengths(tokens), [1, 0])
    np.testing.assert_array_equal(vocabulary(2, False).lengths(tokens), [3, 0])
    np.testing.assert_array_equal(Vocabulary(tuple("ab_"), 2).encode(["a", "ba"], 3), [[0, 2, 2], [1, 0, 2]])


def test_words_are_encoded_from_strings_or_sequences_and_joined():
    for strings in (["a rose is", "is", ""], [["a", "rose", "is"], ("is",), []]):
        tokens = WORDS.encode(strings, 3)
        np.testing.assert_array_equal(tokens, [[1, 2, 3], [3, 0, 0], [0, 0, 0]])
        assert tokens.dtype == np.int32
    assert WORDS.decode(tokens) == ["a rose is", "is", ""]
    assert WORDS.size == 4


@pytest.mark.parametrize(("padding", "padding_ends"), [(0, True), (0, False), (None, False)])
def test_decoding_undoes_encoding(padding, padding_ends):
    symbols = ("", "é", "e", "\u0301", "🙂", " ", "\n", "\0")
    known = Vocabulary(symbols, padding, padding_ends)
    rng = np.random.default_rng(0)
    least = 6 if padding is None else 0
    strings = ["".join(rng.choice(symbols[1:], rng.integers(least, 7))) for _ in range(200)]
    # NumPy strips trailing NULs, so that a drawn NUL is an empty string.
    strings = [string for string in strings if len(string) >= least]
    strings = [*strings, "\0" * 6, "ée🙂 \n\0"]
    assert known.decode(known.encode(strings, 6)) == strings


@pytest.mark.parametrize(("padding", "padding_ends"), [(0, False), (2, False), (None, False)])
def test_encoding_undoes_decoding(padding, padding_ends):
    known = vocabulary(padding, padding_ends)
    tokens = np.random.default_rng(0).integers(0, 3, (100, 5))
    np.testing.assert_array_equal(known.encode(known.decode(tokens), 5), tokens)


def test_encoding_undoes_decoding_of_words_that_end():
    tokens = np.array([[1, 2, 3, 1], [3, 3, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(WORDS.encode(WORDS.decode(tokens), 4), tokens)


def test_encoding_nothing_returns_no_rows():
    assert vocabulary().encode([], 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("known", "strings", "message"),
    [
        (vocabulary(), ["ab", "abab", "aba"], "strings must be at most 2 symbols long, got 'abab'"),
        (vocabulary(None), ["ab", "a"], "strings must be 2 symbols long, as there is no padding, got 'a'"),
        (vocabulary(), ["ab", "ac"], "strings must be over the symbols _ a b, got 'c' in 'ac'"),
        (vocabulary(), [["a"], ["b", "ab"]], r"strings must be over the symbols _ a b, got 'ab' in \['b', 'ab'\]"),
        (vocabulary(0, True), ["a_"], "strings must not hold the symbol '_', which ends a sequence, got 'a_'"),
        (WORDS, ["a "], r"strings must not hold the symbol '', which ends a sequence, got \['a', ''\]"),
        (WORDS, ["a "], r"; between two symbols of a string there must be one ' ', and no blank or tab elsewhere"),
        (WORDS, [" a"], "; between two symbols of a string there must be one ' '"),
        (WORDS._replace(unknown="is"), ["a  rose"], "; between two symbols of a string there must be one ' '"),
        (WORDS, ["a\trose"], r"got 'a\\trose' in .*; between two symbols of a string there must be one ' '"),
        (Vocabulary(("a", "is"), separator=" "), ["a "], "got '' in .*; between two symbols of a string"),
        (WORDS, ["an"], r"got 'an' in \['an'\]$"),
        (Vocabulary(("a", "a")), ["aa"], "symbols must differ, got 2 of which 1 are different"),
        (Vocabulary(("a", "b"), padding=2), ["aa"], r"padding must be None or a token in \[0, 2\), got 2"),
        (
            Vocabulary(tuple(map(str, range(99)))),
            ["9a"],
            r"over the symbols 0 1 2 .* 39 \.\.\. \(99 in all\), got 'a' in '9a'",
        ),
    ],
)
def test_strings_that_do_not_fit_are_named(known, strings, message):
    with pytest.raises(ValueError, match=message):
        known.encode(strings, 2)


@pytest.mark.parametrize(
    ("strings", "message"),
    [
        ("ab", "strings must be a sequence of strings, got 'ab'"),
        (7, "strings must be a sequence of strings, got 7"),
        ([1], "strings must hold strings, or sequences of symbols, got 1"),
        ([[1, 2]], r"strings must hold strings, or sequences of symbols, got \[1, 2\]"),
        ([None], "strings must hold strings, or sequences of symbols, got None"),
    ],
)
def test_what_is_not_strings_is_named(strings, message):
    with pytest.raises(TypeError, match=message):
        vocabulary().encode(strings, 2)


@pytest.mark.parametrize("name", ["decode", "sequences", "lengths"])
def test_bad_tokens_are_named(name):
    function = getattr(vocabulary(), name)
    with pytest.raises(ValueError, match=r"tokens must be in \[0, 3\), got 0 to 3"):
        function(np.array([[0, 3]]))
    with pytest.raises(ValueError, match=r"tokens must be in \[0, 3\), got -1 to 1"):
        function(np.array([[-1, 1]]))
    with pytest.raises(ValueError, match=r"tokens must be \[N, T\], got shape \(2,\)"):
        function(np.array([0, 1]))
    with pytest.raises(TypeError, match="tokens must be integers, got float64"):
        function(np.zeros((1, 2)))
    with pytest.raises(TypeError, match="tokens must be integers, got bool"):
        function(np.zeros((1, 2), bool))
