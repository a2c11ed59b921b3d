"""Spectral norms against NumPy's singular values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan.networks.spectral import SpectralDense, spectral_norm, spectral_normalize


@pytest.mark.parametrize("shape", [(1, 1), (9, 1), (32, 32), (16, 100), (5, 16, 16)])
def test_spectral_norm_of_normal_matrices_is_right_to_a_percent_and_not_too_large(shape):
    kernels = jax.random.normal(jax.random.key(0), (20, *shape))
    norms = np.asarray(jax.jit(jax.vmap(spectral_norm))(kernels))
    expected = np.linalg.svd(np.asarray(kernels).reshape(20, -1, shape[-1]), compute_uv=False)[:, 0]
    assert norms.dtype == np.float32
    np.testing.assert_allclose(norms, expected, rtol=0.01)
    assert (norms <= expected * (1 + 1e-5)).all()


def test_normalized_kernels_have_a_norm_of_one_at_any_scale():
    kernel = jax.random.normal(jax.random.key(0), (6, 4))
    for scale in (1e-6, 1.0, 1e6):
        normal = spectral_normalize(scale * kernel)
        assert np.linalg.norm(normal, ord=2) == pytest.approx(1.0, rel=1e-4)
        np.testing.assert_allclose(normal, spectral_normalize(kernel), rtol=1e-4)
    assert spectral_normalize(kernel.astype(jnp.bfloat16)).dtype == jnp.bfloat16


def test_structured_kernels():
    # The first right singular vector of the second kernel is orthogonal to a vector of ones. The singular values of the
    # third kernel are equal, and those of the last kernel are zero.
    for kernel, norm in (
        (jnp.ones((3, 4)), 12**0.5),
        (jnp.array([[1.0, -1.0], [1.0, -1.0]]), 2.0),
        (3 * jnp.eye(5), 3.0),
        (jnp.zeros((3, 4)), 0.0),
    ):
        assert spectral_norm(kernel) == pytest.approx(norm, rel=1e-5)
    np.testing.assert_array_equal(spectral_normalize(jnp.zeros((3, 4))), np.zeros((3, 4)))


def test_the_derivative_is_the_product_of_the_singular_vectors():
    kernel = jnp.diag(jnp.array([3.0, 2.0, 1.0])) + 0.1 * jax.random.normal(jax.random.key(0), (3, 3))
    u, _, v = np.linalg.svd(kernel)
    np.testing.assert_allclose(jax.grad(spectral_norm)(kernel), np.outer(u[:, 0], v[0]), rtol=1e-4, atol=1e-5)


def test_power_iterations_are_taken_by_squaring():
    kernel = jax.random.normal(jax.random.key(1), (7, 5))
    vector = np.random.default_rng(0).standard_normal(5).astype(np.float32)
    for _ in range(2**2 + 1):
        vector = np.asarray(kernel).T @ (np.asarray(kernel) @ vector)
        vector /= np.linalg.norm(vector)
    # One step back, after 2^2 steps: the vector v, with u = W v / |W v|.
    v = np.linalg.solve(np.asarray(kernel).T @ np.asarray(kernel), vector)
    expected = np.linalg.norm(np.asarray(kernel) @ (v / np.linalg.norm(v)))
    assert spectral_norm(kernel, num_squarings=2) == pytest.approx(expected, rel=1e-4)


def test_a_spectral_layer_lengthens_no_vector_and_is_a_dense_one_of_the_normalized_kernel():
    layer = SpectralDense(4)
    x = jax.random.normal(jax.random.key(0), (3, 7, 5))
    params = layer.init(jax.random.key(1), x)
    kernel = params["params"]["kernel"]
    y = jax.jit(layer.apply)(params, x)
    np.testing.assert_allclose(y, x @ (kernel / np.linalg.norm(kernel, ord=2)), rtol=1e-3, atol=1e-4)
    assert (np.linalg.norm(y, axis=-1) <= np.linalg.norm(x, axis=-1) * 1.001).all()
    shifted = {"params": {"kernel": kernel, "bias": jnp.arange(4.0)}}
    np.testing.assert_allclose(layer.apply(shifted, x) - y, np.broadcast_to(np.arange(4.0), y.shape), atol=1e-5)
    assert "bias" not in SpectralDense(4, use_bias=False).init(jax.random.key(1), x)["params"]


def test_errors_name_the_kernel():
    with pytest.raises(TypeError, match="kernel must be floating, got int32"):
        spectral_norm(jnp.ones((2, 2), jnp.int32))
    with pytest.raises(ValueError, match=r"kernel must have at least two axes, got shape \(2,\)"):
        spectral_norm(jnp.ones(2))
    with pytest.raises(ValueError, match="num_squarings must be at least 0, got -1"):
        spectral_norm(jnp.ones((2, 2)), num_squarings=-1)
