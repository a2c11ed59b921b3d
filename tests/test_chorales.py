"""Chorales: bars from MusicXML, excerpts as strings, the oracle, pictures and MIDI files."""

import importlib.util
import io
import zipfile
from fractions import Fraction
from xml.etree import ElementTree

import numpy as np
import pytest

import gumbel_gan as gg
from experiments.config import build, run_config
from experiments.configs import chorales
from gumbel_gan.tasks import chorale_picture
from gumbel_gan.tasks.abc_tunes import Note
from gumbel_gan.tasks.chorale_symbols import read_chorale, sorted_symbols, voice_bars
from gumbel_gan.tasks.chorales import bach_files
from gumbel_gan.tasks.musicxml import ScoreNote, read_scores
from gumbel_gan.tasks.unreadable import Unreadable
from tests import commands

NOTE = """<note>{before}<pitch><step>{step}</step>{alter}<octave>{octave}</octave></pitch>
<duration>{duration}</duration>{after}</note>"""
REST = "<note><rest/><duration>{duration}</duration></note>"
TIED = '<tie type="stop"/>'
CONTAINER = """<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="score.xml"/></rootfiles></container>"""
# A bar of 4/4, with durations in eighth notes, in which the alto and the tenor cross.
BAR = ("C5:8", "E4:4 F#4:4", "G4:2 r:2 G3:4", "C3:8")
VALID = "C5 E4 G4 C3 - - - - - - rest - - - rest - - F#4 G3 - - - - - - - - - - - - -"


def notes(text):
    """Returns the XML of notes such as 'F#4:3', with durations in eighths. '~' ties a note to the one before."""
    written = ""
    for each in text.split():
        name, duration = each.lstrip("~").split(":")
        if name == "r":
            written += REST.format(duration=duration)
            continue
        alter = {"#": 1, "b": -1}.get(name[1:-1])
        written += NOTE.format(
            before="",
            step=name[0],
            alter="" if alter is None else f"<alter>{alter}</alter>",
            octave=name[-1],
            duration=duration,
            after=TIED * each.startswith("~"),
        )
    return written


def score(*parts, fifths=0, meter="4/4", divisions=2, head=""):
    """Returns a MusicXML score. Each part is a list of bars, and each bar a string of XML elements."""
    beats, beat_type = meter.split("/")
    attributes = f"""<attributes><divisions>{divisions}</divisions><key><fifths>{fifths}</fifths></key>
<time><beats>{beats}</beats><beat-type>{beat_type}</beat-type></time>{head}</attributes>"""
    written = ""
    for part in parts:
        bars = [(attributes if not number else "") + bar for number, bar in enumerate(part)]
        written += f"<part>{''.join(f'<measure>{bar}</measure>' for bar in bars)}</part>"
    return f'<?xml version="1.0"?>\n<!DOCTYPE score-partwise>\n<score-partwise>{written}</score-partwise>'.encode()


def chorale(*bars, **settings):
    """Returns a score of four parts. Each bar holds the notes of its four voices."""
    return score(*([notes(bar[voice]) for bar in bars] for voice in range(4)), **settings)


def archive(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, member in members.items():
            file.writestr(name.replace("__", "/").replace("_", "."), member)
    return content.getvalue()


def mxl(content):
    return archive(**{"META-INF__container_xml": CONTAINER, "score_xml": content})


def read(content, num_parts=1):
    (found,) = read_scores(["a.xml"], [content], num_parts=num_parts)
    return found


def test_a_score_has_its_notes_zipped_or_not():
    content = score(
        [
            notes("r:1 Bb4:3"),
            "<note><grace/></note>" + notes("~Bb4:2 F#3:1") + "<forward><duration>1</duration></forward>",
        ],
        fifths=-2,
        meter="2/4",
    )
    found = read(content)
    assert (found.place, found.meters, found.sharps, found.num_grace) == ("'a.xml'", ("2/4",), -2, 1)
    half = Fraction(1, 2)
    first = (ScoreNote(None, half), ScoreNote(70, 3 * half))
    assert found.parts == ((first, (ScoreNote(70, 2 * half, goes_on=True), ScoreNote(54, half))),)
    assert read(mxl(content)) == found
    both = archive(b_mxl=mxl(content), a_musicxml=content, c_txt="no score")
    assert [each.place for each in read_scores(["all.zip"], [both], num_parts=1)] == [
        "'all.zip', 'a.musicxml'",
        "'all.zip', 'b.mxl'",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no score", "not XML"),
        (b"<score-timewise/>", "no score-partwise of MusicXML"),
        (score([notes("C4:8")], [notes("C4:8")]), "a number of parts that is not 1"),
        (score([notes("C4:8")], head="<transpose><chromatic>-2</chromatic></transpose>"), "a transposing part"),
        (score([notes("C4:8").replace("<note>", "<note><chord/>")]), "a chord"),
        (score([notes("C4:8").replace("<note>", "<note><cue/>")]), "a cue"),
        (score([notes("C4:8") + "<backup><duration>8</duration></backup>"]), "several voices in one part"),
        (score(["<forward><duration>4</duration></forward>" + notes("C4:4")]), "several voices in one part"),
        (score([notes("C4:8")], divisions="x"), "no divisions"),
        (score([notes("C4:0")]), "no duration"),
        (score([notes("H4:8")]), "a note without a pitch"),
        (score(["<note><unpitched/><duration>8</duration></note>"]), "a note without a pitch"),
        (score([notes("C#4:8").replace(">1<", ">0.5<")]), "a value of alter that is '0.5'"),
        (score([notes("C4:8")], fifths=""), "a value of fifths that is ''"),
        (score([notes("C4:8")]).replace(b"divisions", b"other"), "no divisions"),
        (mxl(b"<score-partwise/>")[:-30], "a damaged archive"),
        (archive(**{"META-INF__container_xml": CONTAINER}), "a damaged archive"),
        (archive(**{"META-INF__container_xml": "<container/>"}), "a damaged archive"),
    ],
)
def test_what_cannot_be_read_has_a_reason(content, reason):
    assert read(content) == Unreadable("'a.xml'", reason)


def test_parts_of_different_numbers_of_bars_are_not_read():
    content = score([notes("C4:8")], [notes("C4:8")] * 2)
    assert read(content, num_parts=2) == Unreadable("'a.xml'", "parts of different numbers of bars")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Writes six scores in D, the last also zipped, and scores that are left out. Returns the folder.

    Each of the six has two whole bars between two incomplete bars.
    """
    folder = tmp_path_factory.mktemp("chorales")
    upbeat, last = ("D5:2", "F#4:2", "D4:2", "D3:2"), ("D5:6", "F#4:6", "D4:6", "D3:6")
    for number, name in enumerate("CDEFGA"):
        # The second bar is divided into two measures. The first of them begins with tied notes.
        bars = [
            (f"{name}5:8", "E4:8", "G4:2 r:2 G3:4", "~C3:8"),
            (f"~{name}5:2", "F4:2", "r:2", "~C3:2"),
            (f"{name}5:6", "~F4:6", "D4:6", "D3:6"),
        ]
        content = chorale(upbeat, *bars, last, fifths=2)
        (folder / f"{number}.musicxml").write_bytes(content)
    (folder / "6.mxl").write_bytes(mxl(content))
    left_out = {
        "duet": score([notes("C4:8")], [notes("C4:8")]),
        "waltz": chorale(("C5:6", "E4:6", "G3:6", "C3:6"), meter="3/4"),
        "triplet": chorale(BAR, divisions=3),
        "short": chorale(upbeat),
    }
    for name, content in left_out.items():
        (folder / f"{name}.xml").write_bytes(content)
    return folder


def test_a_task_keeps_whole_bars_and_counts_the_rest(folder):
    files = sorted(folder.iterdir())
    task = gg.chorales_task(files, num_bars=1, steps_per_quarter=2, num_heldout=1)
    assert (task.length, task.oracle.validity_method, task.vocabulary.padding) == (32, "voices", None)
    assert task.name.startswith("chorales 0.musicxml, ")
    strings = [task.decode(split.tokens) for split in (task.train, task.validation, task.test)]
    assert list(map(len, strings)) == [8, 2, 2]
    # Transposed from D, by two semitones down. A tie from another pitch is ignored.
    whole = "A#4 D4 F4 A#2 - - - - - - rest - - - rest - - - F3 - - - - - - - - - - - - -"
    divided = "A#4 D#4 rest A#2 - - rest - A#4 - C4 C3 - - - - - - - - - - - - - - - - - - - -"
    every = [string for split in strings for string in split]
    assert {whole, divided} <= set(every)
    assert all(map(task.is_valid, every))
    assert len(set(every)) == 12
    # Both excerpts of a score are in one split.
    for split in strings[1:]:
        assert len({string.split()[0] for string in split}) == 1
    assert task.symbols[:3] == ("-", "rest", "A#2")
    assert task.notes == (
        "Scores read: 11; kept: 8. Grace notes in these, left out: 0.",
        "Scores left out: 1, such as 'duet.xml': a number of parts that is not 4.",
        "Scores left out: 1, such as 'triplet.xml': a note that does not last for whole eighth notes.",
        "Scores left out: 1, such as 'waltz.xml': another meter than 4/4.",
        "Excerpts of 1 bars: 14, of 7 scores. Bars left out: 15 that are incomplete, such as upbeats, and 0 that are "
        "too few in a row.",
        "Repeated excerpts, left out: 2.",
        task.notes[6],
        "Symbols of the vocabulary: 15. Sequences for training: 8; for validation: 2; for the test: 2.",
    )
    assert "which leaves 6 to be split." in task.notes[6]


def test_its_arguments(folder):
    files = sorted(folder.glob("*.m*"))
    usual = gg.chorales_task(files)
    assert (usual.length, usual.chosen) == (128, {"num_heldout": 1})
    assert usual.num_train == 4
    assert "A#2" in usual.symbols
    assert "A#2" not in gg.chorales_task(files, transpose=False).symbols
    copies = gg.chorales_task(files, deduplicate=False, num_heldout=1)
    assert copies.chosen == {}
    assert sum(len(each.tokens) for each in (copies.train, copies.validation, copies.test)) == 7
    with pytest.raises(
        ValueError, match=r"a usable excerpt of 2 bars \(num_bars\), got none\. Scores read: 1; kept: 1\."
    ):
        gg.chorales_task(folder / "waltz.xml", meter="3/4")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_bars": 0}, "num_bars must be at least 1, got 0"),
        ({"steps_per_quarter": 3}, "steps_per_quarter must be one of 2, 4, got 3"),
        ({"meter": "four"}, "meter must be one such as '4/4', got 'four'"),
        ({"meter": "1/16", "steps_per_quarter": 2}, "meter must be of whole steps, 2 a quarter note, got 1/16"),
        (
            {"num_heldout": 3},
            "num_heldout must be less than half of the distinct groups of scores without a common excerpt, which",
        ),
    ],
)
def test_its_errors_name_the_argument(folder, settings, message):
    with pytest.raises(ValueError, match=message):
        gg.chorales_task(sorted(folder.glob("*.musicxml")), **settings)


@pytest.mark.parametrize(
    ("string", "reason"),
    [
        (VALID, None),
        (VALID.removesuffix(" -"), "31 symbols instead of 32"),
        (f"{VALID} - - - -", "36 symbols instead of 32"),
        ("", "0 symbols instead of 32"),
        (VALID.replace("E4", "-"), "the alto holds no note at step 1"),
        (VALID.replace("rest - - - rest", "rest - - - -"), "the tenor holds no note at step 4"),
        (VALID.replace("F#4", "E#4"), "E#4 is not a note"),
    ],
)
def test_the_oracle_judges_strings(string, reason):
    assert read_chorale(string, num_steps=8).reason == reason
    picture = chorale_picture(string, num_bars=1, steps_per_quarter=2)
    assert picture.reason == reason
    assert (picture.svg is None) == (not string)


def test_a_picture_has_a_box_for_each_note_in_the_color_of_its_voice():
    picture = chorale_picture(f"{VALID} - - - - A4 - - -", num_bars=1, steps_per_quarter=2)
    boxes = [each for each in ElementTree.fromstring(picture.svg) if each.tag.endswith("rect")]
    # Each of the four notes that are held over the bar line has two boxes.
    assert len(boxes) == 6 + 4 + 1
    assert len({box.get("fill") for box in boxes}) == 4
    assert picture.caption == "7 notes, 2 bars"


def test_a_midi_file_has_a_track_for_each_voice():
    content = gg.chorale_midi(VALID, steps_per_quarter=2, tempo=120)
    assert content[:14] == b"MThd\0\0\0\x06\0\x01\0\x04\0\x10"
    tracks = content[14:].split(b"MTrk")[1:]
    assert [int.from_bytes(track[:4], "big") for track in tracks] == [len(track) - 4 for track in tracks]
    end = b"\0\xff\x2f\0"
    assert tracks[0][4:] == b"\0\xff\x51\x03\x07\xa1\x20" + bytes((0, 0x90, 72, 80, 64, 0x80, 72, 0)) + end
    alto = (0, 0x91, 64, 80, 32, 0x81, 64, 0, 0, 0x91, 66, 80, 32, 0x81, 66, 0)
    assert tracks[1][4:] == bytes(alto) + end
    tenor = (0, 0x92, 67, 80, 16, 0x82, 67, 0, 16, 0x92, 55, 80, 32, 0x82, 55, 0)
    assert tracks[2][4:] == bytes(tenor) + end
    with pytest.raises(ValueError, match="steps_per_quarter must be one of 2, 4, got 3"):
        gg.chorale_midi(VALID, steps_per_quarter=3)


def test_held_notes_are_tied_over_bar_lines():
    (steps, *_) = read_chorale("C5 rest rest rest - - - - - - - - rest - - -").voices
    assert voice_bars(steps, 4, steps_per_bar=2) == [[Note(72, 8, is_tied=True)], [Note(72, 4), Note(None, 4)]]
    assert sorted_symbols(["C5", "rest", "B4", "-", "C-1"]) == ("-", "rest", "C-1", "B4", "C5")


def test_the_config_builds(folder):
    config = chorales.get_config()
    config.task.update(files=",".join(map(str, folder.glob("*.m*"))), num_bars=1, num_heldout=2)
    config.num_shards = 1
    experiment = build.build(run_config.parse(config))
    assert experiment.task.length == 64


@pytest.mark.slow
def test_the_command_writes_what_a_run_drew(folder, tmp_path):
    run, files = tmp_path / "run", ",".join(map(str, folder.glob("*.m*")))
    settings = ("num_steps=2", "steps_per_chunk=1", "num_samples=4", "num_compared=4", "batch_size=2", "num_shards=1")
    task = (f"files={files}", "num_bars=1", "steps_per_quarter=2", "num_heldout=2")
    status, _, errors = commands.run(
        "train",
        f"--workdir={run}",
        "--config=experiments/configs/chorales.py",
        "--config.algorithm.generator.hidden_size=2",
        *(f"--config.{each}" for each in settings),
        *(f"--config.task.{each}" for each in task),
    )
    assert (status, errors) == (0, "")
    status, printed, errors = commands.run(
        "midi", str(run / "samples.txt"), f"--workdir={run}", f"--output={tmp_path / 'midi'}"
    )
    assert (status, errors) == (0, "")
    assert "4 MIDI files are in" in printed
    first = (run / "samples.txt").read_text().splitlines()[0]
    assert (tmp_path / "midi" / "1.mid").read_bytes() == gg.chorale_midi(first, steps_per_quarter=2)


@pytest.mark.skipif(importlib.util.find_spec("music21") is None, reason="music21 is not installed")
def test_chorales_by_bach_are_read():
    files = bach_files()
    assert len(files) > 400
    task = gg.chorales_task(files[1:13], num_heldout=2)
    assert task.notes[0].startswith("Scores read: 12; kept: ")
    assert task.num_train > 30
    strings = task.decode(np.concatenate([task.train.tokens, task.test.tokens]))
    assert all(map(task.is_valid, strings))
    assert not set(task.decode(task.test.tokens)) & set(task.decode(task.train.tokens))


@pytest.mark.skipif(importlib.util.find_spec("music21") is not None, reason="music21 is installed")
def test_a_missing_package_is_named():
    with pytest.raises(ImportError, match="files must be given where the package 'music21' is not installed"):
        gg.chorales_task()
