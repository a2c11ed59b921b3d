"""Sampling of many sequences in blocks, so that memory does not depend on their number."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from gumbel_gan import sharding
from gumbel_gan.arguments import require_at_least, require_callable, require_key, require_kind
from gumbel_gan.model import SequenceModel
from gumbel_gan.networks import Params

_MOST_ROWS = 1_024
# Largest number of logits of a step; they take 8 MB as float32.
_MOST_LOGITS = 2**21


def block_size(model: SequenceModel) -> int:
    """Returns the number of sequences that are drawn at once: 1,024, or fewer for a large vocabulary.

    This number depends only on the number of symbols, so that draws in blocks of this size are reproducible.

    Raises:
      TypeError: `model` is not a `SequenceModel`.
    """
    require_kind(SequenceModel, model=model)
    rows = max(1, _MOST_LOGITS // model.generator.num_symbols)
    return min(_MOST_ROWS, 2 ** (rows.bit_length() - 1))


def sample_block(
    key: jax.Array,
    model: SequenceModel,
    params: Params,
    index: ArrayLike,
    num: int,
    *,
    temperature: ArrayLike = 1.0,
    exact_length: int | None = None,
    condition: Any = None,
) -> jax.Array:
    """Draws one block of a larger draw, with its own noise.

    The drawn sequences depend on the block size, but not on the number of blocks: a long draw begins with the sequences
    of a short one. Within one block, a larger `num` begins with the sequences of a smaller `num`, if the latent is
    drawn by `jax.random` in the shape `[num, ...]` (JAX's threefry generator numbers the entries of an array).

    Args:
      key: typed PRNG key of the draw, the same for all its blocks.
      model: the model.
      params: the generator's parameters.
      index: integer >= 0, index of the block; may be traced.
      num: number of sequences in the block.
      temperature: scalar > 0 that logits are divided by.
      exact_length: as in `SequenceModel.sample`.
      condition: conditions that are used in turn, a pytree with a leading axis of any size M >= 1. Sequence i, counted
        over all blocks, is drawn given condition i modulo M. None for unconditional generation.

    Returns:
      `[num, T]` int32 tokens.

    Raises:
      TypeError: `key` is not a typed PRNG key, `model` is not a `SequenceModel`, or a number has the wrong type.
      ValueError: a number is out of range.
    """
    require_key(key=key)
    require_kind(SequenceModel, model=model)
    if not isinstance(index, jax.Array):
        require_at_least(0, index=index)  # type: ignore[arg-type]
    block_key = jax.random.fold_in(key, index)
    if condition is not None:
        places = jnp.asarray(index) * num + jnp.arange(num, dtype=jnp.int32)
        condition = jax.tree.map(lambda leaf: jnp.asarray(leaf)[places % leaf.shape[0]], condition)
    return model.sample(block_key, params, num, temperature=temperature, exact_length=exact_length, condition=condition)


def in_blocks(draw: Callable[[int], jax.Array], num: int, *, axis: int = 0) -> Iterator[np.ndarray]:
    """Yields the sequences of a draw in blocks. While a block is used, the next one is computed.

    Args:
      draw: maps the index of a block to its sequences, such as a jitted `sample_block`; all blocks have the same shape.
      num: N, number of sequences, at least 0.
      axis: the axis of the sequences.

    Yields:
      Blocks of tokens as NumPy arrays, the last one cut so that there are N sequences in all.

    Raises:
      TypeError: `draw` is not callable, or `num` is not an integer.
      ValueError: `num` is negative, or a block holds no sequences.
    """
    require_callable(draw=draw)
    require_at_least(0, num=num)
    ahead: deque[jax.Array] = deque()
    num_asked, index = 0, 0
    while num > 0:
        while len(ahead) < 2 and num_asked < num:
            ahead.append(draw(index))
            if not ahead[-1].shape[axis]:
                raise ValueError(f"draw must return blocks of at least one sequence, got shape {ahead[-1].shape}")
            num_asked, index = num_asked + ahead[-1].shape[axis], index + 1
        block = sharding.gather(ahead.popleft())
        yield block[(slice(None),) * axis + (slice(num),)]
        num -= block.shape[axis]
        num_asked -= block.shape[axis]
