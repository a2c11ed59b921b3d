"""Metrics of generated sequences."""

from gumbel_gan.metrics.bleu import self_bleu, sentence_bleu
from gumbel_gan.metrics.catalogue import DIVERGENCE_ORDERS, METRICS, MODEL_ORDER, describe
from gumbel_gan.metrics.comparison import compare, quality_and_diversity
from gumbel_gan.metrics.corpus import length_distance, novelty, uniqueness
from gumbel_gan.metrics.embedding import embed
from gumbel_gan.metrics.error_rates import BEAM, GREEDY, error_rates
from gumbel_gan.metrics.exact import exact_distances
from gumbel_gan.metrics.interface import Comparison, Metric
from gumbel_gan.metrics.intervals import Estimate, bootstrap
from gumbel_gan.metrics.ngram_model import fit_ngram_model, negative_log_likelihood
from gumbel_gan.metrics.ngrams import ngram_divergence
from gumbel_gan.metrics.samples import sampled_distances
from gumbel_gan.metrics.training_curves import LOSSES
from gumbel_gan.metrics.two_sample import LEAST_VECTORS, TwoSample, two_sample_accuracy

__all__ = [
    "BEAM",
    "DIVERGENCE_ORDERS",
    "GREEDY",
    "LEAST_VECTORS",
    "LOSSES",
    "METRICS",
    "MODEL_ORDER",
    "Comparison",
    "Estimate",
    "Metric",
    "TwoSample",
    "bootstrap",
    "compare",
    "describe",
    "embed",
    "error_rates",
    "exact_distances",
    "fit_ngram_model",
    "length_distance",
    "negative_log_likelihood",
    "ngram_divergence",
    "novelty",
    "quality_and_diversity",
    "sampled_distances",
    "self_bleu",
    "sentence_bleu",
    "two_sample_accuracy",
    "uniqueness",
]
