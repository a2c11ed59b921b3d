"""Draws strings from a trained generator, one a line, or completes the beginnings of strings.

python -m experiments.sample --workdir=DIR --num=1000 [--seed=N] [--temperature=T] [--length=L] [--index=I]
python -m experiments.sample --workdir=DIR --num=10 --prefix=TEXT | --prefix_file=FILE
"""

from experiments import interrupts

with interrupts.imports(__name__):
    import sys
    from pathlib import Path
    from typing import Any

    import jax
    import jax.numpy as jnp
    import numpy as np
    from absl import flags

    from experiments import cli
    from experiments.config.run_config import STATES
    from experiments.run.restore import Restored, member_state, restore
    from experiments.run.strings import LineReader
    from experiments.run.texts import one_line

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
_PLATFORM = flags.DEFINE_string("platform", "", "Backend: 'cpu', 'gpu', 'tpu', or '' for JAX's own choice.")


def main() -> None:
    """Samples as the flags say."""
    with cli.one_line_errors():
        if not 0 < _TEMPERATURE.value < float("inf"):
            raise ValueError(f"--temperature must be a finite number > 0, got {_TEMPERATURE.value}")
        prefixes = _prefixes()
        restored = restore(_WORKDIR.value, platform=_PLATFORM.value, checkpoint=_CHECKPOINT.value)
        params = restored.experiment.algorithm.params(member_state(restored, _INDEX.value))
        given = None if prefixes is None else _encoded(prefixes, restored)
    key, model = jax.random.key(_SEED.value), restored.experiment.model
    if given is None:
        tokens = model.sample(key, params, _NUM.value, temperature=_TEMPERATURE.value, exact_length=_LENGTH.value)
    else:
        tokens = _completed(key, params, given, restored)
    with cli.reader_may_stop():
        for string in restored.experiment.task.decode(np.asarray(tokens)):
            print(one_line(string))
        sys.stdout.flush()


def _prefixes() -> list[str] | None:
    """Returns the prefixes that the flags give; None where they give none."""
    prefix, path = _PREFIX.value, _PREFIX_FILE.value
    if (prefix is not None or path is not None) and _LENGTH.value is not None:
        raise ValueError("--length must be left out where there are prefixes")
    if path is None:
        return None if prefix is None else [prefix]
    if prefix is not None:
        raise ValueError("--prefix and --prefix_file exclude each other, got both")
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


def _completed(key: jax.Array, params: Any, given: tuple[np.ndarray, np.ndarray], restored: Restored) -> jax.Array:
    """Draws the completions of each prefix, one after the other."""
    tokens, lengths = (jnp.repeat(each, _NUM.value, axis=0) for each in given)
    return restored.experiment.model.complete(key, params, tokens, lengths, temperature=_TEMPERATURE.value)


if __name__ == "__main__":
    cli.run(main)
