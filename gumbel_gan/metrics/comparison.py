"""All metrics of a sample of sequences against held-out ones, at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gumbel_gan.metrics.bleu import self_bleu, sentence_bleu
from gumbel_gan.metrics.corpus import length_distance, novelty, require_sequences, uniqueness
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
    """Measures samples against held-out sequences, with intervals.

    All intervals follow `bootstrap`: they are the noise of drawing the samples, the references being fixed. How wide
    they come out was measured on 60 fresh draws of 500 sequences from each of the grammars 'arithmetic' and 'brackets':

    - Means (`novelty`, `samples_nll_by_data`) and `length_distance`: as they should be. BLEU of nearly perfect samples
      hangs on the few that are not: 0.4 to 1.4 times as wide as it should be.
    - `ngram_divergence_*`, of samples that are as good as the data: about 1.4 times too wide.
    - `uniqueness`: about half the width it should have, as a resample's repeats hide how many were seen only once.
    - `self_bleu_*`: 0.5 to 0.8 of it, as only the half that is scored is resampled; the other is fixed like references.
    - `heldout_nll_by_samples`: about 1.5 times too wide. Its model is fitted anew on every resample, which is slow, so
      it takes `num_resamples` or 20, the fewer: a standard error of 20 draws is itself off by a sixth or so.

    Sizes matter to `uniqueness`, the divergences, BLEU and `heldout_nll_by_samples`. To see what a perfect model would
    score, pass as many other held-out sequences as `samples`.

    Args:
      samples: N >= 4 sequences of tokens, padding stripped, in random order.
      references: held-out sequences, likewise.
      train: the training sequences, likewise.
      num_symbols: K, the size of the vocabulary.
      model: `fit_ngram_model(references, MODEL_ORDER, num_symbols)`, for many calls with the same references; None
        fits it.
      num_resamples: how often the bootstrap draws, at least 2.
      seed: of the bootstrap.

    Returns:
      Estimates by the names in `METRICS`: all but `heldout_nll`, `bits_per_symbol` and `oracle_nll`, which need the
      model or the true law. The n-gram models are of order `MODEL_ORDER`.

    Raises:
      ImportError: sacrebleu is not installed.
      ValueError: there are fewer than four samples, or no references or training sequences; `num_symbols` or
        `num_resamples` is too small; or a token is not in [0, K).
    """
    if len(samples) < 4:
        raise ValueError(f"samples must be at least 4, got {len(samples)}")
    require_sequences(references=references, train=train)
    known = frozenset(train)

    def by_sequences(statistic: Callable[[Sequence[tuple[int, ...]]], float], most: int = num_resamples) -> Estimate:
        return bootstrap(
            lambda indices: statistic([samples[index] for index in indices]),
            len(samples),
            num_resamples=min(num_resamples, most),
            seed=seed,
        )

    def by_scores(scores: np.ndarray) -> Estimate:
        return bootstrap(lambda indices: scores[indices].mean(), len(scores), num_resamples=num_resamples, seed=seed)

    def divergence(order: int) -> Estimate:
        statistic = resampled_ngram_divergence(samples, references, order)
        return bootstrap(statistic, len(samples), num_resamples=num_resamples, seed=seed)

    if model is None:
        model = fit_ngram_model(references, MODEL_ORDER, num_symbols)
    return {
        "uniqueness": by_sequences(uniqueness),
        "novelty": by_sequences(lambda chosen: novelty(chosen, known)),
        "length_distance": by_sequences(lambda chosen: length_distance(chosen, references)),
        **{f"ngram_divergence_{order}": divergence(order) for order in DIVERGENCE_ORDERS},
        **{f"bleu_{order}": by_scores(sentence_bleu(samples, references, order)) for order in _BLEU_ORDERS},
        **{f"self_bleu_{order}": by_scores(self_bleu(samples, order)) for order in _BLEU_ORDERS},
        "samples_nll_by_data": by_scores(negative_log_likelihood(model, samples)),
        "heldout_nll_by_samples": by_sequences(
            lambda chosen: _heldout_nll(chosen, references, num_symbols), _MOST_REFITS
        ),
    }


def quality_and_diversity(
    samples: Sequence[tuple[int, ...]],
    references: Sequence[tuple[int, ...]],
    *,
    num_symbols: int,
    model: WittenBellInterpolated | None = None,
) -> dict[str, float]:
    """Measures the two axes along which a sampling temperature moves a generator, without intervals.

    Args:
      samples: N >= 2 sequences of tokens, padding stripped, in random order.
      references: held-out sequences, likewise.
      num_symbols: K, the size of the vocabulary.
      model: `fit_ngram_model(references, MODEL_ORDER, num_symbols)`, for many calls with the same references; None
        fits it.

    Returns:
      `bleu_4` and `samples_nll_by_data` for quality, `self_bleu_4` and `heldout_nll_by_samples` for diversity, as in
      `compare`.

    Raises:
      ImportError: sacrebleu is not installed.
      ValueError: there are fewer than two samples, or no references; `num_symbols` is less than 1; or a token is not in
        [0, K).

    References:
      Caccia et al. 2020, https://arxiv.org/abs/1811.02549.
    """
    require_sequences(references=references)
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
