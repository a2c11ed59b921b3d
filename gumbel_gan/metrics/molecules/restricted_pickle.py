"""Reads pickles without running their code: only functions and classes from a given list are called."""

import pickle
from collections.abc import Callable, Mapping
from typing import IO, Any


def load(file: IO[bytes], known: Mapping[tuple[str, str], Any], persistent: Callable[[Any], Any] | None = None) -> Any:
    """Reads one pickle that may refer only to the given functions and classes.

    Args:
      file: the file, positioned at the beginning of the pickle; positioned at its end afterwards.
      known: the objects that the pickle may refer to, by module and name. No other name is looked up, so that nothing
        else is called.
      persistent: returns the object of a persistent identifier; None if the pickle may hold no such identifier.

    Returns:
      The unpickled object.

    Raises:
      ValueError: the file does not hold a pickle, or the pickle refers to any other name.
    """
    try:
        return _Unpickler(file, known, persistent).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"file must hold a pickle of plain data, got one that can't be read: {error}") from error


class _Unpickler(pickle.Unpickler):
    def __init__(
        self, file: IO[bytes], known: Mapping[tuple[str, str], Any], persistent: Callable[[Any], Any] | None
    ) -> None:
        super().__init__(file)
        self._known, self._persistent = known, persistent

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._known:
            raise pickle.UnpicklingError(f"{module}.{name} is not an allowed name")
        return self._known[module, name]

    def persistent_load(self, identifier: Any) -> Any:
        if self._persistent is None:
            raise pickle.UnpicklingError("the pickle refers to an object outside of it")
        return self._persistent(identifier)
