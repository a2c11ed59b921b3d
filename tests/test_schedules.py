import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gumbel_gan import schedules

BETWEEN_TWO_ENDS = {
    "linear": schedules.linear,
    "cosine": schedules.cosine,
    "exponential": schedules.exponential,
    "piecewise_constant": lambda init, end, steps: schedules.piecewise_constant(init, end, 1.0, steps),
}
FROM_ZERO = {name: make for name, make in BETWEEN_TWO_ENDS.items() if name != "exponential"}


def test_hand_worked_values():
    assert float(schedules.constant(0.5)(123)) == 0.5
    assert float(schedules.constant(0)(123)) == 0.0
    paper = schedules.linear(5.0, 1.0, 20_000)
    np.testing.assert_allclose([paper(0), paper(5_000), paper(20_000), paper(30_000)], [5.0, 4.0, 1.0, 1.0])
    np.testing.assert_allclose(schedules.exponential(8.0, 2.0, 10)(5), 4.0, rtol=1e-6)
    np.testing.assert_allclose(schedules.cosine(4.0, 0.0001, 12)(4), 0.75 * 4.0 + 0.25 * 0.0001, rtol=1e-5)
    relgan = schedules.inverse_temperature_exponential(100.0, 10)
    np.testing.assert_allclose([relgan(0), relgan(5), relgan(10), relgan(99)], [1.0, 0.1, 0.01, 0.01], rtol=1e-5)
    toth = schedules.piecewise_constant(0.02, 0.002, 0.025, 200)
    np.testing.assert_allclose([toth(0), toth(4), toth(5), toth(200)], [0.02, 0.02, 0.002, 0.002], rtol=1e-6)


def test_they_agree_with_optax_where_optax_has_them():
    steps = np.arange(0, 150, 7)
    for ours, theirs in (
        (schedules.linear(5.0, 1.0, 100), optax.linear_schedule(5.0, 1.0, 100)),
        (schedules.cosine(1e-3, 5e-5, 100), optax.cosine_decay_schedule(1e-3, 100, alpha=0.05)),
        (schedules.exponential(2.0, 0.02, 100), optax.exponential_decay(2.0, 100, 0.01, end_value=0.02)),
        (schedules.piecewise_constant(1.0, 0.1, 0.5, 100), optax.piecewise_constant_schedule(1.0, {50: 0.1})),
    ):
        np.testing.assert_allclose(ours(steps), [theirs(step) for step in steps], rtol=2e-6)


@pytest.mark.parametrize("name", sorted(BETWEEN_TWO_ENDS))
@pytest.mark.parametrize("steps", [1, 7, 1_000])
def test_both_ends_are_exact_and_the_last_is_kept(name, steps):
    schedule = BETWEEN_TWO_ENDS[name](0.3, 0.1, steps)
    ends = np.float32([0.3, 0.1, 0.1])
    np.testing.assert_array_equal([schedule(0), schedule(steps), schedule(10 * steps)], ends)
    values = np.array([schedule(step) for step in range(min(steps, 50) + 1)])
    assert (np.diff(values) <= 0).all()


@pytest.mark.parametrize("name", sorted(FROM_ZERO))
def test_zero_is_a_fine_end(name):
    rising, falling = FROM_ZERO[name](0, 2.0, 10), FROM_ZERO[name](2.0, 0.0, 10)
    np.testing.assert_array_equal([rising(0), rising(10), falling(0), falling(10)], [0.0, 2.0, 2.0, 0.0])


@pytest.mark.parametrize("name", sorted(BETWEEN_TWO_ENDS))
def test_steps_and_ends_may_be_traced(name):
    init, end = np.float32([5.0, 1.0, 0.5]), np.float32([1.0, 3.0, 0.5])
    value = jax.jit(jax.vmap(lambda init, end, step: BETWEEN_TWO_ENDS[name](init, end, 10)(step), (0, 0, None)))
    for step in (0, 4, 10):
        one_by_one = [BETWEEN_TWO_ENDS[name](*ends, 10)(step) for ends in zip(init.tolist(), end.tolist(), strict=True)]
        np.testing.assert_allclose(value(init, end, jnp.int32(step)), one_by_one, rtol=1e-6)


def test_the_other_scalars_may_be_traced():
    constants = jax.vmap(lambda value: schedules.constant(value)(5))(jnp.array([0.0, 0.8]))
    np.testing.assert_array_equal(constants, np.float32([0.0, 0.8]))
    shares = jax.vmap(lambda share: schedules.piecewise_constant(1.0, 0.0, share, 10)(5))(jnp.array([0.3, 0.8]))
    np.testing.assert_array_equal(shares, [0.0, 1.0])
    highest = jax.vmap(lambda highest: schedules.inverse_temperature_exponential(highest, 10)(10))
    np.testing.assert_allclose(highest(jnp.array([10.0, 100.0])), [0.1, 0.01], rtol=1e-6)


@pytest.mark.parametrize("x64", [False, True])
def test_values_are_float32_whatever_the_default(x64):
    with jax.enable_x64(x64):
        makers = [make(5.0, 1.0, 10) for make in BETWEEN_TWO_ENDS.values()]
        for schedule in (*makers, schedules.inverse_temperature_exponential(100, 10), schedules.constant(1)):
            for step in (3, np.int64(3), jnp.int32(3), jnp.float32(3)):
                value = jax.jit(schedule)(step)
                assert value.dtype == jnp.float32
                assert value.shape == ()


@pytest.mark.parametrize("name", sorted(BETWEEN_TWO_ENDS))
def test_bad_arguments_are_named(name):
    make = BETWEEN_TWO_ENDS[name]
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        make(1.0, 0.5, 0)
    for steps in (1.5, True, "10"):
        with pytest.raises(TypeError, match="steps must be an integer, got"):
            make(1.0, 0.5, steps)
    for value in (-1, 1e300, float("nan"), np.float32(-1), jnp.float32(-1)):
        with pytest.raises(ValueError, match=r"init_value must be a finite number >=? 0, got"):
            make(value, 1.0, 10)
        with pytest.raises(ValueError, match=r"end_value must be a finite number >=? 0, got"):
            make(1.0, value, 10)
    for value in ("a", True, 1 + 2j, [], np.ones(3), None):
        with pytest.raises(TypeError, match=r"end_value must be a finite number >=? 0, got"):
            make(1.0, value, 10)


def test_bad_arguments_of_the_others_are_named():
    for value in (-1, 1e300, float("nan"), jnp.float32(-1)):
        with pytest.raises(ValueError, match="value must be a finite number >= 0, got"):
            schedules.constant(value)
    for value in (1 + 2j, [], True, "1", np.ones(3), None):
        with pytest.raises(TypeError, match="value must be a finite number >= 0, got"):
            schedules.constant(value)
    for ends in ((0.0, 1.0), (1.0, 0.0)):
        with pytest.raises(ValueError, match=r"_value must be a finite number > 0, got 0\.0"):
            schedules.exponential(*ends, 10)
    with pytest.raises(ValueError, match="boundary must be a finite number > 0, got 0"):
        schedules.piecewise_constant(1.0, 0.0, 0, 10)
    with pytest.raises(ValueError, match="max_inverse_temperature must be a finite number > 0, got 0"):
        schedules.inverse_temperature_exponential(0, 10)
    with pytest.raises(TypeError, match="max_inverse_temperature must be a finite number > 0, got True"):
        schedules.inverse_temperature_exponential(True, 10)
    with pytest.raises(ValueError, match="steps must be at least 1"):
        schedules.inverse_temperature_exponential(100.0, 0)
