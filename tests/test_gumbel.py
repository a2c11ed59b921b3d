import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from gumbel_gan.relaxation import gumbel

LOGITS = np.array([0.3, -1.2, 2.0, 0.0], np.float32)
SAMPLERS = {
    "gumbel_max": gumbel.gumbel_max,
    "gumbel_softmax": functools.partial(gumbel.gumbel_softmax, temperature=0.7),
    "gumbel_log_softmax": functools.partial(gumbel.gumbel_log_softmax, temperature=0.7),
}


def total_variation_and_bound(tokens, logits):
    """Returns the total variation of frequencies and softmax(logits), and a bound: mean plus 5 standard errors."""
    probs = np.asarray(jax.nn.softmax(np.asarray(logits, np.float64)))
    shares = np.bincount(np.ravel(tokens), minlength=len(probs)) / np.size(tokens)
    # The mean is at most half the sum of the standard deviations. One sample changes the distance by at most 1 / N.
    bound = 0.5 * np.sqrt(probs * (1 - probs) / np.size(tokens)).sum() + 5 * 0.5 / np.sqrt(np.size(tokens))
    return 0.5 * np.abs(shares - probs).sum(), bound


def test_sample_gumbel_has_the_standard_gumbel_distribution():
    for mode in (None, "low", "high"):
        noise = np.asarray(gumbel.sample_gumbel(jax.random.key(0), (20_000,), mode=mode))
        assert scipy.stats.kstest(noise, scipy.stats.gumbel_r.cdf).pvalue > 0.01


@pytest.mark.slow
def test_high_noise_reaches_where_low_noise_ends():
    @jax.jit
    def count_above_16(key):
        def count(key):
            return jnp.sum(gumbel.sample_gumbel(key, (2**21,), mode="high") > 16, dtype=jnp.int32)

        return jax.lax.map(count, jax.random.split(key, 8)).sum(dtype=jnp.int32)

    expected = 2**24 * np.exp(-16.0)
    assert 0 < count_above_16(jax.random.key(0)) < expected + 5 * np.sqrt(expected)
    # -log(-log(1 - 2^-23)) is the largest value of low noise.
    assert gumbel.sample_gumbel(jax.random.key(0), (2**20,), mode="low").max() < 15.943


def test_modes_are_those_of_jax_and_decide_the_sample():
    logits = jnp.tile(LOGITS, (50, 1))
    for mode in ("low", "high"):
        noise = jax.random.gumbel(jax.random.key(3), logits.shape, jnp.float32, mode=mode)
        tokens = gumbel.gumbel_max(jax.random.key(3), logits, mode=mode)
        np.testing.assert_array_equal(tokens, jnp.argmax(logits + noise, -1))
        y = gumbel.gumbel_softmax(jax.random.key(3), logits, 0.5, mode=mode)
        np.testing.assert_array_equal(y, gumbel.relax(logits, noise, 0.5))
        log_y = gumbel.gumbel_log_softmax(jax.random.key(3), logits, 0.5, mode=mode)
        np.testing.assert_allclose(jnp.exp(log_y), y, rtol=1e-5)


def test_gumbel_max_has_the_softmax_distribution():
    num = 50_000
    tokens = np.asarray(gumbel.gumbel_max(jax.random.key(1), jnp.tile(LOGITS, (num, 1))))
    probs = np.asarray(jax.nn.softmax(LOGITS))
    shares = np.bincount(tokens, minlength=4) / num
    np.testing.assert_array_less(np.abs(shares - probs), 5 * np.sqrt(probs * (1 - probs) / num))


@pytest.mark.parametrize("dtype", [jnp.bfloat16, pytest.param(jnp.float16, marks=pytest.mark.slow)])
def test_gumbel_max_is_exact_for_narrow_logits_of_many_symbols(dtype):
    # Noise drawn in bfloat16 has a total variation of 0.3 here.
    logits = (2 * jax.random.normal(jax.random.key(0), (1_000,))).astype(dtype)

    @jax.jit
    def draw(key):
        tiled = jnp.broadcast_to(logits, (2_000, 1_000))
        return jax.lax.map(lambda key: gumbel.gumbel_max(key, tiled), jax.random.split(key, 10))

    tokens = draw(jax.random.key(1))
    assert tokens.dtype == jnp.int32
    distance, bound = total_variation_and_bound(tokens, logits)
    assert distance < bound < 0.13


def test_a_relaxed_sample_lies_on_the_simplex():
    y = gumbel.gumbel_softmax(jax.random.key(0), jnp.tile(LOGITS, (100, 1)), 0.7)
    np.testing.assert_allclose(y.sum(-1), 1.0, rtol=1e-6)
    assert (np.asarray(y) >= 0).all()


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16, jnp.float16, jnp.float8_e4m3fn])
def test_relaxed_samples_keep_the_dtype_but_are_computed_in_float32(dtype):
    logits = jnp.tile(LOGITS, (100, 1)).astype(dtype)
    y = gumbel.gumbel_softmax(jax.random.key(0), logits, 0.7)
    log_y = gumbel.gumbel_log_softmax(jax.random.key(0), logits, 0.7)
    assert (y.dtype, log_y.dtype) == (dtype, dtype)
    exact = gumbel.gumbel_softmax(jax.random.key(0), logits.astype(jnp.float32), 0.7)
    np.testing.assert_array_equal(y.astype(jnp.float32), exact.astype(dtype).astype(jnp.float32))
    assert gumbel.sample_gumbel(jax.random.key(0), (3,), dtype).dtype == dtype


def test_gumbel_softmax_sharpens_to_gumbel_max_and_flattens_to_uniform():
    noise = gumbel.sample_gumbel(jax.random.key(2), (1_000, 4))
    logits = jnp.broadcast_to(LOGITS, noise.shape)
    onehot = jax.nn.one_hot(jnp.argmax(logits + noise, -1), 4)
    np.testing.assert_allclose(gumbel.relax(logits, noise, 1e-5), onehot, atol=1e-6)
    np.testing.assert_allclose(gumbel.relax(logits, noise, 1e6), 0.25, atol=1e-4)


@pytest.mark.parametrize("temperature", [1e-37, 1e-5, 0.05, 1.0, 1e30])
def test_finite_logits_and_temperatures_never_give_nan(temperature):
    noise = gumbel.sample_gumbel(jax.random.key(2), (100, 4))
    logits = jnp.broadcast_to(jnp.array([1e4, -1e4, 9_999.0, 0.0]), noise.shape)
    y, pull_back = jax.vjp(lambda logits: gumbel.relax(logits, noise, temperature), logits)
    np.testing.assert_allclose(y.sum(-1), 1.0, rtol=1e-6)
    assert np.isfinite(pull_back(jnp.ones_like(y))[0]).all()
    assert np.isfinite(gumbel.gumbel_log_softmax(jax.random.key(0), logits, temperature)).all()


@pytest.mark.parametrize("temperature", [1e-30, 1e-12])
def test_compiled_samples_at_tiny_temperatures_are_one_hot(temperature):
    noise = gumbel.sample_gumbel(jax.random.key(2), (100, 4))
    y = jax.jit(lambda temperature: gumbel.relax(jnp.zeros_like(noise), noise, temperature))(temperature)
    np.testing.assert_array_equal(y, jax.nn.one_hot(noise.argmax(-1), 4))
    log_y = jax.jit(lambda temperature: gumbel.gumbel_log_softmax(jax.random.key(0), noise, temperature))(temperature)
    assert np.isfinite(log_y).all()


def test_excluded_symbols_are_never_drawn():
    logits = jnp.tile(jnp.array([0.0, -jnp.inf, 1.0]), (1_000, 1))
    assert not (gumbel.gumbel_max(jax.random.key(0), logits) == 1).any()
    np.testing.assert_array_equal(gumbel.gumbel_softmax(jax.random.key(0), logits, 0.5)[:, 1], 0.0)
    np.testing.assert_array_equal(gumbel.gumbel_log_softmax(jax.random.key(0), logits, 0.5)[:, 1], -np.inf)


def test_gumbel_softmax_is_differentiable_under_vmap_and_traced_temperature():
    logits = jnp.tile(LOGITS, (3, 1))
    keys = jax.random.split(jax.random.key(0), 3)
    sample = jax.jit(jax.vmap(gumbel.gumbel_softmax, in_axes=(0, 0, None)))
    gradient = jax.grad(lambda temperature: jnp.sum(sample(keys, logits, temperature) ** 2))(0.5)
    assert np.isfinite(gradient)
    assert gradient < 0  # samples are less sharp at higher temperatures


def test_temperatures_may_be_vmapped():
    logits = jnp.tile(LOGITS, (3, 1))
    temperatures = jnp.array([0.3, 2.0])
    together = jax.vmap(lambda temperature: gumbel.gumbel_softmax(jax.random.key(0), logits, temperature))(temperatures)
    for y, temperature in zip(together, (0.3, 2.0), strict=True):
        np.testing.assert_allclose(y, gumbel.gumbel_softmax(jax.random.key(0), logits, temperature), rtol=1e-5)


@pytest.mark.parametrize("shape", [(1,), (0, 4), (3, 0, 2), (2, 1)])
def test_one_symbol_and_no_rows_are_fine(shape):
    logits = np.zeros(shape, np.float32)
    tokens = gumbel.gumbel_max(jax.random.key(0), logits)
    assert (tokens.shape, tokens.dtype) == (shape[:-1], jnp.int32)
    assert gumbel.gumbel_softmax(jax.random.key(0), logits, 0.5).shape == shape
    assert gumbel.gumbel_log_softmax(jax.random.key(0), logits, 0.5).shape == shape


def test_the_only_symbol_is_always_drawn():
    logits = jnp.array([[3.0], [-4.0]])
    np.testing.assert_array_equal(gumbel.gumbel_max(jax.random.key(0), logits), [0, 0])
    np.testing.assert_array_equal(gumbel.gumbel_softmax(jax.random.key(0), logits, 0.5), [[1.0], [1.0]])


@pytest.mark.parametrize("value", [0, 0.0, -1.0, float("nan"), float("inf"), np.float32(0), jnp.float32(-1), 1e-46])
def test_a_temperature_out_of_range_is_named(value):
    for name in ("gumbel_softmax", "gumbel_log_softmax"):
        with pytest.raises(ValueError, match="temperature must be a finite number > 0, got"):
            SAMPLERS[name](jax.random.key(0), LOGITS, temperature=value)
    with pytest.raises(ValueError, match="temperature must be a finite number > 0, got"):
        gumbel.relax(LOGITS, jnp.zeros(4), value)


@pytest.mark.parametrize("value", [True, "1", None, np.ones(1), np.ones((4, 1)), jnp.ones((4, 1)), 1j])
def test_a_temperature_that_is_no_scalar_number_is_named(value):
    for name in ("gumbel_softmax", "gumbel_log_softmax"):
        with pytest.raises(TypeError, match="temperature must be a finite number > 0, got"):
            SAMPLERS[name](jax.random.key(0), np.tile(LOGITS, (4, 1)), temperature=value)
    with pytest.raises(TypeError, match="temperature must be a finite number > 0, got"):
        gumbel.relax(LOGITS, jnp.zeros(4), value)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_bad_logits_and_modes_are_named(name):
    sample = functools.partial(SAMPLERS[name], jax.random.key(0))
    with pytest.raises(TypeError, match="logits must be floating, got int32"):
        sample(jnp.array([1, 2]))
    with pytest.raises(TypeError, match="logits must have a last axis of symbols, got a scalar"):
        sample(jnp.array(1.0))
    with pytest.raises(ValueError, match=r"logits must have at least 1 symbol on the last axis, got shape \(3, 0\)"):
        sample(jnp.zeros((3, 0)))
    with pytest.raises(ValueError, match="mode must be one of low, high; got 'middle'"):
        sample(LOGITS, mode="middle")


@pytest.mark.parametrize("row", [[-np.inf, -np.inf], [np.nan, 0.0], [np.inf, 0.0]])
def test_rows_without_a_distribution_are_named(row):
    logits = jnp.array([[0.0, 1.0], row])
    with pytest.raises(ValueError, match="logits must have a finite largest value in each row, got NaN"):
        gumbel.gumbel_max(jax.random.key(0), logits)
    with pytest.raises(ValueError, match="logits must have a finite largest value in each row, got NaN"):
        jax.jit(lambda key: gumbel.gumbel_max(key, logits))(jax.random.key(0))
    # Traced logits cannot be checked.
    assert jax.jit(gumbel.gumbel_max)(jax.random.key(0), logits).shape == (2,)
    assert np.isnan(gumbel.gumbel_softmax(jax.random.key(0), logits, 1.0)[1]).all()


def test_noise_of_another_shape_or_dtype_is_named():
    with pytest.raises(ValueError, match=r"noise must have the shape of logits, \(4,\), got \(1, 4\)"):
        gumbel.relax(LOGITS, jnp.zeros((1, 4)), 1.0)
    with pytest.raises(TypeError, match="noise must be floating, got int32"):
        gumbel.relax(LOGITS, jnp.zeros(4, jnp.int32), 1.0)
    with pytest.raises(TypeError, match="dtype must be floating, got"):
        gumbel.sample_gumbel(jax.random.key(0), (3,), jnp.int32)


def test_float64_logits_keep_float64_and_float32_ones_float32_under_x64():
    narrow = gumbel.gumbel_softmax(jax.random.key(0), LOGITS, 0.7)
    with jax.enable_x64(True):
        for dtype in (jnp.float32, jnp.float64):
            logits = jnp.asarray(LOGITS, dtype)
            assert gumbel.gumbel_max(jax.random.key(0), logits).dtype == jnp.int32
            y = gumbel.gumbel_softmax(jax.random.key(0), logits, np.float64(0.7))
            log_y = gumbel.gumbel_log_softmax(jax.random.key(0), logits, 0.7)
            assert (y.dtype, log_y.dtype) == (dtype, dtype)
            np.testing.assert_allclose(jnp.exp(log_y), y, rtol=1e-5)
        assert gumbel.sample_gumbel(jax.random.key(0), (3,)).dtype == jnp.float32
        np.testing.assert_array_equal(gumbel.gumbel_softmax(jax.random.key(0), jnp.asarray(LOGITS), 0.7), narrow)
