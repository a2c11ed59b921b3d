"""Trains a sweep that does not fit in one program as several runs of some points each, and writes one report.

python -m experiments.study sweep --workdir=DIR --config=FILE [--config.KEY=VALUE ...] [--max_replicas=16]

The config is one for `experiments.train` with a `sweep`. The points are divided among runs of at most --max_replicas
replicas. Each replica has the same result as in a single run. An interrupted study is resumed.
"""

from collections.abc import Mapping
from pathlib import Path

from ml_collections import ConfigDict

from experiments.config import run_config, sweeps
from experiments.reports import page, report
from experiments.reports.runs import FinishedRun
from experiments.studies.study import Flag, Part

FLAGS = (Flag("max_replicas", 16, "Maximum number of replicas (seeds times points of the sweep) in one program."),)
CONFIG_HELP = "The config, as for experiments.train."


def parts(*, config: ConfigDict, file: str, changes: Mapping[str, str], max_replicas: int) -> dict[str, Part]:
    """Returns the parts of the study by folder name, in the order of training.

    Args:
      config: the config of the whole sweep.
      file: the config file, as for `--config`.
      changes: texts of the flags that change settings of `file`, by the paths of the settings or of whole sections.
      max_replicas: largest number of replicas of a run.

    Raises:
      ValueError: `config` is not valid, has no sweep, or has more seeds than `max_replicas`.
    """
    parsed = run_config.parse(config)
    if not parsed.sweep:
        raise ValueError("config.sweep must hold the points to divide among runs, got none")
    if parsed.num_seeds > max_replicas:
        raise ValueError(
            f"--max_replicas must be at least config.num_seeds, {parsed.num_seeds}, since a point's seeds are trained "
            f"together; got {max_replicas}"
        )
    given = {path: text for path, text in changes.items() if path.split(".")[0] != "sweep"}
    at_once = max_replicas // parsed.num_seeds
    num_points = len(sweeps.points(parsed.sweep))
    found = {}
    for first in range(0, num_points, at_once):
        last = min(first + at_once, num_points)
        text = "; ".join(f"{path}={list(values[first:last])!r}" for path, values in parsed.sweep.items())
        part = config.copy_and_resolve_references()
        with part.unlocked():
            part.sweep = text
        caption = f"points {first} to {last - 1} of {num_points}"
        found[f"points_{first:04d}"] = Part(parsed.algorithm.name, caption, file, part, (*given, "sweep"), given)
    return found


def write(runs: Mapping[str, FinishedRun], workdir: Path) -> Path:
    """Writes the report of all points, and returns its path."""
    return page.write(report.compare(list(runs.values()), title="A sweep"), workdir / "report")
