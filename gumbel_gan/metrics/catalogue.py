"""The metrics of sequences: the label of each, its better direction and its meaning, for reports."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple


class Metric(NamedTuple):
    """The description of a metric.

    Attributes:
      label: short name, for tables and axes.
      better: 'higher', 'lower', or 'as data' where the best value is that of held-out data.
      meaning: a sentence that says what is measured, and against which references.
    """

    label: str
    better: Literal["higher", "lower", "as data"]
    meaning: str


def _ngram_divergence(order: int) -> Metric:
    return Metric(
        f"JS of {order}-grams (bits)",
        "lower",
        f"Jensen-Shannon divergence between the distributions of {order}-grams in the samples and in the held-out "
        "sequences.",
    )


def _bleu(order: int) -> Metric:
    return Metric(
        f"BLEU-{order}",
        "higher",
        f"Mean sentence BLEU-{order} of the samples (sacrebleu, floor smoothing of 0.1), each with all held-out "
        "sequences as its references.",
    )


def _self_bleu(order: int) -> Metric:
    return Metric(
        f"self-BLEU-{order}",
        "as data",
        f"Mean BLEU-{order} of one half of the samples with the other half as references; high where the samples are "
        "alike.",
    )


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "uniqueness": Metric("uniqueness", "as data", "Share of distinct sequences among the samples."),
        "novelty": Metric("novelty", "as data", "Share of the samples that are not training sequences."),
        "length_distance": Metric(
            "length TV",
            "lower",
            "Total variation between the distributions of the length of the samples and of the held-out sequences.",
        ),
        **{f"ngram_divergence_{order}": _ngram_divergence(order) for order in range(1, 5)},
        **{f"bleu_{order}": _bleu(order) for order in range(2, 6)},
        **{f"self_bleu_{order}": _self_bleu(order) for order in range(2, 6)},
        "samples_nll_by_data": Metric(
            "NLL of samples by data (nats)",
            "as data",
            "Mean negative log-likelihood of a sample under a trigram model (Witten-Bell smoothing, with add-one "
            "unigrams) fitted on the held-out sequences: a measure of quality that does not see missing variety.",
        ),
        "heldout_nll_by_samples": Metric(
            "NLL of data by samples (nats)",
            "lower",
            "Mean negative log-likelihood of a held-out sequence under such a trigram model fitted on the samples: a "
            "measure of diversity and quality.",
        ),
        "heldout_nll": Metric(
            "held-out NLL (nats)",
            "lower",
            "Mean negative log-likelihood of a held-out sequence under the generator at temperature 1.",
        ),
        "bits_per_symbol": Metric(
            "held-out bits per symbol",
            "lower",
            "The held-out NLL in bits, divided by the T symbols of a sequence: for a text in windows, bits per "
            "character.",
        ),
        "oracle_nll": Metric(
            "oracle NLL (nats)",
            "as data",
            "Mean negative log-likelihood of a sample under the true distribution: a measure of quality that does not "
            "see missing variety.",
        ),
    }
)
