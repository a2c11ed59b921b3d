"""Densities of relaxed categorical samples: Concrete on the simplex, and ExpConcrete in log space."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.relaxation.gumbel import check_logits, check_temperature, compute_dtype


def concrete_log_prob(y: ArrayLike, logits: ArrayLike, temperature: ArrayLike) -> jax.Array:
    """Computes the log-density of the Concrete (Gumbel-softmax) distribution on the simplex.

    log p(y) = log (K-1)! + (K-1) log t - K log sum_k exp(a_k - t log y_k) + sum_k (a_k - (t+1) log y_k),

    with a the logits and t the temperature. The density is with respect to y_1, ..., y_{K-1}.

    On the boundary of the simplex, where j of the y_k are 0, it is the limit as these y_k go to 0 together: +inf if
    j (t + 1) > K t, -inf if j (t + 1) < K t, and finite if they are equal. Samples at low temperatures reach the
    boundary only by underflow. Score them in log space, with `gumbel_log_softmax` and `exp_concrete_log_prob`.

    Args:
      y: `[..., K]` points on the simplex, floating. The sum over the last axis is not checked to be 1.
      logits: `[..., K]` unnormalized log-probabilities, floating. Symbols with -inf are excluded: the log-density is
        that of the other symbols, and -inf if an excluded y_k is not 0.
      temperature: scalar > 0; may be traced.

    Returns:
      `[...]` log-densities, in float32 or wider.

    Raises:
      TypeError: `y` or `logits` is not floating, or `temperature` is not a scalar number.
      ValueError: K is 0, the shapes differ, or `temperature` is not traced and not a finite number > 0.

    References:
      Maddison et al. 2017, equation 10, https://arxiv.org/abs/1611.00712.
    """
    y = check_logits(y, "y")
    y = y.astype(compute_dtype(y.dtype))
    is_zero = y == 0
    # The inner `where` keeps the derivative finite where y is 0.
    log_y = jnp.where(is_zero, -jnp.inf, jnp.log(jnp.where(is_zero, 1, y)))
    return _log_density(log_y, check_logits(logits), temperature, "y", power_of_y=1)


def exp_concrete_log_prob(log_y: ArrayLike, logits: ArrayLike, temperature: ArrayLike) -> jax.Array:
    """Computes the log-density of ExpConcrete, the distribution of the logarithm of a Gumbel-softmax sample.

    log p(x) = log (K-1)! + (K-1) log t - K log sum_k exp(a_k - t x_k) + sum_k (a_k - t x_k),    x = log y,

    with a the logits and t the temperature. The density is with respect to the log-ratios x_1 - x_K, ...,
    x_{K-1} - x_K, and does not depend on which symbol is the last. By a change of variables, the log-density is
    `concrete_log_prob` plus sum_k log y_k. Differences of two such log-densities, as in a KL divergence, are those of
    the Concrete distribution.

    Args:
      log_y: `[..., K]` logarithms of points on the simplex, floating, as drawn by `gumbel_log_softmax`. The sum of
        their exponentials is not checked to be 1. If one of them is -inf, the density is 0.
      logits: `[..., K]` unnormalized log-probabilities, floating. Symbols with -inf are excluded: the density is that
        of the other symbols, and 0 if the `log_y` of an excluded symbol is not -inf.
      temperature: scalar > 0; may be traced.

    Returns:
      `[...]` log-densities, in float32 or wider.

    Raises:
      TypeError: `log_y` or `logits` is not floating, or `temperature` is not a scalar number.
      ValueError: K is 0, the shapes differ, or `temperature` is not traced and not a finite number > 0.

    References:
      Maddison et al. 2017, appendix on ExpConcrete, https://arxiv.org/abs/1611.00712.
    """
    return _log_density(check_logits(log_y, "log_y"), check_logits(logits), temperature, "log_y", power_of_y=0)


def _log_density(
    log_y: jax.Array, logits: jax.Array, temperature: ArrayLike, name: str, *, power_of_y: int
) -> jax.Array:
    """Computes the log-density with respect to the log-ratios, minus `power_of_y` times sum_k log y_k."""
    if log_y.shape != logits.shape:
        raise ValueError(f"{name} must have the shape of logits, {logits.shape}, got {log_y.shape}")
    check_temperature(temperature)
    dtype = compute_dtype(log_y.dtype, logits.dtype)
    log_y, logits, temperature = (jnp.asarray(each, dtype) for each in (log_y, logits, temperature))

    # Not `>`, which is also false for NaN.
    possible = logits != -jnp.inf
    zero = possible & (log_y == -jnp.inf)
    on_border = jnp.any(zero, axis=-1)
    outside = jnp.any(~possible & (log_y != -jnp.inf), axis=-1)
    num_symbols = jnp.sum(possible, axis=-1, dtype=dtype)
    num_zeros = jnp.sum(zero, axis=-1, dtype=dtype)

    # With y_k = e for the zeros, the log-density is slope * log(1 / e) + finite, up to terms that vanish with e.
    finite_log_y = jnp.where(possible & ~zero, log_y, 0)
    scores = jnp.where(possible, logits, 0) - temperature * finite_log_y
    largest = jnp.where(on_border[..., None], zero, possible)
    finite = (
        jax.scipy.special.gammaln(num_symbols)
        + (num_symbols - 1) * jnp.log(temperature)
        - num_symbols * jax.nn.logsumexp(scores, axis=-1, where=largest)
        + jnp.sum(scores - power_of_y * finite_log_y, axis=-1, where=possible)
    )
    slope = num_zeros * (temperature + power_of_y) - num_symbols * temperature
    limit = jnp.where(slope > 0, jnp.inf, jnp.where(slope < 0, -jnp.inf, 0))
    # The limit is added, so that NaN stays NaN.
    return finite + jnp.where(outside, -jnp.inf, jnp.where(on_border, limit, 0))
