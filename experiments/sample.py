"""Draws strings from a trained generator, one a line, or completes the beginnings of strings.

python -m experiments.sample --workdir=DIR --num=1000 [--seed=N] [--temperature=T] [--length=L] [--index=I]
    [--output=FILE]
python -m experiments.sample --workdir=DIR --num=10 --prefix=TEXT | --prefix_file=FILE

They are drawn and written a block at a time: memory does not depend on their number. The first strings of a long draw
are those of a short one.
"""

from experiments import interrupts

with interrupts.imports(__name__):
    import sys
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    import jax
    import numpy as np
    from absl import flags
    from rich.console import Console
    from rich.progress import track

    from experiments import cli
    from experiments.config.run_config import STATES
    from experiments.run import drawing
    from experiments.run.restore import Restored, member_state, restore
    from experiments.run.strings import LineReader
    from experiments.run.texts import one_line, write_lines

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run.", required=True)
_NUM = flags.DEFINE_integer("num", 1_000, "How many strings to draw, of each prefix if there are any.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the draw.", lower_bound=0, upper_bound=2**32 - 1)
_TEMPERATURE = flags.DEFINE_float("temperature", 1.0, "Divides the logits; less than 1 is sharper.")
_LENGTH = flags.DEFINE_integer(
    "length", None, "Makes every string so many symbols long, padding never being drawn.", lower_bound=1
)
_PREFIX = flags.DEFINE_string("prefix", None, "What all strings begin with.")
_PREFIX_FILE = flags.DEFINE_string("prefix_file", None, "File of prefixes in UTF-8, one a line.")
_INDEX = flags.DEFINE_integer(
    "index", 0, "Which of the run's generators, in a run of several seeds or a sweep.", lower_bound=0
)
_CHECKPOINT = flags.DEFINE_enum("checkpoint", "last", STATES, "The newest networks, or the best that training kept.")
_OUTPUT = flags.DEFINE_string("output", None, "File for the strings in the place of stdout; made when all are drawn.")
_PLATFORM = flags.DEFINE_string("platform", "", "Backend: 'cpu', 'gpu', 'tpu', or '' for JAX's own choice.")


# Completions that are drawn at once.
_AT_ONCE = 512


def main() -> None:
    """Samples as the flags say."""
    with cli.one_line_errors():
        if not 0 < _TEMPERATURE.value < float("inf"):
            raise ValueError(f"--temperature must be a finite number > 0, got {_TEMPERATURE.value}")
        if _OUTPUT.value is not None:
            cli.check_output_file(_OUTPUT.value, "--output")
        prefixes = _prefixes()
        restored = restore(_WORKDIR.value, platform=_PLATFORM.value, checkpoint=_CHECKPOINT.value)
        params = restored.experiment.algorithm.params(member_state(restored, _INDEX.value))
        given = None if prefixes is None else _encoded(prefixes, restored)
    blocks = _sampled(params, restored) if given is None else _completed(params, given, restored)
    total = _NUM.value * (1 if prefixes is None else len(prefixes))
    strings = _shown((one_line(string) for block in blocks for string in restored.experiment.task.decode(block)), total)
    if _OUTPUT.value is not None:
        with cli.one_line_disk_errors(f"{_OUTPUT.value} is not written"):
            num_drawn = write_lines(Path(_OUTPUT.value), strings)
        cli.screen().print(f"{num_drawn:,} strings are in {_OUTPUT.value}", soft_wrap=True, highlight=False)
        return
    with cli.reader_may_stop():
        for string in strings:
            print(string)
        sys.stdout.flush()


def _prefixes() -> list[str] | None:
    """Returns the prefixes that the flags give; None where they give none."""
    prefix, path = _PREFIX.value, _PREFIX_FILE.value
    if prefix is None and path is None:
        return None
    if prefix is not None and path is not None:
        raise ValueError("--prefix and --prefix_file exclude each other, got both")
    if _LENGTH.value is not None:
        raise ValueError("--length must be left out where there are prefixes")
    if prefix is not None:
        return [prefix]
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"--prefix_file must be in UTF-8, got {path!r}") from error
    except OSError as error:
        raise ValueError(f"--prefix_file must be a file that can be read, got {path!r}: {error.strerror}") from error
    if not lines:
        raise ValueError(f"--prefix_file must hold a prefix a line, got {path!r}, which is empty")
    return lines


def _encoded(prefixes: list[str], restored: Restored) -> tuple[np.ndarray, np.ndarray]:
    """Returns the tokens of prefixes, and their numbers of symbols."""
    task = restored.experiment.task
    sequences = LineReader(restored.config, task).symbols(prefixes)
    try:
        return task.vocabulary.encode_prefixes(sequences, task.length)
    except ValueError as error:
        flag = "--prefix" if _PREFIX_FILE.value is None else "--prefix_file"
        raise ValueError(f"{flag} must be the beginning of a sequence of the model: {error}") from error


def _sampled(params: Any, restored: Restored) -> Iterator[np.ndarray]:
    """Draws sequences, a block at a time."""
    # With the axis of members, of which there is one.
    params = jax.tree.map(lambda leaf: leaf[None], params)
    draw = drawing.blocks(restored.experiment.model, 1, _NUM.value, _LENGTH.value)
    for block in draw(jax.random.key(_SEED.value)[None], params, _TEMPERATURE.value):
        yield block[0]


def _completed(params: Any, given: tuple[np.ndarray, np.ndarray], restored: Restored) -> Iterator[np.ndarray]:
    """Draws the completions of each prefix, one after the other, a block at a time."""
    total = _NUM.value * len(given[0])
    size = min(_AT_ONCE, total)

    @jax.jit
    def complete(key: jax.Array, tokens: jax.Array, lengths: jax.Array) -> jax.Array:
        return restored.experiment.model.complete(key, params, tokens, lengths, temperature=_TEMPERATURE.value)

    for first in range(0, total, size):
        # One shape, so that there is one program.
        rows = np.minimum(np.arange(first, first + size), total - 1) // _NUM.value
        key = jax.random.fold_in(jax.random.key(_SEED.value), first // size)
        yield np.asarray(complete(key, *(each[rows] for each in given)))[: total - first]


def _shown(strings: Iterator[str], total: int) -> Iterator[str]:
    """Yields strings, with a progress bar on stderr where that is a terminal and stdout is none."""
    return track(
        strings,
        description="",
        total=total,
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty() or (_OUTPUT.value is None and sys.stdout.isatty()),
    )


if __name__ == "__main__":
    cli.run(main)
