"""Figures of metrics over training, of one run and of several."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.config.members import members_at
from experiments.reports.bands import band
from experiments.reports.figures import new_figure
from experiments.reports.runs import FinishedRun
from experiments.run.directory import Row

_PANELS = {
    "losses": ("generator_loss", "discriminator_loss", "fooling_loss"),
    "validity": ("validity", "sampled_validity"),
    "distance to the true law": ("total_variation", "length_total_variation", "kl_data_model"),
    "nats a sequence": ("validation_nll", "negative_log_likelihood", "oracle_nll"),
    "effective sample size": ("effective_sample_size",),
    "discriminator's logits": ("real_logit", "generated_logit"),
    "discriminator's accuracy": ("discriminator_accuracy",),
    "gates, share of steps open": ("generator_gate", "discriminator_gate"),
    "temperature": ("temperature",),
}
_LOGARITHMIC = ("distance to the true law",)
_COLORS = {"generator_loss": "C0", "discriminator_loss": "C1", "fooling_loss": "C2"}
# From this ratio on, lines of one panel need a logarithmic axis to be seen.
_WIDE = 10.0


def draw_curves(rows: Sequence[Row], path: Path, *, title: str, sweep: Sequence[Row], points: Sequence[int]) -> None:
    """Draws all metrics over training, a band over seeds each; the points of a sweep below each other.

    Args:
      rows: rows of `metrics.jsonl`; a panel without any metric is left out.
      path: the image to write.
      title: of the figure.
      sweep: what is set at each point of the sweep.
      points: each member's point.
    """
    panels = {label: [name for name in names if any(name in row for row in rows)] for label, names in _PANELS.items()}
    panels = {label: names for label, names in panels.items() if names}
    kinds = sorted(set(points))
    columns = len(panels) if len(kinds) > 1 else min(3, len(panels))
    lines = len(kinds) * -(-len(panels) // columns)
    figure = new_figure(4.5 * columns, 3.2 * lines)
    figure.suptitle(title)
    for line, point in enumerate(kinds):
        members = members_at(point, points)
        for index, (label, names) in enumerate(panels.items()):
            axes = figure.add_subplot(lines, columns, line * columns + index + 1)
            for name in names:
                draw_band(axes, rows, name, members)
            axes.set_title("\n".join([label, *sweep[point].values()]), fontsize="medium")
            axes.set_xlabel("step")
            axes.legend(fontsize="small")
            if label in _LOGARITHMIC or (label == "losses" and _needs_logarithm(rows, names, members)):
                axes.set_yscale("log")
    figure.savefig(path, dpi=120)


def draw_comparison(runs: Sequence[FinishedRun], path: Path) -> None:
    """Draws runs side by side over training: their losses, and below them how valid and how far off their samples are.

    Args:
      runs: the runs, a column each.
      path: the image to write.
    """
    known = {name for run in runs for name in run.rows[0]}
    lines = {
        "loss": sorted(name for name in known if name.endswith("_loss")),
        "validity": sorted(known & {"validity", "sampled_validity"}),
        "total variation": sorted(known & {"total_variation", "sampled_total_variation"}),
        "nats a sequence": sorted(known & {"validation_nll", "oracle_nll"}),
        "gates open": sorted(name for name in known if name.endswith("_gate")),
    }
    lines = {label: names for label, names in lines.items() if names}
    figure = new_figure(3.6 * len(runs), 2.8 * len(lines))
    first: dict[str, Any] = {}
    labelled: set[str] = set()
    for column, run in enumerate(runs):
        for line, (label, names) in enumerate(lines.items()):
            drawn = [name for name in names if name in run.rows[0]]
            if not drawn:
                continue
            axes = figure.add_subplot(len(lines), len(runs), line * len(runs) + column + 1, sharey=first.get(label))
            # Losses of different methods are different things: beside a likelihood's, others would be flat.
            if label != "loss":
                first.setdefault(label, axes)
            for name in drawn:
                draw_band(axes, run.rows, name, run.members, color=_COLORS.get(name))
            if line == 0:
                axes.set_title(f"{run.label} (seeds: {len(run.members)})", fontsize="medium", wrap=True)
            if label == "loss" and _needs_logarithm(run.rows, drawn, run.members):
                axes.set_yscale("log")
            if len(names) > 1:
                axes.legend(fontsize="small")
            if label not in labelled:
                axes.set_ylabel(label)
                labelled.add(label)
            axes.set_xlabel("step")
    figure.savefig(path, dpi=120)


def draw_means(run: FinishedRun, names: Sequence[str], path: Path) -> None:
    """Draws metrics over training, mean over seeds and band between the extremes, a panel each.

    Args:
      run: the run.
      names: the metrics; where all of one's values are > 0, its axis is logarithmic.
      path: the image to write.
    """
    figure = new_figure(4.5 * len(names), 3.2)
    steps = [row["step"] for row in run.rows]
    for column, name in enumerate(names):
        axes = figure.add_subplot(1, len(names), column + 1)
        values = run.curve(name)
        (line,) = axes.plot(steps, values.mean(axis=1))
        axes.fill_between(
            steps, values.min(axis=1), values.max(axis=1), color=line.get_color(), alpha=0.25, linewidth=0
        )
        if (values > 0).all():
            axes.set_yscale("log")
        axes.set_title(name.replace("_", " "), fontsize="medium")
        axes.set_xlabel("step")
        axes.grid(alpha=0.3, which="both")
    figure.savefig(path, dpi=120)


def draw_band(axes: Any, rows: Sequence[Row], name: str, members: Sequence[int], **style: Any) -> None:
    """Draws a metric over training: the median over seeds, and bands between the quartiles and between the extremes.

    A seed whose metric is no number is left out, and the legend says how many end so.

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
    lost = int(np.isnan(values[-1]).sum())
    label = name.replace("_", " ") + (f" ({lost} of {len(members)} seeds lost)" if lost else "")
    (line,) = axes.plot(steps, over_seeds.median, **{"label": label} | style)
    if len(members) > 1:
        for low, high, alpha in (
            (over_seeds.lower, over_seeds.upper, 0.3),
            (over_seeds.least, over_seeds.greatest, 0.15),
        ):
            axes.fill_between(steps, low, high, color=line.get_color(), alpha=alpha, linewidth=0)
    axes.grid(alpha=0.3)
    axes.locator_params(axis="x", nbins=5)


def _needs_logarithm(rows: Sequence[Row], names: Sequence[str], members: Sequence[int]) -> bool:
    """Tells whether metrics, all of them > 0, end far from each other."""
    values = np.array([[[row[name][member] for member in members] for name in names] for row in rows], float)
    middles = np.median(values[-1], axis=1)
    return bool((values > 0).all() and middles.max() > _WIDE * middles.min())
