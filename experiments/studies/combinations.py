"""Compares all combinations of estimators, objectives, gradients through the feedback, and penalties on the grammar.

python -m experiments.study combinations --workdir=DIR [--num_seeds=8] [--max_length=6] [--num_steps=800] [--only=A,B]

The generator is trained by the relaxed gradient alone, without a score function. By default, all combinations are
trained on short strings. To train the best ones at full length, use --only=NAMES --max_length=12 --num_steps=3000 with
names such as soft-hinge-through. The penalties are two points of each run's sweep. An interrupted study is resumed.
"""

import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from experiments.config.choices import choose_several
from experiments.configs import arithmetic
from experiments.reports.runs import FinishedRun
from experiments.studies import tables
from experiments.studies.study import Flag, Part

FLAGS = (
    Flag("num_seeds", 8, "Number of seeds of each combination."),
    Flag("max_length", 6, "Length of the longest string."),
    Flag("num_steps", 800, "Number of steps of each combination."),
    Flag("only", "", "Names of combinations to run, separated by commas; '' runs all."),
)
ESTIMATORS = ("soft", "straight_through", "gumbel_rao", "reinmax")
OBJECTIVES = ("log_odds", "ratio_kl", "hinge", "relativistic", "wasserstein")
FEEDBACKS = {"through": True, "stopped": False}
PENALTIES = ("constant(0.0)", "constant(3.0)")
_FILE = "experiments/configs/arithmetic.py:wide"
_METRICS = ("validity", "kl_data_model", "total_variation")
_FAR = 0.5


def parts(*, num_seeds: int, max_length: int, num_steps: int, only: str) -> dict[str, Part]:
    """Returns the combinations by name, each a run with a sweep over the penalties.

    Raises:
      ValueError: `only` names an unknown combination.
    """
    found = {}
    for estimator, objective, feedback in itertools.product(ESTIMATORS, OBJECTIVES, FEEDBACKS):
        settings = {
            "num_seeds": num_seeds,
            "num_steps": num_steps,
            "num_shards": 1,
            "steps_per_chunk": max(1, num_steps // 4),
            "batch_size": 64,
            "num_samples": 1_000,
            "task.max_length": max_length,
            "algorithm.estimator": estimator,
            "algorithm.objective": objective,
            "algorithm.feedback.gradient": FEEDBACKS[feedback],
            "algorithm.score_weight": 0.0,
            "algorithm.generator.hidden_size": 16,
            "algorithm.discriminator.hidden_size": 16,
        }
        config = arithmetic.get_config("wide")
        config.update_from_flattened_dict(settings)
        config.sweep = "; ".join(f"algorithm.penalty.{each}_weight={list(PENALTIES)}" for each in ("real", "generated"))
        name = f"{estimator}-{objective}-{feedback}"
        caption = f"estimator {estimator}, objective {objective}, gradient of what is fed back: {feedback}"
        found[name] = Part(name, caption, _FILE, config, (*settings, "sweep"))
    return {name: found[name] for name in choose_several(only, found, "--only")} if only else found


def table(runs: Mapping[str, FinishedRun]) -> str:
    """Returns the tables in Markdown: one row for each value of each choice, then all combinations, the best first."""
    first, *_ = runs.values()
    rows = sorted(map(_row, runs.values()), key=lambda row: (row["fails"].mean(), np.median(row["total_variation"])))
    columns = ("estimator", "objective", "fed back", "penalty")
    lines = [
        f"{len(first.replicas)} seeds, {first.summary.steps:,} steps, relaxed gradient alone; exact distances, "
        f"median (least … greatest). {tables.measured(first.summary)} A seed fails with a "
        f"total variation above {_FAR}.",
        "",
        "| choice | value | seeds that fail | median total variation of the others |",
        "|---|---|---|---|",
        *(_over(rows, column, value) for column in columns for value in dict.fromkeys(row[column] for row in rows)),
        "",
        f"| {' | '.join(columns)} | {tables.titles(_METRICS)} | seeds that fail |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [str(row[column]) for column in columns] + [tables.spread(row[name], 3) for name in _METRICS]
        lines.append(f"| {' | '.join(cells)} | {row['fails'].sum()} of {len(row['fails'])} |")
    return "\n".join(lines) + "\n"


def write(runs: Mapping[str, FinishedRun], workdir: Path) -> Path:
    """Writes and prints the tables of the finished runs, and returns their path."""
    return tables.write(table(runs), workdir)


def _row(run: FinishedRun) -> dict:
    """Returns a combination's choices and final metrics."""
    settings = run.settings
    return {name: run.final(name) for name in _METRICS} | {
        "estimator": settings["algorithm.estimator"],
        "objective": settings["algorithm.objective"],
        "fed back": "through" if settings["algorithm.feedback.gradient"] else "stopped",
        "penalty": settings["algorithm.penalty.real_weight"],
        "fails": run.final("total_variation") > _FAR,
    }


def _over(rows: list[dict], column: str, value: str) -> str:
    """Returns the table row of all combinations with one value of a choice."""
    those = [row for row in rows if row[column] == value]
    fails = np.concatenate([row["fails"] for row in those])
    distances = np.concatenate([row["total_variation"] for row in those])[~fails]
    median = f"{np.median(distances):.3f}" if len(distances) else "none"
    return f"| {column} | {value} | {fails.mean():.0%} of {len(fails)} | {median} |"
