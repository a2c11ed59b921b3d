"""The score-function estimate of the gradient of an expectation over discrete sequences, which needs no relaxation."""

import jax
import jax.numpy as jnp

from gumbel_gan.losses._checks import require_floating


def leave_one_out(values: jax.Array) -> jax.Array:
    """Subtracts from each value the mean of the other values.

    For independent samples y_1 .. y_N of p with losses f_n = f(y_n), the mean of the other losses is a baseline that
    does not depend on y_n. The estimate of the gradient

        grad E[f(y)] = E[ 1/N sum_n (f_n - mean_{m != n} f_m) grad log p(y_n) ]

    is therefore unbiased, and usually has a lower variance than with f_n alone. f must not depend on the samples. A
    discriminator that was just updated on them does, but no bias from this was found within 2 standard errors.

    Args:
      values: `[N]` losses or rewards of N independent samples, floating, N at least 2.

    Returns:
      `[N]` advantages, whose sum is 0.

    Raises:
      TypeError: `values` is not a floating array.
      ValueError: `values` is not `[N]` with N at least 2.

    References:
      Williams 1992, https://doi.org/10.1007/BF00992696; Kool et al. 2019, https://openreview.net/forum?id=r1lgTGL5DE.

    >>> leave_one_out(jnp.array([1.0, 2.0, 6.0])).tolist()
    [-3.0, -1.5, 4.5]
    """
    require_floating("values", values)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"values must be [N] with N at least 2, got shape {values.shape}")
    return (values - jnp.mean(values)) * len(values) / (len(values) - 1)
