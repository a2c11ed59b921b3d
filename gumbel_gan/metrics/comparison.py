"""All metrics of a sample of sequences against held-out sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gumbel_gan.metrics.bleu import self_bleu, sentence_bleu
from gumbel_gan.metrics.checks import as_known_sequences, as_sequences
from gumbel_gan.metrics.corpus import distance_of_lengths, lengths_of
from gumbel_gan.metrics.intervals import Estimate, bootstrap
from gumbel_gan.metrics.ngram_model import fit_ngram_model, negative_log_likelihood
from gumbel_gan.metrics.ngrams import resampled_ngram_divergence

if TYPE_CHECKING:
    from nltk.lm import WittenBellInterpolated

# Trigrams: held-out sets of some hundred short sequences are too few for more.
MODEL_ORDER = 3
DIVERGENCE_ORDERS = range(1, 5)

_BLEU_ORDERS = range(2, 6)
_MOST_REFITS = 20


def compare(
    samples: Sequence[tuple[int, ...]],
    references: Sequence[tuple[int, ...]],
    train: Sequence[tuple[int, ...]],
    *,
    num_symbols: int,
    model: WittenBellInterpolated | None = None,
    num_resamples: int = 200,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Computes the metrics of samples against held-out sequences, with intervals.

    All intervals are those of `bootstrap`: they cover the noise of drawing the samples; the references are fixed. Their
    width was checked on 60 draws of 500 sequences from each of the grammars 'arithmetic' and 'brackets':

    - Means (`novelty`, `samples_nll_by_data`) and `length_distance`: right. BLEU of nearly perfect samples depends on
      the few that are not perfect: 0.4 to 1.4 times the right width.
    - `ngram_divergence_*`, of samples that are as good as the data: about 1.4 times too wide.
    - `uniqueness`: about half the right width, since a resample repeats sequences that were seen only once.
    - `self_bleu_*`: 0.5 to 0.8 of the right width, since only the half that is scored is resampled; the other half is
      fixed, like references.
    - `heldout_nll_by_samples`: about 1.5 times too wide. A model is fitted on every resample, which is slow, so that at
      most 20 are drawn: the standard error itself then has a relative error of about a sixth.

    `uniqueness`, the divergences, BLEU and `heldout_nll_by_samples` depend on the sizes of the sets. For the scores of
    a perfect model, pass as many other held-out sequences as `samples`.

    Args:
      samples: N >= 4 sequences of tokens, without padding, in random order.
      references: held-out sequences, likewise.
      train: the training sequences, likewise.
      num_symbols: K, the size of the vocabulary.
      model: `fit_ngram_model(references, MODEL_ORDER, num_symbols)`, for many calls with the same references; None
        fits it.
      num_resamples: number of resamples of the bootstrap, at least 2.
      seed: of the bootstrap.

    Returns:
      Estimates by the names in `METRICS`: all but `heldout_nll`, `bits_per_symbol` and `oracle_nll`, which need the
      generator or the true distribution. The n-gram models are of order `MODEL_ORDER`.

    Raises:
      ImportError: sacrebleu is not installed.
      TypeError: an argument does not hold sequences of integers, or a number is not an integer.
      ValueError: there are fewer than four samples, or no references or training sequences; `num_symbols` or
        `num_resamples` is too small; or a token is not in [0, K).
    """
    samples, references = as_sequences("samples", samples, least=4), as_sequences("references", references)
    known = as_known_sequences("train", train)
    number_of = {sample: number for number, sample in enumerate(dict.fromkeys(samples))}
    numbers = np.array([number_of[sample] for sample in samples])
    lengths, reference_lengths = lengths_of(samples), lengths_of(references)

    def estimate(statistic: Callable[[np.ndarray], float], most: int = num_resamples) -> Estimate:
        return bootstrap(statistic, len(samples), num_resamples=min(num_resamples, most), seed=seed)

    def mean(scores: np.ndarray) -> Estimate:
        return bootstrap(lambda rows: scores[rows].mean(), len(scores), num_resamples=num_resamples, seed=seed)

    if model is None:
        model = fit_ngram_model(references, MODEL_ORDER, num_symbols)
    return {
        "uniqueness": estimate(lambda rows: len(np.unique(numbers[rows])) / len(rows)),
        "novelty": mean(np.array([sample not in known for sample in samples], np.float64)),
        "length_distance": estimate(lambda rows: distance_of_lengths(lengths[rows], reference_lengths)),
        **{
            f"ngram_divergence_{order}": estimate(resampled_ngram_divergence(samples, references, order))
            for order in DIVERGENCE_ORDERS
        },
        **{f"bleu_{order}": mean(sentence_bleu(samples, references, order)) for order in _BLEU_ORDERS},
        **{f"self_bleu_{order}": mean(self_bleu(samples, order)) for order in _BLEU_ORDERS},
        "samples_nll_by_data": mean(negative_log_likelihood(model, samples)),
        "heldout_nll_by_samples": estimate(
            lambda rows: _heldout_nll([samples[row] for row in rows], references, num_symbols), _MOST_REFITS
        ),
    }


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
      references: held-out sequences, likewise.
      num_symbols: K, the size of the vocabulary.
      model: `fit_ngram_model(references, MODEL_ORDER, num_symbols)`, for many calls with the same references; None
        fits it.

    Returns:
      `bleu_4` and `samples_nll_by_data` for quality, `self_bleu_4` and `heldout_nll_by_samples` for diversity, as in
      `compare`.

    Raises:
      ImportError: sacrebleu is not installed.
      TypeError: an argument does not hold sequences of integers, or `num_symbols` is not an integer.
      ValueError: there are fewer than two samples, or no references; `num_symbols` is less than 1; or a token is not in
        [0, K).

    References:
      Caccia et al. 2020, https://arxiv.org/abs/1811.02549.
    """
    samples, references = as_sequences("samples", samples, least=2), as_sequences("references", references)
    self_bleu_4 = self_bleu(samples, 4)
    if model is None:
        model = fit_ngram_model(references, MODEL_ORDER, num_symbols)
    return {
        "bleu_4": float(sentence_bleu(samples, references, 4).mean()),
        "self_bleu_4": float(self_bleu_4.mean()),
        "samples_nll_by_data": float(negative_log_likelihood(model, samples).mean()),
        "heldout_nll_by_samples": _heldout_nll(samples, references, num_symbols),
    }


def _heldout_nll(samples: Sequence[tuple[int, ...]], references: Sequence[tuple[int, ...]], num_symbols: int) -> float:
    model = fit_ngram_model(samples, MODEL_ORDER, num_symbols)
    return float(negative_log_likelihood(model, references).mean())
