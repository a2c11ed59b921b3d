"""Batches of sequences that do not fit in memory, in a random order with random access by step number."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gumbel_gan.arguments import require_at_least, require_integers, require_kind
from gumbel_gan.tasks.token_rows import TokenRows

_ROUNDS = 6
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
# More steps than in any run.
_NUM_STEPS = 2**31 - 1
_THREADS = 2


def shuffled_rows(positions: np.ndarray, num: int, seed: int) -> np.ndarray:
    """Returns the rows at positions of an endless stream, which goes through N rows in a different order in each epoch.

    The order is a permutation that is computed, not stored: a Feistel network with a different key for each epoch.

    Args:
      positions: `[M]` integers, at least 0, positions in the stream.
      num: N, number of rows, at least 1.
      seed: seed of the order, at least 0.

    Returns:
      `[M]` int64 rows in [0, N). The N positions from any multiple of N on hold every row once.

    Raises:
      TypeError: `positions` is not an array of integers, or `num` or `seed` is not an integer.
      ValueError: a position, `num` or `seed` is out of range.
    """
    require_integers(positions=positions)
    require_at_least(1, num=num)
    require_at_least(0, seed=seed)
    if positions.size and positions.min() < 0:
        raise ValueError(f"positions must be at least 0, got {positions.min()}")
    epochs, places = np.divmod(positions.astype(np.int64), num)
    rows = np.empty_like(places)
    for epoch in np.unique(epochs):
        chosen = epochs == epoch
        rows[chosen] = _permuted(places[chosen], num, np.random.SeedSequence([seed, int(epoch)]))
    return rows


def _permuted(places: np.ndarray, num: int, seed: np.random.SeedSequence) -> np.ndarray:
    low = max(1, (num - 1).bit_length() // 2)
    high = max(1, (num - 1).bit_length() - low)
    shift, masks = np.uint64(low), (np.uint64(2**high - 1), np.uint64(2**low - 1))
    keys = seed.generate_state(_ROUNDS, np.uint64)
    found = places.astype(np.uint64)
    outside = np.ones(len(found), bool)
    while outside.any():
        # Permutes all numbers of `low + high` bits. Results of N or more are permuted again, until all are less than N.
        halves = [found[outside] >> shift, found[outside] & masks[1]]
        for number, key in enumerate(keys):
            changed, other = number % 2, 1 - number % 2
            mixed = (halves[other] ^ key) * _MULTIPLIER
            mixed = (mixed ^ (mixed >> np.uint64(29))) * _MULTIPLIER
            halves[changed] = halves[changed] ^ (mixed >> np.uint64(32)) & masks[changed]
        found[outside] = (halves[0] << shift) | halves[1]
        outside = found >= num
    return found.astype(np.int64)


class Steps:
    """The batches of a stream by step number: a random-access source for grain."""

    def __init__(self, rows: TokenRows, seeds: Sequence[int], batch_size: int, shards: range, num_shards: int):
        """Describes the batches.

        Args:
          rows: the sequences.
          seeds: S seeds, each of which goes through the sequences in its own order.
          batch_size: B, batch size over all shards, a multiple of `num_shards`.
          shards: indices of the shards whose parts of the batches are read.
          num_shards: number of all shards.

        Raises:
          TypeError: `rows` is not `TokenRows`, or `batch_size` or `num_shards` is not an integer.
          ValueError: `batch_size` or `num_shards` is less than 1, or `batch_size` is not a multiple of `num_shards`.
        """
        require_kind(TokenRows, rows=rows)
        require_at_least(1, batch_size=batch_size, num_shards=num_shards)
        if batch_size % num_shards:
            raise ValueError(f"batch_size must be a multiple of num_shards, {num_shards}, got {batch_size}")
        self._rows, self._seeds, self._batch_size = rows, list(seeds), batch_size
        self._shards, self._num_shards = shards, num_shards

    def __len__(self) -> int:
        """Returns the number of steps, which is more than any run has."""
        return _NUM_STEPS

    def __getitem__(self, step: Any) -> np.ndarray:
        """Returns the batches of a step, `[S, shards, B / num_shards, T]`."""
        size = self._batch_size // self._num_shards
        first = int(step) * self._batch_size + self._shards.start * size
        positions = np.arange(first, first + len(self._shards) * size)
        # A seed may occur more than once: in a sweep, it occurs at each point.
        rows_of = {seed: shuffled_rows(positions, len(self._rows), seed) for seed in dict.fromkeys(self._seeds)}
        rows = np.concatenate([rows_of[seed] for seed in self._seeds])
        return self._rows.take(rows).reshape(len(self._seeds), len(self._shards), size, self._rows.length)


class Stream:
    """The batches of consecutive steps, read ahead by threads of grain."""

    def __init__(self, steps: Steps, first_step: int, *, num_ahead: int):
        """Starts to read.

        Args:
          steps: the batches.
          first_step: the step of the first batches, 0 for a new run, `state.step` for a resumed run.
          num_ahead: number of steps that are read ahead.

        Raises:
          ImportError: grain is not installed.
          TypeError: `steps` is not `Steps`, or `first_step` or `num_ahead` is not an integer.
          ValueError: `first_step` is negative, or `num_ahead` is less than 1.
        """
        require_kind(Steps, steps=steps)
        require_at_least(0, first_step=first_step)
        require_at_least(1, num_ahead=num_ahead)
        try:
            import grain
        except ImportError as error:
            raise ImportError(
                "data that streams needs the package 'grain' (pip install 'gumbel_gan[stream]')"
            ) from error
        options = grain.ReadOptions(num_threads=_THREADS, prefetch_buffer_size=num_ahead)
        dataset = grain.MapDataset.source(steps)[first_step:].to_iter_dataset(options)
        self._batches: Iterator[np.ndarray] = iter(dataset)

    def take(self, num_steps: int) -> np.ndarray:
        """Returns the batches of the next steps, `[S, shards, num_steps, B / num_shards, T]`."""
        return np.stack(list(itertools.islice(self._batches, num_steps)), axis=2)
