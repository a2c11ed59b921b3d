"""Melodies as sequences of symbols: the meter, notes with a pitch and a duration, ties and bar lines."""

import functools
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from gumbel_gan.tasks.abc_tunes import METER, TICKS, Note, bar_length
from gumbel_gan.tasks.pitches import pitch_name, read_pitch

BAR, TIE = "|", "~"
_REST = "rest"
_NOTE = re.compile(r"([^:]+):([1-9]\d*)/([1-9]\d*)")


class Melody(NamedTuple):
    """The melody that a sequence of symbols encodes.

    Attributes:
      meter: the meter, such as '3/4'; None if the first symbol is not a meter.
      bars: the notes of each bar; symbols without meaning are left out.
      reason: why the sequence is not valid, in a few words; None if it is valid.
    """

    meter: str | None
    bars: tuple[tuple[Note, ...], ...]
    reason: str | None = None


@functools.lru_cache(2**12)
def note_symbol(note: Note) -> str:
    """Returns the symbol of a note, such as 'F#4:3/8', or of a rest, 'rest:1/4'."""
    name = _REST if note.pitch is None else pitch_name(note.pitch)
    duration = Fraction(note.duration, TICKS)
    return f"{name}:{duration.numerator}/{duration.denominator}"


def melody_symbols(meter: str, bars: Sequence[Sequence[Note]], *, shift: int = 0) -> tuple[str, ...]:
    """Returns the symbols of a melody: its meter, and its notes with a bar line between two bars.

    Args:
      meter: the meter, such as '3/4'.
      bars: the notes of each bar.
      shift: number of semitones by which the melody is transposed.
    """
    symbols = [meter]
    for number, bar in enumerate(bars):
        symbols += [BAR] if number else []
        for note in bar:
            pitch = None if note.pitch is None else note.pitch + shift
            symbols += [note_symbol(note._replace(pitch=pitch)), *([TIE] if note.is_tied else [])]
    return tuple(symbols)


def read_melody(string: str) -> Melody:
    """Reads a melody from its symbols, separated by blanks, and checks whether it is valid.

    In a valid melody, the first symbol is a meter, and all other symbols are notes, rests, ties and bar lines. No bar
    is empty. The first and the last bar do not exceed the meter, and all other bars fill it. Each tie joins two notes
    of the same pitch.
    """
    symbols = string.split()
    meter = symbols[0] if symbols and METER.fullmatch(symbols[0]) else None
    reasons = [] if meter else ["no meter at the beginning"]
    bars: list[list[Note]] = [[]]
    tied: Note | None = None
    for symbol in symbols[1 if meter else 0 :]:
        if symbol == BAR:
            if not bars[-1]:
                reasons.append(f"bar {len(bars)} is empty")
            bars.append([])
        elif symbol == TIE:
            tied = bars[-1][-1] if bars[-1] and not bars[-1][-1].is_tied else None
            if tied is None or tied.pitch is None:
                reasons.append(f"a tie without a note before it in bar {len(bars)}")
            else:
                bars[-1][-1] = tied._replace(is_tied=True)
        elif (note := _note(symbol)) is None:
            reasons.append(f"{symbol} is not a note")
        else:
            if tied is not None and tied.pitch != note.pitch:
                reasons.append(f"a tie to another pitch in bar {len(bars)}")
            tied = None
            bars[-1].append(note)
    if tied is not None:
        reasons.append("a tie at the end")
    if not bars[-1]:
        reasons.append(f"bar {len(bars)} is empty")
    if meter is not None:
        reasons += _wrong_lengths(bars, bar_length(meter))
    return Melody(meter, tuple(map(tuple, bars)), reasons[0] if reasons else None)


def _wrong_lengths(bars: Sequence[Sequence[Note]], full: int) -> list[str]:
    """Returns a reason for each bar that is too long, and for each inner bar that is too short."""
    wrong = []
    for number, bar in enumerate(bars):
        length = sum(note.duration for note in bar)
        is_inner = 0 < number < len(bars) - 1
        if length > full or (is_inner and 0 < length < full):
            wrong.append(f"bar {number + 1} has {Fraction(length, TICKS)} of {Fraction(full, TICKS)}")
    return wrong


def _note(symbol: str) -> Note | None:
    match = _NOTE.fullmatch(symbol)
    if match is None:
        return None
    name, numerator, denominator = match.groups()
    pitch = read_pitch(name)
    duration = Fraction(int(numerator), int(denominator)) * TICKS
    if duration.denominator > 1 or (pitch is None and name != _REST):
        return None
    return Note(pitch, int(duration))
