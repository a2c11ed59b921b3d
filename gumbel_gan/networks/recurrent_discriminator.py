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
    pooling: str | None  # None: a logit at every position, of the prefix up to it
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
            # The backward cell has read the whole sequence at the first position.
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
    """Builds a recurrent discriminator with a linear head on the last hidden state, or on the last and the mean state.

    With the default cell, it can be differentiated any number of times in reverse mode, but not in forward mode
    (`jax.jvp`).

    Args:
      num_symbols: K, at least 2.
      hidden_size: H, width of each layer in each direction, at least 1.
      cell: builds a layer's cell, called as cell(H, dtype=dtype): `LSTMCell`, `GRUCell`, or any
        `flax.linen.RNNCellBase`.
      num_layers: number of layers, at least 1.
      embedding_size: E, size of a linear embedding of the symbols, at least 1; None: symbols enter the gates directly.
      pooling: 'last', as in the paper, or 'last_and_mean', which shortens the path of the gradient to each symbol.
      bidirectional: whether a second cell in each layer reads the sequence backwards.
      dropout_rate: scalar in [0, 1), the probability that dropout in training removes a feature of the embedding, if
        there is one, or of a layer's output, at all positions of a sequence; may be traced.
      condition: the kind of condition; None: no condition. `Labels` and `Vectors` enter by projection: the inner
        product of the features and a linear map of the condition is added to the logits. `Sequences`, padded at the
        end, are read in both directions, and the last layer's states attend to them. The mean over time of a tanh layer
        on these states and the attended vectors is concatenated to the head's input features.
      spectral_norm: whether the kernels of the embedding and of the head are divided by their spectral norms; the
        kernels of the cells are not.
      pack_size: number of sequences that are judged together, see `Discriminator`; at least 1, and 1 with a condition.
      dtype: the dtype of the computation; parameters and logits are float32.

    Returns:
      A `Discriminator`.

    Raises:
      TypeError: a size is not an integer, `dropout_rate` is not a real scalar, `cell` does not build a Flax cell, or
        `condition` is not `Labels`, `Vectors`, `Sequences` or None.
      ValueError: an argument is out of range.

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
    """Builds a `recurrent_discriminator` of LSTM cells; `settings` are its arguments other than `cell`."""
    return recurrent_discriminator(num_symbols, hidden_size, cell=LSTMCell, **settings)


def gru_discriminator(num_symbols: int, hidden_size: int, **settings: Any) -> Discriminator:
    """Builds a `recurrent_discriminator` of GRU cells; `settings` are its arguments other than `cell`."""
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
      cell: builds a layer's cell, as in `recurrent_discriminator`.
      num_layers: number of layers, at least 1.
      embedding_size: E, size of a linear embedding of the symbols; None: symbols enter the gates directly.
      dropout_rate: scalar in [0, 1), as in `recurrent_discriminator`; may be traced.
      condition: as in `recurrent_discriminator`, except that the outputs of the tanh layer are concatenated to the
        features of every prefix, without a mean over time. Every position attends to the whole condition sequence.
      spectral_norm: whether the kernels of the embedding and of the head are divided by their spectral norms.
      dtype: the dtype of the computation; parameters and logits are float32.

    Returns:
      A `PrefixDiscriminator`.

    Raises:
      TypeError: as in `recurrent_discriminator`.
      ValueError: an argument is out of range.

    References:
      de Masson d'Autume et al. 2019, section 3, https://arxiv.org/abs/1905.09922.
    """
    module = _Discriminator(cell, hidden_size, num_layers, embedding_size, None, False, condition, spectral_norm, dtype)
    return PrefixDiscriminator(*_functions(module, num_symbols, dropout_rate))


def lstm_prefix_discriminator(num_symbols: int, hidden_size: int, **settings: Any) -> PrefixDiscriminator:
    """Builds a `recurrent_prefix_discriminator` of LSTM cells; `settings` are its arguments other than `cell`."""
    return recurrent_prefix_discriminator(num_symbols, hidden_size, cell=LSTMCell, **settings)


def gru_prefix_discriminator(num_symbols: int, hidden_size: int, **settings: Any) -> PrefixDiscriminator:
    """Builds a `recurrent_prefix_discriminator` of GRU cells; `settings` are its arguments other than `cell`."""
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
      num_features: F, number of features of a generator's behavior at a step, at least 2, in place of the K symbols.
      hidden_size: width of the GRU in each direction, and of the ReLU layers, at least 1.
      num_layers: number of ReLU layers before the linear head, at least 0.
      condition: the kind of condition; None: no condition. The layers read features of the condition in addition to the
        mean state: an embedding of `Labels` or `Vectors`; for `Sequences`, the mean over time of a tanh layer on the
        GRU's states and the vectors of the condition sequence that they attend to.
      dtype: the dtype of the computation; parameters and logits are float32.

    Returns:
      A `Discriminator`.

    Raises:
      TypeError: a size is not an integer, or `condition` is not `Labels`, `Vectors`, `Sequences` or None.
      ValueError: an argument is out of range.

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
    """Checks the settings of a discriminator and returns its fields, without `pack_size`."""
    require_recurrent(num_symbols, module.hidden_size, module.num_layers, module.embedding_size)
    require_condition_spec(module.condition)
    build_cell(module.cell, module.hidden_size, module.dtype)
    # One array of factors for all layers, as wide as the widest layer; narrower layers use a slice.
    num_dropped = module.num_layers + (module.embedding_size is not None)
    width = max((1 + module.bidirectional) * module.hidden_size, module.embedding_size or 0)
    dropout = Dropout(dropout_rate, num_dropped, width)
    return *discriminator_functions(module, num_symbols, module.condition, dropout), dropout.is_used
