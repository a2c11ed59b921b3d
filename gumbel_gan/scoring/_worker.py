"""The program of a worker process, which calls a function of strings one after the other.

It is run by its path and imports nothing of the package, so that a user's function is ready in no more time than its
own imports take. It ends when its connection does.
"""

import importlib
import json
import sys
from multiprocessing.connection import Connection
from typing import Any


def main() -> None:
    """Answers each string, a JSON text, with its value, or with the error that was raised."""
    connection = Connection(int(sys.argv[1]))
    try:
        setup = json.loads(connection.recv_bytes())
        # What the process that started it can import, it can import too.
        sys.path[:] = setup["path"]
        try:
            module, name = setup["function"].split(":")
            function: Any = importlib.import_module(module)
            for part in name.split("."):
                function = getattr(function, part)
        except Exception as error:
            _send(connection, {"error": f"{type(error).__name__}: {error}"})
            return
        _send(connection, {})
        while True:
            string = json.loads(connection.recv_bytes())
            try:
                answer: dict[str, Any] = {"value": float(function(string))}
            except Exception as error:
                answer = {"kind": "raised", "error": f"{type(error).__name__}: {error}"}
            _send(connection, answer)
    except (EOFError, OSError):
        return


def _send(connection: Connection, answer: dict[str, Any]) -> None:
    connection.send_bytes(json.dumps(answer).encode())


if __name__ == "__main__":
    main()
