"""All metrics of a sample of sequences against held-out sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gumbel_gan.arguments import require_at_least
from gumbel_gan.metrics.catalogue import METRICS, MODEL_ORDER
from gumbel_gan.metrics.checks import as_known_sequences, as_sequences
from gumbel_gan.metrics.interface import Comparison, Metric
from gumbel_gan.metrics.intervals import Estimate
from gumbel_gan.metrics.ngram_model import fit_ngram_model

if TYPE_CHECKING:
    from nltk.lm import WittenBellInterpolated

_TRADED_OFF = ("bleu_4", "self_bleu_4", "samples_nll_by_data", "heldout_nll_by_samples")


def compare(
    samples: Sequence[tuple[int, ...]],
    references: Sequence[tuple[int, ...]],
    train: Sequence[tuple[int, ...]],
    *,
    num_symbols: int,
    model: WittenBellInterpolated | None = None,
    metrics: Mapping[str, Metric] = METRICS,
    num_resamples: int = 200,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Computes the metrics of samples against held-out sequences, with intervals.

    All intervals come from `bootstrap`. They cover the noise of drawing the samples; the references are fixed. The
    width of the intervals was checked on 60 draws of 500 sequences from each of the grammars 'arithmetic' and
    'brackets':

    - Means (`novelty`, `samples_nll_by_data`) and `length_distance`: correct. The BLEU of nearly perfect samples
      depends on the few imperfect ones; its intervals have 0.4 to 1.4 times the correct width.
    - `ngram_divergence_*`: about 1.4 times too wide for samples that are as good as the data.
    - `uniqueness`: about half the correct width, since a resample repeats sequences that occur only once in the sample.
    - `self_bleu_*`: 0.5 to 0.8 of the correct width, since only the scored half is resampled; the other half is fixed,
      like references.
    - `heldout_nll_by_samples`: about 1.5 times too wide. A model is fitted on every resample, which is slow, so at most
      20 resamples are drawn. The standard error itself then has a relative error of about one sixth.

    `uniqueness`, the divergences, BLEU and `heldout_nll_by_samples` depend on the sizes of the sets. For the scores of
    a perfect model, pass other held-out sequences in place of `samples`, as many as there are samples.

    Args:
      samples: N >= 4 sequences of tokens, without padding, in random order.
      references: held-out sequences of tokens, without padding.
      train: training sequences of tokens, without padding.
      num_symbols: K, the size of the vocabulary.
      model: the result of `fit_ngram_model(references, MODEL_ORDER, num_symbols)`, to reuse it in many calls with the
        same references. If None, the model is fitted here.
      metrics: the metrics to compute, by name; `METRICS | {"mine": Metric(...)}` adds a metric of your own.
      num_resamples: number of resamples of the bootstrap, at least 2.
      seed: seed of the bootstrap, at least 0.

    Returns:
      A dictionary from names to estimates, in the order of `metrics`. It holds only the metrics that have a `measure`
      function, that is, those that can be computed from samples. The n-gram models are of order `MODEL_ORDER`.

    Raises:
      ImportError: sacrebleu is not installed, and a metric needs it.
      TypeError: an argument does not hold sequences of integers, a number is not an integer, or a metric is not a
        `Metric` or does not return an `Estimate`.
      ValueError: there are fewer than four samples, or no references or training sequences; `num_symbols`,
        `num_resamples` or `seed` is too small; or a token of the samples or references is not in [0, K), which is
        checked only when an n-gram model is fitted or applied.
    """
    samples, references = as_sequences("samples", samples, least=4), as_sequences("references", references)
    known = as_known_sequences("train", train)
    require_at_least(1, num_symbols=num_symbols)
    require_at_least(2, num_resamples=num_resamples)
    require_at_least(0, seed=seed)
    if model is None:
        model = fit_ngram_model(references, MODEL_ORDER, num_symbols)
    return _measure(metrics, Comparison(samples, references, known, num_symbols, model, num_resamples, seed))


def quality_and_diversity(
    samples: Sequence[tuple[int, ...]],
    references: Sequence[tuple[int, ...]],
    *,
    num_symbols: int,
    model: WittenBellInterpolated | None = None,
) -> dict[str, float]:
    """Computes the metrics of quality and diversity that a sampling temperature trades off, without intervals.

    Args:
      samples: N >= 2 sequences of tokens, without padding, in random order.
      references: held-out sequences of tokens, without padding.
      num_symbols: K, the size of the vocabulary.
      model: the result of `fit_ngram_model(references, MODEL_ORDER, num_symbols)`, to reuse it in many calls with the
        same references. If None, the model is fitted here.

    Returns:
      `bleu_4` and `samples_nll_by_data` for quality, `self_bleu_4` and `heldout_nll_by_samples` for diversity, computed
      as in `compare`.

    Raises:
      ImportError: sacrebleu is not installed.
      TypeError: an argument does not hold sequences of integers, or `num_symbols` is not an integer.
      ValueError: there are fewer than two samples, or no references; `num_symbols` is less than 1; or a token is not in
        [0, K).

    References:
      Caccia et al. 2020, https://arxiv.org/abs/1811.02549.
    """
    samples, references = as_sequences("samples", samples, least=2), as_sequences("references", references)
    if model is None:
        model = fit_ngram_model(references, MODEL_ORDER, num_symbols)
    comparison = Comparison(samples, references, frozenset(), num_symbols, model, num_resamples=None)
    estimates = _measure({name: METRICS[name] for name in _TRADED_OFF}, comparison)
    return {name: estimate.value for name, estimate in estimates.items()}


def _measure(metrics: Mapping[str, Metric], comparison: Comparison) -> dict[str, Estimate]:
    estimates = {}
    for name, metric in metrics.items():
        if not isinstance(metric, Metric):
            raise TypeError(f"metrics[{name!r}] must be a Metric, got {metric!r}")
        if metric.measure is not None:
            estimates[name] = metric.measure(comparison)
            if not isinstance(estimates[name], Estimate):
                raise TypeError(f"metrics[{name!r}].measure must return an Estimate, got {estimates[name]!r}")
    return estimates
