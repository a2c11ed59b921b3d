"""Runs the project's commands in separate processes.

`run` waits for a command to end. `start` returns at once, so that a test can watch or kill the process. Importing JAX
and the other packages takes seconds, so `run` forks its processes from a server that has imported them.
"""

import contextlib
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from multiprocessing import forkserver
from pathlib import Path

ROOT = Path(__file__).parent.parent
TIMEOUT = 240
# The environment of a user, except for the options that speed up compilation.
XLA_FLAGS = os.environ["XLA_FLAGS"].replace("--xla_force_host_platform_device_count=2", "")
ENVIRONMENT = os.environ | {"JAX_PLATFORMS": "", "XLA_FLAGS": XLA_FLAGS}
# Only modules that define no flags are preloaded, since a process can hold the flags of only one command.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["experiments.run.loop", "experiments.reports.report", "matplotlib.backends.backend_agg", "nltk"]
)


def start(command, *arguments):
    """Starts `python -m experiments.COMMAND` and returns the process."""
    return subprocess.Popen(
        [sys.executable, "-m", f"experiments.{command}", *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(command, *arguments, cwd=ROOT):
    """Runs a command in the folder `cwd` until it ends, and returns its exit status, output and errors."""
    with tempfile.TemporaryDirectory() as folder, _environment(ENVIRONMENT):
        process = CONTEXT.Process(target=_call, args=(folder, cwd, command, arguments))
        process.start()
        process.join(TIMEOUT)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"{command} {arguments} took more than {TIMEOUT} s")
        return process.exitcode, *((Path(folder) / name).read_text(encoding="utf-8") for name in ("output", "errors"))


def _call(folder, cwd, command, arguments):
    os.chdir(cwd)
    for name, stream in (("output", sys.stdout), ("errors", sys.stderr)):
        stream.flush()
        with (Path(folder) / name).open("w", encoding="utf-8") as file:
            os.dup2(file.fileno(), stream.fileno())
    sys.argv = [command, *arguments]
    runpy.run_module(f"experiments.{command}", run_name="__main__", alter_sys=True)


@contextlib.contextmanager
def _environment(variables):
    """Sets the environment variables that the fork server inherits, and restores the old ones on exit."""
    before = dict(os.environ)
    os.environ.update(variables)
    forkserver.ensure_running()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
