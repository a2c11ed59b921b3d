import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from gumbel_gan.relaxation import concrete, gumbel

EXCLUDED = -jnp.inf

concrete_log_prob = jax.jit(concrete.concrete_log_prob)
exp_concrete_log_prob = jax.jit(concrete.exp_concrete_log_prob)
gumbel_log_softmax = jax.jit(gumbel.gumbel_log_softmax)
gumbel_softmax = jax.jit(gumbel.gumbel_softmax)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_density_of_two_symbols_is_that_of_a_shifted_logistic(temperature):
    # With K = 2, logit(y) = (a1 - a2 + L) / t with L standard logistic.
    logits = jnp.array([0.4, -0.9])
    y = np.linspace(0.05, 0.95, 19)
    points = jnp.stack([y, 1 - y], -1).astype(jnp.float32)
    ours = concrete_log_prob(points, jnp.broadcast_to(logits, points.shape), temperature)
    logit = np.log(y) - np.log1p(-y)
    exact = scipy.stats.logistic.logpdf(temperature * logit - 1.3) + np.log(temperature) - np.log(y * (1 - y))
    np.testing.assert_allclose(ours, exact, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("temperature", [0.05, 1.0, 4.0])
def test_log_space_density_of_two_symbols_is_that_of_the_log_ratio(temperature):
    # x1 - x2 = (a1 - a2 + L) / t with L standard logistic.
    log_ratio = np.linspace(-20, 20, 41) / temperature
    log_y = jnp.stack([-np.logaddexp(0, -log_ratio), -np.logaddexp(0, log_ratio)], -1).astype(jnp.float32)
    logits = jnp.broadcast_to(jnp.array([0.4, -0.9]), log_y.shape)
    ours = exp_concrete_log_prob(log_y, logits, temperature)
    exact = scipy.stats.logistic.logpdf(temperature * log_ratio - 1.3) + np.log(temperature)
    np.testing.assert_allclose(ours, exact, rtol=1e-4, atol=1e-4)


def test_density_of_three_symbols_integrates_to_one():
    # Midpoints of a grid over the unit square, mapped to the simplex by a Duffy transformation.
    u = (np.arange(600) + 0.5) / 600
    first, second = np.meshgrid(u, u, indexing="ij")
    y = np.stack([first, (1 - first) * second, (1 - first) * (1 - second)], -1).reshape(-1, 3)
    logits = jnp.broadcast_to(jnp.array([0.5, 0.0, -0.7]), y.shape)
    density = np.exp(concrete_log_prob(jnp.asarray(y, jnp.float32), logits, 0.8))
    assert np.mean(density * (1 - first.ravel())) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("temperature", [0.05, 0.7])
def test_log_space_density_of_three_symbols_integrates_to_one_over_the_log_ratios(temperature):
    grid = np.linspace(-40, 40, 401) / temperature
    ratios = np.stack([*np.meshgrid(grid, grid, indexing="ij"), np.zeros((401, 401))], -1)
    log_y = jax.nn.log_softmax(jnp.asarray(ratios, jnp.float32))
    logits = jnp.broadcast_to(jnp.array([0.5, 0.0, -0.7]), log_y.shape)
    density = np.exp(exp_concrete_log_prob(log_y, logits, temperature), dtype=np.float64)
    mass = scipy.integrate.trapezoid(scipy.integrate.trapezoid(density, grid), grid)
    assert mass == pytest.approx(1.0, abs=1e-3)


def test_the_mass_of_an_interval_is_that_of_scipy_quadrature():
    with jax.enable_x64(True):
        logits = jnp.array([0.4, -0.9])

        @jax.jit
        def density(ratio):
            log_y = jax.nn.log_softmax(jnp.stack([ratio, jnp.zeros_like(ratio)]))
            return jnp.exp(exp_concrete_log_prob(log_y, logits, 0.3))

        mass, _ = scipy.integrate.quad(lambda ratio: float(density(ratio)), -2.0, 5.0)
        exact = np.diff(scipy.stats.logistic.cdf(0.3 * np.array([-2.0, 5.0]) - 1.3))
        np.testing.assert_allclose(mass, exact, rtol=1e-7)


def test_the_two_densities_differ_by_the_change_of_variables():
    logits = jax.random.normal(jax.random.key(0), (50, 5))
    log_y = gumbel_log_softmax(jax.random.key(1), logits, 1.5)
    of_y = concrete_log_prob(jnp.exp(log_y), logits, 1.5)
    of_log_y = exp_concrete_log_prob(log_y, logits, 1.5)
    np.testing.assert_allclose(of_y + log_y.sum(-1), of_log_y, rtol=1e-4, atol=1e-4)


def test_a_mean_over_samples_is_the_integral_under_the_density():
    # The mean of any function under the samples equals its integral under the density.
    logits, num = jnp.array([0.4, -0.9]), 100_000
    y = np.asarray(gumbel_softmax(jax.random.key(3), jnp.tile(logits, (num, 1)), 0.6))[:, 0]
    grid = (np.arange(20_000) + 0.5) / 20_000
    points = jnp.stack([grid, 1 - grid], -1).astype(jnp.float32)
    density = np.exp(concrete_log_prob(points, jnp.broadcast_to(logits, points.shape), 0.6))
    expected = np.mean(density * grid**2)
    assert abs(np.mean(y**2) - expected) < 5 * np.std(y**2) / np.sqrt(num) + 1e-3


def test_log_space_samples_have_the_distribution_of_their_density_even_when_cold():
    log_y = gumbel_log_softmax(jax.random.key(0), jnp.tile(jnp.array([0.4, -0.9]), (20_000, 1)), 0.05)
    log_ratio = np.asarray(log_y[:, 0] - log_y[:, 1], np.float64)
    assert scipy.stats.kstest(0.05 * log_ratio - 1.3, scipy.stats.logistic.cdf).pvalue > 0.01


def test_cold_samples_have_a_defined_density_and_a_finite_one_in_log_space():
    logits = jnp.tile(jnp.array([0.3, -1.2, 2.0, 0.0]), (200, 1))
    y = gumbel_softmax(jax.random.key(0), logits, 0.05)
    assert (np.asarray(y) == 0).any(-1).sum() >= 50
    assert not np.isnan(concrete_log_prob(y, logits, 0.05)).any()
    log_y = gumbel_log_softmax(jax.random.key(0), logits, 0.05)
    score = jax.jit(jax.value_and_grad(lambda *args: exp_concrete_log_prob(*args).sum(), argnums=(0, 1, 2)))
    log_density, gradients = score(log_y, logits, 0.05)
    assert np.isfinite(log_density)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize(
    ("y", "temperature", "expected"),
    [
        ([0.0, 1.0], 0.5, np.inf),
        ([0.0, 1.0], 1.0, 0.0),  # uniform on the interval
        ([0.0, 1.0], 1.5, -np.inf),
        ([0.0, 0.4, 0.6], 0.4, np.inf),
        ([0.0, 0.4, 0.6], 0.6, -np.inf),
        ([0.0, 0.0, 1.0], 1.9, np.inf),
        ([0.0, 0.0, 1.0], 2.0, 0.0),  # 2! t^2 / 2^3
        ([0.0, 0.0, 1.0], 2.1, -np.inf),
    ],
)
def test_density_on_the_border_is_its_limit(y, temperature, expected):
    y = jnp.array(y)
    logits = jnp.zeros_like(y)
    value = concrete_log_prob(y, logits, temperature)
    np.testing.assert_allclose(value, expected, atol=1e-6)
    near = jnp.where(y == 0, 1e-30, y)
    near_value = concrete_log_prob(near, logits, temperature)
    np.testing.assert_allclose(np.clip(near_value, -3, 3), np.clip(value, -3, 3), atol=1e-4)
    gradients = jax.jit(jax.grad(concrete_log_prob, argnums=(0, 1, 2)))(y, logits, temperature)
    assert not any(np.isnan(gradient).any() for gradient in gradients)


def test_log_space_density_is_zero_where_a_logarithm_is_infinite():
    log_y = jnp.array([[-jnp.inf, 0.0], [-jnp.inf, 0.0]])
    np.testing.assert_array_equal(exp_concrete_log_prob(log_y, jnp.zeros((2, 2)), 0.1), -np.inf)


def test_excluded_symbols_leave_the_density_of_the_others():
    logits = jnp.array([0.5, EXCLUDED, 0.1])
    y, others, temperature = jnp.array([0.3, 0.0, 0.7]), jnp.array([0, 2]), 0.7
    for density, point in (
        (concrete_log_prob, y),
        (exp_concrete_log_prob, jnp.log(y)),
    ):
        expected = density(point[others], logits[others], temperature)
        np.testing.assert_allclose(density(point, logits, temperature), expected, rtol=1e-6)
        assert np.isfinite(jax.grad(density, argnums=1)(point, logits, temperature)).all()
    outside = jnp.array([0.3, 0.1, 0.6])
    assert concrete_log_prob(outside, logits, temperature) == -np.inf
    assert exp_concrete_log_prob(jnp.log(outside), logits, temperature) == -np.inf
    assert np.isnan(concrete_log_prob(y, jnp.array([0.5, jnp.nan, 0.1]), temperature))


def test_the_only_symbol_has_density_one():
    logits = jnp.array([[3.0], [-4.0]])
    np.testing.assert_allclose(concrete_log_prob(jnp.ones((2, 1)), logits, 0.3), 0.0, atol=1e-6)
    np.testing.assert_allclose(exp_concrete_log_prob(jnp.zeros((2, 1)), logits, 0.3), 0.0, atol=1e-6)


@pytest.mark.slow
def test_densities_are_of_float32_or_wider():
    logits = jnp.array([0.4, -0.9])
    for dtype, x64 in ((jnp.bfloat16, False), (jnp.float32, True), (jnp.float64, True)):
        with jax.enable_x64(x64):
            point = jnp.array([0.25, 0.75], dtype)
            for density in (concrete.concrete_log_prob, concrete.exp_concrete_log_prob):
                wanted = jnp.float64 if dtype == jnp.float64 else jnp.float32
                assert density(point, logits, np.float64(0.7)).dtype == wanted


@pytest.mark.parametrize("density", [concrete.concrete_log_prob, concrete.exp_concrete_log_prob])
def test_bad_arguments_are_named(density):
    name = {concrete.concrete_log_prob: "y", concrete.exp_concrete_log_prob: "log_y"}[density]
    point, logits = jnp.full(4, 0.25), jnp.zeros(4)
    for temperature in (0, -1.0, float("nan"), np.float32(0)):
        with pytest.raises(ValueError, match="temperature must be a finite number > 0, got"):
            density(point, logits, temperature)
    for temperature in (jnp.ones((4, 1)), True, "1"):
        with pytest.raises(TypeError, match="temperature must be a finite number > 0, got"):
            density(point, logits, temperature)
    with pytest.raises(ValueError, match=rf"^{name} must have the shape of logits, \(4,\), got \(2, 4\)"):
        density(jnp.full((2, 4), 0.25), logits, 1.0)
    with pytest.raises(TypeError, match="logits must be floating, got int32"):
        density(point, jnp.zeros(4, jnp.int32), 1.0)
    with pytest.raises(TypeError, match=f"^{name} must be floating, got int32"):
        density(jnp.zeros(4, jnp.int32), logits, 1.0)
    with pytest.raises(ValueError, match="must have at least 1 symbol on the last axis"):
        density(jnp.zeros((2, 0)), jnp.zeros((2, 0)), 1.0)
