"""Tasks of strings in memory."""

import numpy as np
import pytest

from gumbel_gan.tasks import strings_task, text_task


def strings_of(task):
    return [task.decode(split.tokens) for split in (task.train, task.validation, task.test)]


def all_strings(task):
    return sorted(string for strings in strings_of(task) for string in strings)


def test_three_strings_are_enough():
    task = strings_task(["abc", "b", "cc"])
    assert [len(strings) for strings in strings_of(task)] == [1, 1, 1]
    assert all_strings(task) == ["abc", "b", "cc"]
    assert task.vocabulary == (("", "a", "b", "c"), 0, True, False, "", "", "NFC", None)
    assert (task.name, task.length, task.oracle) == ("strings", 4, None)
    assert task.notes == (
        "Strings: 3.",
        "Repeated strings, left out: 0.",
        "Symbols of the vocabulary: 4. Sequences for training: 1; for validation: 1; for the test: 1.",
    )


def test_a_tenth_is_held_out_and_repeats_are_left_out():
    strings = [f"{number}" for number in range(50)]
    task = strings_task(strings * 2)
    assert [len(each) for each in strings_of(task)] == [40, 5, 5]
    assert all_strings(task) == sorted(strings)
    assert task.chosen == {"max_length": 2, "num_heldout": 5}
    assert strings_task(strings, max_length=2).chosen == {"num_heldout": 5}
    assert strings_task(strings, num_heldout=4).chosen == {"max_length": 2}
    repeated = strings_task(iter(strings * 2), deduplicate=False)
    assert repeated.chosen == task.chosen
    assert [len(each) for each in strings_of(repeated)] == [80, 10, 10]
    assert sorted(strings_of(repeated)[2]) == sorted(strings_of(task)[2] * 2)


def test_strings_are_kept_as_they_are():
    strings = ["crème", " lead", "trail \n", "日本", "nul\0", "a  b", "\u2028"]
    task = strings_task(strings)
    assert all_strings(task) == sorted(strings)
    np.testing.assert_array_equal(task.encode(strings_of(task)[0]), task.train.tokens)


def test_an_empty_string_is_a_sequence_and_says_so():
    task = strings_task(["", "a", "ab"])
    assert all_strings(task) == ["", "a", "ab"]
    assert task.vocabulary.allow_empty
    assert not strings_task(["b", "a", "ab"]).vocabulary.allow_empty


def test_words_are_symbols():
    task = strings_task(["the cat sat", "the  cat", "a\tmat", "the cat"], unit="words")
    assert task.symbols == ("", "a", "cat", "mat", "sat", "the")
    assert all_strings(task) == ["a mat", "the cat", "the cat sat"]
    assert task.length == 4


@pytest.mark.parametrize(("too_long", "expected"), [("drop", ["a", "b", "c"]), ("cut", ["a", "ab", "b", "c"])])
def test_long_strings_are_dropped_or_cut(too_long, expected):
    task = strings_task(["a", "b", "c", "abc"], max_length=2, too_long=too_long)
    assert all_strings(task) == expected
    assert task.length == 3
    assert task.notes[1].startswith("Strings of more than 2 symbols (max_length), ")


def test_rare_symbols_are_left_out_or_replaced():
    assert all_strings(strings_task(["ab", "ba", "aa", "ax"], min_count=2)) == ["aa", "ab", "ba"]
    words = strings_task(["a b", "a a", "c a", "a"], unit="words", min_count=2)
    assert all_strings(words) == ["<unk> a", "a", "a <unk>", "a a"]


def test_strings_and_the_lines_of_a_file_are_one_task(tmp_path):
    lines = [f"{number} of {number % 7}" for number in range(60)]
    file = tmp_path / "mine.txt"
    file.write_text("\n".join(lines))
    for unit in ("characters", "words"):
        settings = {"unit": unit, "num_heldout": 6, "min_count": 3, "seed": 2}
        of_strings, of_lines = strings_task(lines, **settings), text_task(file, **settings)
        assert of_strings.vocabulary == of_lines.vocabulary
        for first, second in zip(of_strings[2:5], of_lines[2:5], strict=True):
            np.testing.assert_array_equal(first.tokens, second.tokens)


@pytest.mark.parametrize(
    ("strings", "settings", "message"),
    [
        ([], {}, r"strings must hold a usable string, got none\. Strings: 0"),
        (["a", "b"], {}, "strings must hold at least 3 distinct sequences, for training, validation and test, got 2"),
        (["a", "b", "a"], {}, "strings must hold at least 3 distinct sequences, .* got 2"),
        (["a", "b", "c"], {"num_heldout": 2}, "num_heldout must be less than half of the distinct sequences"),
        (["a", "b", "c"], {"num_heldout": 0}, "num_heldout must be at least 1, got 0"),
        (["a", "b", "c"], {"max_length": 0}, "max_length must be at least 1, got 0"),
        (["a", "bcd"], {"max_length": 2, "too_long": "fail"}, r"every string, got 2; strings\[1\] has 3"),
        (["abc"], {"max_length": 2}, "got none. Strings: 1. Strings of more than 2 symbols .max_length., dropped: 1."),
        (["a", "b", "c"], {"max_symbols": 3}, r"the vocabulary, 4, got 3: 'c' in strings\[2\] is one too many"),
        (["cat", "at"], {"max_symbols": 2, "unit": "words"}, r"3, got 2: 'at' in strings\[1\] is one too many"),
        (
            ["a", "b", "c"],
            {"unit": "bytes"},
            "unit must be one of characters, words, grapheme, regex:PATTERN; got 'bytes'",
        ),
        (["a", "b", "c"], {"too_long": "wrap"}, "too_long must be one of drop, cut, fail; got 'wrap'"),
        (["a", "b", "c"], {"min_count": 0}, "min_count must be at least 1, got 0"),
        (["a", "b", "c"], {"seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_bad_arguments_are_named(strings, settings, message):
    with pytest.raises(ValueError, match=message):
        strings_task(strings, **settings)


@pytest.mark.parametrize(
    ("strings", "message"),
    [
        ("abc", "strings must be a sequence of strings, got 'abc'"),
        (None, "strings must be a sequence of strings, got None"),
        (["a", 1], "strings must hold strings, got 1 at index 1"),
        ([b"a"], "strings must hold strings, got b'a' at index 0"),
        ([["a", "b"]], r"strings must hold strings, got \['a', 'b'\] at index 0"),
    ],
)
def test_what_is_not_strings_is_named(strings, message):
    with pytest.raises(TypeError, match=message):
        strings_task(strings)
