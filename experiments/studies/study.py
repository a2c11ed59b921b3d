"""Trains the runs of a study, each in its own process.

The module of a study defines `FLAGS`, its flags; `parts`, which takes the values of the flags and returns the runs; and
`write`, which writes the report of the finished runs and returns its path. If a study does not consist of runs alone,
its module defines `measure` instead of `parts` and `write`. It takes the folder and the values of the flags, writes the
report and returns its path. A study of a user's own config also defines `CONFIG_HELP`, the description of its flag
--config. Its `parts` then also takes `config` and `file`, which are as in `Part`, and `changes`, the texts of the flags
--config.KEY by the paths KEY.
"""

import dataclasses
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ml_collections import ConfigDict

from experiments import cli, interrupts
from experiments.config import data_defaults, files, run_config
from experiments.config.run_config import RunConfig, flatten
from experiments.reports.runs import FinishedRun, read_runs
from experiments.run.directory import RunDirectory
from experiments.run.divergence import STATUS


class Flag(NamedTuple):
    """A flag of a study's command.

    Attributes:
      name: name of the flag, and of the argument of `parts` or `measure`.
      default: value if the flag is not given: for an integer flag, an integer of at least 1; else a string.
      help: description of the flag.
    """

    name: str
    default: int | str
    help: str


class Part(NamedTuple):
    """A run of the study.

    Attributes:
      label: short name of the run in the report.
      caption: description of the run in the report.
      file: the config file, as for `--config`.
      config: the config.
      changes: names of the settings in which `config` differs from that of `file`, as in `--config.NAME=VALUE`.
      given: texts of VALUE for some of these names; the others have the text of their value in `config`.
    """

    label: str
    caption: str
    file: str
    config: ConfigDict
    changes: tuple[str, ...] = ("num_seeds", "num_steps")
    given: Mapping[str, str] = MappingProxyType({})


def run(study: Mapping[str, Part], workdir: Path) -> dict[str, FinishedRun]:
    """Trains the parts that are not trained yet, and resumes those that were interrupted.

    Args:
      study: the parts by folder name, in the order of training.
      workdir: the folder of the study.

    Returns:
      The finished runs by folder name; for a sweep, '_' and the number of the point follow the name.

    Raises:
      SystemExit: a folder holds a run of another config, or the training of a part failed; the status is then that of
        the training.
    """
    with cli.one_line_errors():
        commands = {name: command(RunDirectory(workdir / name), part) for name, part in study.items()}
    for number, (name, part) in enumerate(study.items(), 1):
        config = run_config.parse(part.config)
        steps = "steps by the data" if "num_steps" in config.open else f"{config.num_steps:,} steps"
        seeds = f"{config.num_seeds} seeds, {steps}"
        done = "" if commands[name] else ": trained already"
        cli.screen().print(f"\n{number}/{len(study)} {part.label}, {part.caption}; {seeds}{done}", highlight=False)
        if commands[name]:
            status = _status(commands[name])
            # If some replicas diverged and others did not, there is a summary.
            is_finished = status == STATUS and (workdir / name / "summary.json").exists()
            if status and not is_finished:
                # The status of a process that a signal ended is negative; a shell reports 128 plus the signal's number.
                sys.exit(status if status > 0 else 128 - status)
    found: dict[str, FinishedRun] = {}
    for name, part in study.items():
        points = read_runs([workdir / name], labels=[part.label], captions=[part.caption])
        found |= {name if len(points) == 1 else f"{name}_{number}": run for number, run in enumerate(points)}
    return found


def _status(command: Sequence[str]) -> int:
    """Runs a command in its own process, since the number of devices is fixed once JAX has started.

    A signal to this process first stops the command, which may write a checkpoint, and then this process, with status
    `interrupts.STOPPED`.

    Returns:
      The exit status of the command.
    """
    started: list[subprocess.Popen[bytes]] = []

    def stop() -> None:
        for process in started:
            process.terminate()

    interrupts.describe(lambda: "the study is stopped; the same command goes on with it", stop)
    with interrupts.holding_work(stop):
        started.append(subprocess.Popen(command))
        if interrupts.requested():
            # The signal came before the process had started.
            stop()
        status = started[0].wait()
    if interrupts.requested():
        interrupts.stop()
    return status


def command(run: RunDirectory, part: Part) -> list[str]:
    """Returns the command that trains or resumes a part; an empty list if the part is trained."""
    # Reads the files of the part. `run` does this for all parts first, to find a missing file before any training.
    config = files.self_contained(run_config.parse(part.config))
    train = [sys.executable, "-m", "experiments.train", f"--workdir={run.path}"]
    if not run.config.exists():
        texts = {**flatten(part.config.to_dict()), **part.given}
        return [*train, f"--config={part.file}", *(f"--config.{name}={texts[name]}" for name in part.changes)]
    stored = run.read_config()
    difference = run.first_difference(_recorded(config, stored))
    if difference is not None:
        raise ValueError(
            f"--workdir must be empty or hold this very study, but the run in {str(run.path)!r} has another "
            f"{difference}, {flatten(stored.to_dict()).get(difference)!r}"
        )
    return [] if run.summary.exists() else [*train, "--resume"]


def _recorded(config: RunConfig, stored: RunConfig) -> RunConfig:
    """Returns a config with what a run records when it begins, taken from a stored config."""
    config = data_defaults.taken(config, stored)
    if not config.init_from or config.init_symbols:
        return config
    # As `initial.self_contained` does, without the run that the training starts from, which may be deleted by now.
    config = data_defaults.taken_sizes(config, stored)
    return dataclasses.replace(
        config, init_from=str(Path(config.init_from).resolve()), init_symbols=stored.init_symbols
    )
