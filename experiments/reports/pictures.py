"""Drawings of samples, for tasks whose strings can be drawn."""

import base64
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from experiments.config import registries, values
from experiments.reports.runs import FinishedRun
from gumbel_gan.tasks import Picture

_MOST_PICTURES = 12


class Drawn(NamedTuple):
    """A drawn sample on a page.

    Attributes:
      source: the drawing, as the `src` of an `img`; None if there is no drawing.
      caption: text below the drawing.
      reason: why the sample is not valid; None if it is valid.
    """

    source: str | None
    caption: str
    reason: str | None


def drawn_samples(run: FinishedRun) -> tuple[list[Drawn], str | None]:
    """Draws the first samples of a run.

    Args:
      run: the run.

    Returns:
      The drawings, empty for a task without pictures; and the reason why they could not be made, or None.
    """
    draw = picture_function(run.settings)
    if draw is None:
        return [], None
    try:
        return [_drawn(draw(sample)) for sample in run.samples[:_MOST_PICTURES]], None
    except ImportError as error:
        return [], str(error)


def picture_function(settings: Mapping[str, Any]) -> Callable[[str], Picture] | None:
    """Returns the function that draws a string of a task; None for a task without pictures.

    Args:
      settings: the settings of a run by path, such as `task.name`.
    """
    return values.task_function(registries.PICTURES, settings)


def _drawn(picture: Picture) -> Drawn:
    source = None
    if picture.svg is not None:
        source = f"data:image/svg+xml;base64,{base64.b64encode(picture.svg.encode()).decode()}"
    return Drawn(source, picture.caption, picture.reason)
