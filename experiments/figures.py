"""Figures of a run; matplotlib is imported when one is drawn."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.bands import band
from experiments.rundir import Row

_PANELS = {
    "losses": ("generator_loss", "discriminator_loss"),
    "validity": ("validity", "sampled_validity"),
    "distance to the true law": ("total_variation", "length_total_variation", "kl_data_model"),
    "discriminator's logits": ("real_logit", "generated_logit"),
    "temperature": ("temperature",),
}
_LOGARITHMIC = ("distance to the true law",)


def draw_curves(rows: Sequence[Row], path: Path, *, title: str, points: Sequence[int]) -> None:
    """Draws all metrics over training, a band over seeds each; the points of a sweep below each other.

    Args:
      rows: rows of `metrics.jsonl`; a panel without any metric is left out.
      path: the image to write.
      title: of the figure.
      points: each member's point of the sweep.
    """
    panels = {label: [name for name in names if any(name in row for row in rows)] for label, names in _PANELS.items()}
    panels = {label: names for label, names in panels.items() if names}
    kinds = sorted(set(points))
    columns = len(panels) if len(kinds) > 1 else min(3, len(panels))
    lines = len(kinds) * -(-len(panels) // columns)
    figure = new_figure(4.5 * columns, 3.2 * lines)
    figure.suptitle(title)
    for line, point in enumerate(kinds):
        members = [index for index, each in enumerate(points) if each == point]
        for index, (label, names) in enumerate(panels.items()):
            axes = figure.add_subplot(lines, columns, line * columns + index + 1)
            for name in names:
                draw_band(axes, rows, name, members)
            axes.set_title(label if len(kinds) == 1 else f"{label}, point {point}")
            axes.set_xlabel("step")
            axes.legend(fontsize="small")
            if label in _LOGARITHMIC:
                axes.set_yscale("log")
    figure.savefig(path, dpi=120)


def new_figure(width: float, height: float) -> Any:
    """Makes an empty figure, in inches, that is drawn without a screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def draw_band(axes: Any, rows: Sequence[Row], name: str, members: Sequence[int], **style: Any) -> None:
    """Draws a metric over training: the median over seeds, and bands between the quartiles and between the extremes.

    Where a seed's metric is no number, there is a gap.

    Args:
      axes: where to draw; gets a grid.
      rows: rows of `metrics.jsonl`, in which a metric is a list of one number a member.
      name: the metric; rows without it are skipped.
      members: indices of the members to draw.
      **style: of the line, as matplotlib names it.
    """
    rows = [row for row in rows if name in row]
    steps = np.array([row["step"] for row in rows])
    values = np.array([row[name] for row in rows], float)[:, list(members)]
    over_seeds = band(values)
    (line,) = axes.plot(steps, over_seeds.median, **{"label": name.replace("_", " ")} | style)
    if len(members) > 1:
        for low, high, alpha in (
            (over_seeds.lower, over_seeds.upper, 0.3),
            (over_seeds.least, over_seeds.greatest, 0.15),
        ):
            axes.fill_between(steps, low, high, color=line.get_color(), alpha=alpha, linewidth=0)
    axes.grid(alpha=0.3)
