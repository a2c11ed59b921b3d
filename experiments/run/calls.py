"""Keeps the calls of a run's property on disk, so that a resumed run has them, and reports them."""

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
    """Writes the calls to `calls.jsonl` after each chunk, and reports calls that returned no number."""

    def __init__(self, run: RunDirectory, calls: PropertyCalls | None, step: int):
        """Restores the calls of a run up to the step that it resumes from, and drops later calls from the file.

        Args:
          run: folder of the run.
          calls: property of the run; None if the run has no property, in which case nothing is written.
          step: the step that the run resumes from.
        """
        self._file, self._calls, self._num_named = run.calls, calls, 0
        if calls is None:
            return
        kept = [line for line in _lines(run) if json.loads(line)[0] <= step]
        write_text(self._file, "".join(line + "\n" for line in kept))
        calls.restore(_call(json.loads(line)) for line in kept)

    def write(self, step: int) -> tuple[Row, list[str]]:
        """Writes the calls since the last call of this method.

        Args:
          step: the last step of the chunk.

        Returns:
          The metrics of the property, `[S]` by name, and sentences on new problems.
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
                f"warning: the property {settings.name} returned no number for {shown!r}, which gets the worst score, "
                f"{settings.worst:g}: {call.score.problem}"
            )
        return found


def read_calls(run: RunDirectory) -> list[Call]:
    """Reads all calls of a run, in their order; returns an empty list if the run has no property."""
    return [_call(json.loads(line)) for line in _lines(run)]


def section(calls: PropertyCalls | None) -> Row | None:
    """Returns the section of the summary on the property, with the number of calls and of problems of each replica."""
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
    """Returns the complete lines of the file; drops a last line that a killed process left half-written."""
    return run.calls.read_text(encoding="utf-8").split("\n")[:-1] if run.calls.exists() else []


def _call(row: list[Any]) -> Call:
    _, replica, string, *score = row
    return Call(replica, string, Score(*score))
