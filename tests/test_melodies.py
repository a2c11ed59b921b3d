"""Melodies: ABC notation to symbols, the oracle, pictures, and MIDI files."""

import importlib.util
from xml.etree import ElementTree

import numpy as np
import pytest

import gumbel_gan as gg
from experiments.config import build, run_config
from experiments.configs import melodies
from gumbel_gan.tasks import melody_picture
from gumbel_gan.tasks.abc_tunes import Note, read_tunes
from gumbel_gan.tasks.melodies import essen_files
from gumbel_gan.tasks.melody_symbols import melody_symbols, read_melody
from gumbel_gan.tasks.unreadable import Unreadable
from tests import commands

HEAD = "X:{number}\nT: a tune\nM: {meter}\nL: {unit}\nK: {key}\n{body}\n\n"
VALID = "3/4 C4:1/4 | D4:1/2 rest:1/4 | F#4:3/4 ~ | F#4:1/8"


def abc(body, *, meter="3/4", unit="1/8", key="C", number=1):
    return HEAD.format(number=number, meter=meter, unit=unit, key=key, body=body)


def read(body, **settings):
    (tune,) = read_tunes(["a.abc"], [abc(body, **settings)])
    return tune


def symbols(body, **settings):
    tune = read(body, **settings)
    return " ".join(melody_symbols(tune.meter, tune.bars))


@pytest.mark.parametrize(
    ("body", "settings", "expected"),
    [
        ("c2 | d4z2 | C,2", {}, "3/4 C5:1/4 | D5:1/2 rest:1/4 | C3:1/4"),
        # The end of a line is a bar line only if it is also the end of a bar.
        ("C2D2E2\nF2G2A2 | B2\nc2d2 |", {}, "3/4 C4:1/4 D4:1/4 E4:1/4 | F4:1/4 G4:1/4 A4:1/4 | B4:1/4 C5:1/4 D5:1/4"),
        # Accidentals hold in their octave to the end of the bar. The key applies to all other notes.
        ("^C C c =F F F | C6", {"key": "D"}, "3/4 C#4:1/8 C#4:1/8 C#5:1/8 F4:1/8 F4:1/8 F4:1/8 | C#4:3/4"),
        ("_B2B4 | B6", {}, "3/4 A#4:1/4 A#4:1/2 | B4:3/4"),
        ("E6", {"key": "Es"}, "3/4 D#4:3/4"),
        ("F6", {"key": "Em"}, "3/4 F#4:3/4"),
        # Ties: across a bar line with the accidental, within a bar, and to another pitch.
        ("^F6- | F2 z4", {}, "3/4 F#4:3/4 ~ | F#4:1/4 rest:1/2"),
        ("C2-C4 | D6", {}, "3/4 C4:3/4 | D4:3/4"),
        ("C6- | D6", {}, "3/4 C4:3/4 | D4:3/4"),
        ("^F2-=F4 | ^F6- | =F6", {}, "3/4 F#4:1/4 F4:1/2 | F#4:3/4 | F4:3/4"),
        # A bar that is divided by a bar line, as before a part with an upbeat.
        ("C6 | D4 |: E2 | F6 | G2", {}, "3/4 C4:3/4 | D4:1/2 E4:1/4 | F4:3/4 | G4:1/4"),
        ('"Am"C3/2{d}D/ !trill!E4 |] % end', {}, "3/4 C4:3/16 D4:1/16 E4:1/2"),
        ("|:C6\nD:|\n", {}, "3/4 C4:3/4 | D4:1/8"),
        ("C6 :: D6", {}, "3/4 C4:3/4 | D4:3/4"),
        ("|: C6 |1 D6 :|2 E6 |[3-4 F6 :|[5 G6 |]", {}, "3/4 C4:3/4 | D4:3/4 | E4:3/4 | F4:3/4 | G4:3/4"),
        ("C6 [1,3 D6", {}, "3/4 C4:3/4 | D4:3/4"),
        ("(C2 D2 (E2-) | E2) F4", {}, "3/4 C4:1/4 D4:1/4 E4:1/4 ~ | E4:1/4 F4:1/2"),
        ("C6", {"meter": "3/4 % a waltz", "unit": "1/8%", "key": "D % bright"}, "3/4 C#4:3/4"),
        ("C4D4", {"meter": "C"}, "4/4 C4:1/2 D4:1/2"),
        ("F6", {"key": "G clef=treble"}, "3/4 F#4:3/4"),
        ("F6", {"key": "Em bass"}, "3/4 F#4:3/4"),
        # A tie between the two parts of a bar that a bar line divides.
        ("C6 | D4- |: D2 | F6 | G2", {}, "3/4 C4:3/4 | D4:3/4 | F4:3/4 | G4:1/4"),
        # An empty line ends a tune; text may follow.
        ("C6 | D6\n\nSome text, until the next tune.", {}, "3/4 C4:3/4 | D4:3/4"),
    ],
)
def test_tunes_become_symbols(body, settings, expected):
    assert symbols(body, **settings) == expected


@pytest.mark.parametrize(
    ("body", "settings", "reason"),
    [
        ("C2 (3DEF", {}, "the character '('"),
        ("[CE]2", {}, "the character '['"),
        ("C0", {}, "the length '0' of 1/8"),
        ("C/16", {}, "the length '/16' of 1/8"),
        ("-C2", {}, "a tie without a note before it"),
        ("C2\nM: 2/4\nD2", {}, "a field M inside the tune"),
        ("C2", {"key": "X"}, "the key 'X'"),
        ("C2", {"unit": "1/5"}, "a unit of length L that is '1/5'"),
        ("", {}, "no notes"),
    ],
)
def test_what_cannot_be_read_has_a_reason(body, settings, reason):
    assert read(body, **settings) == Unreadable("'a.abc', tune 1", reason)


@pytest.mark.parametrize(
    ("string", "reason"),
    [
        (VALID, None),
        ("2/4 C4:1/2", None),
        ("C4:1/4 | D4:1/4", "no meter at the beginning"),
        ("", "no meter at the beginning"),
        ("3/4 C4:3/4 | D4:1/2 | E4:3/4", "bar 2 has 1/2 of 3/4"),
        ("3/4 C4:3/4 | D4:1/1 | E4:3/4", "bar 2 has 1 of 3/4"),
        ("3/4 C4:1/1 | D4:3/4", "bar 1 has 1 of 3/4"),
        ("3/4 C4:3/4 | D4:1/1", "bar 2 has 1 of 3/4"),
        ("3/4 C4:3/4 | | D4:3/4", "bar 2 is empty"),
        ("3/4 C4:3/4 |", "bar 2 is empty"),
        ("3/4 C4:3/4 2/4", "2/4 is not a note"),
        ("3/4 C4:3/4 ~ | D4:3/4", "a tie to another pitch in bar 2"),
        ("3/4 C4:3/4 ~", "a tie at the end"),
        ("3/4 rest:3/4 ~ | C4:3/4", "a tie without a note before it in bar 1"),
        ("3/4 C4:1/128", "C4:1/128 is not a note"),
    ],
)
def test_the_oracle_judges_melodies(string, reason):
    assert read_melody(string).reason == reason
    picture = melody_picture(string)
    assert picture.reason == reason
    assert (picture.svg is None) == (":" not in string or "/128" in string)


def test_a_picture_has_a_box_for_each_note_and_a_line_for_each_bar_line():
    picture = melody_picture(VALID)
    drawing = ElementTree.fromstring(picture.svg)
    assert [each.tag.rpartition("}")[2] for each in drawing].count("rect") == 4
    assert len(drawing) == 4 + 3
    assert picture.caption == "3/4, 5 notes, 4 bars"


def test_a_midi_file_holds_the_notes():
    content = gg.melody_midi(VALID, tempo=120)
    assert content[:14] == b"MThd\0\0\0\x06\0\0\0\x01\0\x10"
    assert content[14:22] == b"MTrk" + (len(content) - 22).to_bytes(4, "big")
    # Tied notes are written as one note. A rest delays the next note.
    events = [(0, 60), (16, 60), (0, 62), (32, 62), (16, 66), (56, 66)]
    written = b"".join(
        bytes((time, (0x90, 0x80)[number % 2], pitch, (80, 0)[number % 2]))
        for number, (time, pitch) in enumerate(events)
    )
    assert content[22:] == b"\0\xff\x51\x03\x07\xa1\x20" + written + b"\0\xff\x2f\0"
    assert b"\x81\x00\x80" in gg.melody_midi("2/1 C4:2/1")
    with pytest.raises(ValueError, match="tempo must be at most 60,000, got 70000"):
        gg.melody_midi(VALID, tempo=70_000)
    with pytest.raises(ValueError, match="string must have pitches from 0 to 127, got 132"):
        gg.melody_midi("3/4 C10:3/4")
    assert gg.melody_midi("3/4 rest:3/4 | hello") is None


@pytest.mark.slow
def test_the_command_writes_a_file_for_each_line(tmp_path):
    (tmp_path / "melodies.txt").write_text(f"{VALID}\n\n2/4 C4:1/2\nF#4 A4 hello\n")
    folder = tmp_path / "midi"
    status, printed, errors = commands.run("midi", str(tmp_path / "melodies.txt"), f"--output={folder}")
    assert (status, errors) == (0, "")
    assert "2 MIDI files are in" in printed
    assert "strings without notes of this task: 1" in printed
    assert sorted(path.name for path in folder.iterdir()) == ["1.mid", "2.mid"]
    assert (folder / "2.mid").read_bytes() == gg.melody_midi("2/4 C4:1/2")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Writes 60 tunes in F with one meter, and four others: no meter, unequal bars, not readable, rare notes."""
    rng = np.random.default_rng(0)
    bodies = ["".join(rng.choice(list("FGAc"), 3)) + " | " + "".join(rng.choice(list("FGAc"), 3)) for _ in range(60)]
    tunes = [abc(body, meter="3/8", key="F", number=number) for number, body in enumerate(bodies, 1)]
    tunes += [
        abc("FGA", meter="none", key="F", number=61),
        abc("FGA|FG|FGA|FGA", meter="3/8", key="F", number=62),
        abc("F(3G", meter="3/8", number=63),
        abc("B_BB", meter="3/8", key="F", number=64),
    ]
    path = tmp_path_factory.mktemp("melodies") / "mine.abc"
    path.write_text("".join(tunes))
    return path


def test_a_task_keeps_what_fills_its_meter_and_counts_the_rest(file):
    task = gg.melodies_task(file, num_heldout=5, min_count=3)
    assert (task.name, task.oracle.validity_method) == ("melodies mine.abc", "bars")
    # Transposed from F to C, five semitones down.
    assert set(task.symbols) == {"", "|", "3/8", "C4:1/8", "D4:1/8", "E4:1/8", "G4:1/8"}
    assert task.length == 9
    for split in (task.train, task.validation, task.test):
        strings = task.decode(split.tokens)
        assert all(map(task.is_valid, strings))
        np.testing.assert_array_equal(task.encode(strings), split.tokens)
    assert "Tunes read: 64; of one meter that their bars fill, kept: 61; without a meter, left out: 1" in task.notes[0]
    assert "left out: 1, such as 'mine.abc', tune 62." in task.notes[0]
    assert task.notes[1] == "Tunes that can't be read: 1, such as 'mine.abc', tune 63: the character '('."
    assert "fewer than 3 of them have, left out: 1." in task.notes[3]
    assert "F4:1/8" in gg.melodies_task(file, num_heldout=5, transpose=False).symbols


def test_what_is_left_to_the_task_is_chosen(file):
    task = gg.melodies_task(file, min_count=1)
    assert task.chosen == {"num_heldout": len(task.test.tokens)}
    assert gg.melodies_task(file, num_heldout=5).chosen == {}


def test_its_errors_name_the_argument(file):
    with pytest.raises(ValueError, match="max_length must be at least 0, got -1"):
        gg.melodies_task(file, max_length=-1)
    with pytest.raises(ValueError, match="min_count must be at least 1, got 0"):
        gg.melodies_task(file, min_count=0)
    with pytest.raises(ValueError, match="files must hold a usable tune, got none"):
        gg.melodies_task(file, max_length=2)


def test_files_in_another_encoding_are_read(file, tmp_path):
    latin = tmp_path / "mine.abc"
    latin.write_bytes(file.read_text().replace("a tune", "für drei").encode("latin-1"))
    with pytest.raises(ValueError, match="set encoding to that of the files, such as 'latin-1'"):
        gg.melodies_task(latin)
    read_so = gg.melodies_task(latin, encoding="latin-1", num_heldout=5)
    np.testing.assert_array_equal(read_so.train.tokens, gg.melodies_task(file, num_heldout=5).train.tokens)


def test_the_config_builds(file):
    config = melodies.get_config()
    config.task.update(files=str(file), num_heldout=10)
    config.num_compared = 10
    config.batch_size = 32
    config.num_shards = 1
    experiment = build.build(run_config.parse(config))
    assert experiment.task.oracle is not None


def test_notes_of_every_duration_are_written_and_read():
    notes = [Note(pitch, duration) for pitch in (None, 0, 61, 127) for duration in (1, 6, 64, 96)]
    assert read_melody("4/1 " + " ".join(melody_symbols("4/1", [notes])[1:])).bars == (tuple(notes),)


@pytest.mark.skipif(importlib.util.find_spec("music21") is None, reason="music21 is not installed")
def test_the_essen_collection_is_read():
    files = essen_files()
    assert len(files) > 20
    task = gg.melodies_task([each for each in files if each.name == "han1.abc"], num_heldout=20, max_length=0)
    assert task.notes[0].startswith("Tunes read: 554; of one meter that their bars fill, kept: ")
    assert task.num_train > 200
    assert all(map(task.is_valid, task.decode(task.test.tokens)))


@pytest.mark.skipif(importlib.util.find_spec("music21") is not None, reason="music21 is installed")
def test_a_missing_package_is_named():
    with pytest.raises(ImportError, match="files must be given where the package 'music21' is not installed"):
        gg.melodies_task()
