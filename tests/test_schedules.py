import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan import schedules

SPANNING = {
    "linear": lambda steps: schedules.linear(5.0, 1.0, steps),
    "exponential": lambda steps: schedules.exponential(5.0, 1.0, steps),
    "cosine": lambda steps: schedules.cosine(5.0, 1.0, steps),
}


def test_hand_worked_values():
    assert float(schedules.constant(0.7)(123)) == pytest.approx(0.7)
    paper = schedules.linear(5.0, 1.0, 20_000)
    np.testing.assert_allclose([paper(0), paper(5_000), paper(20_000), paper(30_000)], [5.0, 4.0, 1.0, 1.0])
    np.testing.assert_allclose(schedules.exponential(8.0, 2.0, 10)(5), 4.0, rtol=1e-6)
    np.testing.assert_allclose(schedules.cosine(4.0, 0.0001, 12)(4), 0.75 * 4.0 + 0.25 * 0.0001, rtol=1e-5)
    relgan = schedules.inverse_temperature_exponential(100.0, 10)
    np.testing.assert_allclose([relgan(0), relgan(5), relgan(10), relgan(99)], [1.0, 0.1, 0.01, 0.01], rtol=1e-5)


@pytest.mark.parametrize("name", sorted(SPANNING))
@pytest.mark.parametrize("steps", [1, 7, 1_000])
def test_the_end_value_is_reached_and_kept(name, steps):
    schedule = SPANNING[name](steps)
    np.testing.assert_allclose([schedule(0), schedule(steps), schedule(10 * steps)], [5.0, 1.0, 1.0], rtol=1e-6)
    values = np.array([schedule(step) for step in range(min(steps, 50) + 1)])
    assert (np.diff(values) <= 0).all()


def test_steps_and_end_points_may_be_traced():
    def value(step, end):
        return schedules.linear(5.0, end, 10)(step)

    values = jax.jit(jax.vmap(value, in_axes=(None, 0)))(jnp.int32(5), jnp.array([1.0, 3.0]))
    np.testing.assert_allclose(values, [3.0, 4.0])


@pytest.mark.parametrize("name", sorted(SPANNING))
def test_nonsense_is_named(name):
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        SPANNING[name](0)
    with pytest.raises(TypeError, match=r"steps must be an integer, got 1\.5"):
        SPANNING[name](1.5)
    make = getattr(schedules, name)
    with pytest.raises(ValueError, match=r"end_value must be a finite number > 0, got 0\.0"):
        make(1.0, 0.0, 10)
    with pytest.raises(ValueError, match="init_value must be a finite number > 0, got -1"):
        make(-1, 1.0, 10)
    with pytest.raises(TypeError, match="init_value must be a number, got 'a'"):
        make("a", 1.0, 10)


def test_nonsense_of_the_others_is_named():
    with pytest.raises(ValueError, match="value must be a finite number > 0, got nan"):
        schedules.constant(float("nan"))
    with pytest.raises(ValueError, match="max_inverse_temperature must be a finite number > 0, got 0"):
        schedules.inverse_temperature_exponential(0, 10)
    with pytest.raises(ValueError, match="steps must be at least 1"):
        schedules.inverse_temperature_exponential(100.0, 0)
