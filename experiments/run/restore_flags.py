"""Flags of commands that use the generators of a restored run."""

from typing import Any

from absl import flags

from experiments.config.run_config import STATES

# The `--help` of a command lists only the flags that the command defines by the functions here.
flags.disclaim_key_flags()


def define_index() -> Any:
    """Defines the flag --index of a command that uses one generator of a run."""
    return flags.DEFINE_integer(
        "index", 0, "Index of the generator, in a run of several seeds or a sweep.", lower_bound=0
    )


def define_checkpoint() -> Any:
    """Defines the flag --checkpoint of a command that uses a run's generators; its value is passed to `restore`."""
    return flags.DEFINE_enum(
        "checkpoint",
        None,
        STATES,
        "The states to use: 'last' or 'best'; by default those that the run's summary describes.",
    )


def define_platform() -> Any:
    """Defines the flag --platform of a command that uses a run's generators."""
    return flags.DEFINE_string("platform", "", "Backend: 'cpu', 'gpu', 'tpu', or '' for JAX's own choice.")
