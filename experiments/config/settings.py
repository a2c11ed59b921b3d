"""What a config must hold, and how it is made to last; nothing here makes an object of it."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from experiments.config.choices import choose
from experiments.devices import PLATFORMS
from gumbel_gan.evaluation import SPLITS
from gumbel_gan.metrics import LEAST_VECTORS
from gumbel_gan.tasks import files_digest
from gumbel_gan.tasks.grammar import productions

Section = Mapping[str, Any]

DTYPES = ("float32", "bfloat16")
SIZES = ("batch_size", "num_shards", "num_samples")
COUNTS = ("num_seeds", "num_steps", "steps_per_chunk", "chunks_per_checkpoint", *SIZES)
MEASURED = ("num_compared", "heldout", "temperatures", "long_length", "num_states")
SETTINGS = ("platform", "dtype", "seed", *COUNTS, *MEASURED, "task", "algorithm")


def check_settings(config: Section) -> None:
    """Raises ValueError unless a config has all its settings, no other, and sensible counts."""
    for name in config:
        choose(name, SETTINGS, "config", what="setting")
    for name in SETTINGS:
        if name not in config:
            raise ValueError(f"config.{name} is missing")
    choose(config["platform"], PLATFORMS, "config.platform")
    choose(config["dtype"], DTYPES, "config.dtype")
    for name in COUNTS:
        _check_count(config, name, 1)
    for name in ("num_compared", "long_length", "num_states"):
        _check_count(config, name, 0)
    if 0 < config["num_compared"] < 4:
        raise ValueError(f"config.num_compared must be 0, or at least 4, got {config['num_compared']}")
    if config["num_compared"] > config["num_samples"]:
        raise ValueError(
            f"config.num_compared must be at most config.num_samples, {config['num_samples']}; "
            f"got {config['num_compared']}"
        )
    choose(config["heldout"], SPLITS, "config.heldout")
    temperatures = config["temperatures"]
    if not isinstance(temperatures, tuple | list) or not all(_is_positive(each) for each in temperatures):
        raise ValueError(f"config.temperatures must be a tuple of finite numbers > 0, got {temperatures!r}")
    if config["temperatures"] and not config["num_compared"]:
        raise ValueError("config.num_compared must be at least 4 where there are temperatures, got 0")
    if config["long_length"] and not config["num_compared"]:
        raise ValueError("config.num_compared must be at least 4 where there is a long_length, got 0")
    if 0 < config["num_states"] < LEAST_VECTORS:
        raise ValueError(f"config.num_states must be 0, or at least {LEAST_VECTORS}, got {config['num_states']}")
    seed, last = config["seed"], 2**32 - config["num_seeds"]
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= last:
        raise ValueError(f"config.seed must be an integer from 0 to {last}, got {seed!r}")


def self_contained(config: ConfigDict) -> ConfigDict:
    """Gives a copy of a config that means the same at another time and place.

    The file of a grammar is replaced by what it holds; files of sequences get absolute paths, and the digest by which
    they will be known again.

    Args:
      config: a config as in `experiments/configs`.

    Returns:
      A config that a run can be restored from.

    Raises:
      ValueError: the grammar is no name, no file and no productions; or a file can't be read.
    """
    copy = config.copy_and_resolve_references()
    task = copy["task"]
    try:
        if "grammar" in task:
            task["grammar"] = productions(task["grammar"])
        if "digest" in task and task["files"]:
            files = paths(task["files"])
            resolved = [str(Path(file).resolve()) for file in files]
            if any("," in file for file in resolved):
                raise ValueError(f"files must have no comma in their paths, got {resolved}")
            # A sequence of paths becomes a text.
            with copy.ignore_type():
                task["files"] = ",".join(resolved)
            task["digest"] = task["digest"] or files_digest(files)
    except ValueError as error:
        raise ValueError(f"config.task: {error}") from error
    return copy


def paths(files: str | Sequence[str]) -> tuple[str, ...]:
    """Reads a setting that names files: a text in which commas separate them, or a sequence."""
    names = files.split(",") if isinstance(files, str) else files
    return tuple(name.strip() for name in names if name.strip())


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def _check_count(config: Section, name: str, least: int) -> None:
    if isinstance(config[name], bool) or not isinstance(config[name], int) or config[name] < least:
        raise ValueError(f"config.{name} must be an integer of at least {least}, got {config[name]!r}")
