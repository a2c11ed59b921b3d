"""The only module that builds objects from a config: task, networks, optimizers and algorithm."""

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

from experiments.config import data_defaults, property_calls, registries, schedule_text, values
from experiments.config.choices import choose, shown
from experiments.config.property_calls import PropertyCalls
from experiments.config.registries import AlgorithmEntry
from experiments.config.replicas import replicas
from experiments.config.run_config import RunConfig
from experiments.config.sections import Reader, as_mapping, mapping, pop
from experiments.config.sweeps import points
from gumbel_gan import evaluation, sharding
from gumbel_gan.algorithms import Algorithm, Feedback
from gumbel_gan.data import Batch
from gumbel_gan.losses import AdvantageEstimator, GradientPenalty
from gumbel_gan.model import SequenceModel
from gumbel_gan.networks import Discriminator, Encoder, Generator, PrefixDiscriminator, Sequences
from gumbel_gan.relaxation import Estimator
from gumbel_gan.scoring import host_reward
from gumbel_gan.scoring.host_reward import PropertyReward
from gumbel_gan.tasks import Progress, Task

# The settings in the section of an algorithm that configure the model.
_MODEL_SETTINGS = ("generator", "num_latent_draws")
_OPTIMIZERS = ("optimizer", "generator_optimizer", "discriminator_optimizer", "autoencoder_optimizer")
_PATH = "config.algorithm"
# The setting that makes the property of a config a part of the reward.
_ADVERSARIAL_WEIGHT = "adversarial_weight"


class Experiment(NamedTuple):
    """The objects that a config describes.

    Attributes:
      task: the task, with its sequences.
      model: the model to train.
      data: the training data.
      algorithm: the training method.
      algorithm_at: function (point, replica=0) that returns the training method of a replica at a point of the sweep.
        Both indices may be traced. The points differ only in how they train: all states have the same structure, and
        `algorithm` can sample and score with the states of every point.
      shard_axis: name of the axis of data shards over which `algorithm` and `algorithm_at` train; None if batches have
        a single shard.
      property: the property that training increases; None if the config has no property.
      latent_draws: number of draws of the latent in the Monte-Carlo estimate of `model.log_prob`; 0 if `log_prob` is
        exact.
    """

    task: Task
    model: SequenceModel
    data: Batch
    algorithm: Algorithm
    algorithm_at: Callable[..., Algorithm]
    shard_axis: str | None
    latent_draws: int
    property: PropertyCalls | None = None


class _Context(NamedTuple):
    """What an algorithm is built from, in addition to its section of the config."""

    entry: AlgorithmEntry
    task: Task
    batch_size: int
    num_shards: int
    shard_axis: str | None
    dtype: jnp.dtype
    reader: Reader
    property_reward: PropertyReward | None = None


def build(config: RunConfig, task: Task | None = None) -> Experiment:
    """Builds everything that a config describes. `devices.select` must have been called before.

    Args:
      config: the config. Settings that are left to the data are chosen as in `data_defaults`.
      task: the result of `make_task` for this config; None builds the task.

    Returns:
      The experiment.

    Raises:
      ValueError: a setting is missing, unknown, of a wrong type or out of range; the message starts with the name of
        the setting.
    """
    task = make_task(config) if task is None else task
    config = data_defaults.resolve(config, task)
    if config.chosen:
        task = task._replace(notes=(*task.notes, data_defaults.describe(config)))
    if config.batch_size > task.num_train:
        raise ValueError(
            f"config.batch_size must be at most the number of training sequences, {task.num_train}; "
            f"got {config.batch_size}. {' '.join(task.notes)}"
        )
    _check_measured(config, task)
    shard_axis = sharding.shard_axis(config.num_shards)
    _share(config.batch_size, "config.batch_size", config.num_shards)
    name = choose(config.algorithm.name, registries.ALGORITHMS, f"{_PATH}.name")
    entry = registries.ALGORITHMS[name]
    settings = dict(config.algorithm.settings)
    weights = _weights(entry, settings, task, Reader(config.num_steps))

    calls = _property_calls(config, task)

    def algorithm_at(point: ArrayLike, replica: ArrayLike = 0) -> Algorithm:
        reader = Reader(config.num_steps, config.sweep, point)
        reward = None if calls is None else host_reward(calls, task.decode, tag=replica)
        dtype = jnp.dtype(config.dtype)
        context = _Context(entry, task, config.batch_size, config.num_shards, shard_axis, dtype, reader, reward)
        algorithm = _algorithm(settings, context)
        reader.check_swept()
        return algorithm

    # Builds every point with concrete numbers, since a compiled step cannot check traced ones.
    algorithm, *_ = [algorithm_at(point) for point in range(len(points(config.sweep)))]
    if algorithm.reads_in_order and not task.in_order:
        raise ValueError(f"config.task.in_order must be True for the algorithm {name}, got False")
    model = algorithm.model
    _check_generator(config, model)
    latent_draws = 0 if model.generator.sample_latent is None else model.num_latent_draws
    data = task.train._replace(weights=weights)
    if calls is not None:
        _check_property(config, calls.settings, task, weights, algorithm)
    return Experiment(task, model, data, algorithm, algorithm_at, shard_axis, latent_draws, calls)


def _property_calls(config: RunConfig, task: Task) -> PropertyCalls | None:
    """Builds the property of a config; returns None if the config has no property."""
    found = Reader(config.num_steps).call(property_calls.settings, config.property, "config.property")
    if found is None:
        return None
    try:
        if found.name in registries.PROPERTIES and config.task.settings.get("tokens") == "selfies":
            raise ValueError(
                f"function must be your own, of SELFIES, with config.task.tokens 'selfies'; got {found.name!r}"
            )
        return PropertyCalls(found, task, len(replicas(config).seeds))
    except ValueError as error:
        raise ValueError(f"config.property: {error}") from error


def _check_property(
    config: RunConfig,
    settings: property_calls.Settings,
    task: Task,
    weights: np.ndarray | None,
    algorithm: Algorithm,
) -> None:
    """Raises ValueError unless the algorithm, the data and the settings of the property are compatible."""
    is_rewarded = _ADVERSARIAL_WEIGHT in config.algorithm.settings
    if settings.renewal == "never" and not is_rewarded:
        raise ValueError(
            f"config.property.renewal must be 'replace_worst' or 'best_samples' without {_PATH}.{_ADVERSARIAL_WEIGHT}, "
            "which makes the property a part of the reward; got 'never'"
        )
    if is_rewarded and config.num_shards > 1:
        raise ValueError(
            "config.num_shards must be 1 where a property is a part of the reward, since shards wait for each other "
            f"for a limited time only; got {config.num_shards}"
        )
    if settings.renewal == "never":
        return
    has_more = task.train.condition is not None or weights is not None
    if task.stream is not None or has_more or algorithm.reads_in_order:
        raise ValueError(
            "config.property.renewal must be 'never' for data that streams, is read in order, or has conditions or "
            f"weights, got {settings.renewal!r}"
        )
    if not config.batch_size <= settings.num_kept <= task.num_train:
        raise ValueError(
            f"config.property.num_kept must be from config.batch_size, {config.batch_size}, to the number of training "
            f"sequences, {task.num_train}; got {settings.num_kept}"
        )


def _check_measured(config: RunConfig, task: Task) -> None:
    """Raises ValueError unless the requested measurements are possible for the task, with the installed packages."""
    largest = evaluation.most_compared(task)
    for name in ("num_compared", "num_states"):
        if getattr(config, name) > largest:
            raise ValueError(
                f"config.{name} must be at most the size of the smallest split, {largest}; got {getattr(config, name)}"
            )
    for name, module, package, extra in (
        ("num_compared", "sacrebleu", "sacrebleu", "metrics"),
        ("num_states", "sklearn", "scikit-learn", "data"),
        ("num_states", "openTSNE", "openTSNE", "experiments"),
    ):
        if getattr(config, name) and importlib.util.find_spec(module) is None:
            raise ValueError(f"config.{name} must be 0 without {package}: pip install 'gumbel_gan[{extra}]'")
    if task.source is not None and importlib.util.find_spec("rapidfuzz") is None:
        raise ValueError("config.task needs rapidfuzz for its error rates: pip install 'gumbel_gan[metrics]'")
    if config.num_states and config.init_from:
        raise ValueError(
            "config.num_states must be 0 with config.init_from, since it compares with the networks before any "
            f"training; got {config.num_states}"
        )
    if config.num_states and task.source is not None:
        raise ValueError(f"config.num_states must be 0 for a task of pairs, got {config.num_states}")
    if config.beam_size > 1 and task.source is None:
        raise ValueError(f"config.beam_size must be 1 for a task without pairs, got {config.beam_size}")
    if config.num_states and task.length < 2:
        raise ValueError(
            "config.num_states must be 0 for sequences of one symbol, whose states are all equal, "
            f"got {config.num_states}"
        )
    long_length = config.long_length
    if long_length and task.vocabulary.padding is not None:
        raise ValueError(f"config.long_length must be 0 for a task with padding, got {long_length}")
    if long_length and (long_length % task.length or long_length == task.length):
        raise ValueError(
            f"config.long_length must be 0, or a multiple of the length of the task's sequences, {task.length}, and "
            f"longer; got {long_length}"
        )


def _check_generator(config: RunConfig, model: SequenceModel) -> None:
    """Raises ValueError unless the requested measurements are possible for the generator."""
    if config.num_states and model.generator.hidden_states is None:
        raise ValueError(
            "config.num_states must be 0 for a generator without hidden states, such as one that writes all symbols "
            f"in one pass; got {config.num_states}"
        )
    if config.num_states and model.generator.sample_latent is not None:
        raise ValueError(f"config.num_states must be 0 for a generator with a latent, got {config.num_states}")
    if config.long_length and model.generator.independent_logits is not None:
        raise ValueError(
            "config.long_length must be 0 for a generator that writes all symbols in one pass, got "
            f"{config.long_length}"
        )


def make_task(config: RunConfig, progress: Progress | None = None) -> Task:
    """Builds the task of a config.

    Args:
      config: the config.
      progress: called with the progress of tokenizing a long text.

    Raises:
      ValueError: a setting of the task is wrong.
    """
    task = Reader(config.num_steps).named(as_mapping(config.task), "config.task", registries.TASKS, progress=progress)
    return _with_symbols(task, config.init_symbols) if config.init_symbols else task


def algorithm(config: RunConfig, task: Task) -> Algorithm:
    """Builds the algorithm of a config for a task with another vocabulary, for one shard and the first sweep point."""
    settings, entry = dict(config.algorithm.settings), registries.ALGORITHMS[config.algorithm.name]
    reader = Reader(config.num_steps, config.sweep)
    _weights(entry, settings, task, reader)
    calls = _property_calls(config, task)
    reward = None if calls is None else host_reward(calls, task.decode, tag=0)
    dtype = jnp.dtype(config.dtype)
    return _algorithm(settings, _Context(entry, task, config.batch_size, 1, None, dtype, reader, reward))


def _with_symbols(task: Task, symbols: tuple[str, ...]) -> Task:
    """Returns a task whose vocabulary begins with the given symbols, followed by the task's other symbols."""
    vocabulary = task.vocabulary
    added = tuple(symbol for symbol in vocabulary.symbols if symbol not in symbols)
    joined = (*symbols, *added)
    token_of = np.array([joined.index(symbol) for symbol in vocabulary.symbols], np.int32)
    oracle = task.oracle
    is_known = oracle is not None and (oracle.support is not None or oracle.log_prob is not None)
    if is_known and joined != vocabulary.symbols:
        raise ValueError(
            "config.init_from must name a run with the symbols of this task in their order, as its distribution is "
            f"known; got {', '.join(map(repr, symbols))}"
        )

    def translated(split: Batch) -> Batch:
        return split._replace(tokens=token_of[split.tokens])

    padding = None if vocabulary.padding is None else int(token_of[vocabulary.padding])
    note = f"Symbols of the run that training starts from: {len(symbols)}; added: {len(added)}."
    return task._replace(
        vocabulary=vocabulary._replace(symbols=joined, padding=padding),
        train=translated(task.train),
        validation=translated(task.validation),
        test=translated(task.test),
        notes=(*task.notes, note),
        stream=None if task.stream is None else task.stream.translated(token_of),
    )


def _model(section: dict[str, Any], context: _Context) -> SequenceModel:
    """Builds the model that the section of an algorithm describes, and removes its settings from the section."""
    generator = _generator(pop(section, "generator", _PATH), "generator", context)
    settings = {name: section.pop(name) for name in _MODEL_SETTINGS if name in section}
    return context.reader.call(context.task.model, settings, _PATH, generator=generator)


def _generator(section: Any, name: str, context: _Context) -> Generator:
    """Builds a generator, or decoder, of the task's sequences from its section; `name` is the name of the section."""
    return context.reader.named(
        section,
        f"{_PATH}.{name}",
        registries.GENERATORS,
        num_symbols=context.task.num_symbols,
        length=context.task.length,
        dtype=context.dtype,
        condition=_condition(context.task),
    )


def _condition(task: Task) -> Sequences | None:
    """Returns the sequences that networks are conditioned on: sources for a task of pairs, None for other tasks."""
    return None if task.source is None else Sequences(task.source.size, task.source.padding)


def _algorithm(settings: Mapping[str, Any], context: _Context) -> Algorithm:
    """Builds an algorithm.

    The parameter names of its function determine the settings that a config may hold. The table below lists the
    parameters with their own readers; all others are numbers, schedules and switches. A setting with a default may be
    omitted.
    """
    section, function = dict(settings), context.entry.function
    readers: dict[str, Callable[[Any, str, _Context], Any]] = {
        "advantages": _advantages,
        "estimator": _estimator,
        "feedback": partial(_record, Feedback),
        "num_generated": _num_generated,
        "objective": partial(_chosen, registries.OBJECTIVES),
        "penalty": partial(_record, GradientPenalty),
        "reward": partial(_chosen, registries.REWARDS),
        **dict.fromkeys(_OPTIMIZERS, _optimizer),
    }
    model = _model(section, context)
    parameters = values.parameters(function)
    given: dict[str, Any] = {"model": model}
    if "batch_size" in parameters:
        given["batch_size"] = context.batch_size
    if "shard_axis" in parameters:
        given["shard_axis"] = context.shard_axis
    elif context.shard_axis is not None:
        raise ValueError(f"config.num_shards must be 1 for an algorithm without a shard_axis, got {context.num_shards}")
    if _ADVERSARIAL_WEIGHT in section and "property_reward" in parameters:
        given["property_reward"] = context.property_reward
    for name, read in readers.items():
        if name in parameters and (name in section or parameters[name].default is inspect.Parameter.empty):
            given[name] = read(pop(section, name, _PATH), f"{_PATH}.{name}", context)
    if "decoder" in parameters:
        given["decoder"] = _generator(pop(section, "decoder", _PATH), "decoder", context)
    if "encoder" in parameters:
        name = "decoder" if "decoder" in given else "generator"
        decoder = given.get("decoder", model.generator)
        given["encoder"] = _encoder(pop(section, "encoder", _PATH), name, decoder, context)
    if "discriminator" in parameters:
        of_prefixes = "advantages" in given and given["advantages"].of_prefixes
        known = context.entry.prefix_discriminators if of_prefixes else context.entry.discriminators
        given["discriminator"] = _discriminator(pop(section, "discriminator", _PATH), model, context, known)
    return context.reader.call(function, section, _PATH, **given)


def _weights(entry: AlgorithmEntry, section: dict[str, Any], task: Task, reader: Reader) -> np.ndarray | None:
    """Computes the weights of the training sequences, if any, and removes their settings from a section."""
    if entry.weights is None:
        return None
    if task.stream is not None:
        raise ValueError("config.task.stream must be 'never' for an algorithm that weights sequences, got 'always'")
    names = [name for name in values.parameters(entry.weights) if name in section]
    return reader.call(entry.weights, {name: section.pop(name) for name in names}, _PATH, tokens=task.train.tokens)


def _estimator(text: Any, path: str, context: _Context) -> Estimator:
    """Returns the estimator for a name, such as 'reinmax', or for a call with numbers, 'gumbel_rao(num_draws=10)'."""
    name, settings = schedule_text.call(text, path)
    chosen = registries.ESTIMATORS[choose(name, registries.ESTIMATORS, path)]
    if not isinstance(chosen, Estimator):
        return context.reader.call(chosen, settings, path)
    if settings:
        raise ValueError(f"{path}: {name!r} takes no settings, got {shown(text)}")
    return chosen


def _advantages(section: Any, path: str, context: _Context) -> AdvantageEstimator:
    return context.reader.named(section, path, registries.ADVANTAGES)


def _discriminator(
    section: Any, model: SequenceModel, context: _Context, known: Mapping[str, Callable[..., Any]]
) -> Discriminator | PrefixDiscriminator:
    generator = model.generator
    return context.reader.named(
        section,
        f"{_PATH}.discriminator",
        known,
        num_symbols=generator.num_symbols,
        num_features=(generator.hidden_size or 0) + generator.num_symbols,
        dtype=context.dtype,
        condition=_condition(context.task),
    )


def _encoder(section: Any, name: str, generator: Generator, context: _Context) -> Encoder:
    """Builds an encoder into the latent of a generator; `name` is the name of the generator's section."""
    sample_latent = generator.sample_latent
    if sample_latent is None:
        raise ValueError(f"{_PATH}.{name} must have a latent for an encoder")
    latent = jax.eval_shape(lambda key: sample_latent(key, 1), jax.random.key(0))
    return context.reader.named(
        section,
        f"{_PATH}.encoder",
        registries.ENCODERS,
        num_symbols=generator.num_symbols,
        latent_size=jax.tree.leaves(latent)[0].shape[-1],
        dtype=context.dtype,
        condition=_condition(context.task),
    )


def _record(kind: Callable[..., Any], section: Any, path: str, context: _Context) -> Any:
    """Builds a group of hyperparameters."""
    return context.reader.call(kind, section, path)


def _num_generated(num: Any, path: str, context: _Context) -> int | None:
    """Returns the number of generated sequences in a step for one data shard."""
    num = values.check(num, int | None, path)
    return None if num is None else _share(num, path, context.num_shards)


def _chosen(known: Mapping[str, Any], name: Any, path: str, _: _Context) -> Any:
    """Returns the object that a name stands for."""
    return known[choose(name, known, path)]


def _optimizer(section: Any, path: str, context: _Context) -> optax.GradientTransformation:
    return context.reader.named(mapping(section, path), path, registries.OPTIMIZERS)


def _share(num: int, path: str, num_shards: int) -> int:
    """Returns the number of sequences for one shard."""
    if num % num_shards:
        raise ValueError(f"{path} must be a multiple of config.num_shards, {num_shards}; got {num}")
    return num // num_shards
