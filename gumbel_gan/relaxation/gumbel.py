"""Gumbel noise, exact categorical samples drawn with it, and their relaxation.

The Gumbel-softmax distribution (Jang et al. 2017) and the Concrete distribution
(Maddison et al. 2017) are one distribution found twice; both names are used here.
"""

import numbers

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike


def check_temperature(temperature: ArrayLike, name: str = "temperature") -> None:
    """Raises unless a temperature is a finite number > 0; traced values pass unchecked."""
    if isinstance(temperature, numbers.Real) and not 0 < float(temperature) < float("inf"):
        raise ValueError(f"{name} must be a finite number > 0, got {temperature!r}")


def check_logits(logits: jax.Array) -> None:
    """Raises TypeError unless `logits` is a floating-point array with a symbol axis."""
    if not jnp.issubdtype(jnp.result_type(logits), jnp.floating):
        raise TypeError(f"logits must be floating, got {jnp.result_type(logits)}")
    if jnp.ndim(logits) < 1:
        raise TypeError("logits must have a last axis of symbols, got a scalar")


def sample_gumbel(key: jax.Array, shape: tuple[int, ...], dtype: jnp.dtype = jnp.float32) -> jax.Array:
    """Draws standard Gumbel noise, g = -log(-log u) with u uniform on (0, 1).

    Args:
      key: typed PRNG key; consumed.
      shape: shape of the result.
      dtype: floating dtype of the result.

    Returns:
      `shape` independent draws; their mean is Euler's constant, their variance pi^2 / 6.
    """
    return jax.random.gumbel(key, shape, dtype)


def gumbel_max(key: jax.Array, logits: jax.Array) -> jax.Array:
    """Draws exact categorical samples with the Gumbel-max trick.

    d = argmax_k (logits_k + g_k), which is k with probability softmax(logits)_k.

    Args:
      key: typed PRNG key; consumed.
      logits: `[..., K]` unnormalised log-probabilities, floating.

    Returns:
      `[...]` int32 symbols.

    Raises:
      TypeError: `logits` is not floating.

    References:
      Maddison et al. 2014, https://arxiv.org/abs/1411.0030.
    """
    check_logits(logits)
    return jnp.argmax(logits + sample_gumbel(key, logits.shape, logits.dtype), axis=-1).astype(jnp.int32)


def gumbel_softmax(key: jax.Array, logits: jax.Array, temperature: ArrayLike) -> jax.Array:
    """Draws a Gumbel-softmax relaxation of a categorical sample.

    y = softmax((logits + g) / temperature), with g standard Gumbel noise.

    Args:
      key: typed PRNG key; consumed.
      logits: `[..., K]` unnormalised log-probabilities, floating.
      temperature: scalar > 0; may be traced.

    Returns:
      `[..., K]` points on the simplex, in the dtype of `logits`.

    Raises:
      TypeError: `logits` is not floating.
      ValueError: `temperature` is a Python number that is not > 0.

    References:
      Jang et al. 2017, https://arxiv.org/abs/1611.01144; Maddison et al. 2017, https://arxiv.org/abs/1611.00712.
    """
    check_logits(logits)
    return relax(logits, sample_gumbel(key, logits.shape, logits.dtype), temperature)


def relax(logits: jax.Array, noise: jax.Array, temperature: ArrayLike) -> jax.Array:
    """Computes the Gumbel-softmax point of given noise, softmax((logits + noise) / temperature).

    Args:
      logits: `[..., K]` unnormalised log-probabilities, floating.
      noise: `[..., K]` standard Gumbel noise.
      temperature: scalar > 0; may be traced.

    Returns:
      `[..., K]` points on the simplex, in the dtype of `logits`.

    Raises:
      TypeError: `logits` is not floating.
      ValueError: `temperature` is a Python number that is not > 0.
    """
    check_logits(logits)
    check_temperature(temperature)
    return jax.nn.softmax((logits + noise) / jnp.asarray(temperature, logits.dtype), axis=-1)


def concrete_log_prob(y: jax.Array, logits: jax.Array, temperature: ArrayLike) -> jax.Array:
    """Computes the log-density of the Concrete (Gumbel-softmax) distribution on the simplex.

    log p(y) = log (K-1)! + (K-1) log t - K log sum_k exp(a_k - t log y_k) + sum_k (a_k - (t+1) log y_k),

    with a the logits, t the temperature; the density is with respect to the first K-1 coordinates.

    Args:
      y: `[..., K]` points strictly inside the simplex.
      logits: `[..., K]` unnormalised log-probabilities, floating.
      temperature: scalar > 0; may be traced.

    Returns:
      `[...]` log-densities.

    Raises:
      TypeError: `logits` is not floating.
      ValueError: `temperature` is a Python number that is not > 0.

    References:
      Maddison et al. 2017, equation 10, https://arxiv.org/abs/1611.00712.
    """
    check_logits(logits)
    check_temperature(temperature)
    num_symbols = logits.shape[-1]
    temperature = jnp.asarray(temperature, logits.dtype)
    log_y = jnp.log(y)
    scores = logits - temperature * log_y
    return (
        jax.scipy.special.gammaln(num_symbols)
        + (num_symbols - 1) * jnp.log(temperature)
        - num_symbols * jax.nn.logsumexp(scores, axis=-1)
        + jnp.sum(scores - log_y, axis=-1)
    )
