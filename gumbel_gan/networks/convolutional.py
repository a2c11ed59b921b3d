"""Convolutional discriminators: residual blocks, and kernels of several sizes over several embeddings."""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_at_least
from gumbel_gan.networks.conditions import Labels, Vectors, require_labels_or_vectors
from gumbel_gan.networks.discriminator_functions import discriminator_functions, projected_logits
from gumbel_gan.networks.dropout import Dropout
from gumbel_gan.networks.interface import Discriminator
from gumbel_gan.networks.spectral import dense_of

# In suffixes, R is the number of embedded representations, E the size of each, and F the number of features.

# The factor of the output that a block adds to its input (Gulrajani et al. 2017, their code).
_RESIDUAL_SCALE = 0.3


class _ResidualDiscriminator(nn.Module):
    width: int
    num_blocks: int
    kernel_size: int
    condition: Labels | Vectors | None
    spectral_norm: bool
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, condition: Any, dropout: jax.Array | None) -> jax.Array:
        dense = dense_of(self.spectral_norm, self.dtype)
        h_BTH = dense(self.width)(x.astype(self.dtype))
        for block in range(self.num_blocks):
            change_BTH = h_BTH
            for _ in range(2):
                convolution = dense(self.width, kernel_init=nn.initializers.he_normal())
                change_BTH = convolution(windows(nn.relu(change_BTH), self.kernel_size))
            if dropout is not None:
                change_BTH = change_BTH * dropout[block].astype(self.dtype)
            h_BTH = h_BTH + _RESIDUAL_SCALE * change_BTH
        return projected_logits(dense, jnp.mean(h_BTH, axis=1), self.condition, condition)


class _MultiRepresentationDiscriminator(nn.Module):
    num_filters: int
    num_representations: int
    embedding_size: int
    kernel_sizes: tuple[int, ...]
    condition: Labels | Vectors | None
    spectral_norm: bool
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, condition: Any, dropout: jax.Array | None) -> jax.Array:
        dense = dense_of(self.spectral_norm, self.dtype)
        embedded = dense(self.num_representations * self.embedding_size, use_bias=False)(x.astype(self.dtype))
        embedded_BTRE = embedded.reshape(*embedded.shape[:2], self.num_representations, self.embedding_size)
        pooled = []
        for kernel_size in self.kernel_sizes:
            # The kernels are the same for all representations.
            convolution = dense(self.num_filters, kernel_init=nn.initializers.he_normal())
            pooled.append(jnp.max(nn.relu(convolution(windows(embedded_BTRE, kernel_size))), axis=1))
        h_BRF = jnp.concatenate(pooled, axis=-1)
        gate_BRF = nn.sigmoid(dense(h_BRF.shape[-1])(h_BRF))
        h_BRF = gate_BRF * nn.relu(dense(h_BRF.shape[-1])(h_BRF)) + (1 - gate_BRF) * h_BRF
        if dropout is not None:
            h_BRF = h_BRF * dropout[0].astype(self.dtype)
        return projected_logits(dense, jnp.mean(h_BRF, axis=1), self.condition, condition)


def convolutional_discriminator(
    num_symbols: int,
    width: int,
    *,
    num_blocks: int = 5,
    kernel_size: int = 5,
    dropout_rate: ArrayLike = 0.0,
    condition: Labels | Vectors | None = None,
    spectral_norm: bool = False,
    dtype: Any = jnp.float32,
) -> Discriminator:
    """Builds a convolutional discriminator: residual blocks, the mean over time, and a linear head.

    A block adds 0.3 conv(relu(conv(relu(h)))) to its input h. Zero padding keeps the length of the sequences, which may
    have any length of at least 1. In the paper, the head is linear in all T H features instead.

    Args:
      num_symbols: K, at least 2.
      width: H, channels of the convolutions, at least 1.
      num_blocks: number of residual blocks of two convolutions each, at least 0.
      kernel_size: number of symbols that a convolution spans, at least 1.
      dropout_rate: scalar in [0, 1), the probability that dropout in training removes a channel of a block's output;
        may be traced.
      condition: `Labels` or `Vectors`; None: no condition. The condition enters by projection: the inner product of the
        features and a linear map of the condition is added to the logits.
      spectral_norm: whether all kernels are divided by their spectral norms.
      dtype: the dtype of the computation; parameters and logits are float32.

    Returns:
      A `Discriminator`.

    Raises:
      TypeError: a size is not an integer, `dropout_rate` is not a real scalar, or `condition` is not `Labels`,
        `Vectors` or None.
      ValueError: an argument is out of range.

    References:
      Gulrajani et al. 2017, section 5.5, https://arxiv.org/abs/1704.00028; Miyato & Koyama 2018, for the projection,
      https://arxiv.org/abs/1802.05637.
    """
    require_at_least(2, num_symbols=num_symbols)
    require_at_least(1, width=width, kernel_size=kernel_size)
    require_at_least(0, num_blocks=num_blocks)
    require_labels_or_vectors(condition)
    dropout = Dropout(dropout_rate, num_blocks, width)
    module = _ResidualDiscriminator(width, num_blocks, kernel_size, condition, spectral_norm, dtype)
    return Discriminator(*discriminator_functions(module, num_symbols, condition, dropout), dropout.is_used)


def multi_representation_discriminator(
    num_symbols: int,
    width: int,
    *,
    num_representations: int = 16,
    embedding_size: int = 1,
    kernel_sizes: Sequence[int] = (2, 3, 4, 5),
    dropout_rate: ArrayLike = 0.0,
    condition: Labels | Vectors | None = None,
    spectral_norm: bool = False,
    dtype: Any = jnp.float32,
) -> Discriminator:
    """Builds RelGAN's discriminator: convolutions of several sizes over several embeddings of a sequence.

    The same kernels, a ReLU, the maximum over time and a highway layer are applied to each of the embedded
    representations, and a linear head to the mean of their features. With one representation this is the TextCNN.
    Zero padding allows sequences of any length of at least 1.

    Args:
      num_symbols: K, at least 2.
      width: number of kernels of each size, at least 1 (RelGAN: 300).
      num_representations: number of embeddings of a sequence, at least 1 (RelGAN: 64).
      embedding_size: number of features of an embedded symbol in each representation, at least 1 (RelGAN: 1).
      kernel_sizes: numbers of symbols that the kernels span, each at least 1.
      dropout_rate: scalar in [0, 1), the probability that dropout in training removes a feature; may be traced
        (RelGAN: 0.25).
      condition: `Labels` or `Vectors`, as in `convolutional_discriminator`; None: no condition.
      spectral_norm: whether all kernels are divided by their spectral norms.
      dtype: the dtype of the computation; parameters and logits are float32.

    Returns:
      A `Discriminator`.

    Raises:
      TypeError: a size is not an integer, `dropout_rate` is not a real scalar, or `condition` is not `Labels`,
        `Vectors` or None.
      ValueError: an argument is out of range, or `kernel_sizes` is empty.

    References:
      Nie et al. 2019, section 3.2, https://openreview.net/forum?id=rJedV3R5tm; Kim 2014, for the TextCNN,
      https://arxiv.org/abs/1408.5882.
    """
    require_at_least(2, num_symbols=num_symbols)
    require_at_least(1, width=width, num_representations=num_representations, embedding_size=embedding_size)
    kernel_sizes = tuple(kernel_sizes)
    if not kernel_sizes:
        raise ValueError("kernel_sizes must hold at least one size, got none")
    for size in kernel_sizes:
        require_at_least(1, kernel_sizes=size)
    require_labels_or_vectors(condition)
    dropout = Dropout(dropout_rate, 1, len(kernel_sizes) * width)
    module = _MultiRepresentationDiscriminator(
        width, num_representations, embedding_size, kernel_sizes, condition, spectral_norm, dtype
    )
    return Discriminator(*discriminator_functions(module, num_symbols, condition, dropout), dropout.is_used)


def windows(x: jax.Array, size: int) -> jax.Array:
    """Returns the concatenated features of the `size` positions around each position, with zeros beyond the ends.

    A dense layer applied to windows is a convolution with its kernel `[size, C, H]` flattened to `[size C, H]`. Unlike
    XLA's convolution, it stays a matrix product under `vmap` over parameters and in derivatives of any order.

    Args:
      x: `[B, T, ..., C]`.
      size: number of positions in a window, centered on its own position (if even, with one more position after it).

    Returns:
      `[B, T, ..., size C]`.

    >>> windows(jnp.array([[[1.0], [2.0], [3.0]]]), 3)[0].tolist()
    [[0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 0.0]]
    """
    length = x.shape[1]
    padding = [(0, 0), ((size - 1) // 2, size // 2), *[(0, 0)] * (x.ndim - 2)]
    padded = jnp.pad(x, padding)
    return jnp.concatenate([padded[:, i : i + length] for i in range(size)], axis=-1)
