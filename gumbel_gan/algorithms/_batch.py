"""Shared functions of algorithms for the batch of a step."""

import jax
import jax.numpy as jnp

from gumbel_gan.data import Batch, check_data
from gumbel_gan.model import SequenceModel


def check_batch(batch: Batch, model: SequenceModel, *, num_updates: int = 1, weights: bool = False) -> Batch:
    """Checks the batch of a step, and returns it as a `Batch` with int32 tokens.

    Raises:
      TypeError: as in `data.check_data`.
      ValueError: as in `data.check_data`; the number of sequences is not a multiple of `num_updates`; or the batch has
        weights, and `weights` is false because the algorithm does not use them.
    """
    batch = check_data(batch, num_symbols=model.generator.num_symbols, length=model.length)
    if len(batch.tokens) % num_updates:
        raise ValueError(
            f"tokens must hold a multiple of discriminator_updates, {num_updates}, sequences; got {len(batch.tokens)}"
        )
    if batch.weights is not None and not weights:
        raise ValueError("weights must be None for this algorithm, got an array")
    return batch._replace(tokens=jnp.asarray(batch.tokens, jnp.int32))


def one_hot(tokens: jax.Array, model: SequenceModel) -> jax.Array:
    """Returns `[N, T, K]` float32 one-hot symbols of `[N, T]` tokens."""
    return jax.nn.one_hot(tokens, model.generator.num_symbols, dtype=jnp.float32)
