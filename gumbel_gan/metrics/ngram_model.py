"""An n-gram language model, fitted on sequences, that scores other sequences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from gumbel_gan.arguments import require_at_least
from gumbel_gan.metrics.checks import as_sequences

if TYPE_CHECKING:
    from nltk.lm import Vocabulary, WittenBellInterpolated

START, END = "<s>", "</s>"


def fit_ngram_model(sequences: Sequence[tuple[int, ...]], order: int, num_symbols: int) -> WittenBellInterpolated:
    """Fits an interpolated n-gram model by the method of Witten and Bell.

        p(w | h) = (c(h w) + t(h) p(w | h')) / (c(h) + t(h)),

    where c(h w) counts how often symbol w follows the context h, c(h) is its sum over w, t(h) is the number of
    different symbols that follow h, and h' is the context without its first symbol. For a context that never occurs,
    p(w | h) is p(w | h'). Without a context, p(w) = (c(w) + 1) / (c + K + 1), so that no probability is zero.

    w is one of K symbols or the end symbol, which follows every sequence; n - 1 start symbols precede a sequence.

    Args:
      sequences: N sequences of tokens in [0, K), without padding.
      order: n >= 1.
      num_symbols: K, the size of the vocabulary.

    Returns:
      An NLTK model over tokens as decimal strings, with the start symbol `START` and the end symbol `END`.

    Raises:
      TypeError: `sequences` does not hold sequences of integers, or `order` or `num_symbols` is not an integer.
      ValueError: there are no sequences, `order` or `num_symbols` is less than 1, or a token is not in [0, K).

    References:
      Witten and Bell 1991, method C, https://doi.org/10.1109/18.87000.
    """
    sequences = as_sequences("sequences", sequences)
    require_at_least(1, order=order, num_symbols=num_symbols)
    from nltk.lm import NgramCounter, Vocabulary, WittenBellInterpolated

    predicted = [*map(str, range(num_symbols)), END]
    vocabulary = Vocabulary([START, *predicted])
    _require_tokens(sequences, vocabulary)
    counts = NgramCounter([[(word,) for word in predicted]])
    for length in range(1, order + 1):
        counts.update(_predictions(sequence, length) for sequence in sequences)
    return WittenBellInterpolated(order, vocabulary=vocabulary, counter=counts)


def negative_log_likelihood(model: WittenBellInterpolated, sequences: Sequence[tuple[int, ...]]) -> np.ndarray:
    """Computes the negative log-likelihood of each sequence, including its end symbol.

    For a model fitted on held-out data, a low value means that a sample is like the data. This measures quality alone
    and is best for a generator that repeats one good sequence. For a model fitted on samples, a low value of held-out
    data means that the samples are as varied as the data. This measures diversity (reverse perplexity).

    Args:
      model: a model that `fit_ngram_model` returned.
      sequences: N sequences of tokens in [0, K), without padding.

    Returns:
      `[N]` float64, -log p(sequence) in nats.

    Raises:
      TypeError: `sequences` does not hold sequences of integers.
      ValueError: there are no sequences, or a token is not in [0, K).

    References:
      Semeniuta et al. 2018, https://arxiv.org/abs/1806.04936; Caccia et al. 2020, https://arxiv.org/abs/1811.02549.
    """
    sequences = as_sequences("sequences", sequences)
    _require_tokens(sequences, model.vocab)

    @cache
    def surprise(ngram: tuple[str, ...]) -> float:
        return -math.log(model.unmasked_score(ngram[-1], ngram[:-1]))

    return np.array([sum(map(surprise, _predictions(sequence, model.order))) for sequence in sequences])


def _predictions(sequence: tuple[int, ...], order: int) -> Iterator[tuple[str, ...]]:
    """Returns the n-grams that end in each symbol and in the end symbol, padded on the left with start symbols."""
    from nltk.util import ngrams

    return ngrams([*map(str, sequence), END], order, pad_left=True, left_pad_symbol=START)


def _require_tokens(sequences: Sequence[tuple[int, ...]], vocabulary: Vocabulary) -> None:
    unknown = [token for token in set().union(*sequences) if str(token) not in vocabulary]
    if unknown:
        num_symbols = len(vocabulary) - len((START, END, vocabulary.unk_label))
        raise ValueError(f"sequences must hold tokens in [0, {num_symbols}), got {min(unknown)}")
