"""Networks that generate all symbols in one pass from a latent: a transformer and a convolutional network."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_at_least, require_kind
from gumbel_gan.networks.attention import (
    EMBEDDING_INIT,
    ConditionEncoder,
    TransformerLayer,
    require_heads,
)
from gumbel_gan.networks.conditions import (
    ConditionEmbedding,
    ConditionSpec,
    Labels,
    Vectors,
    check_condition,
    example_condition,
    require_condition_spec,
    require_labels_or_vectors,
)
from gumbel_gan.networks.convolutional import windows
from gumbel_gan.networks.dropout import Dropout
from gumbel_gan.networks.independent import independent_generator
from gumbel_gan.networks.initial_states import check_latent
from gumbel_gan.networks.interface import Generator, Params
from gumbel_gan.networks.recorded import recorded


class _Transformer(nn.Module):
    num_symbols: int
    length: int
    width: int
    num_layers: int
    num_heads: int
    mlp_ratio: int
    condition: ConditionSpec | None
    self_conditioning: bool
    dtype: Any

    @nn.compact
    def __call__(
        self,
        batch_size: int,
        length: int,
        latent: jax.Array | None,
        condition: Any,
        dropout: jax.Array | None,
        estimated: jax.Array | None = None,
    ) -> jax.Array:
        sizes = (self.width, self.num_heads, self.mlp_ratio)
        encoder = ConditionEncoder(self.condition, *sizes, self.num_layers, dtype=self.dtype, name="encoder")
        encoding = encoder(condition)
        states = encoding.states
        layers = [TransformerLayer(*sizes, states is not None, dtype=self.dtype) for _ in range(self.num_layers)]
        memories = [None if states is None else layer.memory(states) for layer in layers]
        norm, head = nn.LayerNorm(dtype=self.dtype), _head(self)
        inputs_BTH = _inputs(self, batch_size, length, latent)
        if encoding.context is not None:
            inputs_BTH = inputs_BTH + encoding.context[:, None]

        def logits(x_BTH: jax.Array) -> jax.Array:
            if dropout is not None:
                x_BTH = x_BTH * dropout[0].astype(self.dtype)
            for i, (layer, memory) in enumerate(zip(layers, memories, strict=True)):
                factors = None if dropout is None else dropout[1 + 3 * i : 4 + 3 * i]
                x_BTH, _ = layer(x_BTH, None, memory=memory, memory_mask=encoding.mask, dropout=factors)
            return head(norm(x_BTH)).astype(jnp.float32)

        first_BTK = logits(inputs_BTH)
        if not self.self_conditioning:
            return first_BTK
        estimate_BTK = jax.lax.stop_gradient(nn.softmax(first_BTK))
        if estimated is not None:
            estimate_BTK = estimate_BTK * estimated[:, None, None]
        embedding = nn.Dense(self.width, use_bias=False, dtype=self.dtype, name="estimate_embedding")
        return logits(inputs_BTH + embedding(estimate_BTK))


class _Convolutional(nn.Module):
    num_symbols: int
    length: int
    width: int
    num_blocks: int
    kernel_size: int
    condition: Labels | Vectors | None
    dtype: Any

    @nn.compact
    def __call__(
        self, batch_size: int, length: int, latent: jax.Array | None, condition: Any, dropout: jax.Array | None
    ) -> jax.Array:
        x_BTH = _inputs(self, batch_size, length, latent)
        if self.condition is not None:
            x_BTH = x_BTH + ConditionEmbedding(self.condition, self.width, self.dtype)(condition)[:, None]
        for block in range(self.num_blocks):
            change_BTH = nn.LayerNorm(dtype=self.dtype)(x_BTH)
            for _ in range(2):
                convolution = nn.Dense(self.width, kernel_init=nn.initializers.he_normal(), dtype=self.dtype)
                change_BTH = convolution(windows(nn.relu(change_BTH), self.kernel_size))
            if dropout is not None:
                change_BTH = change_BTH * dropout[block].astype(self.dtype)
            x_BTH = x_BTH + change_BTH
        return _head(self)(nn.LayerNorm(dtype=self.dtype)(x_BTH)).astype(jnp.float32)


@recorded
def one_pass_generator(
    num_symbols: int,
    length: int,
    width: int,
    *,
    num_layers: int = 3,
    num_heads: int = 4,
    mlp_ratio: int = 4,
    latent_size: int = 64,
    dropout_rate: ArrayLike = 0.0,
    condition: ConditionSpec | None = None,
    self_conditioning: bool = False,
    dtype: Any = jnp.float32,
) -> Generator:
    """Builds a transformer that generates all symbols of a sequence at once, from a latent.

    The input at a position is the sum of a learned vector of that position and a linear map of the latent. Pre-norm
    layers attend to all positions, and a linear head computes the logits of each. Given the latent and the condition,
    symbols are drawn independently, so any dependence between them has to come from the latent.

    Args:
      num_symbols: K, at least 2.
      length: the largest T, at least 1; shorter sequences use the first positions.
      width: H, a multiple of `num_heads`.
      num_layers: L, at least 1. Another L layers encode the condition if it is a sequence.
      num_heads: number of attention heads, at least 1.
      mlp_ratio: width of the MLPs' hidden layers divided by H, at least 1.
      latent_size: Z, size of the N(0, 1) latent. 0: no latent; without a condition, the generator is then one
        distribution for each position.
      dropout_rate: scalar in [0, 1), the probability that dropout in training removes a feature of the input or of a
        sublayer's output, at all positions of a sequence; may be traced.
      condition: the kind of condition. The embedding of `Labels` or `Vectors` is added to every input. `Sequences` are
        encoded by a bidirectional transformer, and every layer attends to the encoding. None: no condition.
      self_conditioning: whether the network is applied twice. A linear map of the symbol probabilities from the first
        application is added to the inputs of the second; no gradient flows through these probabilities. In training,
        the map is zero for each sequence with probability 1/2, so that the first application is trained too. The
        symbols stay independent given the latent and the condition.
      dtype: the dtype of the computation; parameters and logits are float32.

    Returns:
      A `Generator` with `independent_logits`, and without hidden states.

    Raises:
      TypeError: a size is not an integer, `dropout_rate` is not a real scalar, `self_conditioning` is not a bool, or
        `condition` is not `Labels`, `Vectors`, `Sequences` or None.
      ValueError: an argument is out of range, or `width` is not a multiple of `num_heads`.

    References:
      Gu et al. 2018, for symbols in one pass, https://arxiv.org/abs/1711.02281; Vaswani et al. 2017,
      https://arxiv.org/abs/1706.03762; Chen et al. 2022, section 3.2, for self-conditioning,
      https://arxiv.org/abs/2208.04202.
    """
    require_at_least(1, num_layers=num_layers, mlp_ratio=mlp_ratio)
    require_heads(width, num_heads)
    require_condition_spec(condition)
    require_kind(bool, self_conditioning=self_conditioning)
    dropout = Dropout(dropout_rate, 1 + 3 * num_layers, width)
    sizes = (num_symbols, length, width, num_layers, num_heads, mlp_ratio)
    module = _Transformer(*sizes, condition, self_conditioning, dtype)
    return _generator(module, latent_size, condition, dropout, self_conditioning=self_conditioning)


@recorded
def convolutional_one_pass_generator(
    num_symbols: int,
    length: int,
    width: int,
    *,
    num_blocks: int = 3,
    kernel_size: int = 5,
    latent_size: int = 64,
    dropout_rate: ArrayLike = 0.0,
    condition: Labels | Vectors | None = None,
    dtype: Any = jnp.float32,
) -> Generator:
    """Builds a convolutional network that generates all symbols of a sequence at once, from a latent.

    The input at a position is as in `one_pass_generator`. A block adds conv(relu(conv(relu(norm(h))))) to its input h.
    The logits at a position depend on 2 `num_blocks` (`kernel_size` - 1) other positions and on the whole latent.

    Args:
      num_symbols: K, at least 2.
      length: the largest T, at least 1; shorter sequences use the first positions.
      width: H, channels of the convolutions, at least 1.
      num_blocks: number of residual blocks of two convolutions each, at least 0.
      kernel_size: number of positions that a convolution spans, at least 1.
      latent_size: Z, size of the N(0, 1) latent; 0: no latent.
      dropout_rate: scalar in [0, 1), the probability that dropout in training removes a channel of a block's output;
        may be traced.
      condition: `Labels` or `Vectors`, whose embedding is added to every input; None: no condition.
      dtype: the dtype of the computation; parameters and logits are float32.

    Returns:
      A `Generator` with `independent_logits`, and without hidden states.

    Raises:
      TypeError: a size is not an integer, `dropout_rate` is not a real scalar, or `condition` is not `Labels`,
        `Vectors` or None.
      ValueError: an argument is out of range.

    References:
      Gulrajani et al. 2017, section 5.5, https://arxiv.org/abs/1704.00028.
    """
    require_at_least(1, width=width, kernel_size=kernel_size)
    require_at_least(0, num_blocks=num_blocks)
    require_labels_or_vectors(condition)
    dropout = Dropout(dropout_rate, num_blocks, width)
    module = _Convolutional(num_symbols, length, width, num_blocks, kernel_size, condition, dtype)
    return _generator(module, latent_size, condition, dropout)


def _inputs(module: Any, batch_size: int, length: int, latent: jax.Array | None) -> jax.Array:
    """Returns the inputs `[B, T, H]` of the positions, inside a module."""
    positions_TH = module.param("positions", EMBEDDING_INIT, (module.length, module.width), jnp.float32)[:length]
    x_BTH = jnp.broadcast_to(positions_TH.astype(module.dtype), (batch_size, length, module.width))
    if latent is None:
        return x_BTH
    return x_BTH + nn.Dense(module.width, dtype=module.dtype, name="latent_embedding")(latent)[:, None]


def _head(module: Any) -> nn.Dense:
    return nn.Dense(module.num_symbols, dtype=module.dtype, name="head")


def _generator(
    module: Any, latent_size: int, spec: ConditionSpec | None, dropout: Dropout, *, self_conditioning: bool = False
) -> Generator:
    """Checks the sizes that both networks share, and builds the generator of a module."""
    require_at_least(2, num_symbols=module.num_symbols)
    require_at_least(1, length=module.length)
    require_at_least(0, latent_size=latent_size)

    def init(key: jax.Array) -> Params:
        latent = jnp.zeros((1, latent_size), jnp.float32) if latent_size else None
        return module.init(key, 1, module.length, latent, example_condition(spec), None)

    def sample_latent(key: jax.Array, batch_size: int) -> jax.Array:
        return jax.random.normal(key, (batch_size, latent_size), jnp.float32)

    def independent_logits(
        params: Params,
        batch_size: int,
        length: int,
        *,
        latent: jax.Array | None = None,
        condition: Any = None,
        dropout_key: jax.Array | None = None,
    ) -> jax.Array:
        require_at_least(0, batch_size=batch_size)
        require_at_least(1, length=length)
        if length > module.length:
            raise ValueError(f"length must be at most {module.length}, that of the network, got {length}")
        check_latent(latent, latent_size, batch_size)
        check_condition(spec, condition, batch_size)
        estimated = {}
        if self_conditioning and dropout_key is not None:
            dropout_key, half_key = jax.random.split(dropout_key)
            estimated["estimated"] = jax.random.bernoulli(half_key, 0.5, (batch_size,))
        factors = dropout.factors(dropout_key, batch_size)
        return module.apply(params, batch_size, length, latent, condition, factors, **estimated)

    return independent_generator(
        init,
        independent_logits,
        module.num_symbols,
        sample_latent=sample_latent if latent_size else None,
        uses_dropout=dropout.is_used or self_conditioning,
    )
