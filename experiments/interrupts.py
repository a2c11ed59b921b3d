"""Handling of SIGTERM and Ctrl-C by a command: one line on stderr and an exit status, at any time.

Python runs a signal handler only between two of its instructions, and therefore not while XLA compiles. Here a thread
waits for the signals. If no work would be lost, the thread ends the process at once. Within `holding_work` it only
records that the command should stop, and the command stops once it has saved its work. Signals within a second count as
one, because Ctrl-C reaches both a command and the process that started it, which passes it on. This module imports only
the standard library, since it is imported before the modules that take seconds.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

STOPPED = 75
"""Exit status of a command that was stopped and can go on: `EX_TEMPFAIL` of sysexits.h, 'try again later'."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Seconds within which signals count as one.
_ONE_SIGNAL_SECONDS = 1.0
_SHOW_CURSOR = "\x1b[?25h"

_requested = threading.Event()
_holds_work = threading.Event()
_say: Callable[[], str] = lambda: "interrupted"  # noqa: E731
_release: Callable[[], None] = lambda: None  # noqa: E731
_pass_on: Callable[[], None] = lambda: None  # noqa: E731


@contextlib.contextmanager
def imports(module: str) -> Iterator[None]:
    """Starts to watch for signals in the process of a command.

    Args:
      module: `__name__` of the calling module; signals are only watched if it is '__main__'.
    """
    if module == "__main__":
        _watch()
    yield


def describe(say: Callable[[], str], release: Callable[[], None] = lambda: None) -> None:
    """Sets the functions that are called before a signal ends the process.

    Args:
      say: returns the line to print; '' prints none.
      release: called first, for example to release a lock.
    """
    global _say, _release
    _say, _release = say, release


@contextlib.contextmanager
def holding_work(pass_on: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Lets a first signal only make `requested` return True; a second signal ends the process.

    Args:
      pass_on: called at the first signal, in the thread that waits for signals.
    """
    global _pass_on
    _pass_on = pass_on
    _holds_work.set()
    try:
        yield
    finally:
        _holds_work.clear()


def requested() -> bool:
    """Returns whether a signal asked the command to stop."""
    return _requested.is_set()


def stop() -> None:
    """Prints the line of `describe`, and ends the process with status `STOPPED`."""
    with contextlib.suppress(Exception):
        _release()
    if sys.stdout is not None and sys.stdout.isatty():
        # A progress bar hides the cursor.
        os.write(sys.stdout.fileno(), _SHOW_CURSOR.encode())
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    if said := _say():
        os.write(2, f"{said}\n".encode())
    os._exit(STOPPED)


def _watch() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for each in _SIGNALS:
        # A shell makes its background processes ignore Ctrl-C, which must stay so.
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, lambda *_: None)
    threading.Thread(target=_wait, args=(reader,), name="signals", daemon=True).start()


def _wait(reader: int) -> None:
    first = 0.0
    while os.read(reader, 1):
        if not _holds_work.is_set():
            stop()
        if not _requested.is_set():
            first = time.monotonic()
            _requested.set()
            _pass_on()
        elif time.monotonic() - first > _ONE_SIGNAL_SECONDS:
            stop()
