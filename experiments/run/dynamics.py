"""Compares hidden states of generators under teacher forcing and in free running, before and after training."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.config.build import Experiment
from experiments.config.replicas import first_replicas, replicas
from experiments.config.run_config import RunConfig
from experiments.run.texts import Row
from gumbel_gan import evaluation, sharding, training
from gumbel_gan.data import Batch, take
from gumbel_gan.metrics import Estimate, TwoSample, embed, two_sample_accuracy

STAGES = ("before", "after")
_DECIMALS = 2


class States(NamedTuple):
    """Hidden states of each replica's generator at some steps, `[S, N, Q, H]`.

    Attributes:
      read: teacher-forced states, on held-out sequences.
      drawn: free-running states, on sequences that the generator draws.
    """

    read: np.ndarray
    drawn: np.ndarray


class Observed(NamedTuple):
    """The observed hidden states of generators.

    Attributes:
      times: the Q steps.
      before: states before training.
      after: states after training.
      others: `[S, N, Q, H]` teacher-forced states after training, on other held-out sequences than those of `after`.
    """

    times: tuple[int, ...]
    before: States
    after: States
    others: np.ndarray


def observe(config: RunConfig, experiment: Experiment, state: Any) -> Observed:
    """Observes the hidden states of a run's generators, at the ends of the quarters of a sequence.

    Args:
      config: config of the run; its `num_states` is N.
      experiment: the task and the algorithm.
      state: the final states, with a leading axis of replicas. The states before training are computed again.

    Returns:
      The observed states.
    """
    task, model, algorithm, num = experiment.task, experiment.model, experiment.algorithm, config.num_states
    times = evaluation.quarters(task.length)
    states_at = evaluation.hidden_states_at(model, times)
    references, others = evaluation.heldout_and_others(task, config.heldout)

    def rows_of(split: Batch) -> np.ndarray:
        return evaluation.some_rows(task, len(split.tokens), num)

    @jax.jit
    def read(state: Any, data: Batch) -> jax.Array:
        return jax.vmap(states_at, in_axes=(0, None))(algorithm.params(state), data)

    @jax.jit
    @jax.vmap
    def draw(seed: jax.Array, state: Any) -> jax.Array:
        params = algorithm.params(state)
        return states_at(params, Batch(model.sample(training.run_keys(seed).sample, params, num)))

    def states(state: Any) -> States:
        return States(
            sharding.gather(read(state, take(references, rows_of(references)))),
            sharding.gather(draw(np.asarray(seeds, np.uint32), state)),
        )

    seeds = replicas(config).seeds
    mesh = sharding.seeds_mesh(len(seeds), config.num_shards)
    initial = sharding.init_seeds(algorithm.init, training.seeds_axis(seeds).init, mesh)
    return Observed(times, states(initial), states(state), sharding.gather(read(state, take(others, rows_of(others)))))


def accuracies(observed: Observed) -> Row:
    """Measures how well a classifier separates states, by `two_sample_accuracy`.

    Args:
      observed: the result of `observe`.

    Returns:
      The `times`, and three comparisons of states: `before` and `after` compare teacher-forced with free-running states
      before and after training; `heldout`, the baseline, compares teacher-forced states on two sets of held-out
      sequences. Each holds the `accuracy`, the ends of its interval `low` and `high`, and the `p_value`, `[S, Q]` each;
      NaN if the states of a generator are not finite.
    """
    before, after = observed.before, observed.after
    pairs = {
        "before": (before.read, before.drawn),
        "after": (after.read, after.drawn),
        "heldout": (after.read, observed.others),
    }
    return {"times": observed.times} | {name: _told_apart(*pair) for name, pair in pairs.items()}


def embeddings(observed: Observed, points: Sequence[int]) -> list[dict[str, dict[str, np.ndarray]]]:
    """Embeds the states at the last step in the plane, for the first replica at each point of a sweep.

    Args:
      observed: the result of `observe`.
      points: point of the sweep of each replica.

    Returns:
      One entry per point of the sweep: for 'before' and 'after' training, the `[N, 2]` points of the states `read` and
      `drawn`, which are embedded together; no points if the states are not finite or are all equal.
    """
    stages = dict(zip(STAGES, (observed.before, observed.after), strict=True))
    return [{name: _embedded(states, first) for name, states in stages.items()} for first in first_replicas(points)]


def _embedded(states: States, replica: int) -> dict[str, np.ndarray]:
    read, drawn = states.read[replica, :, -1], states.drawn[replica, :, -1]
    both = np.concatenate([read, drawn])
    # States that are not finite, or are all equal, cannot be embedded.
    if not np.isfinite(both).all() or (both == both[0]).all():
        return {"read": np.zeros((0, 2)), "drawn": np.zeros((0, 2))}
    both = embed(both).round(_DECIMALS)
    return {"read": both[: len(read)], "drawn": both[len(read) :]}


def _test(first: np.ndarray, second: np.ndarray) -> TwoSample:
    """Compares `[N, H]` states; returns NaN for states that are not finite, so that the run can finish."""
    if np.isfinite(first).all() and np.isfinite(second).all():
        return two_sample_accuracy(first, second)
    return TwoSample(Estimate(np.nan, np.nan, np.nan), np.nan)


def _told_apart(first: np.ndarray, second: np.ndarray) -> Row:
    """Compares the states `[S, N, Q, H]` of each replica at each step."""
    tests = [
        [_test(one[:, step], other[:, step]) for step in range(first.shape[2])]
        for one, other in zip(first, second, strict=True)
    ]
    return {
        "accuracy": [[test.accuracy.value for test in each] for each in tests],
        "low": [[test.accuracy.low for test in each] for each in tests],
        "high": [[test.accuracy.high for test in each] for each in tests],
        "p_value": [[test.p_value for test in each] for each in tests],
    }
