"""Distances between a model's law and the true one, over the whole support: no sampling noise."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike


def exact_distances(model_log_probs: ArrayLike, true_log_probs: ArrayLike, lengths: np.ndarray) -> dict[str, jax.Array]:
    """Computes how far a model's law q is from the true law p, both given on the support of p.

    With v = sum_s q(s) the mass that the model puts on valid strings:

        validity = v
        total_variation = 1/2 (sum_s |q(s) - p(s)| + 1 - v)
        kl_data_model = sum_s p(s) log(p(s) / q(s)), in nats
        length_total_variation = 1/2 (sum_l |q(l) - p(l)| + 1 - v), with q(l) the model's valid mass of length l

    Args:
      model_log_probs: `[M]` log q in nats; -inf where the model can't write a string.
      true_log_probs: `[M]` log p in nats, which sum to 1 as probabilities.
      lengths: `[M]` integers, lengths of the strings; a NumPy array, also under jit.

    Returns:
      The four scalars by name, smaller better except for `validity`.
    """
    model_log_probs, true_log_probs = jnp.asarray(model_log_probs), jnp.asarray(true_log_probs)
    q, p = jnp.exp(model_log_probs), jnp.exp(true_log_probs)
    validity = jnp.sum(q)
    invalid = jnp.maximum(1.0 - validity, 0.0)
    by_length = jnp.zeros(int(np.max(lengths)) + 1).at[lengths].add(q - p)
    return {
        "validity": validity,
        "total_variation": 0.5 * (jnp.sum(jnp.abs(q - p)) + invalid),
        "kl_data_model": jnp.sum(p * (true_log_probs - model_log_probs)),
        "length_total_variation": 0.5 * (jnp.sum(jnp.abs(by_length)) + invalid),
    }
