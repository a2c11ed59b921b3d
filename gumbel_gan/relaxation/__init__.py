"""Relaxed samples of a categorical distribution, and their gradients."""

from gumbel_gan.relaxation.concrete import concrete_log_prob, exp_concrete_log_prob
from gumbel_gan.relaxation.estimators import Estimator, soft, straight_through
from gumbel_gan.relaxation.gumbel import gumbel_log_softmax, gumbel_max, gumbel_softmax, sample_gumbel
from gumbel_gan.relaxation.instance_noise import add_instance_noise

__all__ = [
    "Estimator",
    "add_instance_noise",
    "concrete_log_prob",
    "exp_concrete_log_prob",
    "gumbel_log_softmax",
    "gumbel_max",
    "gumbel_softmax",
    "sample_gumbel",
    "soft",
    "straight_through",
]
