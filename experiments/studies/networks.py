"""Trains every pair of networks from scratch by the main job's recipe, in half its steps, and tabulates distances.

python -m experiments.study networks --workdir=DIR [--num_seeds=4] [--num_steps=1500]

Goes on where it stopped. Half an hour on two CPU cores (AMD EPYC), if nothing else runs on them.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from absl import flags

from experiments import cli
from experiments.configs import arithmetic_networks
from experiments.reports.runs import FinishedRun
from experiments.run.directory import write_text
from experiments.studies import study
from experiments.studies.study import Part

_METRICS = ("validity", "kl_data_model", "total_variation")


def parts(*, num_seeds: int, num_steps: int) -> dict[str, Part]:
    """Returns the parts of the study, in the order of their training, by the names of their folders."""
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
    """Returns the table in Markdown: medians and ranges over seeds, and the steps a second of all seeds together."""
    first = next(iter(runs.values())).summary
    lines = [
        f"{len(first['seeds'])} seeds ({first['seeds'][0]} to {first['seeds'][-1]}), {first['steps']:,} steps; exact "
        f"distances, median (least … greatest). {first['hardware']}, {first['date']}, jax {first['versions']['jax']}. "
        "Steps a second: of all seeds in one program, on a shared machine, compilation left out.",
        "",
        "| generator | discriminator | validity mass | KL(data‖model), nats | total variation | steps a second |",
        "|---|---|---|---|---|---|",
    ]
    for run in runs.values():
        cells = [_spread(run.final(name)) for name in _METRICS]
        lines.append(f"| {run.label.replace(',', ' | ')} | {' | '.join(cells)} | {_steps_per_second(run):.0f} |")
    return "\n".join(lines) + "\n"


def define_flags() -> None:
    """Defines the flags; not at import, since another study has flags of the same names."""
    flags.DEFINE_string("workdir", None, "Folder for the runs and table.md; made if need be.", required=True)
    flags.DEFINE_integer("num_seeds", 4, "Seeds of each pair.", lower_bound=1)
    flags.DEFINE_integer("num_steps", 1_500, "Steps of each pair.", lower_bound=1)


def main() -> None:
    """Trains what is not trained yet, and writes the table."""
    workdir = Path(flags.FLAGS.workdir)
    runs = study.run(parts(num_seeds=flags.FLAGS.num_seeds, num_steps=flags.FLAGS.num_steps), workdir)
    text = table(runs)
    write_text(workdir / "table.md", text)
    cli.screen().print(text, soft_wrap=True, markup=False, highlight=False)


def _spread(values: np.ndarray) -> str:
    return f"{np.median(values):.3f} ({values.min():.3f} … {values.max():.3f})"


def _steps_per_second(run: FinishedRun) -> float:
    """Computes the median speed of the chunks after the first, which compiles."""
    steps, seconds = (np.diff([row[name] for row in run.rows]) for name in ("step", "wall_seconds"))
    return float(np.median(steps / seconds))
