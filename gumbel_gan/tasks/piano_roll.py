"""Piano rolls: drawings of melodies, as SVG."""

from collections.abc import Sequence

from gumbel_gan.tasks.abc_tunes import TICKS, Note

_WHOLE_NOTE, _SEMITONE, _MARGIN = 64, 5, 6


def piano_roll(bars: Sequence[Sequence[Note]]) -> str:
    """Draws a melody: a bar for each note, from left to right and from low to high, and a line for each bar line.

    Args:
      bars: the notes of each bar, at least one in all. Rests leave a gap.

    Returns:
      The drawing, as SVG.
    """
    pitches = [note.pitch for bar in bars for note in bar if note.pitch is not None] or [0]
    highest, height = max(pitches), (max(pitches) - min(pitches) + 1) * _SEMITONE
    shapes, time = list[str](), 0
    for number, bar in enumerate(bars):
        if number:
            shapes.append(f'<path d="M{_x(time)} 0V{height + 2 * _MARGIN}" stroke="#bbb"/>')
        for note in bar:
            if note.pitch is not None:
                y, width = _MARGIN + (highest - note.pitch) * _SEMITONE, _x(time + note.duration) - _x(time) - 1
                shapes.append(f'<rect x="{_x(time)}" y="{y}" width="{width:g}" height="{_SEMITONE - 1}"/>')
            time += note.duration
    right, bottom = f"{_x(time) + _MARGIN:g}", height + 2 * _MARGIN
    size = f'width="{right}" height="{bottom}" viewBox="0 0 {right} {bottom}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} fill="#1f77b4">{"".join(shapes)}</svg>'


def _x(time: int) -> float:
    return _MARGIN + time * _WHOLE_NOTE / TICKS
