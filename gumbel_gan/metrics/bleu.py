"""BLEU of sequences of tokens against a fixed set of references, computed by sacrebleu."""

from collections.abc import Sequence

import numpy as np

from gumbel_gan.arguments import require_at_least
from gumbel_gan.metrics.checks import as_sequences

_FLOOR = 0.1


def sentence_bleu(samples: Sequence[tuple[int, ...]], references: Sequence[tuple[int, ...]], order: int) -> np.ndarray:
    """Computes BLEU-n of each sample, with all references as its references.

        BLEU = min(1, exp(1 - r / c)) (p_1 ... p_m)^(1/m), with m = min(n, c),

    where c is the length of the sample, r the length of the reference that is nearest to c (the shorter of two), and
    p_k the share of the sample's k-grams that occur in a reference, each counted no more often than in the reference
    that has it most often. Where no k-gram matches, p_k is 0.1 / (c - k + 1) (Chen and Cherry's method 1),
    unless no symbol matches either: then BLEU is 0.

    A sample shorter than n is scored by the orders it has (sacrebleu's `effective_order`): an exact copy of a reference
    scores 1 whatever its length. Without this option such a copy scores 0 in sacrebleu; in NLTK it gets a p_k of 0.1
    for each order that it lacks. Otherwise the two agree. An empty sample scores 0.

    Scores rise with the number of references: compare scores against sets of one size. Repeated references change
    nothing.

    Args:
      samples: N sequences of tokens, without padding.
      references: the sequences to compare with, likewise.
      order: n >= 1.

    Returns:
      `[N]` float64 scores in [0, 1].

    Raises:
      ImportError: sacrebleu is not installed.
      TypeError: an argument does not hold sequences of integers, or `order` is not an integer.
      ValueError: there are no samples or no references, a token is negative, or `order` is less than 1.

    References:
      Papineni et al. 2002, https://aclanthology.org/P02-1040/; Chen and Cherry 2014,
      https://aclanthology.org/W14-3346/; sacrebleu: Post 2018, https://arxiv.org/abs/1804.08771.
    """
    samples, references = as_sequences("samples", samples), as_sequences("references", references)
    require_at_least(1, order=order)
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
        references=[[_join(reference)] for reference in dict.fromkeys(references)],
    )
    scores = {sample: bleu.corpus_score([_join(sample)], None).score / 100.0 for sample in set(samples)}
    # sacrebleu sums logarithms, so that a score can be above 1 by a rounding error.
    return np.minimum([scores[sample] for sample in samples], 1.0)


def self_bleu(samples: Sequence[tuple[int, ...]], order: int) -> np.ndarray:
    """Computes BLEU-n of the first half of the samples, with the second half as references.

    The more alike the samples, the higher. Texygen keeps the first references of a training run; here the references
    come from the same sample. Since the halves are independent draws, the expected self-BLEU of a perfect model is its
    expected BLEU against as many held-out references as there are samples in a half.

    Args:
      samples: N >= 2 sequences of tokens, without padding, in random order; N // 2 are scored.
      order: n >= 1.

    Returns:
      `[N // 2]` float64 scores in [0, 1].

    Raises:
      ImportError: sacrebleu is not installed.
      TypeError: the samples are not sequences of integers, or `order` is not an integer.
      ValueError: there are fewer than two samples, a token is negative, or `order` is less than 1.

    References:
      Zhu et al. 2018 (Texygen), https://arxiv.org/abs/1802.01886.
    """
    samples = as_sequences("samples", samples, least=2)
    half = len(samples) // 2
    return sentence_bleu(samples[:half], samples[half:], order)


def _join(sequence: tuple[int, ...]) -> str:
    return " ".join(map(str, sequence))
