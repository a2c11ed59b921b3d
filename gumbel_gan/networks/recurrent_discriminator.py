"""Recurrent discriminators: layers of LSTM, GRU or any Flax cells, in one direction or both."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_at_least, require_one_of
from gumbel_gan.networks.cells import GRUCell, LSTMCell
from gumbel_gan.networks.conditions import ConditionEmbedding, ConditionSpec, Sequences, require_condition_spec
from gumbel_gan.networks.discriminator_functions import discriminator_functions, projected_logits
from gumbel_gan.networks.dropout import Dropout
from gumbel_gan.networks.interface import Discriminator, PrefixDiscriminator
from gumbel_gan.networks.recurrence import CellFactory, build_cell, drop, read, require_recurrent
from gumbel_gan.networks.source_attention import SourceMatch
from gumbel_gan.networks.spectral import dense_of

POOLINGS = ("last", "last_and_mean")


class _Discriminator(nn.Module):
    cell: CellFactory
    hidden_size: int
    num_layers: int
    embedding_size: int | None
    pooling: str | None  # None: a logit at every position, of what the cells have read up to it
    bidirectional: bool
    condition: ConditionSpec | None
    spectral_norm: bool
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, condition: Any, dropout: jax.Array | None) -> jax.Array:
        dense = dense_of(self.spectral_norm, self.dtype)
        x_TBN = jnp.swapaxes(x.astype(self.dtype), 0, 1)
        if self.embedding_size is not None:
            x_TBN = drop(dense(self.embedding_size, use_bias=False, name="embedding")(x_TBN), dropout, self.num_layers)
        for layer in range(self.num_layers):
            states = [read(self.cell(self.hidden_size, dtype=self.dtype), x_TBN)]
            if self.bidirectional:
                states.append(read(self.cell(self.hidden_size, dtype=self.dtype), x_TBN, reverse=True))
            x_TBN = drop(jnp.concatenate(states, axis=-1), dropout, layer)
        spec, match_BTH = self.condition, None
        if isinstance(spec, Sequences):
            match = SourceMatch(spec, self.hidden_size, self.cell, self.dtype)
            spec, match_BTH = None, match(jnp.swapaxes(x_TBN, 0, 1), condition)
        if self.pooling is None:
            parts = [jnp.swapaxes(x_TBN, 0, 1)]
        else:
            # The state that has read the whole sequence backwards stands at its beginning.
            parts = [x_TBN[-1, :, : self.hidden_size], x_TBN[0, :, self.hidden_size :]]
            if self.pooling == "last_and_mean":
                parts.append(jnp.mean(x_TBN, axis=0))
        if match_BTH is not None:
            parts.append(match_BTH if self.pooling is None else jnp.mean(match_BTH, axis=1))
        return projected_logits(dense, jnp.concatenate(parts, axis=-1), spec, condition)


class _BehaviorDiscriminator(nn.Module):
    hidden_size: int
    num_layers: int
    condition: ConditionSpec | None
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, condition: Any, dropout: jax.Array | None) -> jax.Array:
        del dropout
        x_TBN = jnp.swapaxes(x.astype(self.dtype), 0, 1)
        cells = [GRUCell(self.hidden_size, dtype=self.dtype) for _ in range(2)]
        states = [read(cell, x_TBN, reverse=i == 1) for i, cell in enumerate(cells)]
        h_TBH = jnp.concatenate(states, axis=-1)
        h_BH = jnp.mean(h_TBH, axis=0)
        if isinstance(self.condition, Sequences):
            match = SourceMatch(self.condition, self.hidden_size, GRUCell, self.dtype)
            h_BH = jnp.concatenate([h_BH, jnp.mean(match(jnp.swapaxes(h_TBH, 0, 1), condition), axis=1)], axis=-1)
        elif self.condition is not None:
            embedding_BH = ConditionEmbedding(self.condition, self.hidden_size, self.dtype)(condition)
            h_BH = jnp.concatenate([h_BH, embedding_BH], axis=-1)
        for _ in range(self.num_layers):
            h_BH = nn.relu(nn.Dense(self.hidden_size, dtype=self.dtype)(h_BH))
        return nn.Dense(1, dtype=self.dtype)(h_BH)[:, 0].astype(jnp.float32)


def recurrent_discriminator(
    num_symbols: int,
    hidden_size: int,
    *,
    cell: CellFactory = LSTMCell,
    num_layers: int = 1,
    embedding_size: int | None = None,
    pooling: str = "last_and_mean",
    bidirectional: bool = False,
    dropout_rate: ArrayLike = 0.0,
    condition: ConditionSpec | None = None,
    spectral_norm: bool = False,
    pack_size: int = 1,
    dtype: Any = jnp.float32,
) -> Discriminator:
    """Builds a recurrent discriminator with a linear head on the last hidden state, or on the last and the mean one.

    With the default cell it can be differentiated in reverse, as often as wanted, but not forwards (`jax.jvp`).

    Args:
      num_symbols: K, at least 2.
      hidden_size: H, width of each layer (of each direction), at least 1.
      cell: makes the cell of a layer, as (H, dtype=dtype): `LSTMCell`, `GRUCell`, or any `flax.linen.RNNCellBase`.
      num_layers: number of layers, at least 1.
      embedding_size: E, size of a linear map of the symbols, at least 1; None: symbols enter the gates directly.
      pooling: 'last' (the paper's) or 'last_and_mean', which shortens the path of the gradient to each symbol.
      bidirectional: whether a second cell in each layer reads the sequence backwards.
      dropout_rate: scalar in [0, 1), the probability that dropout in training removes a feature of the embedding, if
        there is one, or of a layer's output, at all positions of a sequence alike; may be traced.
      condition: what sequences belong to; None: there is no condition. `Labels` and `Vectors` enter by projection: the
        inner product of a linear map of them with the features is added to the logits. `Sequences`, padded at the end,
        are read in both directions; the last layer's states attend to theirs, and the mean over time of a tanh layer on
        both is one more feature.
      spectral_norm: whether the kernels of the embedding and of the head are divided by their spectral norms; those of
        the cells are not.
      pack_size: number of sequences that are judged together, see `Discriminator`; at least 1, and 1 with a condition.
      dtype: of the computation; parameters and logits are float32.

    Returns:
      A `Discriminator`.

    Raises:
      TypeError: a size is not an integer, `dropout_rate` is not a real scalar, `cell` does not build a cell, or the
        condition is of another kind.
      ValueError: an argument is out of its range.

    References:
      Kusner & Hernández-Lobato 2016, section 3, https://arxiv.org/abs/1611.04051; Miyato & Koyama 2018, for the
      projection, https://arxiv.org/abs/1802.05637; Luong et al. 2015, for attention, https://arxiv.org/abs/1508.04025.
    """
    require_one_of(POOLINGS, pooling=pooling)
    require_at_least(1, pack_size=pack_size)
    if pack_size > 1 and condition is not None:
        raise ValueError(f"pack_size must be 1 with a condition, got {pack_size}")
    require_at_least(2, num_symbols=num_symbols)
    module = _Discriminator(
        cell, hidden_size, num_layers, embedding_size, pooling, bidirectional, condition, spectral_norm, dtype
    )
    return Discriminator(*_functions(module, pack_size * num_symbols, dropout_rate), pack_size)


def lstm_discriminator(num_symbols: int, hidden_size: int, **settings: Any) -> Discriminator:
    """Builds a `recurrent_discriminator` of LSTM cells; the settings are its own, without `cell`."""
    return recurrent_discriminator(num_symbols, hidden_size, cell=LSTMCell, **settings)


def gru_discriminator(num_symbols: int, hidden_size: int, **settings: Any) -> Discriminator:
    """Builds a `recurrent_discriminator` of GRU cells; the settings are its own, without `cell`."""
    return recurrent_discriminator(num_symbols, hidden_size, cell=GRUCell, **settings)


def recurrent_prefix_discriminator(
    num_symbols: int,
    hidden_size: int,
    *,
    cell: CellFactory = LSTMCell,
    num_layers: int = 1,
    embedding_size: int | None = None,
    dropout_rate: ArrayLike = 0.0,
    condition: ConditionSpec | None = None,
    spectral_norm: bool = False,
    dtype: Any = jnp.float32,
) -> PrefixDiscriminator:
    """Builds a recurrent discriminator of prefixes, with a linear head on every hidden state.

    Args:
      num_symbols: K, at least 2.
      hidden_size: H, width of each layer, at least 1.
      cell: as in `recurrent_discriminator`, as are the arguments below.
      num_layers: number of layers, at least 1.
      embedding_size: E, size of a linear map of the symbols; None: symbols enter the gates directly.
      dropout_rate: scalar in [0, 1); may be traced.
      condition: as in `recurrent_discriminator`, except that the tanh layer is one more feature of every prefix. The
        whole of `Sequences` is seen at every position.
      spectral_norm: whether the kernels of the embedding and of the head are divided by their spectral norms.
      dtype: of the computation; parameters and logits are float32.

    Returns:
      A `PrefixDiscriminator`.

    Raises:
      TypeError: as `recurrent_discriminator`.
      ValueError: an argument is out of its range.

    References:
      de Masson d'Autume et al. 2019, section 3, https://arxiv.org/abs/1905.09922.
    """
    module = _Discriminator(cell, hidden_size, num_layers, embedding_size, None, False, condition, spectral_norm, dtype)
    return PrefixDiscriminator(*_functions(module, num_symbols, dropout_rate))


def lstm_prefix_discriminator(num_symbols: int, hidden_size: int, **settings: Any) -> PrefixDiscriminator:
    """Builds a `recurrent_prefix_discriminator` of LSTM cells; the settings are its own, without `cell`."""
    return recurrent_prefix_discriminator(num_symbols, hidden_size, cell=LSTMCell, **settings)


def gru_prefix_discriminator(num_symbols: int, hidden_size: int, **settings: Any) -> PrefixDiscriminator:
    """Builds a `recurrent_prefix_discriminator` of GRU cells; the settings are its own, without `cell`."""
    return recurrent_prefix_discriminator(num_symbols, hidden_size, cell=GRUCell, **settings)


def behavior_discriminator(
    num_features: int,
    hidden_size: int,
    *,
    num_layers: int = 3,
    condition: ConditionSpec | None = None,
    dtype: Any = jnp.float32,
) -> Discriminator:
    """Builds Professor Forcing's discriminator: a bidirectional GRU, the mean of its states, and ReLU layers on it.

    Args:
      num_features: F, numbers that describe a generator's behavior at a step, at least 2; they stand in the place of
        the K symbols.
      hidden_size: width of the GRU of each direction, and of the layers, at least 1.
      num_layers: number of ReLU layers before the last, linear one, at least 0.
      condition: what sequences belong to, which the layers read beside the mean: an embedding of `Labels` or `Vectors`;
        of `Sequences`, the mean over time of a tanh layer on the states and on what they attend to in them.
      dtype: of the computation; parameters and logits are float32.

    Returns:
      A `Discriminator`.

    Raises:
      TypeError: a size is not an integer, or the condition is of another kind.
      ValueError: an argument is out of its range.

    References:
      Lamb et al. 2016, section 2, https://arxiv.org/abs/1610.09038.
    """
    require_at_least(2, num_features=num_features)
    require_at_least(1, hidden_size=hidden_size)
    require_at_least(0, num_layers=num_layers)
    require_condition_spec(condition)
    module = _BehaviorDiscriminator(hidden_size, num_layers, condition, dtype)
    return Discriminator(*discriminator_functions(module, num_features, condition, Dropout(0.0, 0, hidden_size)))


def _functions(module: _Discriminator, num_symbols: int, dropout_rate: ArrayLike) -> tuple[Any, Any, bool]:
    """Checks what a discriminator is built of, and returns its fields."""
    require_recurrent(num_symbols, module.hidden_size, module.num_layers, module.embedding_size)
    require_condition_spec(module.condition)
    build_cell(module.cell, module.hidden_size, module.dtype)
    # One array of factors for all: those of the widest, cut to size.
    num_dropped = module.num_layers + (module.embedding_size is not None)
    width = max((1 + module.bidirectional) * module.hidden_size, module.embedding_size or 0)
    dropout = Dropout(dropout_rate, num_dropped, width)
    return *discriminator_functions(module, num_symbols, module.condition, dropout), dropout.is_used
