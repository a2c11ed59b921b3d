"""A function, its arguments, and the checks of its results and errors."""

import math
import re
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gumbel_gan as gg

PACKAGE = Path(gg.__file__).parent


class Case(NamedTuple):
    """A function and its arguments.

    Attributes:
      function: the function.
      valid: a strategy for dictionaries of valid, finite arguments, by name.
      invalid: strategies for values that must raise an error, by the argument's name.
      check: (result, arguments) -> None, raises if the result is not as documented.
      unusual: strategies for values that may raise an error, by the argument's name.
      is_finite: whether results must be finite. If not, they must only not be NaN.
      num_examples: the largest number of examples for each property.
    """

    function: Callable[..., Any]
    valid: st.SearchStrategy[dict[str, Any]]
    invalid: dict[str, st.SearchStrategy[Any]]
    check: Callable[[Any, dict[str, Any]], None]
    unusual: Mapping[str, st.SearchStrategy[Any]] = MappingProxyType({})
    is_finite: bool = True
    num_examples: int = 6


def arguments(**strategies):
    """Draws independent arguments, by name."""
    return st.fixed_dictionaries(strategies)


def joined(*strategies):
    """Draws the arguments of several strategies as one dictionary."""
    return st.tuples(*strategies).map(lambda parts: {name: value for part in parts for name, value in part.items()})


def has(shape, dtype):
    """Returns a check of a result's shape and dtype, which `shape` and `dtype` compute from the arguments."""

    def check(result, given):
        assert result.shape == shape(given)
        assert result.dtype == dtype(given)

    return check


def is_a(kind):
    def check(result, given):
        assert isinstance(result, kind)

    return check


def check_number(low=-math.inf, high=math.inf):
    def check(result, given):
        assert low <= result <= high

    return check


def float32(given):
    return jnp.float32


def run(num_examples):
    return settings(
        max_examples=num_examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def for_all(prop, num_examples):
    """Runs a property on `num_examples` examples. `prop` takes an object of `st.data()`."""
    run(num_examples)(given(st.data())(prop))()


def check_result(result, case, given):
    for leaf in jax.tree.leaves(result):
        if isinstance(leaf, jax.Array | np.ndarray | np.generic | float) and jnp.issubdtype(
            jnp.result_type(leaf), jnp.floating
        ):
            values = np.asarray(leaf, np.float64)
            assert np.isfinite(values).all() if case.is_finite else not np.isnan(values).any()
    case.check(result, given)


def check_error(error, names):
    """Checks that the library itself raised the error, a TypeError or ValueError, and that it names an argument."""
    assert isinstance(error, TypeError | ValueError), repr(error)
    innermost = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
    assert innermost.is_relative_to(PACKAGE), f"{innermost}: {error!r}"
    assert any(re.search(rf"\b{re.escape(name)}\b", str(error)) for name in names), f"{names}: {error!r}"
