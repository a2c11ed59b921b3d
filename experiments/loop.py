"""The life of one run: from a config to a folder that holds everything about it."""

import functools
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from experiments import build, console, summary
from experiments.rundir import MetricsWriter, Row, RunDirectory
from gumbel_gan import training
from gumbel_gan.checkpoints import Checkpoints


def train(config: ConfigDict, run: RunDirectory, *, overwrite: bool = False, resume: bool = False) -> Row:
    """Runs an experiment from its config to its summary.

    Args:
      config: the config.
      run: the folder.
      overwrite: whether to delete a run that the folder holds.
      resume: whether to go on with the run that the folder holds.

    Returns:
      What `summary.json` holds.

    Raises:
      ValueError: a setting is wrong, or the folder can't take the run; nothing has been written then.
    """
    started = time.monotonic()
    if overwrite and resume:
        raise ValueError("--overwrite and --resume exclude each other, got both")
    run.check_writable()
    build.select_platform(config.platform)
    experiment = build.build(config)
    keys = training.seeds_axis(summary.seeds(config))
    init = jax.jit(jax.vmap(experiment.algorithm.init))
    # A wrong shape or type anywhere in the networks shows here, before a file is written.
    like = jax.eval_shape(init, keys.init)
    if resume:
        run.check_resumable(config)
    else:
        run.start(config, overwrite=overwrite)

    with Checkpoints(run.checkpoints) as checkpoints:
        step = checkpoints.latest_step() or 0
        state = checkpoints.restore(like) if step else init(keys.init)
        run.keep_metrics(step)
        state = _train_from(step, state, keys, config, experiment, run, checkpoints, started - run.wall_seconds())
    metrics, strings = summary.summarise(config, experiment, state, wall_seconds=run.wall_seconds())
    summary.write(run, experiment, metrics, strings)
    return metrics


def _train_from(
    step: int,
    state: Any,
    keys: training.RunKeys,
    config: ConfigDict,
    experiment: build.Experiment,
    run: RunDirectory,
    checkpoints: Checkpoints,
    started: float,
) -> Any:
    """Trains from a step to the last, a chunk at a time; returns the final state."""
    data = jnp.asarray(experiment.task.train)
    monitor = summary.monitor(experiment)

    @functools.partial(jax.jit, static_argnames="num_steps", donate_argnames="state")
    def advance(key, state, data, *, num_steps):
        train_one = functools.partial(
            training.train, experiment.algorithm, batch_size=config.batch_size, num_steps=num_steps
        )
        state, metrics = jax.vmap(train_one, in_axes=(0, 0, None))(key, state, data)
        return state, jax.tree.map(lambda metric: jnp.mean(metric, axis=1), metrics)

    with (
        MetricsWriter(run, summary.seeds(config)) as writer,
        console.ProgressLine(console.screen(), config.num_steps, step) as progress,
    ):
        while step < config.num_steps:
            num_steps = min(config.steps_per_chunk, config.num_steps - step)
            state, metrics = advance(keys.train, state, data, num_steps=num_steps)
            step += num_steps
            metrics = {name: np.asarray(value) for name, value in (metrics | monitor(keys, state)).items()}
            writer.write({"step": step, "wall_seconds": round(time.monotonic() - started, 3)} | metrics)
            progress.update(step, metrics)
            if step == config.num_steps or step % (config.steps_per_chunk * config.chunks_per_checkpoint) == 0:
                checkpoints.save(step, state)
    return state
