"""Marks slow parameters of a test."""

from collections.abc import Iterable
from typing import Any

import pytest


def slow_but(names: Iterable[str], *quick: str) -> list[Any]:
    """Returns `names` as parameters of a test, all with the mark `slow` except `quick`."""
    names = list(names)
    assert set(quick) <= set(names), (quick, names)
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


def slow(names: Iterable[str], *those: str) -> list[Any]:
    """Returns `names` as parameters of a test, with the mark `slow` on `those`."""
    names = list(names)
    return slow_but(names, *(name for name in names if name not in those))
