"""Sequences drawn from the generators of a run, a block at a time, on all devices."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from gumbel_gan import sampling, sharding
from gumbel_gan.model import SequenceModel


def blocks(
    model: SequenceModel, num_members: int, num: int, length: int | None = None, condition: Any = None
) -> Callable[..., Iterator[np.ndarray]]:
    """Builds the function that draws sequences of every member, a block at a time.

    Memory does not depend on their number, and the first sequences of a long draw are those of a short one, however
    many devices there are.

    Args:
      model: the model.
      num_members: S.
      num: N, number of sequences of each member.
      length: of the sequences; None for the T of training.
      condition: conditions that the sequences of a member go through in turn, with a leading axis; None without any.

    Returns:
      A function of keys `[S]`, parameters with a leading axis of S, and optionally a `temperature`, compiled once, that
      yields tokens `[S, n, T]`, whose n add up to N.
    """
    size = min(sampling.block_size(model), num)
    at_once = len(jax.devices()) // sharding.seeds_mesh(num_members).size
    if jax.process_count() == 1:
        # Of several processes, each takes part in any case.
        at_once = min(at_once, -(-num // size))
    mesh = sharding.seeds_mesh(num_members, at_once)

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
