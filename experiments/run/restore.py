"""A run from its folder: the way back from files to objects."""

from pathlib import Path
from typing import Any, NamedTuple

from experiments import devices
from experiments.config import build
from experiments.config.members import members
from experiments.config.run_config import RunConfig
from experiments.run.directory import RunDirectory
from gumbel_gan import sharding, training
from gumbel_gan.checkpoints import Checkpoints


class Restored(NamedTuple):
    """A run as it was left.

    Attributes:
      run: its folder.
      config: its config.
      experiment: the task and the algorithm.
      state: the newest state, with a leading axis of the run's members.
    """

    run: RunDirectory
    config: RunConfig
    experiment: build.Experiment
    state: Any


def restore(workdir: str | Path, *, platform: str = "") -> Restored:
    """Restores the newest state of a run.

    Args:
      workdir: the run's folder.
      platform: backend to restore to, which need not be the run's own; '' for JAX's own choice.

    Returns:
      The run.

    Raises:
      ValueError: the folder holds no run, or no checkpoint yet.
    """
    run = RunDirectory(workdir)
    config = run.read_config()
    if kept := run.kept_files():
        config = config.with_task(files=kept)
    devices.select(platform)
    experiment = build.build(config)
    keys = training.seeds_axis(members(config).seeds)
    missing = f"--workdir must hold a checkpoint, got {str(run.path)!r}, a run cut short before its first"
    # Opening the folder would make it.
    if not run.checkpoints.exists():
        raise ValueError(missing)
    like = sharding.seeds_types(experiment.algorithm.init, keys.init)
    with Checkpoints(run.checkpoints) as checkpoints:
        if checkpoints.latest_step() is None:
            raise ValueError(missing)
        return Restored(run, config, experiment, checkpoints.restore(like))
