"""Compares Professor Forcing's two terms, apart and together, on states or outputs alone, and ungated, on digits.

python -m experiments.study professor_forcing_terms --workdir=DIR [--num_seeds=8] [--num_steps=2000]

An interrupted study is resumed. Lamb et al. 2016, section 2, https://arxiv.org/abs/1610.09038.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from experiments.configs import professor_forcing
from experiments.reports.runs import FinishedRun
from experiments.studies import tables
from experiments.studies.rank_test import compared
from experiments.studies.study import Flag, Part

FLAGS = (
    Flag("num_seeds", 8, "Number of seeds of each method."),
    Flag("num_steps", professor_forcing.NUM_STEPS, "Training steps of each method."),
)
_METHODS = ("likelihood", "professor", "second", "both", "states", "outputs", "ungated")
_METRICS = ("heldout_nll", "dynamics_accuracy", "dynamics_excess")


def parts(*, num_seeds: int, num_steps: int) -> dict[str, Part]:
    """Returns the parts of the study by folder name, in the order of training."""
    found = {}
    for name in _METHODS:
        variant = f"{name},digits"
        config = professor_forcing.get_config(variant)
        config.num_seeds, config.num_steps = num_seeds, num_steps
        file = f"experiments/configs/professor_forcing.py:{variant}"
        found[name] = Part(name, professor_forcing.METHODS[name], file, config)
    return found


def table(runs: Mapping[str, FinishedRun]) -> str:
    """Returns the table in Markdown, with the tests against likelihood and the least difference that they detect."""
    first = next(iter(runs.values())).summary
    gates = ("generator_gate", "discriminator_gate")
    lines = [
        f"{tables.seeds(first)}, {first.steps:,} steps; median (least … greatest). {tables.measured(first)} "
        "Gates: shares of the steps in which the generator learns from the discriminator, and the latter learns.",
        "",
        f"| method | {tables.titles(_METRICS)} | gates |",
        "|---|---|---|---|---|",
    ]
    for run in runs.values():
        cells = [tables.spread(run.final(name), 3) for name in _METRICS]
        shares = [_mean_share(run, name) for name in gates]
        gate = "" if None in shares else ", ".join(f"{share:.2f}" for share in shares)
        lines.append(f"| {run.caption} | {' | '.join(cells)} | {gate} |")
    lines += ["", "Against likelihood:", ""]
    baseline = runs["likelihood"]
    for name, run in runs.items():
        if run is baseline:
            continue
        for metric in ("heldout_nll", "dynamics_excess"):
            found = compared(f"{name}, {metric}", run, baseline, metric, with_power=True)
            lines.append(f"- {found.claim}: {found.outcome}. {found.evidence}.")
    return "\n".join(lines) + "\n"


def write(runs: Mapping[str, FinishedRun], workdir: Path) -> Path:
    """Writes and prints the table of the finished runs, and returns its path."""
    return tables.write(table(runs), workdir)


def _mean_share(run: FinishedRun, gate: str) -> float | None:
    """Returns the mean of a gate over training and the seeds; None if the method has no gates."""
    return float(np.mean(run.curve(gate))) if gate in run.rows[-1] else None
