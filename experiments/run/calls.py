"""The calls of a run's property on disk, so that a run that goes on has them, and what is said of them."""

import json
from collections import Counter
from typing import Any

from experiments.config.property_calls import Call, PropertyCalls
from experiments.run.directory import RunDirectory
from experiments.run.texts import Row, write_text
from gumbel_gan.scoring import KINDS, Score

_MOST_NAMED = 10
_LONGEST = 60


class CallsLog:
    """Writes the calls to `calls.jsonl` after each chunk, and names those that came to no number."""

    def __init__(self, run: RunDirectory, calls: PropertyCalls | None, step: int):
        """Takes up the calls of a run up to the step that it goes on from, and drops later ones from the file.

        Args:
          run: the run's folder.
          calls: the run's property; None where it has none, and nothing is done.
          step: the step.
        """
        self._file, self._calls, self._num_named = run.calls, calls, 0
        if calls is None:
            return
        kept = [line for line in _lines(run) if json.loads(line)[0] <= step]
        write_text(self._file, "".join(line + "\n" for line in kept))
        calls.restore(_call(json.loads(line)) for line in kept)

    def write(self, step: int) -> tuple[Row, list[str]]:
        """Writes the calls since this was last called.

        Args:
          step: the step that the chunk ended with.

        Returns:
          What is measured of the property, `[S]` by name, and sentences on new problems.
        """
        if self._calls is None:
            return {}, []
        new = self._calls.take_new()
        with self._file.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps([step, each.replica, each.string, *each.score]) + "\n" for each in new)
        measured = {"property_calls": self._calls.num_calls, "property_best": self._calls.best}
        return measured, self._sentences(new)

    def is_spent(self) -> bool:
        """Returns whether the run may make no further calls."""
        return self._calls is not None and self._calls.is_spent

    def _sentences(self, new: list[Call]) -> list[str]:
        assert self._calls is not None
        settings, found = self._calls.settings, []
        for call in new:
            if not call.score.kind or self._num_named > _MOST_NAMED:
                continue
            self._num_named += 1
            if self._num_named > _MOST_NAMED:
                found.append("further strings without a property are only counted, in summary.json")
                continue
            shown = call.string if len(call.string) <= _LONGEST else f"{call.string[:_LONGEST]}..."
            found.append(
                f"warning: the property {settings.name} of {shown!r} is no number, and counts as the worst, "
                f"{settings.worst:g}: {call.score.problem}"
            )
        return found


def read_calls(run: RunDirectory) -> list[Call]:
    """Reads all calls of a run, in their order; none where it has no property."""
    return [_call(json.loads(line)) for line in _lines(run)]


def section(calls: PropertyCalls | None) -> Row | None:
    """Returns what the summary says of the property: of each replica its calls, and how many came to no number."""
    if calls is None:
        return None
    settings, num_replicas = calls.settings, len(calls.num_calls)
    kinds = [Counter(score.kind for score in calls.scores(replica).values()) for replica in range(num_replicas)]
    return {
        "function": settings.name,
        "worst": settings.worst,
        "calls": calls.num_calls,
        "best": calls.best,
        "problems": {kind: [each[kind] for each in kinds] for kind in KINDS},
    }


def _lines(run: RunDirectory) -> list[str]:
    """Returns the lines of the file; the last one, where a killed process left it half-written, is dropped."""
    return run.calls.read_text(encoding="utf-8").split("\n")[:-1] if run.calls.exists() else []


def _call(row: list[Any]) -> Call:
    _, replica, string, *score = row
    return Call(replica, string, Score(*score))
