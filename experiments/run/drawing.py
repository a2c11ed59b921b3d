"""Draws sequences from the generators of a run, in blocks."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gumbel_gan import sampling, sharding
from gumbel_gan.beam_search import beam_search
from gumbel_gan.model import SequenceModel


def blocks(
    model: SequenceModel, num_replicas: int, num: int, length: int | None = None, condition: Any = None
) -> Callable[..., Iterator[np.ndarray]]:
    """Builds a function that draws sequences for every replica, a block at a time, on all devices.

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


def targets(
    model: SequenceModel,
    key: jax.Array,
    params: Any,
    conditions: np.ndarray,
    num: int,
    *,
    beam_size: int = 0,
    temperature: float = 1.0,
    at_once: int = 512,
) -> Iterator[tuple[int, np.ndarray]]:
    """Finds the targets of each source in turn, in blocks.

    Args:
      model: the model.
      key: typed PRNG key.
      params: parameters of one generator.
      conditions: `[N, ...]` sources.
      num: number of targets of each source; at most `beam_size` if that is not 0.
      beam_size: width of the beam in a search for the most probable targets; 0 draws samples.
      temperature: divides the logits of samples.
      at_once: maximum number of targets in a block, except that the beam of a source may be wider.

    Yields:
      The index of a source and `[n, T]` of its targets. The n of a source add up to `num`.
    """
    rows = max(1, at_once // (beam_size or num))
    # The targets of a source, if they are more than a block, are drawn in several blocks.
    size = num if beam_size else min(num, at_once)

    @jax.jit
    def find(key: jax.Array, condition: jax.Array) -> jax.Array:
        if not beam_size:
            each = jnp.repeat(condition, size, axis=0)
            drawn = model.sample(key, params, rows * size, temperature=temperature, condition=each)
            return drawn.reshape(rows, size, -1)
        latent_key = None if model.generator.sample_latent is None else key
        found = beam_search(model, params, rows, beam_size=beam_size, condition=condition, key=latent_key)
        return found.tokens[:, :num]

    starts = itertools.product(range(0, len(conditions), rows), range(0, num, size))
    for block, (first, start) in enumerate(starts):
        # All blocks have one shape, so that only one program is compiled.
        places = np.minimum(np.arange(first, first + rows), len(conditions) - 1)
        found = np.asarray(find(jax.random.fold_in(key, block), conditions[places]))
        for index in range(first, min(first + rows, len(conditions))):
            yield index, found[index - first, : num - start]
