"""Several processes that train one run together: how they start, agree and end.

Each has devices of its own; `jax.distributed` makes one program of them. The first process writes all files but the
checkpoints, which all write together.
"""

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

HEARTBEAT_SECONDS = 100

# How many processes a launcher has started as one program. In the script of an sbatch job SLURM_NTASKS is that of the
# steps to come, so that the variable of a step is looked at.
_SIZES = ("SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE", "JAX_NUM_PROCESSES")
_OWN = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")


class OtherProcessError(ValueError):
    """A process has failed, and all know it."""


def start(distributed: bool | None, *, heartbeat_seconds: int = HEARTBEAT_SECONDS) -> None:
    """Joins the other processes of a program, or checks that there are none; to be called before anything else of JAX.

    The address of the first process, the number of processes and the number of this one come from Slurm, Open MPI or a
    TPU, or else from the variables JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID.

    Args:
      distributed: whether the run is trained by several processes; None where the user has not said so.
      heartbeat_seconds: after how long a process that is not heard of counts as dead, which ends all.

    Raises:
      ValueError: a launcher has started several processes and `distributed` is None; or it is true, and they don't find
        each other.
    """
    if not distributed:
        found = [(name, os.environ[name]) for name in _SIZES if os.environ.get(name, "1") not in ("", "1")]
        if found and distributed is None:
            name, size = found[0]
            raise ValueError(
                f"--distributed must be given where a launcher starts several processes, got {name}={size} without it: "
                "--distributed trains one run on all of them, --nodistributed a run in each"
            )
        return
    given: dict[str, Any] = {}
    if all(os.environ.get(name) for name in _OWN):
        address, *numbers = (os.environ[name] for name in _OWN)
        try:
            count, own = map(int, numbers)
        except ValueError:
            raise ValueError(f"{_OWN[1]} and {_OWN[2]} must be integers, got {numbers}") from None
        given = {"coordinator_address": address, "num_processes": count, "process_id": own}
    # Its handler of SIGTERM would take the place of that in `interrupts`.
    jax.config.update("jax_enable_preemption_service", False)
    try:
        jax.distributed.initialize(**given, heartbeat_timeout_seconds=heartbeat_seconds)
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"--distributed needs the variables of Slurm, Open MPI or a TPU, or {', '.join(_OWN)}: {reason}"
        ) from error


def several() -> bool:
    """Returns whether this process is one of several; chooses no device."""
    return jax.distributed.is_initialized()


def is_first() -> bool:
    """Returns whether this process is the one that writes files."""
    return not several() or jax.process_index() == 0


def any_of(*flags: bool) -> Sequence[bool]:
    """Returns for each flag whether any process has it set; all processes must call it."""
    if not several():
        return flags
    gathered = np.asarray(multihost_utils.process_allgather(np.array(flags)))
    return [bool(column.any()) for column in gathered.T]


def check_all(error: Exception | None) -> None:
    """Raises where any process has failed: its own error here, and elsewhere one that names it.

    Args:
      error: what happened in this process.

    Raises:
      OtherProcessError: where there are several, one of them failed.
    """
    if several():
        failed = np.asarray(multihost_utils.process_allgather(np.array([error is not None]))).ravel()
        if failed.any():
            said = f"process {int(np.argmax(failed))} can't go on, and says why" if error is None else str(error)
            raise OtherProcessError(said) from error
    if error is not None:
        raise error


def end() -> None:
    """Waits for the others, before this process ends at once."""
    if several():
        jax.distributed.shutdown()


@contextlib.contextmanager
def ending_all(*agreed: int) -> Iterator[None]:
    """Ends all processes where one of them fails: it ends without waiting for the others, which JAX ends in their turn.

    Args:
      *agreed: exit statuses that all processes come to, so that none waits for another.
    """
    try:
        yield
    except BaseException as error:
        if not several() or (isinstance(error, SystemExit) and error.code in (None, 0, *agreed)):
            raise
        if not isinstance(error, SystemExit):
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)
