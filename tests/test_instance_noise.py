import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan.relaxation.instance_noise import add_instance_noise

X = jax.nn.one_hot(jnp.array([[0, 1, 2], [2, 2, 0]]), 3)


def test_it_stays_on_the_simplex_and_moves_each_symbol_toward_one_other():
    noisy = np.asarray(add_instance_noise(jax.random.key(0), jnp.tile(X, (500, 1, 1)), 0.7))
    np.testing.assert_allclose(noisy.sum(-1), 1.0, rtol=1e-6)
    assert noisy.min() >= 0
    # At most two symbols share the mass, and the original symbol keeps at least 0.3.
    assert ((noisy > 0).sum(-1) <= 2).all()
    assert (noisy * np.tile(np.asarray(X), (500, 1, 1))).sum(-1).min() >= 0.3 - 1e-6


def test_its_mean_moves_by_half_the_strength_toward_the_uniform_distribution():
    # E x' = x + s/2 (1/K - x).
    noisy = np.asarray(add_instance_noise(jax.random.key(1), jnp.tile(X, (20_000, 1, 1)), 0.6)).reshape(20_000, 2, 3, 3)
    np.testing.assert_allclose(noisy.mean(0), X + 0.3 * (1 / 3 - X), atol=5 * 0.3 / np.sqrt(20_000))


@pytest.mark.parametrize("strength", [0, 0.0])
def test_no_strength_is_the_identity(strength):
    np.testing.assert_array_equal(add_instance_noise(jax.random.key(0), X, strength), X)


def test_a_gradient_passes_as_if_the_noise_were_a_constant():
    cotangent = jnp.arange(18.0).reshape(X.shape)
    _, pull_back = jax.vjp(lambda x: add_instance_noise(jax.random.key(0), x, 0.9), X)
    np.testing.assert_array_equal(pull_back(cotangent)[0], cotangent)


def test_gradients_along_the_line_add_up_to_the_change():
    # As in the docstring, for any d: the mean of grad d . (e_j - x) over the line from x to e_j is d(e_j) - d(x).
    weights = jax.random.normal(jax.random.key(2), (3, 3)) * 3

    def d(x):
        return jnp.sum(jnp.tanh(weights @ x[0, 0]))

    def slope(key):
        noisy = add_instance_noise(key, X[:1, :1], 1.0)
        shift = noisy - X[:1, :1]
        direction = jnp.where(jnp.abs(shift).sum() > 0, shift / jnp.maximum(jnp.abs(shift).max(), 1e-9), 0.0)
        return jnp.sum(jax.grad(d)(noisy) * direction)

    slopes = np.asarray(jax.jit(jax.vmap(slope))(jax.random.split(jax.random.key(3), 40_000)))
    vertices = jnp.eye(3)[:, None, None]
    expected = np.mean([d(vertex) - d(X) for vertex in vertices])
    assert abs(slopes.mean() - expected) < 5 * slopes.std() / np.sqrt(len(slopes))


def test_its_draws_are_pinned_and_those_of_x64_the_same():
    noisy = add_instance_noise(jax.random.key(0), X, 0.5)
    symbol_key, distance_key = jax.random.split(jax.random.key(0))
    symbols = jax.nn.one_hot(jax.random.randint(symbol_key, (2, 3), 0, 3), 3)
    distances = 0.5 * jax.random.uniform(distance_key, (2, 3, 1))
    np.testing.assert_allclose(noisy, X + distances * (symbols - X), rtol=1e-6)
    with jax.enable_x64(True):
        wide = add_instance_noise(jax.random.key(0), X, np.float64(0.5))
        assert wide.dtype == jnp.float32
        np.testing.assert_array_equal(wide, noisy)
        assert add_instance_noise(jax.random.key(0), X.astype(jnp.float64), 0.5).dtype == jnp.float64


def test_narrow_sequences_keep_their_dtype_and_take_the_noise_of_float32():
    noisy = add_instance_noise(jax.random.key(0), X.astype(jnp.bfloat16), 0.5)
    assert noisy.dtype == jnp.bfloat16
    exact = add_instance_noise(jax.random.key(0), X, 0.5).astype(jnp.bfloat16)
    np.testing.assert_array_equal(noisy.astype(jnp.float32), exact.astype(jnp.float32))


def test_strengths_may_be_vmapped():
    together = jax.vmap(lambda strength: add_instance_noise(jax.random.key(0), X, strength))(jnp.array([0.0, 0.5]))
    for noisy, strength in zip(together, (0.0, 0.5), strict=True):
        np.testing.assert_allclose(noisy, add_instance_noise(jax.random.key(0), X, strength), rtol=1e-6)


@pytest.mark.parametrize("shape", [(0, 3, 2), (2, 0, 2), (2, 3, 1), (4,)])
def test_small_shapes_are_fine(shape):
    x = jax.nn.softmax(jnp.zeros(shape))
    assert add_instance_noise(jax.random.key(0), x, 0.5).shape == shape


def test_bad_arguments_are_named():
    for strength in (1.5, -0.1, float("nan"), np.float32(2), jnp.float32(-1)):
        with pytest.raises(ValueError, match=r"strength must be a finite number in \[0, 1\], got"):
            add_instance_noise(jax.random.key(0), X, strength)
    for strength in (True, "1", jnp.zeros((2, 1)), None):
        with pytest.raises(TypeError, match=r"strength must be a finite number in \[0, 1\], got"):
            add_instance_noise(jax.random.key(0), X, strength)
    with pytest.raises(TypeError, match="x must be floating, got int32"):
        add_instance_noise(jax.random.key(0), jnp.zeros((2, 3, 3), jnp.int32), 0.5)
    with pytest.raises(TypeError, match="x must have a last axis of symbols, got a scalar"):
        add_instance_noise(jax.random.key(0), jnp.float32(0), 0.5)
    with pytest.raises(ValueError, match=r"x must have at least 1 symbol on the last axis, got shape \(2, 3, 0\)"):
        add_instance_noise(jax.random.key(0), jnp.zeros((2, 3, 0)), 0.5)
