"""Handwriting: SVG paths to strokes, strokes to pen steps, pen steps to strokes, and the task."""

import importlib.metadata
import importlib.util
import json
import zipfile
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pytest

import gumbel_gan as gg
from experiments.config import build, run_config
from experiments.configs import handwriting, pixels
from gumbel_gan.tasks import handwriting_picture
from gumbel_gan.tasks.pen_steps import draw_steps, step_symbols
from gumbel_gan.tasks.svg_strokes import read_drawing
from tests import commands

pytest.importorskip("fontTools")

SVG = '<svg xmlns="http://www.w3.org/2000/svg" {size}>{content}</svg>'


def svg(path, *, size='viewBox="0 0 10 10"', around="{}"):
    return SVG.format(size=size, content=around.format(f'<path d="{path}"/>')).encode()


def distance(points, path):
    """Returns the largest distance of any of the points to the nearest point of a path."""
    return np.abs(points[:, None] - path[None, :]).min(axis=1).max()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Writes an archive: 40 drawings of two strokes, one drawing with a transform, and one file that is not SVG."""
    path = tmp_path_factory.mktemp("handwriting") / "mine.zip"
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(40):
            x, y, to_x, to_y = rng.integers(0, 10, 4)
            archive.writestr(f"{number}.svg", svg(f"M{x},{y}C1,2 8,3 {to_x},{to_y}M1,{x}h{y + 1}"))
        archive.writestr("moved.svg", svg("M1,1h3", around='<g transform="scale(2)">{}</g>'))
        archive.writestr("wrong.svg", "no SVG")
        archive.writestr("readme.txt", "other files are not read")
    return path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("M1,2h3", [[0.1 + 0.2j, 0.4 + 0.2j]]),
        ("m1,2 3,0 0,4", [[0.1 + 0.2j, 0.4 + 0.2j, 0.4 + 0.6j]]),
        ("M1,1L2,2z", [[0.1 + 0.1j, 0.2 + 0.2j, 0.1 + 0.1j]]),
        ("M1,2h3m1,1v2", [[0.1 + 0.2j, 0.4 + 0.2j], [0.5 + 0.3j, 0.5 + 0.5j]]),
    ],
)
def test_paths_are_strokes(path, expected):
    drawing = read_drawing("here", svg(path))
    assert drawing.reason is None
    for stroke, corners in zip(drawing.strokes, expected, strict=True):
        np.testing.assert_allclose(stroke[:: (len(stroke) - 1) // (len(corners) - 1)], corners)


def test_curves_are_those_of_bezier():
    share = np.linspace(0, 1, 17)
    cubic, quadratic, smooth = (
        read_drawing("here", svg(path)).strokes[0] * 10 for path in ("M0,0C0,4 4,4 4,0", "M0,0Q2,4 4,0", "M0,0s4,4 4,0")
    )
    np.testing.assert_allclose(
        cubic, 12 * share**2 * (1 - share) + 4 * share**3 + 12j * share * (1 - share), atol=1e-12
    )
    np.testing.assert_allclose(quadratic, 4 * share + 8j * share * (1 - share), atol=1e-12)
    assert smooth[-1] == pytest.approx(4)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<svg", "not XML"),
        (b"<html/>", "not SVG, but html"),
        (svg("M1,1h2", size=""), "no size"),
        (svg("M1,1h2", size='viewBox="0 0 0 0"'), "no size"),
        (svg("M1,1h200"), "a path far outside of the picture"),
        (svg("M1,1h1e999"), "a path far outside of the picture"),
        (svg("M1,1h2", around='<g transform="scale(2)">{}</g>'), "a transform of a path"),
        (svg("M1,1c2"), "no path"),
        (svg("M1,1"), "no path"),
        (svg(""), "no path"),
    ],
)
def test_what_cannot_be_read_has_a_reason(content, reason):
    drawing = read_drawing("here", content)
    assert drawing.reason.startswith(reason)
    assert drawing.strokes == ()


@pytest.mark.parametrize(
    ("strokes", "expected"),
    [
        ([[0, 3]], "aaa"),
        ([[0, 2 + 2j]], "bbb"),
        ([[0, 2j, 2 + 2j]], "ccaa"),
        ([[0, -2]], "ee"),
        ([[0, 2], [2 + 2j, 4 + 2j]], "aaCCaa"),
        ([[0, 0.1]], "a"),
        ([[0], [-2j, -2j]], "aFGf"),
    ],
)
def test_strokes_are_steps(strokes, expected):
    assert draw_steps([np.array(each, complex) for each in strokes], step=1, directions=8) == expected


@pytest.mark.parametrize("directions", [8, 16])
def test_what_is_drawn_stays_near_the_strokes(directions):
    rng = np.random.default_rng(1)
    share = np.linspace(0, 1, 400)[:, None]
    powers = np.concatenate([(1 - share) ** 3, 3 * share * (1 - share) ** 2, 3 * share**2 * (1 - share), share**3], 1)
    paths = [powers @ (rng.uniform(0, 20, 4) + 1j * rng.uniform(0, 20, 4)) for _ in range(30)]
    steps = draw_steps(paths, step=1, directions=directions)
    drawn = gg.pen_strokes(steps, directions=directions)
    assert len(drawn) == len(paths)
    for points, path in zip(drawn, paths, strict=True):
        points = points @ [1, 1j] + paths[0][0]
        np.testing.assert_allclose(np.abs(np.diff(points)), 1)
        assert distance(points, path) < 0.75
        assert distance(path, points) < 1.25


def test_a_picture_has_a_line_for_each_stroke():
    picture = handwriting_picture("aabCCa")
    lines = list(ElementTree.fromstring(picture.svg))
    assert (len(lines), picture.caption, picture.reason) == (2, "2 strokes, 6 steps", None)
    assert lines[1].get("points").count(",") == 2
    assert handwriting_picture("AB") == (None, "0 strokes, 2 steps", None)
    with pytest.raises(ValueError, match=r"string must hold the letters .*, got 'z'"):
        handwriting_picture("az")


def test_the_command_draws_each_line(tmp_path):
    (tmp_path / "run").mkdir()
    config = handwriting.get_config().to_dict()
    (tmp_path / "run" / "config.json").write_text(json.dumps(config | {"task": config["task"] | {"directions": 16}}))
    (tmp_path / "lines.txt").write_text("aaBp\nAB\n")
    given = (str(tmp_path / "lines.txt"), f"--workdir={tmp_path / 'run'}", f"--output={tmp_path / 'drawn'}")
    status, printed, errors = commands.run("draw", *given)
    assert (status, errors) == (0, "")
    assert "1 of 2 strings are drawn in" in printed
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["1.svg"]
    (tmp_path / "run" / "config.json").write_text(json.dumps(pixels.get_config().to_dict()))
    status, _, errors = commands.run("draw", *given)
    assert status == 1
    assert "--workdir must be of a run whose strings can be drawn, got the task pixels" in errors


def test_a_task_has_a_character_a_sequence(file):
    task = gg.handwriting_task(file, max_length=0, num_heldout=4)
    assert (task.name, task.symbols) == ("handwriting mine.zip", ("", *step_symbols(8)))
    assert len(task.train.tokens) == 32
    np.testing.assert_array_equal(task.encode(task.decode(task.test.tokens)), task.test.tokens)
    assert all(gg.pen_strokes(string) for string in task.decode(task.train.tokens))
    assert task.notes[0] == "Characters read: 42, of 80 strokes."
    assert task.notes[1].endswith("left out: 1, such as 'mine.zip', 'moved.svg': a transform of a path.")
    assert "such as 'mine.zip', 'wrong.svg': not XML" in task.notes[2]
    shorter = gg.handwriting_task(file)
    assert shorter.chosen == {"max_length": shorter.length - 1, "num_heldout": 3}
    assert shorter.length < task.length
    assert "(max_length), dropped: 4." in shorter.notes[3]


def test_a_line_is_cut_into_windows(file):
    task = gg.handwriting_task(file, window=8, num_heldout=4, directions=16)
    assert (task.length, task.vocabulary.padding, task.num_symbols) == (8, None, 32)
    assert "Characters for training: 32; for validation: 4; for the test: 4." in task.notes
    assert task.chosen == {"max_length": 0}
    assert gg.handwriting_task(file, window=8, max_length=0).chosen == {"num_heldout": 4}
    # Between two characters, the pen moves to the right, which takes steps too.
    assert len(task.test.tokens) > 4 * 12 // 8


def test_the_windows_of_a_split_are_in_random_order(file):
    long, short = (
        (task := gg.handwriting_task(file, window=window, num_heldout=4)).decode(task.test.tokens) for window in (8, 4)
    )
    halves = [half for window in long for half in (window[:4], window[4:])]
    assert "".join(short)[: 8 * len(long)] != "".join(long)
    assert not Counter(halves) - Counter(short)


def test_reasons_are_grouped_without_their_places_and_told_if_too_little_is_left(tmp_path):
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(3):
            for height in range(1, 4):
                archive.writestr(f"{number}_{height}.svg", svg(f"M1,1h{number + 1}v{height}"))
            archive.writestr(f"wrong_{number}.svg", "<svg>" + "\n" * number + "<a")
    task = gg.handwriting_task(path, max_length=0)
    (note,) = [note for note in task.notes if "can't be read" in note]
    assert note.startswith("Files that can't be read, left out: 3, such as 'mine.zip', 'wrong_0.svg': not XML: ")
    with pytest.raises(ValueError, match=r"num_heldout must be less than half .*can't be read, left out: 3"):
        gg.handwriting_task(path, window=2, num_heldout=5)


def test_its_errors_name_the_argument(file, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="directions must be one of 8, 16, got 9"):
        gg.handwriting_task(file, directions=9)
    with pytest.raises(ValueError, match="max_length must be None or 0 with a window, got 9"):
        gg.handwriting_task(file, window=4, max_length=9)
    with pytest.raises(ValueError, match="window must be at most the length of the lines, got 9999"):
        gg.handwriting_task(file, window=9_999)
    broken = tmp_path / "broken.zip"
    broken.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(ValueError, match="files must be archives that can be read"):
        gg.handwriting_task(broken)
    broken.write_text("no SVG")
    with pytest.raises(ValueError, match=r"files must hold a usable character, got none.*not XML"):
        gg.handwriting_task(broken)

    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with pytest.raises(ImportError, match=r"'kanjivg' is not installed \(pip install 'gumbel_gan\[handwriting\]'\)"):
        gg.handwriting_task()


@pytest.mark.parametrize("variant", ["maximum_likelihood", "professor_forcing,lines"])
def test_the_config_builds(file, variant):
    config = handwriting.get_config(variant)
    config.task.update(files=str(file), num_heldout=5)
    config.update(batch_size=4, num_compared=4, num_shards=1)
    config.task.window //= 8
    config.long_length //= 8
    assert build.build(run_config.parse(config)).task.num_symbols == 16 + (config.long_length == 0)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("kanji") is None, reason="kanjivg is not installed")
def test_the_characters_of_the_package_are_read():
    task = gg.handwriting_task()
    assert task.notes[0] == "Characters read: 6,703, of 79,921 strokes."
    assert task.notes[1].endswith("(max_length), dropped: 650.")
