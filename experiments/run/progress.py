"""The live progress line of a run."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from gumbel_gan.metrics import describe


class ProgressLine:
    """A line that tells how far a run is: rewritten in place on a terminal, one line an update elsewhere."""

    def __init__(self, console: Console, num_steps: int, start: int):
        """Makes the line.

        Args:
          console: where it is drawn.
          num_steps: the run's steps.
          start: the step that it goes on from.
        """
        self._console, self._num_steps, self._start = console, num_steps, start
        self._last_time, self._last_step = time.monotonic(), start
        self._bar = Progress(BarColumn(bar_width=20), TextColumn("{task.description}"), console=console)
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
          metrics: numbers, or an array of one a seed, whose median is shown.
        """
        now = time.monotonic()
        speed = (step - self._last_step) / max(now - self._last_time, 1e-9)
        self._last_time, self._last_step = now, step
        shown = {name: float(np.median(value)) for name, value in metrics.items() if describe(name).in_progress}
        minutes, seconds = divmod(round((self._num_steps - step) / speed), 60)
        parts = [f"step {step:,}/{self._num_steps:,}"]
        parts += [f"{describe(name).label} {value:.4g}" for name, value in shown.items()]
        parts += [f"{speed:.3g} steps/s", f"{minutes}:{seconds:02d} left"]
        line = "  ".join(parts)
        if self._console.is_terminal:
            self._bar.update(self._task, completed=step, description=line)
        else:
            self._console.print(line, soft_wrap=True)
