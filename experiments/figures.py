"""Figures of a run; matplotlib is imported when one is drawn."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

_PANELS = {
    "losses": ("generator_loss", "discriminator_loss"),
    "validity": ("validity", "sampled_validity"),
    "distance to the true law": ("total_variation", "length_total_variation", "kl_data_model"),
    "discriminator's logits": ("real_logit", "generated_logit"),
    "temperature": ("temperature",),
}
_LOGARITHMIC = ("distance to the true law",)


def draw_curves(rows: Sequence[dict[str, Any]], path: Path, *, title: str) -> None:
    """Draws metrics over training: the median over seeds, and a band from the least to the greatest.

    A seed whose metric is no number leaves a gap.

    Args:
      rows: rows of `metrics.jsonl`, each metric a list of one number a seed; a panel without any metric is left out.
      path: the image to write.
      title: of the figure.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = {label: [name for name in names if any(name in row for row in rows)] for label, names in _PANELS.items()}
    panels = {label: names for label, names in panels.items() if names}
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(4.5 * columns, 3.2 * lines), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    for index, (label, names) in enumerate(panels.items()):
        axes = figure.add_subplot(lines, columns, index + 1)
        for name in names:
            steps = np.array([row["step"] for row in rows if name in row])
            values = np.array([row[name] for row in rows if name in row], float)
            (line,) = axes.plot(steps, np.median(values, axis=1), label=name.replace("_", " "))
            if values.shape[1] > 1:
                low, high = np.min(values, axis=1), np.max(values, axis=1)
                axes.fill_between(steps, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
        axes.set_title(label)
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
        if label in _LOGARITHMIC:
            axes.set_yscale("log")
    figure.savefig(path, dpi=120)
