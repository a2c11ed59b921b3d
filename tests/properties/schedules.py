"""Test cases for schedules."""

import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

from gumbel_gan import schedules
from tests.properties import strategies as s
from tests.properties.case import Case, arguments


def check_schedule(result, given):
    for step in (0, 1, np.int64(3), 2**30, jnp.int32(5)):
        value = result(step)
        assert value.shape == ()
        assert value.dtype == jnp.float32
        assert jnp.isfinite(value)


_STEPS = {"steps": s.integers(1, 10) | st.just(2**31)}
_NOT_STEPS = {"steps": s.integers_below(1)}


def _schedule(function, valid, invalid, steps=_STEPS, not_steps=_NOT_STEPS):
    return Case(function, arguments(**valid, **steps), invalid | not_steps, check_schedule)


_ENDS = {"init_value": s.NOT_NEGATIVE, "end_value": s.NOT_NEGATIVE}
_NOT_ENDS = {"init_value": s.NOT_WEIGHTS, "end_value": s.NOT_WEIGHTS}
CASES = {
    "schedules.constant": _schedule(schedules.constant, {"value": s.NOT_NEGATIVE}, {"value": s.NOT_WEIGHTS}, {}, {}),
    "schedules.linear": _schedule(schedules.linear, _ENDS, _NOT_ENDS),
    "schedules.cosine": _schedule(schedules.cosine, _ENDS, _NOT_ENDS),
    "schedules.exponential": _schedule(
        schedules.exponential,
        {"init_value": s.POSITIVE, "end_value": s.POSITIVE},
        {"init_value": s.NOT_POSITIVE, "end_value": s.NOT_POSITIVE},
    ),
    "schedules.piecewise_constant": _schedule(
        schedules.piecewise_constant, _ENDS | {"boundary": s.POSITIVE}, _NOT_ENDS | {"boundary": s.NOT_POSITIVE}
    ),
    "schedules.inverse_temperature_exponential": _schedule(
        schedules.inverse_temperature_exponential,
        {"max_inverse_temperature": s.POSITIVE},
        {"max_inverse_temperature": s.NOT_POSITIVE},
    ),
}
