"""The description of a metric and, for a metric of samples, the function that computes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from gumbel_gan.metrics.intervals import Estimate, bootstrap

if TYPE_CHECKING:
    from nltk.lm import WittenBellInterpolated


class Comparison(NamedTuple):
    """Samples and the data that they are compared with: the input of a metric. Built by `metrics.compare`.

    Sequences are tuples of tokens in [0, K), without padding.

    Attributes:
      samples: N sequences, in random order.
      references: held-out sequences.
      train: the training sequences.
      num_symbols: K, the size of the vocabulary.
      model: the n-gram model of the references, `fit_ngram_model(references, MODEL_ORDER, num_symbols)`.
      num_resamples: number of resamples for an interval; None for no intervals.
      seed: seed of the bootstrap.
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
          num: number of elements that the indices refer to; None stands for all N samples.
          most_resamples: upper bound on the number of resamples, for a slow statistic; None for no bound.

        Returns:
          The estimate. Without intervals, both ends are the value.
        """
        num = len(self.samples) if num is None else num
        if self.num_resamples is None:
            value = float(statistic(np.arange(num)))
            return Estimate(value, value, value)
        num_resamples = self.num_resamples if most_resamples is None else min(self.num_resamples, most_resamples)
        return bootstrap(statistic, num, num_resamples=num_resamples, seed=self.seed)

    def mean(self, scores: np.ndarray) -> Estimate:
        """Computes the mean score of the samples, with its interval.

        Args:
          scores: `[M]` scores, one for each sample or for some of the samples.

        Returns:
          The estimate.
        """
        return self.estimate(lambda rows: float(scores[rows].mean()), num=len(scores))


class Metric(NamedTuple):
    """The description of a metric, from which terminal output, tables, figures and tests of studies are built.

    Attributes:
      label: short name, for tables and axes, without the unit.
      better: 'higher', 'lower', 'as data' if the best value is that of held-out data, or 'neither' for a quantity that
        describes training but does not rank generators.
      meaning: a sentence that states what is measured, and against which references.
      measure: computes the metric of a `Comparison`, with its interval. None if samples are not enough, because the
        generator or the true distribution is needed.
      unit: 'nats', 'bits', 'count', or '' for a share, a probability or a score.
      applies: when the metric is available. 'exact': at every measurement, if the task's oracle lists its support.
        'samples': at every measurement. 'heldout': for a finished run whose samples are compared with held-out
        sequences. 'long': for a finished run that draws samples longer than the training sequences. 'states': for a
        finished run whose hidden states are observed. 'pairs': for a task of pairs, at every measurement if the metric
        has a panel, otherwise for a finished run. 'training': only during training.
      panel: title of the panel that shows the metric over training; None for no panel.
      estimates: name of the exact metric that this metric estimates from samples; None if there is no such metric.
      worst: replacement for a value that is not finite; None stands for the infinity that is worse than any number.
      in_progress: whether the progress line of a run shows the metric.
    """

    label: str
    better: Literal["higher", "lower", "as data", "neither"]
    meaning: str
    measure: Callable[[Comparison], Estimate] | None = None
    unit: Literal["nats", "bits", "count", ""] = ""
    applies: Literal["exact", "samples", "heldout", "long", "states", "pairs", "training"] = "heldout"
    panel: str | None = None
    estimates: str | None = None
    worst: float | None = None
    in_progress: bool = False

    @property
    def title(self) -> str:
        """The label with the unit."""
        return f"{self.label} ({self.unit})" if self.unit in ("nats", "bits") else self.label

    @property
    def worst_value(self) -> float:
        """The replacement for a value that is not finite."""
        if self.worst is not None:
            return self.worst
        return -np.inf if self.better == "higher" else np.inf
