"""How the states of generators that read differ from those of generators that draw, before training and after."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.config.build import Experiment
from experiments.config.members import first_members, members
from experiments.config.run_config import RunConfig
from experiments.run.texts import Row
from gumbel_gan import evaluation, sharding, training
from gumbel_gan.data import Batch, take
from gumbel_gan.metrics import Estimate, TwoSample, embed, two_sample_accuracy

STAGES = ("before", "after")
_DECIMALS = 2


class States(NamedTuple):
    """States of each member's generator at some steps, `[S, N, Q, H]`.

    Attributes:
      read: while it reads held-out sequences, teacher-forced.
      drawn: while it draws sequences, free-running.
    """

    read: np.ndarray
    drawn: np.ndarray


class Observed(NamedTuple):
    """What generators were seen doing.

    Attributes:
      times: the Q steps.
      before: states before training.
      after: states after training.
      others: `[S, N, Q, H]` states after training while they read other held-out sequences than those of `after`.
    """

    times: tuple[int, ...]
    before: States
    after: States
    others: np.ndarray


def observe(config: RunConfig, experiment: Experiment, state: Any) -> Observed:
    """Observes the generators of a run, at the ends of the quarters of a sequence.

    Args:
      config: the run's config, whose `num_states` is N.
      experiment: the task and the algorithm.
      state: the final states, with a leading axis of the run's members; those before training are made again.

    Returns:
      Their states.
    """
    task, model, algorithm, num = experiment.task, experiment.model, experiment.algorithm, config.num_states
    times = evaluation.quarters(task.length)
    states_at = evaluation.hidden_states_at(model, times)
    references, others = evaluation.heldout_and_others(task, config.heldout)

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
            sharding.gather(read(state, take(references, slice(num)))),
            sharding.gather(draw(np.asarray(seeds, np.uint32), state)),
        )

    seeds = members(config).seeds
    mesh = sharding.seeds_mesh(len(seeds), config.num_shards)
    initial = sharding.init_seeds(algorithm.init, training.seeds_axis(seeds).init, mesh)
    return Observed(times, states(initial), states(state), sharding.gather(read(state, take(others, slice(num)))))


def accuracies(observed: Observed) -> Row:
    """Measures how well a classifier tells states apart, by `two_sample_accuracy`.

    Args:
      observed: what `observe` returned.

    Returns:
      The `times`; and, of states read against states drawn `before` and `after` training, and of states read of
      `heldout` sequences against those of others, the mark to reach: the `accuracy`, the ends of its interval `low` and
      `high`, and the `p_value`, `[S, Q]` each, no numbers where a generator's states are none.
    """
    before, after = observed.before, observed.after
    pairs = {
        "before": (before.read, before.drawn),
        "after": (after.read, after.drawn),
        "heldout": (after.read, observed.others),
    }
    return {"times": observed.times} | {name: _told_apart(*pair) for name, pair in pairs.items()}


def embeddings(observed: Observed, points: Sequence[int]) -> list[dict[str, dict[str, np.ndarray]]]:
    """Embeds the states at the last step in the plane, of the first member at each point of a sweep.

    Args:
      observed: what `observe` returned.
      points: each member's point of the sweep.

    Returns:
      A point of the sweep each: for 'before' and 'after' training the `[N, 2]` points of the states `read` and `drawn`,
      which are embedded together; none where the states are no numbers.
    """
    stages = dict(zip(STAGES, (observed.before, observed.after), strict=True))
    return [{name: _embedded(states, first) for name, states in stages.items()} for first in first_members(points)]


def _embedded(states: States, member: int) -> dict[str, np.ndarray]:
    read, drawn = states.read[member, :, -1], states.drawn[member, :, -1]
    both = np.concatenate([read, drawn])
    # Of a generator that broke down, or that always does the same, there is nothing to see.
    if not np.isfinite(both).all() or (both == both[0]).all():
        return {"read": np.zeros((0, 2)), "drawn": np.zeros((0, 2))}
    both = embed(both).round(_DECIMALS)
    return {"read": both[: len(read)], "drawn": both[len(read) :]}


def _test(first: np.ndarray, second: np.ndarray) -> TwoSample:
    """Compares `[N, H]` states; a generator that broke down in training must not take the whole run with it."""
    if np.isfinite(first).all() and np.isfinite(second).all():
        return two_sample_accuracy(first, second)
    return TwoSample(Estimate(np.nan, np.nan, np.nan), np.nan)


def _told_apart(first: np.ndarray, second: np.ndarray) -> Row:
    """Compares states `[S, N, Q, H]` of each member at each step."""
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
