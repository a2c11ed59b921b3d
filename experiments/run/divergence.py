"""Replicas of a run that diverge: reported at once, and kept at their last finite state by `training.train`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.config.replicas import replicas
from experiments.config.run_config import RunConfig
from gumbel_gan import sharding

STATUS = 3
"""Exit status of a run of which a replica diverged."""


class DivergedError(Exception):
    """All replicas of a run have diverged."""


def steps(state: Any, step: int) -> list[int | None]:
    """Returns for each replica the step at which it diverged, or None.

    Args:
      state: the states; the `step` of a replica stops counting when the replica diverges.
      step: the step of the run.
    """
    return [None if own == step else own + 1 for own in sharding.gather(state.step).tolist()]


class Watch:
    """Reports the replicas that diverge, each once.

    Attributes:
      all_diverged: whether all replicas have diverged.
    """

    def __init__(self, config: RunConfig):
        """Names the replicas.

        Args:
          config: the run's config.
        """
        self._seeds, self._points = replicas(config)
        self._found: dict[int, str] = {}
        self.all_diverged = False

    def update(self, state: Any, step: int, metrics: Mapping[str, np.ndarray]) -> list[str]:
        """Returns a sentence for each replica that diverged since the last call.

        Args:
          state: the states.
          step: the step of the run.
          metrics: means of the metrics since the last call, `[S]` each.
        """
        found = {replica: at for replica, at in enumerate(steps(state, step)) if at is not None}
        new = [replica for replica in found if replica not in self._found]
        for replica in new:
            point = f" at point {self._points[replica]} of the sweep" if max(self._points) else ""
            quantities = [
                f"{name} {value[replica]}"
                for name, value in metrics.items()
                if np.ndim(value) and not np.isfinite(value[replica])
            ]
            reason = ", ".join(quantities[:3]) or "a weight would be NaN, infinite or beyond 1e18"
            self._found[replica] = f"seed {self._seeds[replica]}{point} diverged at step {found[replica]:,}: {reason}"
        self.all_diverged = len(self._found) == len(self._seeds)
        return [f"{self._found[replica]}; it stays at its last finite state" for replica in new]

    def message(self, folder: Path) -> str:
        """Returns the message for a run whose replicas have all diverged: the reason, and how to continue."""
        first = next(iter(self._found.values()))
        return (
            f"{first}; the state before it is the newest checkpoint in {folder}. Train anew with a smaller learning "
            f"rate, or with clipping (max_norm of an optimizer), from scratch or from it (--config.init_from={folder})"
        )
