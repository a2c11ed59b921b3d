"""Melodies as MIDI files."""

from collections.abc import Sequence

from gumbel_gan.arguments import require_at_least
from gumbel_gan.tasks.abc_tunes import TICKS, Note
from gumbel_gan.tasks.melody_symbols import read_melody

_VELOCITY = 80
_NOTE_ON, _NOTE_OFF = 0x90, 0x80
_END = b"\x00\xff\x2f\x00"


def melody_midi(string: str, *, tempo: int = 100) -> bytes:
    """Returns a melody as a standard MIDI file of one track.

    What is no note is left out, so that a melody that is not valid can be heard, too.

    Args:
      string: the symbols of a melody, as `melodies_task` has them, with blanks between them.
      tempo: quarter notes a minute, from 4 to 60,000.

    Returns:
      The contents of the file.

    Raises:
      TypeError: `tempo` is not an integer.
      ValueError: `tempo` is less than 4 or more than 60,000; or a pitch is not from 0 to 127.
    """
    require_at_least(4, tempo=tempo)
    if tempo > 60_000:
        raise ValueError(f"tempo must be at most 60,000, got {tempo}")
    melody = read_melody(string)
    track = b"\x00\xff\x51\x03" + (60_000_000 // int(tempo)).to_bytes(3, "big") + _events(_sounds(melody.bars)) + _END
    header = b"MThd" + (6).to_bytes(4, "big") + b"".join(each.to_bytes(2, "big") for each in (0, 1, TICKS // 4))
    return header + b"MTrk" + len(track).to_bytes(4, "big") + track


def _sounds(bars: Sequence[Sequence[Note]]) -> list[Note]:
    """Returns the notes and rests in a row, tied ones as one."""
    sounds: list[Note] = []
    for note in (note for bar in bars for note in bar):
        if sounds and sounds[-1].is_tied and sounds[-1].pitch == note.pitch:
            sounds[-1] = Note(note.pitch, sounds[-1].duration + note.duration, note.is_tied)
        else:
            sounds.append(note)
    return sounds


def _events(sounds: Sequence[Note]) -> bytes:
    events, silence = b"", 0
    for note in sounds:
        if note.pitch is None:
            silence += note.duration
            continue
        if not 0 <= note.pitch < 128:
            raise ValueError(f"string must have pitches from 0 to 127, got {note.pitch}")
        events += _variable_length(silence) + bytes((_NOTE_ON, note.pitch, _VELOCITY))
        events += _variable_length(note.duration) + bytes((_NOTE_OFF, note.pitch, 0))
        silence = 0
    return events


def _variable_length(number: int) -> bytes:
    """Writes a number in groups of seven bits, of which all but the last have the eighth bit set."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(0x80 | (number & 0x7F))
    return bytes(reversed(groups))
