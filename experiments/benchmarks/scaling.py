"""Measures how the cost of a step grows with batch, length, width, vocabulary and number of seeds.

python -m experiments.benchmarks.scaling [--output=FOLDER]

One size at a time grows from a base. The exponent of the cost is fitted on a log-log scale over the larger half of the
sizes, where fixed costs matter least. For the number of seeds, the seeds per second of one program are also compared
with those of programs of one seed, one after the other. The benchmark takes about seven minutes on two CPU cores, most
of them for compilation.
"""

from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from absl import flags
from scipy import stats

from experiments import cli, devices
from experiments.benchmarks import jax_step, timing
from experiments.benchmarks.timing import Sizes, Spread
from experiments.reports import figures
from experiments.run.directory import check_writable

_NUM_ROUNDS = flags.DEFINE_integer(
    "num_rounds", 5, "Number of rounds; every size has one turn per round.", lower_bound=1
)
_SECONDS = flags.DEFINE_float("seconds", 0.5, "Approximate duration of one turn.", lower_bound=0.01)
_OUTPUT = flags.DEFINE_string("output", None, "Folder for scaling.json and scaling.png.")

BASE = {"batch_size": 128, "length": 12, "num_symbols": 12, "hidden_size": 32, "num_seeds": 2}
SIZES = {
    "batch_size": (64, 128, 256, 512),
    "length": (6, 12, 24, 48),
    "num_symbols": (12, 48, 192, 768),
    "hidden_size": (32, 64, 128, 256),
    "num_seeds": (1, 2, 4, 8, 16, 32, 64),
}


class Growth(NamedTuple):
    """Growth of the cost of a step with one size.

    Attributes:
      sizes: the sizes.
      milliseconds: cost of a step at each size.
    """

    sizes: tuple[int, ...]
    milliseconds: list[Spread]

    @property
    def exponent(self) -> float:
        """The exponent of the cost, fitted over the larger half of the sizes."""
        half = len(self.sizes) // 2
        medians = [spread.median for spread in self.milliseconds]
        return float(stats.linregress(np.log(self.sizes[half:]), np.log(medians[half:])).slope)


def main() -> None:
    """Runs the benchmark as set by the flags."""
    with cli.one_line_errors():
        if _OUTPUT.value is not None:
            check_writable(_OUTPUT.value, "--output")
        devices.select("", num_devices=devices.num_cores())
    screen = cli.screen()
    settings = {(name, size): BASE | {name: size} for name, sizes in SIZES.items() for size in sizes}
    distinct = {str(each): each for each in settings.values()}
    screen.print(f"compiling {len(distinct)} programs ...")
    taken = timing.take_turns(
        {name: _program(**each) for name, each in distinct.items()},
        num_rounds=_NUM_ROUNDS.value,
        seconds=_SECONDS.value,
        report=screen.print,
    )
    growths = {
        name: Growth(sizes, [Spread.of(1e3 * taken[str(settings[name, size])]) for size in sizes])
        for name, sizes in SIZES.items()
    }
    table = timing.table("ms a step of all seeds", "", "sizes", "median ms", "exponent")
    for name, growth in growths.items():
        medians = ", ".join(f"{spread.median:.1f}" for spread in growth.milliseconds)
        table.add_row(_label(name), ", ".join(map(str, growth.sizes)), medians, f"{growth.exponent:.2f}")
    screen.print(table)
    gains = throughput(growths["num_seeds"])
    table = timing.table("seeds a second, against one seed at a time", "seeds", "times")
    for num_seeds, times in gains.items():
        table.add_row(str(num_seeds), f"{times:.2f}")
    screen.print(table)
    if _OUTPUT.value is not None:
        folder = Path(_OUTPUT.value)
        timing.write(
            str(folder / "scaling.json"),
            {
                "machine": timing.machine(),
                "base": BASE,
                "seeds_a_second": gains,
                "growth": {
                    name: {
                        "sizes": growth.sizes,
                        "milliseconds": [spread._asdict() for spread in growth.milliseconds],
                        "exponent": growth.exponent,
                    }
                    for name, growth in growths.items()
                },
            },
        )
        _draw(growths, folder / "scaling.png")


def throughput(growth: Growth) -> dict[int, float]:
    """Returns for each number of seeds its seeds per second, relative to those of one seed at a time."""
    medians = [spread.median for spread in growth.milliseconds]
    return {num: num * medians[0] / median for num, median in zip(growth.sizes, medians, strict=True)}


def _program(*, num_seeds: int, **sizes: int) -> timing.Program:
    return jax_step.scanned(Sizes(**sizes), num_seeds=num_seeds).program


def _label(name: str) -> str:
    return name.replace("_", " ").replace("num ", "number of ")


def _draw(growths: dict[str, Growth], path: Path) -> None:
    """Draws the cost over each size, with the fitted power and the range of the rounds."""
    figure = figures.new_figure(3.0 * len(growths), 3.2)
    axes = figure.subplots(1, len(growths), sharey=True)
    for axis, (name, growth) in zip(axes, growths.items(), strict=True):
        medians, least, greatest = np.transpose(growth.milliseconds)
        axis.errorbar(growth.sizes, medians, [medians - least, greatest - medians], marker="o", capsize=3)
        axis.set(xscale="log", yscale="log", xlabel=_label(name), title=f"exponent {growth.exponent:.2f}")
        axis.set_xticks(growth.sizes, [str(size) for size in growth.sizes])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("ms a step")
    base = ", ".join(f"{_label(name)} {size}" for name, size in BASE.items())
    figure.suptitle(f"base: {base}; {jax.default_backend()}, {len(jax.devices())} devices", fontsize=9)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    cli.run(main)
