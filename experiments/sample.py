"""Draws strings from a trained generator, one a line.

python -m experiments.sample --workdir=DIR --num=1000 [--seed=N] [--temperature=T] [--length=L] [--index=I]
"""

from experiments import interrupts

with interrupts.imports(__name__):
    import os
    import sys

    import jax
    import numpy as np
    from absl import flags

    from experiments import cli
    from experiments.config.members import members
    from experiments.config.run_config import STATES
    from experiments.run.restore import restore
    from experiments.run.texts import one_line

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
    state = jax.tree.map(lambda leaf: leaf[_INDEX.value], restored.state)
    key = jax.random.key(_SEED.value)
    params = restored.experiment.algorithm.params(state)
    tokens = restored.experiment.model.sample(
        key, params, _NUM.value, temperature=_TEMPERATURE.value, exact_length=_LENGTH.value
    )
    try:
        for string in restored.experiment.task.decode(np.asarray(tokens)):
            print(one_line(string))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has enough. Python flushes once more at its end, which must go somewhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    cli.run(main)
