"""Recurrent discriminators."""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from gumbel_gan.arguments import require_at_least, require_one_of
from gumbel_gan.networks.cells import LSTMCell, Params

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


class PrefixDiscriminator(NamedTuple):
    """A discriminator of all prefixes of a sequence at once.

    Attributes:
      init: key -> params.
      logits: (params, x `[B, T, K]`) -> `[B, T]` logits, at t of the first t symbols; large means that a real sequence
        begins so.
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


class _BehaviorDiscriminator(nn.Module):
    hidden_size: int
    num_layers: int
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        forwards, backwards = (nn.GRUCell(self.hidden_size, dtype=self.dtype) for _ in range(2))
        read: Any = nn.Bidirectional(nn.RNN(forwards), nn.RNN(backwards))
        h = jnp.mean(read(x), axis=1)
        for _ in range(self.num_layers):
            h = nn.relu(nn.Dense(self.hidden_size, dtype=self.dtype)(h))
        logits = nn.Dense(1, dtype=self.dtype)(h)
        return logits[:, 0].astype(jnp.float32)


class _PrefixDiscriminator(nn.Module):
    cell: Callable[..., Any]
    hidden_size: int
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        h = nn.RNN(self.cell(self.hidden_size, dtype=self.dtype))(x)
        return nn.Dense(1, dtype=self.dtype)(h)[..., 0].astype(jnp.float32)


def lstm_discriminator(
    num_symbols: int,
    hidden_size: int,
    *,
    pooling: str = "last_and_mean",
    bidirectional: bool = False,
    dtype: jnp.dtype = jnp.float32,
) -> Discriminator:
    """Makes an LSTM discriminator with a linear head on its last state, or on its last and its mean state.

    It can be differentiated in reverse, as often as wanted, but not forwards (`jax.jvp`).

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
    return _discriminator(LSTMCell, num_symbols, hidden_size, pooling, bidirectional, dtype)


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


def behavior_discriminator(
    num_features: int, hidden_size: int, *, num_layers: int = 3, dtype: jnp.dtype = jnp.float32
) -> Discriminator:
    """Makes Professor Forcing's discriminator: a bidirectional GRU, the mean of its states, and ReLU layers on it.

    Args:
      num_features: F, numbers that describe a generator's behaviour at a step, at least 2; they stand in the place of
        the K symbols.
      hidden_size: width of the GRU of each direction, and of the layers, at least 1.
      num_layers: number of ReLU layers before the last, linear one, at least 0.
      dtype: of the computation; parameters and logits are float32.

    Returns:
      A `Discriminator`.

    Raises:
      ValueError: an argument is out of its range.

    References:
      Lamb et al. 2016, section 2, https://arxiv.org/abs/1610.09038.
    """
    require_at_least(2, num_features=num_features)
    require_at_least(1, hidden_size=hidden_size)
    require_at_least(0, num_layers=num_layers)
    return Discriminator(*_functions(_BehaviorDiscriminator(hidden_size, num_layers, dtype), num_features))


def lstm_prefix_discriminator(
    num_symbols: int, hidden_size: int, *, dtype: jnp.dtype = jnp.float32
) -> PrefixDiscriminator:
    """Makes an LSTM discriminator of prefixes, with a linear head on every state; differentiable in reverse only.

    Args:
      num_symbols: K, at least 2.
      hidden_size: H, width of the LSTM, at least 1.
      dtype: of the computation; parameters and logits are float32.

    Returns:
      A `PrefixDiscriminator`.

    Raises:
      ValueError: an argument is out of its range.

    References:
      de Masson d'Autume et al. 2019, section 3, https://arxiv.org/abs/1905.09922.
    """
    return _prefix_discriminator(LSTMCell, num_symbols, hidden_size, dtype)


def gru_prefix_discriminator(
    num_symbols: int, hidden_size: int, *, dtype: jnp.dtype = jnp.float32
) -> PrefixDiscriminator:
    """Makes a GRU discriminator of prefixes: `lstm_prefix_discriminator` with another cell."""
    return _prefix_discriminator(nn.GRUCell, num_symbols, hidden_size, dtype)


def _discriminator(
    cell: Callable[..., Any], num_symbols: int, hidden_size: int, pooling: str, bidirectional: bool, dtype: jnp.dtype
) -> Discriminator:
    """Makes a discriminator of a cell."""
    require_at_least(2, num_symbols=num_symbols)
    require_at_least(1, hidden_size=hidden_size)
    require_one_of(POOLINGS, pooling=pooling)
    return Discriminator(*_functions(_Discriminator(cell, hidden_size, pooling, bidirectional, dtype), num_symbols))


def _prefix_discriminator(
    cell: Callable[..., Any], num_symbols: int, hidden_size: int, dtype: jnp.dtype
) -> PrefixDiscriminator:
    """Makes a discriminator of prefixes of a cell."""
    require_at_least(2, num_symbols=num_symbols)
    require_at_least(1, hidden_size=hidden_size)
    return PrefixDiscriminator(*_functions(_PrefixDiscriminator(cell, hidden_size, dtype), num_symbols))


def _functions(
    module: Any, num_inputs: int
) -> tuple[Callable[[jax.Array], Params], Callable[[Params, jax.Array], jax.Array]]:
    """Gives a module's `init` and its `apply`."""

    def init(key: jax.Array) -> Params:
        return module.init(key, jnp.zeros((1, 1, num_inputs), module.dtype))

    return init, module.apply
