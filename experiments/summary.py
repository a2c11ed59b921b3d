"""What a run came to: its metrics beside their baselines, its samples, its curves."""

import datetime
import functools
import platform
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

import jax
import numpy as np

from experiments import console, figures, platforms
from experiments.build import Experiment
from experiments.members import members, sweep
from experiments.rundir import Row, RunDirectory, as_json, write_samples
from gumbel_gan import evaluation, training

_MONITOR_SAMPLES = 200


def monitor(experiment: Experiment) -> Callable[[training.RunKeys, Any], Row]:
    """Makes what is measured during training, once a chunk.

    Args:
      experiment: the task and the algorithm.

    Returns:
      A function of the runs' keys and states that gives `[S]` metrics: the exact ones where the oracle lists
      its support, else those of a few samples.
    """
    exact = _exact_metrics(experiment)
    if exact is not None:
        return lambda keys, state: exact(state)
    draw = sampler(experiment, _MONITOR_SAMPLES)
    return lambda keys, state: _sample_metrics(experiment, draw(keys, state))


def sampler(experiment: Experiment, num: int) -> Callable[[training.RunKeys, Any], list[list[str]]]:
    """Makes what draws strings from the generator of every member.

    Args:
      experiment: the task and the algorithm.
      num: number of strings a member.

    Returns:
      A function of the runs' keys and states, compiled once, that gives a list of `num` strings a member.
    """
    sample = jax.jit(jax.vmap(functools.partial(experiment.algorithm.sample, num=num)))
    return lambda keys, state: [experiment.task.decode(tokens) for tokens in np.asarray(sample(keys.sample, state))]


def summarise(config: Mapping[str, Any], experiment: Experiment, state: Any) -> tuple[Row, list[list[str]]]:
    """Measures the final generators of a run.

    Args:
      config: the run's config.
      experiment: the task and the algorithm.
      state: the states, with a leading axis of the run's members.

    Returns:
      The summary but for its `wall_seconds`, in which a metric is a list of one number a member; and each member's
      samples.
    """
    task = experiment.task
    axis = members(config)
    keys = training.seeds_axis(axis.seeds)
    strings = sampler(experiment, config["num_samples"])(keys, state)
    metrics = _sample_metrics(experiment, strings)
    exact = _exact_metrics(experiment)
    if exact is not None:
        metrics |= {name: np.asarray(value) for name, value in exact(state).items()}
    else:
        # What only a sample tells stands in for what can't be known exactly; the summary names the method.
        unknown = [None] * len(strings)
        metrics |= {name: metrics.get(f"sampled_{name}", unknown) for name in evaluation.EXACT_METRICS}
    return as_json(
        {
            **metrics,
            "steps": int(np.max(state.step)),
            "seeds": axis.seeds,
            "points": axis.points,
            "sweep": sweep(config),
            "task": task.name,
            "algorithm": config["algorithm"]["name"],
            "validity_method": None if task.oracle is None else task.oracle.method,
            "latent_draws": experiment.latent_draws,
            "num_samples": config["num_samples"],
            **evaluation.baselines(task, num_samples=config["num_samples"]),
            "backend": jax.default_backend(),
            "hardware": f"{jax.devices()[0].device_kind}, {platforms.num_cores()} cores, {platform.machine()}",
            "date": datetime.date.today().isoformat(),
            "versions": {name: metadata.version(name) for name in ("gumbel_gan", "jax", "flax", "optax")}
            | {"python": platform.python_version()},
        }
    ), strings


def write_samples_and_curves(run: RunDirectory, summary: Row, strings: list[list[str]]) -> None:
    """Writes what the summary does not hold.

    Args:
      run: the run's folder.
      summary: the summary.
      strings: the samples of each seed.
    """
    write_samples(run.samples, [string for each in strings for string in each])
    figures.draw_curves(
        run.read_metrics(),
        run.curves,
        title=f"{summary['algorithm']} on {summary['task']}",
        sweep=summary["sweep"],
        points=summary["points"],
    )


def show(experiment: Experiment, summary: Row, strings: list[list[str]]) -> None:
    """Prints a summary, and samples of its first seed with the invalid ones marked.

    Args:
      experiment: the task and the algorithm.
      summary: the summary.
      strings: the samples of each seed.
    """
    shown = strings[0][: console.SHOWN_SAMPLES]
    oracle = experiment.task.oracle
    console.print_summary(
        console.screen(), summary, shown, [oracle is None or oracle.is_valid(string) for string in shown]
    )


def _exact_metrics(experiment: Experiment) -> Callable[[Any], Row] | None:
    """Makes the exact metrics of all seeds' states, where the oracle lists its support."""
    task = experiment.task
    if task.oracle is None or task.oracle.law is None:
        return None
    return jax.jit(jax.vmap(evaluation.law_metrics(experiment.algorithm, task)))


def _sample_metrics(experiment: Experiment, strings: list[list[str]]) -> Row:
    """Measures the samples of each seed; a metric is a list of one number a seed."""
    rows = [evaluation.string_metrics(each, experiment.task) for each in strings]
    return {name: [row[name] for row in rows] for name in rows[0]}
