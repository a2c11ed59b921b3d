"""Figures of metrics over training, for one run and for several runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.reports.bands import band
from experiments.reports.figures import new_figure
from experiments.reports.formats import format_point
from experiments.reports.runs import FinishedRun
from experiments.run.summary import Summary
from experiments.run.texts import Row
from gumbel_gan.metrics import LOSSES, METRICS, describe

# Titles of the panels, see `Metric.panel`, that figures of several runs show.
_COMPARED = (LOSSES, "validity", "total variation", "nats a sequence", "share of steps with an update")
_LOGARITHMIC = ("total variation", "KL divergence (nats)")
_COLORS = {"generator_loss": "C0", "discriminator_loss": "C1", "fooling_loss": "C2"}
_COUNTERS = ("step", "wall_seconds")
# Losses whose final medians differ by more than this factor are drawn on a logarithmic axis.
_WIDE = 10.0


def panels_of(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Returns the names of the metrics in each panel of a figure over training, by the panel's title.

    Args:
      rows: rows of `metrics.jsonl`; a panel without any metric is left out. Metrics that `METRICS` does not describe
        come last, see `gumbel_gan.metrics.describe`.
    """
    logged = {name for row in rows for name in row if name not in _COUNTERS}
    names = [*(name for name in METRICS if name in logged), *sorted(logged - set(METRICS))]
    panels: dict[str, list[str]] = {}
    for name in names:
        panel = describe(name).panel
        if panel is not None:
            panels.setdefault(panel, []).append(name)
    losses = {LOSSES: panels.pop(LOSSES)} if LOSSES in panels else {}
    return losses | panels


def draw_run(rows: Sequence[Row], summary: Summary, path: Path) -> None:
    """Draws all metrics of a run over training, each with a band over seeds; the points of a sweep in separate rows.

    Args:
      rows: rows of `metrics.jsonl`.
      summary: the run's summary.
      path: the image to write; it is not written if the rows hold no metric.
    """
    panels = panels_of(rows)
    if not panels:
        return
    columns = len(panels) if len(summary.sweep) > 1 else min(3, len(panels))
    lines = len(summary.sweep) * -(-len(panels) // columns)
    figure = new_figure(4.5 * columns, 3.2 * lines)
    figure.suptitle(f"{summary.algorithm} on {summary.task}")
    for line, settings in enumerate(summary.sweep):
        replicas = summary.replicas_at(line)
        for index, (title, names) in enumerate(panels.items()):
            axes = figure.add_subplot(lines, columns, line * columns + index + 1)
            for name in names:
                draw_band(axes, rows, name, replicas)
            axes.set_title("\n".join([title, *format_point(settings)]), fontsize="medium")
            axes.set_xlabel("step")
            axes.legend(fontsize="small")
            if title in _LOGARITHMIC or (title == LOSSES and _needs_logarithm(rows, names, replicas)):
                axes.set_yscale("log")
    figure.savefig(path, dpi=120)


def draw_comparison(runs: Sequence[FinishedRun], path: Path) -> None:
    """Draws runs side by side over training: losses, and below them validity, distances and likelihoods.

    Args:
      runs: the runs, one column each.
      path: the image to write.
    """
    logged = panels_of([row for run in runs for row in run.rows])
    panels = {title: logged[title] for title in _COMPARED if title in logged} or logged
    figure = new_figure(3.6 * len(runs), 2.8 * max(1, len(panels)))
    first: dict[str, Any] = {}
    labeled: set[str] = set()
    for column, run in enumerate(runs):
        for line, (title, names) in enumerate(panels.items()):
            drawn = [name for name in names if run.rows and name in run.rows[0]]
            if not drawn:
                continue
            axes = figure.add_subplot(len(panels), len(runs), line * len(runs) + column + 1, sharey=first.get(title))
            # Losses of different algorithms differ in scale, so that each panel of losses has its own axis.
            if title != LOSSES:
                first.setdefault(title, axes)
            for name in drawn:
                draw_band(axes, run.rows, name, run.replicas, color=_COLORS.get(name))
            if line == 0:
                axes.set_title(f"{run.label} (seeds: {len(run.replicas)})", fontsize="medium", wrap=True)
            if title == LOSSES and _needs_logarithm(run.rows, drawn, run.replicas):
                axes.set_yscale("log")
            if len(names) > 1:
                axes.legend(fontsize="small")
            if title not in labeled:
                axes.set_ylabel(title)
                labeled.add(title)
            axes.set_xlabel("step")
    figure.savefig(path, dpi=120)


def draw_means(run: FinishedRun, names: Sequence[str], path: Path) -> None:
    """Draws metrics over training, one panel each: the mean over seeds, and a band between the extremes.

    Args:
      run: the run.
      names: names of the metrics; the axis of a metric whose values are all > 0 is logarithmic.
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
        axes.set_title(describe(name).title, fontsize="medium")
        axes.set_xlabel("step")
        axes.grid(alpha=0.3, which="both")
    figure.savefig(path, dpi=120)


def draw_band(axes: Any, rows: Sequence[Row], name: str, replicas: Sequence[int], **style: Any) -> None:
    """Draws a metric over training: the median over seeds, and bands between the quartiles and between the extremes.

    Values that are not finite are left out, and the legend gives the number of seeds that end with one.

    Args:
      axes: matplotlib axes to draw on; a grid is added.
      rows: rows of `metrics.jsonl`, in which a metric is a list of one number per replica.
      name: name of the metric; rows without the metric are skipped.
      replicas: indices of the replicas to draw.
      **style: style of the line, as in matplotlib.
    """
    rows = [row for row in rows if name in row]
    steps = np.array([row["step"] for row in rows])
    values = np.array([row[name] for row in rows], float)[:, list(replicas)]
    over_seeds = band(values)
    lost = int(np.isnan(values[-1]).sum())
    label = describe(name).label + (f" ({lost} of {len(replicas)} seeds not finite)" if lost else "")
    (line,) = axes.plot(steps, over_seeds.median, **{"label": label} | style)
    if len(replicas) > 1:
        for low, high, alpha in (
            (over_seeds.lower, over_seeds.upper, 0.3),
            (over_seeds.least, over_seeds.greatest, 0.15),
        ):
            axes.fill_between(steps, low, high, color=line.get_color(), alpha=alpha, linewidth=0)
    axes.grid(alpha=0.3)
    axes.locator_params(axis="x", nbins=5)


def _needs_logarithm(rows: Sequence[Row], names: Sequence[str], replicas: Sequence[int]) -> bool:
    """Returns whether metrics are all > 0 and their final medians differ by more than a factor of `_WIDE`."""
    values = np.array([[[row[name][replica] for replica in replicas] for name in names] for row in rows], float)
    middles = np.median(values[-1], axis=1)
    return bool((values > 0).all() and middles.max() > _WIDE * middles.min())
