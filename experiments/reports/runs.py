"""Reads finished runs from their folders."""

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.config import schedule_text
from experiments.config.run_config import flatten
from experiments.reports import bands
from experiments.reports.formats import format_point
from experiments.run.directory import RunDirectory
from experiments.run.summary import NUM_SHOWN, Summary, read_summary
from experiments.run.texts import Row

_SYMBOLS = {True: "✓", False: "✗", None: " "}


class FinishedRun(NamedTuple):
    """The seeds of a finished run, at one point of its sweep.

    Attributes:
      label: short name.
      caption: description in a line; may be empty.
      summary: the summary of the whole run.
      settings: the run's flattened config, with the values of the point for the swept settings.
      rows: the rows of `metrics.jsonl`.
      replicas: indices of the point's seeds among the replicas of the run.
      samples: strings of the first seed.
      valid: whether each sample is valid; None if that is not known.
      states: the embedded hidden states of the first seed; None if they were not computed.
    """

    label: str
    caption: str
    summary: Summary
    settings: Row
    rows: list[Row]
    replicas: list[int]
    samples: list[str]
    valid: list[bool] | None
    states: Row | None = None

    def has(self, name: str) -> bool:
        """Returns whether the summary holds a metric."""
        return name in self.summary.metrics

    def final(self, name: str) -> NDArray[np.floating]:
        """Returns the final metric of each seed, with the worst value for one that is not finite."""
        return bands.final(self.summary, name, self.replicas)

    def marked(self) -> list[tuple[str, str, bool | None]]:
        """Returns for each sample its mark (✓ valid, ✗ invalid, blank unknown), the sample, and whether it is valid."""
        valid: Sequence[bool | None] = [None] * len(self.samples) if self.valid is None else self.valid
        return [(_SYMBOLS[each], sample, each) for sample, each in zip(self.samples, valid, strict=True)]

    def curve(self, name: str) -> NDArray[np.floating]:
        """Returns a metric over training, `[rows, seeds]`."""
        return np.array([[row[name][index] for index in self.replicas] for row in self.rows if name in row], float)

    def seconds_per_step(self) -> float:
        """Returns the seconds per step without compilation: the median of all chunks but the first, which compiles.

        For a run of one chunk, compilation is included.
        """
        steps, seconds = (np.array([row[name] for row in self.rows], float) for name in ("step", "wall_seconds"))
        if len(self.rows) == 1:
            return float(seconds[0] / steps[0])
        return float(np.median(np.diff(seconds) / np.diff(steps)))


def read_runs(
    workdirs: Sequence[str | Path],
    *,
    labels: Sequence[str] | None = None,
    captions: Sequence[str] | None = None,
    num_samples: int = NUM_SHOWN,
) -> list[FinishedRun]:
    """Reads finished runs; a run with a sweep gives one `FinishedRun` per point.

    Args:
      workdirs: folders of the runs.
      labels: labels of the runs; None for the names of the folders.
      captions: captions of the runs; None for empty captions.
      num_samples: strings to read of each run, at most `NUM_SHOWN`.

    Returns:
      The runs, in order.

    Raises:
      ValueError: a folder holds no run, an unfinished run, or a run whose summary cannot be read; or two runs have the
        same label.
    """
    labels = [Path(workdir).resolve().name for workdir in workdirs] if labels is None else labels
    captions = [""] * len(workdirs) if captions is None else captions
    twice = sorted({label for label in labels if list(labels).count(label) > 1})
    if twice:
        raise ValueError(f"--workdirs must end in different names, which label the runs; got {twice[0]!r} twice")
    each = zip(workdirs, labels, captions, strict=True)
    return [
        run
        for workdir, label, caption in each
        for run in _points(RunDirectory(workdir, "--workdirs"), label, caption, num_samples)
    ]


def _points(run: RunDirectory, label: str, caption: str, num_samples: int) -> list[FinishedRun]:
    config, summary, rows = run.read_config(), read_summary(run), run.read_metrics()
    for path in (run.metrics, run.samples):
        if not path.exists():
            raise ValueError(f"--workdirs must hold whole runs, but {str(run.path)!r} lacks {path.name}")
    strings, states = run.read_samples(), run.read_states()
    finished = []
    for point, settings in enumerate(summary.sweep):
        replicas = summary.replicas_at(point)
        first = replicas[0] * summary.num_samples
        samples = strings[first : first + min(num_samples, summary.num_samples)]
        valid = None if summary.samples_valid is None else summary.samples_valid[point][: len(samples)]
        # The other settings contain the values that were chosen for the data.
        others = ("sweep", "chosen")
        flat = {name: value for name, value in flatten(config.to_dict()).items() if name.split(".")[0] not in others}
        finished.append(
            FinishedRun(
                label=", ".join([label, *format_point(settings)]),
                caption=caption,
                summary=summary,
                settings={name: _shown(name, value) for name, value in (flat | settings).items()},
                rows=rows,
                replicas=replicas,
                samples=samples,
                valid=valid,
                states=None if states is None else states[point],
            )
        )
    return finished


def _shown(name: str, value: Any) -> Any:
    """Returns a setting in canonical form: only the names of files, since the config also holds their digest."""
    if name == "task.files":
        return ",".join(Path(file).name for file in value.split(","))
    return schedule_text.canonical(value)


def grouped(runs: Sequence[FinishedRun], key: Callable[[FinishedRun], Hashable]) -> list[list[FinishedRun]]:
    """Groups runs of equal `key`, in the order of the first run of each group."""
    return [[run for run in runs if key(run) == each] for each in dict.fromkeys(map(key, runs))]


def differing_settings(runs: Sequence[FinishedRun]) -> dict[str, list[Any]]:
    """Finds the settings in which runs differ.

    Args:
      runs: the runs.

    Returns:
      For each such setting, its value in each run; None for a run without the setting.
    """
    names = sorted({name for run in runs for name in run.settings})
    values = {name: [run.settings.get(name) for run in runs] for name in names}
    return {name: each for name, each in values.items() if any(value != each[0] for value in each)}
