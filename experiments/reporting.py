"""A report of finished runs: what it holds, and how it is written. It knows no algorithm by name."""

import base64
import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from experiments import console, figures
from experiments.bands import FAILURE_VALIDITY, band, failure_rate, numbers
from experiments.rundir import write_text
from experiments.runs import FinishedRun, differing_settings

NUM_SAMPLES = 20
TEMPLATE = Path(__file__).parent / "templates" / "report.html.j2"

_COLUMNS = ("validity", "total_variation", "kl_data_model", "distinct_strings")


class Statement(NamedTuple):
    """A claim, and what became of it here.

    Attributes:
      claim: what is claimed, in a sentence.
      outcome: in a word or three: 'holds', 'does not hold', 'no difference seen'.
      evidence: the numbers.
    """

    claim: str
    outcome: str
    evidence: str


class Figure(NamedTuple):
    """A figure of a report.

    Attributes:
      name: of its file, without '.png'.
      title: what it shows, in a few words.
      caption: what it shows, in full.
      draw: writes it, as an image, to a path.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[Path], None]


class Report(NamedTuple):
    """What a report holds.

    Attributes:
      title: its title.
      introduction: paragraphs that open it.
      runs: the runs.
      figures: the figures.
      statements: claims and what became of them.
    """

    title: str
    introduction: Sequence[str]
    runs: Sequence[FinishedRun]
    figures: Sequence[Figure]
    statements: Sequence[Statement] = ()


class Cell(NamedTuple):
    """A cell of the table of results: what is shown, what stands below it, and what it is sorted by."""

    text: str
    small: str
    value: float | str


def compare(runs: Sequence[FinishedRun], *, title: str) -> Report:
    """Makes a report of any runs.

    Args:
      runs: the runs, at least one.
      title: of the report.
    """
    introduction = [f"{len(runs)} runs, {sum(len(run.members) for run in runs)} seeds in all."]
    return Report(title, introduction, runs, [losses_figure(runs, "curves"), samples_figure(runs, "samples")])


def losses_figure(runs: Sequence[FinishedRun], name: str, caption: str = "") -> Figure:
    """Makes the figure of losses, validity and distances over training."""
    bands = (
        "The line is the median over seeds, the darker band lies between the quartiles, the lighter one between the "
    )
    bands += "extremes; each point is a mean over the steps since the point before."
    return Figure(
        name,
        "losses and distances over training",
        f"{caption} {bands}".strip(),
        lambda path: figures.draw_comparison(runs, path),
    )


def samples_figure(runs: Sequence[FinishedRun], name: str, caption: str = "") -> Figure:
    """Makes the figure of samples side by side."""
    marks = "The first strings of each run's first seed; ✓ marks the valid ones."
    return Figure(
        name, "samples side by side", f"{caption} {marks}".strip(), lambda path: figures.draw_samples(runs, path)
    )


def write(report: Report, output: str | Path) -> None:
    """Writes a report: `report.html`, which needs no other file, and its parts as files of their own.

    Args:
      report: the report.
      output: the folder, which is made if need be.
    """
    from jinja2 import Environment

    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    for figure in report.figures:
        figure.draw(folder / f"{figure.name}.png")
    headers, rows = results_table(report.runs)
    _write_csv(folder / "results.csv", report.runs)
    write_text(folder / "samples.txt", samples_text(report.runs))
    settings = differing_settings(report.runs)
    page = (
        Environment(autoescape=True, trim_blocks=False)
        .from_string(TEMPLATE.read_text(encoding="utf-8"))
        .render(
            title=report.title,
            introduction=report.introduction,
            statements=report.statements,
            failure_validity=FAILURE_VALIDITY,
            table={"headers": headers, "rows": rows},
            figures=[
                {
                    "title": figure.title,
                    "caption": figure.caption,
                    "data": base64.b64encode((folder / f"{figure.name}.png").read_bytes()).decode(),
                }
                for figure in report.figures
            ],
            runs=[_shown(run) for run in report.runs],
            settings={
                "headers": ["setting", *(run.label for run in report.runs)],
                "rows": [
                    [name, *("–" if value is None else value for value in values)] for name, values in settings.items()
                ],
            },
        )
    )
    write_text(folder / "report.html", page)
    console.screen().print(f"the report is in {folder / 'report.html'}", soft_wrap=True)


def results_table(runs: Sequence[FinishedRun]) -> tuple[list[str], list[dict[str, Any]]]:
    """Makes the table of results: a row a run, then the baselines of each task.

    Args:
      runs: the runs.

    Returns:
      The headers, and the rows, each with its `cells` and whether it `is_baseline`.
    """
    names = [name for name in _COLUMNS if any(name in run.summary for run in runs)]
    headers = ["run", "seeds", "steps", *(console.LABELS[name] for name in names), "failure rate", "seconds"]
    rows = []
    for run in runs:
        cells = [Cell(run.label, run.caption, run.label), _number(len(run.members)), _number(run.summary["steps"])]
        cells += [_band_cell(run, name) for name in names]
        known = run.summary["validity_method"] is not None
        rate = failure_rate([run.summary["validity"][index] for index in run.members]) if known else None
        cells.append(Cell("–", "", "") if rate is None else Cell(f"{rate:.0%}", "", rate))
        cells.append(_number(round(run.summary["wall_seconds"])))
        rows.append({"cells": cells, "is_baseline": False})
    baselines: dict[str, list[Cell]] = {}
    for run in runs:
        for key, label in (("training_set", "its training set"), ("sampling_floor", "draws of its true law")):
            known = run.summary[key]
            title = f"{run.summary['task']}: {label} ({known['num_strings']:,.0f})"
            cells = [Cell(title, "", title), Cell("–", "", ""), Cell("–", "", "")]
            for name in names:
                value = numbers([known[name]], name)[0] if name in known else None
                cells.append(
                    Cell("–", "", "") if value is None else Cell(console.format_number(value), "", float(value))
                )
            baselines[title] = [*cells, Cell("–", "", ""), Cell("–", "", "")]
    return headers, rows + [{"cells": cells, "is_baseline": True} for cells in baselines.values()]


def samples_text(runs: Sequence[FinishedRun]) -> str:
    """Writes samples of runs in columns, valid strings marked with ✓ and invalid ones with ✗."""
    columns = [[run.label, *(f"{_MARKS[valid]} {sample}" for sample, valid in _marked(run))] for run in runs]
    lines = max(len(column) for column in columns)
    widths = [max(map(len, column)) + 2 for column in columns]
    columns = [column + [""] * (lines - len(column)) for column in columns]
    return "".join(
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"
        for row in zip(*columns, strict=True)
    )


_MARKS = {True: "✓", False: "✗", None: " "}


def _marked(run: FinishedRun) -> list[tuple[str, bool | None]]:
    valid: Sequence[bool | None] = [None] * len(run.samples) if run.valid is None else run.valid
    return list(zip(run.samples, valid, strict=True))


def _shown(run: FinishedRun) -> dict[str, Any]:
    versions = ", ".join(f"{name} {version}" for name, version in run.summary["versions"].items())
    return {
        "label": run.label,
        "caption": run.caption,
        "marked": _marked(run),
        "settings": run.settings,
        "environment": f"{run.summary['wall_seconds']:,.0f} s on {run.summary['backend']}; {versions}",
    }


def _number(value: int) -> Cell:
    return Cell(f"{value:,}", "", value)


def _band_cell(run: FinishedRun, name: str) -> Cell:
    if name not in run.summary:
        return Cell("–", "", "")
    over_seeds = band(run.final(name))
    least, greatest = console.format_number(over_seeds.least), console.format_number(over_seeds.greatest)
    small = f"{least}–{greatest}" if len(run.members) > 1 else ""
    return Cell(console.format_number(over_seeds.median), small, float(over_seeds.median))


def _write_csv(path: Path, runs: Sequence[FinishedRun]) -> None:
    """Writes the final metrics, a line a seed."""
    names = [name for name in console.LABELS if any(name in run.summary for run in runs)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["run", "seed", "steps", *names])
        for run in runs:
            for index in run.members:
                values = [run.summary[name][index] if name in run.summary else "" for name in names]
                writer.writerow([run.label, run.summary["seeds"][index], run.summary["steps"], *values])
