"""Draws a property that several methods raise, against the number of calls."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from experiments.reports.bands import band
from experiments.reports.figures import new_figure


def draw_property(calls: np.ndarray, panels: Mapping[str, Mapping[str, np.ndarray]], path: Path) -> None:
    """Draws panels side by side, with a line and a band over seeds for each method.

    Args:
      calls: `[P]` numbers of calls.
      panels: `[P, S]` values of the seeds by panel title and method; NaN where there is no value.
      path: the image to write.
    """
    figure = new_figure(5.0 * len(panels), 4.2)
    for index, (title, lines) in enumerate(panels.items()):
        axes = figure.add_subplot(1, len(panels), index + 1)
        for number, (label, values) in enumerate(lines.items()):
            over_seeds = band(values)
            axes.plot(calls, over_seeds.median, color=f"C{number}", label=label)
            axes.fill_between(calls, over_seeds.least, over_seeds.greatest, color=f"C{number}", alpha=0.2, linewidth=0)
        axes.set_title(title, fontsize="medium")
        axes.set_xlabel("calls of the property")
        axes.set_xlim(0, calls[-1])
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=100)
