"""Chooses the settings that a config leaves to the data, that is, those that are None, once the sequences are known.

The rules are made for two CPU cores. The study `defaults` compares the results with n-gram models.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from experiments.config import registries
from experiments.config.choices import choose
from experiments.config.run_config import RunConfig, changed
from gumbel_gan import evaluation
from gumbel_gan.tasks import Task

NETWORKS = ("algorithm.generator.hidden_size", "algorithm.discriminator.hidden_size")
"""Paths of the widths of networks."""

_MOST_COMPARED, _LEAST_COMPARED = 500, 4
# Numbers of symbols in the training set at which the rules change.
_FEW, _MANY = 20_000, 50_000
# Epochs of training, for fewer than `_MANY` symbols and for more.
_EPOCHS_OF_FEW, _EPOCHS = 100, 60
# Maximum numbers of sequences and of symbols in a batch.
_LARGEST_BATCH = (128, 2**15)
_LARGEST_ADVERSARIAL_BATCH = (256, 2**12)
# Maximum number of sequences in a batch if the time allows less than half of the usual epochs.
_BATCH_OF_FEW_EPOCHS = 32
# Maximum number of multiplications in the forward passes of training, for about a quarter of an hour on two cores.
_MOST_WORK = 6.5e12
# A step that also trains a discriminator takes about this many times as long.
_WORK_OF_DISCRIMINATOR = 4
_LEAST_STEPS = 200
_PROGRESS_LINES = 40
# The patience is `num_steps // _PATIENCE_DIVISOR` steps, and at least `_LEAST_PATIENCE` chunks.
_PATIENCE_DIVISOR, _LEAST_PATIENCE = 4, 4
_CHUNKS = (10, 25, 50, 100)


class _Facts(NamedTuple):
    """The facts that the rules use.

    Attributes:
      num_sequences: number of training sequences.
      num_written: number of symbols in the training set, including ends, excluding padding.
      num_symbols: size of the vocabulary.
      length: length of a sequence, including padding.
      smallest_split: number of sequences in the smallest split.
      has_discriminator: whether there is a discriminator.
      is_adversarial: whether the generator learns only from the discriminator.
      num_shards: number of shards of a batch.
    """

    num_sequences: int
    num_written: int
    num_symbols: int
    length: int
    smallest_split: int
    has_discriminator: bool
    is_adversarial: bool
    num_shards: int


class _Rule(NamedTuple):
    """A rule that chooses a setting.

    Attributes:
      path: path of the setting.
      choose: function (facts, known) that returns the value, where `known` maps the path of a setting to its value.
    """

    path: str
    choose: Callable[[_Facts, Callable[[str], Any]], Any]


def leave_to_data(config: ConfigDict, *, likelihood: bool) -> None:
    """Leaves settings of a config to the data by setting them to None.

    Args:
      config: the config, changed in place.
      likelihood: whether the method learns by likelihood. If so, the number of steps also depends on the data, and the
        likelihood of the validation set stops training early and selects the reported states.
    """
    config.batch_size = placeholder(int)
    config.num_compared = placeholder(int)
    for network in ("generator", "discriminator"):
        if "hidden_size" in config.algorithm.get(network, {}):
            config.algorithm[network].hidden_size = placeholder(int)
    if not likelihood:
        return
    config.num_steps = placeholder(int)
    config.steps_per_chunk = placeholder(int)
    config.patience = placeholder(int)
    config.chunks_per_checkpoint = 5
    config.summarized = "best"
    config.algorithm.ema_decay = placeholder(float)
    config.algorithm.generator.dropout_rate = placeholder(float)
    config.algorithm.generator.recurrent_dropout_rate = placeholder(float)
    if "optimizer" in config.algorithm:
        config.algorithm.optimizer.learning_rate = placeholder(str)
        config.algorithm.optimizer.max_norm = 1.0


def resolve(config: RunConfig, task: Task) -> RunConfig:
    """Returns a config with a value for each setting that was left to the data, and with their paths in `chosen`.

    Args:
      config: the config.
      task: the task of the config, as `build.make_task` builds it.

    Raises:
      ValueError: a split has too few sequences.
    """
    paths = _open(config)
    if not paths:
        return config
    facts = _facts(config, task)
    found: dict[str, Any] = {f"task.{name}": value for name, value in task.chosen.items()}

    def known(path: str) -> Any:
        return found[path] if path in found else _value(config, path)

    for rule in _RULES:
        if rule.path in paths:
            found[rule.path] = rule.choose(facts, known)
    _check_compared(found, config, task)
    values = {path: found[path] for path in paths if path in found}
    return changed(config, values | {"chosen": [*config.chosen, *values]})


def taken(config: RunConfig, stored: RunConfig) -> RunConfig:
    """Returns a config whose settings left to the data have the values that were chosen for a stored config."""
    values = {path: _value(stored, path) for path in _open(config) if path in stored.chosen}
    return changed(config, values | {"chosen": list(stored.chosen)})


def taken_sizes(config: RunConfig, other: RunConfig) -> RunConfig:
    """Returns a config whose network widths left to the data are those of another config.

    A discriminator that starts from the generator has the generator's width.
    """
    sources = (NETWORKS[0], NETWORKS[0] if config.init_discriminator == "generator" else NETWORKS[1])
    pairs = zip(NETWORKS, sources, strict=True)
    widths = {path: _value(other, source) for path, source in pairs if _is_open(config, path)}
    return changed(config, {path: width for path, width in widths.items() if width is not None})


def describe(config: RunConfig) -> str:
    """Returns a sentence with the settings that were chosen, for the notes of a task."""
    listed = ", ".join(f"{path.removeprefix('algorithm.')} {_value(config, path)}" for path in config.chosen)
    return f"Chosen for this data: {listed}."


def _open(config: RunConfig) -> list[str]:
    """Returns the paths of the settings that a config leaves to the data."""
    paths = ["task.max_length", "task.num_heldout", *(rule.path for rule in _RULES)]
    return [path for path in paths if _is_open(config, path)]


def _is_open(config: RunConfig, path: str) -> bool:
    if "." not in path:
        return path in config.open
    section, name = _section(config, path)
    return name in section and section[name] is None


def _value(config: RunConfig, path: str) -> Any:
    if "." not in path:
        return getattr(config, path)
    section, name = _section(config, path)
    return section.get(name)


def _section(config: RunConfig, path: str) -> tuple[Mapping[str, Any], str]:
    """Returns the section that holds a setting, or an empty section if there is none, and the setting's name in it."""
    first, *others, name = path.split(".")
    section: Any = getattr(config, first).settings
    for each in others:
        section = section.get(each) if isinstance(section, Mapping) else None
    return (section if isinstance(section, Mapping) else {}), name


def _facts(config: RunConfig, task: Task) -> _Facts:
    name = choose(config.algorithm.name, registries.ALGORITHMS, "config.algorithm.name")
    tokens, padding = task.train.tokens, task.vocabulary.padding
    mean = float(task.length)
    if padding is not None:
        ends = np.sum(tokens != padding, axis=1) + task.vocabulary.padding_ends
        mean = float(np.mean(np.minimum(ends, task.length)))
    return _Facts(
        num_sequences=task.num_train,
        num_written=round(mean * task.num_train),
        num_symbols=task.num_symbols,
        length=task.length,
        smallest_split=evaluation.most_compared(task),
        has_discriminator="discriminator" in config.algorithm.settings,
        is_adversarial=registries.ALGORITHMS[name].is_adversarial,
        num_shards=config.num_shards,
    )


def _width(facts: _Facts, _: Callable[[str], Any]) -> int:
    width = 64 if facts.num_written < 5_000 else 128 if facts.num_written < _MANY else 256
    # An adversarial step unrolls two networks several times.
    return max(64, width // 2) if facts.is_adversarial else width


def _dropout_rate(facts: _Facts, _: Callable[[str], Any]) -> float:
    return next(
        rate
        for most, rate in ((_FEW, 0.5), (200_000, 0.3), (500_000, 0.2), (math.inf, 0.0))
        if facts.num_written < most
    )


def _recurrent_dropout_rate(facts: _Facts, known: Callable[[str], Any]) -> float:
    # The other recurrent cells of this library have one state, which this dropout would erase.
    return 0.3 if known("algorithm.generator.name") == "lstm" and facts.num_written < _MANY else 0.0


def _batch_size(facts: _Facts, known: Callable[[str], Any]) -> int:
    largest, most_symbols = _LARGEST_ADVERSARIAL_BATCH if facts.is_adversarial else _LARGEST_BATCH
    if not facts.is_adversarial and _has_few_epochs(facts, known):
        largest = _BATCH_OF_FEW_EPOCHS
    wanted = facts.num_sequences / 2 if facts.is_adversarial else math.sqrt(2 * facts.num_sequences)
    wanted = min(wanted, facts.num_sequences / 2, largest, max(8, most_symbols / facts.length))
    size = 2 ** int(math.log2(max(wanted, 1)))
    return max(facts.num_shards, size - size % facts.num_shards)


def _has_few_epochs(facts: _Facts, known: Callable[[str], Any]) -> bool:
    """Returns whether the time allows few epochs, so that small batches and a high learning rate learn more."""
    return _most_epochs(facts, known) < _EPOCHS / 2


def _most_epochs(facts: _Facts, known: Callable[[str], Any]) -> float:
    """Returns the number of epochs after which training has taken the longest time allowed."""
    width = known("algorithm.generator.hidden_size")
    if type(width) is not int or width < 1:
        # The generator has no width, or a wrong value, which raises an error when the generator is built.
        width = _width(facts, known)
    work = (_WORK_OF_DISCRIMINATOR if facts.has_discriminator else 1) * facts.length * width
    return _MOST_WORK / (work * (4 * width + facts.num_symbols) * facts.num_sequences)


def _num_steps(facts: _Facts, known: Callable[[str], Any]) -> int:
    num_epochs = min(_EPOCHS_OF_FEW if facts.num_written < _MANY else _EPOCHS, _most_epochs(facts, known))
    return max(_LEAST_STEPS, round(num_epochs * facts.num_sequences / known("batch_size") / 100) * 100)


def _steps_per_chunk(_: _Facts, known: Callable[[str], Any]) -> int:
    wanted = known("num_steps") / _PROGRESS_LINES
    return max((each for each in _CHUNKS if each <= wanted), default=_CHUNKS[0])


def _patience(_: _Facts, known: Callable[[str], Any]) -> int:
    return max(known("num_steps") // _PATIENCE_DIVISOR, _LEAST_PATIENCE * known("steps_per_chunk"))


def _ema_decay(_: _Facts, known: Callable[[str], Any]) -> float:
    return round(min(max(1 - 20 / known("num_steps"), 0.98), 0.998), 4)


def _learning_rate(facts: _Facts, known: Callable[[str], Any]) -> str:
    is_high = facts.num_written < _FEW or _has_few_epochs(facts, known)
    return "cosine(1e-2, 1e-4)" if is_high else "cosine(3e-3, 3e-5)"


def _num_compared(facts: _Facts, _: Callable[[str], Any]) -> int:
    return min(_MOST_COMPARED, facts.smallest_split)


# In order: each rule follows the rules whose settings it uses.
_RULES = (
    *(_Rule(path, _width) for path in NETWORKS),
    _Rule("algorithm.generator.dropout_rate", _dropout_rate),
    _Rule("algorithm.generator.recurrent_dropout_rate", _recurrent_dropout_rate),
    _Rule("batch_size", _batch_size),
    _Rule("num_steps", _num_steps),
    _Rule("steps_per_chunk", _steps_per_chunk),
    _Rule("patience", _patience),
    _Rule("algorithm.ema_decay", _ema_decay),
    _Rule("algorithm.optimizer.learning_rate", _learning_rate),
    _Rule("num_compared", _num_compared),
)


def _check_compared(found: Mapping[str, Any], config: RunConfig, task: Task) -> None:
    smallest = found.get("num_compared", config.num_compared or _LEAST_COMPARED)
    if smallest < _LEAST_COMPARED:
        raise ValueError(
            f"config.task must have at least {_LEAST_COMPARED} sequences in each split to be measured by, got "
            f"{smallest}: more data, or a larger config.task.num_heldout. {' '.join(task.notes)}"
        )
