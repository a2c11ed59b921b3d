"""Changes the paper's GAN into a recipe that works, one change per rung.

python -m experiments.study ladder --workdir=DIR [--num_seeds=8] [--num_steps=3000]

The first rung is variant (a) of Kusner & Hernández-Lobato (2016): soft samples, latents in both states, a temperature
from 5 to 1. Each rung changes one thing; a change that is only tried is not in later rungs. An interrupted
study is resumed. It takes two and a half hours of one core of an AMD EPYC (2026-11-27).
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from experiments.configs import paper
from experiments.reports import figures
from experiments.reports.runs import FinishedRun
from experiments.studies import tables
from experiments.studies.study import Flag, Part
from gumbel_gan.metrics import describe

FLAGS = (
    Flag("num_seeds", 8, "Number of seeds of each rung."),
    Flag("num_steps", 3_000, "Number of steps of each rung."),
)
_FILE = "experiments/configs/paper.py:a"
_METRICS = ("validity", "kl_data_model", "total_variation")
_VALID, _FAILED = 0.99, 0.5


class Rung(NamedTuple):
    """A change of the recipe.

    Attributes:
      caption: what changes, in a few words.
      settings: the settings that change, by their paths.
      is_kept: whether later rungs keep the change.
    """

    caption: str
    settings: Mapping[str, Any] = MappingProxyType({})
    is_kept: bool = True


RUNGS = {
    "paper": Rung("variant (a) of the paper"),
    "straight_through": Rung("straight-through samples", {"algorithm.estimator": "straight_through"}),
    "penalties": Rung(
        "R1 and R2",
        {
            "algorithm.penalty.real_weight": "constant(3.0)",
            "algorithm.penalty.generated_weight": "constant(3.0)",
            "algorithm.penalty.fraction": 0.25,
        },
    ),
    "head": Rung(
        "a pooled, bidirectional discriminator",
        {"algorithm.discriminator.pooling": "last_and_mean", "algorithm.discriminator.bidirectional": True},
    ),
    "ema": Rung("EMA of the generator", {"algorithm.ema_decay": 0.998}),
    "rates": Rung(
        "two rates that decay, Adam without momentum",
        {
            "algorithm.generator_optimizer.learning_rate": "cosine(2e-3, 1e-4)",
            "algorithm.generator_optimizer.b1": 0.0,
            "algorithm.generator_optimizer.b2": 0.9,
            "algorithm.discriminator_optimizer.learning_rate": "cosine(4e-3, 2e-4)",
            "algorithm.discriminator_optimizer.b1": 0.0,
            "algorithm.discriminator_optimizer.b2": 0.9,
        },
    ),
    "updates": Rung("two discriminator updates a step", {"algorithm.discriminator_updates": 2}, is_kept=False),
    "no_annealing": Rung("temperature 1 throughout", {"algorithm.temperature": "constant(1.0)"}),
    "no_latents": Rung("no latents", {"algorithm.generator.latent": "none"}),
    "noise": Rung("instance noise", {"algorithm.instance_noise": "linear(0.7, 0.2)"}, is_kept=False),
    "score": Rung("half a score-function gradient", {"algorithm.score_weight": 0.5}),
    "only_score": Rung("no relaxed gradient", {"algorithm.score_weight": 1.0}, is_kept=False),
    "width": Rung("LSTM 8 in place of 32 as generator", {"algorithm.generator.hidden_size": 8}),
    "narrow": Rung("LSTM 8 in place of 32 as discriminator", {"algorithm.discriminator.hidden_size": 8}),
}


def parts(*, num_seeds: int, num_steps: int) -> dict[str, Part]:
    """Returns the rungs by folder name, from the first to the last."""
    found = {}
    kept: dict[str, Any] = {"num_seeds": num_seeds, "num_steps": num_steps, "steps_per_chunk": 100}
    for number, (name, rung) in enumerate(RUNGS.items()):
        settings = kept | dict(rung.settings)
        config = paper.get_config("a")
        config.update_from_flattened_dict(settings)
        found[name] = Part(str(number), rung.caption, _FILE, config, tuple(settings))
        if rung.is_kept:
            kept = settings
    return found


def table(runs: Mapping[str, FinishedRun]) -> str:
    """Returns the table in Markdown."""
    first = next(iter(runs.values())).summary
    lines = [
        f"{tables.seeds(first)}, {first.steps:,} steps; exact distances, "
        f"median (least … greatest). {tables.measured(first)} A change in brackets "
        "is not in the rungs after it.",
        "",
        f"| rung | change | {tables.titles(_METRICS)} | seeds of validity ≥ {_VALID} and total variation < {_FAILED} |",
        "|---|---|---|---|---|---|",
    ]
    for name, run in runs.items():
        cells = [tables.spread(run.final(metric), 3) for metric in _METRICS]
        good = (run.final("validity") >= _VALID) & (run.final("total_variation") < _FAILED)
        caption = RUNGS[name].caption if RUNGS[name].is_kept else f"({RUNGS[name].caption})"
        lines.append(f"| {run.label} | {caption} | {' | '.join(cells)} | {good.sum()} of {len(good)} |")
    return "\n".join(lines) + "\n"


def draw(runs: Mapping[str, FinishedRun], path: Path) -> None:
    """Draws the final validity and total variation of each seed on each rung."""
    figure = figures.new_figure(10, 0.3 * len(runs) + 1)
    captions = [RUNGS[name].caption for name in runs]
    for panel, metric in enumerate(("validity", "total_variation")):
        axes = figure.add_subplot(1, 2, panel + 1)
        for place, run in enumerate(runs.values()):
            values = run.final(metric)
            axes.plot(values, np.full(len(values), place), "o", markersize=3, color="tab:blue", alpha=0.6)
            axes.plot(np.median(values), place, "|", markersize=12, color="black")
        axes.set_xlim(-0.03, 1.03)
        axes.invert_yaxis()
        axes.set_yticks(range(len(captions)), ["" if panel else caption for caption in captions])
        axes.set_xlabel(describe(metric).title)
        axes.grid(axis="x", alpha=0.3)
    figure.savefig(path, dpi=120)


def write(runs: Mapping[str, FinishedRun], workdir: Path) -> Path:
    """Writes and prints the table of the finished runs, draws the figure, and returns the table's path."""
    draw(runs, workdir / "ladder.png")
    return tables.write(table(runs), workdir)
