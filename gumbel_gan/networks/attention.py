"""Building blocks of the transformers: attention, layers, positional encodings and condition encoders."""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from gumbel_gan.arguments import require_at_least
from gumbel_gan.networks.conditions import ConditionEmbedding, ConditionSpec, Labels, Sequences, Vectors
from gumbel_gan.networks.spectral import dense_of

# Embeddings have the root mean square of the sinusoids that are added to them.
EMBEDDING_INIT = nn.initializers.normal(0.5**0.5)

# In suffixes, S is the number of positions attended to, N the number of heads and D the width of a head, H = N D.


class KeysValues(NamedTuple):
    """The keys and values of attention.

    Attributes:
      keys: `[B, S, N, D]`.
      values: `[B, S, N, D]`.
    """

    keys: jax.Array
    values: jax.Array


class Encoding(NamedTuple):
    """The encoding of a condition for a transformer. Fields that do not apply to the kind of condition are None.

    Attributes:
      context: `[B, H]`, added to the input at every position: the embedding of a label or a vector.
      states: `[B, S, H]`, which every layer attends to: the encoding of a sequence.
      mask: `[B, S]` booleans, false at the padding of the sequence.
    """

    context: jax.Array | None = None
    states: jax.Array | None = None
    mask: jax.Array | None = None


class TransformerLayer(nn.Module):
    """A pre-norm transformer layer: self-attention, attention to a condition if there is one, and an MLP.

    Attributes:
      width: H.
      num_heads: N, a divisor of H.
      mlp_ratio: the width of the MLP's hidden layer divided by H.
      crosses: whether the layer attends to a condition.
      spectral_norm: whether kernels are divided by their spectral norms.
      dtype: the dtype of the computation; parameters are float32.

    References:
      Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; Xiong et al. 2020, for the place of the normalization,
      https://arxiv.org/abs/2002.04745.
    """

    width: int
    num_heads: int
    mlp_ratio: int
    crosses: bool = False
    spectral_norm: bool = False
    dtype: Any = jnp.float32

    def setup(self) -> None:
        """Creates the submodules."""
        dense = dense_of(self.spectral_norm, self.dtype)
        self.attention_norm = nn.LayerNorm(dtype=self.dtype)
        self.query_key_value = dense(3 * self.width)
        self.attention_out = dense(self.width)
        if self.crosses:
            self.cross_norm = nn.LayerNorm(dtype=self.dtype)
            self.cross_query = dense(self.width)
            self.cross_key_value = dense(2 * self.width)
            self.cross_out = dense(self.width)
        self.mlp_norm = nn.LayerNorm(dtype=self.dtype)
        self.mlp_in = dense(self.mlp_ratio * self.width)
        self.mlp_out = dense(self.width)

    def __call__(
        self,
        x: jax.Array,
        mask: jax.Array | None,
        *,
        cache: KeysValues | None = None,
        position: jax.Array | int = 0,
        memory: KeysValues | None = None,
        memory_mask: jax.Array | None = None,
        dropout: jax.Array | None = None,
    ) -> tuple[jax.Array, KeysValues]:
        """Computes the layer's output.

        Args:
          x: `[B, T, H]` input.
          mask: booleans that broadcast to `[B, N, T, S]`, true where a position attends to another; None: all true.
          cache: keys and values of S positions. The keys and values of x are written to the cache, and x attends to
            the updated cache. None: x attends to itself.
          position: int32 scalar, the index in the cache at which the keys and values of x are written.
          memory: the result of the method `memory`; None: no condition to attend to.
          memory_mask: `[B, S']` booleans, false at the positions of the memory that are ignored; None: all true.
          dropout: `[3, B, 1, H]` factors of the outputs of self-attention, of attention to a condition, and of the
            MLP; None: no dropout.

        Returns:
          `[B, T, H]` output, and the keys and values attended to.
        """
        query, keys, values = self._split(self.query_key_value(self.attention_norm(x)), 3)
        read = KeysValues(keys, values)
        if cache is not None:
            read = KeysValues(*(_write(old, new, position) for old, new in zip(cache, read, strict=True)))
        x = x + _drop(self.attention_out(_attend(query, read, mask)), dropout, 0)
        if memory is not None:
            (query,) = self._split(self.cross_query(self.cross_norm(x)), 1)
            x = x + _drop(self.cross_out(masked_attention(query, memory, memory_mask)), dropout, 1)
        x = x + _drop(self.mlp_out(nn.gelu(self.mlp_in(self.mlp_norm(x)))), dropout, 2)
        return x, read

    def memory(self, states: jax.Array) -> KeysValues:
        """Computes the keys and values of a condition from its encoding `[B, S, H]`."""
        return KeysValues(*self._split(self.cross_key_value(states), 2))

    def _split(self, x: jax.Array, num: int) -> list[jax.Array]:
        """Splits `[B, T, num H]` into `[B, T, N, D]` arrays."""
        heads = x.reshape(*x.shape[:-1], num * self.num_heads, self.width // self.num_heads)
        return jnp.split(heads, num, axis=-2)


class ConditionEncoder(nn.Module):
    """Encodes a condition: a label or a vector as a context, a sequence with a bidirectional transformer.

    Attributes:
      spec: the specification of the condition; None: no condition.
      width: H.
      num_heads: N, a divisor of H.
      mlp_ratio: the width of the MLP's hidden layer divided by H.
      num_layers: number of layers that encode a sequence.
      dtype: the dtype of the computation; parameters are float32.
    """

    spec: ConditionSpec | None
    width: int
    num_heads: int
    mlp_ratio: int
    num_layers: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, condition: Any) -> Encoding:
        """Computes the encoding of a condition; without a condition, all fields are None."""
        if isinstance(self.spec, Labels | Vectors):
            return Encoding(context=ConditionEmbedding(self.spec, self.width, self.dtype)(condition))
        if not isinstance(self.spec, Sequences):
            return Encoding()
        mask = None if self.spec.padding is None else condition != self.spec.padding
        x = nn.Embed(self.spec.num_symbols, self.width, dtype=self.dtype, embedding_init=EMBEDDING_INIT)(condition)
        x = x + sinusoids(condition.shape[1], self.width).astype(self.dtype)[None]
        for _ in range(self.num_layers):
            layer = TransformerLayer(self.width, self.num_heads, self.mlp_ratio, dtype=self.dtype)
            x, _ = layer(x, None if mask is None else mask[:, None, None, :])
        return Encoding(states=nn.LayerNorm(dtype=self.dtype)(x), mask=mask)


def sinusoids(length: int, width: int) -> jax.Array:
    """Computes the sinusoidal encoding `[T, H]` of the positions 0 to T - 1, float32.

    References:
      Vaswani et al. 2017, section 3.5, https://arxiv.org/abs/1706.03762.
    """
    num = (width + 1) // 2
    angle_TN = np.arange(length)[:, None] * 10_000.0 ** (-np.arange(num) / num)[None]
    both_TH = np.stack([np.sin(angle_TN), np.cos(angle_TN)], axis=-1).reshape(length, 2 * num)
    return jnp.asarray(both_TH[:, :width].astype(np.float32))


def require_heads(width: int, num_heads: int) -> None:
    """Raises unless `width` and `num_heads` are integers of at least 1 and `width` is a multiple of `num_heads`.

    Raises:
      TypeError: `width` or `num_heads` is not an integer.
      ValueError: `width` or `num_heads` is less than 1, or `width` is not a multiple of `num_heads`.
    """
    require_at_least(1, width=width, num_heads=num_heads)
    if width % num_heads:
        raise ValueError(f"width must be a multiple of num_heads, got {width} and {num_heads}")


def _write(cache: jax.Array, new: jax.Array, position: jax.Array | int) -> jax.Array:
    return jax.lax.dynamic_update_slice_in_dim(cache, new, position, axis=1)


def _attend(query: jax.Array, read: KeysValues, mask: jax.Array | None) -> jax.Array:
    """Computes scaled dot-product attention `[B, T, H]` of queries `[B, T, N, D]`."""
    # The XLA implementation can be differentiated any number of times.
    y = jax.nn.dot_product_attention(query, read.keys, read.values, mask=mask, implementation="xla")
    return y.reshape(*y.shape[:2], y.shape[2] * y.shape[3])


def masked_attention(query: jax.Array, memory: KeysValues, mask: jax.Array | None) -> jax.Array:
    """Computes attention `[B, T, H]` of queries `[B, T, N, D]` to the positions of a memory that a mask `[B, S]` keeps.

    Without a mask, all positions are kept. If the mask of a sequence keeps none, its result is zero.
    """
    if mask is None:
        return _attend(query, memory, None)
    y = _attend(query, memory, mask[:, None, None, :])
    return jnp.where(jnp.any(mask, axis=1)[:, None, None], y, jnp.zeros_like(y))


def _drop(x: jax.Array, factors: jax.Array | None, index: int) -> jax.Array:
    return x if factors is None else x * factors[index].astype(x.dtype)
