"""Times `arithmetic.py:wide` from the start of its process to a generator of a given quality.

python -m experiments.benchmarks.time_to_quality [--num_seeds=8] [--output=FILE.json]

The seeds are trained one after the other, each in its own process `python -m experiments.train`. The quality is the
exact one of the averaged generator, which the run measures after each chunk of steps. The benchmark takes about six
minutes on two CPU cores.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from experiments import cli, devices
from experiments.benchmarks import timing
from experiments.benchmarks.timing import Spread
from experiments.config.locate import located
from experiments.run.directory import RunDirectory, check_writable

_NUM_SEEDS = flags.DEFINE_integer("num_seeds", 8, "Number of seeds, from 0.", lower_bound=1)
_CONFIG = flags.DEFINE_string("experiment", "experiments/configs/arithmetic.py:wide", "The experiment's config file.")
_VALIDITY = flags.DEFINE_float(
    "validity", 0.99, "Smallest validity that counts as reached.", lower_bound=0, upper_bound=1
)
_KL = flags.DEFINE_float("kl", 0.03, "Largest KL(data || model) that counts as reached, in nats.", lower_bound=0)
_OUTPUT = flags.DEFINE_string("output", None, "File for all figures, as JSON.")

LABELS = {"first_metrics": "first metrics on the screen", "quality": "quality reached", "end": "end of the process"}


def main() -> None:
    """Runs the benchmark as set by the flags."""
    with cli.one_line_errors():
        if not Path(located(_CONFIG.value).partition(":")[0]).is_file():
            raise ValueError(f"--experiment must be a config file, got {_CONFIG.value!r}")
        if _OUTPUT.value is not None:
            check_writable(Path(_OUTPUT.value).parent, "--output")
    screen = cli.screen()
    rows: list[dict[str, Any]] = []
    for seed in range(_NUM_SEEDS.value):
        rows.append(_run(seed))
        screen.print(f"seed {seed}: {_text(rows[-1])}")
    times = {name: [row[name] for row in rows if row[name] is not None] for name in LABELS}
    spreads = {name: Spread.of(values)._asdict() for name, values in times.items() if values}
    figures = {
        "num_cores": devices.num_cores(),
        "date": time.strftime("%Y-%m-%d"),
        "validity": _VALIDITY.value,
        "kl_data_model": _KL.value,
        "seeds": rows,
        "seconds": spreads,
    }
    table = timing.table("seconds since the process started", "", "median", "least–greatest")
    for name, spread in spreads.items():
        table.add_row(LABELS[name], f"{spread['median']:.1f}", f"{spread['least']:.1f}–{spread['greatest']:.1f}")
    screen.print(table)
    screen.print(
        f"{len(times['quality'])} of {len(rows)} seeds reached a validity of {_VALIDITY.value} and a KL of {_KL.value}"
    )
    timing.write(_OUTPUT.value, figures)


def _run(seed: int) -> dict[str, Any]:
    """Trains a seed, and returns the seconds from the start of its process to each event of `LABELS`; None if never."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-u", "-m", "experiments.train", f"--workdir={folder}/run"]
        command += [f"--config={_CONFIG.value}", f"--config.seed={seed}", "--config.num_seeds=1"]
        started, shown = time.monotonic(), []
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                if line.startswith("step "):
                    shown.append(time.monotonic() - started)
        end = time.monotonic() - started
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}")
        rows = RunDirectory(f"{folder}/run").read_metrics()
    good = [
        seconds
        for seconds, row in zip(shown, rows, strict=True)
        if np.min(row["validity"]) >= _VALIDITY.value and np.max(row["kl_data_model"]) <= _KL.value
    ]
    return {"seed": seed, "first_metrics": shown[0], "quality": good[0] if good else None, "end": end}


def _text(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {'never' if row[key] is None else f'{row[key]:.1f} s'}" for key, name in LABELS.items())


if __name__ == "__main__":
    cli.run(main)
