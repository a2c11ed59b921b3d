"""An n-gram language model, to score sequences by what another set of sequences is like."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from gumbel_gan.metrics.corpus import require_sequences

if TYPE_CHECKING:
    from nltk.lm import Vocabulary, WittenBellInterpolated

START, END = "<s>", "</s>"


def fit_ngram_model(sequences: Sequence[tuple[int, ...]], order: int, num_symbols: int) -> WittenBellInterpolated:
    """Fits an interpolated n-gram model by Witten and Bell's method.

        p(w | h) = (c(h w) + t(h) p(w | h')) / (c(h) + t(h)),

    with c(h w) how often symbol w follows the context h, c(h) the sum over w, t(h) the number of different symbols
    that follow h, and h' the context without its first symbol. A context that never occurs gives p(w | h'). Without a
    context, p(w) = (c(w) + 1) / (c + K + 1), so that nothing has probability zero.

    w is one of K symbols or the end mark, which every sequence is followed by; n - 1 start marks stand before it.

    Args:
      sequences: sequences of tokens in [0, K), padding stripped.
      order: n >= 1.
      num_symbols: K.

    Returns:
      NLTK's model, over tokens written as decimal numbers, with `START` and `END` as its marks.

    Raises:
      ValueError: there are no sequences, `order` or `num_symbols` is less than 1, or a token is not in [0, K).

    References:
      Witten and Bell 1991, method C, https://doi.org/10.1109/18.87000.
    """
    require_sequences(sequences=sequences)
    for name, value in (("order", order), ("num_symbols", num_symbols)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    from nltk.lm import NgramCounter, Vocabulary, WittenBellInterpolated

    predicted = [*map(str, range(num_symbols)), END]
    vocabulary = Vocabulary([START, *predicted])
    _require_tokens(sequences, vocabulary)
    counts = NgramCounter([[(word,) for word in predicted]])
    for length in range(1, order + 1):
        counts.update(_predictions(sequence, length) for sequence in sequences)
    return WittenBellInterpolated(order, vocabulary=vocabulary, counter=counts)


def negative_log_likelihood(model: WittenBellInterpolated, sequences: Sequence[tuple[int, ...]]) -> np.ndarray:
    """Scores each sequence, its end mark included.

    Under a model fitted on held-out data, samples score low where they are like the data: quality, which a generator
    of one good sequence wins. Held-out data under a model fitted on samples score low where the samples are as varied
    as the data: diversity (reverse perplexity).

    Args:
      model: of `fit_ngram_model`.
      sequences: N sequences of tokens that the model knows, padding stripped.

    Returns:
      `[N]` float64, -log p(sequence) in nats.

    Raises:
      ValueError: there are no sequences, or a token is not in [0, K).

    References:
      Semeniuta et al. 2018, https://arxiv.org/abs/1806.04936; Caccia et al. 2020, https://arxiv.org/abs/1811.02549.
    """
    require_sequences(sequences=sequences)
    _require_tokens(sequences, model.vocab)

    @cache
    def surprise(ngram: tuple[str, ...]) -> float:
        return -math.log(model.unmasked_score(ngram[-1], ngram[:-1]))

    return np.array([sum(map(surprise, _predictions(sequence, model.order))) for sequence in sequences])


def _predictions(sequence: tuple[int, ...], order: int) -> Iterator[tuple[str, ...]]:
    """Gives every symbol and the end mark, each after the order - 1 symbols or start marks before it."""
    from nltk.util import ngrams

    return ngrams([*map(str, sequence), END], order, pad_left=True, left_pad_symbol=START)


def _require_tokens(sequences: Sequence[tuple[int, ...]], vocabulary: Vocabulary) -> None:
    unknown = [token for token in set().union(*sequences) if str(token) not in vocabulary]
    if unknown:
        num_symbols = len(vocabulary) - len((START, END, vocabulary.unk_label))
        raise ValueError(f"sequences must hold tokens in [0, {num_symbols}), got {min(unknown)}")
