"""The content of a report of finished runs: its figures and statements. `page` writes the report."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from experiments.reports import curves, figures
from experiments.reports.runs import FinishedRun, grouped
from experiments.reports.tables import compared_with
from experiments.run.texts import one_line


class Statement(NamedTuple):
    """A claim, and whether the runs support it.

    Attributes:
      claim: the claim, in a sentence.
      outcome: in a few words: 'holds' or 'does not hold' for a claim, 'better' or 'worse' for a comparison.
      evidence: the numbers.
    """

    claim: str
    outcome: str
    evidence: str


class Figure(NamedTuple):
    """A figure of a report.

    Attributes:
      name: name of the image file, without '.png'.
      title: short description of the figure.
      caption: full description of the figure.
      draw: writes the figure to a path, as an image.
      text: the content as text, for a separate file; None if there is none.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[Path], None]
    text: str | None = None


class Report(NamedTuple):
    """The content of a report.

    Attributes:
      title: title of the report.
      introduction: first paragraphs of the report.
      runs: the runs.
      figures: the figures.
      statements: claims, and whether the runs support them.
    """

    title: str
    introduction: Sequence[str]
    runs: Sequence[FinishedRun]
    figures: Sequence[Figure]
    statements: Sequence[Statement] = ()


def compare(runs: Sequence[FinishedRun], *, title: str) -> Report:
    """Builds a report of any runs.

    Args:
      runs: the runs, at least one.
      title: title of the report.
    """
    introduction = [f"{len(runs)} runs, {sum(len(run.replicas) for run in runs)} seeds in all."]
    drawn = [losses_figure(runs, "curves")]
    if swept := [run for run in runs if run.summary.trade_off is not None]:
        drawn += [trade_off_figure(*each) for each in _numbered(grouped(swept, compared_with), "trade_off")]
    if with_lengths := [run for run in runs if run.summary.length_distribution is not None]:
        drawn.append(lengths_figure(with_lengths, "lengths"))
    if with_long := [run for run in runs if run.summary.long_samples is not None]:
        drawn += [drift_figure(*each) for each in _numbered(grouped(with_long, _windows), "drift")]
    if with_states := [run for run in runs if run.states is not None]:
        drawn.append(states_figure(with_states, "states"))
    return Report(title, introduction, runs, [*drawn, samples_figure(runs, "samples")])


def losses_figure(runs: Sequence[FinishedRun], name: str, caption: str = "") -> Figure:
    """Builds the figure of losses, validity and distances over training."""
    explanation = (
        "The line is the median over seeds, the darker band the interquartile range, the lighter one the whole range. "
        "A loss is the mean over the steps since the point before."
    )
    return _figure(runs, name, "losses and distances over training", caption, explanation, curves.draw_comparison)


def trade_off_figure(runs: Sequence[FinishedRun], name: str, caption: str = "") -> Figure:
    """Builds the figure of quality against diversity, for runs whose samples were drawn at several temperatures."""
    explanation = (
        "Quality against diversity at several sampling temperatures (Caccia et al. 2020, arXiv 1811.02549): the median "
        "over seeds, with a thin line for each seed. The larger dot is temperature 1, the star is held-out data. A "
        "method is better than another only if its whole curve is; single points of two curves can't be compared."
    )
    return _figure(runs, name, "quality against diversity", caption, explanation, figures.draw_trade_off)


def lengths_figure(runs: Sequence[FinishedRun], name: str, caption: str = "") -> Figure:
    """Builds the figure of the distributions of the length, for runs whose sequences differ in length."""
    explanation = (
        "Distribution of the length of generated sequences (median over seeds and range), of held-out sequences "
        "(black) and of training sequences (dashed)."
    )
    return _figure(runs, name, "lengths", caption, explanation, figures.draw_length_distributions)


def drift_figure(runs: Sequence[FinishedRun], name: str, caption: str = "") -> Figure:
    """Builds the figure of samples longer than the training data, for runs compared with the same sequences."""
    known = runs[0].summary.long_samples or {}
    explanation = (
        f"Samples of {known['length']} symbols from generators trained on {known['starts'][1]}, cut into parts of that "
        "length: Jensen-Shannon divergence between the n-gram distributions of each part and of held-out sequences, "
        "against the first symbol of the part; median over seeds and range. The black line is the divergence of other "
        "held-out sequences."
    )
    return _figure(runs, name, "samples longer than trained", caption, explanation, figures.draw_drift)


def states_figure(runs: Sequence[FinishedRun], name: str, caption: str = "") -> Figure:
    """Builds the figure of hidden states before and after training, for runs with observed states."""
    explanation = (
        "Hidden states (before the tanh) at the last step, of teacher-forced held-out sequences and of sequences drawn "
        "by the generator, before and after training; the first seed of each run, by t-SNE (openTSNE), each panel "
        "embedded separately. t-SNE can show clusters that are not there; the accuracy is that of a classifier on "
        "states it was not fitted on (chance is 0.5), in brackets that of telling two teacher-forced held-out sets "
        "apart."
    )
    title = "teacher-forced and free-running states"
    return _figure(runs, name, title, caption, explanation, figures.draw_states)


def samples_figure(runs: Sequence[FinishedRun], name: str, caption: str = "") -> Figure:
    """Builds the figure of samples side by side."""
    explanation = "The first strings of each run's first seed."
    if any(run.valid is not None for run in runs):
        explanation += " ✓ marks the valid ones."
    figure = _figure(runs, name, "samples side by side", caption, explanation, figures.draw_samples)
    return figure._replace(text=samples_text(runs))


def samples_text(runs: Sequence[FinishedRun]) -> str:
    """Returns samples of runs in columns, valid strings marked with ✓ and invalid ones with ✗."""
    columns = [[run.label, *(f"{mark} {one_line(sample)}" for mark, sample, _ in run.marked())] for run in runs]
    lines = max(len(column) for column in columns)
    widths = [max(map(len, column)) + 2 for column in columns]
    columns = [column + [""] * (lines - len(column)) for column in columns]
    return "".join(
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"
        for row in zip(*columns, strict=True)
    )


def _figure(
    runs: Sequence[FinishedRun],
    name: str,
    title: str,
    caption: str,
    explanation: str,
    draw: Callable[[Sequence[FinishedRun], Path], None],
) -> Figure:
    return Figure(name, title, f"{caption} {explanation}".strip(), lambda path: draw(runs, path))


def _numbered(groups: Sequence[list[FinishedRun]], name: str) -> list[tuple[list[FinishedRun], str]]:
    """Returns each group with the name of its figure, numbered from the second on."""
    return [(group, name if number == 1 else f"{name}_{number}") for number, group in enumerate(groups, 1)]


def _windows(run: FinishedRun) -> tuple[Any, ...]:
    """Returns the data that a run's long samples were compared with, and the length of these samples."""
    return (*compared_with(run), (run.summary.long_samples or {})["length"])
