"""Training that starts from the networks of another run."""

from typing import Any

import jax

from experiments.config import build
from experiments.config.run_config import RunConfig


def self_contained(config: RunConfig) -> RunConfig:
    return config


def check_fits(config, experiment, state): ...


def from_run(config, experiment, state):
    return state
