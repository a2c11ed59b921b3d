"""Roll-outs of a recurrent generator, each in one `lax.scan`: relaxed, hard, teacher-forced, and in between.

Each takes `step`, which maps (carry, x `[B, K + 1]`) to (carry, logits `[B, K]`) with the parameters already bound,
for example `functools.partial(generator.step, params)`. The last of the K + 1 input symbols is the start symbol.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.relaxation.estimators import Estimator
from gumbel_gan.relaxation.gumbel import check_temperature, sample_gumbel
from gumbel_gan.networks import never

Carry = Any
Step = Callable[[Carry, jax.Array], tuple[Carry, jax.Array]]


class Relaxed(NamedTuple):
    """What a relaxed roll-out gives.

    Attributes:
      emitted: `[B, T, K]` samples that carry a gradient.
      logits: `[B, T, K]` logits, each given the samples fed back before it.
    """

    emitted: jax.Array
    logits: jax.Array


class Hard(NamedTuple):
    """What a hard roll-out gives.

    Attributes:
      tokens: `[B, T]` int32 symbols.
      logits: `[B, T, K]` logits at temperature 1, each given the symbols before it.
    """

    tokens: jax.Array
    logits: jax.Array


def start_symbols(batch_size: int, num_symbols: int) -> jax.Array:
    """Gives `[batch_size, num_symbols + 1]` one-hot start symbols, the first input of every roll-out."""
    return jnp.zeros((batch_size, num_symbols + 1)).at[:, num_symbols].set(1.0)


def relaxed(
    key: jax.Array,
    step: Step,
    carry: Carry,
    start: jax.Array,
    length: int,
    *,
    estimator: Estimator,
    temperature: ArrayLike,
    feedback_temperature: ArrayLike | None = None,
    feedback_gradient: bool = True,
) -> Relaxed:
    """Rolls a generator out on its own relaxed samples.

    What is emitted at a step and what is fed back to the next one are made of the same logits and the same Gumbel
    noise. They differ only in temperature, and only where `feedback_temperature` is given.

    Args:
      key: typed PRNG key; consumed.
      step: one step of the recurrence, parameters bound.
      carry: the carry before the first symbol.
      start: `[B, K + 1]` start symbols.
      length: T, number of steps, at least 1.
      estimator: makes a sample of logits and noise.
      temperature: scalar > 0 of what is emitted; may be traced.
      feedback_temperature: scalar > 0 of what is fed back; None is the temperature of what is emitted.
      feedback_gradient: whether gradients flow through what is fed back.

    Returns:
      A `Relaxed`.

    Raises:
      ValueError: `length` is less than 1, or a temperature is a Python number that is not > 0.

    References:
      Kusner & Hernández-Lobato 2016, section 3, https://arxiv.org/abs/1611.04051.
    """
    _check_length(length)
    check_temperature(temperature)
    if feedback_temperature is not None:
        check_temperature(feedback_temperature, "feedback_temperature")
    batch_size, num_symbols = start.shape[0], start.shape[1] - 1
    noise_key, estimator_key = jax.random.split(key)
    noise_TBK = sample_gumbel(noise_key, (length, batch_size, num_symbols))
    keys_T = jax.random.split(estimator_key, length)

    def body(state, noise_and_key):
        carry, x_BK = state
        noise_BK, key = noise_and_key
        carry, logits_BK = step(carry, x_BK)
        emitted_BK = estimator(key, logits_BK, noise_BK, temperature)
        if feedback_temperature is None:
            fed_back_BK = emitted_BK
        else:
            fed_back_BK = estimator(key, logits_BK, noise_BK, feedback_temperature)
        if not feedback_gradient:
            fed_back_BK = jax.lax.stop_gradient(fed_back_BK)
        return (carry, _as_input(fed_back_BK)), (emitted_BK, logits_BK)

    _, (emitted_TBK, logits_TBK) = jax.lax.scan(body, (carry, start), (noise_TBK, keys_T))
    return Relaxed(jnp.swapaxes(emitted_TBK, 0, 1), jnp.swapaxes(logits_TBK, 0, 1))


def hard(
    key: jax.Array, step: Step, carry: Carry, start: jax.Array, length: int, *, temperature: ArrayLike = 1.0
) -> Hard:
    """Rolls a generator out on its own discrete samples, drawn from softmax(logits / temperature).

    Args:
      key: typed PRNG key; consumed.
      step: one step of the recurrence, parameters bound.
      carry: the carry before the first symbol.
      start: `[B, K + 1]` start symbols.
      length: T, number of steps, at least 1.
      temperature: scalar > 0; 1 samples the generator's own law, less is sharper. May be traced.

    Returns:
      A `Hard`.

    Raises:
      ValueError: `length` is less than 1, or `temperature` is a Python number that is not > 0.
    """
    _check_length(length)
    check_temperature(temperature)
    batch_size, num_symbols = start.shape[0], start.shape[1] - 1
    noise_TBK = sample_gumbel(key, (length, batch_size, num_symbols))

    def body(state, noise_BK):
        carry, x_BK = state
        carry, logits_BK = step(carry, x_BK)
        tokens_B = jnp.argmax(logits_BK / temperature + noise_BK, axis=-1).astype(jnp.int32)
        return (carry, jax.nn.one_hot(tokens_B, num_symbols + 1)), (tokens_B, logits_BK)

    _, (tokens_TB, logits_TBK) = jax.lax.scan(body, (carry, start), noise_TBK)
    return Hard(jnp.swapaxes(tokens_TB, 0, 1), jnp.swapaxes(logits_TBK, 0, 1))


def teacher_forced(step: Callable[..., Any], carry: Carry, start: jax.Array, tokens: jax.Array) -> Any:
    """Rolls a generator out on given sequences.

    Args:
      step: one step of the recurrence, parameters bound, which may give any tree of arrays `[B, ...]` where others give
        logits, for example `functools.partial(generator.observed_step, params)`.
      carry: the carry before the first symbol.
      start: `[B, K + 1]` start symbols.
      tokens: `[B, T]` int32 symbols.

    Returns:
      `[B, T, K]` logits, or what `step` gives in their place, those at t given the start symbol and the tokens before
      t.

    Raises:
      ValueError: `tokens` is not `[B, T]` with the B of `start`.
      TypeError: `tokens` is not of an integer type.
    """
    _check_tokens(tokens, start)
    x_TBK = jax.nn.one_hot(tokens[:, :-1].T, start.shape[1])
    x_TBK = jnp.concatenate([start[None], x_TBK])
    _, given = jax.lax.scan(step, carry, x_TBK)
    return jax.tree.map(lambda given_TB: jnp.swapaxes(given_TB, 0, 1), given)


def scheduled(
    key: jax.Array,
    step: Step,
    carry: Carry,
    start: jax.Array,
    tokens: jax.Array,
    *,
    sampling_rate: ArrayLike,
    padding: int | None = None,
) -> jax.Array:
    """Rolls a generator out on given sequences, some of whose symbols it has replaced by its own (scheduled sampling).

    Each symbol that is fed back is, with probability `sampling_rate` and independently, one that the generator draws in
    its place. No gradient flows through a draw.

    Args:
      key: typed PRNG key; consumed.
      step: one step of the recurrence, parameters bound.
      carry: the carry before the first symbol.
      start: `[B, K + 1]` start symbols.
      tokens: `[B, T]` int32 symbols.
      sampling_rate: scalar in [0, 1]; may be traced. At 0 this is `teacher_forced`.
      padding: the symbol that pads, which is neither replaced nor drawn, so that sequences end where they end; None
        where none does.

    Returns:
      `[B, T, K]` logits, those at t given the start symbol and what was fed back before t.

    Raises:
      ValueError: `tokens` is not `[B, T]` with the B of `start`.
      TypeError: `tokens` is not of an integer type.

    References:
      Bengio et al. 2015, https://arxiv.org/abs/1506.03099.
    """
    _check_tokens(tokens, start)
    coin_key, noise_key = jax.random.split(key)
    drawn_TB = jax.random.bernoulli(coin_key, sampling_rate, tokens.shape[::-1])
    if padding is not None:
        drawn_TB &= padding != tokens.T
    return _partly_drawn(noise_key, step, carry, start, tokens, drawn_TB, padding).logits


def completed(
    key: jax.Array, step: Step, carry: Carry, start: jax.Array, tokens: jax.Array, num_given: ArrayLike
) -> jax.Array:
    """Rolls a generator out on the first symbols of given sequences, and from there on its own samples.

    Args:
      key: typed PRNG key; consumed.
      step: one step of the recurrence, parameters bound.
      carry: the carry before the first symbol.
      start: `[B, K + 1]` start symbols.
      tokens: `[B, T]` int32 symbols.
      num_given: scalar number of symbols to keep, from 0 to T; may be traced.

    Returns:
      `[B, T]` int32 symbols, the first `num_given` those of `tokens`, the others drawn from the generator given those
      before them.

    Raises:
      ValueError: `tokens` is not `[B, T]` with the B of `start`.
      TypeError: `tokens` is not of an integer type.
    """
    _check_tokens(tokens, start)
    drawn_T = jnp.arange(tokens.shape[1]) >= num_given
    return _partly_drawn(key, step, carry, start, tokens, drawn_T, padding=None).tokens


def token_log_probs(logits: jax.Array, tokens: jax.Array) -> jax.Array:
    """Gives the log-probability of each token at temperature 1.

    Args:
      logits: `[..., K]` unnormalised log-probabilities.
      tokens: `[...]` integer symbols.

    Returns:
      `[...]` log softmax(logits) at the tokens, in nats.
    """
    return jnp.take_along_axis(jax.nn.log_softmax(logits), tokens[..., None], axis=-1)[..., 0]


def _partly_drawn(
    key: jax.Array,
    step: Step,
    carry: Carry,
    start: jax.Array,
    tokens: jax.Array,
    drawn: jax.Array,
    padding: int | None,
) -> Hard:
    """Rolls a generator out on given tokens, but for those, in `[T]` or `[T, B]`, that it draws; never padding."""
    num_symbols = start.shape[1] - 1
    noise_TBK = sample_gumbel(key, (*tokens.shape[::-1], num_symbols))

    def body(state, given):
        carry, x_BK = state
        token_B, is_drawn, noise_BK = given
        carry, logits_BK = step(carry, x_BK)
        possible_BK = logits_BK if padding is None else never(logits_BK, padding)
        drawn_B = jnp.argmax(possible_BK + noise_BK, axis=-1).astype(token_B.dtype)
        token_B = jnp.where(is_drawn, drawn_B, token_B)
        return (carry, jax.nn.one_hot(token_B, num_symbols + 1)), (token_B, logits_BK)

    _, (tokens_TB, logits_TBK) = jax.lax.scan(body, (carry, start), (tokens.T, drawn, noise_TBK))
    return Hard(tokens_TB.T, jnp.swapaxes(logits_TBK, 0, 1))


def _as_input(x_BK: jax.Array) -> jax.Array:
    """Appends the column of the start symbol, which is never fed back."""
    return jnp.pad(x_BK, ((0, 0), (0, 1)))


def _check_tokens(tokens: jax.Array, start: jax.Array) -> None:
    if not jnp.issubdtype(tokens.dtype, jnp.integer):
        raise TypeError(f"tokens must be integers, got {tokens.dtype}")
    if tokens.ndim != 2 or tokens.shape[0] != start.shape[0]:
        raise ValueError(f"tokens must be [{start.shape[0]}, T], got shape {tokens.shape}")


def _check_length(length: int) -> None:
    if length < 1:
        raise ValueError(f"length must be at least 1, got {length}")
