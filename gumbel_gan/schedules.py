"""Schedules for temperatures, learning rates and penalty weights.

Each is an `optax.Schedule`: it maps a step, which may be traced, to a value. Each checks its Python numbers when it
is made, because optax only logs a warning for some of what is wrong; traced values pass unchecked.
"""

import inspect
import numbers
from collections.abc import Callable, Mapping
from types import MappingProxyType

import jax.numpy as jnp
import optax
from jax.typing import ArrayLike


def _check_positive(**values: ArrayLike) -> None:
    for name, value in values.items():
        if isinstance(value, bool | str):
            raise TypeError(f"{name} must be a number, got {value!r}")
        if isinstance(value, numbers.Real) and not 0 < float(value) < float("inf"):
            raise ValueError(f"{name} must be a finite number > 0, got {value!r}")


def _check_steps(steps: int) -> None:
    if isinstance(steps, bool) or not isinstance(steps, numbers.Integral):
        raise TypeError(f"steps must be an integer, got {steps!r}")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")


def constant(value: ArrayLike) -> optax.Schedule:
    """Gives a schedule that stays at one value.

    Args:
      value: number > 0.

    Raises:
      ValueError: `value` is a Python number that is not finite and > 0.
    """
    _check_positive(value=value)
    return optax.constant_schedule(value)


def linear(init_value: ArrayLike, end_value: ArrayLike, steps: int) -> optax.Schedule:
    """Gives a straight line from `init_value` to `end_value`, which it keeps after `steps`.

    The paper's temperature is `linear(5.0, 1.0, 20_000)`.

    Args:
      init_value: number > 0, the value at step 0.
      end_value: number > 0, the value at step `steps` and after.
      steps: length of the line, at least 1.

    Raises:
      TypeError: `steps` is not an integer.
      ValueError: an argument is out of its range.

    >>> float(linear(5.0, 1.0, 20_000)(10_000))
    3.0
    """
    _check_positive(init_value=init_value, end_value=end_value)
    _check_steps(steps)
    return optax.linear_schedule(init_value, end_value, steps)


def exponential(init_value: ArrayLike, end_value: ArrayLike, steps: int) -> optax.Schedule:
    """Gives init_value * (end_value / init_value) ** (step / steps), held at `end_value` after `steps`.

    Args:
      init_value: number > 0, the value at step 0.
      end_value: number > 0, the value at step `steps` and after.
      steps: length of the decay, at least 1.

    Raises:
      TypeError: `steps` is not an integer.
      ValueError: an argument is out of its range.

    >>> round(float(exponential(4.0, 1.0, 100)(50)), 5)
    2.0
    """
    _check_positive(init_value=init_value, end_value=end_value)
    _check_steps(steps)

    def schedule(step: ArrayLike) -> ArrayLike:
        return init_value * (end_value / init_value) ** jnp.clip(step / steps, 0.0, 1.0)

    return schedule


def cosine(init_value: ArrayLike, end_value: ArrayLike, steps: int) -> optax.Schedule:
    """Gives half a cosine wave from `init_value` to `end_value`, which it keeps after `steps`.

    Args:
      init_value: number > 0, the value at step 0.
      end_value: number > 0, the value at step `steps` and after.
      steps: length of the half wave, at least 1.

    Raises:
      TypeError: `steps` is not an integer.
      ValueError: an argument is out of its range.

    >>> round(float(cosine(3.0, 1.0, 100)(50)), 5)
    2.0
    """
    _check_positive(init_value=init_value, end_value=end_value)
    _check_steps(steps)
    return optax.cosine_decay_schedule(init_value, steps, alpha=end_value / init_value)


def piecewise_constant(init_value: ArrayLike, end_value: ArrayLike, boundary: ArrayLike, steps: int) -> optax.Schedule:
    """Gives `init_value`, and `end_value` from a share `boundary` of the `steps` on.

    Args:
      init_value: number > 0, the value before the boundary.
      end_value: number > 0, the value at the boundary and after.
      boundary: number > 0, at most 1 where it is to be reached within `steps`.
      steps: at least 1.

    Raises:
      TypeError: `steps` is not an integer.
      ValueError: an argument is out of its range.

    >>> schedule = piecewise_constant(0.02, 0.002, 0.25, 100)
    >>> round(float(schedule(24)), 5), round(float(schedule(25)), 5)
    (0.02, 0.002)
    """
    _check_positive(init_value=init_value, end_value=end_value, boundary=boundary)
    _check_steps(steps)
    return lambda step: jnp.where(step < boundary * steps, init_value, end_value)


def inverse_temperature_exponential(max_inverse_temperature: ArrayLike, steps: int) -> optax.Schedule:
    """Gives RelGAN's temperature, 1 / beta with beta = max_inverse_temperature ** (step / steps).

    Args:
      max_inverse_temperature: number > 0, the inverse temperature at step `steps` and after.
      steps: length of the rise, at least 1.

    Raises:
      TypeError: `steps` is not an integer.
      ValueError: an argument is out of its range.

    References:
      Nie et al. 2019, section 2.3, https://openreview.net/forum?id=rJedV3R5tm.

    >>> round(float(inverse_temperature_exponential(100.0, 10)(10)), 5)
    0.01
    """
    _check_positive(max_inverse_temperature=max_inverse_temperature)
    _check_steps(steps)
    return exponential(1.0, 1.0 / max_inverse_temperature, steps)


SCHEDULES: Mapping[str, Callable[..., optax.Schedule]] = MappingProxyType(
    {
        "constant": constant,
        "linear": linear,
        "exponential": exponential,
        "cosine": cosine,
        "piecewise_constant": piecewise_constant,
        "inverse_temperature_exponential": inverse_temperature_exponential,
    }
)


def spans_steps(name: str) -> bool:
    """Tells whether the schedule of that name has a length, an argument `steps`."""
    return "steps" in inspect.signature(SCHEDULES[name]).parameters
