"""Times the paper's step against PyTorch's, and reports the ratios of one run.

python -m experiments.benchmarks.step [--hidden_sizes=64,128] [--output=FILE.json] [--profile=DIR]

It takes about six minutes on two CPU cores, much of it for PyTorch's compilation. It needs the extra `bench`.
"""

import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import jax
from absl import flags
from jax.experimental.compilation_cache import compilation_cache
from rich.console import Console

from experiments import cli, devices
from experiments.benchmarks import flax_networks, jax_step, timing
from experiments.benchmarks.timing import Program, Sizes, Spread
from experiments.run.directory import check_writable

_HIDDEN_SIZES = flags.DEFINE_list("hidden_sizes", ["64", "128"], "Widths of both LSTMs, with a table for each width.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 200, "Number of sequences in a batch.", lower_bound=1)
_LENGTH = flags.DEFINE_integer("length", 12, "Number of symbols in a sequence.", lower_bound=1)
_NUM_SYMBOLS = flags.DEFINE_integer("num_symbols", 12, "Size of the vocabulary.", lower_bound=2)
_NUM_SEEDS = flags.DEFINE_integer("num_seeds", 8, "Number of seeds in the program of several seeds.", lower_bound=1)
_NUM_ROUNDS = flags.DEFINE_integer(
    "num_rounds", 9, "Number of rounds; every program has one turn per round.", lower_bound=1
)
_SECONDS = flags.DEFINE_float("seconds", 1.0, "Approximate duration of one turn.", lower_bound=0.01)
_COMPILE = flags.DEFINE_list("compile", ["default", "max-autotune-no-cudagraphs"], "Modes of torch.compile to time.")
_OUTPUT = flags.DEFINE_string("output", None, "File for all figures, as JSON.")
_PROFILE = flags.DEFINE_string("profile", None, "Folder for a trace of our step, for TensorBoard or Perfetto.")

OURS, SEVERAL, NAIVE, EAGER = "ours", "several seeds", "naive JAX loop", "PyTorch eager"
FLAX = "ours with Flax's LSTM"
PENALTIES, SOME_PENALTIES = "ours + R1 + R2", "ours + R1 + R2 at a quarter"


def main() -> None:
    """Runs the benchmark as set by the flags."""
    with cli.one_line_errors():
        try:
            from experiments.benchmarks import torch_step
        except ImportError as error:
            raise ValueError(f"the benchmark needs the extra 'bench' (pip install -e '.[bench]'): {error}") from error
        widths = [_width(text) for text in _HIDDEN_SIZES.value]
        if _OUTPUT.value is not None:
            check_writable(Path(_OUTPUT.value).parent, "--output")
        if _PROFILE.value is not None:
            check_writable(_PROFILE.value, "--profile")
        devices.select("", num_devices=devices.num_cores())
        num_shards, batch_size = len(jax.devices()), _BATCH_SIZE.value
        if batch_size % num_shards:
            raise ValueError(f"--batch_size must be a multiple of the devices, {num_shards}; got {batch_size}")
    screen = cli.screen()
    figures: dict[str, Any] = {"machine": timing.machine() | {"torch": torch_step.torch.__version__}, "widths": {}}
    for width in widths:
        sizes = Sizes(batch_size, _LENGTH.value, _NUM_SYMBOLS.value, width)
        screen.print(f"LSTM {width}: compiling ...")
        ours = jax_step.scanned(sizes, num_shards=num_shards)
        programs = {
            OURS: ours.program,
            SEVERAL: jax_step.scanned(sizes, num_seeds=_NUM_SEEDS.value).program,
            PENALTIES: jax_step.scanned(sizes, num_shards=num_shards, penalty=1.0).program,
            SOME_PENALTIES: jax_step.scanned(
                sizes, num_shards=num_shards, penalty=1.0, penalized_fraction=0.25
            ).program,
            FLAX: jax_step.scanned(sizes, num_shards=num_shards, networks=flax_networks.make).program,
            NAIVE: jax_step.naive(sizes),
            EAGER: torch_step.make(sizes),
            **{f"torch.compile, {mode}": torch_step.make(sizes, mode=mode) for mode in _COMPILE.value},
        }
        result = _measure(sizes, programs, screen) | {
            "gigaflops_by_hand": jax_step.flops(sizes) / 1e9,
            "gigaflops_by_xla": _xla_flops(ours.compiled, sizes) / 1e9,
            "seconds_to_compile": _compile_seconds(sizes, num_shards),
            "megabytes": {
                "of our program": _program_bytes(ours.compiled) / 1e6,
                "of this process, at most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
            },
        }
        figures["widths"][str(width)] = result
        _show(screen, result)
        timing.write(_OUTPUT.value, figures)
        if _PROFILE.value is not None and width == widths[-1]:
            with jax.profiler.trace(_PROFILE.value):
                ours.program.run()


def _measure(sizes: Sizes, programs: dict[str, Program], screen: Console) -> dict[str, Any]:
    """Times the programs and a matrix product, which measures the machine's peak, in turn."""
    peak, peak_flops = timing.matrix_multiply()
    taken = timing.take_turns(
        programs | {"peak": peak}, num_rounds=_NUM_ROUNDS.value, seconds=_SECONDS.value, report=screen.print
    )
    peak_rate = peak_flops / taken.pop("peak")
    num_seeds = {name: _NUM_SEEDS.value if name == SEVERAL else 1 for name in taken}
    ratios = {f"{name} / ours": taken[name] / taken[OURS] for name in taken if name not in (OURS, SEVERAL)}
    ratios[f"{SEVERAL}, PyTorch eager in turn / in one program"] = _NUM_SEEDS.value * taken[EAGER] / taken[SEVERAL]
    for name in (OURS, SEVERAL):
        rate = num_seeds[name] * jax_step.flops(sizes) / taken[name]
        ratios[f"fraction of the matrix-product peak, {name}"] = rate / peak_rate
    return {
        "sizes": sizes._asdict(),
        "num_seeds": _NUM_SEEDS.value,
        "milliseconds": {name: Spread.of(1e3 * values)._asdict() for name, values in taken.items()},
        "sequences_per_second": {
            name: Spread.of(num_seeds[name] * sizes.batch_size / values)._asdict() for name, values in taken.items()
        },
        "ratios": {name: Spread.of(values)._asdict() for name, values in ratios.items()},
        "peak_gigaflops_per_second": Spread.of(peak_rate / 1e9)._asdict(),
    }


def _width(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"--hidden_sizes must be whole numbers of at least 1, got {text!r}")
    return int(text)


def _xla_flops(compiled: Any, sizes: Sizes) -> float:
    """Returns the floating-point operations of a step, by XLA's analysis of the program of one device.

    XLA counts the body of a loop once, and nearly all operations are in the loops over the symbols. Its count, times
    the length and the number of devices, is therefore about that of a step, element-wise operations included.
    """
    return compiled.cost_analysis()["flops"] * sizes.length * len(jax.devices())


def _compile_seconds(sizes: Sizes, num_shards: int) -> dict[str, float]:
    """Returns the seconds of tracing and compilation, without and with a filled persistent cache."""
    seconds = {}
    before = jax.config.values["jax_compilation_cache_dir"]
    with tempfile.TemporaryDirectory() as folder:
        jax.config.update("jax_compilation_cache_dir", folder)
        for name in ("cold", "from the persistent cache"):
            jax.clear_caches()
            compilation_cache.reset_cache()
            started = time.perf_counter()
            jax_step.scanned(sizes, num_shards=num_shards)
            seconds[name] = time.perf_counter() - started
    jax.config.update("jax_compilation_cache_dir", before)
    compilation_cache.reset_cache()
    return seconds


def _program_bytes(compiled: Any) -> float:
    """Returns the bytes that a program needs on a device for arguments, results and temporaries."""
    memory = compiled.memory_analysis()
    return memory.argument_size_in_bytes + memory.output_size_in_bytes + memory.temp_size_in_bytes


def _show(screen: Console, result: dict[str, Any]) -> None:
    """Prints the results for one width."""
    title = ", ".join(f"{name.replace('_', ' ')} {size}" for name, size in result["sizes"].items())
    table = timing.table(title, "", "ms a step", "least–greatest", "sequences/s")
    for name, spread in result["milliseconds"].items():
        table.add_row(name, *_cells(spread), f"{result['sequences_per_second'][name]['median']:,.0f}")
    screen.print(table)
    table = timing.table(None, "ratio, round by round", "median", "least–greatest")
    for name, spread in result["ratios"].items():
        table.add_row(name, *_cells(spread))
    screen.print(table)
    seconds = ", ".join(f"{value:.1f} s {name}" for name, value in result["seconds_to_compile"].items())
    megabytes = ", ".join(f"{value:,.1f} MB {name}" for name, value in result["megabytes"].items())
    screen.print(
        f"a step has {result['gigaflops_by_hand']:.3f} GFLOP by hand, {result['gigaflops_by_xla']:.3f} by XLA; "
        f"the peak is {result['peak_gigaflops_per_second']['median']:.0f} GFLOP/s\n"
        f"trace and compile: {seconds}\nmemory: {megabytes}"
    )


def _cells(spread: dict[str, float]) -> tuple[str, str]:
    return f"{spread['median']:.2f}", f"{spread['least']:.2f}–{spread['greatest']:.2f}"


if __name__ == "__main__":
    cli.run(main)
