"""Hypothesis strategies for valid arguments, invalid arguments, and arguments that may raise an error."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

FLOAT_DTYPES = (jnp.float32, jnp.bfloat16, jnp.float16)
FINITE = (0.0, 1.0, -1.0, 0.25, -3.5, 1e4, -1e4)
NOT_FINITE = (float("nan"), float("inf"), -float("inf"))

# Values that no argument accepts as an array.
NOT_ARRAYS = st.sampled_from(("1", None, object(), {"a": 1}, "text", b"1", [[1.0], [1.0, 2.0]], [None]))


def array(shape, values, dtype):
    """Draws an array of the given shape and dtype, with entries from `values`."""
    size = int(np.prod(shape))
    return st.lists(st.sampled_from(values), min_size=size, max_size=size).map(
        lambda drawn: jnp.asarray(np.array(drawn, np.float64).reshape(shape), dtype)
    )


def floats(*shapes, values=FINITE, dtypes=FLOAT_DTYPES):
    """Draws a finite floating array of one of the shapes."""
    return st.tuples(st.sampled_from(shapes), st.sampled_from(dtypes)).flatmap(
        lambda both: array(both[0], values, both[1])
    )


def of_one_dtype(*, values=FINITE, **shapes):
    """Draws floating arrays of the given shapes and one common dtype, by name."""
    return st.sampled_from(FLOAT_DTYPES).flatmap(
        lambda dtype: st.fixed_dictionaries({name: array(shape, values, dtype) for name, shape in shapes.items()})
    )


def like(shape, *names, values=FINITE):
    """Draws floating arrays of the given shape and one common dtype, by name."""
    return of_one_dtype(values=values, **dict.fromkeys(names, shape))


def tokens(*shapes, num_symbols, dtypes=(jnp.int32, jnp.uint8)):
    """Draws an array of tokens of one of the shapes."""
    return st.tuples(st.sampled_from(shapes), st.sampled_from(dtypes)).flatmap(
        lambda both: array(both[0], tuple(range(num_symbols)), both[1])
    )


def not_floating(*shapes):
    """Draws values that are not floating arrays: arrays of integers, bools or complex numbers, and other objects."""
    return floats(*shapes, values=(0, 1), dtypes=(jnp.int32, jnp.bool, jnp.complex64)) | NOT_ARRAYS


def not_integers(*shapes):
    """Draws values that are not arrays of integers."""
    return floats(*shapes, values=(0, 1), dtypes=(jnp.float32, jnp.bool, jnp.complex64)) | NOT_ARRAYS


def not_finite(*shapes):
    """Draws floating arrays that may hold NaN and infinities."""
    return floats(*shapes, values=(*NOT_FINITE, 0.0, 1e4))


KEYS = st.integers(0, 3).map(jax.random.key)
NOT_KEYS = st.sampled_from((None, 0, "key", np.zeros(2, np.uint32), jnp.zeros((2,), jnp.float32))) | st.just(2).map(
    lambda num: jax.random.split(jax.random.key(0), num)
)

NOT_NUMBERS = st.sampled_from(
    (
        True,
        np.bool_(True),
        "1",
        None,
        1 + 2j,
        np.complex64(1),
        (1.0,),
        np.ones(1, np.float32),
        jnp.ones((2, 1), jnp.float32),
        jnp.ones((), jnp.bool),
        float("nan"),
        float("inf"),
        -float("inf"),
        np.float32("nan"),
        jnp.float32("inf"),
        10**400,
        1e300,
        -1e300,
    )
)
POSITIVE = st.sampled_from((1, 1.0, 0.05, 1e-30, 5.0, 1e30, np.float64(0.5), np.int64(2), np.ones((), np.float16))) | (
    st.sampled_from((0.5, 3.0)).map(lambda value: jnp.asarray(value, jnp.bfloat16))
)
NEGATIVE = st.sampled_from((-1, -0.5, np.float32(-2), np.int32(-1))) | st.just(-1).map(jnp.float32)
NOT_POSITIVE = NOT_NUMBERS | NEGATIVE | st.sampled_from((0, 0.0, -0.0, np.float32(0), 1e-310))
SHARES = st.sampled_from((0, 0.0, 0.5, np.float32(0.25), 0.999))
NOT_SHARES = NOT_NUMBERS | NEGATIVE | st.sampled_from((1.5, 2, np.float64(1.001)))
NOT_NEGATIVE = POSITIVE | st.sampled_from((0, 0.0))
NOT_WEIGHTS = NOT_NUMBERS | NEGATIVE

NOT_INTEGERS = st.sampled_from((True, 1.0, 1.5, "2", None, (1,), np.float32(1), float("nan"), 1j, [2]))
NOT_BOOLS = st.sampled_from((None, "false", 2, 0.0, [], np.zeros(2, bool)))
SEEDS = st.sampled_from((0, 1, np.int64(7), 2**32 - 1))
NOT_SEEDS = NOT_INTEGERS | st.sampled_from((-1, np.int64(-5)))
HUGE_SEEDS = st.sampled_from((2**32, 2**40, 10**30))


def integers(least, most):
    """Draws Python and NumPy integers."""
    return st.integers(least, most) | st.integers(least, most).map(np.int32)


def integers_below(least):
    """Draws values that are not integers of at least `least`."""
    return NOT_INTEGERS | st.integers(-3, least - 1) | st.just(-(10**20))


def not_one_of(*known):
    """Draws values that are not one of the strings `known`."""
    return st.sampled_from(("other", "", 1, None, True, b"low", known[0].upper()))
