"""Batches of sequences, and the checks that data passes before training."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

PyTree = Any


class Batch(NamedTuple):
    """Sequences, with what is known of each. A batch and a whole data set have the same form.

    Attributes:
      tokens: `[N, T]` integers in [0, K).
      condition: what each sequence is generated from, a pytree of arrays with a leading axis of N (labels `[N]`,
        vectors `[N, F]`, other sequences `[N, T']`); None for unconditional generation.
      weights: `[N]` weights >= 0 of the sequences; None where all weigh the same. The algorithms that use weights say
        how.
    """

    tokens: Any
    condition: PyTree = None
    weights: Any = None


def as_batch(data: Any) -> Batch:
    """Returns a batch as it is, and an array of tokens as a batch without condition and weights."""
    return data if isinstance(data, Batch) else Batch(data)


def num_sequences(data: Batch) -> int:
    """Returns N, the number of sequences of a batch."""
    return data.tokens.shape[0]


def take(data: Batch, rows: Any) -> Batch:
    """Returns the given rows of every leaf of a batch."""
    return jax.tree.map(lambda leaf: leaf[rows], data)


def check_data(data: Any, *, num_symbols: int, length: int) -> Batch:
    """Checks sequences before training; traced arrays have their shapes and dtypes checked, not their values.

    Args:
      data: a `Batch`, or `[N, T]` tokens.
      num_symbols: K.
      length: T.

    Returns:
      The data as a `Batch`.

    Raises:
      TypeError: the tokens are not integers, or the weights are not floating.
      ValueError: there are no sequences; the tokens are not `[N, T]` or not in [0, K); a leaf of the condition has
        another leading axis than N; or the weights are not `[N]`, negative or not finite.
    """
    data = as_batch(data)
    shape, dtype = jnp.shape(data.tokens), jnp.result_type(data.tokens)
    if not jnp.issubdtype(dtype, jnp.integer):
        raise TypeError(f"tokens must be integers, got {dtype}")
    if len(shape) != 2 or shape[1] != length:
        raise ValueError(f"tokens must be [N, {length}], got shape {shape}")
    if not shape[0]:
        raise ValueError("tokens must hold at least one sequence, got none")
    if not isinstance(data.tokens, jax.core.Tracer):
        tokens = np.asarray(data.tokens)
        if tokens.min() < 0 or tokens.max() >= num_symbols:
            raise ValueError(f"tokens must be in [0, {num_symbols}), got {tokens.min()} to {tokens.max()}")
    for leaf in jax.tree.leaves(data.condition):
        if jnp.shape(leaf)[:1] != shape[:1]:
            raise ValueError(f"condition must have a leading axis of {shape[0]}, got shape {jnp.shape(leaf)}")
    if data.weights is not None:
        _check_weights(data.weights, shape[0])
    return data


def inverse_frequency_weights(tokens: np.ndarray) -> np.ndarray:
    """Computes importance weights 1 / p_data(x), with p_data the empirical distribution of the sequences.

    p_data(x) = (how often x occurs) / N. Under these weights all distinct sequences of the data count alike.

    Args:
      tokens: `[N, T]` integers, N at least 1.

    Returns:
      `[N]` float32 weights.

    Raises:
      ValueError: `tokens` is not `[N, T]` with N at least 1.

    >>> inverse_frequency_weights(np.array([[1, 2], [1, 2], [0, 1], [2, 2]])).tolist()
    [2.0, 2.0, 4.0, 4.0]
    """
    tokens = np.asarray(tokens)
    if tokens.ndim != 2 or not len(tokens):
        raise ValueError(f"tokens must be [N, T] with N at least 1, got shape {tokens.shape}")
    _, index_N, counts_M = np.unique(tokens, axis=0, return_inverse=True, return_counts=True)
    return (len(tokens) / counts_M[index_N.reshape(-1)]).astype(np.float32)


def _check_weights(weights: Any, num: int) -> None:
    if not jnp.issubdtype(jnp.result_type(weights), jnp.floating):
        raise TypeError(f"weights must be floating, got {jnp.result_type(weights)}")
    if jnp.shape(weights) != (num,):
        raise ValueError(f"weights must be [{num}], got shape {jnp.shape(weights)}")
    if not isinstance(weights, jax.core.Tracer):
        values = np.asarray(weights)
        if not np.isfinite(values).all() or (values < 0).any():
            raise ValueError(f"weights must be finite and >= 0, got {values.min()} to {values.max()}")
