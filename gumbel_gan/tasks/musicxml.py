"""Reads scores in MusicXML, zipped or not, with one voice per part, as bars of notes."""

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple
from xml.etree import ElementTree

from gumbel_gan.tasks.pitches import read_pitch
from gumbel_gan.tasks.unreadable import Unreadable

_CONTAINER = "META-INF/container.xml"
_SUFFIXES = (".mxl", ".musicxml", ".xml")
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


class ScoreNote(NamedTuple):
    """A note or a rest.

    Attributes:
      pitch: the number of the key in MIDI, 60 for middle C; None for a rest.
      duration: in quarter notes, > 0.
      goes_on: whether a tie joins the note to the one before.
    """

    pitch: int | None
    duration: Fraction
    goes_on: bool = False


class Score(NamedTuple):
    """A score.

    Attributes:
      place: file of the score, for reports, such as "'bwv1.6.mxl'".
      meters: the distinct meters, such as '3/4', in order of appearance.
      sharps: number of sharps of the first key signature; negative for flats.
      parts: for each part, the notes of each bar. All parts have the same number of bars; bars may be incomplete.
      num_grace: number of grace notes, which `parts` leaves out.
    """

    place: str
    meters: tuple[str, ...]
    sharps: int
    parts: tuple[tuple[tuple[ScoreNote, ...], ...], ...]
    num_grace: int = 0


def read_scores(names: Iterable[str], contents: Iterable[bytes], *, num_parts: int) -> Iterator[Score | Unreadable]:
    """Reads the scores of MusicXML files.

    The measures of each part, with notes, rests and ties, the first key signature and the meters are read. Repeats are
    not expanded, and grace notes are left out. A `forward` at the end of a bar is ignored, so that the bar is shorter.

    Args:
      names: names of the files.
      contents: bytes of the files: MusicXML, MusicXML in a zip archive with its container (.mxl), or a zip archive of
        such files.
      num_parts: required number of parts of a score.

    Yields:
      The scores in order; an `Unreadable` in place of each score that cannot be read.
    """
    for name, content in zip(names, contents, strict=True):
        yield from _scores(repr(name), content, num_parts)


def _scores(place: str, content: bytes, num_parts: int) -> Iterator[Score | Unreadable]:
    try:
        unzipped = _unzipped(content) if content.startswith(b"PK") else content
        if isinstance(unzipped, bytes):
            yield _score(place, unzipped, num_parts)
            return
    except ValueError as error:
        yield Unreadable(place, str(error))
        return
    for name, member in unzipped.items():
        yield from _scores(f"{place}, {name!r}", member, num_parts)


def _unzipped(content: bytes) -> bytes | dict[str, bytes]:
    """Returns the score that the container of an archive names, or all score files if there is no container."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if _CONTAINER in archive.namelist():
                return archive.read(_root_file(archive))
            names = sorted(name for name in archive.namelist() if name.lower().endswith(_SUFFIXES))
            return {name: archive.read(name) for name in names}
    except (*_DAMAGED, KeyError, ElementTree.ParseError) as error:
        raise ValueError("a damaged archive") from error


def _root_file(archive: zipfile.ZipFile) -> str:
    """Returns the name of the score in an archive; raises KeyError if the container names no score."""
    container = ElementTree.fromstring(archive.read(_CONTAINER))
    # Some writers state the namespace of the container, and some do not.
    for element in container.iter():
        if element.tag.rpartition("}")[2] == "rootfile":
            return element.attrib["full-path"]
    raise KeyError("rootfile")


def _score(place: str, content: bytes, num_parts: int) -> Score:
    """Reads a score; raises ValueError, with the reason in a few words, if the score cannot be read."""
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise ValueError("not XML") from error
    if root.tag != "score-partwise":
        raise ValueError("no score-partwise of MusicXML")
    parts = root.findall("part")
    if len(parts) != num_parts:
        raise ValueError(f"a number of parts that is not {num_parts}")
    if root.find(".//transpose") is not None:
        raise ValueError("a transposing part")
    read = tuple(_bars(part) for part in parts)
    if len(set(map(len, read))) > 1:
        raise ValueError("parts of different numbers of bars")
    meters = dict.fromkeys(f"{time.findtext('beats')}/{time.findtext('beat-type')}" for time in root.iter("time"))
    key = root.find(".//key")
    sharps = 0 if key is None else _integer(key, "fifths")
    return Score(place, tuple(meters), sharps, read, len(root.findall(".//note/grace")))


def _bars(part: ElementTree.Element) -> tuple[tuple[ScoreNote, ...], ...]:
    divisions: Fraction | None = None
    bars = []
    for measure in part.findall("measure"):
        notes: list[ScoreNote] = []
        has_ended = False
        for element in measure:
            if element.tag == "attributes" and element.find("divisions") is not None:
                divisions = _positive(element, "divisions")
            elif element.tag == "forward":
                has_ended = True
            elif element.tag == "backup" or (element.tag == "note" and has_ended):
                raise ValueError("several voices in one part")
            elif element.tag == "note" and element.find("grace") is None:
                notes.append(_note(element, divisions))
        bars.append(tuple(notes))
    return tuple(bars)


def _note(element: ElementTree.Element, divisions: Fraction | None) -> ScoreNote:
    for tag in ("chord", "cue"):
        if element.find(tag) is not None:
            raise ValueError(f"a {tag}")
    if divisions is None:
        raise ValueError("no divisions")
    duration = _positive(element, "duration") / divisions
    if element.find("rest") is not None:
        return ScoreNote(None, duration)
    pitch = element.find("pitch")
    if pitch is None:
        raise ValueError("a note without a pitch")
    natural = read_pitch(f"{pitch.findtext('step')}{pitch.findtext('octave')}")
    if natural is None:
        raise ValueError("a note without a pitch")
    alter = _integer(pitch, "alter") if pitch.find("alter") is not None else 0
    goes_on = any(tie.get("type") == "stop" for tie in element.findall("tie"))
    return ScoreNote(natural + alter, duration, goes_on)


def _positive(element: ElementTree.Element, name: str) -> Fraction:
    text = element.findtext(name) or ""
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        value = Fraction()
    if value <= 0:
        raise ValueError(f"no {name}")
    return value


def _integer(element: ElementTree.Element, name: str) -> int:
    text = element.findtext(name) or ""
    try:
        return int(text)
    except ValueError as error:
        raise ValueError(f"a value of {name} that is {text!r}") from error
