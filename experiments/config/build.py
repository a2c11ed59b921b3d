"""The only place where a config becomes objects: task, networks, optimisers, algorithm."""

import importlib.util
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.typing import ArrayLike

from experiments.config import registries, schedule_text
from experiments.config.choices import choose
from experiments.config.members import sweep
from experiments.config.sections import call, named, pop
from experiments.config.settings import Section, check_settings, paths
from gumbel_gan import evaluation, sharding
from gumbel_gan.algorithms import Algorithm, Feedback, importance_gan, professor_forcing
from gumbel_gan.arguments import Scalar
from gumbel_gan.data import Batch, inverse_frequency_weights
from gumbel_gan.losses import AdvantageEstimator, GradientPenalty
from gumbel_gan.model import SequenceModel
from gumbel_gan.networks import Discriminator, PrefixDiscriminator
from gumbel_gan.tasks import Task

# Hyperparameters that stay in [0, 1].
_SHARES = ("instance_noise", "sampling_rate", "score_weight", "weight_exponent", "ema_decay")

# The settings of an algorithm's section that make the model.
_MODEL_SETTINGS = ("generator", "num_latent_draws")


class Experiment(NamedTuple):
    """What a config describes.

    Attributes:
      task: the sequences.
      model: what is trained.
      data: what it is trained on.
      algorithm: the training method.
      algorithm_at: the training method at a point of the config's sweep, an index that may be traced. Points differ in
        how they train only: states have one structure, and `algorithm` samples and scores those of all points.
      shard_axis: name of the axis that both train under, None where batches have a single shard.
      latent_draws: draws of the latent in the Monte-Carlo estimate of `model.log_prob`; 0 where that is exact.
    """

    task: Task
    model: SequenceModel
    data: Batch
    algorithm: Algorithm
    algorithm_at: Callable[[ArrayLike], Algorithm]
    shard_axis: str | None
    latent_draws: int


class _Context(NamedTuple):
    """What an algorithm is made from beside the algorithm's own section."""

    task: Task
    model: SequenceModel
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
    if config["batch_size"] > len(task.train.tokens):
        raise ValueError(
            f"config.batch_size must be at most the number of training sequences, {len(task.train.tokens)}; "
            f"got {config['batch_size']}"
        )
    _check_measured(config, task)
    num_shards = config["num_shards"]
    shard_axis = sharding.shard_axis(num_shards)
    _share(config["batch_size"], "config.batch_size", num_shards)
    path, dtype = "config.algorithm", jnp.dtype(config["dtype"])
    model = _model(config, task, path, dtype)
    section = {name: value for name, value in config["algorithm"].items() if name not in _MODEL_SETTINGS}
    weights = _weights(section, path, task)

    def algorithm_at(point: ArrayLike) -> Algorithm:
        context = _Context(task, model, config["num_steps"], num_shards, shard_axis, dtype, point)
        return _algorithm(dict(section), path, context)

    # What is wrong at a point shows when its numbers are known, which they are not in a compiled step.
    algorithms = [algorithm_at(point) for point in range(len(sweep(config)))]
    latent_draws = config["algorithm"]["num_latent_draws"] if model.generator.sample_latent is not None else 0
    return Experiment(
        task,
        model,
        task.train._replace(weights=weights),
        algorithms[0],
        algorithm_at,
        shard_axis,
        latent_draws,
    )


def _model(config: Section, task: Task, path: str, dtype: jnp.dtype) -> SequenceModel:
    """Builds the model that a config describes."""
    generator = named(
        pop(dict(config["algorithm"]), "generator", path),
        f"{path}.generator",
        registries.GENERATORS,
        num_symbols=task.num_symbols,
        dtype=dtype,
    )
    settings = {"num_latent_draws": pop(dict(config["algorithm"]), "num_latent_draws", path)}
    return call(task.model, settings, path, generator=generator)


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
    if long_length and task.vocabulary.padding is not None:
        raise ValueError(f"config.long_length must be 0 for a task with padding, got {long_length}")
    if long_length and (long_length % task.length or long_length == task.length):
        raise ValueError(
            f"config.long_length must be 0, or a multiple of the length of the task's sequences, {task.length}, and "
            f"longer; got {long_length}"
        )


def make_task(config: Section) -> Task:
    """Builds the task of a config.

    Args:
      config: a config as in `experiments/configs`.

    Raises:
      ValueError: a setting of its task is wrong.
    """
    section = dict(config["task"])
    if "files" in section:
        section["files"] = paths(section["files"])
    return named(section, "config.task", registries.TASKS)


def _algorithm(section: dict[str, Any], path: str, context: _Context) -> Algorithm:
    """Builds the algorithm that a section names.

    The parameters of its function say by their names what a config may hold: those below are read as the table says,
    and all others are numbers, schedules and switches. What has a default may be left out.
    """
    function = _chosen(section, "name", path, registries.ALGORITHMS)
    readers: dict[str, Callable[[dict[str, Any], str, str, _Context], Any]] = {
        "advantages": _advantages,
        "estimator": lambda section, name, path, _: _chosen(section, name, path, registries.ESTIMATORS),
        "feedback": partial(_record, Feedback),
        "num_generated": _shard_share,
        "objective": lambda section, name, path, _: _chosen(section, name, path, registries.OBJECTIVES),
        "penalty": partial(_record, GradientPenalty),
        "reward": lambda section, name, path, _: _chosen(section, name, path, registries.REWARDS),
        **dict.fromkeys(("optimizer", "generator_optimizer", "discriminator_optimizer"), _optimizer),
    }
    parameters = inspect.signature(function).parameters
    given: dict[str, Any] = {"model": context.model}
    if "shard_axis" in parameters:
        given["shard_axis"] = context.shard_axis
    elif context.shard_axis is not None:
        raise ValueError(f"config.num_shards must be 1 for an algorithm without a shard_axis, got {context.num_shards}")
    for name, read in readers.items():
        if name in parameters and (name in section or parameters[name].default is inspect.Parameter.empty):
            given[name] = read(section, name, path, context)
    if "discriminator" in parameters:
        known: Mapping[str, Callable[..., Any]] = registries.DISCRIMINATORS
        if function is professor_forcing:
            known = registries.BEHAVIOR_DISCRIMINATORS
        elif "advantages" in given and given["advantages"].of_prefixes:
            known = registries.PREFIX_DISCRIMINATORS
        given["discriminator"] = _discriminator(section, path, context, known)
    return call(function, _scalars(section, path, context), path, **given)


def _weights(section: dict[str, Any], path: str, task: Task) -> np.ndarray | None:
    """Takes from a section what weights the training sequences have, where its algorithm uses any."""
    if registries.ALGORITHMS.get(section.get("name", "")) is not importance_gan:
        return None
    tokens = task.train.tokens
    if pop(section, "data_weights", path):
        return inverse_frequency_weights(tokens)
    # Without p_data it is a constant, as in the original's code.
    return np.full(len(tokens), len(tokens), np.float32)


def _advantages(section: dict[str, Any], name: str, path: str, context: _Context) -> AdvantageEstimator:
    settings = _scalars(pop(section, name, path), f"{path}.{name}", context, kept=("name",))
    return named(settings, f"{path}.{name}", registries.ADVANTAGES)


def _discriminator(
    section: dict[str, Any], path: str, context: _Context, known: Mapping[str, Callable[..., Any]]
) -> Discriminator | PrefixDiscriminator:
    generator = context.model.generator
    return named(
        pop(section, "discriminator", path),
        f"{path}.discriminator",
        known,
        num_symbols=generator.num_symbols,
        num_features=(generator.hidden_size or 0) + generator.num_symbols,
        dtype=context.dtype,
    )


def _record(kind: Callable[..., Any], section: dict[str, Any], name: str, path: str, context: _Context) -> Any:
    """Takes from a section a group of hyperparameters."""
    settings = _scalars(pop(section, name, path), f"{path}.{name}", context)
    return call(kind, settings, f"{path}.{name}")


def _shard_share(section: dict[str, Any], name: str, path: str, context: _Context) -> int | None:
    """Takes from a section a data shard's share of a number of sequences."""
    num = pop(section, name, path)
    return None if num is None else _share(num, f"{path}.{name}", context.num_shards)


def _chosen(section: dict[str, Any], name: str, path: str, known: Mapping[str, Any]) -> Any:
    """Takes from a section what a name stands for."""
    return known[choose(pop(section, name, path), known, f"{path}.{name}")]


def _scalars(section: Section, path: str, context: _Context, kept: tuple[str, ...] = ()) -> dict[str, Any]:
    """Reads the texts of a section's hyperparameters, such as 'linear(5.0, 1.0)', but for those kept as they are."""
    return {
        name: _scalar(value, f"{path}.{name}", context) if isinstance(value, str) and name not in kept else value
        for name, value in section.items()
    }


def _scalar(text: str | float, path: str, context: _Context) -> Scalar | None:
    value = schedule_text.parse(text, path, context.num_steps, context.point)
    if path.rpartition(".")[2] in _SHARES and callable(value) and isinstance(context.point, int):
        # A schedule runs between its two ends.
        with jax.ensure_compile_time_eval():
            ends = [np.asarray(value(step)).item() for step in (0, context.num_steps)]
        if max(ends) > 1:
            raise ValueError(f"{path} must stay in [0, 1], got {ends[0]:g} to {ends[1]:g}")
    return value


def _share(num: int, path: str, num_shards: int) -> int:
    """Gives a shard's share of a number of sequences."""
    if num % num_shards:
        raise ValueError(f"{path} must be a multiple of config.num_shards, {num_shards}; got {num}")
    return num // num_shards


def _optimizer(section: dict[str, Any], name: str, path: str, context: _Context) -> optax.GradientTransformation:
    settings = dict(pop(section, name, path))
    learning_rate = _scalar(pop(settings, "learning_rate", f"{path}.{name}"), f"{path}.{name}.learning_rate", context)
    if learning_rate is None:
        raise ValueError(f"{path}.{name}.learning_rate must be a number or a schedule, got 'none'")
    return named(settings, f"{path}.{name}", registries.OPTIMIZERS, learning_rate=learning_rate)
