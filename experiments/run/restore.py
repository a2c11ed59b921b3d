"""Restores a run from its folder."""

import sys
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments import devices
from experiments.config import build
from experiments.config.replicas import replicas
from experiments.config.run_config import RunConfig
from experiments.run import best, checks, renewal
from experiments.run.directory import RunDirectory
from gumbel_gan import sharding, training
from gumbel_gan.checkpoints import Checkpoints


class Restored(NamedTuple):
    """A restored run.

    Attributes:
      run: folder of the run.
      config: config of the run.
      experiment: the task and the algorithm.
      state: the newest or the best states, with a leading axis of replicas.
      step: step of the newest states.
      checkpoint: 'last' or 'best', the kind of the states.
    """

    run: RunDirectory
    config: RunConfig
    experiment: build.Experiment
    state: Any
    step: int
    checkpoint: str


def restore(
    workdir: str | Path, *, platform: str | None = "", checkpoint: str | None = "last", flag: str = "--workdir"
) -> Restored:
    """Restores the states of a run.

    Args:
      workdir: folder of the run.
      platform: backend to restore to, which may differ from the run's own; '' is JAX's own choice; None keeps the
        current backend.
      checkpoint: 'last' for the newest states, 'best' for the best states. None stands for the states of the run's
        summary; for an unfinished run without best states, the newest states are used.
      flag: the flag that names the folder, for errors.

    Returns:
      The run.

    Raises:
      ValueError: the folder holds no run; there is no checkpoint, or it is damaged; the config was edited; or no best
        states are kept.
    """
    run = RunDirectory(workdir, flag)
    config = run.read_config()
    config = run.with_kept(config)
    if platform is not None:
        devices.select(platform, name="--platform")
    if jax.process_count() > 1:
        raise ValueError(f"{flag} can be restored by one process alone, got {jax.process_count()} in this program")
    experiment = build.build(config)
    keys = training.seeds_axis(replicas(config).seeds)
    missing = (
        f"{flag} must hold a checkpoint, got {str(run.path)!r}: the run ended before its first, or they were deleted"
    )
    # Opening the folder would create it.
    if not run.checkpoints.exists():
        raise ValueError(missing)
    like = sharding.seeds_types(experiment.algorithm.init, keys.init)
    with Checkpoints(run.checkpoints, items=[best.ITEM, renewal.ITEM]) as checkpoints:
        step = checkpoints.latest_step()
        if step is None or run.is_starting():
            raise ValueError(missing)
        checks.check_note(run, checkpoints.note())
        if run.summary.exists() and step < (last := run.read_summary()["steps"]):
            print(
                f"warning: {run.checkpoints} lacks the checkpoint of step {last}: this is step {step}", file=sys.stderr
            )
        wanted = checkpoint or config.summarized
        if wanted == "best":
            try:
                return Restored(run, config, experiment, _best(run, checkpoints, like), step, "best")
            except _NoBestError:
                if checkpoint or run.summary.exists():
                    raise
        return Restored(run, config, experiment, checkpoints.restore(like), step, "last")


class _NoBestError(ValueError):
    """A run has no best states."""


def _best(run: RunDirectory, checkpoints: Checkpoints, like: Any) -> Any:
    """Restores the best states of a run."""
    if not checkpoints.holds(best.ITEM):
        raise _NoBestError(
            f"--checkpoint must be last for {str(run.path)!r}, which keeps no best states: see config.best_metric"
        )
    kept = checkpoints.restore(jax.eval_shape(best.start, like), item=best.ITEM)
    if not np.asarray(kept.step).all():
        raise _NoBestError(f"--checkpoint must be last for {str(run.path)!r}: its best states are not known yet")
    return kept.state


def replica_state(restored: Restored, index: int) -> Any:
    """Returns the state of one replica of a run.

    Raises:
      ValueError: `index` is not less than the number of replicas.
    """
    size = len(replicas(restored.config).seeds)
    if index >= size:
        raise ValueError(f"--index must be from 0 to {size - 1}, got {index}")
    return jax.tree.map(lambda leaf: leaf[index], restored.state)
