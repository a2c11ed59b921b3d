"""Pitches: their names, their numbers, and the shift to the key without sharps and flats."""

import re

_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_NAME = re.compile(r"([A-G]#?)(-?\d{1,2})")


def pitch_name(pitch: int) -> str:
    """Returns the name of a pitch, such as 'F#4', from its number in MIDI, 60 for 'C4'."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def read_pitch(name: str) -> int | None:
    """Returns the MIDI number of a pitch from its name; None if the name is not that of a pitch."""
    match = _NAME.fullmatch(name)
    if match is None or match[1] not in _NAMES:
        return None
    return 12 * (int(match[2]) + 1) + _NAMES.index(match[1])


def shift_to_naturals(sharps: int) -> int:
    """Returns the number of semitones, from -6 to 5, from a key signature to the one without sharps and flats.

    Args:
      sharps: number of sharps of the key signature; negative for flats.
    """
    # A fifth up is seven semitones.
    return (-7 * sharps + 6) % 12 - 6
