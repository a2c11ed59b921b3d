"""Draws strings from a trained generator, one a line.

python -m experiments.sample --workdir=DIR --num=1000 [--seed=N] [--temperature=T] [--length=L] [--index=I]
    [--output=FILE]

They are drawn and written a block at a time: memory does not depend on their number. The first strings of a long draw
are those of a short one.
"""

from experiments import interrupts

with interrupts.imports(__name__):
    import os
    import sys
    from collections.abc import Iterator
    from pathlib import Path

    import jax
    from absl import flags
    from rich.console import Console
    from rich.progress import track

    from experiments import cli
    from experiments.config.members import members
    from experiments.config.run_config import STATES
    from experiments.run import drawing
    from experiments.run.restore import restore
    from experiments.run.texts import one_line, write_lines

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run.", required=True)
_NUM = flags.DEFINE_integer("num", 1_000, "How many strings to draw.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the draw.", lower_bound=0, upper_bound=2**32 - 1)
_TEMPERATURE = flags.DEFINE_float("temperature", 1.0, "Divides the logits; less than 1 is sharper.")
_LENGTH = flags.DEFINE_integer(
    "length", None, "Makes every string so many symbols long, padding never being drawn.", lower_bound=1
)
_INDEX = flags.DEFINE_integer(
    "index", 0, "Which of the run's generators, in a run of several seeds or a sweep.", lower_bound=0
)
_CHECKPOINT = flags.DEFINE_enum("checkpoint", "last", STATES, "The newest networks, or the best that training kept.")
_OUTPUT = flags.DEFINE_string("output", None, "File for the strings in the place of stdout; made when all are drawn.")
_PLATFORM = flags.DEFINE_string("platform", "", "Backend: 'cpu', 'gpu', 'tpu', or '' for JAX's own choice.")


def main() -> None:
    """Samples as the flags say."""
    with cli.one_line_errors():
        if not 0 < _TEMPERATURE.value < float("inf"):
            raise ValueError(f"--temperature must be a finite number > 0, got {_TEMPERATURE.value}")
        restored = restore(_WORKDIR.value, platform=_PLATFORM.value, checkpoint=_CHECKPOINT.value)
        size = len(members(restored.config).seeds)
        if _INDEX.value >= size:
            raise ValueError(f"--index must be from 0 to {size - 1}, got {_INDEX.value}")
    # With the axis of members, of which there is one.
    state = jax.tree.map(lambda leaf: leaf[_INDEX.value : _INDEX.value + 1], restored.state)
    params = restored.experiment.algorithm.params(state)
    draw = drawing.blocks(restored.experiment.model, 1, _NUM.value, _LENGTH.value)
    blocks = draw(jax.random.key(_SEED.value)[None], params, _TEMPERATURE.value)
    decode = restored.experiment.task.decode
    strings = (one_line(string) for block in blocks for string in decode(block[0]))
    if _OUTPUT.value is not None:
        with cli.one_line_disk_errors(f"{_OUTPUT.value} is not written"):
            num_drawn = write_lines(Path(_OUTPUT.value), shown(strings))
        cli.screen().print(f"{num_drawn:,} strings are in {_OUTPUT.value}", soft_wrap=True, highlight=False)
        return
    try:
        for string in shown(strings):
            print(string)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has enough. Python flushes once more at its end, which must go somewhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def shown(strings: Iterator[str]) -> Iterator[str]:
    """Yields strings, with a progress bar on stderr where that is a terminal and stdout is none."""
    return track(
        strings,
        description="",
        total=_NUM.value,
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty() or (_OUTPUT.value is None and sys.stdout.isatty()),
    )


if __name__ == "__main__":
    cli.run(main)
