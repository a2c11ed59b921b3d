"""Losses: objectives, gradient penalties, rewards, advantages and the score-function estimate."""

from gumbel_gan.losses.advantages import AdvantageEstimator, Rollout, monte_carlo, per_prefix, per_symbol, reinforce
from gumbel_gan.losses.divergences import (
    variational,
    variational_jensen_shannon,
    variational_kl,
    variational_pearson,
    variational_reverse_kl,
    variational_squared_hellinger,
)
from gumbel_gan.losses.mmd import moment_matching
from gumbel_gan.losses.objectives import (
    Objective,
    density_ratio,
    hinge,
    least_squares,
    log_odds,
    minimax,
    non_saturating,
    pearson_fit,
    ratio_kl,
    ratio_pearson,
    ratio_squared_hellinger,
    relativistic,
    wasserstein,
)
from gumbel_gan.losses.penalties import GradientPenalty
from gumbel_gan.losses.rewards import (
    Reward,
    exp_half_logit,
    exp_logit,
    exp_twice_logit,
    log_sigmoid,
    logit,
    softplus_logit,
    tanh_half_logit,
)
from gumbel_gan.losses.score_function import leave_one_out

__all__ = [
    "AdvantageEstimator",
    "GradientPenalty",
    "Objective",
    "Reward",
    "Rollout",
    "density_ratio",
    "exp_half_logit",
    "exp_logit",
    "exp_twice_logit",
    "hinge",
    "least_squares",
    "leave_one_out",
    "log_odds",
    "log_sigmoid",
    "logit",
    "minimax",
    "moment_matching",
    "monte_carlo",
    "non_saturating",
    "pearson_fit",
    "per_prefix",
    "per_symbol",
    "ratio_kl",
    "ratio_pearson",
    "ratio_squared_hellinger",
    "reinforce",
    "relativistic",
    "softplus_logit",
    "tanh_half_logit",
    "variational",
    "variational_jensen_shannon",
    "variational_kl",
    "variational_pearson",
    "variational_reverse_kl",
    "variational_squared_hellinger",
    "wasserstein",
]
