"""Spectral normalization: kernels divided by their largest singular value."""

from collections.abc import Callable
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.typing import Initializer

from gumbel_gan.arguments import require_at_least

# Builds a dense layer from a number of features and the keyword arguments `use_bias` and `kernel_init`.
Dense = Callable[..., Any]

# The least divisor, so that a kernel of zeros stays a kernel of zeros.
_TINY = 1e-12


def spectral_norm(kernel: jax.Array, *, num_squarings: int = 8) -> jax.Array:
    """Computes the largest singular value of a kernel, sigma(W) = max |W v| / |v|.

    The singular vectors u and v come from 2^num_squarings steps of the power method, computed by squaring the smaller
    of W^T W and W W^T. The power method starts at a fixed vector, so that a network needs no state for it. In
    sigma = u^T W v, u and v are held constant. The derivative with respect to W, u v^T, is exact if u and v are, and so
    is the gradient of a penalty on a network's input gradient, which differentiates with respect to W once. Second
    derivatives with respect to W are not exact.

    Args:
      kernel: W, `[..., M]` floating with at least two axes, of which all but the last are flattened into one.
      num_squarings: number of squarings, at least 0. With 8, sigma is accurate to 1 % for matrices of independent
        normal entries with at most 512 rows and columns. Except for rounding, sigma is never too large.

    Returns:
      sigma, a float32 scalar.

    Raises:
      TypeError: `kernel` is not floating, or `num_squarings` is not an integer.
      ValueError: `kernel` has fewer than two axes, or `num_squarings` is negative.

    References:
      Miyato et al. 2018, section 2.1 and appendix A, https://arxiv.org/abs/1802.05957.
    """
    require_at_least(0, num_squarings=num_squarings)
    if not jnp.issubdtype(kernel.dtype, jnp.floating):
        raise TypeError(f"kernel must be floating, got {kernel.dtype}")
    if kernel.ndim < 2:
        raise ValueError(f"kernel must have at least two axes, got shape {kernel.shape}")
    w_NM = kernel.reshape(-1, kernel.shape[-1]).astype(jnp.float32)
    constant_NM = jax.lax.stop_gradient(w_NM)
    if constant_NM.shape[0] < constant_NM.shape[1]:
        u_N = _power_method(_product(constant_NM, constant_NM.T), num_squarings)
        v_M = _normalize(_product(u_N, constant_NM))
    else:
        v_M = _power_method(_product(constant_NM.T, constant_NM), num_squarings)
        u_N = _normalize(_product(constant_NM, v_M))
    return _product(_product(u_N, w_NM), v_M)


def spectral_normalize(kernel: jax.Array, *, num_squarings: int = 8) -> jax.Array:
    """Returns a kernel divided by its spectral norm, W / sigma(W), in the same shape and dtype.

    The arguments and errors are those of `spectral_norm`. A kernel of zeros is returned unchanged.
    """
    norm = spectral_norm(kernel, num_squarings=num_squarings)
    return (kernel / jnp.maximum(norm, _TINY)).astype(kernel.dtype)


class SpectralDense(nn.Module):
    """A dense layer whose kernel is divided by its spectral norm, so that it does not increase the norm of any vector.

    Attributes:
      features: M, the number of outputs.
      use_bias: whether a bias is added.
      kernel_init: the initializer of the kernel, before the division.
      dtype: the dtype of the computation; parameters are float32, as is the spectral norm.
    """

    features: int
    use_bias: bool = True
    kernel_init: Initializer = nn.initializers.lecun_normal()
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Computes x W / sigma(W) + b `[..., M]` from x `[..., N]`."""
        kernel = self.param("kernel", self.kernel_init, (x.shape[-1], self.features), jnp.float32)
        y = jnp.dot(x.astype(self.dtype), spectral_normalize(kernel).astype(self.dtype))
        if not self.use_bias:
            return y
        bias = self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32)
        return y + bias.astype(self.dtype).reshape((1,) * (y.ndim - 1) + (-1,))


def dense_of(spectral_norm: bool, dtype: Any) -> Dense:
    """Returns a constructor of dense layers that compute in a dtype, with or without spectral normalization."""
    return partial(SpectralDense if spectral_norm else nn.Dense, dtype=dtype)


def _power_method(gram: jax.Array, num_squarings: int) -> jax.Array:
    """Computes the unit vector G^(2^n) x / |G^(2^n) x| for a fixed x, close to the leading eigenvector of G."""

    def square(_: int, gram: jax.Array) -> jax.Array:
        gram = gram / jnp.maximum(jnp.trace(gram), _TINY)
        return _product(gram, gram)

    # Not unrolled, because a network has many kernels and would take long to compile.
    gram = jax.lax.fori_loop(0, num_squarings, square, gram)
    # Random, so that it is not orthogonal to the singular vectors of a structured kernel.
    start = np.random.default_rng(0).standard_normal(gram.shape[0]).astype(np.float32)
    return _normalize(_product(gram, jnp.asarray(start)))


def _normalize(x: jax.Array) -> jax.Array:
    return x / jnp.maximum(jnp.linalg.norm(x), _TINY)


def _product(x: jax.Array, y: jax.Array) -> jax.Array:
    return jnp.dot(x, y, precision=jax.lax.Precision.HIGHEST)
