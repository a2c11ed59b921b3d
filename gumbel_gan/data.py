"""Batches of sequences, and checks of data before training."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gumbel_gan.arguments import require_at_least, require_integers, require_kind, require_symbols

PyTree = Any


class Batch(NamedTuple):
    """Sequences with optional conditions and weights: a batch, or a whole data set.

    Attributes:
      tokens: `[N, T]` integers in [0, K).
      condition: the condition of each sequence, a pytree of arrays with a leading axis of N (labels `[N]`, vectors
        `[N, F]`, other sequences `[N, T']`); None for unconditional generation.
      weights: `[N]` floating weights >= 0 of the sequences; None if all have the same weight. The algorithms that use
        weights document how.
    """

    tokens: Any
    condition: PyTree = None
    weights: Any = None


def as_batch(data: Any) -> Batch:
    """Returns a `Batch` unchanged; wraps anything else as the tokens of a `Batch` without condition and weights."""
    return data if isinstance(data, Batch) else Batch(data)


def num_sequences(data: Batch) -> int:
    """Returns N, the number of sequences of a batch.

    Raises:
      TypeError: `data` is not a `Batch`.
    """
    require_kind(Batch, data=data)
    return data.tokens.shape[0]


def take(data: Batch, rows: Any) -> Batch:
    """Returns the given rows of every array of a batch.

    Args:
      data: a batch of N sequences.
      rows: `[M]` integers in [0, N), which may be traced, or a slice. As everywhere in JAX, an index >= N into a JAX
        array returns the last row.

    Returns:
      A `Batch` of M sequences. NumPy arrays stay NumPy arrays, unless `rows` is a JAX array.

    Raises:
      TypeError: `data` is not a `Batch`, or `rows` is neither a slice nor an array of integers.
      ValueError: `rows` is not `[M]`, or is a NumPy array with a row that is not in [0, N).
    """
    num = num_sequences(data)
    if not isinstance(rows, slice):
        require_integers(rows=rows)
        if rows.ndim != 1:
            raise ValueError(f"rows must be [M], got shape {rows.shape}")
    if isinstance(rows, np.ndarray):
        require_symbols(num, rows=rows)

    def rows_of(leaf: Any) -> Any:
        return (jnp.asarray(leaf) if isinstance(rows, jax.Array) else leaf)[rows]

    return jax.tree.map(rows_of, data)


def check_data(data: Any, *, num_symbols: int, length: int) -> Batch:
    """Checks sequences before training. For traced arrays, shapes and dtypes are checked, but not values.

    Args:
      data: a `Batch` of N sequences, or their tokens `[N, T]`; JAX or NumPy arrays.
      num_symbols: K, at least 1.
      length: T, at least 1.

    Returns:
      The data as a `Batch`.

    Raises:
      TypeError: the tokens are not an array of integers, a leaf of the condition is not an array of numbers, bools or
        PRNG keys, or the weights are not an array of floats; or `num_symbols` or `length` is not an integer.
      ValueError: there are no sequences; the tokens are not `[N, T]` or not in [0, K); a leaf of the condition has no
        leading axis of N; the weights are not `[N]`, or not finite, negative or all 0; or `num_symbols` or `length` is
        less than 1.
    """
    require_at_least(1, num_symbols=num_symbols, length=length)
    data = as_batch(data)
    _check_tokens(data.tokens, num_symbols, length)
    num = num_sequences(data)
    for leaf in jax.tree.leaves(data.condition):
        _check_condition(leaf, num)
    if data.weights is not None:
        _check_weights(data.weights, num)
    return data


def inverse_frequency_weights(tokens: Any) -> np.ndarray:
    """Computes importance weights 1 / p_data(x), with p_data the empirical distribution of the sequences.

    p_data(x) = (number of occurrences of x) / N. With these weights, all distinct sequences of the data have the same
    total weight, N.

    Args:
      tokens: `[N, T]` integers, N and T at least 1; a JAX or NumPy array, not traced.

    Returns:
      `[N]` float32 weights.

    Raises:
      TypeError: `tokens` is not an array of integers.
      ValueError: `tokens` is not `[N, T]` with N and T at least 1.

    >>> inverse_frequency_weights(np.array([[1, 2], [1, 2], [0, 1], [2, 2]])).tolist()
    [2.0, 2.0, 4.0, 4.0]
    """
    _require_array("tokens", tokens, "integers", jnp.integer)
    if tokens.ndim != 2 or not tokens.size:
        raise ValueError(f"tokens must be [N, T] with N and T at least 1, got shape {tokens.shape}")
    _, index_N, counts_M = np.unique(np.asarray(tokens), axis=0, return_inverse=True, return_counts=True)
    return (len(tokens) / counts_M[index_N.reshape(-1)]).astype(np.float32)


def _require_array(name: str, array: Any, wanted: str, *kinds: Any) -> None:
    """Raises TypeError unless an argument is an array with a dtype of one of `kinds`, described by `wanted`."""
    if not isinstance(array, jax.Array | np.ndarray):
        raise TypeError(f"{name} must be an array of {wanted}, got {type(array).__name__}")
    if not any(jnp.issubdtype(array.dtype, kind) for kind in kinds):
        raise TypeError(f"{name} must be an array of {wanted}, got {array.dtype}")


def _check_tokens(tokens: Any, num_symbols: int, length: int) -> None:
    _require_array("tokens", tokens, "integers", jnp.integer)
    if tokens.ndim != 2 or tokens.shape[1] != length:
        raise ValueError(f"tokens must be [N, {length}], got shape {tokens.shape}")
    if not tokens.shape[0]:
        raise ValueError("tokens must hold at least one sequence, got none")
    require_symbols(num_symbols, tokens=tokens)


def _check_condition(leaf: Any, num: int) -> None:
    _require_array("condition", leaf, "numbers, bools or PRNG keys", jnp.number, jnp.bool, jax.dtypes.prng_key)
    if leaf.shape[:1] != (num,):
        raise ValueError(f"condition must have a leading axis of {num}, got shape {leaf.shape}")


def _check_weights(weights: Any, num: int) -> None:
    _require_array("weights", weights, "floats", jnp.floating)
    if weights.shape != (num,):
        raise ValueError(f"weights must be [{num}], got shape {weights.shape}")
    if not isinstance(weights, jax.core.Tracer):
        values = np.asarray(weights)
        least, largest = float(values.min()), float(values.max())
        if not (least >= 0 and largest < np.inf):
            raise ValueError(f"weights must be finite and >= 0, got {least} to {largest}")
        if largest == 0:
            raise ValueError("weights must not all be 0")
