"""Drawings of samples, of tasks that have them."""

import base64
from typing import NamedTuple

from experiments.config import registries, values
from experiments.reports.runs import FinishedRun
from gumbel_gan.tasks import Picture

_MOST_PICTURES = 12


class Drawn(NamedTuple):
    """A drawn sample of a page.

    Attributes:
      source: the drawing, as the `src` of an `img`; None where there is none.
      caption: what stands below it.
      reason: why it is not valid; None where it is.
    """

    source: str | None
    caption: str
    reason: str | None


def drawn_samples(run: FinishedRun) -> tuple[list[Drawn], str | None]:
    """Draws the first samples of a run.

    Args:
      run: the run.

    Returns:
      The drawings, none of a task without pictures; and why they could not be made, if they could not.
    """
    function = registries.PICTURES.get(run.settings["task.name"])
    if function is None:
        return [], None
    settings = {
        name: run.settings[f"task.{name}"] for name in values.parameters(function) if f"task.{name}" in run.settings
    }
    try:
        return [_drawn(function(sample, **settings)) for sample in run.samples[:_MOST_PICTURES]], None
    except ImportError as error:
        return [], str(error)


def _drawn(picture: Picture) -> Drawn:
    source = None
    if picture.svg is not None:
        source = f"data:image/svg+xml;base64,{base64.b64encode(picture.svg.encode()).decode()}"
    return Drawn(source, picture.caption, picture.reason)
