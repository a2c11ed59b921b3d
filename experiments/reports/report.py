"""A report of finished runs: what it holds, and how it is written. It knows no algorithm by name."""

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from experiments import cli
from experiments.reports import curves, figures
from experiments.reports.bands import FAILURE_VALIDITY
from experiments.reports.runs import FinishedRun, differing_settings, grouped
from experiments.reports.tables import compared_with, comparison_tables, dynamics_tables, results_csv, results_table
from experiments.run.directory import one_line, write_text
from gumbel_gan.metrics import METRICS

NUM_SAMPLES = 20
TEMPLATE = Path(__file__).parent / "templates" / "report.html.j2"


class Statement(NamedTuple):
    """A claim, and what became of it here.

    Attributes:
      claim: what is claimed, in a sentence.
      outcome: in a few words: 'holds' or 'does not hold' of a claim, 'better' or 'worse' of a comparison.
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
      text: the same as text, which gets a file of its own; None where there is no such thing.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[Path], None]
    text: str | None = None


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


def compare(runs: Sequence[FinishedRun], *, title: str) -> Report:
    """Makes a report of any runs.

    Args:
      runs: the runs, at least one.
      title: of the report.
    """
    introduction = [f"{len(runs)} runs, {sum(len(run.members) for run in runs)} seeds in all."]
    drawn = [losses_figure(runs, "curves")]
    if swept := [run for run in runs if "trade_off" in run.summary]:
        drawn += [trade_off_figure(*each) for each in _numbered(grouped(swept, compared_with), "trade_off")]
    if with_lengths := [run for run in runs if "length_law" in run.summary]:
        drawn.append(lengths_figure(with_lengths, "lengths"))
    if with_long := [run for run in runs if "long_samples" in run.summary]:
        drawn += [drift_figure(*each) for each in _numbered(grouped(with_long, _windows), "drift")]
    if with_states := [run for run in runs if run.states is not None]:
        drawn.append(states_figure(with_states, "states"))
    return Report(title, introduction, runs, [*drawn, samples_figure(runs, "samples")])


def losses_figure(runs: Sequence[FinishedRun], name: str, caption: str = "") -> Figure:
    """Makes the figure of losses, validity and distances over training."""
    bands = (
        "The line is the median over seeds, the darker band lies between the quartiles, the lighter one between the "
        "extremes; a loss is the mean over the steps since the point before."
    )
    return Figure(
        name,
        "losses and distances over training",
        f"{caption} {bands}".strip(),
        lambda path: curves.draw_comparison(runs, path),
    )


def trade_off_figure(runs: Sequence[FinishedRun], name: str, caption: str = "") -> Figure:
    """Makes the figure of quality against diversity, of runs whose samples were drawn at several temperatures."""
    axes = (
        "Quality against diversity over the temperatures of sampling (Caccia et al. 2020, arXiv 1811.02549): the "
        "median over seeds, each seed thin behind it; the larger dot is temperature 1, the star is data itself. One "
        "method is better than another where its whole curve is; a point of a curve alone says nothing."
    )
    return Figure(
        name, "quality against diversity", f"{caption} {axes}".strip(), lambda path: figures.draw_trade_off(runs, path)
    )


def lengths_figure(runs: Sequence[FinishedRun], name: str, caption: str = "") -> Figure:
    """Makes the figure of the laws of the length, of runs whose sequences have one."""
    bands = (
        "The law of the length of generated sequences, median over seeds and range, and of held-out ones (black) and "
        "training ones (dashed)."
    )
    return Figure(name, "lengths", f"{caption} {bands}".strip(), lambda path: figures.draw_length_laws(runs, path))


def drift_figure(runs: Sequence[FinishedRun], name: str, caption: str = "") -> Figure:
    """Makes the figure of how samples longer than trained drift, of runs that were compared with the same sequences."""
    known = runs[0].summary["long_samples"]
    bands = (
        f"Samples of {known['length']} symbols from generators trained on {known['starts'][1]}, cut into parts of that "
        "length: the Jensen-Shannon divergence between the laws of n-grams of each part and of held-out sequences, "
        "against the place where the part begins; median over seeds and range. The black line is what other held-out "
        "sequences score."
    )
    return Figure(
        name, "samples longer than trained", f"{caption} {bands}".strip(), lambda path: figures.draw_drift(runs, path)
    )


def states_figure(runs: Sequence[FinishedRun], name: str, caption: str = "") -> Figure:
    """Makes the figure of recurrent states before and after training, of runs that have them."""
    axes = (
        "Recurrent states (pre-tanh activations) at the last step, of held-out sequences that the generator reads and "
        "of sequences that it draws, before and after training; the first seed of each run, by t-SNE (openTSNE), each "
        "panel for itself. The picture proves nothing: the accuracy is a classifier's on states that it has not seen "
        "(chance is 0.5; in brackets, of two sets of held-out sequences, both read)."
    )
    return Figure(
        name,
        "states of reading and of drawing",
        f"{caption} {axes}".strip(),
        lambda path: figures.draw_states(runs, path),
    )


def samples_figure(runs: Sequence[FinishedRun], name: str, caption: str = "") -> Figure:
    """Makes the figure of samples side by side."""
    marks = "The first strings of each run's first seed."
    if any(run.valid is not None for run in runs):
        marks += " ✓ marks the valid ones."
    return Figure(
        name,
        "samples side by side",
        f"{caption} {marks}".strip(),
        lambda path: figures.draw_samples(runs, path),
        samples_text(runs),
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
        if figure.text is not None:
            write_text(folder / f"{figure.name}.txt", figure.text)
    headers, rows = results_table(report.runs)
    write_text(folder / "results.csv", results_csv(report.runs))
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
            comparisons=comparison_tables(report.runs),
            dynamics=dynamics_tables(report.runs),
            metrics=METRICS.values(),
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
    cli.screen().print(f"the report is in {folder / 'report.html'}", soft_wrap=True)


def samples_text(runs: Sequence[FinishedRun]) -> str:
    """Writes samples of runs in columns, valid strings marked with ✓ and invalid ones with ✗."""
    columns = [[run.label, *(f"{mark} {one_line(sample)}" for mark, sample, _ in run.marked())] for run in runs]
    lines = max(len(column) for column in columns)
    widths = [max(map(len, column)) + 2 for column in columns]
    columns = [column + [""] * (lines - len(column)) for column in columns]
    return "".join(
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"
        for row in zip(*columns, strict=True)
    )


def _numbered(groups: Sequence[list[FinishedRun]], name: str) -> list[tuple[list[FinishedRun], str]]:
    """Names the figure of each group, from the second on with its number."""
    return [(group, name if number == 1 else f"{name}_{number}") for number, group in enumerate(groups, 1)]


def _windows(run: FinishedRun) -> tuple[Any, ...]:
    """Gives what the parts of a run's long samples were compared with, and how many parts there are."""
    return (*compared_with(run), run.summary["long_samples"]["length"])


def _shown(run: FinishedRun) -> dict[str, Any]:
    versions = ", ".join(f"{name} {version}" for name, version in run.summary["versions"].items())
    known = run.summary["validity_method"]
    measured = {"enumeration": "exact, over all strings", "parser": "of samples, by a chart parser"}.get(
        known, "unknown"
    )
    draws = run.summary["latent_draws"]
    environment = [
        f"{run.summary['date']}, {run.summary['wall_seconds']:,.0f} s on {run.summary['hardware']}",
        versions,
        f"validity: {measured}",
        *([f"likelihoods: Monte-Carlo means over {draws} draws of the latent"] if draws else []),
    ]
    return {
        "label": run.label,
        "caption": run.caption,
        "marked": run.marked(),
        "settings": run.settings,
        "environment": "; ".join(environment),
    }
