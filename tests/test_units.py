"""Text: the units that are its symbols, Unicode normalization, and the encoding of files."""

import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gumbel_gan as gg
from gumbel_gan.tasks.units import split
from tests.properties.case import run

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"
FAMILY, FLAG = "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea"
MOLECULES = ["CCl", "BrCC", "C(Br)Cl", "[nH]1cccc1", "CC", "ClCCl", "OCC", "BrBr"]


def all_strings(task):
    splits = (task.train, task.validation, task.test)
    return sorted(string for split in splits for string in task.decode(split.tokens))


def test_strings_alike_but_for_their_normalization_are_one():
    strings = [COMPOSED, DECOMPOSED, "a", "b", "fi\u0301n", "f\u00edn"]
    task = gg.strings_task(strings)
    assert all_strings(task) == sorted(["a", "b", COMPOSED, "f\u00edn"])
    assert task.notes[:3] == (
        "Strings: 6.",
        "Strings changed by Unicode normalization to NFC: 2.",
        "Repeated strings, left out: 2.",
    )
    np.testing.assert_array_equal(task.encode([DECOMPOSED]), task.encode([COMPOSED]))
    as_they_are = gg.strings_task(strings, normalize="none")
    assert all_strings(as_they_are) == sorted(strings)
    assert not any("normalization" in note for note in as_they_are.notes)
    decomposed = gg.strings_task(strings, normalize="NFD")
    assert all_strings(decomposed) == sorted(
        unicodedata.normalize("NFD", string) for string in [COMPOSED, "a", "b", "f\u00edn"]
    )
    with pytest.raises(ValueError, match="normalize must be one of NFC, NFD, NFKC, NFKD, none; got 'nfc'"):
        gg.strings_task(strings, normalize="nfc")


def test_lines_and_windows_are_normalized_before_and_after_their_case_is_folded(tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("\n".join([COMPOSED, DECOMPOSED.upper(), "\ufb01x", "FIX", "x", "y"]), encoding="utf-8")
    task = gg.text_task(file, lowercase=True, num_heldout=1)
    assert all_strings(task) == sorted([COMPOSED, "\ufb01x", "fix", "x", "y"])
    assert "Lines changed by Unicode normalization to NFC: 1." in task.notes
    assert all_strings(gg.text_task(file, lowercase=True, normalize="NFKC", num_heldout=1)) == sorted(
        [COMPOSED, "fix", "x", "y"]
    )
    assert len(all_strings(gg.text_task(file, lowercase=True, normalize="none", num_heldout=1))) == 6
    windows = gg.text_task(file, window=4, num_heldout=1)
    assert COMPOSED in windows.decode(windows.train.tokens)
    assert "Lines changed by Unicode normalization to NFC: 1." in windows.notes
    np.testing.assert_array_equal(windows.encode([DECOMPOSED]), windows.encode([COMPOSED]))


def test_grapheme_clusters_are_symbols():
    strings = [f"a{FAMILY}b", f"{FLAG}{FLAG}", "x\u0301y", "b", FAMILY]
    task = gg.strings_task(strings, unit="grapheme")
    assert task.symbols == tuple(sorted(["", "a", "b", FAMILY, FLAG, "x\u0301", "y"]))
    assert task.length == 4
    assert all_strings(task) == sorted(strings)
    cut = gg.strings_task(strings, unit="grapheme", max_length=1, too_long="cut")
    assert all_strings(cut) == sorted(["a", FLAG, "x\u0301", "b", FAMILY])


def test_grapheme_clusters_need_a_package(monkeypatch):
    from gumbel_gan.tasks import units

    units._finder.cache_clear()
    monkeypatch.setitem(sys.modules, "regex", None)
    with pytest.raises(ImportError, match=r"'regex' is not installed \(pip install 'gumbel_gan\[text\]'\)"):
        gg.strings_task(["a", "b", "c"], unit="grapheme")


def test_matches_of_a_regular_expression_are_symbols_and_so_is_each_other_character():
    task = gg.strings_task(MOLECULES, unit="regex:Cl|Br|\\[[^]]*\\]", num_heldout=1)
    assert {"Cl", "Br", "[nH]", "C", "c", "1"} <= set(task.symbols)
    assert {"l", "r", "B", "["}.isdisjoint(task.symbols)
    assert all_strings(task) == sorted(MOLECULES)
    np.testing.assert_array_equal(
        task.encode(["CClBr"])[0, :3], [task.symbols.index(each) for each in ("C", "Cl", "Br")]
    )
    # For all tokens, the decoded strings hold no l without its C, and no r without its B.
    tokens = np.random.default_rng(0).integers(0, task.num_symbols, (500, task.length))
    drawn = "".join(task.decode(tokens))
    assert drawn.count("l") == drawn.count("Cl") > 0
    assert drawn.count("r") == drawn.count("Br") > 0
    lines = gg.strings_task(MOLECULES, unit="regex:Cl|Br", min_count=2, num_heldout=1)
    assert "Symbols seen fewer than 2 times: 7; strings that hold one, dropped: 3." in lines.notes


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("Cl|", "aClb", ("a", "Cl", "b")),
        ("b*", "abba", ("a", "bb", "a")),
        ("(a)(b)", "abab", ("ab", "ab")),
        ("(?i)CL", "xcl", ("x", "cl")),
        ("a # and", "a # andb", ("a # and", "b")),
        (".", "a\nb", ("a", "\n", "b")),
        ("", "ab", "ab"),
        ("x", "", ()),
    ],
)
def test_a_pattern_may_match_nothing_and_have_groups(pattern, text, expected):
    assert split(text, pattern) == expected


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ("regex:(", "unit must have a regular expression after 'regex:', got '\\(': missing \\)"),
        ("regex:a{99999999999}", "unit must have a regular expression after 'regex:', got 'a{9+}': the repetition"),
        ("regex:", "unit must be one of characters, words, grapheme, regex:PATTERN; got 'regex:'"),
        (None, "unit must be one of .*; got None"),
    ],
)
def test_bad_units_are_named(unit, message):
    with pytest.raises(ValueError, match=message):
        gg.strings_task(["a", "b", "c"], unit=unit)


# Characters that are parts of larger symbols.
PARTS = [
    "C",
    "l",
    "B",
    "r",
    " ",
    "e",
    "\u0301",
    "\u200d",
    FAMILY[0],
    FAMILY[2],
    FLAG[0],
    FLAG[1],
    "\u1100",
    "\u1161",
    "\0",
    "\u2028",
]


@pytest.mark.parametrize("unit", ["characters", "words", "grapheme", "regex:Cl|Br", "regex:(?<=C).|B*", "regex:\\w+"])
def test_encoding_and_decoding_are_exact(unit):
    @run(20)
    @given(st.lists(st.lists(st.sampled_from(PARTS), max_size=8).map("".join), min_size=3, unique=True))
    def prop(strings):
        expected = sorted({" ".join(string.split()) for string in strings} if unit == "words" else strings)
        if len(expected) < 3:
            return
        task = gg.strings_task(strings, unit=unit, normalize="none", num_heldout=1)
        assert all_strings(task) == expected
        for part in (task.train, task.validation, task.test):
            np.testing.assert_array_equal(task.encode(task.decode(part.tokens)), part.tokens)

    prop()


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-8-sig", "shift_jis"])
def test_files_may_have_any_encoding(tmp_path, encoding):
    lines = ["\u65e5\u672c", "\u30ab", "x"] if encoding == "shift_jis" else ["na\u00efve", "caf\u00e9", "x"]
    file = tmp_path / "mine.txt"
    file.write_bytes("\r\n".join(lines).encode(encoding))
    task = gg.text_task(file, encoding=encoding, num_heldout=1)
    assert all_strings(task) == sorted(lines)
    windows = gg.text_task(file, encoding=encoding, num_heldout=1, window=2)
    assert "".join(windows.symbols).count("\n") == 1


def test_other_bytes_than_those_of_an_encoding_are_placed(tmp_path):
    file = tmp_path / "mine.txt"
    file.write_bytes("a\r\nb\r\n".encode("utf-16-le") + b"\x00\xd8")
    with pytest.raises(ValueError, match=r"files must be in utf-16-le, got byte 0x00 in '.*mine\.txt', line 3; set"):
        gg.text_task(file, encoding="utf-16-le")
    file.write_bytes(b"a\nb")
    with pytest.raises(ValueError, match=r"files must be in undefined, got '.*mine\.txt' \(.*\); set"):
        gg.text_task(file, encoding="undefined")


@pytest.mark.parametrize("encoding", ["klingon", "rot13", "base64", "", "a\0b", None, 8])
def test_an_encoding_that_python_does_not_know_is_named(tmp_path, encoding):
    with pytest.raises(ValueError, match=r"encoding must be one of text that Python knows, such as .*; got"):
        gg.text_task(tmp_path / "none.txt", encoding=encoding)
