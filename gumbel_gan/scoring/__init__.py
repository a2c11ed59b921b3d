"""A property of whole sequences, computed by any function on the host, as a score and as a reward of training."""

from gumbel_gan.scoring.host_reward import host_reward
from gumbel_gan.scoring.scorer import KINDS, Score, Scorer

__all__ = ["KINDS", "Score", "Scorer", "host_reward"]
