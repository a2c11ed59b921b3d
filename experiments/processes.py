"""Starts, synchronizes and ends several processes that train one run together.

Each process has its own devices; `jax.distributed` joins them into one program. The first process writes all files
except the checkpoints, which all processes write together.
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

# Variables with the number of processes that a launcher has started as one program. In the script of an sbatch job,
# SLURM_NTASKS is the number of processes of later steps, so that the variable of the current step is used.
_SIZES = ("SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE", "JAX_NUM_PROCESSES")
_OWN = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")


class OtherProcessError(ValueError):
    """One of several processes has failed; raised in all of them."""


def start(distributed: bool | None, *, heartbeat_seconds: int = HEARTBEAT_SECONDS) -> None:
    """Joins the other processes of a program, or checks that there are none; must be called before other JAX functions.

    If JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID are all set, they give the address of the first
    process, the number of processes and the index of this process; otherwise Slurm, Open MPI or a TPU does.

    Args:
      distributed: whether the run is trained by several processes; None if the user has not chosen.
      heartbeat_seconds: seconds without a heartbeat after which a process counts as dead, which ends all processes.

    Raises:
      ValueError: a launcher has started several processes and `distributed` is None; or `distributed` is True, and the
        variables of the launcher are missing or invalid, or the processes cannot connect.
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
    # The SIGTERM handler of this service would replace the one in `interrupts`.
    jax.config.update("jax_enable_preemption_service", False)
    try:
        jax.distributed.initialize(**given, heartbeat_timeout_seconds=heartbeat_seconds)
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"--distributed needs the variables of Slurm, Open MPI or a TPU, or {', '.join(_OWN)}: {reason}"
        ) from error


def several() -> bool:
    """Returns whether this process is one of several; does not initialize devices."""
    return jax.distributed.is_initialized()


def is_first() -> bool:
    """Returns whether this process is the one that writes files."""
    return not several() or jax.process_index() == 0


def any_of(*flags: bool) -> Sequence[bool]:
    """Returns for each flag whether it is set in any process; all processes must call this function."""
    if not several():
        return flags
    gathered = np.asarray(multihost_utils.process_allgather(np.array(flags)))
    return [bool(column.any()) for column in gathered.T]


def check_all(error: Exception | None) -> None:
    """Raises an error in all processes if any of them has failed; all processes must call this function.

    Args:
      error: the error of this process; None if it has not failed.

    Raises:
      OtherProcessError: one of several processes has failed; the message is that of `error`, or names that process.
      Exception: `error` itself, if there is only one process.
    """
    if several():
        failed = np.asarray(multihost_utils.process_allgather(np.array([error is not None]))).ravel()
        if failed.any():
            said = f"process {int(np.argmax(failed))} failed; see its own output" if error is None else str(error)
            raise OtherProcessError(said) from error
    if error is not None:
        raise error


def end() -> None:
    """Waits for the other processes, before this process ends."""
    if several():
        jax.distributed.shutdown()


@contextlib.contextmanager
def ending_all(*agreed: int) -> Iterator[None]:
    """Ends all processes if one of them fails: that one exits without waiting for the others, which JAX then ends.

    Args:
      *agreed: exit statuses that all processes reach together, so that no process would wait for another.
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
