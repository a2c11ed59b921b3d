"""Converts drawings to pen steps of equal length in a few directions, and back."""

import cmath
import string
from collections.abc import Iterable, Sequence

import numpy as np

DIRECTIONS = (8, 16)
# The least approach to the end of a stroke, or to the beginning of the next, as a fraction of the step length.
_LEAST_GAIN = 0.125
# Number of points of a path per step length.
_POINTS = 4


def step_symbols(directions: int) -> str:
    """Returns the symbols of all steps: lowercase letters for the pen down, then uppercase letters for the pen up.

    Args:
      directions: number of directions D; letter d has the angle 2 pi d / D, from the x axis toward the y axis.
    """
    return string.ascii_lowercase[:directions] + string.ascii_uppercase[:directions]


def draw_steps(strokes: Iterable[np.ndarray], *, step: float, directions: int) -> str:
    """Draws strokes with a pen that takes steps of equal length.

    The pen starts at the beginning of the first stroke. Each step goes in the direction closest to that of the next
    point of the path that is a step away, so that errors do not add up. With the pen up, steps go toward the beginning
    of the next stroke. A stroke has at least one step.

    Args:
      strokes: for each stroke, the `[P]` complex points x + iy of its path, P >= 1.
      step: the length of a step, in the unit of the points.
      directions: number of directions.

    Returns:
      The steps, each a symbol of `step_symbols`.
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
    """Returns the `[P, 2]` float64 points of each stroke, x and y in steps from the initial position of the pen.

    Args:
      steps: symbols of `step_symbols`.
      directions: number of directions.

    Raises:
      ValueError: a symbol is not one of `step_symbols(directions)`.
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
    """Returns points at equal distances of at most `spacing` along a path, including both ends."""
    lengths = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(points)))])
    num = int(np.ceil(lengths[-1] / spacing)) + 1
    return np.interp(np.linspace(0, lengths[-1], num), lengths, points).tolist()
