"""A causal transformer that generates sequences: one symbol per step with a cache, or teacher-forced in one pass."""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_at_least
from gumbel_gan.networks.attention import (
    EMBEDDING_INIT,
    ConditionEncoder,
    Encoding,
    KeysValues,
    TransformerLayer,
    require_heads,
    sinusoids,
)
from gumbel_gan.networks.conditions import (
    ConditionSpec,
    Sequences,
    check_condition,
    example_condition,
    require_condition_spec,
)
from gumbel_gan.networks.dropout import Dropout
from gumbel_gan.networks.initial_states import check_latent
from gumbel_gan.networks.interface import Generator, Params
from gumbel_gan.networks.recorded import recorded


class TransformerCarry(NamedTuple):
    """The carry of a transformer generator.

    Attributes:
      position: int32 scalar, the number of steps taken.
      caches: for each layer, the keys and values `[B, T, N, D]` of the steps taken, with space for later steps.
      context: `[B, H]`, added to every input; None: neither a latent nor a label or vector.
      memories: for each layer, the keys and values `[B, S, N, D]` of a condition sequence; empty without one.
      memory_mask: `[B, S]` booleans, false at the padding of the condition sequence; None: no padding, or no
        condition sequence.
      dropout: `[1 + 3 L, B, 1, H]` dropout factors; None: no dropout.
    """

    position: jax.Array
    caches: tuple[KeysValues, ...]
    context: jax.Array | None
    memories: tuple[KeysValues, ...]
    memory_mask: jax.Array | None
    dropout: jax.Array | None


class _Decoder(nn.Module):
    num_symbols: int
    width: int
    num_layers: int
    num_heads: int
    mlp_ratio: int
    latent_size: int
    condition: ConditionSpec | None
    dtype: Any

    def setup(self) -> None:
        self.embedding = self.param("embedding", EMBEDDING_INIT, (self.num_symbols + 1, self.width), jnp.float32)
        if self.latent_size:
            self.latent_embedding = nn.Dense(self.width, dtype=self.dtype)
        sizes = (self.width, self.num_heads, self.mlp_ratio)
        self.encoder = ConditionEncoder(self.condition, *sizes, self.num_layers, dtype=self.dtype)
        crosses = isinstance(self.condition, Sequences)
        self.layers = [TransformerLayer(*sizes, crosses, dtype=self.dtype) for _ in range(self.num_layers)]
        self.norm = nn.LayerNorm(dtype=self.dtype)
        self.head = nn.Dense(self.num_symbols, dtype=self.dtype)

    def initial_carry(
        self, batch_size: int, length: int, latent: Any, condition: Any, dropout: jax.Array | None
    ) -> TransformerCarry:
        encoding = self._encode(latent, condition)
        memories = () if encoding.states is None else tuple(layer.memory(encoding.states) for layer in self.layers)
        zeros_BTND = jnp.zeros((batch_size, length, self.num_heads, self.width // self.num_heads), self.dtype)
        caches = tuple(KeysValues(zeros_BTND, zeros_BTND) for _ in self.layers)
        return TransformerCarry(jnp.zeros((), jnp.int32), caches, encoding.context, memories, encoding.mask, dropout)

    def step(self, carry: TransformerCarry, x: jax.Array) -> tuple[TransformerCarry, jax.Array]:
        length = _cache_length(carry)
        signal_1H = jax.lax.dynamic_slice_in_dim(sinusoids(length, self.width), carry.position, 1)
        seen_T = jnp.arange(length, dtype=jnp.int32) <= carry.position
        x, caches = self._layers(self._embed(x)[:, None], signal_1H, carry, seen_T[None, None, None], carry.caches)
        _, logits = self._output(x)
        # The cache holds no more steps. A traced position cannot raise an error, and NaN cannot be overlooked.
        logits = jnp.where(carry.position < length, logits[:, 0], jnp.float32(jnp.nan))
        return carry._replace(position=carry.position + 1, caches=caches), logits

    def one_pass(
        self, tokens: jax.Array, latent: Any, condition: Any, dropout: jax.Array | None
    ) -> tuple[jax.Array, jax.Array]:
        batch_size, length = tokens.shape
        carry = self.initial_carry(batch_size, 0, latent, condition, dropout)
        previous_BT = jnp.pad(tokens[:, :-1].astype(jnp.int32), ((0, 0), (1, 0)), constant_values=self.num_symbols)
        causal_TT = jnp.tri(length, dtype=bool)
        no_caches = (None,) * self.num_layers
        signal_TH = sinusoids(length, self.width)
        x, _ = self._layers(self._embed(previous_BT), signal_TH, carry, causal_TT[None, None], no_caches)
        return self._output(x)

    def _encode(self, latent: Any, condition: Any) -> Encoding:
        encoding = self.encoder(condition)
        if latent is None:
            return encoding
        context_BH = self.latent_embedding(latent)
        return encoding._replace(context=context_BH if encoding.context is None else context_BH + encoding.context)

    def _embed(self, x: jax.Array) -> jax.Array:
        """Returns the embedding of symbols: integers of any shape, or relaxed symbols `[..., K + 1]`."""
        embedding = self.embedding.astype(self.dtype)
        if jnp.issubdtype(x.dtype, jnp.integer):
            return jnp.take(embedding, x, axis=0, mode="fill", fill_value=jnp.nan)
        return jnp.dot(x.astype(self.dtype), embedding)

    def _layers(
        self,
        x: jax.Array,
        signal: jax.Array,
        carry: TransformerCarry,
        mask: jax.Array,
        caches: tuple[KeysValues | None, ...],
    ) -> tuple[jax.Array, tuple[KeysValues, ...]]:
        """Computes the last layer's output and all layers' keys and values from embedded symbols `[B, T, H]`."""
        x = x + signal.astype(self.dtype)[None]
        if carry.context is not None:
            x = x + carry.context[:, None]
        if carry.dropout is not None:
            x = x * carry.dropout[0].astype(self.dtype)
        new_caches = []
        for i, (layer, cache) in enumerate(zip(self.layers, caches, strict=True)):
            x, new_cache = layer(
                x,
                mask,
                cache=cache,
                position=carry.position,
                memory=carry.memories[i] if carry.memories else None,
                memory_mask=carry.memory_mask,
                dropout=None if carry.dropout is None else carry.dropout[1 + 3 * i : 4 + 3 * i],
            )
            new_caches.append(new_cache)
        return x, tuple(new_caches)

    def _output(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        hidden = self.norm(x)
        return hidden.astype(jnp.float32), self.head(hidden).astype(jnp.float32)


@recorded
def transformer_generator(
    num_symbols: int,
    width: int,
    *,
    num_layers: int = 2,
    num_heads: int = 2,
    mlp_ratio: int = 4,
    latent_size: int = 0,
    dropout_rate: ArrayLike = 0.0,
    condition: ConditionSpec | None = None,
    dtype: Any = jnp.float32,
) -> Generator:
    """Builds a causal pre-norm transformer with a cache of keys and values, and a linear head.

    Sinusoidal positional encodings are added to the embedded symbols, so that sequences may have any length. Teacher
    forcing is one pass. The carry of a roll-out is a `TransformerCarry`. Steps beyond its length raise an error if the
    position is concrete, and have logits of NaN if it is traced. The gradient of a roll-out of T steps stores the
    caches of all steps, which takes memory of the order L B T^2 H.

    Args:
      num_symbols: K, at least 2.
      width: H, a multiple of `num_heads`.
      num_layers: L, at least 1. Another L layers encode the condition if it is a sequence.
      num_heads: number of attention heads, at least 1.
      mlp_ratio: width of the MLPs' hidden layers divided by H, at least 1.
      latent_size: Z, size of the N(0, 1) latent, whose linear map is added to every input; 0: no latent.
      dropout_rate: scalar in [0, 1), the probability that dropout in training removes a feature of an embedding or of a
        sublayer's output, at all positions of a sequence; may be traced.
      condition: the kind of condition. The embedding of `Labels` or `Vectors` is added to every input. `Sequences` are
        encoded by a bidirectional transformer, and every layer attends to the encoding. None: no condition.
      dtype: the dtype of the computation; parameters, hidden states and logits are float32.

    Returns:
      A `Generator`. Its hidden states are the normalized states of the last layer, which the head reads.

    Raises:
      TypeError: a size is not an integer, `dropout_rate` is not a real scalar, or `condition` is not `Labels`,
        `Vectors`, `Sequences` or None.
      ValueError: an argument is out of range, or `width` is not a multiple of `num_heads`.

    References:
      Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; Xiong et al. 2020, for the place of the normalization,
      https://arxiv.org/abs/2002.04745.
    """
    require_at_least(2, num_symbols=num_symbols)
    require_at_least(1, num_layers=num_layers, mlp_ratio=mlp_ratio)
    require_at_least(0, latent_size=latent_size)
    require_heads(width, num_heads)
    require_condition_spec(condition)
    dropout = Dropout(dropout_rate, 1 + 3 * num_layers, width)
    module: Any = _Decoder(num_symbols, width, num_layers, num_heads, mlp_ratio, latent_size, condition, dtype)
    spec = condition

    def init(key: jax.Array) -> Params:
        latent = jnp.zeros((1, latent_size), jnp.float32) if latent_size else None
        return module.init(key, jnp.zeros((1, 1), jnp.int32), latent, example_condition(spec), None, method="one_pass")

    def sample_latent(key: jax.Array, batch_size: int) -> jax.Array:
        return jax.random.normal(key, (batch_size, latent_size), jnp.float32)

    def initial_carry(
        params: Params,
        batch_size: int,
        length: int,
        *,
        latent: jax.Array | None = None,
        condition: Any = None,
        dropout_key: jax.Array | None = None,
    ) -> TransformerCarry:
        require_at_least(0, batch_size=batch_size)
        require_at_least(1, length=length)
        check_latent(latent, latent_size, batch_size)
        check_condition(spec, condition, batch_size)
        factors = dropout.factors(dropout_key, batch_size)
        return module.apply(params, batch_size, length, latent, condition, factors, method="initial_carry")

    def step(params: Params, carry: TransformerCarry, x: jax.Array) -> tuple[TransformerCarry, jax.Array]:
        if not jnp.issubdtype(jnp.result_type(x), jnp.floating):
            raise TypeError(f"x must be floating, got {jnp.result_type(x)}")
        if jnp.shape(x) != (wanted := (_batch_size(carry), num_symbols + 1)):
            raise ValueError(f"x must have shape {wanted}, got {jnp.shape(x)}")
        _check_position(carry)
        return module.apply(params, carry, x, method="step")

    def token_step(params: Params, carry: TransformerCarry, token: jax.Array) -> tuple[TransformerCarry, jax.Array]:
        if not jnp.issubdtype(jnp.result_type(token), jnp.integer):
            raise TypeError(f"token must be integers, got {jnp.result_type(token)}")
        if jnp.shape(token) != (wanted := (_batch_size(carry),)):
            raise ValueError(f"token must have shape {wanted}, got {jnp.shape(token)}")
        _check_position(carry)
        return module.apply(params, carry, token, method="step")

    def hidden_states(
        params: Params,
        tokens: jax.Array,
        *,
        latent: jax.Array | None = None,
        condition: Any = None,
        dropout_key: jax.Array | None = None,
    ) -> tuple[jax.Array, jax.Array]:
        shape = jnp.shape(tokens)
        if not jnp.issubdtype(jnp.result_type(tokens), jnp.integer):
            raise TypeError(f"tokens must be integers, got {jnp.result_type(tokens)}")
        if len(shape) != 2 or shape[1] < 1:
            raise ValueError(f"tokens must be [B, T] with T at least 1, got shape {shape}")
        check_latent(latent, latent_size, shape[0])
        check_condition(spec, condition, shape[0])
        factors = dropout.factors(dropout_key, shape[0])
        return module.apply(params, jnp.asarray(tokens), latent, condition, factors, method="one_pass")

    def logits(params: Params, tokens: jax.Array, **inputs: Any) -> jax.Array:
        return hidden_states(params, tokens, **inputs)[1]

    return Generator(
        init=init,
        initial_carry=initial_carry,
        step=step,
        num_symbols=num_symbols,
        token_step=token_step,
        logits=logits,
        hidden_states=hidden_states,
        hidden_size=width,
        sample_latent=sample_latent if latent_size else None,
        uses_dropout=dropout.is_used,
    )


def _check_position(carry: TransformerCarry) -> None:
    length = _cache_length(carry)
    if not isinstance(carry.position, jax.core.Tracer) and carry.position >= length:
        raise ValueError(
            f"carry must have taken fewer than {length} steps, the length of its cache, got {carry.position}"
        )


def _batch_size(carry: TransformerCarry) -> int:
    return carry.caches[0].keys.shape[0]


def _cache_length(carry: TransformerCarry) -> int:
    return carry.caches[0].keys.shape[1]
