"""The divergence between the n-gram distributions of two sets of sequences."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gumbel_gan.arguments import require_at_least
from gumbel_gan.metrics.checks import as_sequences

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_BOUNDARY = -1


def ngram_divergence(samples: Sequence[tuple[int, ...]], references: Sequence[tuple[int, ...]], order: int) -> float:
    """Computes the Jensen-Shannon divergence between the empirical distributions of n-grams.

        JS(p, q) = 1/2 KL(p || m) + 1/2 KL(q || m), with m = (p + q) / 2 and base-2 logarithms,

    where p and q are the relative frequencies of the n-grams of `ngram_counts` in the samples and in the references.
    The result is the divergence, not its square root. Two samples of the same distribution do not have a divergence of
    0, so compare with the divergence of held-out data of the same size.

    Args:
      samples: N sequences of tokens, without padding.
      references: M sequences of tokens to compare with, without padding.
      order: n >= 1.

    Returns:
      The divergence in bits: 0 for equal distributions, 1 for distributions without a common n-gram.

    Raises:
      TypeError: an argument does not hold sequences of integers, or `order` is not an integer.
      ValueError: there are no samples or no references, a token is negative, or `order` is less than 1.

    References:
      Gulrajani et al. 2017, section 5.4, https://arxiv.org/abs/1704.00028.
    """
    return resampled_ngram_divergence(samples, references, order)(np.arange(len(samples)))


def resampled_ngram_divergence(
    samples: Sequence[tuple[int, ...]], references: Sequence[tuple[int, ...]], order: int
) -> Callable[[np.ndarray], float]:
    """Returns `ngram_divergence` as a function of a selection of the samples, with one matrix-vector product per call.

    Args:
      samples: N sequences of tokens, without padding.
      references: M sequences of tokens to compare with, without padding.
      order: n >= 1.

    Returns:
      A function (indices of samples, repeats allowed) -> the divergence of these samples from the references, in bits.

    Raises:
      TypeError: an argument does not hold sequences of integers, or `order` is not an integer.
      ValueError: there are no samples or no references, a token is negative, or `order` is less than 1.
    """
    from scipy.spatial.distance import jensenshannon

    samples, references = as_sequences("samples", samples), as_sequences("references", references)
    counts = ngram_counts([*samples, *references], order)
    of_samples, of_references = counts[: len(samples)], counts[len(samples) :].sum(axis=0)

    def divergence(indices: np.ndarray) -> float:
        of_chosen = np.bincount(indices, minlength=len(samples)) @ of_samples
        return float(jensenshannon(of_chosen, of_references, base=2) ** 2)

    return divergence


def ngram_counts(sequences: Sequence[tuple[int, ...]], order: int) -> "csr_array":
    """Counts the n-grams of each sequence, in time linear in the total length.

    A boundary symbol is added at the beginning and at the end of each sequence. The n-grams are all windows of n
    symbols; for n = 1, the symbols of the sequence and the end are counted, but not the beginning. A sequence with
    fewer than n symbols, including the boundaries, counts as a single n-gram.

    Args:
      sequences: N sequences of tokens >= 0, without padding.
      order: n >= 1.

    Returns:
      `[N, M]` integer counts of the M n-grams that occur, in the order of their first occurrence.

    Raises:
      TypeError: `order` is not an integer.
      ValueError: `order` is less than 1.
    """
    from scipy.sparse import csr_array

    require_at_least(1, order=order)
    columns: dict[tuple[int, ...], int] = {}
    indices: list[int] = []
    ends = [0]
    for sequence in sequences:
        bounded = (*sequence, _BOUNDARY) if order == 1 else (_BOUNDARY, *sequence, _BOUNDARY)
        starts = range(max(len(bounded) - order, 0) + 1)
        indices.extend(columns.setdefault(bounded[start : start + order], len(columns)) for start in starts)
        ends.append(len(indices))
    counts = csr_array((np.ones(len(indices), np.int64), indices, ends), shape=(len(sequences), len(columns)))
    counts.sum_duplicates()
    return counts
