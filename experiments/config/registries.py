"""The names that a config may use, and the functions and objects that they stand for."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import optax

from gumbel_gan import networks, schedules
from gumbel_gan.algorithms import (
    Algorithm,
    importance_gan,
    maximum_likelihood,
    policy_gradient,
    professor_forcing,
    relaxed_gan,
)
from gumbel_gan.losses import (
    AdvantageEstimator,
    Objective,
    Reward,
    log_odds,
    log_sigmoid,
    logit,
    minimax,
    monte_carlo,
    non_saturating,
    per_prefix,
    reinforce,
    relativistic,
    tanh_half_logit,
)
from gumbel_gan.relaxation import Estimator, soft, straight_through
from gumbel_gan.tasks import Task, digits_task, grammar_task, names_task, oracle_task, text_task

TASKS: Mapping[str, Callable[..., Task]] = {
    "grammar": grammar_task,
    "text": text_task,
    "names": names_task,
    "oracle": oracle_task,
    "digits": digits_task,
}
GENERATORS: Mapping[str, Callable[..., networks.Generator]] = {
    "lstm": partial(networks.recurrent_generator, cell=networks.LSTMCell),
    "gru": partial(networks.recurrent_generator, cell=networks.GRUCell),
    "transformer": networks.transformer_generator,
}
DISCRIMINATORS: Mapping[str, Callable[..., networks.Discriminator]] = {
    "lstm": partial(networks.recurrent_discriminator, cell=networks.LSTMCell),
    "gru": partial(networks.recurrent_discriminator, cell=networks.GRUCell),
    "transformer": networks.transformer_discriminator,
    "convolutional": networks.convolutional_discriminator,
    "multi_representation": networks.multi_representation_discriminator,
}
PREFIX_DISCRIMINATORS: Mapping[str, Callable[..., networks.PrefixDiscriminator]] = {
    "lstm": partial(networks.recurrent_prefix_discriminator, cell=networks.LSTMCell),
    "gru": partial(networks.recurrent_prefix_discriminator, cell=networks.GRUCell),
}
BEHAVIOR_DISCRIMINATORS: Mapping[str, Callable[..., networks.Discriminator]] = {
    "behavior": networks.behavior_discriminator
}
ALGORITHMS: Mapping[str, Callable[..., Algorithm]] = {
    "relaxed_gan": relaxed_gan,
    "maximum_likelihood": maximum_likelihood,
    "importance_gan": importance_gan,
    "policy_gradient": policy_gradient,
    "professor_forcing": professor_forcing,
}
ESTIMATORS: Mapping[str, Estimator] = {"soft": soft, "straight_through": straight_through}
OBJECTIVES: Mapping[str, Objective] = {
    "log_odds": log_odds,
    "minimax": minimax,
    "non_saturating": non_saturating,
    "relativistic": relativistic,
}
REWARDS: Mapping[str, Reward] = {"logit": logit, "tanh_half_logit": tanh_half_logit, "log_sigmoid": log_sigmoid}
ADVANTAGES: Mapping[str, Callable[..., AdvantageEstimator]] = {
    "reinforce": reinforce,
    "per_prefix": per_prefix,
    "monte_carlo": monte_carlo,
}
SCHEDULES: Mapping[str, Callable[..., optax.Schedule]] = {
    "constant": schedules.constant,
    "linear": schedules.linear,
    "exponential": schedules.exponential,
    "cosine": schedules.cosine,
    "piecewise_constant": schedules.piecewise_constant,
    "inverse_temperature_exponential": schedules.inverse_temperature_exponential,
}


def adam(learning_rate: Any, b1: float, b2: float) -> optax.GradientTransformation:
    """Builds Adam."""
    return optax.adam(learning_rate, b1=b1, b2=b2)


def clipped_adam(learning_rate: Any, b1: float, b2: float, max_norm: float) -> optax.GradientTransformation:
    """Builds Adam of gradients that are first scaled down to a norm of at most `max_norm`."""
    if not max_norm > 0:
        raise ValueError(f"max_norm must be > 0, got {max_norm}")
    return optax.chain(optax.clip_by_global_norm(max_norm), adam(learning_rate, b1, b2))


OPTIMIZERS: Mapping[str, Callable[..., optax.GradientTransformation]] = {"adam": adam, "clipped_adam": clipped_adam}


def spans_steps(name: str) -> bool:
    """Tells whether the schedule of that name has a length, an argument `steps`."""
    return "steps" in inspect.signature(SCHEDULES[name]).parameters
