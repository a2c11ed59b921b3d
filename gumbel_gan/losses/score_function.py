"""The score-function gradient of an expectation over discrete sequences: unbiased, and free of any relaxation."""

import jax
import jax.numpy as jnp


def leave_one_out(values: jax.Array) -> jax.Array:
    """Subtracts from each value the mean of the others.

    With losses f_n of independent sequences y_n, the others' mean is a baseline that does not depend on y_n, so

        grad E[f(y)] = E[ 1/N sum_n (f_n - mean_{m != n} f_m) grad log p(y_n) ],

    without bias, and with less variance than f_n alone gives.

    Args:
      values: `[N]` losses or rewards, one a sequence, N at least 2.

    Returns:
      `[N]` advantages, of sum 0.

    Raises:
      ValueError: there are fewer than two values.

    References:
      Williams 1992, https://doi.org/10.1007/BF00992696; Kool et al. 2019, https://openreview.net/forum?id=r1lgTGL5DE.

    >>> leave_one_out(jnp.array([1.0, 2.0, 6.0])).tolist()
    [-3.0, -1.5, 4.5]
    """
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"values must be [N] with N at least 2, got shape {values.shape}")
    return (values - jnp.mean(values)) * len(values) / (len(values) - 1)
