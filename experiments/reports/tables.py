"""The results of runs as tables: bands over seeds for a page, and each seed's numbers as CSV."""

import csv
import io
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.reports.bands import band, failure_rate, numbers, state_accuracies
from experiments.reports.formats import format_metric, format_range, half_width
from experiments.reports.runs import FinishedRun, grouped
from experiments.run.texts import Row
from gumbel_gan.metrics import METRICS, describe

_SIGNIFICANT = 0.05
_COMPARED = {"training_sample": "training sequences", "heldout_sample": "other held-out sequences"}
_BASELINES = {"training_set": "training set", "sampling_floor": "draws from the true distribution"}


class Cell(NamedTuple):
    """A cell of the table of results.

    Attributes:
      text: the text of the cell.
      small: small text below `text`.
      value: the value to sort by, as JavaScript reads it; '' if it is not known.
    """

    text: str
    small: str = ""
    value: str = ""


_UNKNOWN = Cell("–")


def results_table(runs: Sequence[FinishedRun]) -> tuple[list[str], list[dict[str, Any]]]:
    """Builds the table of results: one row for each run, then the baselines of each task.

    Its columns are the exact metrics or their estimates, the metrics of samples that are not such estimates, and the
    error rates of runs on pairs.

    Args:
      runs: the runs.

    Returns:
      The headers, and the rows, each with its `cells` and whether it `is_baseline`.
    """
    judged = any(run.summary.validity_method is not None for run in runs)
    kinds = ("exact", "samples") if judged else ("samples",)
    columns = [name for name, metric in METRICS.items() if metric.applies in kinds and metric.estimates is None]
    columns += [
        name for name, metric in METRICS.items() if metric.applies == "pairs" and any(run.has(name) for run in runs)
    ]
    titles = [METRICS[name].title for name in columns]
    headers = ["run", "seeds", "steps", *titles, *(["failure rate"] if judged else []), "seconds"]
    rows = []
    for run in runs:
        counts = [_count(len(run.replicas)), _count(run.summary.steps)]
        bands = [_band(run, _measured(run.summary.validity_method, name)) for name in columns]
        failures = [_failures(run)] if judged else []
        cells = [Cell(run.label, run.caption, run.label), *counts, *bands, *failures]
        rows.append({"cells": [*cells, _count(round(run.summary.wall_seconds))], "is_baseline": False})
    for title, method, known in _baselines(runs):
        measured = [_measured(method, name) for name in columns]
        values = [_metric(name, numbers([known[name]], name)[0]) if name in known else _UNKNOWN for name in measured]
        unknown = [_UNKNOWN] * (2 if judged else 1)
        cells = [Cell(title, "", title), _UNKNOWN, _UNKNOWN, *values, *unknown]
        rows.append({"cells": cells, "is_baseline": True})
    return headers, rows


def comparison_tables(runs: Sequence[FinishedRun]) -> list[dict[str, Any]]:
    """Builds the tables of the metrics against held-out sequences: one row per metric, one column per run.

    Runs that were compared with different sequences are in separate tables.

    Args:
      runs: the runs; those that were not compared with held-out sequences are left out.

    Returns:
      Each table's `title`, `headers` and `rows`; a row has a `Cell` per column, the first with title and direction of
      the metric.
    """
    tables = []
    titles = _titles(runs)
    for compared in grouped([run for run in runs if run.summary.num_compared], compared_with):
        first = compared[0].summary
        rows = [
            [Cell(metric.title, metric.better), *(_compared(run, name) for run in compared)]
            + [_known(getattr(first, baseline), name) for baseline in _COMPARED]
            for name, metric in METRICS.items()
            if metric.applies == "heldout" and any(run.has(name) for run in compared)
        ]
        tables.append(
            {
                "title": f"{titles[_task(compared[0])]}: {first.num_compared:,} samples a seed against as many "
                f"sequences of the {first.heldout} split",
                "headers": ["metric", *(run.label for run in compared), *_COMPARED.values()],
                "rows": rows,
            }
        )
    return tables


def dynamics_tables(runs: Sequence[FinishedRun]) -> list[dict[str, Any]]:
    """Builds the tables of the accuracy of telling teacher-forced from free-running states: one row per run.

    Runs whose generators were observed on different sequences are in separate tables.

    Args:
      runs: the runs; those whose states were not observed are left out.

    Returns:
      Each table's `title`, `headers` and `rows`; a row has a `Cell` per column, the first with the run's label.
    """
    tables = []
    titles = _titles(runs)
    for alike in grouped([run for run in runs if run.summary.dynamics is not None], _observed):
        task, num, split = _observed(alike[0])
        times = _dynamics_of(alike[0])["times"]
        tables.append(
            {
                "title": f"{titles[task]}: states of {num:,} sequences of the {split} split, and of as many drawn ones",
                "headers": [
                    "run",
                    "untrained",
                    *(f"step {time}" for time in times),
                    "95 %",
                    f"p < {_SIGNIFICANT}",
                    "two held-out sets",
                ],
                "rows": [_dynamics(run) for run in alike],
            }
        )
    return tables


def _observed(run: FinishedRun) -> tuple[Any, int, str]:
    """Returns the task, number of sequences and split on which a run's generators were observed."""
    return (_task(run), run.summary.num_states, run.summary.heldout)


def _dynamics_of(run: FinishedRun) -> Row:
    return run.summary.dynamics or {}


def _dynamics(run: FinishedRun) -> list[Cell]:
    known = _dynamics_of(run)
    low, high = (
        np.array([known["after"][end][replica][-1] for replica in run.replicas], float) for end in ("low", "high")
    )
    # NaN for a generator that diverged in training.
    finite = np.isfinite(low)
    half = f"± {np.median((high - low)[finite]) / 2:.3f}" if finite.any() else "–"
    return [
        Cell(run.label, run.caption),
        _accuracy(run, "before", -1),
        *(_accuracy(run, "after", step) for step in range(len(known["times"]))),
        Cell(half),
        Cell(_num_significant(run, known["after"])),
        _accuracy(run, "heldout", -1, f"p < {_SIGNIFICANT}: {_num_significant(run, known['heldout'])}"),
    ]


def _num_significant(run: FinishedRun, known: Row) -> str:
    """Counts the seeds whose two sets differ significantly at the last step; diverged seeds count as different."""
    p_values = np.array([known["p_value"][replica][-1] for replica in run.replicas], float)
    return f"{np.sum(~np.isfinite(p_values) | (p_values < _SIGNIFICANT))} of {len(p_values)}"


def _accuracy(run: FinishedRun, stage: str, step: int, note: str = "") -> Cell:
    """Returns the median of the accuracies at a step, and below it their range and a note."""
    over_seeds = band(state_accuracies(run.summary, stage, run.replicas, step))
    between = f"{over_seeds.least:.3f}–{over_seeds.greatest:.3f}" if len(run.replicas) > 1 else ""
    return Cell(f"{over_seeds.median:.3f}", "; ".join(filter(None, (between, note))))


def compared_with(run: FinishedRun) -> tuple[Any, ...]:
    """Returns the task, number of sequences and split that a run was compared with, on which its metrics depend."""
    return (_task(run), run.summary.num_compared, run.summary.heldout)


def results_csv(runs: Sequence[FinishedRun]) -> str:
    """Returns the final metrics of runs as CSV, one line per seed; unknown metrics are empty."""
    names = [name for name in METRICS if any(run.has(name) for run in runs)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", "seed", "steps", *names])
    for run in runs:
        for index in run.replicas:
            values = [run.summary.metrics[name][index] if run.has(name) else "" for name in names]
            writer.writerow([run.label, run.summary.seeds[index], run.summary.steps, *values])
    return text.getvalue()


def _measured(method: str | None, name: str) -> str:
    """Returns the name of the metric that is shown as `name`: its estimate from samples if it cannot be computed."""
    if method == "enumeration":
        return name
    return next((each for each, metric in METRICS.items() if metric.estimates == name), name)


def _band(run: FinishedRun, name: str) -> Cell:
    if not run.has(name) or (describe(name).applies == "exact" and run.summary.validity_method != "enumeration"):
        return _UNKNOWN
    over_seeds = band(run.final(name))
    small = format_range(name, over_seeds.least, over_seeds.greatest) if len(run.replicas) > 1 else ""
    return _metric(name, over_seeds.median)._replace(small=small)


def _compared(run: FinishedRun, name: str) -> Cell:
    if not run.has(name):
        return _UNKNOWN
    over_seeds = band(run.final(name))
    small = f"± {format_metric(name, half_width(run.summary, name, run.replicas))}"
    if len(run.replicas) > 1:
        small = f"{format_range(name, over_seeds.least, over_seeds.greatest)}; {small}"
    return Cell(format_metric(name, over_seeds.median), small)


def _known(estimates: Row, name: str) -> Cell:
    if name not in estimates:
        return _UNKNOWN
    value, low, high = (numbers([estimates[name][part]], name)[0] for part in ("value", "low", "high"))
    return Cell(format_metric(name, value), f"± {format_metric(name, (high - low) / 2)}")


def _failures(run: FinishedRun) -> Cell:
    if run.summary.validity_method is None:
        return _UNKNOWN
    rate = failure_rate([run.summary.metrics["validity"][index] for index in run.replicas])
    return Cell(f"{rate:.0%}", "", str(rate))


def _metric(name: str, value: Any) -> Cell:
    infinite = {math.inf: "Infinity", -math.inf: "-Infinity"}
    return Cell(format_metric(name, value), "", infinite.get(float(value), str(float(value))))


def _count(value: int) -> Cell:
    return Cell(f"{value:,}", "", str(value))


def _baselines(runs: Sequence[FinishedRun]) -> list[tuple[str, str | None, Row]]:
    """Returns the title, the validity method and the metrics of each task's baselines."""
    found = []
    for task, title in _titles(runs).items():
        summary = next(run.summary for run in runs if _task(run) == task)
        for key, label in _BASELINES.items():
            known, method = getattr(summary, key), summary.validity_method
            label = label if method is not None or key == "training_set" else "held-out set"
            found.append((f"{label} of {title}, {known['num_strings']:,.0f} strings", method, known))
    return found


def _titles(runs: Sequence[FinishedRun]) -> dict[tuple[tuple[str, str], ...], str]:
    """Returns the title of each task, with the settings in which tasks of the same name differ."""
    titles = {}
    tasks = {_task(run): run.summary.task for run in runs}
    for task, name in tasks.items():
        alike = [set(other) for other, other_name in tasks.items() if other_name == name]
        common = set.intersection(*alike)
        settings = [f"{key.removeprefix('task.')} {value}" for key, value in task if (key, value) not in common]
        titles[task] = ", ".join([name, *settings])
    return titles


def _task(run: FinishedRun) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in sorted(run.settings.items()) if name.startswith("task."))
