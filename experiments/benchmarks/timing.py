"""Comparable timings: programs take turns in one process, and the ratios of each round are reported."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from rich import box
from rich.table import Table

from experiments import devices
from experiments.run.texts import write_json


class Program(NamedTuple):
    """A program to time.

    Attributes:
      run: runs `num_steps` steps, and waits for their end.
      num_steps: steps of one call of `run`.
    """

    run: Callable[[], None]
    num_steps: int = 1


class Sizes(NamedTuple):
    """The sizes of a step.

    Attributes:
      batch_size: B.
      length: T.
      num_symbols: K.
      hidden_size: H, of both networks.
    """

    batch_size: int
    length: int
    num_symbols: int
    hidden_size: int


class Spread(NamedTuple):
    """A quantity over the rounds of a benchmark.

    Attributes:
      median: median over the rounds.
      least: least value of the rounds.
      greatest: greatest value of the rounds.
    """

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float] | np.ndarray) -> "Spread":
        """Computes the spread of the values of the rounds."""
        return cls(float(np.median(values)), float(np.min(values)), float(np.max(values)))


def take_turns(
    programs: Mapping[str, Program], *, num_rounds: int, seconds: float, report: Callable[[str], None] = print
) -> dict[str, np.ndarray]:
    """Times programs in turn, so that a slow phase of the machine affects all of them.

    Args:
      programs: the programs by name; each is warmed up before the first round.
      num_rounds: rounds, at least 1.
      seconds: about how long a turn should take.
      report: called with a line of progress after each round.

    Returns:
      Seconds per step by name of the program, `[num_rounds]` each.
    """
    num_runs = {}
    for name, program in programs.items():
        program.run()
        num_runs[name] = max(1, round(seconds / _timed(program, 1)))
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for index in range(num_rounds):
        for name, program in programs.items():
            taken[name].append(_timed(program, num_runs[name]) / (num_runs[name] * program.num_steps))
        report(f"round {index + 1} of {num_rounds}")
    return {name: np.array(values) for name, values in taken.items()}


def _timed(program: Program, num_runs: int) -> float:
    started = time.perf_counter()
    for _ in range(num_runs):
        program.run()
    return time.perf_counter() - started


def matrix_multiply(size: int = 1024) -> tuple[Program, float]:
    """Builds a program of float32 matrix products, to measure the machine's peak.

    Args:
      size: height and width of the matrices.

    Returns:
      The program, a step of which is one product, and the floating-point operations of a step.
    """
    matrix = jnp.full((size, size), 1.0 / size)
    multiply = jax.jit(lambda a, b: a @ b)
    return Program(lambda: jax.block_until_ready(multiply(matrix, matrix))), 2.0 * size**3


def machine() -> dict[str, Any]:
    """Returns a description of the machine, the version of JAX and the date."""
    return {
        "backend": jax.default_backend(),
        "device": jax.devices()[0].device_kind,
        "num_devices": len(jax.devices()),
        "num_cores": devices.num_cores(),
        "jax": jax.__version__,
        "date": time.strftime("%Y-%m-%d"),
    }


def table(title: str | None, first: str, *others: str) -> Table:
    """Builds an empty table: a column of names under `first`, and columns of numbers."""
    made = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    made.add_column(first, no_wrap=True)
    for header in others:
        made.add_column(header, justify="right", no_wrap=True)
    return made


def write(path: str | None, figures: Mapping[str, Any]) -> None:
    """Writes the figures of a benchmark as JSON, if there is a path."""
    if path is not None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_json(Path(path), figures)
