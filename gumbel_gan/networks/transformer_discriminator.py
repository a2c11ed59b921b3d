"""Transformer discriminators of whole sequences and of prefixes."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_at_least, require_one_of
from gumbel_gan.networks.attention import (
    EMBEDDING_INIT,
    ConditionEncoder,
    TransformerLayer,
    require_heads,
    sinusoids,
)
from gumbel_gan.networks.conditions import ConditionSpec, Sequences, require_condition_spec
from gumbel_gan.networks.discriminator_functions import discriminator_functions
from gumbel_gan.networks.dropout import Dropout
from gumbel_gan.networks.interface import Discriminator, PrefixDiscriminator
from gumbel_gan.networks.spectral import dense_of

TRANSFORMER_POOLINGS = ("mean", "class_token")


class _Discriminator(nn.Module):
    width: int
    num_layers: int
    num_heads: int
    mlp_ratio: int
    pooling: str | None  # None: a logit at every position, of the prefix up to it
    condition: ConditionSpec | None
    spectral_norm: bool
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, condition: Any, dropout: jax.Array | None) -> jax.Array:
        sizes = (self.width, self.num_heads, self.mlp_ratio)
        dense = dense_of(self.spectral_norm, self.dtype)
        length = x.shape[1]
        h_BTH = dense(self.width, use_bias=False, kernel_init=EMBEDDING_INIT)(x.astype(self.dtype))
        h_BTH = h_BTH + sinusoids(length, self.width).astype(self.dtype)[None]
        if self.pooling == "class_token":
            token_H = self.param("class_token", EMBEDDING_INIT, (self.width,), jnp.float32).astype(self.dtype)
            tokens_B1H = jnp.broadcast_to(token_H[None, None], (x.shape[0], 1, self.width))
            h_BTH = jnp.concatenate([tokens_B1H, h_BTH], axis=1)
        encoding = ConditionEncoder(self.condition, *sizes, self.num_layers, dtype=self.dtype)(condition)
        if encoding.context is not None:
            h_BTH = h_BTH + encoding.context[:, None]
        if dropout is not None:
            h_BTH = h_BTH * dropout[0].astype(self.dtype)
        mask = jnp.tri(length, dtype=bool)[None, None] if self.pooling is None else None
        crosses = isinstance(self.condition, Sequences)
        for i in range(self.num_layers):
            layer = TransformerLayer(*sizes, crosses, self.spectral_norm, self.dtype)
            h_BTH, _ = layer(
                h_BTH,
                mask,
                memory=None if encoding.states is None else layer.memory(encoding.states),
                memory_mask=encoding.mask,
                dropout=None if dropout is None else dropout[1 + 3 * i : 4 + 3 * i],
            )
        h_BTH = nn.LayerNorm(dtype=self.dtype)(h_BTH)
        if self.pooling == "mean":
            h_BTH = jnp.mean(h_BTH, axis=1)
        elif self.pooling == "class_token":
            h_BTH = h_BTH[:, 0]
        return dense(1)(h_BTH)[..., 0].astype(jnp.float32)


def transformer_discriminator(
    num_symbols: int,
    width: int,
    *,
    num_layers: int = 2,
    num_heads: int = 2,
    mlp_ratio: int = 4,
    pooling: str = "mean",
    dropout_rate: ArrayLike = 0.0,
    condition: ConditionSpec | None = None,
    spectral_norm: bool = False,
    dtype: Any = jnp.float32,
) -> Discriminator:
    """Builds a bidirectional pre-norm transformer with a linear head.

    Sinusoidal positional encodings are added to the embedded symbols, so that sequences may have any length.

    Args:
      num_symbols: K, at least 2.
      width: H, a multiple of `num_heads`.
      num_layers: L, at least 1. Another L layers encode the condition if it is a sequence.
      num_heads: number of attention heads, at least 1.
      mlp_ratio: width of the MLPs' hidden layers divided by H, at least 1.
      pooling: the input of the head: 'mean', the mean of the last layer's normalized states, or 'class_token', the
        normalized state of a learned symbol in front of the sequence.
      dropout_rate: scalar in [0, 1), the probability that dropout in training removes a feature of an embedding or of a
        sublayer's output, at all positions of a sequence; may be traced.
      condition: the kind of condition. The embedding of `Labels` or `Vectors` is added to every input. `Sequences` are
        encoded by a bidirectional transformer, and every layer attends to the encoding. None: no condition.
      spectral_norm: whether kernels are divided by their spectral norms, except those that encode the condition.
      dtype: the dtype of the computation; parameters and logits are float32.

    Returns:
      A `Discriminator`.

    Raises:
      TypeError: a size is not an integer, `dropout_rate` is not a real scalar, or `condition` is not `Labels`,
        `Vectors`, `Sequences` or None.
      ValueError: an argument is out of range, or `width` is not a multiple of `num_heads`.

    References:
      Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; Devlin et al. 2019, for the class token,
      https://arxiv.org/abs/1810.04805.
    """
    require_one_of(TRANSFORMER_POOLINGS, pooling=pooling)
    require_at_least(2, num_symbols=num_symbols)
    require_at_least(1, num_layers=num_layers, mlp_ratio=mlp_ratio)
    require_heads(width, num_heads)
    require_condition_spec(condition)
    dropout = Dropout(dropout_rate, 1 + 3 * num_layers, width)
    module = _Discriminator(width, num_layers, num_heads, mlp_ratio, pooling, condition, spectral_norm, dtype)
    return Discriminator(*discriminator_functions(module, num_symbols, condition, dropout), dropout.is_used)


def transformer_prefix_discriminator(
    num_symbols: int,
    width: int,
    *,
    num_layers: int = 2,
    num_heads: int = 2,
    mlp_ratio: int = 4,
    dropout_rate: ArrayLike = 0.0,
    condition: ConditionSpec | None = None,
    spectral_norm: bool = False,
    dtype: Any = jnp.float32,
) -> PrefixDiscriminator:
    """Builds a causal transformer with a linear head at every position.

    Sinusoidal positional encodings are added to the embedded symbols, so that sequences may have any length. Every
    position attends to the whole of a condition sequence.

    Args:
      num_symbols: K, at least 2.
      width: H, a multiple of `num_heads`.
      num_layers: L, at least 1. Another L layers encode the condition if it is a sequence.
      num_heads: number of attention heads, at least 1.
      mlp_ratio: width of the MLPs' hidden layers divided by H, at least 1.
      dropout_rate: scalar in [0, 1), as in `transformer_discriminator`; may be traced.
      condition: `Labels`, `Vectors` or `Sequences`, as in `transformer_discriminator`; None: no condition.
      spectral_norm: whether kernels are divided by their spectral norms, except those that encode the condition.
      dtype: the dtype of the computation; parameters and logits are float32.

    Returns:
      A `PrefixDiscriminator`.

    Raises:
      TypeError: a size is not an integer, `dropout_rate` is not a real scalar, or `condition` is not `Labels`,
        `Vectors`, `Sequences` or None.
      ValueError: an argument is out of range, or `width` is not a multiple of `num_heads`.

    References:
      Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; de Masson d'Autume et al. 2019, section 3, for logits of
      prefixes, https://arxiv.org/abs/1905.09922.
    """
    require_at_least(2, num_symbols=num_symbols)
    require_at_least(1, num_layers=num_layers, mlp_ratio=mlp_ratio)
    require_heads(width, num_heads)
    require_condition_spec(condition)
    dropout = Dropout(dropout_rate, 1 + 3 * num_layers, width)
    module = _Discriminator(width, num_layers, num_heads, mlp_ratio, None, condition, spectral_norm, dtype)
    return PrefixDiscriminator(*discriminator_functions(module, num_symbols, condition, dropout), dropout.is_used)
