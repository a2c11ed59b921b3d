"""The law of a data set, which gives each of its sequences the share of it that equals that sequence."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

_ATTEMPTS = 100


def empirical_log_prob(data: np.ndarray) -> Callable[[jax.Array], jax.Array]:
    """Makes log p_data, which may be called inside a compiled step.

    p_data(x) = (how often x stands in the data) / N. Sequences are looked up by a hash that no two distinct ones of the
    data share, in time logarithmic in their number.

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
    multipliers_T, hashes_M = _injective_hash(sequences_MT)
    order_M = np.argsort(hashes_M)
    sequences_MT, hashes_M = sequences_MT[order_M], hashes_M[order_M]
    log_probs_M = np.log(counts_M[order_M] / len(data)).astype(np.float32)

    def log_prob(tokens: jax.Array) -> jax.Array:
        hashes_B = jnp.sum(tokens.astype(jnp.uint32) * multipliers_T[None], axis=1, dtype=jnp.uint32)
        rows_B = jnp.clip(jnp.searchsorted(hashes_M, hashes_B), 0, len(hashes_M) - 1)
        is_known_B = jnp.all(jnp.asarray(sequences_MT)[rows_B] == tokens, axis=1)
        return jnp.where(is_known_B, jnp.asarray(log_probs_M)[rows_B], -jnp.inf)

    return log_prob


def _injective_hash(sequences_MT: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Finds multipliers m whose hash, sum_t m_t x_t modulo 2^32, tells the sequences apart; gives both."""
    rng = np.random.default_rng(0)
    for _ in range(_ATTEMPTS):
        multipliers_T = np.asarray(rng.integers(1, 2**32, sequences_MT.shape[1], dtype=np.uint32))
        hashes_M = (sequences_MT.astype(np.uint32) * multipliers_T).sum(axis=1, dtype=np.uint32)
        if len(np.unique(hashes_M)) == len(hashes_M):
            return multipliers_T, hashes_M
    raise ValueError(f"data must hold few enough distinct sequences for a hash of 32 bits, got {len(sequences_MT):,}")
