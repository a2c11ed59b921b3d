"""BLEU of sequences of tokens against a fixed set of references, computed by sacrebleu."""

from collections.abc import Sequence

import numpy as np

from gumbel_gan.arguments import require_at_least
from gumbel_gan.metrics.checks import as_sequences

_FLOOR = 0.1


def sentence_bleu(samples: Sequence[tuple[int, ...]], references: Sequence[tuple[int, ...]], order: int) -> np.ndarray:
    """Computes the BLEU-n score of each sample against all references.

        BLEU = min(1, exp(1 - r / c)) (p_1 ... p_m)^(1/m), with m = min(n, c),

    where c is the length of the sample and r is the length of the reference that is closest in length (the shorter one
    in a tie). p_k is the share of the sample's k-grams that occur in a reference; each k-gram counts at most as often
    as in the reference that has it most often. If no k-gram matches, p_k is 0.1 / (c - k + 1) (Chen and Cherry's method
    1). If no symbol matches either, BLEU is 0.

    A sample shorter than n is scored with the orders up to its length (sacrebleu's `effective_order`), so that an exact
    copy of a reference scores 1 for any length. Without this option, such a copy scores 0 in sacrebleu; in NLTK, p_k is
    0.1 for each order above its length. Otherwise sacrebleu and NLTK agree. An empty sample scores 0.

    Scores rise with the number of references, so compare only scores against reference sets of the same size. Repeated
    references do not change the scores.

    Args:
      samples: N sequences of tokens, without padding.
      references: M sequences of tokens to compare with, without padding.
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

    The score is higher for samples that are more alike. Texygen reuses the first references throughout a training run;
    here the references come from the same sample. Since the halves are independent draws, the expected self-BLEU of a
    perfect model equals its expected BLEU against as many held-out references as the second half has samples.

    Args:
      samples: N >= 2 sequences of tokens, without padding, in random order; N // 2 are scored.
      order: n >= 1.

    Returns:
      `[N // 2]` float64 scores in [0, 1].

    Raises:
      ImportError: sacrebleu is not installed.
      TypeError: `samples` does not hold sequences of integers, or `order` is not an integer.
      ValueError: there are fewer than two samples, a token is negative, or `order` is less than 1.

    References:
      Zhu et al. 2018 (Texygen), https://arxiv.org/abs/1802.01886.
    """
    samples = as_sequences("samples", samples, least=2)
    half = len(samples) // 2
    return sentence_bleu(samples[:half], samples[half:], order)


def _join(sequence: tuple[int, ...]) -> str:
    return " ".join(map(str, sequence))
