import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan.relaxation.instance_noise import mix_in_symbols

X = jax.nn.one_hot(jnp.array([[0, 1, 2], [2, 2, 0]]), 3)


def test_it_stays_on_the_simplex_and_moves_each_symbol_towards_one_other():
    noisy = np.asarray(mix_in_symbols(jax.random.key(0), jnp.tile(X, (500, 1, 1)), 0.7))
    np.testing.assert_allclose(noisy.sum(-1), 1.0, rtol=1e-6)
    assert noisy.min() >= 0
    # No more than two symbols share the mass, and the first keeps at least 0.3.
    assert ((noisy > 0).sum(-1) <= 2).all()
    assert (noisy * np.tile(np.asarray(X), (500, 1, 1))).sum(-1).min() >= 0.3 - 1e-6


def test_its_mean_is_that_of_the_uniform_law():
    # E x' = x + s/2 (1/K - x).
    noisy = np.asarray(mix_in_symbols(jax.random.key(1), jnp.tile(X, (20_000, 1, 1)), 0.6)).reshape(20_000, 2, 3, 3)
    np.testing.assert_allclose(noisy.mean(0), X + 0.3 * (1 / 3 - X), atol=5 * 0.3 / np.sqrt(20_000))


def test_no_strength_is_the_identity():
    np.testing.assert_array_equal(mix_in_symbols(jax.random.key(0), X, 0.0), X)


def test_a_gradient_passes_as_if_the_noise_were_a_constant():
    cotangent = jnp.arange(18.0).reshape(X.shape)
    _, pull_back = jax.vjp(lambda x: mix_in_symbols(jax.random.key(0), x, 0.9), X)
    np.testing.assert_array_equal(pull_back(cotangent)[0], cotangent)


def test_gradients_on_the_way_add_up_to_the_change():
    # What the docstring says of any d: the mean over the way of grad d . (e_j - x) is d(e_j) - d(x).
    weights = jax.random.normal(jax.random.key(2), (3, 3)) * 3

    def d(x):
        return jnp.sum(jnp.tanh(weights @ x[0, 0]))

    def slope(key):
        noisy = mix_in_symbols(key, X[:1, :1], 1.0)
        way = noisy - X[:1, :1]
        direction = jnp.where(jnp.abs(way).sum() > 0, way / jnp.maximum(jnp.abs(way).max(), 1e-9), 0.0)
        return jnp.sum(jax.grad(d)(noisy) * direction)

    slopes = np.asarray(jax.vmap(slope)(jax.random.split(jax.random.key(3), 40_000)))
    vertices = jnp.eye(3)[:, None, None]
    expected = np.mean([d(vertex) - d(X) for vertex in vertices])
    assert abs(slopes.mean() - expected) < 5 * slopes.std() / np.sqrt(len(slopes))


def test_a_strength_out_of_range_is_named():
    with pytest.raises(ValueError, match=r"strength must be in \[0, 1\], got 1\.5"):
        mix_in_symbols(jax.random.key(0), X, 1.5)
