"""Checks whether the files of a run are still those that it wrote, by notes in its checkpoints."""

import json
from collections.abc import Mapping
from typing import Any

import jax

from experiments.config import migrations
from experiments.config.run_config import RunConfig, flatten, nest
from experiments.run.directory import CHANGEABLE, RunDirectory
from experiments.run.texts import Row
from gumbel_gan.checkpoints import Checkpoints

THREEFRY = "threefry2x32"


def _random() -> str:
    """Returns the name of JAX's random number generator."""
    # Read from the configuration: a key would be a first array, created before the device is chosen.
    return str(jax.config.values["jax_default_prng_impl"])


def note(config: RunConfig) -> Row:
    """Returns the note in a checkpoint: the settings that determine the results, and JAX's random number generator."""
    settings = {name: value for name, value in flatten(config.to_dict()).items() if name not in CHANGEABLE}
    return _as_read({"settings": settings, "random": _random()})


def check_note(run: RunDirectory, noted: Mapping[str, Any]) -> None:
    """Checks that the config of a run is the same as when a checkpoint was written.

    Args:
      run: folder of the run.
      noted: note of the checkpoint; empty if an older version wrote the checkpoint.

    Raises:
      ValueError: the config was edited since then, or JAX uses another random number generator.
    """
    if not noted:
        return
    now = note(run.read_config())
    # The config is migrated when it is read.
    before = _as_read(flatten(migrations.migrate(nest(noted["settings"]))))
    for name, value in now["settings"].items():
        if name in before and before[name] != value:
            raise ValueError(
                f"{run.config} must be as it was when the run began, but config.{name} was {before[name]!r} and is "
                f"{value!r} now: it was edited"
            )
    if now["random"] != noted["random"]:
        raise ValueError(f"JAX_DEFAULT_PRNG_IMPL must be {noted['random']}, as when the run began, got {now['random']}")


def _as_read(value: Row) -> Row:
    """Returns a mapping as it is read after it was written as JSON, with lists for tuples."""
    return json.loads(json.dumps(value))


def check_random(num_replicas: int) -> None:
    """Raises ValueError if JAX's random number generator makes a seed depend on the seeds that it is trained with."""
    found = _random()
    if num_replicas > 1 and found != THREEFRY:
        raise ValueError(
            f"JAX_DEFAULT_PRNG_IMPL must be {THREEFRY} for a run of {num_replicas} replicas, got {found}: under "
            "jax.vmap it draws other numbers than for a single seed, so that a seed's result would depend on the others"
        )


def check_kept(run: RunDirectory, config: RunConfig, checkpoints: Checkpoints) -> list[str]:
    """Checks that the files that a run wrote up to its newest checkpoint still exist.

    Args:
      run: folder of the run.
      config: config of the run.
      checkpoints: checkpoints of the run.

    Returns:
      Sentences on losses that do not affect the training: of rows of metrics, and of one of two checkpoints.

    Raises:
      ValueError: the run was beyond its first two checkpoints, but has no checkpoint.
    """
    step, rows, sentences = checkpoints.latest_step(), run.read_metrics(), []
    every = config.steps_per_chunk * config.chunks_per_checkpoint
    # A row is written before its checkpoint.
    if step is None and rows and rows[-1]["step"] > 2 * every:
        raise ValueError(
            f"{run.checkpoints} must hold the checkpoints of a run that was at step {rows[-1]['step']}, got none: they "
            "were deleted; --overwrite begins anew"
        )
    found = {row["step"] for row in rows}
    missing = [
        each for each in range(config.steps_per_chunk, (step or 0) + 1, config.steps_per_chunk) if each not in found
    ]
    if missing:
        sentences.append(
            f"{run.metrics} lacks {len(missing)} rows that were written, the first of step {missing[0]}: they are lost"
        )
    if checkpoints.lacks_one():
        sentences.append(
            f"{run.checkpoints} holds one checkpoint, of step {step}, where the newest two are kept: one was deleted "
            "or renamed"
        )
    return sentences
