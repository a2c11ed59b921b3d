"""Recurrent generators."""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_at_least
from gumbel_gan.networks.cells import GRUCell, LSTMCell, SplitCell
from gumbel_gan.networks.conditions import (
    ConditionEmbedding,
    ConditionSpec,
    Sequences,
    check_condition,
    example_condition,
    require_condition_spec,
)
from gumbel_gan.networks.dropout import Dropout
from gumbel_gan.networks.initial_states import RecurrentLatent, add_to_hidden, zero_carry
from gumbel_gan.networks.interface import Generator, Params
from gumbel_gan.networks.recorded import recorded
from gumbel_gan.networks.recurrence import (
    CellFactory,
    Embedding,
    build_cell,
    drop,
    drop_state,
    named_cells,
    require_recurrent,
    step_cell,
    unroll_cell,
)
from gumbel_gan.networks.source_attention import SourceAttention, SourceEncoder

# Folded into the key of dropout to derive the key of recurrent dropout.
_RECURRENT_DROPOUT = 2


class RecurrentCarry(NamedTuple):
    """The carry of a recurrent generator.

    Attributes:
      layers: the carry of each layer's cell, such as c and h of an LSTM, `[B, H]` each.
      dropout: `[num, B, 1, W]` dropout factors of features; None: no dropout.
      recurrent_dropout: `[L, B, 1, H]` dropout factors of the states that the cells read; None: no dropout.
      memory: `[B, S, D]` states of a condition sequence, which the first layer attends to; None: no condition sequence.
      memory_mask: `[B, S]` booleans, false at the padding of the condition sequence; None: no condition sequence.
    """

    layers: tuple[Any, ...]
    dropout: jax.Array | None
    recurrent_dropout: jax.Array | None = None
    memory: jax.Array | None = None
    memory_mask: jax.Array | None = None


class _Generator(nn.Module):
    num_symbols: int
    hidden_size: int
    cell: CellFactory
    num_layers: int
    embedding_size: int | None
    condition: ConditionSpec | None
    dtype: Any

    def setup(self) -> None:
        self.cells = named_cells(self, self.cell, self.hidden_size, self.num_layers, self.dtype)
        self.head = nn.Dense(self.num_symbols, dtype=self.dtype, name="Dense_0")
        if self.embedding_size is not None:
            self.embedding = Embedding(self.num_symbols + 1, self.embedding_size, self.dtype)
        size = self.num_layers * self.hidden_size
        if isinstance(self.condition, Sequences):
            self.source_encoder = SourceEncoder(self.condition, (self.hidden_size + 1) // 2, self.cell, self.dtype)
            self.source_summary = nn.Dense(size, dtype=self.dtype)
            self.source_attention = SourceAttention(self.dtype)
            self.attentional = nn.Dense(self.hidden_size, dtype=self.dtype)
        elif self.condition is not None:
            self.condition_embedding = ConditionEmbedding(self.condition, size, self.dtype)

    def __call__(self, carry: RecurrentCarry, x: jax.Array, condition: Any) -> jax.Array:
        """Creates all parameters."""
        carry, x, context = self.begin(carry, condition), self._embed(x, None), None
        for i, cell in enumerate(self.cells):
            _, x = cell(carry.layers[i], _joined(x, context))
            context = self._attend(x, carry) if i == 0 else context
        return self._output(x, context)

    def begin(self, carry: RecurrentCarry, condition: Any) -> RecurrentCarry:
        """Returns a carry with the condition added to its hidden states, and with the states to attend to."""
        if self.condition is None:
            return carry
        if not isinstance(self.condition, Sequences):
            return carry._replace(layers=add_to_hidden(carry.layers, self.condition_embedding(condition)))
        source = self.source_encoder(condition)
        layers = add_to_hidden(carry.layers, self.source_summary(source.summary))
        return carry._replace(layers=layers, memory=source.states, memory_mask=source.mask)

    def step(self, carry: RecurrentCarry, x: jax.Array) -> tuple[RecurrentCarry, jax.Array]:
        """Takes a step on relaxed symbols `[B, K + 1]` or integer symbols `[B]`."""
        carry, (_, logits_BK) = self.hidden_step(carry, x)
        return carry, logits_BK

    def hidden_step(self, carry: RecurrentCarry, x: jax.Array) -> tuple[RecurrentCarry, tuple[jax.Array, jax.Array]]:
        """Takes a step, and returns the hidden state `[B, H]` of the last layer beside the logits."""
        x, context, layers = self._embed(x, carry.dropout), None, []
        for i, cell in enumerate(self.cells):
            layer = drop_state(carry.layers[i], carry.recurrent_dropout, i)
            layer, x, hidden_BH = step_cell(cell, layer, _joined(x, context))
            x = drop(x, carry.dropout, i)
            context = self._attend(x, carry) if i == 0 else context
            layers.append(layer)
        return carry._replace(layers=tuple(layers)), (hidden_BH.astype(jnp.float32), self._output(x, context))

    def one_pass(
        self, carry: RecurrentCarry, tokens: jax.Array, with_hidden: bool
    ) -> tuple[jax.Array | None, jax.Array]:
        """Computes the logits and, if `with_hidden`, the hidden states of all steps; only the recurrence is a scan."""
        batch_size, length = tokens.shape
        start_B1 = jnp.full((batch_size, 1), self.num_symbols, jnp.int32)
        previous_BT = jnp.concatenate([start_B1, tokens.astype(jnp.int32)], axis=1)[:, :length]
        x, context_TBD = self._embed(previous_BT.T, carry.dropout), None
        for i, cell in enumerate(self.cells):
            h_TBH, hidden_TBH = unroll_cell(
                cell,
                carry.layers[i],
                _joined(x, context_TBD),
                num_symbols=self.num_symbols + 1,
                with_hidden=with_hidden,
                recurrent_dropout=carry.recurrent_dropout,
                layer=i,
            )
            x = drop(h_TBH, carry.dropout, i)
            context_TBD = self._attend(x, carry) if i == 0 else context_TBD
        # Flattened, so that the head is one matrix product: with another axis, its gradient is slower.
        logits = self._output(_rows(x), None if context_TBD is None else _rows(context_TBD))
        hidden_BTH = None if hidden_TBH is None else jnp.swapaxes(hidden_TBH, 0, 1).astype(jnp.float32)
        return hidden_BTH, logits.reshape(batch_size, length, self.num_symbols)

    def _embed(self, x: jax.Array, dropout: jax.Array | None) -> jax.Array:
        """Returns the input of the first cell."""
        if self.embedding_size is not None:
            return drop(self.embedding(x), dropout, self.num_layers)
        if jnp.issubdtype(x.dtype, jnp.integer) and not isinstance(self.cells[0], SplitCell):
            return jax.nn.one_hot(x, self.num_symbols + 1, dtype=self.dtype)
        return x

    def _attend(self, h: jax.Array, carry: RecurrentCarry) -> jax.Array | None:
        """Computes attention `[B, D]` of states `[B, H]`, or `[T, B, D]` of `[T, B, H]`; None without a memory."""
        if carry.memory is None:
            return None
        if h.ndim == 2:
            return self.source_attention(h[:, None], carry.memory, carry.memory_mask)[:, 0]
        context_BTD = self.source_attention(jnp.swapaxes(h, 0, 1), carry.memory, carry.memory_mask)
        return jnp.swapaxes(context_BTD, 0, 1)

    def _output(self, h: jax.Array, context: jax.Array | None) -> jax.Array:
        if context is not None:
            h = jnp.tanh(self.attentional(_joined(h, context)))
        return self.head(h).astype(jnp.float32)


def _joined(x: jax.Array, context: jax.Array | None) -> jax.Array:
    return x if context is None else jnp.concatenate([x, context], axis=-1)


def _rows(x_TBH: jax.Array) -> jax.Array:
    """Returns `[T, B, H]` as `[B T, H]`."""
    return jnp.swapaxes(x_TBH, 0, 1).reshape(-1, x_TBH.shape[-1])


@recorded
def recurrent_generator(
    num_symbols: int,
    hidden_size: int,
    *,
    cell: CellFactory = LSTMCell,
    num_layers: int = 1,
    embedding_size: int | None = None,
    latent: str = "none",
    dropout_rate: ArrayLike = 0.0,
    recurrent_dropout_rate: ArrayLike = 0.0,
    condition: ConditionSpec | None = None,
    dtype: Any = jnp.float32,
) -> Generator:
    """Builds a generator of recurrent layers with a linear head.

    Teacher forcing applies the embedding before the scan over time, and the head after it. The carry of a roll-out is a
    `RecurrentCarry`, which allows any number of steps.

    Args:
      num_symbols: K, at least 2.
      hidden_size: H, width of the layers, at least 1.
      cell: (hidden_size, dtype=dtype) -> a Flax `RNNCellBase`: a cell class of this library (`LSTMCell`, `GRUCell`) or
        of Flax, or a function. The last array of the cell's carry must be its hidden state, `[B, H]`. A step with
        `LSTMCell` can be differentiated any number of times in reverse mode, but not in forward mode (`jax.jvp`). For
        forward mode, use `functools.partial(LSTMCell, forward_mode=True)`, which has the same parameters, or a cell of
        Flax.
      num_layers: L, at least 1.
      embedding_size: E, size of a linear embedding of the symbols, at least 1; None: symbols enter the gates directly.
      latent: the part of each layer's initial state that is N(0, 1) noise: 'hidden_and_cell' (both states of an LSTM,
        as in the paper), 'hidden', or 'none', for an initial state of zeros. Without a latent, all randomness of the
        generator is in its Gumbel noise, and the likelihood of its sequences has a closed form.
      dropout_rate: scalar in [0, 1), the probability that dropout in training removes a feature of the embedding, if
        there is one, or of a layer's output, at all steps of a sequence; may be traced.
      recurrent_dropout_rate: scalar in [0, 1), the probability that dropout in training removes a feature of the hidden
        state that a cell reads, at all steps of a sequence; may be traced. It must be 0 for a cell that has no other
        state, such as `GRUCell`, since the cell would forget these features.
      condition: the kind of condition; None: no condition. A learned linear map of `Labels` or `Vectors` is added to
        the initial hidden state of every layer. `Sequences`, padded at the end, are read in both directions by cells of
        half the width, and a linear map of their last states is added to the initial hidden states. The states of the
        first layer attend to all states of the condition sequence. The attended vectors are an input of the later
        layers and of a tanh layer before the head.
      dtype: the dtype of the computation; parameters, hidden states and logits are float32.

    Returns:
      A `Generator`. Its hidden states are those of the last layer: the new cell state of `LSTMCell`, the candidate
      state of `GRUCell` before the tanh, and the output of other cells. A latent is a `[B, L H]` array or, for
      'hidden_and_cell', a pair of such arrays for the cell states and for the hidden states.

    Raises:
      TypeError: a size is not an integer, a rate is not a real scalar, `cell` does not build a Flax cell, or
        `condition` is not `Labels`, `Vectors`, `Sequences` or None.
      ValueError: an argument is out of range, or `recurrent_dropout_rate` is not 0 for a cell with one state.

    References:
      Kusner & Hernández-Lobato 2016, section 3, https://arxiv.org/abs/1611.04051; Gal & Ghahramani 2016, section 4, for
      dropout, https://arxiv.org/abs/1512.05287; Luong et al. 2015, for attention, https://arxiv.org/abs/1508.04025; Wu
      et al. 2016, for its place below the upper layers, https://arxiv.org/abs/1609.08144.
    """
    require_recurrent(num_symbols, hidden_size, num_layers, embedding_size)
    require_condition_spec(condition)
    built = build_cell(cell, hidden_size, dtype)
    attended_size = 2 * ((hidden_size + 1) // 2) if isinstance(condition, Sequences) else 0
    input_sizes = [embedding_size or num_symbols + 1] + [hidden_size + attended_size] * (num_layers - 1)
    num_states = len(jax.tree.leaves(zero_carry(built, 1, hidden_size, dtype)))
    noise = RecurrentLatent(latent, num_states, num_layers * hidden_size, dtype)
    # One array of factors for all layers, as wide as the widest layer; narrower layers use a slice.
    num_dropped = num_layers + (embedding_size is not None)
    dropout = Dropout(dropout_rate, num_dropped, max(hidden_size, embedding_size or 0))
    recurrent_dropout = Dropout(recurrent_dropout_rate, num_layers, hidden_size, name="recurrent_dropout_rate")
    if recurrent_dropout.is_used and num_states < 2:
        raise ValueError(
            f"recurrent_dropout_rate must be 0 for a cell with one state, such as GRUCell, got {recurrent_dropout_rate}"
        )
    module: Any = _Generator(num_symbols, hidden_size, cell, num_layers, embedding_size, condition, dtype)
    spec = condition

    def zero_layers(batch_size: int) -> tuple[Any, ...]:
        return tuple(zero_carry(built, batch_size, size, dtype) for size in input_sizes)

    def init(key: jax.Array) -> Params:
        _, params_key = jax.random.split(key)
        carry, x = RecurrentCarry(zero_layers(1), None), jnp.zeros((1, num_symbols + 1), dtype)
        params = module.init(params_key, carry, x, example_condition(spec))
        carry = module.apply(params, carry, example_condition(spec), method="begin")
        _check_carry(carry, jax.eval_shape(step, params, carry, x)[0])
        return params

    def initial_carry(
        params: Params,
        batch_size: int,
        length: int,
        *,
        latent: Any = None,
        condition: Any = None,
        dropout_key: jax.Array | None = None,
    ) -> RecurrentCarry:
        require_at_least(0, batch_size=batch_size, length=length)
        check_condition(spec, condition, batch_size)
        placed = noise.place(zero_layers(batch_size), latent, batch_size)
        state_key = None if dropout_key is None else jax.random.fold_in(dropout_key, _RECURRENT_DROPOUT)
        carry = RecurrentCarry(
            tuple(placed),
            dropout.factors(dropout_key, batch_size),
            recurrent_dropout.factors(state_key, batch_size),
        )
        return module.apply(params, carry, condition, method="begin")

    def step(params: Params, carry: RecurrentCarry, x: jax.Array) -> tuple[RecurrentCarry, jax.Array]:
        if not jnp.issubdtype(jnp.result_type(x), jnp.floating):
            raise TypeError(f"x must be floating, got {jnp.result_type(x)}")
        if jnp.shape(x) != (wanted := (_batch_size(carry), num_symbols + 1)):
            raise ValueError(f"x must have shape {wanted}, got {jnp.shape(x)}")
        return module.apply(params, carry, jnp.asarray(x), method="step")

    def token_step(params: Params, carry: RecurrentCarry, token: jax.Array) -> tuple[RecurrentCarry, jax.Array]:
        check_token(carry, token)
        return module.apply(params, carry, jnp.asarray(token), method="step")

    def hidden_step(
        params: Params, carry: RecurrentCarry, token: jax.Array
    ) -> tuple[RecurrentCarry, tuple[jax.Array, jax.Array]]:
        check_token(carry, token)
        return module.apply(params, carry, jnp.asarray(token), method="hidden_step")

    def check_token(carry: RecurrentCarry, token: jax.Array) -> None:
        if not jnp.issubdtype(jnp.result_type(token), jnp.integer):
            raise TypeError(f"token must be integers, got {jnp.result_type(token)}")
        if jnp.shape(token) != (wanted := (_batch_size(carry),)):
            raise ValueError(f"token must have shape {wanted}, got {jnp.shape(token)}")

    def one_pass(params: Params, tokens: jax.Array, with_hidden: bool, inputs: dict[str, Any]) -> Any:
        shape = jnp.shape(tokens)
        if not jnp.issubdtype(jnp.result_type(tokens), jnp.integer):
            raise TypeError(f"tokens must be integers, got {jnp.result_type(tokens)}")
        if len(shape) != 2:
            raise ValueError(f"tokens must be [B, T], got shape {shape}")
        carry = initial_carry(params, *shape, **inputs)
        return module.apply(params, carry, jnp.asarray(tokens), with_hidden, method="one_pass")

    def logits(params: Params, tokens: jax.Array, **inputs: Any) -> jax.Array:
        return one_pass(params, tokens, False, inputs)[1]

    def hidden_states(params: Params, tokens: jax.Array, **inputs: Any) -> tuple[jax.Array, jax.Array]:
        return one_pass(params, tokens, True, inputs)

    return Generator(
        init=init,
        initial_carry=initial_carry,
        step=step,
        num_symbols=num_symbols,
        token_step=token_step,
        logits=logits,
        hidden_states=hidden_states,
        hidden_size=hidden_size,
        sample_latent=None if latent == "none" else noise.sample,
        uses_dropout=dropout.is_used or recurrent_dropout.is_used,
        hidden_step=hidden_step,
    )


def lstm_generator(num_symbols: int, hidden_size: int, **options: Any) -> Generator:
    """Builds an LSTM generator: `recurrent_generator` with `LSTMCell`, and the same other arguments and errors.

    Its steps can be differentiated any number of times in reverse mode, but not in forward mode (`jax.jvp`).
    """
    return recurrent_generator(num_symbols, hidden_size, cell=LSTMCell, **options)


def gru_generator(num_symbols: int, hidden_size: int, **options: Any) -> Generator:
    """Builds a GRU generator: `recurrent_generator` with `GRUCell`, and the same other arguments and errors.

    The argument `latent` is 'hidden' or 'none'.
    """
    return recurrent_generator(num_symbols, hidden_size, cell=GRUCell, **options)


def lstm_generator_params(kernel: jax.Array, bias: jax.Array, head_kernel: jax.Array, head_bias: jax.Array) -> Params:
    """Returns the parameters of an `lstm_generator` with one layer and no embedding, from given weights.

    Args:
      kernel: `[K + 1 + H, 4 H]` weights. The first K + 1 rows are those of the input, the others those of the state.
        The columns are those of the input gate, the forget gate, the output gate and the candidate, in this order.
      bias: `[4 H]` biases of the gates, in the same order.
      head_kernel: `[H, K]` weights of the head.
      head_bias: `[K]` biases of the head.
    """
    return {
        "params": {
            "LSTMCell_0": {"kernel": kernel, "bias": bias},
            "Dense_0": {"kernel": head_kernel, "bias": head_bias},
        }
    }


def _check_carry(carry: RecurrentCarry, new_carry: RecurrentCarry) -> None:
    def types(tree: Any) -> Any:
        return jax.tree.map(lambda leaf: f"{leaf.dtype}{list(leaf.shape)}", tree)

    if types(carry) != types(new_carry):
        raise ValueError(
            "cell must return a carry with the shapes and dtypes of the one that it takes, "
            f"got {types(new_carry.layers)} for {types(carry.layers)}"
        )


def _batch_size(carry: RecurrentCarry) -> int:
    return jax.tree.leaves(carry.layers)[-1].shape[0]
