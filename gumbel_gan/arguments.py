"""Checks of arguments that many functions share."""

import math
import numbers
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

# A hyperparameter: a number, a traced number, or a schedule that maps the step to one.
Scalar = ArrayLike | Callable[[ArrayLike], ArrayLike]


def require_at_least(least: int, **arguments: int) -> None:
    """Raises unless the named arguments are integers of at least `least`.

    Raises:
      TypeError: an argument is not an integer.
      ValueError: an argument is less than `least`.
    """
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise TypeError(f"{name} must be an integer, got {value!r}")
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")


def require_one_of(known: Iterable[str], **arguments: str) -> None:
    """Raises ValueError unless the named arguments are each one of those known."""
    known = tuple(known)
    for name, value in arguments.items():
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}")


def require_number(
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    open_low: bool = False,
    open_high: bool = False,
) -> None:
    """Raises unless an argument is a finite real scalar in a range. The value of a traced number is not checked.

    Args:
      name: of the argument, for the error.
      value: a Python number, a NumPy scalar or a scalar array, traced or not.
      low: least allowed value.
      high: largest allowed value.
      open_low: whether `low` itself is excluded.
      open_high: whether `high` itself is excluded.

    Raises:
      TypeError: the argument is not a real number: a bool, a string, a complex number or an array with axes.
      ValueError: it is not finite or not in the range.
    """
    wanted = f"{name} must be a finite number{_range(low, high, open_low, open_high)}"
    if isinstance(value, bool | np.bool_ | str | bytes) or not isinstance(
        value, numbers.Number | np.ndarray | np.generic | jax.Array
    ):
        raise TypeError(f"{wanted}, got {value!r}")
    dtype = jnp.result_type(value) if isinstance(value, jax.Array) else np.asarray(value).dtype
    if not (jnp.issubdtype(dtype, jnp.floating) or jnp.issubdtype(dtype, jnp.integer)):
        raise TypeError(f"{wanted}, got {value!r}")
    if jnp.ndim(value):
        raise TypeError(f"{wanted}, got an array of shape {jnp.shape(value)}")
    if isinstance(value, jax.core.Tracer):
        return
    number = float(value)
    too_low = number <= low if open_low else number < low
    too_high = number >= high if open_high else number > high
    # As float32, in which it will be used.
    if not math.isfinite(number) or abs(number) > np.finfo(np.float32).max or too_low or too_high:
        raise ValueError(f"{wanted}, got {value!r}")


def require_scalar(name: str, value: Any, **limits: Any) -> None:
    """Raises like `require_number`, with the same limits, unless an argument is a number or a schedule.

    A schedule is called with each step, and its values are not checked here.
    """
    if not callable(value):
        require_number(name, value, **limits)


def at_step(value: Scalar, step: ArrayLike) -> ArrayLike:
    """Returns the value of a hyperparameter at a step: the number itself, or what the schedule gives.

    >>> at_step(0.5, 10), at_step(lambda step: 2 * step, 10)
    (0.5, 20)
    """
    return value(step) if callable(value) else value


def is_zero(value: Any) -> bool:
    """Tells whether a hyperparameter is the Python number 0, so that what it scales can be left out."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and float(value) == 0.0


def _range(low: float, high: float, open_low: bool, open_high: bool) -> str:
    if math.isfinite(low) and math.isfinite(high):
        return f" in {'(' if open_low else '['}{low:g}, {high:g}{')' if open_high else ']'}"
    if math.isfinite(low):
        return f" {'>' if open_low else '>='} {low:g}"
    return f" {'<' if open_high else '<='} {high:g}" if math.isfinite(high) else ""
