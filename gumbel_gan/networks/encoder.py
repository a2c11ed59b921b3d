"""A recurrent encoder of sequences into latents, for variational autoencoders."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_at_least
from gumbel_gan.networks.cells import LSTMCell
from gumbel_gan.networks.conditions import ConditionEmbedding, Labels, Vectors, require_labels_or_vectors
from gumbel_gan.networks.discriminator_functions import discriminator_functions
from gumbel_gan.networks.dropout import Dropout
from gumbel_gan.networks.interface import Encoder
from gumbel_gan.networks.recurrence import CellFactory, build_cell, drop, read, require_recurrent


class _Encoder(nn.Module):
    cell: CellFactory
    hidden_size: int
    latent_size: int
    condition: Labels | Vectors | None
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, condition: Any, dropout: jax.Array | None) -> tuple[jax.Array, jax.Array]:
        x_TBN = jnp.swapaxes(x.astype(self.dtype), 0, 1)
        cells = [self.cell(self.hidden_size, dtype=self.dtype) for _ in range(2)]
        states = [read(cell, x_TBN, reverse=i == 1) for i, cell in enumerate(cells)]
        both_TBN = jnp.concatenate(states, axis=-1)
        # The forward cell has read the whole sequence at the last position, the backward cell at the first.
        parts = [states[0][-1], states[1][0], jnp.mean(both_TBN, axis=0)]
        features_BN = drop(jnp.concatenate(parts, axis=-1), dropout, 0)
        if self.condition is not None:
            shift_BN = ConditionEmbedding(self.condition, features_BN.shape[-1], self.dtype)(condition)
            features_BN = features_BN + shift_BN
        moments_BN = nn.Dense(2 * self.latent_size, dtype=self.dtype)(features_BN).astype(jnp.float32)
        mean_BZ, log_deviation_BZ = jnp.split(moments_BN, 2, axis=-1)
        return mean_BZ, log_deviation_BZ


def recurrent_encoder(
    num_symbols: int,
    hidden_size: int,
    latent_size: int,
    *,
    cell: CellFactory = LSTMCell,
    dropout_rate: ArrayLike = 0.0,
    condition: Labels | Vectors | None = None,
    dtype: Any = jnp.float32,
) -> Encoder:
    """Builds a bidirectional recurrent encoder with a linear head on the last and the mean hidden states.

    Args:
      num_symbols: K, at least 2.
      hidden_size: H, width of each direction, at least 1.
      latent_size: Z, size of the latent, at least 1.
      cell: builds a cell, called as cell(H, dtype=dtype): `LSTMCell`, `GRUCell`, or any `flax.linen.RNNCellBase`.
      dropout_rate: scalar in [0, 1), the probability that dropout in training removes a feature that the head reads;
        may be traced.
      condition: `Labels` or `Vectors`, whose embedding is added to the head's input features; None: no condition.
      dtype: the dtype of the computation; parameters and moments are float32.

    Returns:
      An `Encoder`.

    Raises:
      TypeError: a size is not an integer, `dropout_rate` is not a real scalar, `cell` does not build a Flax cell, or
        `condition` is not `Labels`, `Vectors` or None.
      ValueError: an argument is out of range.

    References:
      Bowman et al. 2016, https://arxiv.org/abs/1511.06349.
    """
    require_recurrent(num_symbols, hidden_size, 1, None)
    require_at_least(1, latent_size=latent_size)
    require_labels_or_vectors(condition)
    build_cell(cell, hidden_size, dtype)
    dropout = Dropout(dropout_rate, 1, 4 * hidden_size)
    module = _Encoder(cell, hidden_size, latent_size, condition, dtype)
    init, moments = discriminator_functions(module, num_symbols, condition, dropout)
    return Encoder(init, moments, dropout.is_used)
