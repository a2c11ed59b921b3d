"""What SIGTERM and Ctrl-C do to a command: one line on stderr and an exit status, at any moment of it.

Python runs a signal's handler between two of its instructions, and there is none while XLA compiles. Here a thread
waits for the signals. Where nothing would be lost it ends the process at once; in a span of `holding_work` it only
notes that the command is to stop, and the command stops where it can keep what it has. Signals within a second count as
one: Ctrl-C reaches a command and the one that started it, which passes it on. Imports nothing but the standard
library: it comes before the imports that take seconds.
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
# Seconds.
_ONE_SIGNAL_SECONDS = 1.0
_SHOW_CURSOR = "\x1b[?25h"

_requested = threading.Event()
_holds_work = threading.Event()
_say: Callable[[], str] = lambda: "interrupted"  # noqa: E731
_release: Callable[[], None] = lambda: None  # noqa: E731
_pass_on: Callable[[], None] = lambda: None  # noqa: E731


@contextlib.contextmanager
def imports(module: str) -> Iterator[None]:
    """Watches for signals from here on, in the process of a command.

    Args:
      module: `__name__` of the module that is the command; nothing is done unless it is '__main__'.
    """
    if module == "__main__":
        _watch()
    yield


def describe(say: Callable[[], str], release: Callable[[], None] = lambda: None) -> None:
    """Sets what ends the process: a function of the line to print, and one that releases what others wait for."""
    global _say, _release
    _say, _release = say, release


@contextlib.contextmanager
def holding_work(pass_on: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Keeps a first signal from ending the process: it only makes `requested` true. A second one ends it.

    Args:
      pass_on: what else to do at the first signal, in a thread.
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
    """Ends the process with the line of `describe` and the status `STOPPED`."""
    with contextlib.suppress(Exception):
        _release()
    if sys.stdout is not None and sys.stdout.isatty():
        # A progress bar hides it.
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
        # A shell makes the processes that it starts in the background ignore Ctrl-C.
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
