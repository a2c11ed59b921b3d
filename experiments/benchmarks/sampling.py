"""Times sampling in one pass against symbol by symbol, with networks of equal size; reports the ratios of one run.

python -m experiments.benchmarks.sampling [--output=FILE.json] [--num_rounds=9]

Transformers of width 64 with 3 layers and 4 heads, and an LSTM of width 64; 48 symbols, batches of 128. The transformer
that writes symbol by symbol keeps a cache of keys and values. About four minutes on two CPU cores.
"""

from typing import Any

import jax
from absl import flags

import gumbel_gan as gg
from experiments import cli, devices
from experiments.benchmarks import timing
from experiments.benchmarks.timing import Program, Spread

_NUM_ROUNDS = flags.DEFINE_integer("num_rounds", 9, "Rounds, in each of which every program has a turn.", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 1.0, "About how long a turn takes.", lower_bound=0.01)
_LENGTHS = flags.DEFINE_multi_integer("length", [12, 64, 256], "T, symbols of a sequence.", lower_bound=1)
_OUTPUT = flags.DEFINE_string("output", None, "File for all figures, as JSON.")

NUM_SYMBOLS, WIDTH, BATCH_SIZE = 48, 64, 128
_ONE_PASS = "in one pass, transformer"


def generators(length: int) -> dict[str, gg.Generator]:
    """Returns the generators by name, for sequences of a length."""
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
    """Builds the sampling of a batch; a step is a sequence."""
    model = gg.sequence_model(generator, length=length)
    params = model.init(jax.random.key(0))
    sample = jax.jit(lambda key, params: model.sample(key, params, BATCH_SIZE))
    key = jax.random.key(1)
    return Program(lambda: jax.block_until_ready(sample(key, params)), BATCH_SIZE)


def main() -> None:
    """Benchmarks as the flags say."""
    devices.select("", num_devices=1)
    screen = cli.screen()
    figures: dict[str, Any] = {
        "machine": timing.machine(),
        "sizes": {"num_symbols": NUM_SYMBOLS, "width": WIDTH, "batch_size": BATCH_SIZE},
        "lengths": {},
    }
    table = timing.table(
        f"sequences a second, and times / that of {_ONE_PASS}", "", "sequences a second", "ratio", "least–greatest"
    )
    for length in _LENGTHS.value:
        screen.print(f"{length} symbols ...", highlight=False)
        programs = {name: program(generator, length) for name, generator in generators(length).items()}
        taken = timing.take_turns(programs, num_rounds=_NUM_ROUNDS.value, seconds=_SECONDS.value, report=lambda _: None)
        rows = {}
        for name, seconds in taken.items():
            rate, ratio = Spread.of(1.0 / seconds), Spread.of(seconds / taken[_ONE_PASS])
            rows[name] = {"sequences_a_second": rate._asdict(), "ratio": ratio._asdict()}
            table.add_row(
                f"{length} symbols: {name}",
                f"{rate.median:,.0f}",
                f"{ratio.median:.2f}",
                f"{ratio.least:.2f}–{ratio.greatest:.2f}",
            )
        figures["lengths"][str(length)] = rows
    screen.print(table)
    timing.write(_OUTPUT.value, figures)


if __name__ == "__main__":
    cli.run(main)
