"""The live progress line of a run."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from gumbel_gan.metrics import describe


class ProgressLine:
    """A line that shows the progress of a run: rewritten in place on a terminal, one line per update elsewhere."""

    def __init__(self, console: Console, num_steps: int, start: int):
        """Prepares the line.

        Args:
          console: the console to print to.
          num_steps: number of steps of the run.
          start: the step that the run starts from.
        """
        self._console, self._num_steps, self._start = console, num_steps, start
        self._last_time, self._last_step = time.monotonic(), start
        columns = (BarColumn(bar_width=20), TextColumn("{task.description}", markup=False))
        self._bar = Progress(*columns, console=console)
        self._task: TaskID = self._bar.add_task("compiling ...", total=num_steps, completed=start)

    def __enter__(self) -> "ProgressLine":
        if self._console.is_terminal:
            self._bar.start()
        else:
            self._console.print("compiling ...")
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def update(self, step: int, metrics: Mapping[str, Any]) -> None:
        """Shows a step.

        Args:
          step: the step reached.
          metrics: numbers, or arrays with one number per replica. The line shows the median of the numbers that are not
            NaN, and the number of diverged replicas, which have a metric that is NaN.
        """
        now = time.monotonic()
        speed = (step - self._last_step) / max(now - self._last_time, 1e-9)
        self._last_time, self._last_step = now, step
        shown = {name: np.asarray(value, float) for name, value in metrics.items() if describe(name).in_progress}
        minutes, seconds = divmod(round((self._num_steps - step) / speed), 60)
        parts = [f"step {step:,}/{self._num_steps:,}"]
        parts += [f"{describe(name).label} {_median(value):.4g}" for name, value in shown.items()]
        parts += _diverged(list(shown.values()))
        parts += [f"{speed:.3g} steps/s", f"{minutes}:{seconds:02d} left"]
        line = "  ".join(parts)
        if self._console.is_terminal:
            self._bar.update(self._task, completed=step, description=line)
        else:
            self._console.print(line, soft_wrap=True)

    def print(self, text: str) -> None:
        """Prints a line above the progress line."""
        self._console.print(text, soft_wrap=True, highlight=False)


class BytesLine:
    """A line that shows how many bytes of files are read: in place on a terminal, at each tenth elsewhere."""

    def __init__(self, console: Console):
        """Prepares the line.

        Args:
          console: the console to print to.
        """
        self._console = console
        self._shown: tuple[str, int] | None = None

    def update(self, doing: str, done: int, total: int) -> None:
        """Shows what is being done, the number of bytes that are done, and their total number."""
        tenths = 10 * done // max(total, 1)
        line = f"{doing}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
        if self._console.is_terminal:
            self._console.print(line, end="\n" if done == total else "\r", highlight=False)
        elif self._shown != (doing, tenths):
            self._console.print(line, highlight=False)
        self._shown = (doing, tenths)


def _median(values: np.ndarray) -> float:
    """Returns the median of the values that are not NaN; NaN if there are none."""
    numbers = values[~np.isnan(values)]
    return float(np.median(numbers)) if numbers.size else float("nan")


def _diverged(metrics: list[np.ndarray]) -> list[str]:
    """Returns the text on replicas with a metric that is NaN; an empty list if there are none."""
    num_replicas = max((values.size for values in metrics), default=0)
    # A metric that all replicas share, such as the temperature, belongs to no replica.
    of_each = [np.isnan(values.ravel()) for values in metrics if values.size == num_replicas]
    num = int(np.any(of_each, axis=0).sum()) if of_each else 0
    return [f"{num} of {num_replicas} diverged"] if num else []
