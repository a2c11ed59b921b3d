"""The recurrent generator.

Outside, a network is a NamedTuple of pure functions of its parameters: unrolls and algorithms never see a module.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import flax.linen as nn
import jax
import jax.numpy as jnp

from gumbel_gan.arguments import require_at_least, require_one_of
from gumbel_gan.networks.cells import LSTMCell, Params

Carry = Any

LATENTS = ("hidden_and_cell", "hidden", "none")
GRU_LATENTS = ("hidden", "none")

# The logit of a symbol of probability zero: finite, so that no gradient is 0 times infinity.
_NEVER = -1e9


class Behavior(NamedTuple):
    """What a generator does at a step, or, with an axis of time, along a sequence.

    Attributes:
      activations: `[..., H]` what the tanh of the recurrent state is taken of, float32: of the candidate state in a
        GRU, of the new cell in an LSTM.
      logits: `[..., K]` logits of the next symbol, float32.
    """

    activations: jax.Array
    logits: jax.Array


class Generator(NamedTuple):
    """A recurrent generator over `num_symbols` symbols.

    Its input has one symbol more than its output: the last, `num_symbols`, is the start symbol.

    Attributes:
      init: key -> params.
      initial_carry: (key, batch size) -> the carry before the first symbol, with its latent drawn from N(0, 1).
      step: (params, carry, x `[B, K + 1]`) -> (carry, logits `[B, K]`), one step of the recurrence.
      observed_step: the same step, which gives its `Behavior` in place of the logits alone.
      num_symbols: K, size of the vocabulary, padding included.
      hidden_size: H, width of the recurrence.
      has_latent: whether `initial_carry` uses its key.
      padding: the symbol that pads, None where none does.
    """

    init: Callable[[jax.Array], Params]
    initial_carry: Callable[[jax.Array, int], Carry]
    step: Callable[[Params, Carry, jax.Array], tuple[Carry, jax.Array]]
    observed_step: Callable[[Params, Carry, jax.Array], tuple[Carry, Behavior]]
    num_symbols: int
    hidden_size: int
    has_latent: bool
    padding: int | None


# (H, dtype, carry, x) -> (carry, h, activations), called inside a module, which then holds the parameters.
_Recurrence = Callable[[int, jnp.dtype, Carry, jax.Array], tuple[Carry, jax.Array, jax.Array]]


def _lstm(hidden_size: int, dtype: jnp.dtype, carry: Carry, x: jax.Array) -> tuple[Carry, jax.Array, jax.Array]:
    carry, h = LSTMCell(hidden_size, dtype=dtype)(carry, x)
    return carry, h, carry[0]


def _gru(hidden_size: int, dtype: jnp.dtype, carry: Carry, x: jax.Array) -> tuple[Carry, jax.Array, jax.Array]:
    seen: list[jax.Array] = []

    def tanh(activations: jax.Array) -> jax.Array:
        # Flax's cell doesn't hand out what goes on inside it.
        seen.append(activations)
        return nn.tanh(activations)

    carry, h = cast(Any, nn.GRUCell(hidden_size, dtype=dtype, activation_fn=tanh))(carry, x)
    return carry, h, seen[-1]


class _GeneratorStep(nn.Module):
    recurrence: _Recurrence
    num_symbols: int
    hidden_size: int
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, carry: Carry, x: jax.Array) -> tuple[Carry, Behavior]:
        carry, h, activations = self.recurrence(self.hidden_size, self.dtype, carry, x)
        logits = nn.Dense(self.num_symbols, dtype=self.dtype)(h)
        return carry, Behavior(activations.astype(jnp.float32), logits.astype(jnp.float32))


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

    Its step can be differentiated in reverse, as often as wanted, but not forwards (`jax.jvp`).

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
    require_one_of(LATENTS, latent=latent)

    def initial_carry(key: jax.Array, batch_size: int) -> Carry:
        zeros_BH = jnp.zeros((batch_size, hidden_size), dtype)
        cell_key, hidden_key = jax.random.split(key)
        cell_BH = jax.random.normal(cell_key, zeros_BH.shape, dtype) if latent == "hidden_and_cell" else zeros_BH
        hidden_BH = jax.random.normal(hidden_key, zeros_BH.shape, dtype) if latent != "none" else zeros_BH
        return cell_BH, hidden_BH

    return _generator(_lstm, num_symbols, hidden_size, initial_carry, latent, padding, ends, dtype)


def lstm_generator_params(kernel: jax.Array, bias: jax.Array, head_kernel: jax.Array, head_bias: jax.Array) -> Params:
    """Makes the parameters of an `lstm_generator` of given weights.

    Args:
      kernel: `[K + 1 + H, 4 H]` weights of the input and, below them, of the state; the columns are those of the input
        gate, the forget gate, the output gate and the candidate in turn.
      bias: `[4 H]` of the gates, in the same order.
      head_kernel: `[H, K]` of the logits.
      head_bias: `[K]` of the logits.

    Returns:
      What `Generator.init` gives, of these weights.
    """
    return {
        "params": {
            "LSTMCell_0": {"kernel": kernel, "bias": bias},
            "Dense_0": {"kernel": head_kernel, "bias": head_bias},
        }
    }


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
    require_one_of(GRU_LATENTS, latent=latent)

    def initial_carry(key: jax.Array, batch_size: int) -> Carry:
        shape = (batch_size, hidden_size)
        return jax.random.normal(key, shape, dtype) if latent == "hidden" else jnp.zeros(shape, dtype)

    return _generator(_gru, num_symbols, hidden_size, initial_carry, latent, padding, ends, dtype)


def _generator(
    recurrence: _Recurrence,
    num_symbols: int,
    hidden_size: int,
    initial_carry: Callable[[jax.Array, int], Carry],
    latent: str,
    padding: int | None,
    ends: bool,
    dtype: jnp.dtype,
) -> Generator:
    """Makes a generator of a recurrence and of what its carry is at first."""
    require_at_least(2, num_symbols=num_symbols)
    require_at_least(1, hidden_size=hidden_size)
    if padding is not None and not 0 <= padding < num_symbols:
        raise ValueError(f"padding must be None or a symbol from 0 to {num_symbols - 1}, got {padding}")
    if ends and padding is None:
        raise ValueError("padding must be a symbol where ends is true, got None")
    module = _GeneratorStep(recurrence, num_symbols, hidden_size, dtype)

    def init(key: jax.Array) -> Params:
        carry_key, params_key = jax.random.split(key)
        return module.init(params_key, initial_carry(carry_key, 1), jnp.zeros((1, num_symbols + 1), dtype))

    def observed_step(params: Params, carry: Carry, x: jax.Array) -> tuple[Carry, Behavior]:
        carry, behavior = cast(Any, module.apply)(params, carry, x)
        if padding is not None and ends:
            ended_B = x[:, padding] > 0.5
            logits_BK = jnp.where(ended_B[:, None], only(jnp.zeros_like(behavior.logits), padding), behavior.logits)
            behavior = behavior._replace(logits=logits_BK)
        return carry, behavior

    def step(params: Params, carry: Carry, x: jax.Array) -> tuple[Carry, jax.Array]:
        carry, behavior = observed_step(params, carry, x)
        return carry, behavior.logits

    return Generator(init, initial_carry, step, observed_step, num_symbols, hidden_size, latent != "none", padding)


def only(logits: jax.Array, symbol: int) -> jax.Array:
    """Takes all probability from every other symbol, of logits `[..., K]`."""
    return jnp.where(jnp.arange(logits.shape[-1]) == symbol, logits, _NEVER)


def never(logits: jax.Array, symbol: int) -> jax.Array:
    """Takes all probability from a symbol, of logits `[..., K]`."""
    return jnp.where(jnp.arange(logits.shape[-1]) == symbol, _NEVER, logits)
