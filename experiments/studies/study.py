"""A study: several runs that belong together, each trained by a process of its own, and what they come to."""

import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict
from scipy import stats

from experiments import cli
from experiments.config import files, run_config
from experiments.reports import reporting
from experiments.reports.labels import LABELS, spread
from experiments.reports.reporting import Statement
from experiments.reports.runs import FinishedRun, read_runs
from experiments.run.directory import RunDirectory, check_holds_no_run, flatten

_SIGNIFICANT = 0.05


class Part(NamedTuple):
    """A part of the study.

    Attributes:
      label: what the report calls it.
      caption: what it is.
      file: its config, as `--config` takes it.
      config: its config.
      changes: what the config changes of the file's, as `--config.NAME=VALUE` takes it.
    """

    label: str
    caption: str
    file: str
    config: ConfigDict
    changes: tuple[str, ...] = ("num_seeds", "num_steps")


def run(study: Mapping[str, Part], workdir: Path) -> dict[str, FinishedRun]:
    """Trains what is not trained yet, and goes on where it stopped.

    Args:
      study: the parts, in the order of their training, by the names of their folders.
      workdir: the folder of the study.

    Returns:
      The finished runs.

    Raises:
      ValueError: a folder holds another run than that part.
      SystemExit: the training of a part failed.
    """
    with cli.one_line_errors():
        check_holds_no_run(workdir, "--workdir")
        commands = {name: command(RunDirectory(workdir / name), part) for name, part in study.items()}
    for number, (name, part) in enumerate(study.items(), 1):
        seeds = f"{part.config.num_seeds} seeds, {part.config.num_steps:,} steps"
        done = "" if commands[name] else ": trained already"
        cli.screen().print(f"\n{number}/{len(study)} {part.label}, {part.caption}; {seeds}{done}", highlight=False)
        if commands[name]:
            # A process each: its memory, and the number of its devices, are its own.
            status = subprocess.run(commands[name], check=False).returncode
            if status:
                sys.exit(status)
    runs = read_runs(
        [workdir / name for name in study],
        labels=[part.label for part in study.values()],
        captions=[part.caption for part in study.values()],
        num_samples=reporting.NUM_SAMPLES,
    )
    return dict(zip(study, runs, strict=True))


def command(run: RunDirectory, part: Part) -> list[str]:
    """Gives the command that trains a part, or goes on with it; empty where it is trained."""
    # Before anything is trained: what a later part lacks shows now, not hours later.
    config = files.self_contained(run_config.parse(part.config))
    train = [sys.executable, "-m", "experiments.train", f"--workdir={run.path}"]
    if not run.config.exists():
        flat = flatten(part.config.to_dict())
        return [*train, f"--config={part.file}", *(f"--config.{name}={flat[name]}" for name in part.changes)]
    difference = run.first_difference(config)
    if difference is not None:
        raise ValueError(
            f"--workdir must be empty or hold this very study, but the run in {str(run.path)!r} has another "
            f"{difference}, {flatten(run.read_config().to_dict()).get(difference)!r}"
        )
    return [] if run.summary.exists() else [*train, "--resume"]


def compared(
    claim: str,
    run: FinishedRun,
    other: FinishedRun,
    name: str,
    *,
    shown: Sequence[str] = (),
    hopeless: float = math.inf,
) -> Statement:
    """Compares two runs by a metric of which less is better, with a rank test over seeds.

    Args:
      claim: what is compared.
      run: the run that the outcome, 'better' or 'worse', is about.
      other: what it is compared with.
      name: the metric.
      shown: more metrics, for the evidence.
      hopeless: a median above which a run has failed.
    """
    ours, theirs = run.final(name), other.final(name)
    test = stats.mannwhitneyu(ours, theirs)
    if min(np.median(ours), np.median(theirs)) > hopeless:
        outcome = "both fail"
    elif 2 / math.comb(len(ours) + len(theirs), len(ours)) >= _SIGNIFICANT:
        outcome = "too few seeds to tell"
    elif test.pvalue >= _SIGNIFICANT:
        outcome = "no difference seen"
    else:
        outcome = "better" if test.statistic < len(ours) * len(theirs) / 2 else "worse"
    difference = ""
    if all(np.isfinite(values).all() and np.ptp(values) > 0 for values in (ours, theirs)):
        low, high = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval()
        difference = f"; difference of means {ours.mean() - theirs.mean():+.3g} (95 % {low:.3g} to {high:.3g}, Welch)"
    evidence = [
        f"{LABELS[each]} {spread(each, run.final(each))} against {spread(each, other.final(each))}"
        for each in (name, *shown)
    ]
    return Statement(claim, outcome, "; ".join([*evidence, f"Mann–Whitney p = {test.pvalue:.2g}{difference}"]))
