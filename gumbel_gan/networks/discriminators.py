"""Recurrent discriminators."""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from gumbel_gan.networks.parts import Params, check_sizes, open_forget_gates

POOLINGS = ("last", "last_and_mean")


class Discriminator(NamedTuple):
    """A discriminator of whole sequences.

    Attributes:
      init: key -> params.
      logits: (params, x `[B, T, K]`) -> `[B]` logits d = log(D / (1 - D)); large means real. It is told no length:
        padding is a symbol like the others.
    """

    init: Callable[[jax.Array], Params]
    logits: Callable[[Params, jax.Array], jax.Array]


class _Discriminator(nn.Module):
    cell: Callable[..., Any]
    hidden_size: int
    pooling: str
    bidirectional: bool
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        h = self._unroll()(x)
        features = [h[:, -1]]
        if self.bidirectional:
            # With keep_order, the state that has read the whole sequence backwards stands at its beginning.
            backwards = self._unroll(reverse=True, keep_order=True)(x)
            features.append(backwards[:, 0])
            h = jnp.concatenate([h, backwards], axis=-1)
        if self.pooling == "last_and_mean":
            features.append(jnp.mean(h, axis=1))
        logits = nn.Dense(1, dtype=self.dtype)(jnp.concatenate(features, axis=-1))
        return logits[:, 0].astype(jnp.float32)

    def _unroll(self, **options: Any) -> Any:
        return nn.RNN(self.cell(self.hidden_size, dtype=self.dtype), **options)


def lstm_discriminator(
    num_symbols: int,
    hidden_size: int,
    *,
    pooling: str = "last_and_mean",
    bidirectional: bool = False,
    dtype: jnp.dtype = jnp.float32,
) -> Discriminator:
    """Makes an LSTM discriminator with a linear head on its last state, or on its last and its mean state.

    Args:
      num_symbols: K, at least 2.
      hidden_size: H, width of the LSTM (of each direction), at least 1.
      pooling: 'last' (the paper's) or 'last_and_mean', which shortens the path of the gradient to each symbol.
      bidirectional: whether a second LSTM reads the sequence backwards.
      dtype: of the computation; parameters and logits are float32.

    Returns:
      A `Discriminator`.

    Raises:
      ValueError: an argument is out of its range.
    """
    return _discriminator(nn.OptimizedLSTMCell, num_symbols, hidden_size, pooling, bidirectional, dtype)


def gru_discriminator(
    num_symbols: int,
    hidden_size: int,
    *,
    pooling: str = "last_and_mean",
    bidirectional: bool = False,
    dtype: jnp.dtype = jnp.float32,
) -> Discriminator:
    """Makes a GRU discriminator: `lstm_discriminator` with another cell, and the same arguments and errors."""
    return _discriminator(nn.GRUCell, num_symbols, hidden_size, pooling, bidirectional, dtype)


def _discriminator(
    cell: Callable[..., Any], num_symbols: int, hidden_size: int, pooling: str, bidirectional: bool, dtype: jnp.dtype
) -> Discriminator:
    """Makes a discriminator of a Flax cell."""
    check_sizes(num_symbols, hidden_size)
    if pooling not in POOLINGS:
        raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}; got {pooling!r}")
    module = _Discriminator(cell, hidden_size, pooling, bidirectional, dtype)

    def init(key: jax.Array) -> Params:
        return open_forget_gates(module.init(key, jnp.zeros((1, 1, num_symbols), dtype)))

    apply: Any = module.apply
    return Discriminator(init, apply)
