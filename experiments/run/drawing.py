"""Draws sequences from the generators of a run, in blocks, on all devices."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from gumbel_gan import sampling, sharding
from gumbel_gan.model import SequenceModel


def blocks(
    model: SequenceModel, num_replicas: int, num: int, length: int | None = None, condition: Any = None
) -> Callable[..., Iterator[np.ndarray]]:
    """Builds a function that draws sequences for every replica, a block at a time.

    The memory does not depend on the number of sequences. The first sequences of a long draw are those of a short one,
    for any number of devices.

    Args:
      model: the model.
      num_replicas: S, the number of replicas.
      num: N, the number of sequences of each replica.
      length: length of the sequences; None for the T of training.
      condition: conditions with a leading axis, which the sequences of a replica use in turn; None for no conditions.

    Returns:
      A function of keys `[S]`, parameters with a leading axis of S, and optionally a `temperature`. It is compiled once
      and yields tokens `[S, n, T]`, where the n add up to N.
    """
    size = min(sampling.block_size(model), num)
    at_once = len(jax.devices()) // sharding.seeds_mesh(num_replicas).size
    if jax.process_count() == 1:
        # With several processes, every process takes part in any case.
        at_once = min(at_once, -(-num // size))
    mesh = sharding.seeds_mesh(num_replicas, at_once)

    @jax.jit
    def draw_parts(keys: jax.Array, params: Any, first: jax.Array, temperature: jax.Array) -> jax.Array:
        def part(number: jax.Array, key: jax.Array, params: Any, first: jax.Array, temperature: jax.Array) -> jax.Array:
            return sampling.sample_block(
                key,
                model,
                params,
                first + number,
                size,
                temperature=temperature,
                exact_length=length,
                condition=condition,
            )

        return sharding.map_parts(part, mesh, in_axes=(0, 0, None, None))(keys, params, first, temperature)

    def draw(keys: jax.Array, params: Any, temperature: float = 1.0) -> Iterator[np.ndarray]:
        keys, params = sharding.place((keys, params), sharding.seeds_sharding(mesh))

        def of_index(index: int) -> jax.Array:
            return draw_parts(keys, params, np.int32(index * at_once), np.float32(temperature))

        return sampling.in_blocks(of_index, num, axis=1)

    return draw
