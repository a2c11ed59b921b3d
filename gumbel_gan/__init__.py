"""Adversarial training of generators of discrete sequences, end to end, in JAX."""

from gumbel_gan.algorithms import (
    Algorithm,
    importance_gan,
    maximum_likelihood,
    policy_gradient,
    professor_forcing,
    relaxed_gan,
)
from gumbel_gan.credit import CREDITS
from gumbel_gan.estimators import ESTIMATORS
from gumbel_gan.gumbel import concrete_log_prob, gumbel_max, gumbel_softmax, sample_gumbel
from gumbel_gan.networks import (
    Discriminator,
    Generator,
    PrefixDiscriminator,
    behavior_discriminator,
    gru_discriminator,
    gru_generator,
    gru_prefix_discriminator,
    lstm_discriminator,
    lstm_generator,
    lstm_prefix_discriminator,
)
from gumbel_gan.objectives import OBJECTIVES, Objective
from gumbel_gan.rewards import REWARDS
from gumbel_gan.schedules import SCHEDULES
from gumbel_gan.tasks import Oracle, Task, digits_task, grammar_task, names_task, oracle_task, text_task

__all__ = [
    "CREDITS",
    "ESTIMATORS",
    "OBJECTIVES",
    "REWARDS",
    "SCHEDULES",
    "Algorithm",
    "Discriminator",
    "Generator",
    "Objective",
    "Oracle",
    "PrefixDiscriminator",
    "Task",
    "behavior_discriminator",
    "concrete_log_prob",
    "digits_task",
    "grammar_task",
    "gru_discriminator",
    "gru_generator",
    "gru_prefix_discriminator",
    "gumbel_max",
    "gumbel_softmax",
    "importance_gan",
    "lstm_discriminator",
    "lstm_generator",
    "lstm_prefix_discriminator",
    "maximum_likelihood",
    "names_task",
    "oracle_task",
    "policy_gradient",
    "professor_forcing",
    "relaxed_gan",
    "sample_gumbel",
    "text_task",
]
