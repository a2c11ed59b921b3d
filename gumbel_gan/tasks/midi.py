"""Writes melodies and four-voice music as MIDI files."""

from collections.abc import Sequence
from itertools import chain

from gumbel_gan.arguments import require_at_least, require_kind
from gumbel_gan.tasks.abc_tunes import TICKS, Note, merge_tied
from gumbel_gan.tasks.chorale_symbols import read_chorale, require_steps, voice_bars
from gumbel_gan.tasks.melody_symbols import read_melody

_VELOCITY = 80
_NOTE_ON, _NOTE_OFF = 0x90, 0x80
_END = b"\x00\xff\x2f\x00"


def melody_midi(string: str, *, tempo: int = 100) -> bytes | None:
    """Returns a melody as a standard MIDI file of one track.

    Symbols that have no meaning are left out, so that an invalid melody can be heard, too.

    Args:
      string: the symbols of a melody of `melodies_task`, separated by blanks.
      tempo: quarter notes per minute, from 4 to 60,000.

    Returns:
      The contents of the file; None for a string without notes.

    Raises:
      TypeError: `string` is not a str, or `tempo` is not an integer.
      ValueError: `tempo` is less than 4 or more than 60,000, or a pitch is not from 0 to 127.
    """
    require_kind(str, string=string)
    return _file([read_melody(string).bars], tempo)


def chorale_midi(string: str, *, steps_per_quarter: int = 4, tempo: int = 100) -> bytes | None:
    """Returns four-voice music as a standard MIDI file of four tracks, each with its own channel.

    Symbols that have no meaning are silent, so that an invalid string can be heard, too.

    Args:
      string: symbols of `chorales_task`, separated by blanks, of any length.
      steps_per_quarter: as in `chorales_task`.
      tempo: as in `melody_midi`.

    Returns:
      The contents of the file; None for a string without notes.

    Raises:
      TypeError: `string` is not a str, or a number is not an integer.
      ValueError: `steps_per_quarter` is not 2 or 4; or as in `melody_midi`.
    """
    require_kind(str, string=string)
    require_steps(steps_per_quarter)
    return _file([voice_bars(voice, steps_per_quarter) for voice in read_chorale(string).voices], tempo)


def _file(voices: Sequence[Sequence[Sequence[Note]]], tempo: int) -> bytes | None:
    """Returns a file with a track for each voice, given the notes of each bar of each voice; None without notes."""
    require_at_least(4, tempo=tempo)
    if tempo > 60_000:
        raise ValueError(f"tempo must be at most 60,000, got {tempo}")
    if all(note.pitch is None for bars in voices for bar in bars for note in bar):
        return None
    is_several = len(voices) > 1
    header = b"".join(each.to_bytes(2, "big") for each in (is_several, len(voices), TICKS // 4))
    content = b"MThd" + len(header).to_bytes(4, "big") + header
    for channel, bars in enumerate(voices):
        start = b"" if channel else b"\x00\xff\x51\x03" + (60_000_000 // int(tempo)).to_bytes(3, "big")
        track = start + _events(merge_tied(chain.from_iterable(bars)), channel) + _END
        content += b"MTrk" + len(track).to_bytes(4, "big") + track
    return content


def _events(sounds: Sequence[Note], channel: int) -> bytes:
    events, silence = b"", 0
    for note in sounds:
        if note.pitch is None:
            silence += note.duration
            continue
        if not 0 <= note.pitch < 128:
            raise ValueError(f"string must have pitches from 0 to 127, got {note.pitch}")
        events += _variable_length(silence) + bytes((_NOTE_ON | channel, note.pitch, _VELOCITY))
        events += _variable_length(note.duration) + bytes((_NOTE_OFF | channel, note.pitch, 0))
        silence = 0
    return events


def _variable_length(number: int) -> bytes:
    """Encodes a number in groups of seven bits; the eighth bit is set in all groups but the last."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(0x80 | (number & 0x7F))
    return bytes(reversed(groups))
