import fractions

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan.arguments import at_step, is_zero, require_at_least, require_number, require_one_of, require_scalar


@pytest.mark.parametrize("value", [0, 0.5, 1, np.float32(0.5), np.int64(1), np.array(0.5), jnp.bfloat16(1)])
def test_real_scalars_of_every_kind_in_the_range_pass(value):
    require_number("rate", value, low=0, high=1)
    require_scalar("rate", value, low=0, high=1)


@pytest.mark.parametrize(
    "value",
    [
        *(True, np.True_, jnp.bool_(True), "1", b"1", np.str_("1"), 1 + 2j, jnp.complex64(1), None, [], [1.0]),
        *(np.array(None), fractions.Fraction(1, 2), np.datetime64(1, "s"), jax.random.key(0)),
    ],
    ids=repr,
)
def test_what_is_no_real_number_is_a_type_error(value):
    with pytest.raises(TypeError, match=r"^rate must be a finite number, got "):
        require_number("rate", value)
    with pytest.raises(TypeError, match=r"^rate must be a finite number, got "):
        require_scalar("rate", value)


@pytest.mark.parametrize("shape", [(1,), (3, 1), (0,)])
def test_arrays_with_axes_are_a_type_error_traced_or_not(shape):
    for zeros in (np.zeros(shape, np.float32), jnp.zeros(shape, jnp.float32)):
        with pytest.raises(TypeError, match=rf"rate must be a finite number, got an array of shape \({shape[0]},"):
            require_number("rate", zeros)
    with pytest.raises(TypeError, match="got an array of shape"):
        jax.jit(lambda rate: require_number("rate", rate))(jnp.zeros(shape, jnp.float32))


@pytest.mark.parametrize(
    ("value", "limits", "wanted"),
    [
        (-0.1, {"low": 0}, ">= 0"),
        (0, {"low": 0, "open_low": True}, "> 0"),
        (np.float32(0), {"low": 0, "open_low": True}, "> 0"),
        (jnp.float32(-1), {"low": 0, "open_low": True}, "> 0"),
        (np.array(-1), {"low": 0}, ">= 0"),
        (2.0, {"high": 1}, "<= 1"),
        (1.0, {"high": 1, "open_high": True}, "< 1"),
        (1.5, {"low": 0, "high": 1}, r"in \[0, 1\]"),
        (0.0, {"low": 0, "high": 1, "open_low": True, "open_high": True}, r"in \(0, 1\)"),
    ],
)
def test_numbers_outside_the_range_are_a_value_error(value, limits, wanted):
    with pytest.raises(ValueError, match=rf"^rate must be a finite number {wanted}, got "):
        require_number("rate", value, **limits)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e39, -1e300, np.float64(1e300)])
def test_numbers_that_are_not_finite_in_float32_are_a_value_error(value):
    with pytest.raises(ValueError, match="rate must be a finite number, got"):
        require_number("rate", value)


def test_numbers_that_float32_rounds_to_an_open_end_are_a_value_error():
    with pytest.raises(ValueError, match=r"temperature must be a finite number > 0, got 1e-46"):
        require_number("temperature", 1e-46, low=0, open_low=True)
    with pytest.raises(ValueError, match=r"decay must be a finite number in \[0, 1\), got 0\.9999999999"):
        require_number("decay", 0.9999999999, low=0, high=1, open_high=True)
    require_number("decay", 0.9999999, low=0, high=1, open_high=True)
    require_number("temperature", 1e-37, low=0, open_low=True)


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, np.int64(2**40), 10**400])
def test_integers_that_jax_can_not_take_are_a_value_error(value):
    with pytest.raises(ValueError, match="scale must be a finite number, and an integer must fit in 32 bits, got"):
        require_number("scale", value)


def test_traced_numbers_pass_unchecked():
    assert jax.vmap(lambda rate: require_number("rate", rate, low=0) or 2 * rate)(jnp.array([-1.0, 1.0])).shape == (2,)


def test_a_schedule_is_a_scalar_and_is_evaluated_at_a_step():
    require_scalar("rate", lambda step: -step, low=0)
    assert at_step(lambda step: 2 * step, 10) == 20
    assert at_step(0.5, 10) == 0.5
    with pytest.raises(ValueError, match="rate must be a finite number >= 0, got -1"):
        require_scalar("rate", -1, low=0)


def test_only_the_python_number_is_zero():
    assert [is_zero(value) for value in (0, 0.0, np.float32(0))] == [True, True, True]
    assert [is_zero(value) for value in (False, 1e-9, None, jnp.float32(0), lambda step: 0)] == [False] * 5


def test_sizes_and_names_are_checked():
    require_at_least(1, num=1, size=np.int32(7))
    with pytest.raises(ValueError, match="num must be at least 1, got 0"):
        require_at_least(1, num=0)
    for value in (True, 1.0, "1", None):
        with pytest.raises(TypeError, match="num must be an integer, got"):
            require_at_least(1, num=value)
    require_one_of(("low", "high"), mode="low")
    for value in ("lwo", None, np.array(["low", "high"]), ["low"]):
        with pytest.raises(ValueError, match="mode must be one of low, high; got"):
            require_one_of(("low", "high"), mode=value)
