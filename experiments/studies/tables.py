"""Helpers for the Markdown tables of studies."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from experiments import cli
from experiments.run.summary import Summary
from experiments.run.texts import write_text
from gumbel_gan.metrics import describe


def seeds(summary: Summary) -> str:
    """Describes the seeds of a run; a seed at several points of a sweep counts once."""
    found = sorted(set(summary.seeds))
    return f"{len(found)} seeds ({found[0]} to {found[-1]})"


def measured(summary: Summary) -> str:
    """Describes where, when and with which JAX a run was measured."""
    return f"{summary.hardware}, {summary.date}, jax {summary.versions['jax']}."


def titles(metrics: Iterable[str]) -> str:
    """Returns the column headers of metrics."""
    return " | ".join(describe(name).title.replace("||", "‖") for name in metrics)


def spread(values: np.ndarray, decimals: int) -> str:
    """Formats values as their median and, in brackets, the least and the greatest."""
    middle, least, greatest = (f"{each:.{decimals}f}" for each in (np.median(values), values.min(), values.max()))
    return f"{middle} ({least} … {greatest})"


def write(text: str, workdir: Path) -> Path:
    """Writes and prints a table, and returns its path."""
    path = workdir / "table.md"
    write_text(path, text)
    cli.screen().print(text, soft_wrap=True, highlight=False)
    return path
