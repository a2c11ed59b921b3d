"""Scores of strings by a function on the host. Each distinct string is scored once, and errors do not end a run."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from gumbel_gan.arguments import as_strings, require_at_least, require_number
from gumbel_gan.scoring.workers import Answer, Workers

KINDS = ("raised", "not finite", "no answer", "process ended")
"""The kinds of problems of a call that returned no finite number."""

_LONGEST = 200


class Score(NamedTuple):
    """The result of a call of the function.

    Attributes:
      value: the returned number, or the worst score if there was a problem.
      kind: the kind of the problem, one of `KINDS`; '' if there was none.
      problem: the problem in one line, such as the error that was raised; '' if there was none.
    """

    value: float
    kind: str = ""
    problem: str = ""


class Scorer:
    """Scores strings by a function of one string; higher is better. The function is called once per distinct string.

    The function takes one string and not a list, so that an error, a NaN or a call that does not end concerns one
    string, which gets the worst score. The function should be deterministic.
    """

    def __init__(
        self,
        function: Callable[[str], float] | str,
        *,
        worst: float = 0.0,
        is_valid: Callable[[str], bool] | None = None,
        num_workers: int = 1,
        timeout_seconds: float = 60.0,
    ):
        """Builds the scorer. Processes are started by `start` or by the first call that needs them.

        Args:
          function: maps a string to a number; or the name of such a function, 'module:function'. Workers import the
            function by its name.
          worst: the score of a string that is not valid, or for which the function returns no finite number.
          is_valid: returns whether a string is valid; the function is not called for other strings. None: all strings
            are valid.
          num_workers: number of worker processes. 0 calls the function in this process, in which a call that does not
            end cannot be stopped.
          timeout_seconds: time in seconds after which a call counts as failed and its process is killed.

        Raises:
          TypeError: `function` is neither callable nor a string, or a number has the wrong type.
          ValueError: `worst` is not finite, another number is out of range, or workers cannot import `function` by a
            name.
        """
        require_number("worst", worst)
        require_number("timeout_seconds", timeout_seconds, low=0, open_low=True)
        require_at_least(0, num_workers=num_workers)
        if not callable(function) and not isinstance(function, str):
            raise TypeError(f"function must be callable or a text 'module:function', got {function!r}")
        self.worst = float(worst)
        self._function, self._is_valid = function, is_valid
        self._workers = Workers(_name(function), num_workers, timeout_seconds) if num_workers else None
        self._scores: dict[str, Score] = {}
        # Several devices may call at the same time.
        self._lock = threading.Lock()

    def __call__(self, strings: Sequence[str]) -> np.ndarray:
        """Returns the `[N]` float64 scores of N strings; raises TypeError unless `strings` is a sequence of strings."""
        strings = as_strings(strings=strings)
        with self._lock:
            new = [each for each in dict.fromkeys(strings) if each not in self._scores and self.is_valid(each)]
            for string, answer in zip(new, self._answers(new), strict=True):
                self._scores[string] = self._score(answer)
            return np.array([self._scores[each].value if each in self._scores else self.worst for each in strings])

    @property
    def scores(self) -> Mapping[str, Score]:
        """The scores of all strings that the function was called for, in the order of the calls."""
        return MappingProxyType(self._scores)

    def record(self, string: str, score: Score) -> None:
        """Records the score of an earlier call."""
        self._scores[string] = score

    def is_valid(self, string: str) -> bool:
        """Returns whether the function is called for a string."""
        return self._is_valid is None or bool(self._is_valid(string))

    def start(self) -> None:
        """Starts the workers; raises ValueError if the function cannot be imported."""
        if self._workers is not None:
            self._workers.start()

    def close(self) -> None:
        """Ends the workers; a later call starts them again."""
        if self._workers is not None:
            self._workers.close()

    def _answers(self, strings: Sequence[str]) -> Iterable[Answer]:
        if not strings:
            return []
        return map(self._call, strings) if self._workers is None else self._workers.map(strings)

    def _call(self, string: str) -> Answer:
        function = self._function
        if isinstance(function, str):
            function = self._function = imported(function)
        try:
            return {"value": float(function(string))}
        except Exception as error:
            return {"kind": "raised", "error": f"{type(error).__name__}: {error}"}

    def _score(self, answer: Answer) -> Score:
        if "error" in answer:
            return Score(self.worst, answer["kind"], " ".join(str(answer["error"]).split())[:_LONGEST])
        value = answer["value"]
        # Rewards are in float32.
        with np.errstate(over="ignore"):
            is_finite = np.isfinite(np.float32(value))
        return Score(value) if is_finite else Score(self.worst, "not finite", f"{value} was returned")


def imported(name: str) -> Callable[[str], float]:
    """Returns the function with a name, 'module:function'.

    Raises:
      ValueError: the module cannot be imported or has no such function.
    """
    import importlib

    module, _, path = name.partition(":")
    try:
        found = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as error:
        raise ValueError(
            f"function must name a function of a module, got {name!r}: {type(error).__name__}: {error}"
        ) from error
    if not callable(found):
        raise ValueError(f"function must name a function of a module, got {name!r}, which is a {type(found).__name__}")
    return found


def _name(function: Callable[[str], float] | str) -> str:
    """Returns the name by which another process can import a function."""
    name = function if isinstance(function, str) else ""
    if not isinstance(function, str):
        module, path = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
        name = f"{module}:{path}" if module and module != "__main__" and path and "<" not in path else ""
    module, colon, path = name.partition(":")
    if not (module and colon and path):
        raise ValueError(
            f"function must be of a module, or its name 'module:function', for workers to import it; got {function!r}"
        )
    return name
