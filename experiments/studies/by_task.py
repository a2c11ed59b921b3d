"""Helpers of studies that train several methods on each of several tasks; the folder of a run is TASK_METHOD."""

from collections.abc import Callable, Collection, Iterable, Mapping
from types import ModuleType

from experiments.config.choices import choose_several
from experiments.reports.report import Figure, compare
from experiments.reports.runs import FinishedRun
from experiments.studies.study import Part


def parts(
    methods: Mapping[str, Iterable[str]],
    config_of: Callable[[str, str], tuple[ModuleType, str]],
    captions: Mapping[str, str],
    *,
    tasks: str,
    files: str,
    of_text: Collection[str],
    slow: Collection[str],
    num_seeds: int,
    num_slow_seeds: int,
    num_steps: int,
    usual_steps: int,
) -> dict[str, Part]:
    """Returns the parts of a study by folder name, in the order of training.

    Args:
      methods: the methods of each task.
      config_of: (task, method) -> the module of the config file, and its options.
      captions: descriptions of the methods.
      tasks: names of the tasks, separated by commas; tasks of text are left out if there are no files.
      files: files of the tasks of text, separated by commas; '' for none.
      of_text: the tasks that need files.
      slow: the tasks with `num_slow_seeds` seeds.
      num_seeds: number of seeds of the other tasks.
      num_slow_seeds: see `slow`.
      num_steps: number of steps for a config of `usual_steps` steps; the steps and the patience of other configs are in
        the same ratio to it.
      usual_steps: see `num_steps`.

    Raises:
      ValueError: `tasks` names an unknown task, or only tasks of text while there are no files.
    """
    found = {}
    for task in choose_several(tasks, methods, "--tasks"):
        if task in of_text and not files:
            continue
        for method in methods[task]:
            module, options = config_of(task, method)
            config = module.get_config(options)
            config.num_seeds = num_slow_seeds if task in slow else num_seeds
            config.num_steps = max(1, num_steps * config.num_steps // usual_steps)
            changes = ["num_seeds", "num_steps"]
            if config.patience:
                config.patience = max(1, num_steps * config.patience // usual_steps)
                changes.append("patience")
            if task in of_text:
                config.task.files = files
                changes.append("task.files")
            file = f"experiments/configs/{module.__name__.rpartition('.')[2]}.py:{options}"
            label = f"{method}, {task}"
            found[f"{task}_{method}"] = Part(label, captions[method], file, config, tuple(changes))
    if not found:
        raise ValueError(f"--files must name a text for --tasks={tasks}, got ''")
    return found


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
