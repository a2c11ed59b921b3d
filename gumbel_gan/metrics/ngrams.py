"""The distance between the laws of n-grams of two sets of sequences."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial.distance import jensenshannon

from gumbel_gan.metrics.corpus import require_sequences

_MARK = -1


def ngram_divergence(samples: Sequence[tuple[int, ...]], references: Sequence[tuple[int, ...]], order: int) -> float:
    """Computes the Jensen-Shannon divergence between the empirical laws of n-grams.

        JS(p, q) = 1/2 KL(p || m) + 1/2 KL(q || m), with m = (p + q) / 2 and base-2 logarithms,

    p and q being the relative frequencies of the n-grams of `ngram_counts` in the samples and the references. It is the
    divergence, not its square root. Even draws of one law don't score 0: compare with such draws, of the same size.

    Args:
      samples: N sequences of tokens, padding stripped.
      references: the sequences to compare with, likewise.
      order: n >= 1.

    Returns:
      The divergence in bits: 0 for equal laws, 1 for laws that share no n-gram.

    Raises:
      ValueError: there are no samples or no references, or `order` is less than 1.

    References:
      Gulrajani et al. 2017, section 5.4, https://arxiv.org/abs/1704.00028.
    """
    return resampled_ngram_divergence(samples, references, order)(np.arange(len(samples)))


def resampled_ngram_divergence(
    samples: Sequence[tuple[int, ...]], references: Sequence[tuple[int, ...]], order: int
) -> Callable[[np.ndarray], float]:
    """Prepares `ngram_divergence` for many choices among the samples, each a matrix-vector product.

    Args:
      samples: N sequences of tokens, padding stripped.
      references: the sequences to compare with, likewise.
      order: n >= 1.

    Returns:
      A function that maps indices of samples, repeats allowed, to the divergence of those samples from the references.

    Raises:
      ValueError: there are no samples or no references, or `order` is less than 1.
    """
    require_sequences(samples=samples, references=references)
    counts = ngram_counts([*samples, *references], order)
    of_samples, of_references = counts[: len(samples)], counts[len(samples) :].sum(axis=0)

    def divergence(indices: np.ndarray) -> float:
        of_chosen = np.bincount(indices, minlength=len(samples)) @ of_samples
        return float(jensenshannon(of_chosen, of_references, base=2) ** 2)

    return divergence


def ngram_counts(sequences: Sequence[tuple[int, ...]], order: int) -> csr_array:
    """Counts the n-grams of each sequence, in time linear in their total length.

    A sequence has one boundary mark at its beginning and one at its end, and its n-grams are the windows of n symbols
    or marks that don't end at the beginning: for n = 1 the symbols and the end mark. A sequence that is shorter than n
    with its marks is one n-gram as it stands, so that every sequence counts.

    Args:
      sequences: N sequences of tokens, padding stripped.
      order: n >= 1.

    Returns:
      `[N, M]` integer counts of the M n-grams that occur, in the order in which they first do.

    Raises:
      ValueError: `order` is less than 1.
    """
    if order < 1:
        raise ValueError(f"order must be at least 1, got {order}")
    columns: dict[tuple[int, ...], int] = {}
    indices: list[int] = []
    ends = [0]
    for sequence in sequences:
        marked = (*sequence, _MARK) if order == 1 else (_MARK, *sequence, _MARK)
        starts = range(max(len(marked) - order, 0) + 1)
        indices.extend(columns.setdefault(marked[start : start + order], len(columns)) for start in starts)
        ends.append(len(indices))
    counts = csr_array((np.ones(len(indices), np.int64), indices, ends), shape=(len(sequences), len(columns)))
    counts.sum_duplicates()
    return counts
