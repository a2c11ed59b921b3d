import hashlib

import numpy as np
import pytest

from gumbel_gan.tasks import files_digest, text_line, text_task


@pytest.fixture
def write(tmp_path):
    def write_file(content, name="mine.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return str(path)

    return write_file


def strings_of(task):
    return [task.decode(split.tokens) for split in (task.train, task.validation, task.test)]


def all_strings(task):
    return sorted(string for strings in strings_of(task) for string in strings)


def test_a_line_is_a_sequence_with_an_end(write):
    task = text_task(write("bab\na\n\n  cc \n"), num_heldout=1)
    assert task.name == "text mine.txt"
    assert task.symbols == ("", "a", "b", "c")
    assert task.vocabulary[1:] == (0, True, False, "", "", "NFC", None)
    assert (task.oracle, task.image_shape) == (None, None)
    assert [split.tokens.shape for split in (task.train, task.validation, task.test)] == [(1, 4)] * 3
    assert task.train.tokens.dtype == np.int32
    tokens = np.concatenate([task.train.tokens, task.validation.tokens, task.test.tokens])
    assert sorted(tokens.tolist()) == [[1, 0, 0, 0], [2, 1, 2, 0], [3, 3, 0, 0]]
    assert all_strings(task) == ["a", "bab", "cc"]
    assert task.notes == (
        "Lines read: 4; blank, left out: 1.",
        "Repeated lines, left out: 0.",
        "Symbols of the vocabulary: 4. Sequences for training: 1; for validation: 1; for the test: 1.",
    )


def test_utf8_byte_order_marks_and_all_line_ends_are_read(write):
    content = b"\xef\xbb\xbf" + "één\r\nnaïve 🙂\rÅ\n\u2028x\x0by".encode()
    task = text_task(write(content), num_heldout=1)
    # Unicode's other line ends do not end a line; at both ends of a line they are stripped as whitespace.
    assert all_strings(task) == sorted(["één", "naïve 🙂", "Å", "x\x0by"])
    assert task.length == len("naïve 🙂") + 1


def test_words_are_symbols(write):
    task = text_task(write("the cat  sat\nthe\tmat\nthe cat sat\ncat\n"), unit="words", num_heldout=1)
    assert task.symbols == ("", "cat", "mat", "sat", "the")
    assert task.length == 4
    assert all_strings(task) == ["cat", "the cat sat", "the mat"]
    assert "Repeated lines, left out: 1." in task.notes


def test_several_files_are_read_in_order(write):
    files = [write("a\nb", "one.txt"), write("c\na\n", "two.txt")]
    task = text_task(files, num_heldout=1)
    assert task.name == "text one.txt, two.txt"
    assert all_strings(task) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("too_long", "expected", "done"),
    [("drop", ["abc", "b", "d"], "dropped"), ("cut", ["abc", "b", "d", "dab"], "cut")],
)
def test_long_lines_are_dropped_or_cut_before_repeats_are_settled(write, too_long, expected, done):
    file = write("abc\nabcd\nb\nd\ndaba\n")
    task = text_task(file, max_length=3, too_long=too_long, num_heldout=1)
    assert all_strings(task) == expected
    assert task.length == 4
    assert f"Lines of more than 3 symbols (max_length), {done}: 2." in task.notes


def test_max_length_counts_symbols_and_sets_the_length(write):
    file = write("one two three\nfour\nfive\nsix")
    task = text_task(file, unit="words", max_length=7, too_long="fail", num_heldout=1)
    assert task.length == 8
    assert len(all_strings(task)) == 4
    with pytest.raises(ValueError, match=r"every line, got 2; .*mine.txt', line 1 has 3"):
        text_task(file, unit="words", max_length=2, too_long="fail", num_heldout=1)


def test_case_is_folded_before_anything_is_counted(write):
    file = write("Ann\nANN\nann\nÉva\néva\nBo\n")
    task = text_task(file, lowercase=True, num_heldout=1)
    assert all_strings(task) == ["ann", "bo", "éva"]
    assert "Repeated lines, left out: 3." in task.notes
    assert len(all_strings(text_task(file, num_heldout=1))) == 6


@pytest.mark.parametrize("normalize", ["NFC", "NFD", "NFKC", "NFKD", "none"])
def test_a_line_is_read_as_the_task_reads_it(write, normalize):
    lines = [" \u210bab ", "Cafe\u0301", "\u00a8x", "\u0130y"]
    task = text_task(write("\n".join(lines)), lowercase=True, normalize=normalize, num_heldout=1)
    read = [text_line(line, lowercase=True, normalize=normalize) for line in lines]
    assert sorted(read) == all_strings(task)
    assert sorted(task.decode(task.encode(read))) == all_strings(task)
    with pytest.raises(ValueError, match="normalize must be one of NFC, NFD, NFKC, NFKD, none; got 'NF'"):
        text_line("a", normalize="NF")


def test_lines_with_rare_characters_are_dropped(write):
    task = text_task(write("ab\nba\nab\naxa\nyb\nbb\n"), min_count=2, num_heldout=1)
    assert all_strings(task) == ["ab", "ba", "bb"]
    assert task.symbols == ("", "a", "b")
    assert "Characters seen fewer than 2 times: 2; lines that hold one, dropped: 2." in task.notes


def test_rare_words_are_replaced_and_lines_that_then_repeat_are_one(write):
    task = text_task(write("a cat\na dog\na a\na\n"), unit="words", min_count=2, num_heldout=1)
    assert task.symbols == ("", "<unk>", "a")
    assert all_strings(task) == ["a", "a <unk>", "a a"]
    assert "Words seen fewer than 2 times: 2; written as <unk>." in task.notes


@pytest.mark.parametrize("seed", range(5))
def test_copies_stay_in_one_split(write, seed):
    rng = np.random.default_rng(0)
    lines = [f"line {number}" for number in rng.integers(0, 30, 200)]
    task = text_task(write("\n".join(lines)), deduplicate=False, num_heldout=6, seed=seed)
    train, validation, test = strings_of(task)
    assert sorted([*train, *validation, *test]) == sorted(lines)
    assert set(train).isdisjoint(validation)
    assert set(train).isdisjoint(test)
    assert set(validation).isdisjoint(test)
    assert (len(set(validation)), len(set(test))) == (6, 6)
    assert "Repeated lines, kept, all copies of a line in the same split: 170." in task.notes


def test_the_split_is_seeded_and_independent_of_copies(write):
    file = write("\n".join(f"{number}" for number in range(100)))
    tasks = [text_task(file, num_heldout=20, seed=seed) for seed in (1, 1, 2)]
    for first, second in zip(strings_of(tasks[0]), strings_of(tasks[1]), strict=True):
        assert first == second
    assert set(strings_of(tasks[0])[2]) != set(strings_of(tasks[2])[2])
    assert len(all_strings(tasks[0])) == 100
    # With copies, the same distinct lines are held out.
    doubled = text_task(
        write("\n".join(f"{number}" for number in [*range(100)] * 2)), deduplicate=False, num_heldout=20
    )
    single = text_task(file, num_heldout=20)
    assert sorted(strings_of(doubled)[2]) == sorted(strings_of(single)[2] * 2)


def test_decoding_returns_the_lines(write):
    lines = ["crème brûlée", "naïve", "日本語", "🙂🙃", "a  b", "nul\0"]
    task = text_task(write("\n".join(lines)), num_heldout=1)
    assert all_strings(task) == sorted(lines)
    # Tokens after the end of a sequence are ignored.
    row = task.train.tokens[:1].copy()
    row[0, len(strings_of(task)[0][0]) + 1 :] = 3
    assert task.decode(row) == task.decode(task.train.tokens[:1])


def test_windows_follow_each_other(write):
    task = text_task(write("abcd\r\nefgh\nijkl\nm"), window=3, num_heldout=1)
    train, *held_out = strings_of(task)
    # Windows are split in the order of the text, and shuffled within a split.
    assert sorted(train) == ["abc", "d\ne", "fgh"]
    assert held_out == [["\nij"], ["kl\n"]]
    other = strings_of(text_task(write("abcd\r\nefgh\nijkl\nm"), window=3, num_heldout=1, seed=1))
    assert other[0] != train
    assert sorted(other[0]) == sorted(train)
    assert (*task.vocabulary[1:], task.length) == (None, False, True, "", "", "NFC", None, 3)
    assert task.symbols == ("\n", *"abcdefghijkl")  # without the m, which is left over
    assert task.notes[0] == "Characters read: 16; windows of 3: 5; left over at the end, dropped: 1."
    assert task.notes[-1].startswith("The beginning of the text is for training")


def test_windows_stay_in_the_order_of_the_text_where_that_is_asked_for(write):
    task = text_task(write("abcd\r\nefgh\nijkl\nm"), window=3, in_order=True, num_heldout=1)
    assert strings_of(task) == [["abc", "d\ne", "fgh"], ["\nij"], ["kl\n"]]
    assert task.in_order
    assert not text_task(write("abcdefghi"), window=3, num_heldout=1).in_order


def test_windows_of_words_pass_over_line_ends_and_files(write):
    files = [write("one two\nthree", "one.txt"), write("four five\nsix seven", "two.txt")]
    task = text_task(files, unit="words", window=2, num_heldout=1)
    assert strings_of(task) == [["one two"], ["three four"], ["five six"]]


def test_rare_symbols_of_windows_are_replaced(write):
    characters = text_task(write("aabbaxaabb"), window=3, min_count=2, num_heldout=1)
    assert strings_of(characters) == [["aab"], ["ba\ufffd"], ["aab"]]
    assert "Characters seen fewer than 2 times: 1; written as \ufffd." in characters.notes
    words = text_task(write("a a b c a b"), unit="words", window=2, min_count=2, num_heldout=1)
    assert strings_of(words) == [["a a"], ["b <unk>"], ["a b"]]


def test_the_digest_recognizes_the_files(write):
    files = [write("a\r\nb\n", "one.txt"), write("c\nd\n", "two.txt")]
    digest = hashlib.sha256(b"a\r\nb\nc\nd\n").hexdigest()
    assert files_digest(files) == digest
    assert text_task(files, num_heldout=1, digest=digest).train.tokens.shape == (2, 2)
    with pytest.raises(ValueError, match=f"files must be those of digest {digest}, got {files_digest(files[::-1])}"):
        text_task(files[::-1], num_heldout=1, digest=digest)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"ab\r\ncd\re\xff\n", r"files must be in utf-8, got byte 0xff in '.*mine\.txt', line 3; set encoding to"),
        (b"\xef\xbb\xbfab\n\xc3", r"files must be in utf-8, got byte 0xc3 in '.*mine\.txt', line 2"),
        ("caf\u00e9".encode("latin-1"), "got byte 0xe9 in .* line 1"),
        (b"", r"files must hold text, got only whitespace in '.*mine\.txt'"),
        (b"\xef\xbb\xbf", "files must hold text, got only whitespace"),
        (b" \n\r\n", "files must hold text, got only whitespace"),
    ],
)
def test_bad_files_are_named(write, content, message):
    with pytest.raises(ValueError, match=message):
        text_task([write("fine\n", "fine.txt"), write(content)], num_heldout=1)


def test_files_that_are_not_there_are_named(tmp_path):
    with pytest.raises(
        ValueError, match=r"files must be paths of files that can be read, got '.*none\.txt' \(No such file"
    ):
        text_task(str(tmp_path / "none.txt"))
    with pytest.raises(ValueError, match=r"got '.*' \(Is a directory\)"):
        text_task(tmp_path)
    with pytest.raises(ValueError, match="files must name at least one file, got none"):
        text_task(())
    with pytest.raises(ValueError, match="files must name at least one file, got none"):
        files_digest([])
    for files in (tmp_path.glob("*.txt"), {tmp_path / "one.txt"}):
        with pytest.raises(TypeError, match="files must be a path, or a sequence of paths, got"):
            text_task(files)


def test_strings_in_the_place_of_paths_are_told_where_to_go():
    for strings in (["abc", "cab"], "abc", ["a\0b"], ["a" * 10_000]):
        with pytest.raises(ValueError, match=r"files must be paths .*; sequences in memory are for strings_task"):
            text_task(strings)
    with pytest.raises(TypeError, match=r"files must be a path, or a sequence of paths, got \[1, 2\]"):
        text_task([1, 2])
    with pytest.raises(TypeError, match="files must be a path, or a sequence of paths, got None"):
        text_task(None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"unit": "bytes"}, "unit must be one of characters, words, grapheme, regex:PATTERN; got 'bytes'"),
        ({"too_long": "wrap"}, "too_long must be one of drop, cut, fail; got 'wrap'"),
        ({"max_length": -1}, "max_length must be at least 0, got -1"),
        ({"window": -1}, "window must be at least 0, got -1"),
        ({"window": 2, "max_length": 5}, "max_length must be 0 with a window, got 5 with window 2"),
        ({"in_order": True}, "in_order must be False without a window, got True"),
        ({"in_order": True, "window": 2, "stream": "always"}, "in_order must be False for a text that streams, got T"),
        ({"min_count": 0}, "min_count must be at least 1, got 0"),
        ({"num_heldout": 0}, "num_heldout must be at least 1, got 0"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"max_symbols": 1}, "max_symbols must be at least 2, got 1"),
        ({"max_symbols": 4}, "max_symbols must be at least the size of the vocabulary, 5, got 4"),
        ({"max_symbols": 4, "window": 1}, "max_symbols must be at least the size of the vocabulary, 5, got 4"),
        ({"num_heldout": 2}, "num_heldout must be less than half of the distinct sequences, which are 4; got 2"),
        ({"window": 3, "num_heldout": 2}, "less than half of the windows of 3 characters, which are 2; got 2"),
        ({"window": 9}, "less than half of the windows of 9 characters, which are 0; got 1"),
        (
            {"min_count": 9},
            r"files must hold a usable line, got none\. Lines read: 4; .* lines that hold one, dropped: 4",
        ),
    ],
)
def test_bad_arguments_are_named(write, settings, message):
    with pytest.raises(ValueError, match=message):
        text_task(write("a\nb\nc\nd\n"), **({"num_heldout": 1} | settings))


def test_a_vocabulary_that_is_too_large_is_shown_where_it_grows(write):
    file = write("aab\nbba\nabc\nbca")
    with pytest.raises(ValueError, match=r"the vocabulary, 4, got 3: 'c' in '.*mine.txt', line 3 is one too many"):
        text_task(file, num_heldout=1, max_symbols=3)


def test_one_line_too_long_for_memory_is_named(write):
    lines = "\n".join(str(number) for number in range(2_000))
    with pytest.raises(ValueError, match=r"max_length must be such that 2,001 lines .* got 1,000,000"):
        text_task(write(f"{lines}\n{'1' * 1_000_000}"), num_heldout=1)
