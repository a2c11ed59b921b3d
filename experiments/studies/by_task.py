"""Helpers of studies that train several methods on each of several tasks; the folder of a run is TASK_METHOD."""

from collections.abc import Collection, Iterable, Mapping
from types import ModuleType

from experiments.config.choices import choose_several
from experiments.reports.report import Figure, compare
from experiments.reports.runs import FinishedRun
from experiments.studies.study import Part


def selected(tasks: str, known: Iterable[str], *, of_text: Collection[str], files: str) -> list[str]:
    """Returns the tasks to train on: those that are named, except tasks of text if there are no files.

    Args:
      tasks: names of tasks, separated by commas.
      known: the known names.
      of_text: the tasks that need files.
      files: files of text, separated by commas; '' for none.

    Raises:
      ValueError: `tasks` names an unknown task, or only tasks of text while there are no files.
    """
    found = [task for task in choose_several(tasks, known, "--tasks") if files or task not in of_text]
    if not found:
        raise ValueError(f"--files must name a text for --tasks={tasks}, got ''")
    return found


def part(
    module: ModuleType,
    variant: str,
    *,
    label: str,
    caption: str,
    num_seeds: int,
    num_steps: int,
    usual_steps: int,
    files: str = "",
) -> Part:
    """Returns a part whose config is a variant of a config file, with other numbers of seeds and of steps.

    Args:
      module: the module of the config file.
      variant: options of the config file.
      label: short name of the run in the report.
      caption: description of the run in the report.
      num_seeds: number of seeds.
      num_steps: number of steps for a config of `usual_steps` steps; the steps and the patience of other configs are in
        the same ratio to it.
      usual_steps: see `num_steps`.
      files: files of the task, separated by commas; '' leaves those of the config.
    """
    config = module.get_config(variant)
    config.num_seeds = num_seeds
    config.num_steps = max(1, num_steps * config.num_steps // usual_steps)
    changes = ["num_seeds", "num_steps"]
    if config.patience:
        config.patience = max(1, num_steps * config.patience // usual_steps)
        changes.append("patience")
    if files:
        config.task.files = files
        changes.append("task.files")
    file = f"experiments/configs/{module.__name__.rpartition('.')[2]}.py:{variant}"
    return Part(label, caption, file, config, tuple(changes))


def trained(runs: Mapping[str, FinishedRun], known: Iterable[str]) -> list[str]:
    """Returns the known tasks of which there is a run."""
    return [task for task in known if any(name.startswith(f"{task}_") for name in runs)]


def figures(runs: Mapping[str, FinishedRun], tasks: Iterable[str]) -> list[Figure]:
    """Returns the figures that compare the runs of each task; their names end in that of the task."""
    return [
        figure._replace(name=f"{figure.name}_{task}", title=f"{task}: {figure.title}")
        for task in tasks
        for figure in compare([run for name, run in runs.items() if name.startswith(f"{task}_")], title=task).figures
    ]


def command(study: str, tasks: Collection[str], *, of_text: Collection[str]) -> str:
    """Returns the command of a study on some tasks."""
    files = "" if set(tasks).isdisjoint(of_text) else " --files=TEXT"
    return f"python -m experiments.study {study} --workdir=DIR{files} --tasks={','.join(tasks)}"
