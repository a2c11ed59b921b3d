"""Gumbel noise, exact categorical samples drawn with it, and their relaxation.

The Gumbel-softmax distribution (Jang et al. 2017) and the Concrete distribution (Maddison et al. 2017) are the same
distribution; both names are used here. In this module, a are the logits, g standard Gumbel noise and t the temperature:

    exact sample           argmax_k (a_k + g_k), which is k with probability softmax(a)_k
    relaxed sample         y = softmax((a + g) / t)
    in log space           log y = log_softmax((a + g) / t)

Noise is drawn and samples are computed in float32, or in float64 if the logits are. In bfloat16, the noise takes so few
values that the samples do not follow softmax(a).
"""

from typing import Literal

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from gumbel_gan.arguments import require_at_least, require_key, require_number, require_one_of

Mode = Literal["low", "high"]

# The least divisor: logits divided by a smaller temperature would overflow. Samples are one-hot well above it.
_MIN_TEMPERATURE = 1e-30


def compute_dtype(*dtypes: DTypeLike) -> jnp.dtype:
    """Returns the dtype to compute in: float32, or the widest of the given dtypes if that is wider."""
    return max((jnp.dtype(dtype) for dtype in (jnp.float32, *dtypes)), key=lambda dtype: dtype.itemsize)


def check_logits(logits: ArrayLike, name: str = "logits") -> jax.Array:
    """Checks the dtype and the shape of logits, and returns them as an array.

    Raises:
      TypeError: `logits` is not an array of numbers, is not floating, or is a scalar.
      ValueError: the last axis of `logits`, that of the symbols, is empty.
    """
    try:
        logits = jnp.asarray(logits)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"{name} must be floating, got {logits!r}") from error
    if not jnp.issubdtype(logits.dtype, jnp.floating):
        raise TypeError(f"{name} must be floating, got {logits.dtype}")
    if logits.ndim < 1:
        raise TypeError(f"{name} must have a last axis of symbols, got a scalar")
    if logits.shape[-1] < 1:
        raise ValueError(f"{name} must have at least 1 symbol on the last axis, got shape {logits.shape}")
    return logits


def check_temperature(temperature: ArrayLike, name: str = "temperature") -> None:
    """Raises unless a temperature is a finite number > 0, as `require_number` does. A traced value is not checked."""
    require_number(name, temperature, low=0, open_low=True)


def checked(logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> tuple[jax.Array, jax.Array]:
    """Checks the arguments of an estimator, and returns logits and noise `[..., K]` in the dtype to compute in."""
    logits, noise = check_logits(logits), check_logits(noise, "noise")
    if noise.shape != logits.shape:
        raise ValueError(f"noise must have the shape of logits, {logits.shape}, got {noise.shape}")
    check_temperature(temperature)
    dtype = compute_dtype(logits.dtype, noise.dtype)
    return logits.astype(dtype), noise.astype(dtype)


def sample_gumbel(
    key: jax.Array, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32, *, mode: Mode | None = None
) -> jax.Array:
    """Draws standard Gumbel noise, g = -log(-log u) with u uniform on (0, 1).

    Args:
      key: typed PRNG key; consumed.
      shape: shape of the result.
      dtype: floating dtype of the result. Narrower noise than float32 is rounded from float32.
      mode: the resolution of u, as in `jax.random.gumbel`. In float32, "low" noise is at most 15.9, so that symbols
        with logits further below the largest logit are hardly ever drawn. "high" noise goes up to about 32 and costs
        twice as much. None: JAX's setting `jax_high_dynamic_range_gumbel`, which is "low" by default.

    Returns:
      Array of shape `shape`, with independent draws of mean Euler's constant and variance pi^2 / 6.

    Raises:
      TypeError: `key` is not a typed PRNG key, `shape` is not a sequence of integers, or `dtype` is not floating.
      ValueError: a size in `shape` is negative, or `mode` is not "low", "high" or None.
    """
    require_key(key=key)
    if not isinstance(shape, tuple | list):
        raise TypeError(f"shape must be a tuple of integers, got {shape!r}")
    for size in shape:
        require_at_least(0, shape=size)
    dtype = _floating_dtype(dtype)
    if mode is not None:
        require_one_of(("low", "high"), mode=mode)
    return jax.random.gumbel(key, shape, compute_dtype(dtype), mode=mode).astype(dtype)


def gumbel_max(key: jax.Array, logits: ArrayLike, *, mode: Mode | None = None) -> jax.Array:
    """Draws exact categorical samples with the Gumbel-max trick.

    d = argmax_k (a_k + g_k), which is k with probability softmax(a)_k.

    Args:
      key: typed PRNG key; consumed.
      logits: `[..., K]` unnormalized log-probabilities, floating. -inf excludes a symbol. The values of traced logits
        are not checked: the sample of a row with NaN or +inf, or without a finite value, is arbitrary.
      mode: range of the noise, as in `sample_gumbel`; use "high" if probabilities below 1e-7 matter.

    Returns:
      `[...]` int32 symbols.

    Raises:
      TypeError: `logits` is not floating.
      ValueError: K is 0, `mode` is not "low", "high" or None, or `logits` is not traced and a row contains NaN or +inf,
        or only -inf.

    References:
      Maddison et al. 2014, https://arxiv.org/abs/1411.0030.
    """
    logits = check_logits(logits)
    if not isinstance(logits, jax.core.Tracer):
        # These values are also known under an outer trace.
        with jax.ensure_compile_time_eval():
            defined = bool(jnp.all(jnp.isfinite(jnp.max(logits, axis=-1))))
        if not defined:
            raise ValueError("logits must have a finite largest value in each row, got NaN, +inf or only -inf")
    dtype = compute_dtype(logits.dtype)
    noise = sample_gumbel(key, logits.shape, dtype, mode=mode)
    return jnp.argmax(logits.astype(dtype) + noise, axis=-1).astype(jnp.int32)


def gumbel_softmax(key: jax.Array, logits: ArrayLike, temperature: ArrayLike, *, mode: Mode | None = None) -> jax.Array:
    """Draws a Gumbel-softmax relaxation of a categorical sample.

    y = softmax((a + g) / t), with a the logits, g standard Gumbel noise and t the temperature.

    At low temperatures, entries of y underflow to 0; `gumbel_log_softmax` does not underflow.

    Args:
      key: typed PRNG key; consumed.
      logits: `[..., K]` unnormalized log-probabilities, floating. -inf excludes a symbol. The sample of a row with
        NaN or +inf, or with only -inf, is NaN.
      temperature: scalar > 0; may be traced.
      mode: range of the noise, as in `sample_gumbel`.

    Returns:
      `[..., K]` points on the simplex, in the dtype of `logits`.

    Raises:
      TypeError: `logits` is not floating, or `temperature` is not a scalar number.
      ValueError: K is 0, `mode` is not "low", "high" or None, or `temperature` is not traced and not a finite number
        > 0.

    References:
      Jang et al. 2017, https://arxiv.org/abs/1611.01144; Maddison et al. 2017, https://arxiv.org/abs/1611.00712.
    """
    logits = check_logits(logits)
    return relax(logits, sample_gumbel(key, logits.shape, compute_dtype(logits.dtype), mode=mode), temperature)


def gumbel_log_softmax(
    key: jax.Array, logits: ArrayLike, temperature: ArrayLike, *, mode: Mode | None = None
) -> jax.Array:
    """Draws the logarithm of a Gumbel-softmax sample, log y = log_softmax((a + g) / t).

    exp(log y) is the sample of `gumbel_softmax` with the same key. Here nothing underflows: log y is finite wherever
    the logits are, and so is its log-density, `exp_concrete_log_prob`.

    Args:
      key: typed PRNG key; consumed.
      logits: `[..., K]` unnormalized log-probabilities, floating. -inf excludes a symbol. The sample of a row with
        NaN or +inf, or with only -inf, is NaN.
      temperature: scalar > 0; may be traced.
      mode: range of the noise, as in `sample_gumbel`.

    Returns:
      `[..., K]` logarithms of points on the simplex, in the dtype of `logits`.

    Raises:
      TypeError: `logits` is not floating, or `temperature` is not a scalar number.
      ValueError: K is 0, `mode` is not "low", "high" or None, or `temperature` is not traced and not a finite number
        > 0.

    References:
      Maddison et al. 2017, appendix on ExpConcrete, https://arxiv.org/abs/1611.00712.
    """
    logits = check_logits(logits)
    noise = sample_gumbel(key, logits.shape, compute_dtype(logits.dtype), mode=mode)
    return jax.nn.log_softmax(_scores(logits, noise, temperature), axis=-1).astype(logits.dtype)


def relax(logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> jax.Array:
    """Computes the Gumbel-softmax sample of given noise, softmax((logits + noise) / temperature).

    Args:
      logits: `[..., K]` unnormalized log-probabilities, floating.
      noise: `[..., K]` standard Gumbel noise, floating.
      temperature: scalar > 0; may be traced.

    Returns:
      `[..., K]` points on the simplex, in the dtype of `logits`.

    Raises:
      TypeError: `logits` or `noise` is not floating, or `temperature` is not a scalar number.
      ValueError: K is 0, the shapes differ, or `temperature` is not traced and not a finite number > 0.
    """
    logits = check_logits(logits)
    return jax.nn.softmax(_scores(logits, noise, temperature), axis=-1).astype(logits.dtype)


def divided(scores: jax.Array, temperature: ArrayLike) -> jax.Array:
    """Computes (scores - max(scores)) / temperature. Derivatives with respect to a score of -inf are 0, not NaN.

    The maximum is subtracted before the division. If it were subtracted after the division, as in `softmax`, compiled
    code would have a rounding error that overflows the exponential at temperatures below 1e-9.
    """
    divisor = jnp.maximum(jnp.asarray(temperature, scores.dtype), _MIN_TEMPERATURE)
    is_excluded = jnp.isneginf(scores)
    maximum = jax.lax.stop_gradient(jnp.max(scores, axis=-1, keepdims=True))
    return jnp.where(is_excluded, -jnp.inf, jnp.where(is_excluded, 0, scores - maximum) / divisor)


def _floating_dtype(dtype: DTypeLike) -> jnp.dtype:
    # NumPy interprets None as float64.
    if dtype is not None:
        try:
            found = jnp.dtype(dtype)
        except TypeError as error:
            raise TypeError(f"dtype must be floating, got {dtype!r}") from error
        if jnp.issubdtype(found, jnp.floating):
            return found
    raise TypeError(f"dtype must be floating, got {dtype!r}")


def _scores(logits: jax.Array, noise: ArrayLike, temperature: ArrayLike) -> jax.Array:
    """Computes (logits + noise) / temperature minus its maximum, in float32 or wider."""
    logits, noise = checked(logits, noise, temperature)
    return divided(logits + noise, temperature)
