"""The only place where a config becomes objects: task, networks, optimisers, algorithm."""

import importlib.util
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from experiments import schedule_text
from experiments.choices import choose
from experiments.members import sweep
from experiments.optimizers import OPTIMIZERS
from experiments.sections import call, named, pop, pop_name
from experiments.settings import Section, check_settings, paths
from gumbel_gan import evaluation, sharding
from gumbel_gan.algorithms import (
    Algorithm,
    importance_gan,
    maximum_likelihood,
    policy_gradient,
    professor_forcing,
    relaxed_gan,
)
from gumbel_gan.losses.advantages import CREDITS
from gumbel_gan.relaxation.estimators import ESTIMATORS
from gumbel_gan.networks import (
    Generator,
    behavior_discriminator,
    gru_discriminator,
    gru_generator,
    gru_prefix_discriminator,
    lstm_discriminator,
    lstm_generator,
    lstm_prefix_discriminator,
)
from gumbel_gan.losses.objectives import OBJECTIVES
from gumbel_gan.losses.rewards import REWARDS
from gumbel_gan.tasks import Task, digits_task, grammar_task, names_task, oracle_task, text_task

TASKS: Mapping[str, Callable[..., Task]] = {
    "grammar": grammar_task,
    "text": text_task,
    "names": names_task,
    "oracle": oracle_task,
    "digits": digits_task,
}
_DISCRIMINATORS = {"lstm": lstm_discriminator, "gru": gru_discriminator}
_PREFIX_DISCRIMINATORS = {"lstm": lstm_prefix_discriminator, "gru": gru_prefix_discriminator}


class Experiment(NamedTuple):
    """What a config describes.

    Attributes:
      task: the sequences.
      algorithm: the training method.
      algorithm_at: the training method at a point of the config's sweep, an index that may be traced. Points differ in
        how they train only: states have one structure, and `algorithm` samples and scores those of all points.
      shard_axis: name of the axis that both train under, None where batches have a single shard.
      latent_draws: draws of the latent in the Monte-Carlo estimate of `algorithm.log_prob`; 0 where that is exact.
    """

    task: Task
    algorithm: Algorithm
    algorithm_at: Callable[[ArrayLike], Algorithm]
    shard_axis: str | None
    latent_draws: int


class _Context(NamedTuple):
    """What the maker of an algorithm needs beside the algorithm's own section."""

    task: Task
    generator: Generator
    num_steps: int
    num_shards: int
    shard_axis: str | None
    dtype: jnp.dtype
    point: ArrayLike


def build(config: Section) -> Experiment:
    """Makes everything that a config describes; to be called once `platforms.select` has been.

    Args:
      config: a config as in `experiments/configs`.

    Returns:
      The task and the algorithm.

    Raises:
      ValueError: a setting is missing, unknown or out of its range; the message starts with its name.
    """
    check_settings(config)
    task = make_task(config)
    if config["batch_size"] > len(task.train):
        raise ValueError(
            f"config.batch_size must be at most the number of training sequences, {len(task.train)}; "
            f"got {config['batch_size']}"
        )
    _check_measured(config, task)
    num_shards = config["num_shards"]
    shard_axis = sharding.shard_axis(num_shards)
    _share(config["batch_size"], "config.batch_size", num_shards)
    path, dtype = "config.algorithm", jnp.dtype(config["dtype"])
    generator = named(
        pop(dict(config["algorithm"]), "generator", path),
        f"{path}.generator",
        {"lstm": lstm_generator, "gru": gru_generator},
        num_symbols=len(task.symbols),
        padding=task.padding,
        ends=task.ends,
        dtype=dtype,
    )
    makers = {
        "relaxed_gan": _relaxed_gan,
        "maximum_likelihood": _maximum_likelihood,
        "importance_gan": _importance_gan,
        "policy_gradient": _policy_gradient,
        "professor_forcing": _professor_forcing,
    }

    def algorithm_at(point: ArrayLike) -> Algorithm:
        section = {name: value for name, value in config["algorithm"].items() if name != "generator"}
        make = makers[choose(pop_name(section, path), makers, f"{path}.name")]
        return make(section, path, _Context(task, generator, config["num_steps"], num_shards, shard_axis, dtype, point))

    # What is wrong at a point shows when its numbers are known, which they are not in a compiled step.
    algorithms = [algorithm_at(point) for point in range(len(sweep(config)))]
    latent_draws = config["algorithm"]["num_latent_draws"] if generator.has_latent else 0
    return Experiment(task, algorithms[0], algorithm_at, shard_axis, latent_draws)


def _check_measured(config: Section, task: Task) -> None:
    """Raises ValueError unless what is to be measured can be, of this task and with what is installed."""
    largest = evaluation.most_compared(task)
    for name in ("num_compared", "num_states"):
        if config[name] > largest:
            raise ValueError(
                f"config.{name} must be at most the size of the smallest split, {largest}; got {config[name]}"
            )
    for name, module, package, extra in (
        ("num_compared", "sacrebleu", "sacrebleu", "metrics"),
        ("num_states", "sklearn", "scikit-learn", "data"),
        ("num_states", "openTSNE", "openTSNE", "experiments"),
    ):
        if config[name] and importlib.util.find_spec(module) is None:
            raise ValueError(f"config.{name} must be 0 without {package}: pip install 'gumbel_gan[{extra}]'")
    if config["num_states"] and task.length < 2:
        raise ValueError(
            f"config.num_states must be 0 where sequences are of one symbol, whose states are all alike, "
            f"got {config['num_states']}"
        )
    long_length = config["long_length"]
    if long_length and task.padding is not None:
        raise ValueError(f"config.long_length must be 0 for a task with padding, got {long_length}")
    if long_length and (long_length % task.length or long_length == task.length):
        raise ValueError(
            f"config.long_length must be 0, or a multiple of the length of the task's sequences, {task.length}, and "
            f"longer; got {long_length}"
        )


def make_task(config: Section) -> Task:
    """Makes the task of a config.

    Args:
      config: a config as in `experiments/configs`.

    Raises:
      ValueError: a setting of its task is wrong.
    """
    section = dict(config["task"])
    if "files" in section:
        section["files"] = paths(section["files"])
    return named(section, "config.task", TASKS)


def _relaxed_gan(section: dict[str, Any], path: str, context: _Context) -> Algorithm:
    if section.get("num_generated") is not None:
        section["num_generated"] = _share(section["num_generated"], f"{path}.num_generated", context.num_shards)
    return call(
        relaxed_gan,
        section,
        path,
        length=context.task.length,
        objective=OBJECTIVES[choose(pop(section, "objective", path), OBJECTIVES, f"{path}.objective")],
        estimator=ESTIMATORS[choose(pop(section, "estimator", path), ESTIMATORS, f"{path}.estimator")],
        temperature=_required_schedule(section, "temperature", path, context),
        feedback_temperature=_schedule(section, "feedback_temperature", path, context),
        instance_noise=_share_schedule(section, "instance_noise", path, context),
        **_adversaries(section, path, context),
        **_penalties(section, path, context),
    )


def _maximum_likelihood(section: dict[str, Any], path: str, context: _Context) -> Algorithm:
    return call(
        maximum_likelihood,
        section,
        path,
        generator=context.generator,
        length=context.task.length,
        optimizer=_optimizer(section, "optimizer", path, context),
        sampling_rate=_share_schedule(section, "sampling_rate", path, context),
        shard_axis=context.shard_axis,
    )


def _importance_gan(section: dict[str, Any], path: str, context: _Context) -> Algorithm:
    return call(
        importance_gan,
        section,
        path,
        data=context.task.train,
        **_adversaries(section, path, context),
        **_penalties(section, path, context),
    )


def _policy_gradient(section: dict[str, Any], path: str, context: _Context) -> Algorithm:
    credit = named(pop(section, "credit", path), f"{path}.credit", CREDITS)
    discriminators = _PREFIX_DISCRIMINATORS if credit.of_prefixes else _DISCRIMINATORS
    return call(
        policy_gradient,
        section,
        path,
        length=context.task.length,
        reward=REWARDS[choose(pop(section, "reward", path), REWARDS, f"{path}.reward")],
        credit=credit,
        **_adversaries(section, path, context, discriminators),
        **_penalties(section, path, context),
    )


def _professor_forcing(section: dict[str, Any], path: str, context: _Context) -> Algorithm:
    num_features = context.generator.hidden_size + context.generator.num_symbols
    return call(
        professor_forcing,
        section,
        path,
        length=context.task.length,
        free_running_weight=_required_schedule(section, "free_running_weight", path, context),
        teacher_forced_weight=_schedule(section, "teacher_forced_weight", path, context),
        **_adversaries(section, path, context, {"behavior": behavior_discriminator}, num_features=num_features),
    )


def _adversaries(
    section: dict[str, Any],
    path: str,
    context: _Context,
    discriminators: Mapping[str, Callable[..., Any]] = _DISCRIMINATORS,
    **num_inputs: int,
) -> dict[str, Any]:
    """Takes from a section what every adversarial algorithm is made of."""
    return {
        "generator": context.generator,
        "discriminator": named(
            pop(section, "discriminator", path),
            f"{path}.discriminator",
            discriminators,
            dtype=context.dtype,
            **(num_inputs or {"num_symbols": len(context.task.symbols)}),
        ),
        "generator_optimizer": _optimizer(section, "generator_optimizer", path, context),
        "discriminator_optimizer": _optimizer(section, "discriminator_optimizer", path, context),
        "shard_axis": context.shard_axis,
    }


def _penalties(section: dict[str, Any], path: str, context: _Context) -> dict[str, Any]:
    """Takes from a section the schedules of the gradient penalties."""
    return {name: _schedule(section, name, path, context) for name in ("real_penalty", "generated_penalty")}


def _share(num: int, path: str, num_shards: int) -> int:
    """Gives a shard's share of a number of sequences."""
    if num % num_shards:
        raise ValueError(f"{path} must be a multiple of config.num_shards, {num_shards}; got {num}")
    return num // num_shards


def _optimizer(section: dict[str, Any], name: str, path: str, context: _Context) -> optax.GradientTransformation:
    settings = dict(pop(section, name, path))
    learning_rate = _required_schedule(settings, "learning_rate", f"{path}.{name}", context)
    return named(settings, f"{path}.{name}", OPTIMIZERS, learning_rate=learning_rate)


def _schedule(section: dict[str, Any], name: str, path: str, context: _Context) -> optax.Schedule | None:
    return schedule_text.parse(pop(section, name, path), f"{path}.{name}", context.num_steps, context.point)


def _share_schedule(section: dict[str, Any], name: str, path: str, context: _Context) -> optax.Schedule | None:
    """Reads a schedule of what must stay in [0, 1]."""
    schedule = _schedule(section, name, path, context)
    if schedule is not None and isinstance(context.point, int):
        # A schedule runs between its two ends.
        with jax.ensure_compile_time_eval():
            ends = float(schedule(0)), float(schedule(context.num_steps))
        if max(ends) > 1:
            raise ValueError(f"{path}.{name} must stay in [0, 1], got {ends[0]:g} to {ends[1]:g}")
    return schedule


def _required_schedule(section: dict[str, Any], name: str, path: str, context: _Context) -> optax.Schedule:
    schedule = _schedule(section, name, path, context)
    if schedule is None:
        raise ValueError(f"{path}.{name} must be a schedule, got 'none'")
    return schedule
