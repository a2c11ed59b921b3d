"""Schedules for temperatures, learning rates and penalty weights, between values that may be traced.

Each function returns an `optax.Schedule`, which maps a step to a float32 value for any default dtype. The step and the
initial and end values may be traced, so that they can be vmapped. The number of steps is static.

With s = min(step / steps, 1) the completed share of the steps, i the initial value and e the end value, which is
reached exactly and kept from then on:

    constant                           i
    linear                             (1 - s) i + s e
    cosine                             (1 - w) i + w e, with w = (1 - cos(pi s)) / 2
    exponential                        i^(1 - s) e^s
    piecewise_constant                 i before step (boundary * steps), then e
    inverse_temperature_exponential    1 / b^s, with b the largest inverse temperature

Differences from optax: `optax.constant_schedule` does not check its value, and `optax.linear_schedule` only logs a
number of steps below 1. `optax.cosine_decay_schedule` and `optax.exponential_decay` take the end value as a ratio to
the initial value, so that no schedule can begin at 0, and the ratio of the latter cannot be traced.
`optax.piecewise_constant_schedule` takes integer boundaries and factors. optax has no equivalent of the last.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_at_least, require_number


def constant(value: ArrayLike) -> optax.Schedule:
    """Returns a constant schedule. A hyperparameter of type `Scalar` may also be the number itself.

    Args:
      value: number >= 0; may be traced.

    Raises:
      TypeError: `value` is not a scalar number.
      ValueError: `value` is negative or not finite.

    >>> float(constant(0.5)(10_000))
    0.5
    """
    require_number("value", value, low=0)
    return lambda step: jnp.asarray(value, jnp.float32)


def linear(init_value: ArrayLike, end_value: ArrayLike, steps: int) -> optax.Schedule:
    """Returns a linear schedule from `init_value` to `end_value`, which is kept after `steps`.

    The temperature of Kusner & Hernández-Lobato 2016 is `linear(5.0, 1.0, 20_000)`.

    Args:
      init_value: number >= 0, the value at step 0; may be traced.
      end_value: number >= 0, the value at step `steps` and after; may be traced.
      steps: number of steps to the end value, at least 1; static.

    Raises:
      TypeError: `steps` is not an integer, or another argument is not a scalar number.
      ValueError: an argument is out of range.

    >>> float(linear(5.0, 1.0, 20_000)(10_000))
    3.0
    """
    require_number("init_value", init_value, low=0)
    require_number("end_value", end_value, low=0)
    require_at_least(1, steps=steps)
    return lambda step: _between(init_value, end_value, _share(step, steps))


def cosine(init_value: ArrayLike, end_value: ArrayLike, steps: int) -> optax.Schedule:
    """Returns a half-cosine schedule from `init_value` to `end_value`, which is kept after `steps`.

    Args:
      init_value: number >= 0, the value at step 0; may be traced.
      end_value: number >= 0, the value at step `steps` and after; may be traced.
      steps: number of steps to the end value, at least 1; static.

    Raises:
      TypeError: `steps` is not an integer, or another argument is not a scalar number.
      ValueError: an argument is out of range.

    References:
      Loshchilov & Hutter 2017, equation 5, https://arxiv.org/abs/1608.03983.

    >>> round(float(cosine(3.0, 1.0, 100)(50)), 5)
    2.0
    """
    require_number("init_value", init_value, low=0)
    require_number("end_value", end_value, low=0)
    require_at_least(1, steps=steps)
    return lambda step: _between(init_value, end_value, 0.5 * (1 - jnp.cos(jnp.pi * _share(step, steps))))


def exponential(init_value: ArrayLike, end_value: ArrayLike, steps: int) -> optax.Schedule:
    """Returns a geometric schedule from `init_value` to `end_value`, which is kept after `steps`.

    Args:
      init_value: number > 0, the value at step 0; may be traced.
      end_value: number > 0, the value at step `steps` and after; may be traced.
      steps: number of steps to the end value, at least 1; static.

    Raises:
      TypeError: `steps` is not an integer, or another argument is not a scalar number.
      ValueError: an argument is out of range.

    >>> round(float(exponential(4.0, 1.0, 100)(50)), 5)
    2.0
    """
    require_number("init_value", init_value, low=0, open_low=True)
    require_number("end_value", end_value, low=0, open_low=True)
    require_at_least(1, steps=steps)

    def schedule(step: ArrayLike) -> jax.Array:
        share = _share(step, steps)
        return jnp.asarray(init_value, jnp.float32) ** (1 - share) * jnp.asarray(end_value, jnp.float32) ** share

    return schedule


def piecewise_constant(init_value: ArrayLike, end_value: ArrayLike, boundary: ArrayLike, steps: int) -> optax.Schedule:
    """Returns a schedule that is `init_value` before step `boundary * steps`, and `end_value` from then on.

    Args:
      init_value: number >= 0, the value before the boundary; may be traced.
      end_value: number >= 0, the value at the boundary and after; may be traced.
      boundary: number > 0, the boundary as a share of `steps`; at most 1 to be reached within `steps`; may be traced.
      steps: number of steps that `boundary` is a share of, at least 1; static.

    Raises:
      TypeError: `steps` is not an integer, or another argument is not a scalar number.
      ValueError: an argument is out of range.

    >>> schedule = piecewise_constant(0.02, 0.002, 0.25, 100)
    >>> round(float(schedule(24)), 5), round(float(schedule(25)), 5)
    (0.02, 0.002)
    """
    require_number("init_value", init_value, low=0)
    require_number("end_value", end_value, low=0)
    require_number("boundary", boundary, low=0, open_low=True)
    require_at_least(1, steps=steps)

    def schedule(step: ArrayLike) -> jax.Array:
        if isinstance(boundary, jax.core.Tracer):
            first_step = jnp.asarray(boundary, jnp.float32) * float(steps)
        else:
            # Not in the dtype of the boundary, in which the product could overflow.
            largest = float(jnp.finfo(jnp.float32).max)
            first_step = jnp.asarray(min(float(np.asarray(boundary)) * steps, largest), jnp.float32)
        is_over = jnp.asarray(step, jnp.float32) >= first_step
        return _between(init_value, end_value, jnp.asarray(is_over, jnp.float32))

    return schedule


def inverse_temperature_exponential(max_inverse_temperature: ArrayLike, steps: int) -> optax.Schedule:
    """Returns RelGAN's temperature schedule, 1 / beta with beta = max_inverse_temperature ** (step / steps).

    Args:
      max_inverse_temperature: number > 0, the inverse temperature at step `steps` and after; may be traced.
      steps: number of steps to the largest inverse temperature, at least 1; static.

    Raises:
      TypeError: `steps` is not an integer, or `max_inverse_temperature` is not a scalar number.
      ValueError: an argument is out of range.

    References:
      Nie et al. 2019, section 2.3, https://openreview.net/forum?id=rJedV3R5tm.

    >>> round(float(inverse_temperature_exponential(100.0, 10)(10)), 5)
    0.01
    """
    require_number("max_inverse_temperature", max_inverse_temperature, low=0, open_low=True)
    require_at_least(1, steps=steps)
    return lambda step: 1 / jnp.asarray(max_inverse_temperature, jnp.float32) ** _share(step, steps)


def _share(step: ArrayLike, steps: int) -> jax.Array:
    """Returns the completed share of the steps, in [0, 1]."""
    return jnp.clip(jnp.asarray(step, jnp.float32) / float(steps), 0.0, 1.0)


def _between(init_value: ArrayLike, end_value: ArrayLike, weight: jax.Array) -> jax.Array:
    """Interpolates in float32; the result is exact at weights of 0 and 1."""
    return (1 - weight) * jnp.asarray(init_value, jnp.float32) + weight * jnp.asarray(end_value, jnp.float32)
