"""Compares TextKD-GAN (Haidar & Rezagholizadeh 2019) with GANs on soft and on one-hot samples, without its autoencoder.

python -m experiments.study distilled --workdir=DIR --files=TEXT [--num_seeds=8] [--num_text_seeds=4]

An interrupted study is resumed. Haidar & Rezagholizadeh 2019, https://arxiv.org/abs/1905.01976.
"""

from collections.abc import Mapping
from pathlib import Path

from experiments.config.choices import choose
from experiments.configs import distilled
from experiments.reports import page
from experiments.reports.report import Report, Statement, compare
from experiments.reports.runs import FinishedRun
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
    found = {}
    for task in dict.fromkeys(choose(name, distilled.TASKS, "--tasks") for name in tasks.split(",")):
        if task == "text" and not files:
            continue
        for method in _METHODS[task]:
            config = distilled.get_config(f"{task},{method}")
            config.num_seeds = num_text_seeds if task == "text" else num_seeds
            config.num_steps = max(1, num_steps * config.num_steps // distilled.NUM_STEPS["one_pass"])
            changes = ["num_seeds", "num_steps"]
            if task == "text":
                config.task.files = files
                changes.append("task.files")
            file = f"experiments/configs/distilled.py:{task},{method}"
            found[f"{task}_{method}"] = Part(
                f"{method}, {task}", distilled.METHODS[method], file, config, tuple(changes)
            )
    if not found:
        raise ValueError(f"--files must name a text for --tasks={tasks}, got ''")
    return found


def write(runs: Mapping[str, FinishedRun], workdir: Path) -> Path:
    """Writes the report of the finished runs, and returns its path."""
    return page.write(report(runs), workdir)


def report(runs: Mapping[str, FinishedRun]) -> Report:
    """Builds the report of the study.

    Args:
      runs: the runs, by folder name.
    """
    tasks = [task for task in distilled.TASKS if any(name.startswith(f"{task}_") for name in runs)]
    introduction = [
        "TextKD-GAN (Haidar & Rezagholizadeh 2019, arXiv 1905.01976) beside variant (a) of Kusner & Hernández-Lobato "
        "2016, whose soft samples a discriminator compares with one-hot data, and beside one-pass generators of "
        "one-hot samples.",
        "A step of TextKD-GAN takes five batches of 64 sequences for the critic, a step of the others one. Seeds were "
        "not selected; the weights are the final ones. The rank tests of the verdict are not corrected for their "
        "number.",
        f"python -m experiments.study distilled --workdir=DIR{' --files=TEXT' if 'text' in tasks else ''} "
        f"--tasks={','.join(tasks)}",
    ]
    drawn = []
    for task in tasks:
        of_task = [run for name, run in runs.items() if name.startswith(f"{task}_")]
        drawn += [
            figure._replace(name=f"{figure.name}_{task}", title=f"{task}: {figure.title}")
            for figure in compare(of_task, title=task).figures
        ]
    title = "Softmax outputs of an autoencoder in place of one-hot data"
    return Report(title, introduction, list(runs.values()), drawn, verdict(runs))


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
