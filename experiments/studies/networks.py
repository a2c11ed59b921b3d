"""Trains every pair of generator and discriminator networks as in `arithmetic.py:wide`, with half the steps.

python -m experiments.study networks --workdir=DIR [--num_seeds=4] [--num_steps=1500]

An interrupted study is resumed. The study takes half an hour on two idle cores of an AMD EPYC.
"""

from collections.abc import Mapping
from pathlib import Path

from experiments.configs import arithmetic_networks
from experiments.reports.runs import FinishedRun
from experiments.studies import tables
from experiments.studies.study import Flag, Part

FLAGS = (
    Flag("num_seeds", 4, "Number of seeds of each pair."),
    Flag("num_steps", 1_500, "Number of steps of each pair."),
)
_METRICS = ("validity", "kl_data_model", "total_variation")


def parts(*, num_seeds: int, num_steps: int) -> dict[str, Part]:
    """Returns the parts of the study by folder name, in the order of training."""
    found = {}
    for generator in arithmetic_networks.GENERATORS:
        for discriminator in arithmetic_networks.DISCRIMINATORS:
            pair = f"{generator},{discriminator}"
            config = arithmetic_networks.get_config(pair)
            config.num_seeds, config.num_steps = num_seeds, num_steps
            file = f"experiments/configs/arithmetic_networks.py:{pair}"
            caption = f"generator {generator}, discriminator {discriminator}"
            found[f"{generator}_{discriminator}"] = Part(pair, caption, file, config)
    return found


def table(runs: Mapping[str, FinishedRun]) -> str:
    """Returns the table in Markdown: medians and ranges over seeds, and the speed of training."""
    first = next(iter(runs.values())).summary
    lines = [
        f"{tables.seeds(first)}, {first.steps:,} steps; exact distances, "
        f"median (least … greatest). {tables.measured(first)} Steps a second: of "
        "all seeds in one program, on a shared machine, without compilation.",
        "",
        f"| generator | discriminator | {tables.titles(_METRICS)} | steps a second |",
        "|---|---|---|---|---|---|",
    ]
    for run in runs.values():
        cells = [tables.spread(run.final(name), 3) for name in _METRICS]
        lines.append(f"| {run.label.replace(',', ' | ')} | {' | '.join(cells)} | {1 / run.seconds_per_step():.0f} |")
    return "\n".join(lines) + "\n"


def write(runs: Mapping[str, FinishedRun], workdir: Path) -> Path:
    """Writes and prints the table of the finished runs, and returns its path."""
    return tables.write(table(runs), workdir)
