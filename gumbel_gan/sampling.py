"""Many sequences drawn a block at a time, so that memory does not depend on their number."""

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
# What the logits of a step may take, as float32: 8 MB.
_MOST_LOGITS = 2**21


def block_size(model: SequenceModel) -> int:
    """Returns how many sequences of a model are drawn at once: 1,024, or fewer where the vocabulary is large.

    It depends on the number of symbols alone, so that a draw of blocks of this size can be repeated.

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
    """Draws one block of a draw, with noise of its own.

    The size of the blocks enters the draw, their number does not: the first sequences of a long draw are those of a
    short one. They are so within a block, too, where a latent is drawn by `jax.random` in the shape `[num, ...]` (JAX's
    threefry generator numbers the entries of an array).

    Args:
      key: typed PRNG key of the draw, the same for all its blocks.
      model: the model.
      params: the generator's parameters.
      index: integer >= 0, which block it is; may be traced.
      num: number of sequences of the block.
      temperature: scalar > 0 that logits are divided by.
      exact_length: as in `SequenceModel.sample`.
      condition: conditions that the sequences of the whole draw go through in turn, a pytree with a leading axis of any
        size M of at least 1: sequence i of all blocks is drawn from condition i modulo M. None where there are none.

    Returns:
      `[num, T]` int32 tokens.

    Raises:
      TypeError: `key` is not a typed PRNG key, `model` is not a `SequenceModel`, or a number is of another type.
      ValueError: a number is out of its range.
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
    """Yields a draw a block at a time. While a block is used, the next one is computed.

    Args:
      draw: maps the index of a block to its sequences, such as a jitted `sample_block`; all blocks have one shape.
      num: N, number of sequences, at least 0.
      axis: that of the sequences.

    Yields:
      Blocks of tokens as NumPy arrays, the last one cut so that there are N sequences in all.

    Raises:
      TypeError: `draw` is not callable, or `num` is not an integer.
      ValueError: `num` is negative, or blocks hold no sequences.
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
