"""Writes the rows of metrics of a run during training."""

import functools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from experiments.run.directory import RunDirectory
from experiments.run.texts import Row, as_json


class MetricsWriter:
    """Writes rows of metrics to `metrics.jsonl` and to TensorBoard. Use it as a context manager."""

    def __init__(self, run: RunDirectory, names: Iterable[str], *, first_step: int = 1):
        """Opens the files for appending.

        Args:
          run: the run's folder.
          names: names of the replicas; each replica is a TensorBoard run of its own.
          first_step: the first step to come. Earlier events of this and later steps, left by an interrupted run, are
            discarded.
        """
        self._file = run.metrics.open("a", encoding="utf-8")
        folders = [run.events / name for name in names]
        self._open_events = functools.partial(_event_writers, folders, first_step)
        self._events: list[Any] = []

    def __enter__(self) -> "MetricsWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        for events in self._events:
            events.close()

    def write(self, row: Row) -> None:
        """Writes one row: numbers, and arrays with one entry per replica. NaN and infinities are null in JSON."""
        row = as_json(row)
        self._events = self._events or self._open_events()
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()
        for name, values in row.items():
            if isinstance(values, list):
                for events, value in zip(self._events, values, strict=True):
                    if value is not None:
                        events.add_scalar(name, value, row["step"])
        for events in self._events:
            events.flush()


def _event_writers(folders: Sequence[Path], first_step: int) -> list[Any]:
    """Returns a writer of TensorBoard's events for each folder."""
    # Imports PyTorch if it is installed, which takes seconds; by now, the first metrics are on the screen.
    from tensorboardX import SummaryWriter

    return [SummaryWriter(str(folder), purge_step=first_step) for folder in folders]
