"""Long texts that a generator reads window by window, carrying its state from each window to the next."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gumbel_gan import unroll
from gumbel_gan.arguments import require_kind
from gumbel_gan.data import Batch, check_data, num_sequences
from gumbel_gan.model import SequenceModel, check_tokens, hidden_step, token_step
from gumbel_gan.networks import Carry, Params

# The most rows in which a text is read in parallel, and the least number of windows in each of several rows but the
# last. The first window of a row is read without the text before it.
_MOST_ROWS = 16
_LEAST_WINDOWS = 16


class Position(NamedTuple):
    """Position of a generator in B texts.

    Attributes:
      carry: the generator's carry after all symbols but the last.
      last_tokens: `[B]` int32, the last symbol of each text so far; K, the start symbol, at the beginning of a text.
    """

    carry: Carry
    last_tokens: jax.Array


def beginning(model: SequenceModel, params: Params, num: int, **given: Any) -> Position:
    """Returns the position at the beginning of `num` texts; `given` are keyword arguments of `initial_carry`."""
    carry = model.generator.initial_carry(params, num, model.length, **given)
    return Position(carry, unroll.start_tokens(num, model.generator.num_symbols))


def read(model: SequenceModel, params: Params, position: Position, tokens: jax.Array) -> tuple[Position, jax.Array]:
    """Reads the next symbols of B texts.

    Args:
      model: a model that `require_carried` accepts.
      params: the generator's parameters.
      position: the generator's position in the B texts.
      tokens: `[B, T]` integers, the next symbols of each text.

    Returns:
      The position after `tokens`, and the `[B, T]` log-probabilities of `tokens` in nats, each given all symbols before
      it.

    Raises:
      TypeError: `tokens` is not an array of integers.
      ValueError: `tokens` is not `[B, T]` or not in [0, K).
    """
    check_tokens(model, tokens)
    carry, logits_BTK = unroll.continued(token_step(model, params), position.carry, position.last_tokens, tokens)
    return Position(carry, tokens[:, -1].astype(jnp.int32)), unroll.token_log_probs(logits_BTK, tokens)


def read_with_states(
    model: SequenceModel, params: Params, position: Position, tokens: jax.Array
) -> tuple[Position, jax.Array, jax.Array]:
    """Reads the next symbols of B texts, as `read` does.

    Returns:
      The position after `tokens`, the `[B, T, H]` hidden states of the steps and their `[B, T, K]` logits.

    Raises:
      TypeError: as in `read`.
      ValueError: as in `read`; or the generator has no `hidden_step`.
    """
    check_tokens(model, tokens)
    step = hidden_step(model, params)
    carry, (hidden_BTH, logits_BTK) = unroll.continued(step, position.carry, position.last_tokens, tokens)
    return Position(carry, tokens[:, -1].astype(jnp.int32)), hidden_BTH, logits_BTK


def write(key: jax.Array, model: SequenceModel, params: Params, position: Position) -> jax.Array:
    """Draws the next T symbols of B texts, with T the length of the model, at temperature 1.

    Args:
      key: typed PRNG key; consumed.
      model: a model that `require_carried` accepts.
      params: the generator's parameters.
      position: the generator's position in the B texts.

    Returns:
      `[B, T]` int32 tokens.
    """
    return unroll.hard(key, token_step(model, params), position.carry, position.last_tokens, model.length)


def negative_log_likelihoods(model: SequenceModel, data: Batch | np.ndarray) -> Callable[[Params], jax.Array]:
    """Builds a function that computes negative log-likelihoods of consecutive sequences, each given those before it.

    The temperature is 1. The sequences are read in up to 16 parallel rows. With several rows, all have the same
    number of sequences, at least 16, but the last may have fewer. The first sequence of a row is read from the
    generator's initial state.

    Args:
      model: the model.
      data: a `Batch` of N sequences, each of which continues the one before, or their tokens `[N, T]`.

    Returns:
      A pure function of parameters, to jit and vmap, that computes `[N]` negative log-likelihoods in nats.

    Raises:
      TypeError: as in `require_carried` and `data.check_data`.
      ValueError: as in `require_carried` and `data.check_data`; or `data` has a condition.
    """
    require_carried(model)
    data = check_data(data, num_symbols=model.generator.num_symbols, length=model.length)
    if data.condition is not None:
        raise ValueError("condition must be None where a state is carried, got one")
    num = num_sequences(data)
    num_rows = min(_MOST_ROWS, max(1, num // _LEAST_WINDOWS))

    def losses(params: Params) -> jax.Array:
        tokens_NT = jnp.asarray(data.tokens)
        # The last row is padded with sequences whose results are dropped.
        filled = jnp.concatenate([tokens_NT, tokens_NT[: -num % num_rows]])
        tokens_WRT = jnp.swapaxes(filled.reshape(num_rows, -1, model.length), 0, 1)

        def read_next(position: Position, tokens_RT: jax.Array) -> tuple[Position, jax.Array]:
            position, log_probs_RT = read(model, params, position, tokens_RT)
            return position, -jnp.sum(log_probs_RT, axis=1)

        _, losses_WR = jax.lax.scan(read_next, beginning(model, params, num_rows), tokens_WRT)
        return losses_WR.T.reshape(-1)[:num]

    return losses


def is_carried(model: SequenceModel) -> bool:
    """Returns whether `require_carried` accepts a model.

    Raises:
      TypeError: `model` is not a `SequenceModel`.
    """
    return not _obstacle(model)


def require_carried(model: SequenceModel) -> None:
    """Checks that the state of a model's generator can be carried on for any number of steps.

    This holds for recurrent generators. It does not hold for transformers, whose cache has the length of one sequence.

    Raises:
      TypeError: `model` is not a `SequenceModel`.
      ValueError: the model has padding; its generator has a latent, has no initial carry, or draws all symbols at once;
        or an array of the carry has no leading axis of sequences, or a shape that depends on the number of steps.
    """
    if obstacle := _obstacle(model):
        raise ValueError(f"model must have a state that can be carried on, got {obstacle}")


def _obstacle(model: SequenceModel) -> str:
    """Returns why a model's state cannot be carried on; an empty string if it can."""
    require_kind(SequenceModel, model=model)
    generator = model.generator
    if model.padding is not None:
        return "a model with padding"
    if generator.sample_latent is not None:
        return "a generator with a latent"
    if generator.independent_logits is not None:
        return "a generator that writes all symbols at once"

    params = jax.eval_shape(lambda: generator.init(jax.random.key(0)))

    def shapes(num: int, length: int) -> list[tuple[int, ...]]:
        carry = jax.eval_shape(lambda params: generator.initial_carry(params, num, length), params)
        return [leaf.shape for leaf in jax.tree.leaves(carry)]

    try:
        shapes(1, model.length)
    except (TypeError, ValueError) as error:
        return f"a generator without an initial carry: {error}"
    few, more, longer = shapes(2, model.length), shapes(3, model.length), shapes(2, model.length + 1)
    of_rows = all(one[:1] == (2,) and other == (3, *one[1:]) for one, other in zip(few, more, strict=True))
    return "" if of_rows and few == longer else f"a carry of arrays {few} for 2 sequences of {model.length} symbols"
