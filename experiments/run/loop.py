"""The life of one run: from a config to a folder that holds everything about it."""

import dataclasses
import functools
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments import cli, devices
from experiments.config import build, files
from experiments.config.members import member_names, members
from experiments.config.run_config import RunConfig
from experiments.run import evaluation
from experiments.run.directory import RunDirectory, check_writable
from experiments.run.progress import ProgressLine
from experiments.run.summary import Summary
from experiments.run.writer import MetricsWriter
from gumbel_gan import sharding, training
from gumbel_gan.checkpoints import Checkpoints


class Prepared(NamedTuple):
    """A run that is ready to go: everything that a user can get wrong has been checked.

    Attributes:
      config: the config.
      run: the folder, which holds `config.json`.
      experiment: the task and the algorithm.
      mesh: the devices that the members of the run spread over.
      keys: the keys of the members.
      points: `[S]` int32, each member's point of the sweep.
      advance: maps (`[S]` keys, states, points, data, num_steps) to the states `num_steps` later, and the means of what
        was measured on the way; consumes the states.
      started: when the run would have begun, on `time.monotonic`, had it never been cut short.
    """

    config: RunConfig
    run: RunDirectory
    experiment: build.Experiment
    mesh: jax.sharding.Mesh
    keys: training.RunKeys
    points: jax.Array
    advance: Any
    started: float


def prepare(config: RunConfig, run: RunDirectory, *, overwrite: bool = False, resume: bool = False) -> Prepared:
    """Prepares a run from its config; writes and deletes nothing until all is checked.

    Args:
      config: the config.
      run: the folder.
      overwrite: whether to delete the files of a run that the folder holds.
      resume: whether to go on with the run that the folder holds.

    Returns:
      What `train` needs.

    Raises:
      ValueError: a setting is wrong, or the folder can't take the run; nothing has been written then.
      OSError: the folder can't be written.
    """
    started = time.monotonic()
    if overwrite and resume:
        raise ValueError("--overwrite and --resume exclude each other, got both")
    check_writable(run.path, "--workdir")
    if resume:
        run.read_config()
    given, config = config, files.self_contained(config)
    reads = files.read_by(given)
    deleted = [] if resume else run.check_start(config, overwrite=overwrite, reads=reads)
    seeds, points = members(config)
    devices.select(config.platform, num_devices=len(seeds) * config.num_shards)
    experiment = build.build(config)
    mesh = sharding.seeds_mesh(len(seeds), config.num_shards)
    axis = (training.seeds_axis(seeds), jnp.asarray(points, jnp.int32))
    keys, points = jax.device_put(axis, sharding.seeds_sharding(mesh))
    advance = _advance(config, experiment, mesh)
    # What is wrong in a step shows when it is traced: here, before a file is written. Types are given with their
    # shardings, as training will call it, so that it need not be traced again.
    state = sharding.seeds_types(experiment.algorithm.init, keys.init)
    state = _with_sharding(state, sharding.seeds_sharding(mesh))
    data = _with_sharding(experiment.data, sharding.replicated(mesh))
    advance.trace(keys.train, state, points, data, num_steps=min(config.steps_per_chunk, config.num_steps))
    if resume:
        run.check_resumable(config)
        started -= run.wall_seconds()
    else:
        if deleted:
            names = ", ".join(str(path.relative_to(run.path)) for path in deleted)
            cli.screen().print(f"deleting of the run in {run.path}: {names}", soft_wrap=True, highlight=False)
        run.start(config, overwrite=overwrite, reads=reads)
    run.keep_files(config)
    return Prepared(config, run, experiment, mesh, keys, points, advance, started)


def train(prepared: Prepared) -> tuple[Summary, list[list[str]]]:
    """Trains to the last step, from the newest checkpoint if there is one, and writes all files but the summary.

    The summary is left to the caller: once it is written, the run counts as finished.

    Args:
      prepared: what `prepare` returned.

    Returns:
      The summary, and each member's samples.
    """
    config, run, experiment, mesh, keys, *_ = prepared
    with Checkpoints(run.checkpoints) as checkpoints:
        step = checkpoints.latest_step() or 0
        if step:
            like = sharding.seeds_types(experiment.algorithm.init, keys.init)
            with cli.one_line_errors():
                state = checkpoints.restore(like, sharding.seeds_sharding(mesh))
        else:
            state = sharding.init_seeds(experiment.algorithm.init, keys.init, mesh)
        run.keep_metrics(step)
        state = _train_from(step, state, prepared, checkpoints)
    observed = evaluation.observe(config, experiment, state)
    summary, strings = evaluation.summarize(config, experiment, state, observed)
    evaluation.write_samples_and_states(run, config, strings, observed)
    return dataclasses.replace(summary, wall_seconds=round(time.monotonic() - prepared.started, 3)), strings


def _train_from(step: int, state: Any, prepared: Prepared, checkpoints: Checkpoints) -> Any:
    """Trains from a step to the last, a chunk at a time; returns the final state."""
    config, run, experiment, mesh, keys, points, advance, started = prepared
    data = jax.device_put(experiment.data, sharding.replicated(mesh))
    monitor = evaluation.monitor(experiment)
    for note in experiment.task.notes:
        cli.screen().print(note, highlight=False)
    with (
        MetricsWriter(run, member_names(config), first_step=step + 1) as writer,
        ProgressLine(cli.screen(), config.num_steps, step) as progress,
    ):
        while step < config.num_steps:
            num_steps = min(config.steps_per_chunk, config.num_steps - step)
            state, metrics = advance(keys.train, state, points, data, num_steps=num_steps)
            step += num_steps
            metrics = {name: np.asarray(value) for name, value in (metrics | monitor(keys, state)).items()}
            writer.write({"step": step, "wall_seconds": round(time.monotonic() - started, 3)} | metrics)
            progress.update(step, metrics)
            if step == config.num_steps or step % (config.steps_per_chunk * config.chunks_per_checkpoint) == 0:
                checkpoints.save(step, state)
    return state


def _with_sharding(tree: Any, sharding: jax.sharding.NamedSharding) -> Any:
    """Returns the types of a tree of arrays with a sharding."""
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding), tree)


def _advance(config: RunConfig, experiment: build.Experiment, mesh: jax.sharding.Mesh) -> Any:
    """Returns the compiled program of a chunk of steps of all members."""

    @functools.partial(jax.jit, static_argnames="num_steps", donate_argnames="state")
    def advance(keys, state, points, data, *, num_steps):
        def train_one(key, state, point, data):
            return training.train(
                experiment.algorithm_at(point),
                key,
                state,
                data,
                batch_size=config.batch_size,
                num_steps=num_steps,
                shard_axis=experiment.shard_axis,
            )

        train_all = sharding.vmap_seeds(train_one, mesh, in_axes=(0, 0, 0, None), num_shards=config.num_shards)
        state, metrics = train_all(keys, state, points, data)
        return state, jax.tree.map(lambda metric: jnp.mean(metric, axis=1), metrics)

    return advance
