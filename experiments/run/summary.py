"""What a run came to: its metrics beside their baselines, its samples, its curves."""

import contextlib
import datetime
import functools
import json
import platform
from collections.abc import Callable
from importlib import metadata
from typing import Any

import jax
import numpy as np

from experiments import devices
from experiments.config.build import Experiment
from experiments.config.members import members, sweep
from experiments.config.run_config import RunConfig
from experiments.run import dynamics
from experiments.run.directory import Row, RunDirectory, as_json, write_text
from gumbel_gan import evaluation, training

_MONITOR_SAMPLES = 200


def monitor(experiment: Experiment) -> Callable[[training.RunKeys, Any], Row]:
    """Makes what is measured during training, once a chunk.

    Args:
      experiment: the task and the algorithm.

    Returns:
      A function of the runs' keys and states that gives `[S]` metrics: the exact ones where the oracle lists its
      support; else those of a few samples, and the likelihood of the validation split.
    """
    exact = _exact_metrics(experiment)
    if exact is not None:
        return lambda keys, state: exact(state)
    task, draw = experiment.task, sampler(experiment, _MONITOR_SAMPLES)
    likelihoods = jax.jit(jax.vmap(evaluation.negative_log_likelihoods(experiment.model, task.validation)))

    def measure(keys: training.RunKeys, state: Any) -> Row:
        tokens = draw(keys, state)
        metrics = _sample_metrics(experiment, tokens)
        metrics["validation_nll"] = np.mean(likelihoods(experiment.algorithm.params(state)), axis=1)
        if task.oracle is not None and task.oracle.log_prob is not None:
            metrics["oracle_nll"] = [-float(np.mean(task.oracle.log_prob(each))) for each in tokens]
        return metrics

    return measure


def sampler(experiment: Experiment, num: int, length: int | None = None) -> Callable[..., np.ndarray]:
    """Makes what draws sequences from the generator of every member.

    Args:
      experiment: the task and the algorithm.
      num: N, number of sequences a member.
      length: of the sequences; None for the T of training.

    Returns:
      A function of the runs' keys and states, and of a `temperature` if it is not to be 1, compiled once, that gives
      `[S, N, T]` tokens.
    """

    @jax.jit
    def sample(keys: jax.Array, state: Any, temperature: jax.Array) -> jax.Array:
        draw = functools.partial(experiment.model.sample, num=num, temperature=temperature, exact_length=length)
        return jax.vmap(draw)(keys, experiment.algorithm.params(state))

    return lambda keys, state, temperature=1.0: np.asarray(sample(keys.sample, state, temperature))


def observe(config: RunConfig, experiment: Experiment, state: Any) -> dynamics.Observed | None:
    """Observes the recurrent states of a run's generators, as `dynamics.observe`, if the config asks for them."""
    return dynamics.observe(config, experiment, state) if config.num_states else None


def summarise(
    config: RunConfig, experiment: Experiment, state: Any, observed: dynamics.Observed | None
) -> tuple[Row, list[list[str]]]:
    """Measures the final generators of a run.

    Args:
      config: the run's config.
      experiment: the task and the algorithm.
      state: the states, with a leading axis of the run's members.
      observed: what `observe` gave of them.

    Returns:
      The summary but for its `wall_seconds`, in which a metric is a list of one number a member; and each member's
      samples.
    """
    task = experiment.task
    axis = members(config)
    keys = training.seeds_axis(axis.seeds)
    tokens = sampler(experiment, config.num_samples)(keys, state)
    metrics = _sample_metrics(experiment, tokens)
    exact = _exact_metrics(experiment)
    if exact is not None:
        metrics |= {name: np.asarray(value) for name, value in exact(state).items()}
    else:
        # What only a sample tells stands in for what can't be known exactly; the summary names the method.
        unknown = [None] * len(tokens)
        metrics |= {name: metrics.get(f"sampled_{name}", unknown) for name in evaluation.EXACT_METRICS}
    if config.num_compared:
        metrics |= _comparison(config, experiment, keys, state, tokens)
    if observed is not None:
        metrics["dynamics"] = dynamics.accuracies(observed)
        metrics["dynamics_accuracy"] = [at_times[-1] for at_times in metrics["dynamics"]["after"]["accuracy"]]
    return as_json(
        {
            **metrics,
            "steps": int(np.max(state.step)),
            "seeds": axis.seeds,
            "points": axis.points,
            "sweep": sweep(config),
            "task": task.name,
            "notes": task.notes,
            "image_shape": task.image_shape,
            "algorithm": config.algorithm.name,
            "validity_method": None if task.oracle is None else task.oracle.validity_method,
            "latent_draws": experiment.latent_draws,
            "num_samples": config.num_samples,
            "num_compared": config.num_compared,
            "heldout": config.heldout,
            "num_states": config.num_states,
            **evaluation.baselines(task, num_samples=config.num_samples),
            "backend": jax.default_backend(),
            "hardware": f"{jax.devices()[0].device_kind}, {devices.num_cores()} cores, {platform.machine()}",
            "date": datetime.date.today().isoformat(),
            "versions": _versions(),
        }
    ), [task.decode(each) for each in tokens]


def write_states(run: RunDirectory, config: RunConfig, observed: dynamics.Observed | None) -> None:
    """Writes recurrent states as points of the plane, where the config asks for states.

    Args:
      run: the run's folder.
      config: the run's config.
      observed: what `observe` gave of its final states.
    """
    if observed is not None:
        points = dynamics.embeddings(observed, members(config).points)
        # Thousands of numbers, for no one to read.
        write_text(run.states, json.dumps(as_json(points)) + "\n")


def _exact_metrics(experiment: Experiment) -> Callable[[Any], Row] | None:
    """Makes the exact metrics of all seeds' states, where the oracle lists its support."""
    task = experiment.task
    if task.oracle is None or task.oracle.support is None:
        return None
    metrics = jax.jit(jax.vmap(evaluation.exact_metrics(experiment.model, task)))
    return lambda state: metrics(experiment.algorithm.params(state))


def _versions() -> Row:
    """Gives the versions of what computes, of what measures, and of what data comes from, as far as installed."""
    computing = (
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
    )
    found = {"python": platform.python_version()}
    for name in computing:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _sample_metrics(experiment: Experiment, tokens: np.ndarray) -> Row:
    """Measures the samples `[S, N, T]` of each member; a metric is a list of one number a member."""
    task = experiment.task
    rows = [evaluation.sample_metrics(each, task) for each in tokens]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _comparison(
    config: RunConfig, experiment: Experiment, keys: training.RunKeys, state: Any, tokens: np.ndarray
) -> Row:
    """Compares the samples of each member with held-out sequences, at temperature 1 and at those of the config."""
    task = experiment.task
    held_out = evaluation.held_out(task, split=config.heldout, num=config.num_compared)
    likelihoods = jax.jit(jax.vmap(evaluation.negative_log_likelihoods(experiment.model, held_out.references)))
    estimates = [
        {**evaluation.likelihood_estimates(nll, task), **held_out.compare(each[: held_out.num])}
        for nll, each in zip(np.asarray(likelihoods(experiment.algorithm.params(state))), tokens, strict=True)
    ]
    found: Row = {name: [each[name].value for each in estimates] for name in estimates[0]}
    found["intervals"] = {name: [(each[name].low, each[name].high) for each in estimates] for name in estimates[0]}
    for name in ("training_sample", "heldout_sample"):
        found[name] = {metric: estimate._asdict() for metric, estimate in getattr(held_out, name).items()}
    if task.vocabulary.padding is not None:
        found["length_law"] = {
            "members": [evaluation.length_distribution(task, each) for each in tokens],
            "heldout": evaluation.length_distribution(task, held_out.references.tokens),
            "train": evaluation.length_distribution(task, task.train.tokens),
        }
    if config.long_length:
        found |= _long_samples(config.long_length, experiment, keys, state, held_out)
    draw = sampler(experiment, held_out.num)
    rows = [
        [held_out.trade_off(each) for each in draw(keys, state, temperature)] for temperature in config.temperatures
    ]
    if rows:
        found["trade_off"] = {"temperatures": config.temperatures} | {
            name: [[row[member][name] for row in rows] for member in range(len(tokens))] for name in rows[0][0]
        }
    return found


def _long_samples(
    length: int, experiment: Experiment, keys: training.RunKeys, state: Any, held_out: evaluation.HeldOut
) -> Row:
    """Compares the parts of samples that are longer than those trained on with held-out sequences."""
    tokens = sampler(experiment, held_out.num, length)(keys, state)
    rows = [evaluation.window_divergences(each, held_out.references.tokens) for each in tokens]
    parts = {name: [row[name] for row in rows] for name in rows[0]}
    beyond = {f"long_{name}": [float(np.mean(row[1:])) for row in each] for name, each in parts.items()}
    return {
        "long_samples": {"length": length, "starts": list(range(0, length, experiment.task.length))} | parts,
        **beyond,
    }
