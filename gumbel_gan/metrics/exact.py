"""Exact distances between a model's distribution and the true distribution, computed over the whole support."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from gumbel_gan.metrics.interface import Metric

# The tolerance for float32 log-probabilities and for the sum of their exponentials.
_TOLERANCE = 1e-3

EXACT: dict[str, Metric] = {
    "validity": Metric(
        "validity",
        "higher",
        "Probability that a generated sequence is valid.",
        applies="exact",
        panel="validity",
        in_progress=True,
    ),
    "total_variation": Metric(
        "total variation",
        "lower",
        "Total variation between the distribution of the generator and the true one.",
        applies="exact",
        panel="total variation",
    ),
    "kl_data_model": Metric(
        "KL(data || model)",
        "lower",
        "Kullback-Leibler divergence from the true distribution to that of the generator.",
        unit="nats",
        applies="exact",
        panel="KL divergence (nats)",
        in_progress=True,
    ),
    "length_total_variation": Metric(
        "length total variation",
        "lower",
        "Total variation between the distributions of the length; invalid sequences count as of no length.",
        applies="exact",
        panel="total variation",
    ),
}


def exact_distances(model_log_probs: ArrayLike, true_log_probs: ArrayLike, lengths: np.ndarray) -> dict[str, jax.Array]:
    """Computes distances between a model's distribution q and the true distribution p, both on the support of p.

    With v = sum_s q(s) the probability mass of the model on valid strings:

        validity = v
        total_variation = 1/2 (sum_s |q(s) - p(s)| + 1 - v)
        kl_data_model = sum_s p(s) log(p(s) / q(s)), in nats
        length_total_variation = 1/2 (sum_l |q(l) - p(l)| + 1 - v), with q(l) the model's valid mass of length l

    Args:
      model_log_probs: `[M]` log q in nats, floating; -inf for a string that the model cannot generate. May be traced.
      true_log_probs: `[M]` log p in nats, floating and finite; the probabilities sum to 1. May be traced.
      lengths: `[M]` integers >= 0, the lengths of the strings; a NumPy array, even under jit.

    Returns:
      A dictionary with the four scalars. Smaller is better, except for `validity`.

    Raises:
      TypeError: `model_log_probs` or `true_log_probs` is not floating, or `lengths` does not hold integers.
      ValueError: the arrays are not of one shape `[M]` with M at least 1, or a length is negative. If the values are
        not traced, also: a log-probability is NaN or above 0, or `true_log_probs` is not finite or its probabilities do
        not sum to 1.
    """
    lengths = np.asarray(_as_array("lengths", lengths))
    model_log_probs, true_log_probs = (
        _as_array("model_log_probs", model_log_probs),
        _as_array("true_log_probs", true_log_probs),
    )
    for name, log_probs in (("model_log_probs", model_log_probs), ("true_log_probs", true_log_probs)):
        _check_log_probs(name, log_probs)
        if log_probs.shape != lengths.shape:
            raise ValueError(f"{name} must have the shape of lengths, {lengths.shape}, got {log_probs.shape}")
    _check_normalized(true_log_probs)
    if not np.issubdtype(lengths.dtype, np.integer):
        raise TypeError(f"lengths must be integers, got {lengths.dtype}")
    if lengths.min() < 0:
        raise ValueError(f"lengths must be at least 0, got {lengths.min()}")
    model_log_probs, true_log_probs = jnp.asarray(model_log_probs), jnp.asarray(true_log_probs)
    q, p = jnp.exp(model_log_probs), jnp.exp(true_log_probs)
    validity = jnp.sum(q)
    invalid = jnp.maximum(1.0 - validity, 0.0)
    differences = q - p
    # A probability may be 0 in floating point while its logarithm is finite.
    is_missing = jnp.any(jnp.isneginf(model_log_probs) & ~jnp.isneginf(true_log_probs))
    log_ratios = jnp.where(p > 0, true_log_probs - model_log_probs, 0.0)
    by_length = jnp.zeros(int(lengths.max()) + 1, differences.dtype).at[lengths].add(differences)
    return {
        "validity": validity,
        "total_variation": 0.5 * (jnp.sum(jnp.abs(differences)) + invalid),
        "kl_data_model": jnp.where(is_missing, jnp.inf, jnp.sum(p * log_ratios)),
        "length_total_variation": 0.5 * (jnp.sum(jnp.abs(by_length)) + invalid),
    }


def _as_array(name: str, values: ArrayLike) -> jax.Array | np.ndarray:
    try:
        return values if isinstance(values, jax.Array) else np.asarray(values)
    except ValueError as error:
        raise TypeError(f"{name} must be an array of numbers, got {values!r}") from error


def _check_log_probs(name: str, log_probs: jax.Array | np.ndarray) -> None:
    if not jnp.issubdtype(log_probs.dtype, jnp.floating):
        raise TypeError(f"{name} must be floating, got {log_probs.dtype}")
    if log_probs.ndim != 1 or not len(log_probs):
        raise ValueError(f"{name} must be [M] with M at least 1, got shape {log_probs.shape}")
    if not isinstance(log_probs, jax.core.Tracer):
        values = np.asarray(log_probs)
        if np.isnan(values).any() or values.max() > _TOLERANCE:
            raise ValueError(f"{name} must be log-probabilities, at most 0, got NaN or a maximum of {values.max()}")


def _check_normalized(true_log_probs: jax.Array | np.ndarray) -> None:
    if isinstance(true_log_probs, jax.core.Tracer):
        return
    values = np.asarray(true_log_probs, np.float64)
    if not np.isfinite(values).all():
        raise ValueError("true_log_probs must be finite, as p is positive on its support, got an infinity")
    if abs(np.exp(values).sum() - 1.0) > _TOLERANCE:
        raise ValueError(f"true_log_probs must sum to 1 as probabilities, got {np.exp(values).sum()}")
