"""Training methods with a common interface."""

from gumbel_gan.algorithms.distilled_gan import distilled_gan
from gumbel_gan.algorithms.importance_gan import importance_gan
from gumbel_gan.algorithms.interface import Algorithm, Metrics, State
from gumbel_gan.algorithms.maximum_likelihood import maximum_likelihood
from gumbel_gan.algorithms.policy_gradient import policy_gradient
from gumbel_gan.algorithms.professor_forcing import professor_forcing
from gumbel_gan.algorithms.relaxed_gan import Feedback, relaxed_gan
from gumbel_gan.algorithms.truncated_likelihood import truncated_likelihood
from gumbel_gan.algorithms.variational_autoencoder import variational_autoencoder

__all__ = [
    "Algorithm",
    "Feedback",
    "Metrics",
    "State",
    "distilled_gan",
    "importance_gan",
    "maximum_likelihood",
    "policy_gradient",
    "professor_forcing",
    "relaxed_gan",
    "truncated_likelihood",
    "variational_autoencoder",
]
