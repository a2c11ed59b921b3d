"""Condition sequences in recurrent networks: a bidirectional encoder, and attention to its states."""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from gumbel_gan.networks.attention import KeysValues, masked_attention
from gumbel_gan.networks.cells import SplitCell
from gumbel_gan.networks.conditions import Sequences
from gumbel_gan.networks.initial_states import zero_carry
from gumbel_gan.networks.recurrence import CellFactory, unroll_cell


class Source(NamedTuple):
    """An encoded sequence.

    Attributes:
      summary: `[B, D]`, the states of both directions after the whole sequence.
      states: `[B, S, D]`, the states of both directions at each symbol.
      mask: `[B, S]` booleans, false at the padding.
    """

    summary: jax.Array
    states: jax.Array
    mask: jax.Array


class SourceEncoder(nn.Module):
    """Encodes a sequence, padded at the end, in both directions, each of which reads the padding last.

    The encoding of a sequence does not depend on the amount of padding.

    Attributes:
      spec: the specification of the condition.
      hidden_size: width of each direction; D is twice that.
      cell: builds the cells.
      dtype: the dtype of the computation; parameters are float32.
    """

    spec: Sequences
    hidden_size: int
    cell: CellFactory
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, tokens: jax.Array) -> Source:
        """Encodes sequences `[B, S]`."""
        mask_BS = jnp.ones(tokens.shape, bool) if self.spec.padding is None else tokens != self.spec.padding
        length_B1 = jnp.sum(mask_BS, axis=1, keepdims=True, dtype=jnp.int32)
        time_1S = jnp.arange(tokens.shape[1], dtype=jnp.int32)[None]
        reverse_BS = jnp.where(time_1S < length_B1, length_B1 - 1 - time_1S, time_1S)
        forwards_BSH = self._read(tokens)
        backwards_BSH = self._read(jnp.take_along_axis(tokens, reverse_BS, axis=1))
        last_B11 = jnp.maximum(length_B1 - 1, 0)[..., None]
        summary_BD = jnp.concatenate(
            [jnp.take_along_axis(each, last_B11, axis=1)[:, 0] for each in (forwards_BSH, backwards_BSH)], axis=-1
        )
        in_order_BSH = jnp.take_along_axis(backwards_BSH, reverse_BS[..., None], axis=1)
        return Source(summary_BD, jnp.concatenate([forwards_BSH, in_order_BSH], axis=-1), mask_BS)

    def _read(self, tokens: jax.Array) -> jax.Array:
        cell: Any = self.cell(self.hidden_size, dtype=self.dtype)
        num = self.spec.num_symbols
        x = tokens.astype(jnp.int32)
        # A look-up needs the cell's parameters, which do not exist during initialization.
        if self.is_initializing() or not isinstance(cell, SplitCell):
            x = jax.nn.one_hot(x, num, dtype=self.dtype)
        carry = zero_carry(cell, tokens.shape[0], num, self.dtype)
        states_SBH, _ = unroll_cell(cell, carry, jnp.swapaxes(x, 0, 1), num_symbols=num)
        return jnp.swapaxes(states_SBH, 0, 1)


class SourceAttention(nn.Module):
    """Attention of a recurrent layer's states to those of an encoded sequence, with scaled bilinear scores.

    Attributes:
      dtype: the dtype of the computation; parameters are float32.

    References:
      Luong et al. 2015, equation 8, https://arxiv.org/abs/1508.04025.
    """

    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, states: jax.Array, memory: jax.Array, mask: jax.Array | None) -> jax.Array:
        """Computes attention `[B, T, D]` of states `[B, T, H]` to a memory `[B, S, D]` with a mask `[B, S]`."""
        query_BTD = nn.Dense(memory.shape[-1], use_bias=False, dtype=self.dtype)(states)
        memory_BSND = memory[:, :, None]
        return masked_attention(query_BTD[:, :, None], KeysValues(memory_BSND, memory_BSND), mask)


class SourceMatch(nn.Module):
    """Features of the match of a sequence and a condition: a tanh layer on its states and the vectors they attend to.

    Attributes:
      spec: the specification of the condition, another sequence.
      hidden_size: H, the width of the tanh layer.
      cell: builds the cells that read the condition.
      dtype: the dtype of the computation; parameters are float32.
    """

    spec: Sequences
    hidden_size: int
    cell: CellFactory
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, states: jax.Array, condition: jax.Array) -> jax.Array:
        """Computes features `[B, T, H]` from states `[B, T, N]` and condition sequences `[B, S]`."""
        source = SourceEncoder(self.spec, (self.hidden_size + 1) // 2, self.cell, self.dtype)(condition)
        context_BTD = SourceAttention(self.dtype)(states, source.states, source.mask)
        return jnp.tanh(nn.Dense(self.hidden_size, dtype=self.dtype)(jnp.concatenate([states, context_BTD], axis=-1)))
