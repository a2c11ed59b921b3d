"""A property of whole sequences, computed by any function on the host, as a score and as a reward of training."""

from gumbel_gan.scoring.host_reward import host_reward
from gumbel_gan.scoring.scorer import Score, Scorer

__all__ = ["Score", "Scorer", "host_reward"]
