"""Worker processes that call a function of strings, and that are killed if a call does not end."""

import json
import multiprocessing
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

Answer = dict[str, Any]

_PROGRAM = Path(__file__).with_name("_worker.py")
# Time limit for the imports of a function's module.
_START_SECONDS = 300.0


class Workers:
    """Processes that call one function, each on one string at a time."""

    def __init__(self, function: str, num: int, timeout_seconds: float):
        """Stores the arguments; `start` and `map` start the processes.

        Args:
          function: the name of the function, 'module:function'.
          num: number of processes.
          timeout_seconds: time in seconds after which a process that has not answered is killed.
        """
        self._workers = [_Worker(function, timeout_seconds) for _ in range(num)]

    def start(self) -> None:
        """Starts the processes that are not running; raises ValueError if one cannot import the function."""
        with ThreadPoolExecutor(len(self._workers)) as pool:
            list(pool.map(_Worker.start, self._workers))

    def map(self, strings: Sequence[str]) -> list[Answer]:
        """Returns an answer for each string: a 'value', or an 'error' and its 'kind', as in `Score`."""
        answers: list[Answer] = [{}] * len(strings)
        left: Iterator[int] = iter(range(len(strings)))
        lock = threading.Lock()

        def serve(worker: _Worker) -> None:
            while True:
                with lock:
                    index = next(left, None)
                if index is None:
                    return
                answers[index] = worker.ask(strings[index])

        busy = self._workers[: max(1, min(len(self._workers), len(strings)))]
        with ThreadPoolExecutor(len(busy)) as pool:
            list(pool.map(serve, busy))
        return answers

    def close(self) -> None:
        """Ends the processes."""
        for worker in self._workers:
            worker.stop()


class _Worker:
    def __init__(self, function: str, timeout_seconds: float):
        self._function, self._timeout = function, timeout_seconds
        self._connection: Connection | None = None
        self._end: Any = None

    def start(self) -> Connection:
        """Starts the process unless it is running, and returns the connection to it."""
        if self._connection is not None:
            return self._connection
        connection, other = multiprocessing.Pipe()
        descriptor = other.fileno()
        process = subprocess.Popen(
            [sys.executable, str(_PROGRAM), str(descriptor)],
            stdin=subprocess.DEVNULL,
            # The output of the function is discarded.
            stdout=subprocess.DEVNULL,
            pass_fds=[descriptor],
            # The parent process handles Ctrl-C.
            start_new_session=True,
        )
        other.close()
        self._end = weakref.finalize(self, _stop, process, connection)
        self._connection = connection
        reason = "its module was not imported in time"
        try:
            self._send({"path": sys.path, "function": self._function})
            answer = self._receive(_START_SECONDS)
            if answer is not None and "error" not in answer:
                return connection
            reason = reason if answer is None else answer["error"]
        except (EOFError, OSError):
            reason = "the process ended when it imported its module"
        self.stop()
        raise ValueError(f"function must name a function of a module, got {self._function!r}: {reason}")

    def ask(self, string: str) -> Answer:
        """Returns the answer for a string."""
        try:
            self._send(string)
        except OSError:
            # The process ended while it was idle, so the string is not the cause.
            self.stop()
            self._send(string)
        try:
            answer = self._receive(self._timeout)
        except (EOFError, OSError):
            answer = {"kind": "process ended", "error": "the process ended"}
            self.stop()
        if answer is None:
            answer = {"kind": "no answer", "error": f"no answer in {self._timeout:g} s"}
            self.stop()
        return answer

    def stop(self) -> None:
        """Ends the process."""
        if self._end is not None:
            self._end()
        self._connection = self._end = None

    def _send(self, message: Any) -> None:
        self.start().send_bytes(json.dumps(message).encode())

    def _receive(self, timeout: float) -> Answer | None:
        """Returns the next answer; None if it does not come in time."""
        connection = self.start()
        return json.loads(connection.recv_bytes()) if connection.poll(timeout) else None


def _stop(process: "subprocess.Popen[bytes]", connection: Connection) -> None:
    connection.close()
    process.kill()
    process.wait()
