"""What networks are trained on: objectives, gradient penalties, rewards, advantages, the score-function estimate."""

from gumbel_gan.losses.advantages import AdvantageEstimator, Rollout, monte_carlo, per_prefix, reinforce
from gumbel_gan.losses.objectives import Objective, log_odds, minimax, non_saturating, relativistic
from gumbel_gan.losses.penalties import GradientPenalty
from gumbel_gan.losses.rewards import Reward, log_sigmoid, logit, tanh_half_logit
from gumbel_gan.losses.score_function import leave_one_out

__all__ = [
    "AdvantageEstimator",
    "GradientPenalty",
    "Objective",
    "Reward",
    "Rollout",
    "leave_one_out",
    "log_odds",
    "log_sigmoid",
    "logit",
    "minimax",
    "monte_carlo",
    "non_saturating",
    "per_prefix",
    "reinforce",
    "relativistic",
    "tanh_half_logit",
]
