"""The table of all metrics, `METRICS`: the name, the meaning, the scope and the computation of each metric.

To add a metric of samples, add a `Metric` with a `measure` function here. The modules `exact`, `samples`, `error_rates`
and `training_curves` describe the metrics of the exact distribution, of strings, of decoded pairs and of training.
"""

from collections.abc import Mapping

import numpy as np

from gumbel_gan.metrics.bleu import self_bleu, sentence_bleu
from gumbel_gan.metrics.corpus import distance_of_lengths, lengths_of
from gumbel_gan.metrics.error_rates import ERROR_RATES
from gumbel_gan.metrics.exact import EXACT
from gumbel_gan.metrics.interface import Comparison, Metric
from gumbel_gan.metrics.intervals import Estimate
from gumbel_gan.metrics.ngram_model import fit_ngram_model, negative_log_likelihood
from gumbel_gan.metrics.ngrams import resampled_ngram_divergence
from gumbel_gan.metrics.samples import SAMPLED
from gumbel_gan.metrics.training_curves import LOSSES, TRAINING

# Trigrams, because a held-out set of a few hundred short sequences is too small for higher orders.
MODEL_ORDER = 3
DIVERGENCE_ORDERS = range(1, 5)

_BLEU_ORDERS = range(2, 6)
_MOST_REFITS = 20


def _uniqueness(comparison: Comparison) -> Estimate:
    number_of = {sample: number for number, sample in enumerate(dict.fromkeys(comparison.samples))}
    numbers = np.array([number_of[sample] for sample in comparison.samples])
    return comparison.estimate(lambda rows: len(np.unique(numbers[rows])) / len(rows))


def _novelty(comparison: Comparison) -> Estimate:
    return comparison.mean(np.array([sample not in comparison.train for sample in comparison.samples], np.float64))


def _length_distance(comparison: Comparison) -> Estimate:
    lengths, reference_lengths = lengths_of(comparison.samples), lengths_of(comparison.references)
    return comparison.estimate(lambda rows: distance_of_lengths(lengths[rows], reference_lengths))


def _ngram_divergence(order: int) -> Metric:
    def measure(comparison: Comparison) -> Estimate:
        return comparison.estimate(resampled_ngram_divergence(comparison.samples, comparison.references, order))

    return Metric(
        f"JS of {order}-grams",
        "lower",
        f"Jensen-Shannon divergence between the distributions of {order}-grams in the samples and in the held-out "
        "sequences.",
        measure,
        unit="bits",
    )


def _bleu(order: int) -> Metric:
    return Metric(
        f"BLEU-{order}",
        "higher",
        f"Mean sentence BLEU-{order} of the samples (sacrebleu, floor smoothing of 0.1), each with all held-out "
        "sequences as its references.",
        lambda comparison: comparison.mean(sentence_bleu(comparison.samples, comparison.references, order)),
    )


def _self_bleu(order: int) -> Metric:
    return Metric(
        f"self-BLEU-{order}",
        "as data",
        f"Mean BLEU-{order} of one half of the samples with the other half as references; high where the samples are "
        "alike.",
        lambda comparison: comparison.mean(self_bleu(comparison.samples, order)),
    )


def _samples_nll_by_data(comparison: Comparison) -> Estimate:
    return comparison.mean(negative_log_likelihood(comparison.model, comparison.samples))


def _heldout_nll_by_samples(comparison: Comparison) -> Estimate:
    def mean_nll(rows: np.ndarray) -> float:
        chosen = [comparison.samples[row] for row in rows]
        model = fit_ngram_model(chosen, MODEL_ORDER, comparison.num_symbols)
        return float(negative_log_likelihood(model, comparison.references).mean())

    return comparison.estimate(mean_nll, most_resamples=_MOST_REFITS)


def _long_divergence(order: int) -> Metric:
    return Metric(
        f"JS of {order}-grams beyond the trained length",
        "lower",
        f"Jensen-Shannon divergence between the distributions of {order}-grams in held-out sequences and in the parts "
        "of long samples after the first, each as long as the sequences trained on.",
        unit="bits",
        applies="long",
    )


METRICS: Mapping[str, Metric] = {
    **EXACT,
    **SAMPLED,
    "uniqueness": Metric("uniqueness", "as data", "Share of distinct sequences among the samples.", _uniqueness),
    "novelty": Metric("novelty", "as data", "Share of the samples that are not training sequences.", _novelty),
    "length_distance": Metric(
        "length TV",
        "lower",
        "Total variation between the distributions of the length of the samples and of the held-out sequences.",
        _length_distance,
    ),
    **{f"ngram_divergence_{order}": _ngram_divergence(order) for order in DIVERGENCE_ORDERS},
    **{f"bleu_{order}": _bleu(order) for order in _BLEU_ORDERS},
    **{f"self_bleu_{order}": _self_bleu(order) for order in _BLEU_ORDERS},
    "samples_nll_by_data": Metric(
        "NLL of samples by data",
        "as data",
        "Mean negative log-likelihood of a sample under a trigram model (Witten-Bell smoothing, with add-one unigrams) "
        "fitted on the held-out sequences: a measure of quality that does not see missing variety.",
        _samples_nll_by_data,
        unit="nats",
    ),
    "heldout_nll_by_samples": Metric(
        "NLL of data by samples",
        "lower",
        "Mean negative log-likelihood of a held-out sequence under a trigram model (Witten-Bell smoothing, with "
        "add-one unigrams) fitted on the samples: a measure of diversity and quality.",
        _heldout_nll_by_samples,
        unit="nats",
    ),
    "heldout_nll": Metric(
        "held-out NLL",
        "lower",
        "Mean negative log-likelihood of a held-out sequence under the generator at temperature 1.",
        unit="nats",
    ),
    "bits_per_symbol": Metric(
        "held-out NLL per symbol",
        "lower",
        "The held-out NLL in bits, divided by the T symbols of a sequence: for a text in windows, bits per character.",
        unit="bits",
    ),
    "carried_nll": Metric(
        "held-out NLL, carried",
        "lower",
        "Mean negative log-likelihood of a held-out window of a long text, given the text before it: the generator's "
        "state is carried from each window to the next. The mean is over all windows of the split.",
        unit="nats",
    ),
    "carried_bits_per_symbol": Metric(
        "held-out NLL per symbol, carried",
        "lower",
        "The carried held-out NLL in bits, divided by the symbols of a window: the literature's bits per character.",
        unit="bits",
    ),
    "oracle_nll": Metric(
        "oracle NLL",
        "as data",
        "Mean negative log-likelihood of a sample under the true distribution: a measure of quality that does not see "
        "missing variety.",
        unit="nats",
        panel="nats a sequence",
        in_progress=True,
    ),
    **{f"long_ngram_divergence_{order}": _long_divergence(order) for order in DIVERGENCE_ORDERS},
    "dynamics_accuracy": Metric(
        "accuracy of telling teacher-forced from free-running states",
        "lower",
        "Accuracy of a classifier that tells hidden states of teacher-forced held-out sequences from those of drawn "
        "sequences, at the last step; chance is 0.5.",
        applies="states",
        worst=1.0,
    ),
    "dynamics_excess": Metric(
        "accuracy of telling the states apart, minus that of two held-out sets",
        "lower",
        "Accuracy of telling teacher-forced from free-running states, minus the accuracy of telling the teacher-forced "
        "states of two held-out sets apart, which is the noise floor.",
        applies="states",
        worst=1.0,
    ),
    **ERROR_RATES,
    **TRAINING,
}


def describe(name: str) -> Metric:
    """Returns the description of a metric: from `METRICS`, or a default one for the metric of a custom algorithm.

    Args:
      name: name of the metric. A metric that is not in `METRICS` is shown beside the other losses if its name ends in
        '_loss'; otherwise it has a panel of its own.

    Raises:
      TypeError: `name` is not a string.
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a string, got {name!r}")
    if name in METRICS:
        return METRICS[name]
    label = name.replace("_", " ")
    is_loss = name.endswith("_loss")
    return Metric(
        label,
        "neither",
        f"The quantity {name} of the training method.",
        applies="training",
        panel=LOSSES if is_loss else label,
        in_progress=is_loss,
    )
