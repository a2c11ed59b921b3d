"""Drawings as steps of a pen, of one length and in few directions, and back."""

import cmath
import string
from collections.abc import Iterable, Sequence

import numpy as np

DIRECTIONS = (8, 16)
# The share of a step by which one must come nearer to the end of a stroke, or to the beginning of the next.
_LEAST_GAIN = 0.125
# Points of a path in the length of a step.
_POINTS = 4


def step_symbols(directions: int) -> str:
    """Returns the symbols of all steps: lowercase letters with the pen down, and then uppercase ones with the pen up.

    Args:
      directions: their number D; letter d goes to the angle 2 pi d / D, from the x axis toward the y axis.
    """
    return string.ascii_lowercase[:directions] + string.ascii_uppercase[:directions]


def draw_steps(strokes: Iterable[np.ndarray], *, step: float, directions: int) -> str:
    """Draws strokes with a pen that takes steps of one length.

    The pen begins at the beginning of the first stroke. With each step it goes to the point of the path ahead that is
    one step away, as nearly as the directions allow, so that errors do not add up; with the pen up, to the beginning of
    the next stroke. A stroke has at least one step.

    Args:
      strokes: of each stroke the `[P]` complex points of its path, x + iy, at least one.
      step: the length of a step, in the unit of the points.
      directions: number of directions.

    Returns:
      A symbol of `step_symbols` for each step.
    """
    down, up = (step_symbols(directions)[case * directions :][:directions] for case in (0, 1))
    moves = [step * cmath.exp(2j * cmath.pi * number / directions) for number in range(directions)]
    written, position = list[str](), None

    def toward(place: complex, goal: complex) -> int:
        return round(cmath.phase(goal - place) * directions / (2 * cmath.pi)) % directions

    def approach(place: complex, goal: complex, symbols: str) -> complex:
        while True:
            number = toward(place, goal)
            nearer = place + moves[number]
            if abs(nearer - goal) > abs(place - goal) - _LEAST_GAIN * step:
                return place
            written.append(symbols[number])
            place = nearer

    for stroke in strokes:
        points = _equally_spaced(stroke, step / _POINTS)
        position = points[0] if position is None else approach(position, points[0], up)
        begin = len(written)
        for point in points:
            if abs(point - position) >= step:
                number = toward(position, point)
                written.append(down[number])
                position += moves[number]
        position = approach(position, points[-1], down)
        if len(written) == begin:
            number = toward(position, points[-1])
            written.append(down[number])
            position += moves[number]
    return "".join(written)


def read_steps(steps: str, *, directions: int) -> list[np.ndarray]:
    """Returns what steps draw: of each stroke the `[P, 2]` float64 points, x and y in steps from where the pen began.

    Args:
      steps: symbols of `step_symbols`.
      directions: number of directions.

    Raises:
      ValueError: a symbol is none of them.
    """
    symbols = step_symbols(directions)
    numbers = [symbols.find(symbol) for symbol in steps]
    if -1 in numbers:
        wrong = steps[numbers.index(-1)]
        raise ValueError(f"string must hold the letters {symbols}, got {wrong!r}")
    turns = np.asarray(numbers, np.int64) % directions * (2 * np.pi / directions)
    places = np.concatenate([np.zeros((1, 2)), np.cumsum(np.stack([np.cos(turns), np.sin(turns)], axis=1), axis=0)])
    strokes, begin = list[np.ndarray](), 0
    is_down = [number < directions for number in numbers]
    for index, (before, after) in enumerate(zip([False, *is_down], [*is_down, False], strict=True)):
        if after and not before:
            begin = index
        if before and not after:
            strokes.append(places[begin : index + 1])
    return strokes


def _equally_spaced(points: np.ndarray, spacing: float) -> Sequence[complex]:
    """Returns points of a path at equal distances along it, of at most `spacing`, its ends among them."""
    lengths = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(points)))])
    num = int(np.ceil(lengths[-1] / spacing)) + 1
    return np.interp(np.linspace(0, lengths[-1], num), lengths, points).tolist()
