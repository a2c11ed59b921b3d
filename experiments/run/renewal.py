"""Training data that is renewed between chunks: the data and samples with the highest property so far."""

from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.config.build import Experiment
from experiments.config.property_calls import PropertyCalls
from experiments.run import drawing
from experiments.run.texts import Row
from gumbel_gan import sharding, training
from gumbel_gan.data import Batch

ITEM = "renewed"
"""Name of the item of a checkpoint that holds the renewed data."""

# Different from the numbers of blocks of samples, which are counted from 0.
_RENEWAL = 2**31


class Pool(NamedTuple):
    """The renewed data of S replicas, as arrays only.

    Attributes:
      tokens: `[S, P, T]` int32 sequences.
      scores: `[S, P]` float32, in descending order; -inf for a row that holds no scored sequence yet.
    """

    tokens: Any
    scores: Any


def is_renewed(experiment: Experiment) -> bool:
    """Returns whether the data of a run is renewed."""
    return experiment.property is not None and experiment.property.settings.renewal != "never"


def pool_types(experiment: Experiment, num_replicas: int) -> Pool:
    """Returns the shapes and dtypes of the renewed data of a run."""
    assert experiment.property is not None
    num = experiment.property.settings.num_kept
    shape = (num_replicas, num, experiment.task.length)
    return Pool(jax.ShapeDtypeStruct(shape, np.int32), jax.ShapeDtypeStruct(shape[:2], np.float32))


class Renewed:
    """The data of a run that is renewed before each chunk, as a `feeding.Feed`."""

    seconds_waited: float | None = None

    def __init__(self, experiment: Experiment, mesh: jax.sharding.Mesh, keys: training.RunKeys, pool: Pool | None):
        """Starts with the pool of a checkpoint, or with sequences of the training data.

        Args:
          experiment: the task and the algorithm.
          mesh: the devices over which the replicas are spread.
          keys: the keys of the replicas.
          pool: the data of the checkpoint that the run resumes from; None for a new run.
        """
        assert experiment.property is not None
        self._experiment, self._calls, self._keys = experiment, experiment.property, keys
        self._sharding = sharding.seeds_sharding(mesh)
        num_replicas = len(keys.sample)
        self._draw = drawing.blocks(experiment.model, num_replicas, self._calls.settings.num_samples)
        self._is_new = pool is None
        self._pool = pool if pool is not None else _of_data(experiment, num_replicas)
        self._placed: Any = None

    @property
    def pool(self) -> Pool:
        """The data, on the devices."""
        return sharding.place(self._pool, self._sharding)

    def take(self, num_steps: int) -> Any:
        """Returns the data, with a leading axis of replicas."""
        if self._placed is None:
            self._placed = sharding.place(Batch(_filled(self._pool)), self._sharding)
        return self._placed

    def renew(self, step: int, state: Any) -> Row:
        """Draws samples, scores them, and keeps the best sequences.

        Args:
          step: the step.
          state: the states of all replicas.

        Returns:
          The mean score of the samples of each replica; NaN if the replica has no calls left.
        """
        if self._is_new and self._calls.settings.renewal == "replace_worst":
            self._merge(self._pool.tokens)
        self._is_new = False
        keys = jax.vmap(lambda key: jax.random.fold_in(jax.random.fold_in(key, _RENEWAL), step))(self._keys.sample)
        params = self._experiment.algorithm.params(state)
        return {"property": self._merge(np.concatenate(list(self._draw(keys, params)), axis=1))}

    def _merge(self, tokens: np.ndarray) -> list[float]:
        """Keeps the best of the pool and of new sequences `[S, N, T]`; returns the mean scores of the new sequences."""
        merged = [
            _merged(Pool(*each), new, self._experiment, self._calls, replica)
            for replica, (*each, new) in enumerate(zip(*self._pool, tokens, strict=True))
        ]
        pools, means = zip(*merged, strict=True)
        self._pool = Pool(*(np.stack(leaves) for leaves in zip(*pools, strict=True)))
        self._placed = None
        return list(means)


def _of_data(experiment: Experiment, num_replicas: int) -> Pool:
    """Returns random training sequences, the same for all replicas, without scores."""
    types, data = pool_types(experiment, num_replicas), np.asarray(experiment.data.tokens, np.int32)
    rows = np.random.default_rng(0).permutation(len(data))[: types.tokens.shape[1]]
    tokens = np.broadcast_to(data[rows], types.tokens.shape)
    return Pool(tokens, np.full(types.scores.shape, -np.inf, np.float32))


def _merged(
    pool: Pool, tokens: np.ndarray, experiment: Experiment, calls: PropertyCalls, replica: int
) -> tuple[Pool, float]:
    """Returns the best of one replica's `[P, T]` pool and of `[N, T]` new tokens, and the mean score of the new ones.

    Only distinct sequences with a known property are kept. If scores are equal, the earlier sequences are kept.
    """
    strings = experiment.task.decode(tokens)
    num = calls.affordable(strings, replica)
    values = calls(strings[:num], replica) if num else np.zeros(0)
    known = calls.scores(replica)
    is_scored = np.isfinite(pool.scores)
    kept = dict.fromkeys(experiment.task.decode(pool.tokens[is_scored]))
    new = {string: row for row, string in reversed(list(enumerate(strings[:num])))}
    rows = sorted(row for string, row in new.items() if string in known and string not in kept)
    all_tokens = np.concatenate([pool.tokens[is_scored], tokens[rows], pool.tokens[~is_scored]])
    scores = np.concatenate([pool.scores[is_scored], values[rows], pool.scores[~is_scored]]).astype(np.float32)
    best = np.argsort(-scores, kind="stable")[: len(pool.scores)]
    return Pool(all_tokens[best], scores[best]), float(np.mean(values)) if num else float("nan")


def _filled(pool: Pool) -> np.ndarray:
    """Returns the `[S, P, T]` sequences to train on: the scored ones, repeated, or all if none is scored."""
    num_scored = np.isfinite(pool.scores).sum(axis=1)
    num = pool.scores.shape[1]
    rows = np.arange(num) % np.where(num_scored, num_scored, num)[:, None]
    return np.take_along_axis(pool.tokens, rows[:, :, None], axis=1)
