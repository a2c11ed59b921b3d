"""Relaxed samples of a categorical distribution, and gradients of expectations over it."""

from gumbel_gan.relaxation.concrete import concrete_log_prob, exp_concrete_log_prob
from gumbel_gan.relaxation.estimators import Estimator, soft, straight_through
from gumbel_gan.relaxation.gumbel import gumbel_log_softmax, gumbel_max, gumbel_softmax, sample_gumbel
from gumbel_gan.relaxation.instance_noise import add_instance_noise
from gumbel_gan.relaxation.rao_blackwell import gumbel_rao
from gumbel_gan.relaxation.reinmax_estimators import reinmax, reinmax_cv, reinmax_rao
from gumbel_gan.relaxation.score_function_estimators import (
    indecater_loss,
    moving_baseline_loss,
    rebar_loss,
    reinforce_loss,
    relax_gradient,
    relax_loss,
)
from gumbel_gan.relaxation.straight_through_estimators import (
    decoupled,
    gapped_straight_through,
    learned_temperature,
    plain_straight_through,
)

__all__ = [
    "Estimator",
    "add_instance_noise",
    "concrete_log_prob",
    "decoupled",
    "exp_concrete_log_prob",
    "gapped_straight_through",
    "gumbel_log_softmax",
    "gumbel_max",
    "gumbel_rao",
    "gumbel_softmax",
    "indecater_loss",
    "learned_temperature",
    "moving_baseline_loss",
    "plain_straight_through",
    "rebar_loss",
    "reinforce_loss",
    "reinmax",
    "reinmax_cv",
    "reinmax_rao",
    "relax_gradient",
    "relax_loss",
    "sample_gumbel",
    "soft",
    "straight_through",
]
