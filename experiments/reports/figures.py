"""Figures of the results of runs; matplotlib is imported when one is drawn."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.reports.bands import band, state_accuracies
from experiments.reports.formats import format_metric
from experiments.reports.runs import FinishedRun
from experiments.run.texts import one_line
from gumbel_gan.metrics import DIVERGENCE_ORDERS, METRICS

_WINDOW_METRICS = tuple(f"ngram_divergence_{order}" for order in DIVERGENCE_ORDERS)
# Pairs of metrics of `trade_off`: diversity on the horizontal axis, quality on the vertical one.
_TRADE_OFFS = (("self_bleu_4", "bleu_4"), ("heldout_nll_by_samples", "samples_nll_by_data"))
_MOST_TICKS = 8
_SAMPLE_COLORS = {True: "tab:green", False: "tab:red", None: "black"}


def new_figure(width: float, height: float) -> Any:
    """Returns an empty figure of a size in inches, which needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def draw_columns(columns: Mapping[str, Sequence[str]], path: Path) -> None:
    """Draws lists of strings side by side.

    Args:
      columns: the strings by column title.
      path: the image to write.
    """
    lines = max(len(strings) for strings in columns.values())
    figure = new_figure(2.2 * len(columns), 0.2 * lines + 0.6)
    for column, (title, strings) in enumerate(columns.items()):
        axes = figure.add_subplot(1, len(columns), column + 1)
        axes.axis("off")
        axes.set_title(title, fontsize="medium")
        axes.set_ylim(lines, -1)
        for line, string in enumerate(strings):
            axes.text(0.05, line, string, family="monospace", fontsize=9, parse_math=False)
    figure.savefig(path, dpi=120)


def draw_trade_off(runs: Sequence[FinishedRun], path: Path) -> None:
    """Draws quality against diversity over sampling temperatures, one line per run.

    Args:
      runs: runs whose summaries hold a `trade_off`.
      path: the image to write.
    """
    figure = new_figure(10, 4.5)
    for panel, (across, up) in enumerate(_TRADE_OFFS):
        axes = figure.add_subplot(1, len(_TRADE_OFFS), panel + 1)
        for index, run in enumerate(runs):
            known, color = run.summary.trade_off or {}, f"C{index}"
            x, y = (np.array([known[name][replica] for replica in run.replicas], float) for name in (across, up))
            axes.plot(x.T, y.T, color=color, alpha=0.2, linewidth=0.7)
            x_middle, y_middle = np.median(x, axis=0), np.median(y, axis=0)
            axes.plot(x_middle, y_middle, color=color, marker=".", label=run.label)
            usual = [column for column, each in enumerate(known["temperatures"]) if each == 1]
            axes.plot(x_middle[usual], y_middle[usual], "o", color=color)
        data = runs[0].summary.heldout_sample
        axes.plot(data[across]["value"], data[up]["value"], "k*", markersize=10, label="held-out data")
        axes.set_xlabel(f"{METRICS[across].title}, diversity: lower is more diverse")
        best = "higher" if METRICS[up].better == "higher" else "lower"
        axes.set_ylabel(f"{METRICS[up].title}, quality: {best} is better")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    figure.savefig(path, dpi=120)


def draw_length_distributions(runs: Sequence[FinishedRun], path: Path) -> None:
    """Draws the distributions of the length, one panel per run.

    Args:
      runs: runs whose summaries hold a `length_distribution`.
      path: the image to write.
    """
    figure = new_figure(3.6 * len(runs), 3.2)
    for column, run in enumerate(runs):
        axes = figure.add_subplot(1, len(runs), column + 1)
        known = run.summary.length_distribution or {}
        shares = np.array([known["members"][replica] for replica in run.replicas])
        lengths = np.arange(shares.shape[1])
        over_seeds = band(shares, axis=0)
        (line,) = axes.plot(lengths, over_seeds.median, label=run.label)
        axes.fill_between(
            lengths, over_seeds.least, over_seeds.greatest, color=line.get_color(), alpha=0.3, linewidth=0
        )
        axes.plot(lengths, known["heldout"], color="black", label="held-out")
        axes.plot(lengths, known["train"], color="black", linestyle="--", linewidth=0.8, label="train")
        axes.set_xlabel("symbols")
        axes.set_ylabel("share of sequences" if column == 0 else "")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    figure.savefig(path, dpi=120)


def draw_drift(runs: Sequence[FinishedRun], path: Path) -> None:
    """Draws the divergence of each part of long samples against the part's start, one panel per order of n-grams.

    Args:
      runs: runs that were compared with the same sequences and whose summaries hold `long_samples`.
      path: the image to write.
    """
    starts = _long_samples(runs[0])["starts"]
    figure = new_figure(3.2 * len(_WINDOW_METRICS), 3.4)
    for column, name in enumerate(_WINDOW_METRICS):
        axes = figure.add_subplot(1, len(_WINDOW_METRICS), column + 1)
        for run in runs:
            known = _long_samples(run)[name]
            over_seeds = band(np.array([known[replica] for replica in run.replicas], float), axis=0)
            (line,) = axes.plot(starts, over_seeds.median, marker=".", label=run.label)
            axes.fill_between(
                starts, over_seeds.least, over_seeds.greatest, color=line.get_color(), alpha=0.25, linewidth=0
            )
        axes.axhline(runs[0].summary.heldout_sample[name]["value"], color="black", label="held-out")
        axes.set_title(METRICS[name].title, fontsize="medium")
        axes.set_xticks(starts if len(starts) <= _MOST_TICKS else starts[:: -(-len(starts) // _MOST_TICKS)])
        axes.set_xlabel("first symbol of the part")
        axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=120)


def draw_states(runs: Sequence[FinishedRun], path: Path) -> None:
    """Draws the embedded hidden states of each run's first seed, before training and after.

    Args:
      runs: runs that have `states`, one row each.
      path: the image to write.
    """
    figure = new_figure(9, 3.9 * len(runs))
    for line, run in enumerate(runs):
        accuracy = {
            name: format_metric("dynamics_accuracy", state_accuracies(run.summary, name, run.replicas[:1])[0])
            for name in ("before", "after", "heldout")
        }
        for column, (stage, sides) in enumerate((run.states or {}).items()):
            axes = figure.add_subplot(len(runs), 2, 2 * line + column + 1)
            for name, label, color in (
                ("read", "teacher-forced", "tab:blue"),
                ("drawn", "free-running", "tab:orange"),
            ):
                x, y = np.reshape(sides[name], (-1, 2)).T
                axes.plot(x, y, ".", markersize=3, color=color, alpha=0.7, label=label)
            floor = f" (two held-out sets {accuracy['heldout']})" if stage == "after" else ""
            axes.set_title(f"{run.label}, {stage}: accuracy {accuracy[stage]}{floor}", fontsize="medium", wrap=True)
            axes.set_xticks([])
            axes.set_yticks([])
            if not line and not column:
                axes.legend(fontsize="small", markerscale=3)
    figure.savefig(path, dpi=120)


def draw_samples(runs: Sequence[FinishedRun], path: Path) -> None:
    """Draws samples of runs side by side, valid strings marked with ✓.

    Args:
      runs: the runs, one column each.
      path: the image to write.
    """
    written = [run for run in runs if not run.summary.image_shape]
    lines = max((len(run.samples) for run in written), default=0)
    longest = max((len(f"{mark} {one_line(sample)}") for run in written for mark, sample, _ in run.marked()), default=0)
    # The sheet of twenty square images, four in a row, is slightly higher than wide.
    figure = new_figure(max(2.4, 0.3 + 0.09 * longest) * len(runs), max(3.8, 0.24 * lines + 0.8))
    for column, run in enumerate(runs):
        axes = figure.add_subplot(1, len(runs), column + 1)
        axes.axis("off")
        axes.set_title(textwrap.fill(run.label, 22))
        if run.summary.image_shape:
            axes.imshow(_contact_sheet(run.samples, run.summary.image_shape), cmap="gray_r")
            axes.set_anchor("N")
            continue
        axes.set_ylim(lines, -1)
        for line, (mark, sample, valid) in enumerate(run.marked()):
            axes.text(
                0.02,
                line,
                f"{mark} {one_line(sample)}",
                color=_SAMPLE_COLORS[valid],
                family="monospace",
                fontsize=10,
                parse_math=False,
            )
    figure.savefig(path, dpi=120)


def _contact_sheet(strings: Sequence[str], shape: Sequence[int]) -> np.ndarray:
    """Returns images in four columns, with margins; the characters of a string, 0-9 and a-z, are gray levels."""
    height, width = shape
    columns = 4
    sheet = np.zeros((-(-len(strings) // columns) * (height + 1), columns * (width + 1)))
    for index, string in enumerate(strings):
        top, left = index // columns * (height + 1), index % columns * (width + 1)
        levels = [int(character, 36) for character in string]
        sheet[top : top + height, left : left + width] = np.reshape(levels, (height, width))
    return sheet


def _long_samples(run: FinishedRun) -> dict[str, Any]:
    return run.summary.long_samples or {}
