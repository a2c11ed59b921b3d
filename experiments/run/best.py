"""The best state of each replica of a run, by a metric that is measured during training."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.config.build import Experiment
from experiments.config.choices import choose
from experiments.config.run_config import NO_METRIC, RunConfig
from gumbel_gan import carried, evaluation, sharding, training
from gumbel_gan.metrics import GREEDY, METRICS, describe

ITEM = "best"
"""Name of the item of a checkpoint that holds the best states."""

_DEFAULT = "validation_nll"
# A metric has become worse if it is worse than its best value by more than this share of the best value.
_TURNED = 0.02


class Best(NamedTuple):
    """The best states so far, as arrays only.

    Attributes:
      state: states with a leading axis of S replicas.
      step: `[S]` int32, the steps at which these states were measured; 0 if none was measured yet.
      value: `[S]` float32, the metric at these steps; NaN if none was measured yet.
    """

    state: Any
    step: jax.Array
    value: jax.Array


def metric_of(config: RunConfig, experiment: Experiment) -> str | None:
    """Returns the metric that selects the best states of a run; None if the run keeps no best states.

    Raises:
      ValueError: `config.best_metric` is not measured during training on this task, or is '' without a default metric
        although the config needs one.
    """
    task = experiment.task
    if task.oracle is not None and task.oracle.support is not None:
        measured: Sequence[str] = evaluation.EXACT_METRICS
    else:
        measured = (*evaluation.sample_metrics(task.validation.tokens[:1], task), _DEFAULT)
        if task.in_order and carried.is_carried(experiment.model):
            measured = (*measured, "carried_validation_nll")
        if task.source is not None:
            measured = (*measured, *(f"{name}_{GREEDY}" for name in ("sequence_error", "symbol_error")))
    measured = [name for name in measured if METRICS[name].better in ("higher", "lower")]
    if config.best_metric == NO_METRIC:
        return None
    if config.best_metric:
        return choose(config.best_metric, measured, "config.best_metric")
    if _DEFAULT in measured:
        return _DEFAULT
    if config.patience or config.summarized == "best":
        raise ValueError(f"config.best_metric must name one of {', '.join(measured)} for this task, got ''")
    return None


@jax.jit
def start(state: Any) -> Best:
    """Returns the initial states as the best states, before anything is measured."""
    num_replicas = jax.tree.leaves(state)[0].shape[0]
    return Best(
        jax.tree.map(jnp.copy, state),
        jnp.zeros(num_replicas, jnp.int32),
        jnp.full(num_replicas, jnp.nan, jnp.float32),
    )


@jax.jit
def _updated(best: Best, state: Any, step: jax.Array, value: jax.Array, sign: jax.Array) -> Best:
    is_better = (sign * value < sign * best.value) | (jnp.isnan(best.value) & ~jnp.isnan(value))
    return training.select(is_better, Best(state, jnp.full_like(best.step, step), value), best)


def update(best: Best, state: Any, step: int, metrics: Mapping[str, Any], name: str) -> Best:
    """Returns the best states, updated by the states of a step.

    Args:
      best: the best states so far.
      state: the states of the step.
      step: the step.
      metrics: metrics of these states, `[S]` each.
      name: name of the metric that selects the best states.
    """
    # A NumPy array, since it belongs to no device.
    value = np.asarray(metrics[name], np.float32)
    sign = -1.0 if METRICS[name].better == "higher" else 1.0
    return _updated(best, state, np.int32(step), value, np.float32(sign))


def is_out_of_patience(best: Best, step: int, patience: int) -> bool:
    """Returns whether no replica has improved in the last `patience` steps; False if `patience` is 0."""
    return bool(patience) and step - int(np.max(sharding.gather(best.step))) >= patience


def turned(best: Best, metrics: Mapping[str, Any], name: str) -> str | None:
    """Returns a sentence if the median of a metric over replicas has become worse than at its best; else None."""
    kept = sharding.gather(Best(None, best.step, best.value))
    least, now = float(np.nanmedian(kept.value)), float(np.median(metrics[name]))
    worse = now - least if METRICS[name].better == "lower" else least - now
    if not math.isfinite(worse) or worse <= _TURNED * abs(least):
        return None
    # A step that was measured, also for an even number of replicas.
    step = int(np.quantile(kept.step, 0.5, method="lower"))
    return f"{describe(name).label} was best at step {step:,}, {least:.4g}, and is {now:.4g} now: it gets worse"


def section(best: Best | None, name: str | None) -> dict[str, Any] | None:
    """Returns the section of the summary: `metric`, its best `values` and their `steps`; None without best states."""
    if best is None or name is None:
        return None
    values, steps = sharding.gather((best.value, best.step))
    return {"metric": name, "values": values.tolist(), "steps": steps.tolist()}
