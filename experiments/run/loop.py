"""Prepares, trains and finishes one run: from a config to a folder with all files of the run."""

import concurrent.futures
import contextlib
import dataclasses
import functools
import time
from pathlib import Path
from typing import Any, NamedTuple

import filelock
import jax
import jax.numpy as jnp

from experiments import cli, devices, interrupts, processes
from experiments.config import build, data_defaults, files
from experiments.config.replicas import replica_names, replicas
from experiments.config.run_config import RunConfig
from experiments.run import best, calls, checks, divergence, evaluation, feeding, initial, pairs, provenance, renewal
from experiments.run.directory import RunDirectory, check_writable
from experiments.run.progress import BytesLine, ProgressLine
from experiments.run.summary import Summary
from experiments.run.texts import as_json
from experiments.run.writer import MetricsWriter
from gumbel_gan import saving, sharding, training
from gumbel_gan.checkpoints import Checkpoints


class Prepared(NamedTuple):
    """A run that is ready to start: all user input has been checked.

    Attributes:
      config: the config.
      run: the folder, which holds `config.json` and whose lock is held.
      experiment: the task and the algorithm.
      mesh: the devices over which the replicas of the run are spread.
      keys: the keys of the replicas.
      points: two `[S]` int32 arrays, the sweep point and the index of each replica.
      advance: maps (`[S]` keys, states, points, data, num_steps) to the states `num_steps` later and the means of the
        metrics over these steps; donates the states.
      compiled: done when `advance` is compiled.
      monitor: maps (`[S]` keys, states) to metrics of the states.
      best_metric: the metric that selects the best states; None if no best states are kept.
      started: when the run would have started, on `time.monotonic`, if it had never been interrupted.
    """

    config: RunConfig
    run: RunDirectory
    experiment: build.Experiment
    mesh: jax.sharding.Mesh
    keys: training.RunKeys
    points: tuple[jax.Array, jax.Array]
    advance: Any
    compiled: concurrent.futures.Future[Any]
    monitor: Any
    best_metric: str | None
    started: float


class Trained(NamedTuple):
    """The result of training.

    Attributes:
      step: the last step.
      state: the states, with a leading axis of replicas; for a diverged replica, its last finite state.
      best: the best states; None if none are kept.
      pool: the data if it is renewed during training, otherwise None.
    """

    step: int
    state: Any
    best: best.Best | None
    pool: renewal.Pool | None = None


def prepare(config: RunConfig, run: RunDirectory, *, overwrite: bool = False, resume: bool = False) -> Prepared:
    """Prepares a run and takes the folder's lock; writes and deletes nothing until everything is checked.

    Args:
      config: the config.
      run: the folder.
      overwrite: whether to delete the files of a run that the folder holds.
      resume: whether to resume the run that the folder holds.

    Returns:
      The input of `train`.

    Raises:
      ValueError: a setting is wrong, or the folder cannot take the run; nothing has been written then.
      OSError: the folder cannot be written.
    """
    try:
        if overwrite and resume:
            raise ValueError("--overwrite and --resume exclude each other, got both")
        seeds, _ = replicas(config)
        devices.select(config.platform, num_devices=len(seeds) * config.num_shards)
        prepared, failure = None, None
        try:
            prepared = _prepare(config, run, overwrite, resume)
        except processes.OtherProcessError:
            raise
        except (ValueError, OSError) as error:
            failure = error
        processes.check_all(failure)
        assert prepared is not None
        return prepared
    except BaseException:
        run.lock.release()
        raise


def _prepare(config: RunConfig, run: RunDirectory, overwrite: bool, resume: bool) -> Prepared:
    started, is_first = time.monotonic(), processes.is_first()
    check_writable(run.path, "--workdir")
    if resume:
        run.read_config()
    if is_first and run.holds_run() and (overwrite or resume):
        run.lock.acquire()
    if is_first and resume:
        run.finish_start()
    seeds, points = replicas(config)
    checks.check_random(len(seeds))
    given, config = config, initial.self_contained(files.self_contained(config))
    reads = files.read_by(given)
    deleted = run.check_start(config, overwrite=overwrite, reads=reads) if is_first and not resume else []
    if resume:
        config = data_defaults.taken(config, run.read_config())
        run.check_resumable(config)
    built = _tokenized(run.with_kept(config) if resume else config, run)
    tokens = files.tokens_folder(config, run.path)
    task = build.make_task(built)
    config, built = (data_defaults.resolve(each, task) for each in (config, built))
    if resume:
        run.check_num_steps(config)
    experiment = build.build(built, task)
    best_metric = best.metric_of(config, experiment)
    mesh = sharding.seeds_mesh(len(seeds), config.num_shards)
    devices.check_spread(mesh)
    numbers = (jnp.asarray(points, jnp.int32), jnp.arange(len(points), dtype=jnp.int32))
    keys, placed = sharding.place((training.seeds_axis(seeds), numbers), sharding.seeds_sharding(mesh))
    advance = _advance(config, experiment, mesh)
    # Tracing raises the errors of a step before a file is written. Types are given with their shardings, as in
    # training, so that the step is not traced again.
    state = sharding.seeds_types(experiment.algorithm.init, keys.init)
    # Compilation runs in parallel with the preparations in Python; the first calls find the compiled programs.
    compiler = concurrent.futures.ThreadPoolExecutor()
    if not resume:
        compiler.submit(sharding.compile_init, experiment.algorithm.init, keys.init, mesh)
    if config.init_from and not resume:
        jax.eval_shape(functools.partial(initial.from_run, config, experiment), state)
    state = _with_sharding(state, sharding.seeds_sharding(mesh))
    num_steps = min(config.steps_per_chunk, config.num_steps)
    data = feeding.types(config, experiment, mesh, num_steps)
    traced = advance.trace(keys.train, state, placed, data, num_steps=num_steps)
    compiled = compiler.submit(traced.lower().compile)
    if resume:
        started -= run.wall_seconds(run.newest_step())
    if experiment.property is not None:
        if jax.process_count() > 1:
            raise ValueError("config.property must name no function where several processes train one run")
        try:
            experiment.property.start()
        except ValueError as error:
            raise ValueError(f"config.property: {error}") from error
    if is_first:
        _write_start(config, run, deleted, overwrite=overwrite, resume=resume, reads=reads)
        run.keep_tokens(config, tokens)
        if experiment.task.source is not None:
            pairs.write_heldout(run.heldout, experiment.task)
    monitor = evaluation.monitor(experiment)
    return Prepared(config, run, experiment, mesh, keys, placed, advance, compiled, monitor, best_metric, started)


def _tokenized(config: RunConfig, run: RunDirectory) -> RunConfig:
    """Returns a config whose text, if it streams, is tokenized; the first process tokenizes it if necessary."""
    if not files.streams(config) or config.task.settings.get("tokens"):
        return config
    tokens = files.tokens_folder(config, run.path)
    config = config.with_task(tokens=str(tokens))
    failure = None
    if processes.is_first():
        try:
            tokens.parent.mkdir(parents=True, exist_ok=True)
            # Another run on the same text waits here, and then finds the tokens.
            with filelock.FileLock(f"{tokens}.lock"):
                build.make_task(config, BytesLine(cli.screen()).update)
        except (ValueError, OSError) as error:
            failure = error
    processes.check_all(failure)
    return config


def _write_start(
    config: RunConfig, run: RunDirectory, deleted: list[Path], *, overwrite: bool, resume: bool, reads: list[Path]
) -> None:
    """Makes the folder that of the run, and writes its config and files."""
    if resume:
        run.extend(config)
    else:
        if deleted:
            names = ", ".join(str(path.relative_to(run.path)) for path in deleted)
            cli.screen().print(f"deleting of the run in {run.path}: {names}", soft_wrap=True, highlight=False)
        run.path.mkdir(parents=True, exist_ok=True)
        run.lock.acquire()
        run.start(config, overwrite=overwrite, reads=reads)
    if run.with_kept(config) == config:
        run.keep_files(config)


def train(prepared: Prepared) -> tuple[Summary, list[list[str]]]:
    """Trains to the last step, from the newest checkpoint if there is one, and writes all files except the summary.

    The caller writes the summary: with this file, the run counts as finished.

    Args:
      prepared: the result of `prepare`.

    Returns:
      The summary, and the samples of each replica.

    Raises:
      divergence.DivergedError: all replicas have diverged.
      SystemExit: checkpoints are damaged or missing, or belong to another run; the error is printed as one line.
    """
    return finish(prepared, train_steps(prepared))


def train_steps(prepared: Prepared) -> Trained:
    """Trains to the last step, as `train` does, without the final measurements."""
    config, run, *_ = prepared
    _describe(run, run.newest_step())
    with cli.one_line_errors():
        opened = Checkpoints(run.checkpoints, items=[best.ITEM, renewal.ITEM])
    with opened as checkpoints:
        trained = _initial(prepared, checkpoints)
        with cli.one_line_errors():
            for sentence in checks.check_kept(run, config, checkpoints):
                cli.screen().print(f"warning: {sentence}", soft_wrap=True, highlight=False)
        if processes.is_first():
            run.keep_metrics(trained.step)
        with contextlib.ExitStack() as stack:
            return _train_from(trained, prepared, checkpoints, stack)


def finish(prepared: Prepared, trained: Trained) -> tuple[Summary, list[list[str]]]:
    """Measures the generators of a trained run and writes all files except the summary; returns what `train` does."""
    config, run, experiment, *_ = prepared
    state = trained.best.state if trained.best is not None and config.summarized == "best" else trained.state
    observed = evaluation.observe(config, experiment, state)
    summary, strings = evaluation.summarize(config, experiment, state, observed, steps=trained.step)
    if processes.is_first():
        evaluation.write_samples_and_states(run, config, strings, observed)
    summary = dataclasses.replace(
        summary,
        wall_seconds=_wall_seconds(prepared),
        diverged=divergence.steps(trained.state, trained.step),
        best=best.section(trained.best, prepared.best_metric),
        calls=as_json(calls.section(experiment.property)),
    )
    _save_models(prepared, trained, summary)
    return summary, strings


def _wall_seconds(prepared: Prepared) -> float:
    """Returns the duration of a run in seconds; to resume a finished run does not change it."""
    if prepared.run.summary.exists():
        return prepared.run.read_summary()["wall_seconds"]
    return round(time.monotonic() - prepared.started, 3)


def _save_models(prepared: Prepared, trained: Trained, summary: Summary) -> None:
    """Writes the generators of the newest states and, if every replica has one, of the best, for `gumbel_gan.load`."""
    config, run, experiment, *_ = prepared
    files = {"last": (run.model, trained.state)}
    if trained.best is not None and sharding.gather(trained.best.step).all():
        files["best"] = (run.best_model, trained.best.state)
    params = {name: sharding.gather(experiment.algorithm.params(state)) for name, (_, state) in files.items()}
    if not processes.is_first():
        return
    digest = provenance.data_digest(experiment.task)
    for checkpoint, (file, _) in files.items():
        about = provenance.of_run(config, experiment.task, summary, checkpoint, digest)
        saving.save(file, experiment.task, experiment.model, params[checkpoint], replicas=True, about=about)


def _describe(run: RunDirectory, step: int) -> None:
    """Sets the message that is printed if a signal ends the run while its newest checkpoint is that of a step."""
    said = f"stopped at step {step}; go on with --resume" if processes.is_first() else ""
    interrupts.describe(lambda: said, run.lock.release)


def _initial(prepared: Prepared, checkpoints: Checkpoints) -> Trained:
    """Returns the start of training: the newest checkpoint, another run's networks, or the initial states."""
    config, run, experiment, mesh, keys, *_ = prepared
    step = checkpoints.latest_step() or 0
    if not step:
        state = sharding.init_seeds(experiment.algorithm.init, keys.init, mesh)
        if config.init_from:
            state = sharding.place(initial.from_run(config, experiment, state), sharding.seeds_sharding(mesh))
        return Trained(0, state, best.start(state) if prepared.best_metric else None)
    placed = sharding.seeds_sharding(mesh)
    like = sharding.seeds_types(experiment.algorithm.init, keys.init)
    with cli.one_line_errors():
        checks.check_note(run, checkpoints.note())
        state = checkpoints.restore(like, placed)
        pool = None
        if renewal.is_renewed(experiment):
            restored = checkpoints.restore(renewal.pool_types(experiment, len(keys.init)), placed, item=renewal.ITEM)
            pool = sharding.gather(restored)
        if prepared.best_metric is None:
            return Trained(step, state, None, pool)
        if not checkpoints.holds(best.ITEM):
            return Trained(step, state, best.start(state), pool)
        kept = checkpoints.restore(jax.eval_shape(best.start, like), placed, item=best.ITEM)
    return Trained(step, state, kept, pool)


def _train_from(trained: Trained, prepared: Prepared, checkpoints: Checkpoints, stack: contextlib.ExitStack) -> Trained:
    """Trains from a step to the last, a chunk at a time, and saves checkpoints."""
    config, run, experiment, mesh, keys, points, advance, compiled, monitor, best_metric, started = prepared
    step, state, kept, pool = trained
    noted = checks.note(run.read_config())
    for note in experiment.task.notes:
        cli.screen().print(note, highlight=False)
    data = feeding.feed(config, experiment, mesh, step, keys, pool)
    log, writer = calls.CallsLog(run, experiment.property, step), None
    if processes.is_first():
        writer = stack.enter_context(MetricsWriter(run, replica_names(config), first_step=step + 1))
    progress = stack.enter_context(ProgressLine(cli.screen(), config.num_steps, step))
    watch = divergence.Watch(config)
    for sentence in watch.update(state, step, {}):
        progress.print(sentence)
    is_out = kept is not None and best.is_out_of_patience(kept, step, config.patience)
    is_last = step >= config.num_steps or watch.all_diverged or is_out or log.is_spent()
    compiled.result()
    began = saved_at = time.monotonic()
    has_turned = is_stopped = False
    while not is_last:
        num_steps = min(config.steps_per_chunk - step % config.steps_per_chunk, config.num_steps - step)
        measured = data.renew(step, state) if step % config.steps_per_chunk == 0 else {}
        state, metrics = advance(keys.train, state, points, data.take(num_steps), num_steps=num_steps)
        step += num_steps
        metrics = sharding.gather(metrics | monitor(keys, state)) | measured
        measured, problems = log.write(step)
        metrics |= measured
        if step - num_steps == trained.step:
            # From here on, ending the process loses work.
            stack.enter_context(interrupts.holding_work())
        if writer is not None:
            run.lock.check()
        progress.update(step, metrics)
        if writer is not None:
            writer.write({"step": step, "wall_seconds": round(time.monotonic() - started, 3)} | metrics)
        for sentence in [*problems, *watch.update(state, step, metrics)]:
            progress.print(sentence)
        is_last = step == config.num_steps or watch.all_diverged or log.is_spent()
        if kept is not None and best_metric is not None:
            kept = best.update(kept, state, step, metrics, best_metric)
            is_out = best.is_out_of_patience(kept, step, config.patience)
            if is_out:
                progress.print(f"no better {best_metric} in {config.patience:,} steps: training ends at step {step:,}")
            turned = best.turned(kept, metrics, best_metric)
            if turned is not None and not has_turned:
                progress.print(f"warning: {turned}")
            is_last, has_turned = is_last or is_out, turned is not None
        is_due = step % (config.steps_per_chunk * config.chunks_per_checkpoint) == 0
        is_late, is_stopped = processes.any_of(
            time.monotonic() - saved_at >= config.seconds_per_checkpoint, interrupts.requested()
        )
        if is_last or is_due or is_late or is_stopped:
            items = {best.ITEM: kept, renewal.ITEM: data.pool}
            items = {name: item for name, item in items.items() if item is not None}
            checkpoints.save(step, state, note=noted, **items)
            saved_at = time.monotonic()
        if is_stopped:
            break
    if data.seconds_waited is not None and step > trained.step:
        share = data.seconds_waited / (time.monotonic() - began)
        progress.print(f"training waited for data {share:.1%} of the time")
    checkpoints.wait()
    _describe(run, step)
    if is_stopped:
        processes.end()
        interrupts.stop()
    if watch.all_diverged:
        raise divergence.DivergedError(watch.message(run.path))
    return Trained(step, state, kept, data.pool)


def _with_sharding(tree: Any, sharding: jax.sharding.NamedSharding) -> Any:
    """Returns the types of a tree of arrays with a sharding."""
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding), tree)


def _advance(config: RunConfig, experiment: build.Experiment, mesh: jax.sharding.Mesh) -> Any:
    """Returns the jitted function that trains all replicas for a chunk of steps."""
    streams = experiment.task.stream is not None

    @functools.partial(jax.jit, static_argnames="num_steps", donate_argnames="state")
    def advance(keys, state, points, data, *, num_steps):
        def train_one(key, state, point, data):
            algorithm = experiment.algorithm_at(*point)
            options: dict[str, Any] = {"shard_axis": experiment.shard_axis, "keep_finite": True}
            if streams:
                return training.train_on(algorithm, key, state, data, **options)
            options |= {"batch_size": config.batch_size, "num_steps": num_steps}
            return training.train(algorithm, key, state, data, **options)

        in_axes = (0, 0, 0, feeding.axis(experiment))
        train_all = sharding.vmap_seeds(train_one, mesh, in_axes=in_axes, num_shards=config.num_shards)
        state, metrics = train_all(keys, state, points, data)
        return state, jax.tree.map(lambda metric: jnp.mean(metric, axis=1), metrics)

    return advance
