"""Runs on pairs: the errors of decoded sequences, and the held-out pairs."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from experiments.config.build import Experiment
from experiments.config.run_config import RunConfig
from experiments.run.texts import Row, write_lines
from gumbel_gan import evaluation, sharding
from gumbel_gan.data import Batch, take
from gumbel_gan.metrics import BEAM, GREEDY
from gumbel_gan.pair_errors import decoded_errors
from gumbel_gan.tasks import Task, decoded_pairs

# Number of validation pairs that are decoded during training.
_MONITORED = 500


def monitored_errors(experiment: Experiment) -> Callable[[Any], Row]:
    """Builds a function that measures greedy decoding during training, on some validation pairs.

    Returns:
      A function of the replicas' states that computes `[S]` error rates by name.
    """
    data = take(experiment.task.validation, slice(_MONITORED))
    measure = _measure(experiment, data, GREEDY, beam_size=1)
    return lambda state: measure(state)[0]


def final_errors(config: RunConfig, experiment: Experiment, state: Any) -> tuple[Row, Row]:
    """Measures the sequences that generators decode from held-out sources, by greedy decoding and by beam search.

    Args:
      config: config of the run; its `heldout` names the split.
      experiment: the task and the algorithm.
      state: the states, with a leading axis of replicas.

    Returns:
      `[S]` error rates by name, and the ends of their intervals.
    """
    data = evaluation.heldout_and_others(experiment.task, config.heldout)[0]
    metrics, intervals = _measure(experiment, data, GREEDY, beam_size=1)(state)
    if config.beam_size > 1:
        more, ends = _measure(experiment, data, BEAM, beam_size=config.beam_size)(state)
        metrics, intervals = metrics | more, intervals | ends
    return metrics, intervals


def sample_conditions(task: Task, split: str) -> np.ndarray | None:
    """Returns the sources that samples are drawn from, in turn; None for a task without sources."""
    return None if task.source is None else evaluation.heldout_and_others(task, split)[0].condition


def with_sources(task: Task, strings: list[str], split: str) -> list[str]:
    """Returns samples preceded by their sources and a tab; for a task without sources, unchanged samples."""
    if task.source is None:
        return strings
    sources = task.source.decode(evaluation.heldout_and_others(task, split)[0].condition[: len(strings)])
    return [f"{sources[index % len(sources)]}\t{string}" for index, string in enumerate(strings)]


def write_heldout(path: Any, task: Task) -> None:
    """Writes the held-out pairs, one per line with the split, the source and the target."""
    splits = {"validation": task.validation, "test": task.test}
    write_lines(
        path, ("\t".join((name, *pair)) for name, split in splits.items() for pair in decoded_pairs(task, split))
    )


def _measure(experiment: Experiment, data: Batch, decoding: str, *, beam_size: int) -> Callable[[Any], tuple[Row, Row]]:
    """Builds a function of states that computes error rates by name, and the ends of their intervals."""
    decode, errors = decoded_errors(experiment.model, experiment.task, data, beam_size=beam_size)
    decode_replicas = jax.jit(jax.vmap(decode))

    def measure(state: Any) -> tuple[Row, Row]:
        tokens = sharding.gather(decode_replicas(experiment.algorithm.params(state)))
        rows = [errors(each) for each in tokens]
        metrics = {f"{name}_{decoding}": [row[name].value for row in rows] for name in rows[0]}
        intervals = {f"{name}_{decoding}": [(row[name].low, row[name].high) for row in rows] for name in rows[0]}
        return metrics, intervals

    return measure
