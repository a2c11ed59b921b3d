"""Parses a config once: a ConfigDict or the JSON of a run becomes a typed, frozen `RunConfig`."""

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from experiments.config import migrations, sweeps
from experiments.config.choices import choose, shown
from experiments.config.values import is_finite, leaves, require_integer
from experiments.devices import PLATFORMS
from gumbel_gan.evaluation import SPLITS
from gumbel_gan.metrics import LEAST_VECTORS, METRICS

SCHEMA_VERSION = 1
DTYPES = ("float32", "bfloat16")
STATES = ("last", "best")
SOURCES = ("run", "generator")
AUTOMATIC = ("num_steps", "steps_per_chunk", "patience", "batch_size", "num_compared")
"""The settings of a config itself that may be None, which leaves them to the data; see `data_defaults`."""
NO_METRIC = "none"
RANKING = tuple(
    name
    for name, metric in METRICS.items()
    if metric.better in ("higher", "lower")
    and metric.applies in ("exact", "samples", "training", "pairs")
    and (metric.applies != "pairs" or metric.panel)
)
"""The metrics that are measured during training and rank generators."""

# The minimum and the maximum of each integer; `seed` is checked together with `num_seeds`.
_COUNTS = {
    "num_seeds": (1, 2**16),
    "num_steps": (1, 2**31 - 1),
    "steps_per_chunk": (1, 2**31 - 1),
    "chunks_per_checkpoint": (1, 2**31 - 1),
    "seconds_per_checkpoint": (1, 2**31 - 1),
    "patience": (0, 2**31 - 1),
    "batch_size": (1, 2**24),
    "num_shards": (1, 2**16),
    "num_samples": (1, 2**24),
    "num_compared": (0, 2**24),
    "long_length": (0, 2**24),
    "num_states": (0, 2**24),
    "beam_size": (1, 2**10),
}


class Section(NamedTuple):
    """The name of an object to build, and the settings to build it with.

    Attributes:
      name: a name in `experiments.config.registries`.
      settings: the other keys of the section, plain values and mappings; read-only.
    """

    name: str
    settings: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """A config whose own settings are checked. The settings of its sections are checked when their objects are built.

    Attributes:
      task: the task, a name in `registries.TASKS`.
      algorithm: the training method, a name in `registries.ALGORITHMS`, with its networks and optimizers.
      property: a property of whole sequences that training increases, with the settings of
        `experiments.config.property_calls.settings`; empty for none.
      sweep: values of scalar settings of the algorithm, by the paths of the settings: lists of one length, zipped.
        Every seed is trained at every point.
      platform: '', 'cpu', 'gpu' or 'tpu'; '' is JAX's own choice.
      dtype: dtype of the computation, 'float32' or 'bfloat16'.
      seed: the first seed.
      num_seeds: number of seeds, trained together in one program.
      num_steps: number of training steps.
      steps_per_chunk: number of steps in one compiled scan, between two progress lines.
      chunks_per_checkpoint: number of chunks between two checkpoints.
      seconds_per_checkpoint: seconds since the last checkpoint after which a chunk ends with a checkpoint in any case.
      best_metric: the metric that selects the best state of each replica, which is kept in addition to the newest
        state; '' is the likelihood of the validation split if it is measured during training, and 'none' keeps no best
        states.
      patience: number of steps without a better `best_metric` in any replica after which training ends; 0 is never.
      summarized: the states that the summary and the samples are computed from, 'last' or 'best'.
      init_from: folder of a run whose networks training starts from; '' is training from scratch.
      init_discriminator: what the discriminator starts from with `init_from`: 'run', the discriminator of that run, if
        it has one that fits; or 'generator', the parameters of its generator that have the same names and sizes.
      init_symbols: the symbols of the run `init_from`, which come first in the vocabulary; recorded when a run begins.
      batch_size: number of sequences in a batch.
      num_shards: number of shards of a batch, each on its own device if there are enough devices. Results depend on the
        number of shards, not on the devices.
      num_samples: number of sequences drawn at the end, for each replica.
      num_compared: number of these samples that are compared with held-out sequences; 0 is none.
      heldout: the split of the held-out sequences: 'test', or 'validation' for choosing settings.
      temperatures: temperatures of the curve of quality against diversity.
      long_length: length of additional samples, longer than the training sequences; 0 for no such samples.
      num_states: number of sequences whose hidden states are compared, teacher-forced and free-running; 0 is none.
      chosen: paths of the settings that were left to the data and have been chosen; recorded when a run begins.
      open: the settings in `AUTOMATIC` that are still to be chosen. They are None in a config, and their values here
        have no meaning. `data_defaults.resolve` leaves this empty.
      beam_size: beam width with which a finished run on pairs is measured, in addition to greedy decoding; 1 is greedy
        decoding alone.
    """

    task: Section
    algorithm: Section
    property: Mapping[str, Any] = dataclasses.field(default_factory=lambda: types.MappingProxyType({}))
    sweep: Mapping[str, tuple[float | str, ...]] = dataclasses.field(default_factory=lambda: types.MappingProxyType({}))
    platform: str = ""
    dtype: str = "float32"
    seed: int = 0
    num_seeds: int = 1
    num_steps: int = 3_000
    steps_per_chunk: int = 50
    chunks_per_checkpoint: int = 20
    seconds_per_checkpoint: int = 300
    best_metric: str = ""
    patience: int = 0
    summarized: str = "last"
    init_from: str = ""
    init_discriminator: str = "run"
    init_symbols: tuple[str, ...] = ()
    batch_size: int = 128
    num_shards: int = 1
    num_samples: int = 10_000
    num_compared: int = 0
    heldout: str = "test"
    temperatures: tuple[float, ...] = ()
    long_length: int = 0
    num_states: int = 0
    chosen: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    beam_size: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Returns the config as plain JSON, with the version of its schema; `parse` reads it."""
        plain: dict[str, Any] = {"schema_version": SCHEMA_VERSION}
        for name in _NAMES:
            value = None if name in self.open else getattr(self, name)
            plain[name] = {"name": value.name, **value.settings} if isinstance(value, Section) else value
        return _plain(plain)

    def with_task(self, **settings: Any) -> "RunConfig":
        """Returns a copy with other settings of the task."""
        changed = types.MappingProxyType({**self.task.settings, **settings})
        return dataclasses.replace(self, task=self.task._replace(settings=changed))


_NAMES = tuple(field.name for field in dataclasses.fields(RunConfig) if field.name != "open")


def parse(config: Any) -> RunConfig:
    """Reads a config.

    Args:
      config: a mapping as in `experiments/configs`, such as a ConfigDict, or as `RunConfig.to_dict` returns it. Missing
        settings take the defaults of `RunConfig`; `task` and `algorithm` are required.

    Raises:
      ValueError: a key is unknown or missing, or a value has a wrong type or is out of range; the message starts with
        the name of the setting.
    """
    plain = _plain(config)
    if not isinstance(plain, dict):
        raise ValueError(f"the config must be a mapping such as a ConfigDict, got {shown(plain)}")
    version = plain.pop("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        raise ValueError(f"config.schema_version must be {SCHEMA_VERSION} for this version, got {shown(version)}")
    for name in plain:
        choose(name, _NAMES, "config", what="setting")
    task, algorithm = _section(plain, "task"), _section(plain, "algorithm")
    sweep = sweeps.parse(plain.get("sweep"))
    others = {name: value for name, value in plain.items() if name not in ("task", "algorithm", "sweep")}
    if not isinstance(others.get("property", {}), dict):
        raise ValueError(f"config.property must be a section with settings, got {shown(others['property'])}")
    others["property"] = types.MappingProxyType(others.get("property", {}))
    for name in ("temperatures", "init_symbols", "chosen"):
        if isinstance(others.get(name), list):
            others[name] = tuple(others[name])
    left_open = tuple(name for name in AUTOMATIC if name in others and others[name] is None)
    given = {name: value for name, value in others.items() if name not in left_open}
    parsed = RunConfig(task, algorithm, sweep=types.MappingProxyType(sweep), open=left_open, **given)
    _check(parsed)
    return parsed


def parse_stored(record: Any) -> RunConfig:
    """Reads the `config.json` of a run, written by this version or an older one.

    Raises:
      ValueError: `record` is not the config of a run, or was written by a newer version.
    """
    return parse(migrations.migrate(record))


def changed(config: RunConfig, settings: Mapping[str, Any]) -> RunConfig:
    """Returns a config with other values for some settings, by their dotted paths; raises the errors of `parse`."""
    plain = config.to_dict()
    for path, value in settings.items():
        _set(plain, path, value)
    return parse(plain)


def flatten(section: Mapping[str, Any]) -> dict[str, Any]:
    """Returns nested sections as one mapping with dotted names, with tuples for lists."""
    # JSON turns tuples into lists.
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in leaves(section)
        if not isinstance(value, Mapping)
    }


def nest(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns settings by their dotted paths as nested sections, the inverse of `flatten`."""
    nested: dict[str, Any] = {}
    for path, value in settings.items():
        _set(nested, path, value)
    return nested


def _set(section: dict[str, Any], path: str, value: Any) -> None:
    """Sets a setting by its dotted path, in place; creates missing sections."""
    *sections, last = path.split(".")
    for name in sections:
        section = section.setdefault(name, {})
        if not isinstance(section, dict):
            raise ValueError(f"config.{path} must be a setting of a section, but {name} is {shown(section)}")
    section[last] = value


def _section(plain: Mapping[str, Any], name: str) -> Section:
    if name not in plain:
        raise ValueError(f"config.{name} is missing")
    section = plain[name]
    if not isinstance(section, dict):
        raise ValueError(f"config.{name} must be a section, with a name and settings, got {shown(section)}")
    settings = dict(section)
    if "name" not in settings:
        raise ValueError(f"config.{name}.name is missing")
    kind = settings.pop("name")
    if not isinstance(kind, str):
        raise ValueError(f"config.{name}.name must be a text, got {shown(kind)}")
    return Section(kind, types.MappingProxyType(settings))


def _check(config: RunConfig) -> None:
    """Raises ValueError unless all settings outside the sections are valid."""
    choose(config.platform, PLATFORMS, "config.platform")
    choose(config.dtype, DTYPES, "config.dtype")
    choose(config.heldout, SPLITS, "config.heldout")
    choose(config.summarized, STATES, "config.summarized")
    choose(config.best_metric, ("", NO_METRIC, *RANKING), "config.best_metric")
    if config.best_metric == NO_METRIC and (config.patience or config.summarized == "best"):
        raise ValueError(
            f"config.best_metric must name a metric for patience and for the best state, got {NO_METRIC!r}"
        )
    if not isinstance(config.init_from, str):
        raise ValueError(f"config.init_from must be the folder of a run, got {shown(config.init_from)}")
    choose(config.init_discriminator, SOURCES, "config.init_discriminator")
    if config.init_discriminator != "run" and not config.init_from:
        raise ValueError(
            f"config.init_from must be the folder of a run with config.init_discriminator="
            f"{config.init_discriminator!r}, got ''"
        )
    for name in ("init_symbols", "chosen"):
        texts = getattr(config, name)
        if not isinstance(texts, tuple) or not all(isinstance(each, str) for each in texts):
            raise ValueError(f"config.{name} must be a tuple of texts, got {shown(texts)}")
    for name, (least, most) in _COUNTS.items():
        require_integer(getattr(config, name), f"config.{name}", least=least, most=most)
    if 0 < config.num_compared < 4:
        raise ValueError(f"config.num_compared must be 0, or at least 4, got {config.num_compared}")
    if config.num_compared > config.num_samples:
        raise ValueError(
            f"config.num_compared must be at most config.num_samples, {config.num_samples}; got {config.num_compared}"
        )
    temperatures = config.temperatures
    if not isinstance(temperatures, tuple) or not all(is_finite(each) and each > 0 for each in temperatures):
        raise ValueError(f"config.temperatures must be a tuple of finite numbers > 0, got {shown(temperatures)}")
    compares = config.num_compared or "num_compared" in config.open
    if temperatures and not compares:
        raise ValueError("config.num_compared must be at least 4 where there are temperatures, got 0")
    if config.long_length and not compares:
        raise ValueError("config.num_compared must be at least 4 where there is a long_length, got 0")
    if 0 < config.num_states < LEAST_VECTORS:
        raise ValueError(f"config.num_states must be 0, or at least {LEAST_VECTORS}, got {config.num_states}")
    seed, last = config.seed, 2**32 - config.num_seeds
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= last:
        raise ValueError(f"config.seed must be an integer from 0 to {last}, got {shown(seed)}")


def _plain(value: Any) -> Any:
    """Returns a deep copy with dictionaries for mappings, ConfigDicts included, and lists for sequences."""
    if isinstance(value, Mapping | ConfigDict):
        # `items` resolves the references of a ConfigDict.
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
