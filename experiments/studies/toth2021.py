"""Trains the importance-weighted GAN of Toth (2021), also without parts of its loss; reports bands over seeds.

python -m experiments.study toth2021 --workdir=DIR [--files=female.txt,male.txt] [--num_seeds=30]
python -m experiments.study toth2021 --workdir=DIR --tasks=molecules

An interrupted study is resumed. Toth 2021, https://github.com/tarnag57/particle_filter_gan.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import jax
import numpy as np

from experiments.config.choices import choose_several
from experiments.configs import toth
from experiments.reports import curves, figures, page
from experiments.reports.report import Figure, Report, Statement, lengths_figure, samples_figure, trade_off_figure
from experiments.reports.runs import FinishedRun
from experiments.run.directory import RunDirectory
from experiments.run.restore import restore
from experiments.studies import by_task, rank_test
from experiments.studies.study import Flag, Part

FLAGS = (
    Flag("tasks", "names,grammar", f"Tasks, separated by commas: {', '.join(toth.TASKS)}."),
    Flag(
        "num_seeds",
        30,
        "Number of seeds, on names, of the loss of Toth's section 3 with and without the discriminator.",
    ),
    Flag("num_variant_seeds", 8, "Number of seeds of the other parts."),
    Flag("num_steps", 10_400, "Number of training steps; 10,400 are 200 epochs of Toth's lists."),
    Flag("files", "", "Lists of names, separated by commas, such as Toth's two; '' for those of a package."),
)
_FIGURE_6_NAMES = 200
_FORCED_LENGTH = 10
# Slightly less than the total variation of a generator that always writes 'x'.
_FAILED = 0.19
# For each task, the metric of the rank tests, and others that are shown.
_METRICS = {
    "names": ("heldout_nll", ("ngram_divergence_3", "length_distance", "uniqueness")),
    "grammar": ("total_variation", ("validity", "distinct_strings")),
    "molecules": ("heldout_nll", ("validity", "uniqueness", "length_distance")),
}


def parts(*, tasks: str, num_seeds: int, num_variant_seeds: int, num_steps: int, files: str) -> dict[str, Part]:
    """Returns the parts of the study by folder name, in the order of training.

    Args:
      tasks: names of the tasks, separated by commas.
      num_seeds: seeds of the loss of his section 3, with and without the discriminator, on names.
      num_variant_seeds: seeds of the other parts.
      num_steps: training steps.
      files: files of names, separated by commas; '' for those of the package.

    Raises:
      ValueError: `tasks` names an unknown task.
    """
    found = {}
    for task in choose_several(tasks, toth.TASKS, "--tasks"):
        for name, caption in toth.VARIANTS.items():
            config = toth.get_config(f"{name},{task}")
            config.num_seeds = num_seeds if task == "names" and name in ("section3", "constant") else num_variant_seeds
            config.num_steps = num_steps
            changes = ["num_seeds", "num_steps"]
            if task == "names":
                config.task.files = files
                changes.append("task.files")
            file = f"experiments/configs/toth.py:{name},{task}"
            found[f"{task}_{name}"] = Part(f"{name}, {task}", caption, file, config, tuple(changes))
    return found


def write(runs: Mapping[str, FinishedRun], workdir: Path) -> Path:
    """Writes the report of the finished runs, and returns its path."""
    return page.write(report(runs, workdir / "names_section3"), workdir)


def report(runs: Mapping[str, FinishedRun], names_run: Path) -> Report:
    """Builds the report of the study.

    Args:
      runs: the runs, by folder name.
      names_run: the folder of the run of `section3` on names, whose names are shown; unused without that run.
    """
    tasks = by_task.trained(runs, toth.TASKS)
    drawn = _figures_of_names(runs, names_run) if "names" in tasks else []
    for task in tasks:
        of_task = [runs[f"{task}_{name}"] for name in toth.VARIANTS]
        if task != "names":
            drawn.append(samples_figure(of_task, task, f"On {task}."))
        if task != "grammar":
            drawn.append(lengths_figure(of_task, "lengths" if task == "names" else f"lengths_{task}"))
    files = " --files=FILES" if "names" in tasks else ""
    return Report(
        "Toth's importance-weighted GAN, with bands over seeds",
        [
            "Section 5 of Toth's report (2021): names from an LSTM of width 8 that is trained on real names only, each "
            "weighted by the discriminator's output for it and by its probability under the generator; the same on "
            "the arithmetic grammar or on molecules, and with parts of the loss left out.",
            "Seeds were not selected; the weights are the final ones; nothing was tuned. The rank tests of the verdict "
            "are not corrected for their number.",
            f"python -m experiments.study toth2021 --workdir=DIR --tasks={','.join(tasks)}{files}. "
            f"{' '.join(runs[f'{tasks[0]}_section3'].summary.notes)}",
        ],
        list(runs.values()),
        drawn,
        verdict(runs),
    )


def _figures_of_names(runs: Mapping[str, FinishedRun], names_run: Path) -> list[Figure]:
    """Returns Toth's figures, and the quality of names against their diversity."""
    section3 = runs["names_section3"]
    generated = RunDirectory(names_run).read_samples()
    restored = restore(names_run)
    task = restored.experiment.task
    state = jax.tree.map(lambda leaf: leaf[0], restored.state)
    params = restored.experiment.algorithm.params(state)
    drawn = restored.experiment.model.sample(jax.random.key(0), params, 20, exact_length=_FORCED_LENGTH)
    forced = task.decode(np.asarray(drawn))
    real = task.decode(task.train.tokens[:_FIGURE_6_NAMES])
    columns = {
        "five names": generated[:5],
        "fifty names": generated[5:55],
        f"forced to length {_FORCED_LENGTH}": forced,
        "real names": real[:20],
    }
    return [
        Figure(
            "figure5",
            "losses over training",
            f"His Figure 5: the losses over training, mean and range over {len(section3.replicas)} seeds.",
            lambda path: curves.draw_means(section3, ("discriminator_loss", "generator_loss"), path),
        ),
        Figure(
            "figure6",
            "lengths of names",
            f"His Figure 6: the lengths of {_FIGURE_6_NAMES} generated names of the first seed and of as many real "
            "names; on the right, those of the names of all seeds and of all real names.",
            lambda path: _draw_lengths(section3, generated[:_FIGURE_6_NAMES], real, path),
        ),
        Figure(
            "names",
            "names",
            "Names of the first seed, not selected.",
            lambda path: figures.draw_columns(columns, path),
            "".join(f"{title}\n  {' '.join(strings)}\n" for title, strings in columns.items()),
        ),
        trade_off_figure([runs[f"names_{name}"] for name in toth.VARIANTS], "trade_off"),
    ]


def verdict(runs: Mapping[str, FinishedRun]) -> list[Statement]:
    """Returns statements on which parts of the loss train the generator, with the numbers.

    Args:
      runs: the runs, by folder name.
    """
    constant = "the loss of his section 3 against the same with a constant for log(1 - D)"
    undivided = "the loss of his section 3 against his training loss, without the division by p_data"
    exponent_0 = "exponent 0 against the loss of his section 3"
    likelihood = "exponent 0 against maximum likelihood"
    claims = (
        (constant, "section3", "constant"),
        (undivided, "section3", "training_loss"),
        (exponent_0, "tempered", "section3"),
        (likelihood, "tempered", "likelihood"),
    )
    return [
        rank_test.compared(
            f"{task.capitalize()}: {claim}",
            runs[f"{task}_{name}"],
            runs[f"{task}_{other}"],
            metric,
            shown=shown,
            failed_beyond=_FAILED if task == "grammar" else None,
        )
        for task, (metric, shown) in _METRICS.items()
        if f"{task}_section3" in runs
        for claim, name, other in claims
    ]


def _draw_lengths(run: FinishedRun, generated: Sequence[str], real: Sequence[str], path: Path) -> None:
    """Draws histograms of the lengths of some generated and real names, and of all names."""
    known = run.summary.length_distribution or {}
    pairs = {
        f"{len(generated)} names each": [
            np.bincount([len(name) for name in names], minlength=len(known["train"])) / len(names)
            for names in (generated, real)
        ],
        "all names": [
            np.mean([known["members"][replica] for replica in run.replicas], axis=0),
            np.array(known["train"]),
        ],
    }
    figure = figures.new_figure(8, 3.2)
    for column, (title, distributions) in enumerate(pairs.items()):
        axes = figure.add_subplot(1, 2, column + 1)
        for offset, label, shares in zip((-0.2, 0.2), ("generated", "real"), distributions, strict=True):
            axes.bar(np.arange(len(shares)) + offset, shares, width=0.4, label=label)
        axes.set_title(title, fontsize="medium")
        axes.set_xlabel("letters")
        axes.set_ylabel("share of names")
        axes.legend(fontsize="small")
    figure.savefig(path, dpi=120)
