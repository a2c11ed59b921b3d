"""Cuts scores into excerpts of consecutive whole bars, as steps of each voice."""

from collections.abc import Sequence
from typing import NamedTuple

from gumbel_gan.tasks.chorale_symbols import Step
from gumbel_gan.tasks.musicxml import Score, ScoreNote

# The steps of each voice.
Voices = tuple[tuple[Step, ...], ...]


class Excerpts(NamedTuple):
    """Excerpts of a score.

    Attributes:
      voices: for each excerpt, the steps of each voice.
      num_whole: number of whole bars of the score, whether they are in an excerpt or not.
      num_incomplete: number of bars of the score that are not whole.
    """

    voices: tuple[Voices, ...]
    num_whole: int
    num_incomplete: int


def score_excerpts(score: Score, *, num_bars: int, steps_per_bar: int, steps_per_quarter: int) -> Excerpts:
    """Cuts a score into excerpts of `num_bars` consecutive whole bars.

    A bar is whole if every voice fills it. Two incomplete bars in a row that together fill one bar, as when a repeat
    divides a bar, count as one whole bar.

    Args:
      score: a score whose notes last for whole steps.
      num_bars: number of bars per excerpt.
      steps_per_bar: number of steps per bar.
      steps_per_quarter: number of steps per quarter note.
    """
    parts = [_part_steps(part, steps_per_quarter) for part in score.parts]
    bars: list[Voices] = _joined(list(zip(*parts, strict=True)), steps_per_bar)
    excerpts, row, num_whole = list[Voices](), list[Voices](), 0
    for bar in bars:
        if not _is_whole(bar, steps_per_bar):
            row = []
            continue
        num_whole += 1
        row.append(bar)
        if len(row) == num_bars:
            excerpts.append(tuple(sum(voice, ()) for voice in zip(*row, strict=True)))
            row = []
    return Excerpts(tuple(excerpts), num_whole, len(bars) - num_whole)


def _part_steps(part: Sequence[Sequence[ScoreNote]], steps_per_quarter: int) -> list[tuple[Step, ...]]:
    """Returns the steps of each bar of a part; a tie from another pitch is ignored."""
    bars, before = list[tuple[Step, ...]](), None
    for bar in part:
        steps: list[Step] = []
        for note in bar:
            begins = note.pitch is not None and not (note.goes_on and note.pitch == before)
            steps.append(Step(note.pitch, begins))
            steps += [Step(note.pitch, False)] * (int(note.duration * steps_per_quarter) - 1)
            before = note.pitch
        bars.append(tuple(steps))
    return bars


def _joined(bars: Sequence[Voices], steps_per_bar: int) -> list[Voices]:
    """Merges two incomplete bars in a row that together are one whole bar."""
    joined: list[Voices] = []
    is_open = False
    for bar in bars:
        is_whole = _is_whole(bar, steps_per_bar)
        both = tuple(a + b for a, b in zip(joined[-1], bar, strict=True)) if is_open else ()
        if not is_whole and both and _is_whole(both, steps_per_bar):
            joined[-1] = both
            is_open = False
        else:
            joined.append(bar)
            is_open = not is_whole
    return joined


def _is_whole(bar: Voices, steps_per_bar: int) -> bool:
    return all(len(voice) == steps_per_bar for voice in bar)
