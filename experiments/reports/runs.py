"""Finished runs, read back from their folders to be compared."""

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.config import build, schedule_text
from experiments.config.members import members_at
from experiments.reports.bands import numbers
from experiments.run.directory import Row, RunDirectory, flatten

_MARKS = {True: "✓", False: "✗", None: " "}
_NEEDED = (
    "sweep",
    "points",
    "seeds",
    "hardware",
    "training_set",
    "sampling_floor",
    "num_compared",
    "heldout",
    "image_shape",
)


class FinishedRun(NamedTuple):
    """The seeds of a finished run, at one point of its sweep.

    Attributes:
      label: what it is called; short.
      caption: what it is, in a line; may be empty.
      summary: what `summary.json` holds.
      settings: its config, flat, with the point's numbers in place of the sweep's lists.
      rows: the rows of `metrics.jsonl`.
      members: indices of its seeds among the members of the run.
      samples: strings of its first seed.
      valid: whether each of them is valid; None where no oracle tells.
      states: the points of its first seed's recurrent states; None where they were not asked for.
    """

    label: str
    caption: str
    summary: Row
    settings: Row
    rows: list[Row]
    members: list[int]
    samples: list[str]
    valid: list[bool] | None
    states: Row | None = None

    def final(self, name: str) -> NDArray[np.floating]:
        """Gives the final metric of each seed, the worst that it can be where it is no number."""
        return numbers([self.summary[name][index] for index in self.members], name)

    def marked(self) -> list[tuple[str, str, bool | None]]:
        """Gives each sample behind its mark: ✓ where it is valid, ✗ where not, a blank where no oracle tells."""
        valid: Sequence[bool | None] = [None] * len(self.samples) if self.valid is None else self.valid
        return [(_MARKS[each], sample, each) for sample, each in zip(self.samples, valid, strict=True)]

    def curve(self, name: str) -> NDArray[np.floating]:
        """Gives a metric over training, `[rows, seeds]`."""
        return np.array([[row[name][index] for index in self.members] for row in self.rows if name in row], float)


def read_runs(
    workdirs: Sequence[str | Path],
    *,
    labels: Sequence[str] | None = None,
    captions: Sequence[str] | None = None,
    num_samples: int,
) -> list[FinishedRun]:
    """Reads finished runs; one with a sweep gives a run a point.

    Args:
      workdirs: their folders.
      labels: their labels; None are the names of the folders.
      captions: their captions; None are empty.
      num_samples: strings to read of each.

    Returns:
      The runs, in order.

    Raises:
      ValueError: a folder holds no run, an unfinished one, or one of another version; or two runs have one label.
    """
    labels = [Path(workdir).resolve().name for workdir in workdirs] if labels is None else labels
    captions = [""] * len(workdirs) if captions is None else captions
    twice = sorted({label for label in labels if list(labels).count(label) > 1})
    if twice:
        raise ValueError(f"--workdirs must end in different names, which label the runs; got {twice[0]!r} twice")
    each = zip(workdirs, labels, captions, strict=True)
    return [
        run for workdir, label, caption in each for run in _points(RunDirectory(workdir), label, caption, num_samples)
    ]


def _points(run: RunDirectory, label: str, caption: str, num_samples: int) -> list[FinishedRun]:
    config, summary, rows = run.read_config(), run.read_summary(), run.read_metrics()
    missing = [name for name in _NEEDED if name not in summary]
    missing += [path.name for path in (run.metrics, run.samples) if not path.exists()]
    if missing:
        raise ValueError(f"--workdirs must hold whole runs of this version, but {str(run.path)!r} lacks {missing[0]}")
    # Only an oracle tells valid strings; a task without one may need files that are gone.
    is_valid = None if summary["validity_method"] is None else build.make_task(config).is_valid
    strings = run.read_samples()
    a_member = summary["num_samples"]
    states = run.read_states()
    finished = []
    for point, settings in enumerate(summary["sweep"]):
        members = members_at(point, summary["points"])
        first = members[0] * a_member
        samples = strings[first : first + min(num_samples, a_member)]
        finished.append(
            FinishedRun(
                label=", ".join([label, *settings.values()]),
                caption=caption,
                summary=summary,
                settings={name: _shown(name, value) for name, value in (flatten(config.to_dict()) | settings).items()},
                rows=rows,
                members=members,
                samples=samples,
                valid=None if is_valid is None else [is_valid(string) for string in samples],
                states=None if states is None else states[point],
            )
        )
    return finished


def _shown(name: str, value: Any) -> Any:
    """Writes a setting in one way, wherever it was run: files by their names, since their digest tells them apart."""
    if name == "task.files":
        return ",".join(Path(file).name for file in value.split(","))
    return schedule_text.canonical(value)


def grouped(runs: Sequence[FinishedRun], key: Callable[[FinishedRun], Hashable]) -> list[list[FinishedRun]]:
    """Puts runs that are alike in `key` together, in the order of their first."""
    return [[run for run in runs if key(run) == each] for each in dict.fromkeys(map(key, runs))]


def differing_settings(runs: Sequence[FinishedRun]) -> dict[str, list[Any]]:
    """Finds the settings in which runs differ.

    Args:
      runs: the runs.

    Returns:
      For each such setting its value in each run, None in a run that has no such setting.
    """
    names = sorted({name for run in runs for name in run.settings})
    values = {name: [run.settings.get(name) for run in runs] for name in names}
    return {name: each for name, each in values.items() if any(value != each[0] for value in each)}
