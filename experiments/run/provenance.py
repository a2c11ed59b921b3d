"""Facts about a run's generators, kept with a model that leaves the run's folder."""

import dataclasses
import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from experiments.config.replicas import replicas
from experiments.config.run_config import RunConfig
from experiments.run.summary import Summary
from experiments.run.texts import Row, as_json
from gumbel_gan.tasks import Task
from gumbel_gan.tasks.token_rows import TokenRows

_NUM_ROWS = 2**16


def data_digest(task: Task) -> str:
    """Computes the SHA-256, in hexadecimal, of a task's symbols and the tokens of its splits, including sources."""
    digest = hashlib.sha256("\0".join(task.symbols).encode())
    blocks = [task.train.tokens] if task.stream is None else _streamed(task.stream)
    sources = []
    if task.source is not None:
        digest.update("\0".join(task.source.symbols).encode())
        sources = [each.condition for each in (task.train, task.validation, task.test)]
    for tokens in itertools.chain(blocks, (task.validation.tokens, task.test.tokens), sources):
        digest.update(np.ascontiguousarray(tokens, "<i4").tobytes())
    return digest.hexdigest()


def _streamed(rows: TokenRows) -> Iterator[np.ndarray]:
    for first in range(0, len(rows), _NUM_ROWS):
        yield rows.take(np.arange(first, min(first + _NUM_ROWS, len(rows))))


def of_run(config: RunConfig, task: Task, summary: Summary, checkpoint: str, digest: str) -> Row:
    """Returns the facts about a run's generators.

    Args:
      config: config of the run.
      task: task of the run.
      summary: summary of the run.
      checkpoint: the states of the generators, 'last' or 'best'.
      digest: the result of `data_digest` for the task.

    Returns:
      Plain JSON. Lists of `seeds`, `points`, `steps` and `metrics` have one entry per replica. `metrics` is empty if
      the run measured its other states. Files and folders are named without the folders they are in.
    """
    axis = replicas(config)
    known = {
        "task": summary.task,
        "algorithm": summary.algorithm,
        "checkpoint": checkpoint,
        "seeds": axis.seeds,
        "points": axis.points,
        "sweep": summary.sweep,
        "steps": [summary.steps] * len(axis.seeds),
        "diverged": summary.diverged,
        "metrics": summary.metrics if checkpoint == summary.summarized else {},
        "sizes": {"train": task.num_train, "validation": len(task.validation.tokens), "test": len(task.test.tokens)},
        "data_digest": digest,
        "date": summary.date,
        "hardware": summary.hardware,
        "versions": summary.versions,
        "settings": _without_places(config).to_dict(),
    }
    if checkpoint == "best" and summary.best is not None:
        known |= {"steps": summary.best["steps"], "best": summary.best}
    return as_json(known)


def of_replica(known: Row, index: int) -> Row:
    """Returns the facts of `of_run` about one replica, under the names `seed`, `step` and so on."""
    one: dict[str, Any] = dict(known)
    for name, plural in (("seed", "seeds"), ("step", "steps"), ("diverged", "diverged")):
        values = one.pop(plural)
        one[name] = values[index] if values else None
    point = one.pop("points")[index]
    one["sweep"] = one["sweep"][point]
    one["metrics"] = {name: values[index] for name, values in known["metrics"].items()}
    if best := known.get("best"):
        one["best"] = {"metric": best["metric"], "value": best["values"][index]}
    return one


def _without_places(config: RunConfig) -> RunConfig:
    """Returns a config whose files are named without their folders, which are private."""
    config = dataclasses.replace(config, init_from=Path(config.init_from).name)
    if files := config.task.settings.get("files"):
        return config.with_task(files=",".join(Path(file).name for file in str(files).split(",")))
    return config
