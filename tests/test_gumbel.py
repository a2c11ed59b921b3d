import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from gumbel_gan import gumbel

LOGITS = np.array([0.3, -1.2, 2.0, 0.0], np.float32)


def test_sample_gumbel_has_the_standard_gumbel_law():
    noise = np.asarray(gumbel.sample_gumbel(jax.random.key(0), (20_000,)))
    assert scipy.stats.kstest(noise, scipy.stats.gumbel_r.cdf).pvalue > 0.01


def test_gumbel_max_has_the_softmax_law():
    num = 50_000
    tokens = np.asarray(gumbel.gumbel_max(jax.random.key(1), jnp.tile(LOGITS, (num, 1))))
    probs = np.asarray(jax.nn.softmax(LOGITS))
    shares = np.bincount(tokens, minlength=4) / num
    np.testing.assert_array_less(np.abs(shares - probs), 5 * np.sqrt(probs * (1 - probs) / num))


def test_gumbel_softmax_lies_on_the_simplex_and_keeps_the_dtype():
    y = gumbel.gumbel_softmax(jax.random.key(0), jnp.tile(LOGITS, (100, 1)).astype(jnp.bfloat16), 0.7)
    assert y.dtype == jnp.bfloat16
    y = gumbel.gumbel_softmax(jax.random.key(0), jnp.tile(LOGITS, (100, 1)), 0.7)
    np.testing.assert_allclose(y.sum(-1), 1.0, rtol=1e-6)
    assert (np.asarray(y) >= 0).all()


def test_gumbel_softmax_sharpens_to_gumbel_max_and_flattens_to_uniform():
    noise = gumbel.sample_gumbel(jax.random.key(2), (1_000, 4))
    logits = jnp.broadcast_to(LOGITS, noise.shape)
    onehot = jax.nn.one_hot(jnp.argmax(logits + noise, -1), 4)
    np.testing.assert_allclose(gumbel.relax(logits, noise, 1e-5), onehot, atol=1e-6)
    np.testing.assert_allclose(gumbel.relax(logits, noise, 1e6), 0.25, atol=1e-4)


def test_gumbel_softmax_is_differentiable_under_vmap_and_traced_temperature():
    logits = jnp.tile(LOGITS, (3, 1))
    keys = jax.random.split(jax.random.key(0), 3)
    sample = jax.jit(jax.vmap(gumbel.gumbel_softmax, in_axes=(0, 0, None)))
    gradient = jax.grad(lambda temperature: jnp.sum(sample(keys, logits, temperature) ** 2))(0.5)
    assert np.isfinite(gradient)
    assert gradient < 0  # a higher temperature is less sharp


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_concrete_density_of_two_symbols_is_that_of_a_shifted_logistic(temperature):
    # With K = 2, logit(y) = (a1 - a2 + L) / t with L standard logistic.
    logits = jnp.array([0.4, -0.9])
    y = np.linspace(0.05, 0.95, 19)
    points = jnp.stack([y, 1 - y], -1).astype(jnp.float32)
    ours = gumbel.concrete_log_prob(points, jnp.broadcast_to(logits, points.shape), temperature)
    logit = np.log(y) - np.log1p(-y)
    exact = scipy.stats.logistic.logpdf(temperature * logit - 1.3) + np.log(temperature) - np.log(y * (1 - y))
    np.testing.assert_allclose(ours, exact, rtol=1e-4, atol=1e-4)


def test_concrete_density_of_three_symbols_integrates_to_one():
    logits = jnp.array([0.5, 0.0, -0.7])
    # Midpoints of a triangular grid over the simplex, by a Duffy map of the unit square.
    u = (np.arange(600) + 0.5) / 600
    first, second = np.meshgrid(u, u, indexing="ij")
    y = np.stack([first, (1 - first) * second, (1 - first) * (1 - second)], -1).reshape(-1, 3)
    density = np.exp(gumbel.concrete_log_prob(jnp.asarray(y, jnp.float32), jnp.broadcast_to(logits, y.shape), 0.8))
    assert np.mean(density * (1 - first.ravel())) == pytest.approx(1.0, abs=0.01)


def test_concrete_density_is_the_law_of_gumbel_softmax():
    # The mean of any function under the samples equals its integral under the density.
    logits, num = jnp.array([0.4, -0.9]), 100_000
    y = np.asarray(gumbel.gumbel_softmax(jax.random.key(3), jnp.tile(logits, (num, 1)), 0.6))[:, 0]
    grid = (np.arange(20_000) + 0.5) / 20_000
    points = jnp.stack([grid, 1 - grid], -1).astype(jnp.float32)
    density = np.exp(gumbel.concrete_log_prob(points, jnp.broadcast_to(logits, points.shape), 0.6))
    expected = np.mean(density * grid**2)
    assert abs(np.mean(y**2) - expected) < 5 * np.std(y**2) / np.sqrt(num) + 1e-3


@pytest.mark.parametrize("temperature", [0, 0.0, -1.0, float("nan"), float("inf")])
def test_a_temperature_out_of_range_is_named(temperature):
    for call in (
        lambda: gumbel.gumbel_softmax(jax.random.key(0), jnp.asarray(LOGITS), temperature),
        lambda: gumbel.relax(jnp.asarray(LOGITS), jnp.zeros(4), temperature),
        lambda: gumbel.concrete_log_prob(jnp.full(4, 0.25), jnp.asarray(LOGITS), temperature),
    ):
        with pytest.raises(ValueError, match="temperature must be a finite number > 0, got"):
            call()


def test_integer_and_scalar_logits_are_named():
    with pytest.raises(TypeError, match="logits must be floating, got int32"):
        gumbel.gumbel_max(jax.random.key(0), jnp.array([1, 2]))
    with pytest.raises(TypeError, match="logits must have a last axis"):
        gumbel.gumbel_max(jax.random.key(0), jnp.array(1.0))
