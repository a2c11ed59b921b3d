"""The law of a data set, which gives each of its sequences the share of it that equals that sequence."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np


def empirical_log_prob(data: np.ndarray) -> Callable[[jax.Array], jax.Array]:
    """Makes log p_data, which may be called inside a compiled step.

    p_data(x) = (how often x stands in the data) / N. Sequences are looked up by a hash, in time logarithmic in their
    number, and then compared symbol by symbol.

    Args:
      data: `[N, T]` integers, N at least 1.

    Returns:
      A function of `[B, T]` integers that gives `[B]` log-probabilities in nats; -inf for what is not in the data.

    Raises:
      ValueError: `data` is not `[N, T]` with N at least 1.
    """
    data = np.asarray(data)
    if data.ndim != 2 or not len(data):
        raise ValueError(f"data must be [N, T] with N at least 1, got shape {data.shape}")
    sequences_MT, counts_M = np.unique(data, axis=0, return_counts=True)
    multipliers_T = np.asarray(np.random.default_rng(0).integers(1, 2**32, data.shape[1], dtype=np.uint32))
    hashes_M = (sequences_MT.astype(np.uint32) * multipliers_T[None]).sum(axis=1, dtype=np.uint32)
    order_M = np.argsort(hashes_M)
    sequences_MT, hashes_M = sequences_MT[order_M], hashes_M[order_M]
    log_probs_M = np.log(counts_M[order_M] / len(data)).astype(np.float32)
    # Of many sequences a few share a hash: they stand side by side.
    most_alike = int(np.unique(hashes_M, return_counts=True)[1].max())

    def log_prob(tokens: jax.Array) -> jax.Array:
        hashes_B = jnp.sum(tokens.astype(jnp.uint32) * multipliers_T[None], axis=1, dtype=jnp.uint32)
        first_B = jnp.searchsorted(hashes_M, hashes_B)
        rows_BJ = jnp.clip(first_B[:, None] + jnp.arange(most_alike)[None], 0, len(hashes_M) - 1)
        is_equal_BJ = jnp.all(jnp.asarray(sequences_MT)[rows_BJ] == tokens[:, None], axis=-1)
        return jnp.max(jnp.where(is_equal_BJ, jnp.asarray(log_probs_M)[rows_BJ], -jnp.inf), axis=1)

    return log_prob
