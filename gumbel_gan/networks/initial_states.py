"""Initial states of recurrent layers: zeros, a latent, and the embedding of a condition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from gumbel_gan.arguments import require_one_of

LATENTS = ("none", "hidden", "hidden_and_cell")


def zero_carry(cell: Any, batch_size: int, num_inputs: int, dtype: Any) -> Any:
    """Returns the initial carry of a Flax cell, in the dtype of the computation.

    The cell always gets the same key, so that a random initial carry is always the same.
    """
    carry = cell.initialize_carry(jax.random.key(0), (batch_size, num_inputs))

    def convert(leaf: jax.Array) -> jax.Array:
        return leaf.astype(dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

    return jax.tree.map(convert, carry)


def add_to_hidden(carries: Sequence[Any], shift: jax.Array | None) -> tuple[Any, ...]:
    """Adds the n parts of `shift`, `[B, n H]`, to the hidden states of n carries, the last array of each carry.

    If `shift` is None, the carries are returned unchanged.
    """
    if shift is None:
        return tuple(carries)
    shifted = []
    for carry, part_BH in zip(carries, jnp.split(shift, len(carries), axis=-1), strict=True):
        leaves, structure = jax.tree.flatten(carry)
        shifted.append(jax.tree.unflatten(structure, [*leaves[:-1], leaves[-1] + part_BH.astype(leaves[-1].dtype)]))
    return tuple(shifted)


@dataclass(frozen=True)
class RecurrentLatent:
    """The latent of recurrent layers: N(0, 1) noise in place of their initial states.

    Attributes:
      kind: 'hidden_and_cell', a pair of arrays for the cell states and for the hidden states; 'hidden', an array for
        the hidden states; or 'none'.
      num_states: number of arrays in the carry of a layer; the last is the hidden state, the first of two the cell
        state.
      size: L H, the width of all layers together.
      dtype: the dtype of the latent.

    Raises:
      ValueError: `kind` is not one of `LATENTS`, or is 'hidden_and_cell' for layers without a cell state.
    """

    kind: str
    num_states: int
    size: int
    dtype: Any

    def __post_init__(self) -> None:
        require_one_of(LATENTS if self.num_states == 2 else LATENTS[:2], latent=self.kind)

    def sample(self, key: jax.Array, batch_size: int) -> Any:
        """Draws a `[B, L H]` latent or, for 'hidden_and_cell', a pair of such arrays."""
        shape = (batch_size, self.size)
        if self.num_states != 2:
            return jax.random.normal(key, shape, self.dtype)
        cell_key, hidden_key = jax.random.split(key)
        hidden = jax.random.normal(hidden_key, shape, self.dtype)
        return hidden if self.kind == "hidden" else (jax.random.normal(cell_key, shape, self.dtype), hidden)

    def place(self, carries: Sequence[Any], latent: Any, batch_size: int) -> list[Any]:
        """Returns the carries of the layers with the latent in place of their initial states.

        Raises:
          ValueError: `latent` is missing, is given although `kind` is 'none', or does not have the shape of a sample.
        """
        if self.kind == "none":
            if latent is not None:
                raise ValueError("latent must be None for a network that was built without one")
            return list(carries)
        part_shape = (batch_size, self.size)
        wanted = part_shape if self.kind == "hidden" else (part_shape, part_shape)
        got = jax.tree.map(jnp.shape, latent)
        if got != wanted:
            raise ValueError(f"latent must have shape {wanted} for the latent '{self.kind}', got {got}")
        placed = []
        for i, carry in enumerate(carries):
            leaves, structure = jax.tree.flatten(carry)
            parts = [jnp.split(part, len(carries), axis=-1)[i].astype(self.dtype) for part in jax.tree.leaves(latent)]
            placed.append(jax.tree.unflatten(structure, leaves[: len(leaves) - len(parts)] + parts))
        return placed


def check_latent(latent: Any, size: int, batch_size: int) -> None:
    """Raises ValueError unless a latent is `[B, size]` or, for a size of 0, None."""
    if not size:
        if latent is not None:
            raise ValueError("latent must be None for a network that was built without one")
    elif latent is None or jnp.shape(latent) != (batch_size, size):
        got = "None" if latent is None else f"shape {jnp.shape(latent)}"
        raise ValueError(f"latent must have shape {(batch_size, size)}, got {got}")
