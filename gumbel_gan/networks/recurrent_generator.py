"""Recurrent generators: layers of LSTM, GRU or any Flax cells."""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_at_least, require_one_of
from gumbel_gan.networks.cells import GRUCell, LSTMCell, SplitCell
from gumbel_gan.networks.conditions import (
    ConditionEmbedding,
    Labels,
    Vectors,
    check_condition,
    example_condition,
    require_labels_or_vectors,
)
from gumbel_gan.networks.dropout import Dropout
from gumbel_gan.networks.interface import Generator, Params

LATENTS = ("none", "hidden", "hidden_and_cell")

# (features, dtype=dtype) -> a Flax cell, such as the class of one.
CellFactory = Callable[..., Any]


class RecurrentCarry(NamedTuple):
    """The carry of a recurrent generator.

    Attributes:
      cells: the carry of each layer's cell.
      dropout: `[L, B, 1, H]` factors of the layers' outputs; None without dropout.
    """

    cells: tuple[Any, ...]
    dropout: jax.Array | None = None


class _Parameters(nn.Module):
    """All parameters of a generator. Only its `init` is used: each layer is applied by itself."""

    cells: tuple[CellFactory, ...]
    num_symbols: int
    hidden_size: int
    embedding_size: int | None
    condition: Labels | Vectors | None
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        if self.embedding_size is not None:
            x = _embedding(self.embedding_size, self.dtype, name="embedding")(x)
        for make_cell in self.cells:
            cell = make_cell(self.hidden_size, dtype=self.dtype)
            _, x = cell(cell.initialize_carry(jax.random.key(0), x.shape), x)
        if self.condition is not None:
            size = len(self.cells) * self.hidden_size
            ConditionEmbedding(self.condition, size, self.dtype, name="condition")(example_condition(self.condition))
        return nn.Dense(self.num_symbols, dtype=self.dtype)(x)


def recurrent_generator(
    num_symbols: int,
    hidden_size: int,
    *,
    cell: CellFactory = LSTMCell,
    num_layers: int = 1,
    embedding_size: int | None = None,
    latent: str = "none",
    dropout_rate: ArrayLike = 0.0,
    condition: Labels | Vectors | None = None,
    dtype: Any = jnp.float32,
) -> Generator:
    """Builds a recurrent generator with a linear head.

    The symbol enters the first layer's gates, through an embedding where there is one. Integer symbols are looked up:
    no one-hot product over the vocabulary is computed, and teacher forcing applies the head once, to all steps.

    With the default cell, the derivative of which is written by hand, the generator can be differentiated in reverse,
    as often as wanted, but not forwards (`jax.jvp`). `cell=functools.partial(LSTMCell, forward_mode=True)` and all
    cells of Flax can.

    Args:
      num_symbols: K, at least 2.
      hidden_size: H, width of each layer, at least 1.
      cell: makes the cell of a layer, as (H, dtype=dtype): `LSTMCell`, `GRUCell`, or any `flax.linen.RNNCellBase`, such
        as `flax.linen.SimpleCell`. Its carry must be an array `[B, H]`, or a tuple of which the last is.
      num_layers: L, at least 1.
      embedding_size: E, size of a symbol's embedding, at least 1; None: the symbol enters the gates directly.
      latent: the N(0, 1) noise in the initial state of each layer: 'hidden_and_cell' (the paper's pair, for cells whose
        carry is a pair), 'hidden', or 'none', where the initial state is zero. The likelihood of a sequence is exact
        only without a latent; all randomness is then in the draws of the symbols.
      dropout_rate: scalar in [0, 1), the probability that dropout in training removes a feature of a layer's output,
        at all steps of a sequence alike; may be traced.
      condition: `Labels` or `Vectors` that sequences are generated from, of which a linear map is added to the initial
        hidden state of each layer; None: there is no condition.
      dtype: of the computation; parameters, hidden states and logits are float32.

    Returns:
      A `Generator`. Its hidden states are those of the last layer: the new cell state of an `LSTMCell`, the candidate
      state before its tanh of a `GRUCell`, and the output of any other cell.

    Raises:
      TypeError: a size is not an integer, `dropout_rate` is not a real scalar, or the condition is of another kind.
      ValueError: an argument is out of its range.

    References:
      Kusner & Hernández-Lobato 2016, section 3, https://arxiv.org/abs/1611.04051.
    """
    require_at_least(2, num_symbols=num_symbols)
    require_at_least(1, hidden_size=hidden_size, num_layers=num_layers)
    if embedding_size is not None:
        require_at_least(1, embedding_size=embedding_size)
    require_labels_or_vectors(condition)
    layers = tuple(cell(hidden_size, dtype=dtype) for _ in range(num_layers))
    names = [f"{type(layer).__name__}_{number}" for number, layer in enumerate(layers)]
    known = LATENTS if isinstance(_zero_carry(layers[0], 1), tuple) else LATENTS[:2]
    require_one_of(known, latent=latent)
    dropout = Dropout(dropout_rate, num_layers, hidden_size)
    spec = condition
    module = _Parameters((cell,) * num_layers, num_symbols, hidden_size, embedding_size, condition, dtype)

    def init(key: jax.Array) -> Params:
        _, params_key = jax.random.split(key)
        return module.init(params_key, jnp.zeros((1, num_symbols + 1), dtype))

    def sample_latent(key: jax.Array, batch_size: int) -> tuple[Any, ...]:
        keys = [key, *(jax.random.fold_in(key, number) for number in range(1, num_layers))]
        return tuple(_draw_carry(each, layer, batch_size, latent) for each, layer in zip(keys, layers, strict=True))

    def initial_carry(
        params: Params,
        batch_size: int,
        length: int,
        *,
        latent: tuple[Any, ...] | None = None,
        condition: Any = None,
        dropout_key: jax.Array | None = None,
    ) -> RecurrentCarry:
        require_at_least(0, batch_size=batch_size)
        require_at_least(1, length=length)
        _check_latent(latent, uses_latent, batch_size)
        check_condition(spec, condition, batch_size)
        carries = [_zero_carry(layer, batch_size) for layer in layers] if latent is None else list(latent)
        if spec is not None:
            embedding = ConditionEmbedding(spec, num_layers * hidden_size, dtype)
            of_layers = jnp.split(embedding.apply(_of(params, "condition"), condition), num_layers, axis=-1)
            carries = [_add_hidden(carry, part) for carry, part in zip(carries, of_layers, strict=True)]
        return RecurrentCarry(tuple(carries), dropout.factors(dropout_key, batch_size))

    def embed(params: Params, x: jax.Array) -> jax.Array:
        """Computes what enters the first layer: embeddings, symbols that a cell looks up, or one-hot symbols."""
        is_token = jnp.issubdtype(x.dtype, jnp.integer)
        if embedding_size is not None:
            if is_token:
                table = params["params"]["embedding"]["kernel"]
                return jnp.take(table, x, axis=0, mode="fill").astype(dtype)
            return _embedding(embedding_size, dtype).apply(_of(params, "embedding"), x)
        if is_token and not isinstance(layers[0], SplitCell):
            return jax.nn.one_hot(x, num_symbols + 1, dtype=dtype)
        return x

    def run_layers(
        params: Params, carry: RecurrentCarry, first: Callable[[Any], tuple[Any, jax.Array, jax.Array]]
    ) -> tuple[RecurrentCarry, jax.Array, jax.Array]:
        """Takes a step of all layers, with `first` that of the first one: (carry, output `[B, H]`, hidden state)."""
        carries, h_BH, hidden_BH = [], None, None
        for number, layer in enumerate(layers):
            if number == 0:
                new, h_BH, hidden_BH = first(carry.cells[0])
            else:
                new, h_BH, hidden_BH = _step(layer, _of(params, names[number]), carry.cells[number], h_BH)
            if carry.dropout is not None:
                h_BH = h_BH * carry.dropout[number, :, 0].astype(dtype)
            carries.append(new)
        return RecurrentCarry(tuple(carries), carry.dropout), h_BH, hidden_BH

    def head(params: Params, h: jax.Array) -> jax.Array:
        return nn.Dense(num_symbols, dtype=dtype).apply(_of(params, "Dense_0"), h).astype(jnp.float32)

    def step(params: Params, carry: RecurrentCarry, x: jax.Array) -> tuple[RecurrentCarry, jax.Array]:
        _check_input(x, (num_symbols + 1,))
        embedded = embed(params, x)
        carry, h_BH, _ = run_layers(params, carry, lambda c: _step(layers[0], _of(params, names[0]), c, embedded))
        return carry, head(params, h_BH)

    def token_step(params: Params, carry: RecurrentCarry, token: jax.Array) -> tuple[RecurrentCarry, jax.Array]:
        _check_input(token, ())
        embedded = embed(params, token)
        carry, h_BH, _ = run_layers(params, carry, lambda c: _step(layers[0], _of(params, names[0]), c, embedded))
        return carry, head(params, h_BH)

    def hidden_states(params: Params, tokens: jax.Array, **given: Any) -> tuple[jax.Array, jax.Array]:
        if jnp.ndim(tokens) != 2 or not jnp.issubdtype(jnp.result_type(tokens), jnp.integer):
            raise ValueError(f"tokens must be [B, T] integers, got {jnp.result_type(tokens)} {jnp.shape(tokens)}")
        carry = initial_carry(params, *tokens.shape, **given)
        inputs_TB = jnp.pad(tokens[:, :-1], ((0, 0), (1, 0)), constant_values=num_symbols).T
        first, of_first = layers[0], _of(params, names[0])
        # Look-ups of all steps at once: their gradient is one scatter-add, not one a step.
        embedded = embed(params, inputs_TB)
        if isinstance(first, SplitCell):
            embedded = first.apply(of_first, embedded, method="project")

        def body(carry: RecurrentCarry, x: jax.Array) -> tuple[RecurrentCarry, tuple[jax.Array, jax.Array]]:
            def first_step(c: Any) -> tuple[Any, jax.Array, jax.Array]:
                if isinstance(first, SplitCell):
                    return first.apply(of_first, c, x, method="recur")
                return _step(first, of_first, c, x)

            carry, h_BH, hidden_BH = run_layers(params, carry, first_step)
            return carry, (h_BH, hidden_BH)

        _, (h_TBH, hidden_TBH) = jax.lax.scan(body, carry, embedded)
        logits_TBK = head(params, h_TBH)
        return jnp.swapaxes(hidden_TBH, 0, 1).astype(jnp.float32), jnp.swapaxes(logits_TBK, 0, 1)

    def logits(params: Params, tokens: jax.Array, **given: Any) -> jax.Array:
        return hidden_states(params, tokens, **given)[1]

    uses_latent = latent != "none"
    return Generator(
        init=init,
        initial_carry=initial_carry,
        step=step,
        num_symbols=num_symbols,
        token_step=token_step,
        logits=logits,
        hidden_states=hidden_states,
        hidden_size=hidden_size,
        sample_latent=sample_latent if uses_latent else None,
        uses_dropout=dropout.is_used,
    )


def lstm_generator(num_symbols: int, hidden_size: int, **settings: Any) -> Generator:
    """Builds a `recurrent_generator` of LSTM cells; the settings are its own, without `cell`."""
    return recurrent_generator(num_symbols, hidden_size, cell=LSTMCell, **settings)


def gru_generator(num_symbols: int, hidden_size: int, **settings: Any) -> Generator:
    """Builds a `recurrent_generator` of GRU cells; the settings are its own, without `cell`."""
    return recurrent_generator(num_symbols, hidden_size, cell=GRUCell, **settings)


def lstm_generator_params(kernel: jax.Array, bias: jax.Array, head_kernel: jax.Array, head_bias: jax.Array) -> Params:
    """Returns the parameters of an `lstm_generator` of one layer, without an embedding, of given weights.

    Args:
      kernel: `[K + 1 + H, 4 H]` weights of the input and, below them, of the state; the columns are those of the input
        gate, the forget gate, the output gate and the candidate in turn.
      bias: `[4 H]` of the gates, in the same order.
      head_kernel: `[H, K]` of the logits.
      head_bias: `[K]` of the logits.
    """
    return {
        "params": {
            "LSTMCell_0": {"kernel": kernel, "bias": bias},
            "Dense_0": {"kernel": head_kernel, "bias": head_bias},
        }
    }


def _embedding(size: int, dtype: Any, **name: str) -> nn.Dense:
    return nn.Dense(size, use_bias=False, dtype=dtype, **name)


def _of(params: Params, name: str) -> Params:
    """Returns the parameters of one layer."""
    return {"params": params["params"][name]}


def _step(cell: Any, params: Params, carry: Any, x: jax.Array) -> tuple[Any, jax.Array, jax.Array]:
    """Takes a step of a cell: (carry, output `[B, H]`, hidden state to look at `[B, H]`)."""
    if isinstance(cell, SplitCell):
        return cell.apply(params, carry, x, method="step")
    carry, h_BH = cell.apply(params, carry, x)
    return carry, h_BH, h_BH


def _zero_carry(cell: Any, batch_size: int) -> Any:
    """Returns the carry of zeros, whatever initializer a Flax cell has."""
    carry = jax.eval_shape(lambda: cell.initialize_carry(jax.random.key(0), (batch_size, 1)))
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), carry)


def _draw_carry(key: jax.Array, cell: Any, batch_size: int, latent: str) -> Any:
    carry = _zero_carry(cell, batch_size)
    if not isinstance(carry, tuple):
        return jax.random.normal(key, carry.shape, carry.dtype)
    cell_key, hidden_key = jax.random.split(key)
    *others, hidden = carry
    if latent == "hidden_and_cell":
        others = [jax.random.normal(cell_key, each.shape, each.dtype) for each in others]
    return (*others, jax.random.normal(hidden_key, hidden.shape, hidden.dtype))


def _add_hidden(carry: Any, part: jax.Array) -> Any:
    if not isinstance(carry, tuple):
        return carry + part.astype(carry.dtype)
    return (*carry[:-1], carry[-1] + part.astype(carry[-1].dtype))


def _check_latent(latent: Any, uses_latent: bool, batch_size: int) -> None:
    if not uses_latent:
        if latent is not None:
            raise ValueError("latent must be None for a network that was built without one")
        return
    if latent is None:
        raise ValueError("latent must be given to a network that was built with one, got None")
    for leaf in jax.tree.leaves(latent):
        if jnp.shape(leaf)[:1] != (batch_size,):
            raise ValueError(f"latent must have a leading axis of {batch_size}, got shape {jnp.shape(leaf)}")


def _check_input(x: jax.Array, symbol_axis: tuple[int, ...]) -> None:
    """Checks a relaxed symbol `[B, K + 1]`, or an integer one `[B]`."""
    name, kind = ("x", jnp.floating) if symbol_axis else ("token", jnp.integer)
    shape, dtype = jnp.shape(x), jnp.result_type(x)
    if not jnp.issubdtype(dtype, kind):
        raise TypeError(f"{name} must be {'floating' if symbol_axis else 'integers'}, got {dtype}")
    if len(shape) != 1 + len(symbol_axis) or shape[1:] != symbol_axis:
        wanted = ", ".join(["B", *map(str, symbol_axis)])
        raise ValueError(f"{name} must be [{wanted}], got shape {shape}")
