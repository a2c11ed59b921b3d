"""Piano rolls: drawings of one or more melodies as SVG."""

from collections.abc import Sequence

from gumbel_gan.tasks.abc_tunes import TICKS, Note

_WHOLE_NOTE, _SEMITONE, _MARGIN = 64, 5, 6
_COLORS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728")


def piano_roll(*voices: Sequence[Sequence[Note]]) -> str:
    """Draws melodies: a box per note, time from left to right, pitch from bottom to top, and a line per bar line.

    Args:
      *voices: for each melody, the notes of each bar, with at least one note in total. Rests leave a gap. Bar lines are
        those of the first melody.

    Returns:
      The drawing, as SVG.
    """
    pitches = [note.pitch for bars in voices for bar in bars for note in bar if note.pitch is not None] or [0]
    highest, height = max(pitches), (max(pitches) - min(pitches) + 1) * _SEMITONE
    shapes, end = list[str](), 0
    for number, bars in enumerate(voices):
        time, color = 0, "" if not number else f' fill="{_COLORS[number % len(_COLORS)]}" fill-opacity="0.7"'
        for bar_number, bar in enumerate(bars):
            if bar_number and not number:
                shapes.append(f'<path d="M{_x(time)} 0V{height + 2 * _MARGIN}" stroke="#bbb"/>')
            for note in bar:
                if note.pitch is not None:
                    y, width = _MARGIN + (highest - note.pitch) * _SEMITONE, _x(time + note.duration) - _x(time) - 1
                    box = f'x="{_x(time)}" y="{y}" width="{width:g}" height="{_SEMITONE - 1}"'
                    shapes.append(f"<rect {box}{color}/>")
                time += note.duration
        end = max(end, time)
    right, bottom = f"{_x(end) + _MARGIN:g}", height + 2 * _MARGIN
    size = f'width="{right}" height="{bottom}" viewBox="0 0 {right} {bottom}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} fill="{_COLORS[0]}">{"".join(shapes)}</svg>'


def _x(time: int) -> float:
    return _MARGIN + time * _WHOLE_NOTE / TICKS
