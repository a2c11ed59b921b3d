"""Scores and training rewards from a function of strings on the host, such as a property of molecules."""

from gumbel_gan.scoring.host_reward import host_reward
from gumbel_gan.scoring.scorer import KINDS, Score, Scorer

__all__ = ["KINDS", "Score", "Scorer", "host_reward"]
