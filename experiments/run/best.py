"""The best state of each member of a run, by a metric that is measured during training."""

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
# A metric that is worse than its best by this share of it has turned.
_TURNED = 0.02


class Best(NamedTuple):
    """The best states so far, arrays only.

    Attributes:
      state: the states, with a leading axis of the S members.
      step: `[S]` int32, the steps they were measured at; 0 where there was none yet.
      value: `[S]` float32, the metric there; NaN where there was none yet.
    """

    state: Any
    step: jax.Array
    value: jax.Array


def metric_of(config: RunConfig, experiment: Experiment) -> str | None:
    """Returns the metric by which a run keeps its best states; None where it keeps none.

    Raises:
      ValueError: the config names one that the task's training does not measure, or needs one where there is none.
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
    """Returns what is known before anything is measured."""
    num_members = jax.tree.leaves(state)[0].shape[0]
    return Best(
        jax.tree.map(jnp.copy, state),
        jnp.zeros(num_members, jnp.int32),
        jnp.full(num_members, jnp.nan, jnp.float32),
    )


@jax.jit
def _updated(best: Best, state: Any, step: jax.Array, value: jax.Array, sign: jax.Array) -> Best:
    is_better = (sign * value < sign * best.value) | (jnp.isnan(best.value) & ~jnp.isnan(value))
    return training.select(is_better, Best(state, jnp.full_like(best.step, step), value), best)


def update(best: Best, state: Any, step: int, metrics: Mapping[str, Any], name: str) -> Best:
    """Returns the best states once those of a step are measured.

    Args:
      best: those before.
      state: the states of the step.
      step: the step.
      metrics: what was measured, `[S]` each.
      name: the metric that decides.
    """
    # Of NumPy, which belongs to no device.
    value = np.asarray(metrics[name], np.float32)
    sign = -1.0 if METRICS[name].better == "higher" else 1.0
    return _updated(best, state, np.int32(step), value, np.float32(sign))


def is_out_of_patience(best: Best, step: int, patience: int) -> bool:
    """Returns whether no member got better in the last `patience` steps; never where that is 0."""
    return bool(patience) and step - int(np.max(sharding.gather(best.step))) >= patience


def turned(best: Best, metrics: Mapping[str, Any], name: str) -> str | None:
    """Returns a sentence where a metric has become worse than it was, in the median over members; else None."""
    kept = sharding.gather(Best(None, best.step, best.value))
    least, now = float(np.nanmedian(kept.value)), float(np.median(metrics[name]))
    worse = now - least if METRICS[name].better == "lower" else least - now
    if not math.isfinite(worse) or worse <= _TURNED * abs(least):
        return None
    # One that was measured, of an even number of members too.
    step = int(np.quantile(kept.step, 0.5, method="lower"))
    return f"{describe(name).label} was best at step {step:,}, {least:.4g}, and is {now:.4g} now: it gets worse"


def section(best: Best | None, name: str | None) -> dict[str, Any] | None:
    """Returns what the summary holds: the `metric`, and its `values` and `steps`, one a member; None without any."""
    if best is None or name is None:
        return None
    values, steps = sharding.gather((best.value, best.step))
    return {"metric": name, "values": values.tolist(), "steps": steps.tolist()}
