"""Error rates of sequences decoded from sources, by the Levenshtein edit distance to their targets."""

from collections.abc import Mapping, Sequence

import numpy as np

from gumbel_gan.metrics.checks import as_sequences
from gumbel_gan.metrics.interface import Metric
from gumbel_gan.metrics.intervals import Estimate, bootstrap

GREEDY, BEAM = "greedy", "beam"
_HOW = {GREEDY: "greedy decoding", BEAM: "beam search"}


def _metric(name: str, label: str, meaning: str, decoding: str) -> Metric:
    is_monitored = decoding == GREEDY
    return Metric(
        f"{label}, {decoding}",
        "lower",
        f"{meaning} Of {_HOW[decoding]}, on held-out sources.",
        applies="pairs",
        panel="error rates" if is_monitored else None,
        in_progress=is_monitored and name == "sequence_error",
    )


ERROR_RATES: Mapping[str, Metric] = {
    f"{name}_{decoding}": _metric(name, label, meaning, decoding)
    for decoding in _HOW
    for name, label, meaning in (
        (
            "sequence_error",
            "sequence error rate",
            "Share of the sources whose decoded sequence differs from all targets; for spellings, the word error rate.",
        ),
        (
            "symbol_error",
            "symbol error rate",
            "Insertions, deletions and substitutions that lead from the decoded sequences to the nearest target of "
            "each, over the symbols of these targets; for pronunciations, the phoneme error rate.",
        ),
    )
}


def error_rates(
    decoded: Sequence[tuple[int, ...]], targets: Sequence[Sequence[tuple[int, ...]]]
) -> dict[str, Estimate]:
    """Computes the error rates of decoded sequences, one for each source, with intervals by `bootstrap` over sources.

    Args:
      decoded: N >= 2 decoded sequences of tokens, without padding.
      targets: N collections of sequences of tokens: for each decoded sequence, its correct sequences, at least one. No
        target may be empty.

    Returns:
      `sequence_error`, the share of decoded sequences that differ from all their targets, and `symbol_error`, the sum
      of the edit distances to the nearest targets divided by the sum of the lengths of these targets. `symbol_error`
      may exceed 1.

    Raises:
      ImportError: rapidfuzz is not installed.
      TypeError: an argument does not hold sequences of integers.
      ValueError: there are fewer than two sequences, `targets` does not hold N collections, or a sequence has no target
        or an empty target.

    References:
      Levenshtein 1966; the package rapidfuzz, https://github.com/rapidfuzz/RapidFuzz.
    """
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError as error:
        raise ImportError("error rates need the package 'rapidfuzz' (pip install 'gumbel_gan[metrics]')") from error
    decoded = as_sequences("decoded", decoded, least=2)
    if not isinstance(targets, Sequence) or len(targets) != len(decoded):
        raise ValueError(f"targets must hold as many as decoded, {len(decoded)}, got {targets!r:.80}")
    known = [as_sequences("targets", each) for each in targets]
    if not all(target for each in known for target in each):
        raise ValueError("targets must not be empty, got ()")
    edits, lengths = np.zeros(len(decoded)), np.zeros(len(decoded))
    for row, (sequence, each) in enumerate(zip(decoded, known, strict=True)):
        edits[row], lengths[row] = min((Levenshtein.distance(sequence, target), len(target)) for target in each)
    wrong = edits > 0
    return {
        "sequence_error": bootstrap(lambda rows: float(wrong[rows].mean()), len(decoded)),
        "symbol_error": bootstrap(lambda rows: float(edits[rows].sum() / lengths[rows].sum()), len(decoded)),
    }
