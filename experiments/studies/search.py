"""Chooses the settings of maximum likelihood and of the GAN in the same way.

python -m experiments.study search --workdir=DIR [--task=uniform] [--num_seeds=4]

The same number of settings is tried for each method: widths of a network (likelihood's generator, the GAN's
discriminator), steps and learning rates. The best setting has the least median negative log-likelihood of the
validation set; no distance to the true distribution is used. The draw of the data and the seeds differ from those of
the study `draws`, which reports on the chosen settings. An interrupted study is resumed.
"""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.reports.runs import FinishedRun, grouped
from experiments.studies import draws, tables
from experiments.studies.study import Flag, Part

FLAGS = (
    Flag("task", "uniform", "Task, as in the study draws."),
    Flag("num_seeds", 4, "Number of seeds of each setting, from 100."),
)
STEPS = (3_000, 6_000)
_FIRST_SEED = 100
_CHOSEN_BY = "heldout_nll"


class Searched(NamedTuple):
    """The settings of a method that are searched.

    Attributes:
      width: path of the setting of a network's width; the widths are in `WIDTHS`.
      rate: path of the setting of the generator's learning rate.
      rates: the learning rates.
    """

    width: str
    rate: str
    rates: tuple[str, ...]


SEARCHED = {
    "maximum likelihood": Searched(
        "algorithm.generator.hidden_size",
        "algorithm.optimizer.learning_rate",
        ("cosine(1e-2, 1e-4)", "cosine(3e-3, 3e-5)"),
    ),
    "GAN": Searched(
        "algorithm.discriminator.hidden_size",
        "algorithm.generator_optimizer.learning_rate",
        ("cosine(5e-3, 2.5e-4)", "cosine(3e-3, 1.5e-4)"),
    ),
}
# Widths by task.
WIDTHS = {"uniform": (8, 16, 32), "grammar": (8, 16, 32), "names": (32, 64, 128)}


def parts(*, task: str, num_seeds: int) -> dict[str, Part]:
    """Returns the runs, one for each method, width and number of steps, with a sweep over rates.

    Raises:
      ValueError: `task` is not one of `draws.RECIPES`.
    """
    found = {}
    for label, recipe in draws.recipes(task).items():
        searched = SEARCHED[label]
        for width, num_steps in itertools.product(WIDTHS[task], STEPS):
            config = recipe.get_config()
            settings = draws.task_settings(task) | {
                "num_seeds": num_seeds,
                "seed": _FIRST_SEED,
                "task.seed": _FIRST_SEED,
                "heldout": "validation",
                "num_compared": 500,
                "num_samples": 1_000,
                "num_steps": num_steps,
                searched.width: width,
            }
            config.update_from_flattened_dict(settings)
            config.sweep = f"{searched.rate}={list(searched.rates)}"
            file = f"experiments/configs/{recipe.file}"
            caption = f"width {width}, {num_steps:,} steps"
            name = f"{Path(recipe.file).stem}_{width}_{num_steps}"
            found[name] = Part(label, caption, file, config, (*settings, "sweep"))
    return found


def table(runs: Mapping[str, FinishedRun]) -> str:
    """Returns the table in Markdown, the best setting of each method in bold."""
    first = next(iter(runs.values())).summary
    lines = [
        f"{tables.seeds(first)}, draw {_FIRST_SEED} of the data, "
        f"{first.task}; negative log-likelihood of the validation set in nats, median (least … greatest). "
        f"{tables.measured(first)}",
        "",
        "| method | width, steps | learning rate | validation NLL |",
        "|---|---|---|---|",
    ]
    for of_method in grouped(list(runs.values()), draws.method):
        medians = [float(np.median(run.final(_CHOSEN_BY))) for run in of_method]
        for run, median in zip(of_method, medians, strict=True):
            text = tables.spread(run.final(_CHOSEN_BY), 4)
            shown = f"**{text}**" if median == min(medians) else text
            rate = run.settings[SEARCHED[draws.method(run)].rate]
            lines.append(f"| {draws.method(run)} | {run.caption} | `{rate}` | {shown} |")
    return "\n".join(lines) + "\n"


def write(runs: Mapping[str, FinishedRun], workdir: Path) -> Path:
    """Writes and prints the table of the finished runs, and returns its path."""
    return tables.write(table(runs), workdir)
