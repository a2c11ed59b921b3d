"""The program of a worker process, which calls a function on one string after the other.

The program is run by its path and does not import the package, so that it starts as fast as the imports of the user's
function allow. It ends when its connection is closed.
"""

import importlib
import json
import sys
from multiprocessing.connection import Connection
from typing import Any


def main() -> None:
    """Receives strings as JSON, and sends the value of each string, or the error that the function raised."""
    connection = Connection(int(sys.argv[1]))
    try:
        setup = json.loads(connection.recv_bytes())
        # The import path of the parent process.
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
