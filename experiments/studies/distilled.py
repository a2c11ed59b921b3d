"""Compares TextKD-GAN (Haidar & Rezagholizadeh 2019) with GANs on soft and on one-hot samples, without its autoencoder.

python -m experiments.study distilled --workdir=DIR --files=TEXT [--num_seeds=8] [--num_text_seeds=4]

An interrupted study is resumed. Haidar & Rezagholizadeh 2019, https://arxiv.org/abs/1905.01976.
"""

from collections.abc import Mapping
from pathlib import Path

from experiments.configs import distilled
from experiments.reports import page
from experiments.reports.report import Report, Statement
from experiments.reports.runs import FinishedRun
from experiments.studies import by_task
from experiments.studies.rank_test import compared
from experiments.studies.study import Flag, Part

# For each task, the metric of the rank tests, and one that is shown beside it.
_METRICS = {
    "arithmetic": ("total_variation", "validity"),
    "names": ("ngram_divergence_3", "ngram_divergence_2"),
    "text": ("ngram_divergence_3", "ngram_divergence_2"),
}
# The recurrent generator is slow; it is trained where the paper of `paper.py` has it.
_METHODS = {"arithmetic": tuple(distilled.METHODS)} | dict.fromkeys(("names", "text"), ("one_pass", "soft", "hard"))
_OF_TEXT = ("text",)

FLAGS = (
    Flag("files", "", "One or more long texts, separated by commas; '' leaves out the text."),
    Flag("tasks", "arithmetic,names,text", "Tasks, separated by commas."),
    Flag("num_seeds", 8, "Number of seeds, except on the text."),
    Flag("num_text_seeds", 4, "Number of seeds on the text."),
    Flag(
        "num_steps",
        distilled.NUM_STEPS["one_pass"],
        "Number of training steps of TextKD-GAN; those of the other methods are in the same ratio to it as in "
        "configs/distilled.py.",
    ),
)


def parts(*, files: str, tasks: str, num_seeds: int, num_text_seeds: int, num_steps: int) -> dict[str, Part]:
    """Returns the parts of the study by folder name, in the order of training.

    Args:
      files: a long text, or several, separated by commas; '' leaves out the text.
      tasks: names of the tasks, separated by commas.
      num_seeds: seeds of each method, except on the text.
      num_text_seeds: seeds on the text.
      num_steps: training steps of TextKD-GAN; the other methods have as many more or less as in their configs.

    Raises:
      ValueError: `tasks` names an unknown task, or the text alone while there are no files.
    """
    return by_task.parts(
        _METHODS,
        lambda task, method: (distilled, f"{task},{method}"),
        distilled.METHODS,
        tasks=tasks,
        files=files,
        of_text=_OF_TEXT,
        slow=_OF_TEXT,
        num_seeds=num_seeds,
        num_slow_seeds=num_text_seeds,
        num_steps=num_steps,
        usual_steps=distilled.NUM_STEPS["one_pass"],
    )


def write(runs: Mapping[str, FinishedRun], workdir: Path) -> Path:
    """Writes the report of the finished runs, and returns its path."""
    return page.write(report(runs), workdir)


def report(runs: Mapping[str, FinishedRun]) -> Report:
    """Builds the report of the study.

    Args:
      runs: the runs, by folder name.
    """
    tasks = by_task.trained(runs, distilled.TASKS)
    introduction = [
        "TextKD-GAN (Haidar & Rezagholizadeh 2019, arXiv 1905.01976) beside variant (a) of Kusner & Hernández-Lobato "
        "2016, whose soft samples a discriminator compares with one-hot data, and beside one-pass generators of "
        "one-hot samples.",
        "A step of TextKD-GAN takes five batches of 64 sequences for the critic, a step of the others one. Seeds were "
        "not selected; the weights are the final ones. The rank tests of the verdict are not corrected for their "
        "number.",
        by_task.command("distilled", tasks, of_text=_OF_TEXT),
    ]
    title = "Softmax outputs of an autoencoder in place of one-hot data"
    return Report(title, introduction, list(runs.values()), by_task.figures(runs, tasks), verdict(runs))


def verdict(runs: Mapping[str, FinishedRun]) -> list[Statement]:
    """Returns whether the autoencoder helps in these runs, with the numbers.

    Args:
      runs: the runs, by folder name.
    """
    statements = []
    for task, (metric, beside) in _METRICS.items():
        for ours, theirs in (("one_pass", "soft"), ("one_pass", "hard"), ("recurrent", "soft")):
            first, second = runs.get(f"{task}_{ours}"), runs.get(f"{task}_{theirs}")
            if first is not None and second is not None:
                claim = f"{first.label}, is closer to the data than {theirs}"
                statements.append(compared(claim, first, second, metric, shown=(beside,)))
    return statements
