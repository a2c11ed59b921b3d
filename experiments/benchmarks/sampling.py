"""Times sampling in one pass and symbol by symbol, with networks of equal size; reports the ratios of one run.

python -m experiments.benchmarks.sampling [--output=FILE.json] [--num_rounds=9]
python -m experiments.benchmarks.sampling --workdir=DIR --workdir=DIR [--output=FILE.json] [--num_rounds=9]

The transformers have width 64, 3 layers and 4 heads, and the LSTM width 64. There are 48 symbols, and batches of 128.
The transformer that samples symbol by symbol uses a cache of keys and values. The benchmark takes about four minutes on
two CPU cores. With folders of runs, their generators are timed instead, on test sources if the runs have any.
"""

from typing import Any

import jax
import numpy as np
from absl import flags
from rich.table import Table

import gumbel_gan as gg
from experiments import cli, devices
from experiments.benchmarks import timing
from experiments.benchmarks.timing import Program, Spread
from experiments.run import pairs
from experiments.run.restore import replica_state, restore
from gumbel_gan.networks import Params

_NUM_ROUNDS = flags.DEFINE_integer(
    "num_rounds", 9, "Number of rounds; every program has one turn per round.", lower_bound=1
)
_SECONDS = flags.DEFINE_float("seconds", 1.0, "Approximate duration of one turn.", lower_bound=0.01)
_LENGTHS = flags.DEFINE_multi_integer("length", [12, 64, 256], "T, symbols of a sequence.", lower_bound=1)
_WORKDIRS = flags.DEFINE_multi_string("workdir", [], "Folders of runs to time; ratios are to the first of them.")
_OUTPUT = flags.DEFINE_string("output", None, "File for all figures, as JSON.")

NUM_SYMBOLS, WIDTH, BATCH_SIZE = 48, 64, 128
_ONE_PASS = "in one pass, transformer"


def generators(length: int) -> dict[str, gg.Generator]:
    """Returns the generators by name, for sequences of `length` symbols."""
    sizes: dict[str, Any] = {"num_layers": 3, "num_heads": 4, "latent_size": WIDTH}
    return {
        _ONE_PASS: gg.one_pass_generator(NUM_SYMBOLS, length, WIDTH, **sizes),
        "in one pass, convolutions": gg.convolutional_one_pass_generator(
            NUM_SYMBOLS, length, WIDTH, num_blocks=3, latent_size=WIDTH
        ),
        "symbol by symbol, transformer": gg.transformer_generator(NUM_SYMBOLS, WIDTH, **sizes),
        "symbol by symbol, LSTM": gg.lstm_generator(NUM_SYMBOLS, WIDTH, latent="hidden"),
    }


def program(generator: gg.Generator, length: int) -> Program:
    """Builds a program that samples a batch from an untrained generator; a step is one sequence."""
    model = gg.sequence_model(generator, length=length)
    return _sampling(model, model.init(jax.random.key(0)), None)


def program_of_run(workdir: str) -> Program:
    """Builds a program that samples a batch from the generator of a run, on test sources if the run has any.

    Raises:
      ValueError: `workdir` holds no run with a checkpoint.
    """
    restored = restore(workdir, platform="", checkpoint="last")
    algorithm, task = restored.experiment.algorithm, restored.experiment.task
    sources = pairs.sample_conditions(task, "test")
    condition = None if sources is None else sources[np.arange(BATCH_SIZE) % len(sources)]
    return _sampling(algorithm.model, algorithm.params(replica_state(restored, 0)), condition)


def main() -> None:
    """Runs the benchmark as set by the flags."""
    devices.select("", num_devices=1)
    screen = cli.screen()
    figures: dict[str, Any] = {"machine": timing.machine(), "batch_size": BATCH_SIZE}
    if _WORKDIRS.value:
        with cli.one_line_errors():
            programs = {workdir: program_of_run(workdir) for workdir in _WORKDIRS.value}
        table = _table(next(iter(programs)))
        figures["runs"] = _measure(programs, "", table)
    else:
        table = _table(_ONE_PASS)
        figures |= {"sizes": {"num_symbols": NUM_SYMBOLS, "width": WIDTH}, "lengths": {}}
        for length in _LENGTHS.value:
            screen.print(f"{length} symbols ...", highlight=False)
            programs = {name: program(generator, length) for name, generator in generators(length).items()}
            figures["lengths"][str(length)] = _measure(programs, f"{length} symbols: ", table)
    screen.print(table)
    timing.write(_OUTPUT.value, figures)


def _sampling(model: gg.SequenceModel, params: Params, condition: Any) -> Program:
    sample = jax.jit(lambda key, params: model.sample(key, params, BATCH_SIZE, condition=condition))
    key = jax.random.key(1)
    return Program(lambda: jax.block_until_ready(sample(key, params)), BATCH_SIZE)


def _table(first: str) -> Table:
    return timing.table(
        f"sequences a second, and times / that of {first}", "", "sequences a second", "ratio", "least–greatest"
    )


def _measure(programs: dict[str, Program], prefix: str, table: Table) -> dict[str, Any]:
    """Times programs against the first of them, adds rows to a table, and returns the figures."""
    taken = timing.take_turns(programs, num_rounds=_NUM_ROUNDS.value, seconds=_SECONDS.value, report=lambda _: None)
    first, *_ = taken.values()
    rows = {}
    for name, seconds in taken.items():
        rate, ratio = Spread.of(1.0 / seconds), Spread.of(seconds / first)
        rows[name] = {"sequences_a_second": rate._asdict(), "ratio": ratio._asdict()}
        table.add_row(
            f"{prefix}{name}", f"{rate.median:,.0f}", f"{ratio.median:.2f}", f"{ratio.least:.2f}–{ratio.greatest:.2f}"
        )
    return rows


if __name__ == "__main__":
    cli.run(main)
