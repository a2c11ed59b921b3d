"""Handwriting: characters as pen steps, from the package `kanjivg` or from SVG files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gumbel_gan.arguments import require_at_least, require_integer, require_kind
from gumbel_gan.data import Batch
from gumbel_gan.package_files import package_files
from gumbel_gan.tasks.files import Files, file_names, file_paths, read_contents
from gumbel_gan.tasks.interface import Picture, Task
from gumbel_gan.tasks.lines import Line, Source, limit_lengths, split_lines_task, with_chosen_length
from gumbel_gan.tasks.pen_steps import DIRECTIONS, draw_steps, read_steps, step_symbols
from gumbel_gan.tasks.splits import describe_repeats, describe_sizes, split_rows
from gumbel_gan.tasks.svg_strokes import INSTALL, Drawing, read_drawing, require_fonttools, svg_contents
from gumbel_gan.tasks.units import CHARACTERS
from gumbel_gan.tasks.vocabulary import Vocabulary

_USUAL_SHARE = 0.9
# A file of the package, named by the code point of its character; other files hold variants of a character.
_CHARACTER = 5 * "[0-9a-f]" + ".svg"
_PIXELS, _MARGIN = 8, 8


def handwriting_task(
    files: Files = (),
    *,
    directions: int = 8,
    resolution: int = 12,
    max_length: int | None = None,
    window: int = 0,
    num_heldout: int | None = None,
    digest: str = "",
    seed: int = 0,
) -> Task:
    """Builds a task of handwritten characters, as pen steps of equal length.

    A symbol is the direction of a step: a lowercase letter with the pen down, and an uppercase letter with the pen up.
    'a' goes to the right, and the other letters follow clockwise. The pen starts at the beginning of the first stroke,
    so the position of a character in its picture is not part of the data.

    Args:
      files: a path or a sequence of paths of SVG files whose paths are strokes in writing order, or of zip archives of
        such files. Without files, the task takes the 6,703 characters of the package `kanjivg` (CC BY-SA 3.0), Latin
        letters, kana and kanji. The package is read but not imported.
      directions: number of directions, 8 or 16.
      resolution: number of steps along the larger side of a picture.
      max_length: the largest length of a character in steps; longer characters are left out. 0 means no limit. None
        takes the 90th percentile of the lengths. With a window, no character is left out, and `max_length` must be None
        or 0.
      window: 0 for one character per sequence; T is then one more than the length of the longest. Otherwise, the
        characters of a split are written side by side in a line, which is cut into consecutive windows of T = `window`
        steps, without padding.
      num_heldout: number of distinct characters for validation, and the same number for the test; None takes a tenth
        for each, from 1 to 1,000.
      digest: expected result of `files_digest(files)`; '' accepts any files.
      seed: seed of the split and of the order of characters in a line.

    Returns:
      A `Task` without an oracle. Its `notes` state what was read and left out. Its `chosen` holds the chosen value for
      each of `max_length` and `num_heldout` that was None.

    Raises:
      ImportError: the package `fonttools` is not installed, or there are no files and `kanjivg` is not installed.
      TypeError: `files` is not a path or a sequence of paths, or a number is not an integer.
      ValueError: an argument is out of range, a file cannot be read, the files do not match `digest`, or too few
        characters are left for the split.

    References:
      Freeman 1961, On the encoding of arbitrary geometric configurations; https://kanjivg.tagaini.net.
    """
    _require_directions(directions)
    require_at_least(1, resolution=resolution)
    require_at_least(0, max_length=max_length or 0, window=window, seed=seed)
    if num_heldout is not None:
        require_at_least(1, num_heldout=num_heldout)
    if window and max_length:
        raise ValueError(f"max_length must be None or 0 with a window, got {max_length} with window {window}")
    require_fonttools()
    paths = file_paths(files) if files else kanji_files()
    contents = read_contents(paths, digest)
    found = [read_drawing(*each) for each in svg_contents([path.name for path in paths], contents)]
    drawings, notes = _usable(found)
    name = f"handwriting {file_names(files)}" if files else "handwriting"
    if window:
        task, num_chosen = _windows_task(name, drawings, directions, resolution, window, num_heldout, seed, notes)
        chosen = {} if max_length == 0 else {"max_length": 0}
        return task._replace(chosen=chosen if num_heldout else chosen | {"num_heldout": num_chosen})
    steps = [draw_steps(each.strokes, step=1 / resolution, directions=directions) for each in drawings]
    most = max_length
    if most is None:
        lengths = sorted(map(len, steps)) or [0]
        most = lengths[int(_USUAL_SHARE * (len(lengths) - 1))]
    lines: Sequence[Line] = steps
    if most:
        lines, note = limit_lengths(steps, most, "drop", noun="character")
        notes.append(note)
    task = split_lines_task(
        name,
        lines,
        tuple(step_symbols(directions)),
        Source("files", "character"),
        max_length=None,
        unit=CHARACTERS,
        deduplicate=True,
        num_heldout=num_heldout,
        seed=seed,
        notes=notes,
    )
    return with_chosen_length(task) if max_length is None else task


def pen_strokes(string: str, *, directions: int = 8) -> list[np.ndarray]:
    """Returns the strokes of a string of `handwriting_task`.

    Args:
      string: pen steps.
      directions: number of directions, 8 or 16.

    Returns:
      For each stroke, its `[P, 2]` float64 points, P >= 2: x and y in steps, relative to the initial position of the
      pen. y grows downward.

    Raises:
      TypeError: `string` is not a str.
      ValueError: a symbol is not a step, or `directions` is not 8 or 16.

    >>> [stroke.tolist() for stroke in pen_strokes("aaCa")]
    [[[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]], [[2.0, 1.0], [3.0, 1.0]]]
    """
    require_kind(str, string=string)
    _require_directions(directions)
    return read_steps(string, directions=directions)


def handwriting_picture(string: str, *, directions: int = 8, resolution: int = 12) -> Picture:
    """Draws a string of `handwriting_task`.

    Args:
      string: pen steps.
      directions: as in `handwriting_task`.
      resolution: as in `handwriting_task`; each side of the drawing is at least this many steps long.

    Raises:
      ValueError: a symbol is not a step, or `directions` is not 8 or 16.
    """
    strokes = pen_strokes(string, directions=directions)
    num_strokes = f"{len(strokes)} stroke{'s' * (len(strokes) != 1)}"
    return Picture(_svg(strokes, resolution) if strokes else None, f"{num_strokes}, {len(string)} steps")


def kanji_files() -> list[Path]:
    """Returns the files of the package `kanjivg`, one per character; raises ImportError if it is not installed."""
    return package_files("kanjivg", "kanji", _CHARACTER, content="characters", install=INSTALL)


def _usable(found: Sequence[Drawing]) -> tuple[list[Drawing], list[str]]:
    """Returns the drawings that could be read, and notes on the drawings read and left out."""
    kept = [drawing for drawing in found if drawing.reason is None]
    notes = [f"Characters read: {len(found):,}, of {sum(len(drawing.strokes) for drawing in kept):,} strokes."]
    unread: dict[str, list[Drawing]] = {}
    for drawing in found:
        if drawing.reason is not None:
            # Without the place in the file, which may follow a colon.
            unread.setdefault(drawing.reason.partition(":")[0], []).append(drawing)
    notes += [
        f"Files that can't be read, left out: {len(each):,}, such as {each[0].place}: {each[0].reason}."
        for each in unread.values()
    ]
    return kept, notes


def _windows_task(
    name: str,
    drawings: Sequence[Drawing],
    directions: int,
    resolution: int,
    window: int,
    num_heldout: int | None,
    seed: int,
    notes: list[str],
) -> tuple[Task, int]:
    """Builds a task of windows of lines of characters; also returns the number of validation characters."""
    keys = [draw_steps(each.strokes, step=1 / resolution, directions=directions) for each in drawings]
    if not keys:
        raise ValueError(f"files must hold a usable character, got none. {' '.join(notes)}")
    rows = split_rows(keys, deduplicate=True, num_heldout=num_heldout, seed=seed, name="files", notes=notes)
    vocabulary = Vocabulary(tuple(step_symbols(directions)))
    tokens = list[np.ndarray]()
    for each in rows:
        # A picture has width 1: each character is written to the right of the last.
        moved = (stroke + place for place, row in enumerate(each) for stroke in drawings[row].strokes)
        line = draw_steps(moved, step=1 / resolution, directions=directions)
        num_windows = len(line) // window
        if not num_windows:
            raise ValueError(f"window must be at most the length of the lines, got {window} for one of {len(line)}")
        tokens.append(vocabulary.encode([line[: num_windows * window]], num_windows * window).reshape(-1, window))
    # In random order, so that the first windows of a split are not of the same few characters.
    rng = np.random.default_rng(seed)
    train, validation, test = (Batch(rng.permutation(each)) for each in tokens)
    repeats = describe_repeats("character", len(keys) - len(set(keys)), deduplicate=True)
    kinds = (
        f"Characters for training: {len(rows[0]):,}; for validation: {len(rows[1]):,}; for the test: {len(rows[2]):,}."
    )
    sizes = describe_sizes(vocabulary.size, *map(len, tokens))
    task = Task(name, vocabulary, train, validation, test, notes=(*notes, repeats, kinds, sizes))
    return task, len(rows[1])


def _svg(strokes: Sequence[np.ndarray], resolution: int) -> str:
    """Returns at least one stroke as an SVG drawing, centered; its sides are at least `resolution` steps long."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.maximum(high - low, resolution)
    origin = (low + high - size) / 2
    lines = [" ".join(f"{x:.1f},{y:.1f}" for x, y in (stroke - origin) * _PIXELS + _MARGIN) for stroke in strokes]
    drawn = "".join(f'<polyline points="{line}"/>' for line in lines)
    width, height = np.ceil(size * _PIXELS + 2 * _MARGIN).astype(int)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'fill="none" stroke="#222" stroke-width="3" stroke-linecap="round" stroke-linejoin="round">{drawn}</svg>'
    )


def _require_directions(directions: int) -> None:
    require_integer(directions=directions)
    if directions not in DIRECTIONS:
        raise ValueError(f"directions must be one of {', '.join(map(str, DIRECTIONS))}, got {directions}")
