"""What a metric of samples is: its description, and the function that measures it."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from gumbel_gan.metrics.intervals import Estimate, bootstrap

if TYPE_CHECKING:
    from nltk.lm import WittenBellInterpolated


class Comparison(NamedTuple):
    """Samples, and what they are compared with: all that a metric may look at. Made by `metrics.compare`.

    Sequences are tuples of tokens in [0, K), without padding.

    Attributes:
      samples: N sequences, in random order.
      references: held-out sequences, likewise.
      train: the training sequences.
      num_symbols: K, the size of the vocabulary.
      model: the n-gram model of the references, `fit_ngram_model(references, MODEL_ORDER, num_symbols)`.
      num_resamples: number of resamples of an interval; None where no intervals are wanted.
      seed: of the bootstrap.
    """

    samples: Sequence[tuple[int, ...]]
    references: Sequence[tuple[int, ...]]
    train: Set[tuple[int, ...]]
    num_symbols: int
    model: WittenBellInterpolated
    num_resamples: int | None = 200
    seed: int = 0

    def estimate(
        self, statistic: Callable[[np.ndarray], float], *, num: int | None = None, most_resamples: int | None = None
    ) -> Estimate:
        """Computes a statistic of the samples, with its interval by `bootstrap`.

        Args:
          statistic: (`[num]` indices, repeats allowed) -> a number, the statistic of the samples at these indices.
          num: how many there are to choose from; None: N, all samples.
          most_resamples: the largest number of resamples, for a statistic that takes long; None: any.

        Returns:
          The estimate. Where no intervals are wanted, both ends are the value.
        """
        num = len(self.samples) if num is None else num
        if self.num_resamples is None:
            value = float(statistic(np.arange(num)))
            return Estimate(value, value, value)
        num_resamples = self.num_resamples if most_resamples is None else min(self.num_resamples, most_resamples)
        return bootstrap(statistic, num, num_resamples=num_resamples, seed=self.seed)

    def mean(self, scores: np.ndarray) -> Estimate:
        """Computes the mean of one score for each sample, with its interval.

        Args:
          scores: `[M]` scores, of all samples or of some.

        Returns:
          The estimate.
        """
        return self.estimate(lambda rows: float(scores[rows].mean()), num=len(scores))


class Metric(NamedTuple):
    """A metric of samples.

    Attributes:
      label: short name, for tables and axes.
      better: 'higher', 'lower', or 'as data' where the best value is that of held-out data.
      meaning: a sentence that says what is measured, and against which references.
      measure: computes the metric of a `Comparison`, with its interval. None where samples are not enough, because the
        generator or the true distribution is needed.
    """

    label: str
    better: Literal["higher", "lower", "as data"]
    meaning: str
    measure: Callable[[Comparison], Estimate] | None = None
