"""Checks of arguments, shared by the whole library."""

import math
import numbers
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jax.typing import ArrayLike

# A hyperparameter: a number, a traced number, or a schedule that maps the step to one.
Scalar = ArrayLike | Callable[[ArrayLike], ArrayLike]


def require_at_least(least: int, **arguments: int) -> None:
    """Checks that the named arguments are integers >= `least`.

    Raises:
      TypeError: an argument is not an integer.
      ValueError: an argument is less than `least`.
    """
    require_integer(**arguments)
    for name, value in arguments.items():
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")


def require_integer(**arguments: Any) -> None:
    """Raises TypeError unless the named arguments are integers of Python or NumPy, or symbolic dimensions."""
    for name, value in arguments.items():
        is_integer = isinstance(value, numbers.Integral) or export.is_symbolic_dim(value)
        if isinstance(value, bool) or not is_integer:
            raise TypeError(f"{name} must be an integer, got {value!r}")


def require_integers(**arguments: Any) -> None:
    """Raises TypeError unless the named arguments are arrays of integers, traced or not."""
    for name, value in arguments.items():
        if not isinstance(value, jax.Array | np.ndarray) or not jnp.issubdtype(value.dtype, jnp.integer):
            raise TypeError(f"{name} must be integers, got {getattr(value, 'dtype', type(value).__name__)}")


def require_symbols(num_symbols: int, **arguments: Any) -> None:
    """Checks that the named arguments are arrays of integers in [0, num_symbols); traced values are not checked.

    Raises:
      TypeError: an argument is not an array of integers.
      ValueError: a value is not in [0, num_symbols).
    """
    require_integers(**arguments)
    for name, value in arguments.items():
        if isinstance(value, jax.core.Tracer) or not value.size:
            continue
        # Computed in NumPy: under a trace, JAX also traces operations on constants.
        values = np.asarray(value)
        least, largest = int(values.min()), int(values.max())
        if least < 0 or largest >= num_symbols:
            raise ValueError(f"{name} must be in [0, {num_symbols}), got {least} to {largest}")


def require_one_of(known: Iterable[str], **arguments: str) -> None:
    """Raises ValueError unless each of the named arguments is one of the known strings."""
    known = tuple(known)
    for name, value in arguments.items():
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}")


def as_strings(**argument: Any) -> list[str]:
    """Returns the named argument as a list; raises TypeError unless it is a collection of strings."""
    ((name, value),) = argument.items()
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must be a sequence of strings, got {value!r:.80}")
    found = list(value)
    for index, each in enumerate(found):
        if not isinstance(each, str):
            raise TypeError(f"{name} must hold strings, got {each!r:.80} at index {index}")
    return found


def require_number(
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    open_low: bool = False,
    open_high: bool = False,
) -> None:
    """Checks that an argument is a finite real scalar in a range. The value of a traced number is not checked.

    The number is also checked after rounding to float32: it must still be finite, and must not round to an open end.

    Args:
      name: name of the argument, for the error message.
      value: a Python number, a NumPy scalar or a scalar array, traced or not.
      low: least allowed value.
      high: largest allowed value.
      open_low: whether `low` itself is excluded.
      open_high: whether `high` itself is excluded.

    Raises:
      TypeError: the argument is not a real number: a bool, a string, a complex number or an array with axes.
      ValueError: the argument is not finite or not in the range, or is an integer that does not fit in 32 bits.
    """
    wanted = f"{name} must be a finite number{_range(low, high, open_low, open_high)}"
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.ndarray | np.generic | jax.Array):
        raise TypeError(f"{wanted}, got {value!r}")
    if np.ndim(value):
        raise TypeError(f"{wanted}, got an array of shape {np.shape(value)}")
    dtype = np.dtype(type(value)) if isinstance(value, int | float) else value.dtype
    is_integer = jnp.issubdtype(dtype, jnp.integer)
    if not is_integer and not jnp.issubdtype(dtype, jnp.floating):
        raise TypeError(f"{wanted}, got {value!r}")
    if isinstance(value, jax.core.Tracer):
        return
    # Without x64, JAX converts an integer to int32, which cannot hold a larger one.
    if is_integer and not -(2**31) <= int(value) < 2**31:
        raise ValueError(f"{wanted}, and an integer must fit in 32 bits, got {value!r}")
    number, rounded = float(value), _as_float32(float(value))
    too_low = number < low or (open_low and min(number, rounded) <= low)
    too_high = number > high or (open_high and max(number, rounded) >= high)
    if not math.isfinite(rounded) or too_low or too_high:
        raise ValueError(f"{wanted}, got {value!r}")


def require_scalar(name: str, value: Any, **limits: Any) -> None:
    """Checks that an argument is a schedule, or a number that `require_number` accepts with the same limits.

    The values of a schedule are not checked.

    Raises:
      TypeError: the argument is neither a schedule nor a real number.
      ValueError: the argument is a number that is not finite or not in the range.
    """
    if not callable(value):
        require_number(name, value, **limits)


def require_kind(kind: type, **arguments: Any) -> None:
    """Raises TypeError unless the named arguments are instances of a class."""
    for name, value in arguments.items():
        if not isinstance(value, kind):
            raise TypeError(f"{name} must be a {kind.__name__}, got a {type(value).__name__}")


def require_callable(**arguments: Any) -> None:
    """Raises TypeError unless the named arguments can be called."""
    for name, value in arguments.items():
        if not callable(value):
            raise TypeError(f"{name} must be callable, got {value!r}")


def require_key(**arguments: Any) -> None:
    """Raises TypeError unless the named arguments are single typed PRNG keys, such as those of `jax.random.key`."""
    for name, key in arguments.items():
        if not isinstance(key, jax.Array) or not jnp.issubdtype(key.dtype, jax.dtypes.prng_key) or key.ndim:
            got = f"an array {key.dtype}[{', '.join(map(str, key.shape))}]" if isinstance(key, jax.Array) else repr(key)
            raise TypeError(f"{name} must be a single typed PRNG key, got {got}")


def at_step(value: Scalar, step: ArrayLike) -> Any:
    """Returns the value of a hyperparameter at a step: the number itself, or the value of the schedule.

    >>> at_step(0.5, 10), at_step(lambda step: 2 * step, 10)
    (0.5, 20)
    """
    return value(step) if callable(value) else value


def is_zero(value: Any) -> bool:
    """Returns whether a hyperparameter is the Python number 0, so that the term it scales can be left out."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and float(value) == 0.0


def _as_float32(number: float) -> float:
    """Returns a number as a device reads it in float32: rounded, inf if it is too large, 0 if it is subnormal."""
    limits = np.finfo(np.float32)
    if abs(number) < float(limits.tiny):
        return 0.0
    return float(np.float32(number)) if abs(number) <= float(limits.max) else math.copysign(math.inf, number)


def _range(low: float, high: float, open_low: bool, open_high: bool) -> str:
    if math.isfinite(low) and math.isfinite(high):
        return f" in {'(' if open_low else '['}{low:g}, {high:g}{')' if open_high else ']'}"
    if math.isfinite(low):
        return f" {'>' if open_low else '>='} {low:g}"
    return f" {'<' if open_high else '<='} {high:g}" if math.isfinite(high) else ""
