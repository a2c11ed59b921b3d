"""The results of runs as tables: bands for a page, and every seed's numbers as CSV."""

import csv
import io
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.reports.bands import band, failure_rate, numbers, told_apart
from experiments.reports.labels import LABELS, format_metric, half_width
from experiments.reports.runs import FinishedRun, grouped
from experiments.run.directory import Row
from gumbel_gan.metrics import METRICS

_COLUMNS = {
    "validity": "validity",
    "total_variation": "total variation",
    "kl_data_model": "KL(data || model), nats",
    "distinct_strings": "distinct strings",
}
_SIGNIFICANT = 0.05
_COMPARED = {"training_sample": "training sequences", "heldout_sample": "other held-out sequences"}
_BASELINES = {"training_set": "training set", "sampling_floor": "draws of the true law"}


class Cell(NamedTuple):
    """A cell of the table of results.

    Attributes:
      text: what is shown.
      small: what stands below it.
      value: what it is sorted by, as JavaScript reads it; '' where nothing is known.
    """

    text: str
    small: str = ""
    value: str = ""


_UNKNOWN = Cell("–")


def results_table(runs: Sequence[FinishedRun]) -> tuple[list[str], list[dict[str, Any]]]:
    """Makes the table of results: a row a run, then the baselines of each task.

    Args:
      runs: the runs.

    Returns:
      The headers, and the rows, each with its `cells` and whether it `is_baseline`.
    """
    judged = any(run.summary["validity_method"] is not None for run in runs)
    columns = _COLUMNS if judged else {"distinct_strings": _COLUMNS["distinct_strings"]}
    headers = ["run", "seeds", "steps", *columns.values(), *(["failure rate"] if judged else []), "seconds"]
    rows = []
    for run in runs:
        counts = [_count(len(run.members)), _count(run.summary["steps"])]
        bands = [_band(run, name) for name in columns]
        failures = [_failures(run)] if judged else []
        cells = [Cell(run.label, run.caption, run.label), *counts, *bands, *failures]
        rows.append({"cells": [*cells, _count(round(run.summary["wall_seconds"]))], "is_baseline": False})
    for title, method, known in _baselines(runs):
        measured = [_measured(method, name) for name in columns]
        values = [_metric(name, numbers([known[name]], name)[0]) if name in known else _UNKNOWN for name in measured]
        unknown = [_UNKNOWN] * (2 if judged else 1)
        cells = [Cell(title, "", title), _UNKNOWN, _UNKNOWN, *values, *unknown]
        rows.append({"cells": cells, "is_baseline": True})
    return headers, rows


def comparison_tables(runs: Sequence[FinishedRun]) -> list[dict[str, Any]]:
    """Makes the tables of what runs score against held-out sequences: a row a metric, a column a run.

    Runs that were compared with other sequences have a table of their own.

    Args:
      runs: the runs; those that were not compared with held-out sequences are left out.

    Returns:
      Each table's `title`, `headers` and `rows`: its metric's label and direction, then a `Cell` a column.
    """
    tables = []
    titles = _titles(runs)
    for compared in grouped([run for run in runs if run.summary["num_compared"]], compared_with):
        first = compared[0].summary
        rows = [
            [Cell(METRICS[name].label, METRICS[name].better), *(_compared(run, name) for run in compared)]
            + [_known(first[baseline], name) for baseline in _COMPARED]
            for name in METRICS
            if any(name in run.summary for run in compared)
        ]
        tables.append(
            {
                "title": f"{titles[_task(compared[0])]}: {first['num_compared']:,} samples a seed against as many "
                f"sequences of the {first['heldout']} split",
                "headers": ["metric", *(run.label for run in compared), *_COMPARED.values()],
                "rows": rows,
            }
        )
    return tables


def dynamics_tables(runs: Sequence[FinishedRun]) -> list[dict[str, Any]]:
    """Makes the tables of how well states read are told from states drawn: a row a run, a column a step.

    Runs that read other sequences have a table of their own.

    Args:
      runs: the runs; those whose states were not observed are left out.

    Returns:
      Each table's `title`, `headers` and `rows`: a run's label, then a `Cell` a column.
    """
    tables = []
    titles = _titles(runs)
    observed = [run for run in runs if "dynamics" in run.summary]
    for alike in grouped(observed, _read):
        task, num, split = _read(alike[0])
        times = alike[0].summary["dynamics"]["times"]
        tables.append(
            {
                "title": f"{titles[task]}: states of {num:,} sequences of the {split} split, and of as many drawn",
                "headers": [
                    "run",
                    "untrained",
                    *(f"step {time}" for time in times),
                    "95 %",
                    f"p < {_SIGNIFICANT}",
                    "other held-out",
                ],
                "rows": [_dynamics(run) for run in alike],
            }
        )
    return tables


def _read(run: FinishedRun) -> tuple[Any, int, str]:
    return (_task(run), run.summary["num_states"], run.summary["heldout"])


def _dynamics(run: FinishedRun) -> list[Cell]:
    known = run.summary["dynamics"]
    low, high = (
        np.array([known["after"][end][member][-1] for member in run.members], float) for end in ("low", "high")
    )
    # No numbers where a generator broke down in training.
    judged = np.isfinite(low)
    return [
        Cell(run.label, run.caption),
        _accuracy(run, "before", -1),
        *(_accuracy(run, "after", step) for step in range(len(known["times"]))),
        Cell(f"± {np.median(high[judged] - low[judged]) / 2:.3f}") if judged.any() else _UNKNOWN,
        Cell(_num_told_apart(run, known["after"])),
        _accuracy(run, "heldout", -1, f"p < {_SIGNIFICANT}: {_num_told_apart(run, known['heldout'])}"),
    ]


def _num_told_apart(run: FinishedRun, known: Row) -> str:
    """Counts the seeds whose two sets are told apart at the last step; of those that broke down no one doubts it."""
    p_values = np.array([known["p_value"][member][-1] for member in run.members], float)
    return f"{np.sum(~np.isfinite(p_values) | (p_values < _SIGNIFICANT))} of {len(p_values)}"


def _accuracy(run: FinishedRun, stage: str, step: int, note: str = "") -> Cell:
    """Writes the accuracies at a step: their median, and below it their range and a note."""
    over_seeds = band(told_apart(run.summary, stage, run.members, step))
    between = f"{over_seeds.least:.3f}–{over_seeds.greatest:.3f}" if len(run.members) > 1 else ""
    return Cell(f"{over_seeds.median:.3f}", "; ".join(filter(None, (between, note))))


def compared_with(run: FinishedRun) -> tuple[Any, ...]:
    """Gives what a run was compared with: runs of which this differs have no number in common."""
    return (_task(run), run.summary["num_compared"], run.summary["heldout"])


def results_csv(runs: Sequence[FinishedRun]) -> str:
    """Writes the final metrics of runs as CSV, a line a seed; a field is empty where a metric is not known."""
    names = [name for name in LABELS if any(name in run.summary for run in runs)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", "seed", "steps", *names])
    for run in runs:
        for index in run.members:
            values = [run.summary[name][index] if name in run.summary else "" for name in names]
            writer.writerow([run.label, run.summary["seeds"][index], run.summary["steps"], *values])
    return text.getvalue()


def _measured(method: str | None, name: str) -> str:
    """Names the metric that stands for `name`: where no oracle lists the support, that of the samples."""
    return name if method == "enumeration" or name == "distinct_strings" else f"sampled_{name}"


def _band(run: FinishedRun, name: str) -> Cell:
    measured = _measured(run.summary["validity_method"], name)
    if measured not in run.summary:
        return _UNKNOWN
    over_seeds = band(run.final(measured))
    least, greatest = format_metric(name, over_seeds.least), format_metric(name, over_seeds.greatest)
    return _metric(name, over_seeds.median)._replace(small=f"{least}–{greatest}" if len(run.members) > 1 else "")


def _compared(run: FinishedRun, name: str) -> Cell:
    if name not in run.summary:
        return _UNKNOWN
    over_seeds = band(run.final(name))
    small = f"± {format_metric(name, half_width(run.summary, name, run.members))}"
    if len(run.members) > 1:
        small = f"{format_metric(name, over_seeds.least)}–{format_metric(name, over_seeds.greatest)}; {small}"
    return Cell(format_metric(name, over_seeds.median), small)


def _known(estimates: Row, name: str) -> Cell:
    if name not in estimates:
        return _UNKNOWN
    value, low, high = (numbers([estimates[name][part]], name)[0] for part in ("value", "low", "high"))
    return Cell(format_metric(name, value), f"± {format_metric(name, (high - low) / 2)}")


def _failures(run: FinishedRun) -> Cell:
    if run.summary["validity_method"] is None:
        return _UNKNOWN
    rate = failure_rate([run.summary["validity"][index] for index in run.members])
    return Cell(f"{rate:.0%}", "", str(rate))


def _metric(name: str, value: Any) -> Cell:
    infinite = {math.inf: "Infinity", -math.inf: "-Infinity"}
    return Cell(format_metric(name, value), "", infinite.get(float(value), str(float(value))))


def _count(value: int) -> Cell:
    return Cell(f"{value:,}", "", str(value))


def _baselines(runs: Sequence[FinishedRun]) -> list[tuple[str, str | None, Row]]:
    """Gives the title, the method and the metrics of each task's baselines."""
    found = []
    for task, title in _titles(runs).items():
        summary = next(run.summary for run in runs if _task(run) == task)
        for key, label in _BASELINES.items():
            known, method = summary[key], summary["validity_method"]
            label = label if method is not None or key == "training_set" else "held-out set"
            found.append((f"{label} of {title}, {known['num_strings']:,.0f} strings", method, known))
    return found


def _titles(runs: Sequence[FinishedRun]) -> dict[tuple[tuple[str, str], ...], str]:
    """Gives the title of each task, which says in what tasks of one name differ."""
    titles = {}
    tasks = {_task(run): run.summary["task"] for run in runs}
    for task, name in tasks.items():
        alike = [set(other) for other, other_name in tasks.items() if other_name == name]
        common = set.intersection(*alike)
        settings = [f"{key.removeprefix('task.')} {value}" for key, value in task if (key, value) not in common]
        titles[task] = ", ".join([name, *settings])
    return titles


def _task(run: FinishedRun) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in sorted(run.settings.items()) if name.startswith("task."))
