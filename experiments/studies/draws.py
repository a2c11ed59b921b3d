"""Compares maximum likelihood and the GAN on several draws of the data, with several seeds on each draw.

python -m experiments.study draws --workdir=DIR [--task=uniform] [--num_draws=4] [--num_seeds=8]

A draw of the data is a value of `task.seed`: another sample of the true distribution, or another split of a file. The
study `search` chooses settings on another draw. An interrupted study is resumed.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from experiments.config.choices import choose
from experiments.configs import arithmetic, arithmetic_mle, names, names_mle
from experiments.reports.runs import FinishedRun, grouped
from experiments.studies import tables
from experiments.studies.study import Flag, Part

FLAGS = (
    Flag("task", "uniform", "uniform or grammar, the lengths of arithmetic strings; or names."),
    Flag("num_draws", 4, "Number of draws of the data: values of task.seed from 0."),
    Flag("num_seeds", 8, "Number of seeds on each draw."),
)
_METRICS = ("validity", "kl_data_model", "total_variation", "heldout_nll")


class Recipe(NamedTuple):
    """The config of a method.

    Attributes:
      file: name of the config file, with its options.
      get_config: returns the config.
    """

    file: str
    get_config: Callable[[], ConfigDict]


_LIKELIHOOD = Recipe("arithmetic_mle.py", arithmetic_mle.get_config)
_WIDE = Recipe("arithmetic.py:wide", functools.partial(arithmetic.get_config, "wide"))
RECIPES: dict[str, dict[str, Recipe]] = {
    "uniform": {
        "maximum likelihood": _LIKELIHOOD,
        "GAN": Recipe("arithmetic.py", arithmetic.get_config),
    },
    "grammar": {"maximum likelihood": _LIKELIHOOD, "GAN": _WIDE},
    "names": {
        "maximum likelihood": Recipe("names_mle.py", names_mle.get_config),
        "GAN": Recipe("names.py", names.get_config),
    },
}


def recipes(task: str) -> dict[str, Recipe]:
    """Returns the recipe of each method for a task.

    Raises:
      ValueError: `task` is not one of `RECIPES`.
    """
    return RECIPES[choose(task, RECIPES, "--task")]


def task_settings(task: str) -> dict[str, str]:
    """Returns the settings in which a task differs from its config files."""
    return {"task.length_distribution": task} if task in ("uniform", "grammar") else {}


def parts(*, task: str, num_draws: int, num_seeds: int) -> dict[str, Part]:
    """Returns the runs by folder name, in the order of training.

    Raises:
      ValueError: `task` is not one of `RECIPES`.
    """
    settings = task_settings(task)
    found = {}
    for draw in range(num_draws):
        for label, recipe in recipes(task).items():
            config = recipe.get_config()
            changed = settings | {"num_seeds": num_seeds, "task.seed": draw}
            config.update_from_flattened_dict(changed)
            file = f"experiments/configs/{recipe.file}"
            name = f"{Path(recipe.file).stem}_{draw}"
            found[name] = Part(f"{label}, draw {draw}", f"configs/{recipe.file}", file, config, tuple(changed))
    return found


def table(runs: Mapping[str, FinishedRun]) -> str:
    """Returns the table in Markdown: for each method, all draws and seeds together, then each draw."""
    first = next(iter(runs.values())).summary
    measured = [name for name in _METRICS if all(run.has(name) for run in runs.values())]
    by_method = grouped(list(runs.values()), method)
    lines = [
        f"{tables.seeds(first)} on each of {len(by_method[0])} draws of the "
        f"data, {first.task}; median (least … greatest) of all. {tables.measured(first)}",
        "",
        f"| method | draw | {tables.titles(measured)} | seconds |",
        f"|---|---|{'---|' * (len(measured) + 1)}",
    ]
    for of_method in by_method:
        lines.append(_row(of_method, "all", measured))
        lines += [_row([run], str(draw), measured) for draw, run in enumerate(of_method)]
    return "\n".join(lines) + "\n"


def write(runs: Mapping[str, FinishedRun], workdir: Path) -> Path:
    """Writes and prints the table of the finished runs, and returns its path."""
    return tables.write(table(runs), workdir)


def method(run: FinishedRun) -> str:
    """Returns the method of a run of this study, or of `search`."""
    return run.label.partition(",")[0]


def _row(runs: Sequence[FinishedRun], draw: str, measured: Sequence[str]) -> str:
    cells = [tables.spread(np.concatenate([run.final(name) for run in runs]), 4) for name in measured]
    seconds = np.median([run.summary.wall_seconds for run in runs])
    return f"| {method(runs[0])} | {draw} | {' | '.join(cells)} | {seconds:.0f} |"
