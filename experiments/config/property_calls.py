"""The property of sequences that a run increases: its settings, and the calls that each replica has made."""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from experiments.config import registries
from experiments.config.choices import choose
from gumbel_gan.arguments import require_at_least, require_one_of
from gumbel_gan.scoring import Score, Scorer
from gumbel_gan.tasks import Task

RENEWALS = ("never", "replace_worst", "best_samples")
NUM_BEST = 100
"""The best scores whose mean tells how far an optimization is."""


class Settings(NamedTuple):
    """The settings of a property; see `settings`."""

    name: str
    function: str
    worst: float
    num_workers: int
    timeout_seconds: float
    max_calls: int
    renewal: str
    num_samples: int
    num_kept: int


class Call(NamedTuple):
    """The first call of the property by a replica for a string."""

    replica: int
    string: str
    score: Score


def settings(
    function: str = "",
    worst: float | None = None,
    num_workers: int = 1,
    timeout_seconds: float = 60.0,
    max_calls: int = 0,
    renewal: str = "never",
    num_samples: int = 1_000,
    num_kept: int = 1_000,
) -> Settings | None:
    """Returns the settings of a property; None if `function` is empty.

    Args:
      function: a name in `registries.PROPERTIES`, or 'module:function', a function of a string that returns a number;
        higher is better.
      worst: score of strings without a property: strings that are not valid, and strings for which the function raises,
        returns a number that is not finite, or takes too long. None stands for the value in the registry, or 0 for a
        function of your own.
      num_workers: number of processes that call the function; 0 calls it in the run's own process.
      timeout_seconds: seconds after which a call is abandoned.
      max_calls: number of calls of each replica after which training ends; 0 for no limit. If the property is a part of
        the reward, training ends with the chunk that exceeds the limit.
      renewal: how the training data is renewed before each chunk. 'never': it is not. 'replace_worst': the `num_kept`
        best of the current data and of `num_samples` new samples are kept, as in FBGAN. 'best_samples': the `num_kept`
        best of all samples so far are kept, as in hill climbing.
      num_samples: number of samples of each replica before each chunk.
      num_kept: number of sequences of the renewed data. With 'replace_worst', as many training sequences, drawn at
        random, are scored first.

    Raises:
      ValueError: a setting is out of range.
    """
    require_at_least(0, num_workers=num_workers, max_calls=max_calls)
    require_at_least(1, num_samples=num_samples, num_kept=num_kept)
    require_one_of(RENEWALS, renewal=renewal)
    if not function:
        return None
    target, least = function, 0.0
    if ":" not in function:
        target, least = registries.PROPERTIES[choose(function, registries.PROPERTIES, "function")]
    if renewal == "replace_worst" and 0 < max_calls <= num_kept:
        raise ValueError(f"max_calls must be more than num_kept, {num_kept}, which are scored first; got {max_calls}")
    least = least if worst is None else worst
    return Settings(function, target, least, num_workers, timeout_seconds, max_calls, renewal, num_samples, num_kept)


def scorer(settings: Settings, is_valid: Callable[[str], bool] | None) -> Scorer:
    """Builds the scorer of strings, which calls the property for valid strings; raises the errors of `Scorer`."""
    return Scorer(
        settings.function,
        worst=settings.worst,
        is_valid=is_valid,
        num_workers=settings.num_workers,
        timeout_seconds=settings.timeout_seconds,
    )


class PropertyCalls:
    """Scores strings for the replicas of a run, and counts the calls of each.

    A call of a replica is a valid string that this replica scores for the first time. Replicas share the computed
    scores, but each replica counts its own calls. Its results and counts are therefore those of a run with this replica
    alone.
    """

    def __init__(self, settings: Settings, task: Task, num_replicas: int):
        """Builds the scorer; raises the errors of `Scorer`."""
        self.settings = settings
        self._scorer = scorer(settings, task.is_valid)
        self._asked: list[dict[str, Score]] = [{} for _ in range(num_replicas)]
        self._new: list[Call] = []
        self._lock = threading.Lock()

    def __call__(self, strings: Sequence[str], replica: int) -> np.ndarray:
        """Returns the `[N]` scores of N strings for a replica."""
        values = self._scorer(strings)
        with self._lock:
            asked = self._asked[replica]
            for string in dict.fromkeys(strings):
                if string in self._scorer.scores and string not in asked:
                    asked[string] = self._scorer.scores[string]
                    self._new.append(Call(replica, string, asked[string]))
        return values

    def affordable(self, strings: Sequence[str], replica: int) -> int:
        """Returns how many of the strings, from the first on, a replica can score within its limit of calls."""
        if not self.settings.max_calls:
            return len(strings)
        asked, left = self._asked[replica], self.settings.max_calls - self.num_calls[replica]
        new = set[str]()
        for index, string in enumerate(strings):
            if string not in asked and string not in new and self._scorer.is_valid(string):
                if len(new) >= left:
                    return index
                new.add(string)
        return len(strings)

    def scores(self, replica: int) -> dict[str, Score]:
        """Returns the scores of the strings that a replica has called the property for, in the order of the calls."""
        return dict(self._asked[replica])

    @property
    def num_calls(self) -> list[int]:
        """The number of calls of each replica."""
        return [len(each) for each in self._asked]

    @property
    def best(self) -> list[float]:
        """The mean of the best `NUM_BEST` scores of each replica; NaN for a replica with fewer scores."""
        return [mean_of_best(score.value for score in each.values()) for each in self._asked]

    @property
    def is_spent(self) -> bool:
        """Whether all replicas have reached the limit of calls."""
        return 0 < self.settings.max_calls <= min(self.num_calls)

    def take_new(self) -> list[Call]:
        """Returns the calls of the property since this method was last used, sorted by replica and then by time."""
        with self._lock:
            new, self._new = self._new, []
        # Devices call concurrently.
        return sorted(new, key=lambda call: call.replica)

    def restore(self, calls: Iterable[Call]) -> None:
        """Restores the calls of a resumed run."""
        for call in calls:
            self._scorer.record(call.string, call.score)
            self._asked[call.replica][call.string] = call.score

    def start(self) -> None:
        """Starts the worker processes; raises ValueError if they cannot import the function."""
        self._scorer.start()

    def close(self) -> None:
        """Ends the worker processes."""
        self._scorer.close()


def mean_of_best(values: Iterable[float], num: int = NUM_BEST) -> float:
    """Returns the mean of the `num` largest values; NaN if there are fewer values."""
    array = np.fromiter(values, np.float64)
    return float(np.mean(np.partition(array, -num)[-num:])) if len(array) >= num else float("nan")
