"""Shared parts of recurrent generators and discriminators: cells, an embedding, and unrolls over time."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gumbel_gan.arguments import require_at_least, require_callable
from gumbel_gan.networks.cells import SplitCell, linear
from gumbel_gan.networks.initial_states import zero_carry

# (hidden_size, dtype=dtype) -> cell, such as the class of a Flax cell.
CellFactory = Callable[..., nn.RNNCellBase]

# With at most this many symbols, the gradient of a look-up is cheaper to sum step by step than to store (on a CPU).
_FEW_SYMBOLS = 16


class Embedding(nn.Module):
    """A linear embedding of symbols, initialized from N(0, 1).

    Attributes:
      num_inputs: number of symbols.
      features: E, the size of the embedding.
      dtype: the dtype of the computation; parameters are float32.
    """

    num_inputs: int
    features: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns the embedding `[..., E]` of integer symbols `[...]` or of relaxed symbols `[..., num_inputs]`."""
        shape = (self.num_inputs, self.features)
        return linear(x, self.param("embedding", nn.initializers.normal(1.0), shape, jnp.float32), self.dtype)


def build_cell(cell: CellFactory, hidden_size: int, dtype: Any) -> nn.RNNCellBase:
    """Builds a cell and checks it.

    Raises:
      TypeError: `cell` does not build a `flax.linen.RNNCellBase`.
      ValueError: the cell's inputs do not have one feature axis, or the last array of its carry is not `[B, H]`.
    """
    require_callable(cell=cell)
    built = cell(hidden_size, dtype=dtype)
    if not isinstance(built, nn.RNNCellBase):
        raise TypeError(f"cell must build a flax.linen.RNNCellBase, got {built!r}")
    if built.num_feature_axes != 1:
        raise ValueError(f"cell must take inputs with one axis of features, got one with {built.num_feature_axes}")
    shapes = [leaf.shape for leaf in jax.tree.leaves(jax.eval_shape(lambda: zero_carry(built, 1, hidden_size, dtype)))]
    if shapes[-1:] != [(1, hidden_size)]:
        raise ValueError(
            f"cell must have a carry whose last array is [B, {hidden_size}], got shapes {shapes} for B = 1"
        )
    return built


def named_cells(module: nn.Module, cell: CellFactory, hidden_size: int, num: int, dtype: Any) -> list[Any]:
    """Builds the cells of a module during its `setup`, named by class and number, as in a compact module."""
    cells = [cell(hidden_size, dtype=dtype) for _ in range(num)]
    return [built.clone(parent=module, name=f"{type(built).__name__}_{i}") for i, built in enumerate(cells)]


def require_recurrent(num_symbols: int, hidden_size: int, num_layers: int, embedding_size: int | None) -> None:
    """Raises TypeError or ValueError unless the sizes of a recurrent network are integers in range."""
    require_at_least(2, num_symbols=num_symbols)
    require_at_least(1, hidden_size=hidden_size, num_layers=num_layers)
    if embedding_size is not None:
        require_at_least(1, embedding_size=embedding_size)


def step_cell(cell: Any, carry: Any, x: jax.Array) -> tuple[Any, jax.Array, jax.Array]:
    """Takes a step of a bound cell: (carry, x) -> (carry, output `[B, H]`, hidden state `[B, H]`).

    x is floating `[B, N]` or, for a `SplitCell`, symbols `[B]`. The hidden state of any other cell is its output.
    """
    if isinstance(cell, SplitCell):
        return cell.step(carry, x)
    carry, h = cell(carry, x)
    return carry, h, h


def unroll_cell(
    cell: Any,
    carry: Any,
    x: jax.Array,
    *,
    num_symbols: int | None = None,
    reverse: bool = False,
    with_hidden: bool = False,
    recurrent_dropout: jax.Array | None = None,
    layer: int = 0,
) -> tuple[jax.Array, jax.Array | None]:
    """Unrolls a bound cell over time.

    Args:
      cell: the cell.
      carry: the initial carry.
      x: `[T, B, N]` floating, or `[T, B]` symbols for a `SplitCell` whose parameters exist.
      num_symbols: the number of symbols, if x holds symbols.
      reverse: whether the cell starts at the last step.
      with_hidden: whether hidden states are returned.
      recurrent_dropout: `[L, B, 1, H]` dropout factors of the states that the cells of L layers read; None: no dropout.
      layer: the layer of the cell, if there is dropout.

    Returns:
      `[T, B, H]` outputs, and `[T, B, H]` hidden states or None.
    """
    if cell.is_initializing():
        # This call creates the parameters that the other methods of a cell need.
        cell(carry, x[0])
    step = step_cell
    if _is_projected_at_once(cell, x, num_symbols):
        step, x = type(cell).recur, cell.project(x)

    def body(cell: Any, carry: Any, x: jax.Array) -> tuple[Any, tuple[jax.Array, jax.Array | None]]:
        carry, h, hidden = step(cell, drop_state(carry, recurrent_dropout, layer), x)
        return carry, (h, hidden if with_hidden else None)

    scan: Any = nn.scan(body, variable_broadcast="params", split_rngs={"params": False}, reverse=reverse)
    return scan(cell, carry, x)[1]


def read(cell: Any, x: jax.Array, *, reverse: bool = False) -> jax.Array:
    """Returns the outputs `[T, B, H]` of a cell along x `[T, B, N]`, from the cell's own initial carry."""
    carry = zero_carry(cell, x.shape[1], x.shape[2], x.dtype)
    return unroll_cell(cell, carry, x, reverse=reverse)[0]


def _is_projected_at_once(cell: Any, x: jax.Array, num_symbols: int | None) -> bool:
    """Returns whether the inputs of all steps are projected before the scan, which is faster if they are wide."""
    if jnp.issubdtype(x.dtype, jnp.integer):
        return num_symbols is not None and num_symbols > _FEW_SYMBOLS
    return isinstance(cell, SplitCell) and x.shape[-1] > 4 * cell.features


def drop_state(carry: Any, factors: jax.Array | None, layer: int) -> Any:
    """Applies `drop` to the hidden state of a layer's cell, the last array of the cell's carry."""
    if factors is None:
        return carry
    *others, hidden_BH = jax.tree.leaves(carry)
    return jax.tree.unflatten(jax.tree.structure(carry), [*others, drop(hidden_BH, factors, layer)])


def drop(x: jax.Array, factors: jax.Array | None, layer: int) -> jax.Array:
    """Multiplies features `[..., B, N]` by a layer's dropout factors, from `[num, B, 1, W]` with W at least N."""
    if factors is None:
        return x
    factors_BN = factors[layer, :, 0, : x.shape[-1]].astype(x.dtype)
    return x * factors_BN.reshape(*(1,) * (x.ndim - 2), *factors_BN.shape)
