"""BLEU of sequences of tokens against a fixed set of references, by sacrebleu."""

from collections.abc import Sequence

import numpy as np

from gumbel_gan.metrics.corpus import require_sequences

_FLOOR = 0.1


def sentence_bleu(samples: Sequence[tuple[int, ...]], references: Sequence[tuple[int, ...]], order: int) -> np.ndarray:
    """Computes BLEU-n of each sample, with all references as its references.

        BLEU = min(1, exp(1 - r / c)) (p_1 ... p_m)^(1/m), with m = min(n, c),

    c being the sample's length, r the length of a reference that is nearest to c (the shorter of two), and p_k the
    share of the sample's k-grams that occur in a reference, each counted no more often than in the reference that has
    it most often. A p_k of no match is 0.1 / (c - k + 1) (Chen and Cherry's method 1), unless no symbol matches: then
    BLEU is 0.

    A sample shorter than n is scored by the orders it has (sacrebleu's `effective_order`): an exact copy of a reference
    scores 1 whatever its length. Without this it scores 0 in sacrebleu, and 0.1 for each order it lacks in NLTK, which
    otherwise agree. An empty sample scores 0.

    More references score higher: compare scores against sets of one size. Repeated references change nothing.

    Args:
      samples: N sequences of tokens, padding stripped.
      references: the sequences to compare with, likewise.
      order: n >= 1.

    Returns:
      `[N]` float64 scores in [0, 1].

    Raises:
      ImportError: sacrebleu is not installed.
      ValueError: there are no samples or no references, or `order` is less than 1.

    References:
      Papineni et al. 2002, https://aclanthology.org/P02-1040/; Chen and Cherry 2014,
      https://aclanthology.org/W14-3346/; sacrebleu: Post 2018, https://arxiv.org/abs/1804.08771.
    """
    require_sequences(samples=samples, references=references)
    if order < 1:
        raise ValueError(f"order must be at least 1, got {order}")
    try:
        from sacrebleu.metrics import BLEU
    except ImportError as error:
        raise ImportError("BLEU needs sacrebleu: pip install 'gumbel_gan[metrics]'") from error
    bleu = BLEU(
        max_ngram_order=order,
        tokenize="none",
        smooth_method="floor",
        smooth_value=_FLOOR,
        effective_order=True,
        force=True,
        references=[[_written(reference)] for reference in dict.fromkeys(references)],
    )
    scores = {sample: bleu.corpus_score([_written(sample)], None).score / 100.0 for sample in set(samples)}
    # The score goes through a sum of logarithms, and may come out a rounding above 1.
    return np.minimum([scores[sample] for sample in samples], 1.0)


def self_bleu(samples: Sequence[tuple[int, ...]], order: int) -> np.ndarray:
    """Computes BLEU-n of the first half of the samples, with the second half as references.

    The more alike the samples, the higher. Texygen's self-BLEU keeps its first references through training; here they
    are of the same sample. As the halves are independent draws, a perfect model's self-BLEU equals, in expectation, its
    BLEU against as many held-out references as there are samples in a half.

    Args:
      samples: N >= 2 sequences of tokens, padding stripped, in random order; N // 2 are scored.
      order: n >= 1.

    Returns:
      `[N // 2]` float64 scores in [0, 1].

    Raises:
      ImportError: sacrebleu is not installed.
      ValueError: there are fewer than two samples, or `order` is less than 1.

    References:
      Zhu et al. 2018 (Texygen), https://arxiv.org/abs/1802.01886.
    """
    if len(samples) < 2:
        raise ValueError(f"samples must be at least 2, got {len(samples)}")
    half = len(samples) // 2
    return sentence_bleu(samples[:half], samples[half:], order)


def _written(sequence: tuple[int, ...]) -> str:
    return " ".join(map(str, sequence))
