"""Marks the slower ones of a test's parameters."""

from collections.abc import Iterable
from typing import Any

import pytest


def slow_but(names: Iterable[str], *quick: str) -> list[Any]:
    """Returns `names` as parameters, of which all but `quick` have the mark `slow`."""
    names = list(names)
    assert set(quick) <= set(names), (quick, names)
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


def slow(names: Iterable[str], *those: str) -> list[Any]:
    """Returns `names` as parameters, of which `those` have the mark `slow`."""
    names = list(names)
    return slow_but(names, *(name for name in names if name not in those))
