"""Reads tunes of one voice in ABC notation, such as the folk songs of the Essen collection, as bars of notes."""

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple

from gumbel_gan.tasks.unreadable import Unreadable

_FIELD = re.compile(r"([A-Za-z]):(?![|:])\s*(.*?)\s*$")
_IGNORED = re.compile(r'%.*|"[^"]*"|\{[^}]*\}|![^!]*!')
_TOKEN = re.compile(
    r"(?P<note>(?P<accidental>\^\^?|__?|=)?(?P<letter>[A-Ga-gz])(?P<octave>[,']*)(?P<length>\d*/*\d*))"
    # An ending may begin with or without a bar line, such as '|1', ':|2' and '[1,3'.
    r"|(?P<bar>(?:\[\|\]?|:*\|+[:\]]*|::+)(?:\[?\d+(?:[,-]\d+)*)?|\[\d+(?:[,-]\d+)*)"
    r"|(?P<slur>\((?!\d)|\))|(?P<tie>-)|(?P<end>\n)|(?P<other>.)"
)
_BLANKS = re.compile(r"[ \t\\]+")
_LENGTH = re.compile(r"(\d*)(?:/(\d+)|(/*))$")
_KEY = re.compile(r"([A-GH])(s|[#b]?)\s*([A-Za-z]{0,3})")
# A key may be followed by a clef, such as 'clef=bass' or 'bass', and by other settings of this form.
_AFTER_KEY = re.compile(r"\s+(?:[a-z-]+=.*|(?:treble|alto|tenor|bass|perc|none)\b.*)$")
_STEPS = MappingProxyType(dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True)))
_ACCIDENTALS = MappingProxyType({"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2})
_MIDDLE_C = 60
TICKS = 64
"""Number of ticks per whole note; durations are in ticks."""
# The letters in the order in which sharps are added; flats are added in the reverse order.
_FIFTHS = "FCGDAEB"
# The number of sharps of each mode, less that of the major mode on the same note.
_MODES = MappingProxyType(
    {"": 0, "maj": 0, "ion": 0, "lyd": 1, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3, "phr": -4, "loc": -5}
)
METER = re.compile(r"[1-9]\d?/(1|2|4|8|16)")
_METERS = MappingProxyType({"C": "4/4", "C|": "2/2"})


class Note(NamedTuple):
    """A note or a rest.

    Attributes:
      pitch: the number of the key in MIDI, 60 for middle C; None for a rest.
      duration: in 64ths of a whole note, at least 1.
      is_tied: whether a tie joins the note to the next one.
    """

    pitch: int | None
    duration: int
    is_tied: bool = False


class Tune(NamedTuple):
    """A tune.

    Attributes:
      place: file and number of the tune, for reports, such as "'han1.abc', tune 12".
      meter: the meter, such as '3/4'; None if the tune has none.
      sharps: number of sharps of the key signature; negative for flats.
      bars: the notes of each bar; the first and the last bar may be incomplete.
    """

    place: str
    meter: str | None
    sharps: int
    bars: tuple[tuple[Note, ...], ...]


def read_tunes(names: Sequence[str], texts: Sequence[str]) -> Iterator[Tune | Unreadable]:
    r"""Reads the tunes of ABC files.

    The fields M, L and K of the header, notes, rests, ties and bar lines are read. Repeats are not expanded: first and
    second endings are read one after the other. Comments, chord symbols, grace notes, slurs and decorations between
    exclamation marks are left out. An empty line ends a tune. The files of the Essen collection write no bar line if a
    full bar ends with its line of text. The end of a line therefore counts as a bar line after a full bar, and only
    there. Tied notes within a bar are merged. Two inner bars in a row that together fill one bar, as at the end of a
    part that began with an upbeat, are merged, too; the first and the last bar of a tune are not.

    A tune cannot be read if it has one of the following: a field K, L, M or V after its header; a tuplet, chord, broken
    rhythm, field in brackets or other unknown character; a tie without a note before it; a length that is not a
    multiple of a 64th; a unit L that is not 1/1 to 1/64 by powers of two; a key that is missing or is not a letter, an
    accidental and a mode; or no notes.

    Args:
      names: names of the files.
      texts: contents of the files, with lines that end in '\n'.

    Yields:
      The tunes in order; an `Unreadable` in place of each tune that cannot be read.
    """
    for name, text in zip(names, texts, strict=True):
        for part in re.split(r"^X:", text, flags=re.MULTILINE)[1:]:
            number, _, rest = part.partition("\n")
            place = f"{name!r}, tune {number.partition('%')[0].strip()}"
            try:
                yield _tune(place, rest)
            except ValueError as error:
                yield Unreadable(place, str(error))


def bar_length(meter: str) -> int:
    """Returns the duration of a bar of a meter, such as '3/4', in 64ths of a whole note."""
    return int(Fraction(meter) * TICKS)


def merge_tied(notes: Iterable[Note]) -> list[Note]:
    """Returns notes and rests in order, with tied notes of one pitch merged; a tie of the last note is kept."""
    merged: list[Note] = []
    for note in notes:
        if merged and merged[-1].is_tied and merged[-1].pitch == note.pitch:
            merged[-1] = note._replace(duration=merged[-1].duration + note.duration)
        else:
            merged.append(note)
    return merged


def _tune(place: str, text: str) -> Tune:
    """Reads a tune; raises ValueError, with the reason in a few words, if the tune cannot be read."""
    fields: dict[str, str] = {}
    lines = []
    for line in text.split("\n"):
        if "K" in fields and not line.strip():
            break
        field = _FIELD.match(line.partition("%")[0])
        if field is None:
            lines.append(_IGNORED.sub("", line))
        elif "K" not in fields:
            fields[field[1]] = field[2]
        elif field[1] in "KLMV":
            raise ValueError(f"a field {field[1]} inside the tune")
    stated = _METERS.get(fields.get("M", ""), fields.get("M", ""))
    meter = stated if METER.fullmatch(stated) else None
    length = fields.get("L") or ("1/16" if meter and Fraction(meter) < Fraction(3, 4) else "1/8")
    if not re.fullmatch(r"1/(1|2|4|8|16|32|64)", length):
        raise ValueError(f"a unit of length L that is {length!r}")
    sharps = _sharps(fields.get("K", ""))
    full = None if meter is None else bar_length(meter)
    bars = _bars(_BLANKS.sub("", "\n".join(lines)).strip(), Fraction(length) * TICKS, _signature(sharps), full)
    if not bars:
        raise ValueError("no notes")
    return Tune(place, meter, sharps, tuple(bars))


def _bars(text: str, unit: Fraction, signature: dict[str, int], full: int | None) -> list[tuple[Note, ...]]:
    """Returns the bars of a tune, given its text without blanks."""
    bars: list[list[Note]] = [[]]
    accidentals: dict[str, int] = {}
    name = tied = ""
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "note":
            accidental, letter, octave, length = token.group("accidental", "letter", "octave", "length")
            name = letter + octave
            if accidental:
                accidentals[name] = _ACCIDENTALS[accidental]
            pitch = None
            if letter != "z":
                pitch = _natural(letter, octave) + accidentals.get(name, signature.get(letter.upper(), 0))
            note = Note(pitch, _duration(unit, length))
            if tied:
                _go_on(bars, note, is_same=tied == name, has_accidental=bool(accidental))
                tied = ""
            else:
                bars[-1].append(note)
        elif kind == "tie":
            if not name:
                raise ValueError("a tie without a note before it")
            tied = name
        elif kind == "slur":
            continue
        elif kind == "other":
            raise ValueError(f"the character {token[0]!r}")
        elif kind == "bar" or sum(note.duration for note in bars[-1]) == full:
            accidentals = {}
            if bars[-1]:
                bars.append([])
    return [tuple(bar) for bar in _joined([bar for bar in bars if bar], full)]


def _go_on(bars: list[list[Note]], note: Note, *, is_same: bool, has_accidental: bool) -> None:
    """Adds a note after a tie. `is_same` tells whether it has the letter and the octave of the note before the tie.

    Within a bar, the two notes are merged. A tie after a rest, or to another note or accidental, is ignored.
    """
    bar = bars[-1] or bars[-2]
    before = bar[-1]
    if not is_same or before.pitch is None or (has_accidental and note.pitch != before.pitch):
        bars[-1].append(note)
    elif bar is bars[-1]:
        bar[-1] = before._replace(duration=before.duration + note.duration)
    else:
        # The accidental holds for the tied note, too.
        bar[-1] = before._replace(is_tied=True)
        bars[-1].append(note._replace(pitch=before.pitch))


def _joined(bars: list[list[Note]], full: int | None) -> list[list[Note]]:
    """Merges each incomplete inner bar with the next inner bar if the two together fill one bar."""
    joined: list[list[Note]] = []
    for number, bar in enumerate(bars):
        before = joined[-1] if len(joined) > 1 and number < len(bars) - 1 else []
        lengths = [sum(note.duration for note in each) for each in (before, bar)]
        if before and lengths[0] != full and sum(lengths) == full:
            joined[-1] = merge_tied([*before, *bar])
        else:
            joined.append(bar)
    return joined


@functools.lru_cache
def _natural(letter: str, octave: str) -> int:
    """Returns the pitch of a note without an accidental."""
    octaves = letter.islower() + octave.count("'") - octave.count(",")
    return _MIDDLE_C + _STEPS[letter.upper()] + 12 * octaves


@functools.lru_cache
def _duration(unit: Fraction, length: str) -> int:
    """Returns the duration of a length such as '3/2' or '/'. `unit` and the result are in 64ths of a whole note."""
    match = _LENGTH.match(length)
    denominator = 0 if match is None else int(match[2]) if match[2] else 2 ** len(match[3] or "")
    duration = unit * int(match[1] or 1) / denominator if match is not None and denominator else Fraction()
    if duration < 1 or duration.denominator > 1:
        raise ValueError(f"the length {length!r} of {unit / TICKS}")
    return int(duration)


def _sharps(key: str) -> int:
    """Returns the number of sharps of a key, such as 'Bb' or 'Dm'; 'H' and 'Es' are German for 'B' and 'Eb'."""
    match = _KEY.match(_AFTER_KEY.sub("", f" {key}").strip())
    mode = "" if match is None else match[3].lower()
    if match is None or mode not in _MODES:
        raise ValueError(f"the key {key!r}")
    fifths = _FIFTHS.index(match[1].replace("H", "B")) - 1
    return fifths + {"": 0, "#": 7, "b": -7, "s": -7}[match[2]] + _MODES[mode]


def _signature(sharps: int) -> dict[str, int]:
    """Returns the semitones by which a key signature shifts each letter."""
    if abs(sharps) > len(_FIFTHS):
        raise ValueError(f"a key of {abs(sharps)} accidentals")
    return dict.fromkeys(_FIFTHS[:sharps], 1) if sharps >= 0 else dict.fromkeys(_FIFTHS[sharps:], -1)
