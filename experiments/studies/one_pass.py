"""Compares settings of one-pass generators, as many of a GAN as of a variational autoencoder.

python -m experiments.study one_pass --workdir=DIR [--data=arithmetic] [--num_seeds=4] [--num_steps=1000] [--only=A,B]

Each setting differs from `experiments/configs/one_pass.py` as its name states. Samples of both methods are compared
with the validation set: the best setting has the least sum of the Jensen-Shannon divergence of 4-grams and the total
variation of lengths. The draw of the data and the seeds differ from those of the reported results. An interrupted study
is resumed.
"""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.config.choices import choose, choose_several
from experiments.configs import one_pass
from experiments.reports.runs import FinishedRun
from experiments.studies import tables
from experiments.studies.study import Flag, Part

FLAGS = (
    Flag("data", "arithmetic", "Data of the runs, as after the method in one_pass.py."),
    Flag("num_seeds", 4, "Number of seeds of each setting, from 100."),
    Flag("num_steps", 1_000, "Number of steps of each setting."),
    Flag("only", "", "Names of settings to run, separated by commas; '' runs as many of each method."),
)
_FIRST_SEED = 100
_METRICS = ("validity", "ngram_divergence_4", "length_distance")
_CHOSEN_BY = ("ngram_divergence_4", "length_distance")
_KL_WEIGHTS = {"whole": "constant(1.0)", "half": "constant(0.5)", "growing": "linear(0.0, 1.0)"}
_RATES = {"slow": "cosine(2e-3, 2e-5)", "fast": "cosine(5e-3, 5e-5)"}
_LATENTS = {"small": 8, "large": 32}
_PENALTIES = ("algorithm.penalty.real_weight", "algorithm.penalty.generated_weight")

SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "gan": {
        "config": {},
        "relaxed": {"algorithm.score_weight": 0.0},
        "score": {"algorithm.score_weight": 1.0},
        "reinmax": {"algorithm.estimator": "reinmax"},
        "relativistic": {"algorithm.objective": "relativistic"},
        "growing_penalties": dict.fromkeys(_PENALTIES, "linear(3.0, 30.0)"),
        "two_updates": {"algorithm.discriminator_updates": 2},
        "averaged_discriminator": {"algorithm.discriminator_ema_decay": "constant(0.99)"},
        "packs_of_2": {"algorithm.discriminator.pack_size": 2},
        "small_latent": {"algorithm.generator.latent_size": 8},
        "relaxed_two_updates": {"algorithm.score_weight": 0.0, "algorithm.discriminator_updates": 2},
        "relaxed_three_updates": {"algorithm.score_weight": 0.0, "algorithm.discriminator_updates": 3},
    },
    "vae": {
        f"{weight}_{rate}_{latent}": {
            "algorithm.kl_weight": _KL_WEIGHTS[weight],
            "algorithm.optimizer.learning_rate": _RATES[rate],
            "algorithm.generator.latent_size": _LATENTS[latent],
        }
        for weight, rate, latent in itertools.product(_KL_WEIGHTS, _RATES, _LATENTS)
    },
}
"""The settings by name, for each method of `configs/one_pass.py`."""

FURTHER: dict[str, dict[str, Any]] = {
    "half_an_update": {"algorithm.discriminator_optimizer.steps_per_update": 2},
    "reinmax_rao": {"algorithm.estimator": "reinmax_rao(num_draws=10)"},
    "reinmax_cv": {"algorithm.estimator": "reinmax_cv(num_draws=10)"},
}
"""Settings of the GAN that run only if they are named, so that both methods have an equal search."""


def parts(*, data: str, num_seeds: int, num_steps: int, only: str) -> dict[str, Part]:
    """Returns the runs, one for each setting, by the names of method and setting.

    Raises:
      ValueError: `data` is not one of `one_pass.DATA`, or `only` names an unknown setting.
    """
    choose(data, one_pass.DATA, "--data")
    found = {}
    searched = [f"{method}_{name}" for method, settings in SETTINGS.items() for name in settings]
    for method, settings in (*SETTINGS.items(), ("gan", FURTHER)):
        for name, changed in settings.items():
            config = one_pass.get_config(f"{method},{data}")
            changes = changed | {
                "num_seeds": num_seeds,
                "seed": _FIRST_SEED,
                "task.seed": _FIRST_SEED,
                "heldout": "validation",
                "num_compared": 500,
                "num_samples": 5_000,
                "num_steps": num_steps,
                "temperatures": (),
            }
            config.update_from_flattened_dict(changes)
            caption = ", ".join(f"{path.removeprefix('algorithm.')} {value}" for path, value in changed.items())
            file = f"experiments/configs/one_pass.py:{method},{data}"
            found[f"{method}_{name}"] = Part(f"{method} {name}", caption or "as it is", file, config, tuple(changes))
    return {name: found[name] for name in (choose_several(only, found, "--only") if only else searched)}


def table(runs: Mapping[str, FinishedRun]) -> str:
    """Returns the table in Markdown, the best setting of each method in bold."""
    first = next(iter(runs.values())).summary
    medians = {name: sum(float(np.median(run.final(each))) for each in _CHOSEN_BY) for name, run in runs.items()}
    methods = {name: name.partition("_")[0] for name in runs}
    lines = [
        f"{tables.seeds(first)}, draw {_FIRST_SEED} of the data, {first.task}, {first.steps:,} steps; against the "
        f"validation set, median (least … greatest); bold is the least sum of the last two columns. "
        f"{tables.measured(first)}",
        "",
        f"| method | what differs from its config | {tables.titles(_METRICS)} |",
        "|---|---|---|---|---|",
    ]
    for name, run in runs.items():
        is_best = medians[name] == min(medians[other] for other in runs if methods[other] == methods[name])
        caption = f"**{run.caption}**" if is_best else run.caption
        cells = [tables.spread(run.final(each), 3) if run.has(each) else "" for each in _METRICS]
        lines.append(f"| {methods[name]} | {caption} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def write(runs: Mapping[str, FinishedRun], workdir: Path) -> Path:
    """Writes and prints the table of the finished runs, and returns its path."""
    return tables.write(table(runs), workdir)
