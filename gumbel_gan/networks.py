"""The recurrent generator and discriminator: the only room that knows Flax.

Outside, a network is a NamedTuple of pure functions of its parameters: unrolls and algorithms never see a module.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import traverse_util

Params = Any
Carry = Any

LATENTS = ("hidden_and_cell", "hidden", "none")
GRU_LATENTS = ("hidden", "none")
POOLINGS = ("last", "last_and_mean")

# The logit of a symbol of probability zero: finite, so that no gradient is 0 times infinity.
_NEVER = -1e9


class Generator(NamedTuple):
    """A recurrent generator over `num_symbols` symbols.

    Its input has one symbol more than its output: the last, `num_symbols`, is the start symbol.

    Attributes:
      init: key -> params.
      initial_carry: (key, batch size) -> the carry before the first symbol, with its latent drawn from N(0, 1).
      step: (params, carry, x `[B, K + 1]`) -> (carry, logits `[B, K]`), one step of the recurrence.
      num_symbols: K, size of the vocabulary, padding included.
      has_latent: whether `initial_carry` uses its key.
      padding: the symbol that pads, None where none does.
    """

    init: Callable[[jax.Array], Params]
    initial_carry: Callable[[jax.Array, int], Carry]
    step: Callable[[Params, Carry, jax.Array], tuple[Carry, jax.Array]]
    num_symbols: int
    has_latent: bool
    padding: int | None


class Discriminator(NamedTuple):
    """A discriminator of whole sequences.

    Attributes:
      init: key -> params.
      logits: (params, x `[B, T, K]`) -> `[B]` logits d = log(D / (1 - D)); large means real. It is told no length:
        padding is a symbol like the others.
    """

    init: Callable[[jax.Array], Params]
    logits: Callable[[Params, jax.Array], jax.Array]


class _GeneratorStep(nn.Module):
    cell: Callable[..., Any]
    num_symbols: int
    hidden_size: int
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, carry: Carry, x: jax.Array) -> tuple[Carry, jax.Array]:
        carry, h = self.cell(self.hidden_size, dtype=self.dtype)(carry, x)
        logits = nn.Dense(self.num_symbols, dtype=self.dtype)(h)
        return carry, logits.astype(jnp.float32)


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


def lstm_generator(
    num_symbols: int,
    hidden_size: int,
    *,
    latent: str = "none",
    padding: int | None = None,
    ends: bool = False,
    dtype: jnp.dtype = jnp.float32,
) -> Generator:
    """Makes an LSTM generator with a linear head.

    Args:
      num_symbols: K, at least 2.
      hidden_size: H, width of the LSTM, at least 1.
      latent: what N(0, 1) noise replaces in the initial state: 'hidden_and_cell' (the paper's pair), 'hidden', or
        'none', whose initial state is zero. All randomness of a generator without latents is in its Gumbel noise,
        and the likelihood of its sequences has a closed form.
      padding: the symbol that pads, None where none does.
      ends: whether padding ends a sequence: after it the generator writes nothing else, whatever its weights.
      dtype: of the computation; parameters and logits are float32.

    Returns:
      A `Generator`.

    Raises:
      ValueError: an argument is out of its range.

    References:
      Kusner & Hernández-Lobato 2016, section 3, https://arxiv.org/abs/1611.04051.
    """
    _check_latent(latent, LATENTS)

    def initial_carry(key: jax.Array, batch_size: int) -> Carry:
        zeros_BH = jnp.zeros((batch_size, hidden_size), dtype)
        cell_key, hidden_key = jax.random.split(key)
        cell_BH = jax.random.normal(cell_key, zeros_BH.shape, dtype) if latent == "hidden_and_cell" else zeros_BH
        hidden_BH = jax.random.normal(hidden_key, zeros_BH.shape, dtype) if latent != "none" else zeros_BH
        return cell_BH, hidden_BH

    return _generator(nn.OptimizedLSTMCell, num_symbols, hidden_size, initial_carry, latent, padding, ends, dtype)


def gru_generator(
    num_symbols: int,
    hidden_size: int,
    *,
    latent: str = "none",
    padding: int | None = None,
    ends: bool = False,
    dtype: jnp.dtype = jnp.float32,
) -> Generator:
    """Makes a GRU generator with a linear head.

    Args:
      num_symbols: K, at least 2.
      hidden_size: H, width of the GRU, at least 1.
      latent: what N(0, 1) noise replaces in the initial state: 'hidden' or 'none', as in `lstm_generator`.
      padding: the symbol that pads, None where none does.
      ends: whether padding ends a sequence, as in `lstm_generator`.
      dtype: of the computation; parameters and logits are float32.

    Returns:
      A `Generator`.

    Raises:
      ValueError: an argument is out of its range.

    References:
      Cho et al. 2014, https://arxiv.org/abs/1406.1078.
    """
    _check_latent(latent, GRU_LATENTS)

    def initial_carry(key: jax.Array, batch_size: int) -> Carry:
        shape = (batch_size, hidden_size)
        return jax.random.normal(key, shape, dtype) if latent == "hidden" else jnp.zeros(shape, dtype)

    return _generator(nn.GRUCell, num_symbols, hidden_size, initial_carry, latent, padding, ends, dtype)


def _generator(
    cell: Callable[..., Any],
    num_symbols: int,
    hidden_size: int,
    initial_carry: Callable[[jax.Array, int], Carry],
    latent: str,
    padding: int | None,
    ends: bool,
    dtype: jnp.dtype,
) -> Generator:
    """Makes a generator of a Flax cell and of what its carry is at first."""
    _check_sizes(num_symbols, hidden_size)
    if padding is not None and not 0 <= padding < num_symbols:
        raise ValueError(f"padding must be None or a symbol from 0 to {num_symbols - 1}, got {padding}")
    if ends and padding is None:
        raise ValueError("padding must be a symbol where ends is true, got None")
    module = _GeneratorStep(cell, num_symbols, hidden_size, dtype)

    def init(key: jax.Array) -> Params:
        carry_key, params_key = jax.random.split(key)
        params = module.init(params_key, initial_carry(carry_key, 1), jnp.zeros((1, num_symbols + 1), dtype))
        return _open_forget_gates(params)

    def step(params: Params, carry: Carry, x: jax.Array) -> tuple[Carry, jax.Array]:
        carry, logits_BK = cast(Any, module.apply)(params, carry, x)
        if padding is not None and ends:
            ended_B = x[:, padding] > 0.5
            logits_BK = jnp.where(ended_B[:, None], only(jnp.zeros_like(logits_BK), padding), logits_BK)
        return carry, logits_BK

    return Generator(init, initial_carry, step, num_symbols, latent != "none", padding)


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
    _check_sizes(num_symbols, hidden_size)
    if pooling not in POOLINGS:
        raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}; got {pooling!r}")
    module = _Discriminator(cell, hidden_size, pooling, bidirectional, dtype)

    def init(key: jax.Array) -> Params:
        return _open_forget_gates(module.init(key, jnp.zeros((1, 1, num_symbols), dtype)))

    apply: Any = module.apply
    return Discriminator(init, apply)


def only(logits: jax.Array, symbol: int) -> jax.Array:
    """Takes all probability from every other symbol, of logits `[..., K]`."""
    return jnp.where(jnp.arange(logits.shape[-1]) == symbol, logits, _NEVER)


def never(logits: jax.Array, symbol: int) -> jax.Array:
    """Takes all probability from a symbol, of logits `[..., K]`."""
    return jnp.where(jnp.arange(logits.shape[-1]) == symbol, _NEVER, logits)


def _open_forget_gates(params: Params) -> Params:
    """Raises the biases of the forget gates to 1, so that an LSTM remembers at first; Flax starts them at 0.

    References:
      Gers et al. 2000, https://doi.org/10.1162/089976600300015015.
    """
    flat = traverse_util.flatten_dict(params)
    return traverse_util.unflatten_dict(
        {path: leaf + 1.0 if path[-2:] == ("hf", "bias") else leaf for path, leaf in flat.items()}
    )


def _check_latent(latent: str, latents: tuple[str, ...]) -> None:
    if latent not in latents:
        raise ValueError(f"latent must be one of {', '.join(latents)}; got {latent!r}")


def _check_sizes(num_symbols: int, hidden_size: int) -> None:
    if num_symbols < 2:
        raise ValueError(f"num_symbols must be at least 2, got {num_symbols}")
    if hidden_size < 1:
        raise ValueError(f"hidden_size must be at least 1, got {hidden_size}")
