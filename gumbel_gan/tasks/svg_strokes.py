"""Reads the strokes of SVG files: the paths of each drawing, in order, as points."""

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from math import comb
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

INSTALL = "pip install 'gumbel_gan[handwriting]'"

_SVG = "{http://www.w3.org/2000/svg}"
_PATH = f"{_SVG}path"
# The largest coordinate, in units of the larger side of a picture.
_FARTHEST = 10
# Weights of the control points of a curve at 16 of its points, without the first point.
_SHARE = np.linspace(0, 1, 17)[1:]
_BERNSTEIN = np.stack([comb(3, power) * _SHARE**power * (1 - _SHARE) ** (3 - power) for power in range(4)])


class Drawing(NamedTuple):
    """The strokes of a file.

    Attributes:
      place: file of the drawing, for reports.
      strokes: for each stroke, its `[P]` complex points x + iy, in units of the larger side of the picture; y grows
        downward.
      reason: why the file cannot be read, in a few words; `strokes` is then empty. None if the file can be read.
    """

    place: str
    strokes: tuple[np.ndarray, ...]
    reason: str | None = None


def svg_contents(names: Iterable[str], contents: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yields the place and the content of each SVG file; files may be zip archives of SVG files.

    Args:
      names: names of the files.
      contents: bytes of the files.

    Raises:
      ValueError: an archive is damaged.
    """
    for name, content in zip(names, contents, strict=True):
        if not content.startswith(b"PK"):
            yield repr(name), content
            continue
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for each in sorted(archive.namelist()):
                    if each.lower().endswith(".svg"):
                        yield f"{name!r}, {each!r}", archive.read(each)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise ValueError(
                f"files must be archives that can be read, or plain files, got {name!r} ({error})"
            ) from error


def read_drawing(place: str, content: bytes) -> Drawing:
    """Reads the strokes of an SVG file: every path is a stroke, or several strokes if it moves the pen.

    Args:
      place: the place of the file, for reports.
      content: bytes of the file.

    Raises:
      ImportError: the package `fontTools`, which reads paths, is not installed.
    """
    require_fonttools()
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        return Drawing(place, (), f"not XML: {error}")
    if root.tag != f"{_SVG}svg":
        return Drawing(place, (), f"not SVG, but {root.tag}")
    side = _side(root)
    if side is None:
        return Drawing(place, (), "no size")
    moved = [element for element in root.iter() if "transform" in element.attrib]
    if any(next(element.iter(_PATH), None) is not None for element in moved):
        return Drawing(place, (), "a transform of a path")
    strokes = list[np.ndarray]()
    for path in root.iter(_PATH):
        try:
            strokes += [points / side for points in _strokes(path.get("d", ""))]
        except (AssertionError, IndexError, TypeError, ValueError) as error:
            return Drawing(place, (), f"no path: {error}"[:80])
    if not all((np.abs(points) <= _FARTHEST).all() for points in strokes):
        return Drawing(place, (), "a path far outside of the picture")
    return Drawing(place, tuple(strokes), None if strokes else "no path")


def require_fonttools() -> None:
    """Raises ImportError if the package `fontTools` is not installed."""
    try:
        import fontTools.svgLib.path  # noqa: F401
    except ImportError as error:
        raise ImportError(f"paths of SVG need the package 'fonttools', which is not installed ({INSTALL})") from error


def _side(root: ElementTree.Element) -> float | None:
    """Returns the larger side of a picture; None if the picture has no valid size."""
    try:
        sides = [float(number) for number in root.get("viewBox", "").replace(",", " ").split()[2:]]
        sides = sides or [float(root.get(name, "").removesuffix("px")) for name in ("width", "height")]
    except ValueError:
        return None
    return max(sides) if np.isfinite(sides).all() and max(sides) > 0 else None


def _strokes(path: str) -> list[np.ndarray]:
    """Returns the complex points of each part of a path."""
    from fontTools.pens.recordingPen import RecordingPen
    from fontTools.svgLib.path import parse_path

    pen = RecordingPen()
    parse_path(path, pen)
    strokes = list[list[list[complex]]]()
    place = 0j
    for name, ends in pen.value:
        points = [complex(*end) for end in ends]
        if name == "moveTo":
            strokes.append([])
        elif points:
            strokes[-1].append(_cubic(place, *points))
        place = points[-1] if points else place
    return [np.concatenate([[curves[0][0]], (np.array(curves) @ _BERNSTEIN).ravel()]) for curves in strokes if curves]


def _cubic(first: complex, *others: complex) -> list[complex]:
    """Returns the four control points of a line, or of a quadratic or cubic Bezier curve, as a cubic curve."""
    if len(others) == 3:
        return [first, *others]
    middle, last = others if len(others) == 2 else ((first + others[0]) / 2, others[0])
    return [first, (first + 2 * middle) / 3, (last + 2 * middle) / 3, last]
