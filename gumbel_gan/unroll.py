"""Roll-outs of an autoregressive generator, each in one `lax.scan`: relaxed, hard, teacher-forced, and in between.

Each roll-out takes a step function of the generator, with all other arguments bound. A relaxed step maps (carry, x
`[B, K + 1]`) to (carry, logits `[B, K]`); a token step maps (carry, token `[B]`) to the same. K is the start symbol,
the input of the first step. `model.relaxed_step` and `model.token_step` return these functions for a `SequenceModel`
and its parameters.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from gumbel_gan.arguments import (
    require_at_least,
    require_callable,
    require_integers,
    require_key,
    require_kind,
    require_number,
    require_symbols,
)
from gumbel_gan.networks import mask_symbol
from gumbel_gan.networks.masks import divided
from gumbel_gan.relaxation.estimators import Estimator
from gumbel_gan.relaxation.gumbel import check_logits, sample_gumbel

Carry = Any
Step = Callable[[Carry, jax.Array], tuple[Carry, jax.Array]]


def start_symbols(batch_size: int, num_symbols: int) -> jax.Array:
    """Returns `[batch_size, num_symbols + 1]` float32 one-hot start symbols, the first input of a relaxed roll-out."""
    _check_sizes(batch_size, num_symbols)
    return jnp.zeros((batch_size, num_symbols + 1), jnp.float32).at[:, num_symbols].set(1.0)


def start_tokens(batch_size: int, num_symbols: int) -> jax.Array:
    """Returns `[batch_size]` int32 start symbols, the first input of all other roll-outs."""
    _check_sizes(batch_size, num_symbols)
    return jnp.full((batch_size,), num_symbols, jnp.int32)


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
) -> jax.Array:
    """Rolls out a generator on its own relaxed samples.

    The symbol that is emitted at a step and the one that is fed back to the next step come from the same logits and the
    same Gumbel noise. They differ only in temperature, and only if `feedback_temperature` is given.

    Args:
      key: typed PRNG key; consumed.
      step: relaxed step of the generator.
      carry: the carry before the first symbol.
      start: `[B, K + 1]` start symbols.
      length: T, number of steps, at least 1.
      estimator: draws a sample from logits and noise.
      temperature: scalar > 0, of the emitted symbols; may be traced.
      feedback_temperature: scalar > 0, of the symbols that are fed back; None: `temperature`.
      feedback_gradient: whether gradients flow through the symbols that are fed back.

    Returns:
      `[B, T, K]` samples that carry a gradient.

    Raises:
      TypeError: `start` is not floating, `estimator` is not an `Estimator`, a temperature is not a real scalar, or
        `length` is not an integer.
      ValueError: `start` is not `[B, K + 1]`, `length` is less than 1, or a temperature is not > 0.

    References:
      Kusner & Hernández-Lobato 2016, section 3, https://arxiv.org/abs/1611.04051.
    """
    require_key(key=key)
    require_callable(step=step)
    require_kind(Estimator, estimator=estimator)
    require_at_least(1, length=length)
    start = check_logits(start, "start")
    if start.ndim != 2 or start.shape[1] < 2:
        raise ValueError(f"start must be [B, K + 1] with K at least 1, got shape {start.shape}")
    require_number("temperature", temperature, low=0, open_low=True)
    if feedback_temperature is not None:
        require_number("feedback_temperature", feedback_temperature, low=0, open_low=True)
    batch_size, num_symbols = start.shape[0], start.shape[1] - 1
    noise_key, estimator_key = jax.random.split(key)
    noise_TBK = sample_gumbel(noise_key, (length, batch_size, num_symbols))

    def sample(time: jax.Array, logits_BK: jax.Array, noise_BK: jax.Array, temperature: ArrayLike) -> jax.Array:
        if not estimator.uses_key:
            return estimator.sample(logits_BK, noise_BK, temperature)
        return estimator.sample(jax.random.fold_in(estimator_key, time), logits_BK, noise_BK, temperature)

    def body(state, time_and_noise):
        carry, x_BK = state
        time, noise_BK = time_and_noise
        carry, logits_BK = step(carry, x_BK)
        emitted_BK = sample(time, logits_BK, noise_BK, temperature)
        if feedback_temperature is None:
            fed_back_BK = emitted_BK
        else:
            fed_back_BK = sample(time, logits_BK, noise_BK, feedback_temperature)
        if not feedback_gradient:
            fed_back_BK = jax.lax.stop_gradient(fed_back_BK)
        # The start symbol is never fed back.
        return (carry, jnp.pad(fed_back_BK, ((0, 0), (0, 1)))), emitted_BK

    _, emitted_TBK = jax.lax.scan(body, (carry, start), (_times(length), noise_TBK))
    return jnp.swapaxes(emitted_TBK, 0, 1)


def hard(
    key: jax.Array, step: Step, carry: Carry, start: jax.Array, length: int, *, temperature: ArrayLike = 1.0
) -> jax.Array:
    """Rolls out a generator on its own discrete samples, drawn from softmax(logits / temperature).

    Noise is drawn step by step, so that memory does not grow with T K.

    Args:
      key: typed PRNG key; consumed.
      step: token step of the generator.
      carry: the carry before the first symbol.
      start: `[B]` start symbols.
      length: T, number of steps, at least 1.
      temperature: scalar > 0; may be traced. 1 samples the generator's own distribution, and smaller values a sharper
        one.

    Returns:
      `[B, T]` int32 tokens.

    Raises:
      TypeError: `start` is not an array of integers, `temperature` is not a real scalar, or `length` is not an integer.
      ValueError: `start` is not `[B]`, `length` is less than 1, or `temperature` is not > 0.
    """
    require_key(key=key)
    require_callable(step=step)
    require_at_least(1, length=length)
    _check_start(start)
    require_number("temperature", temperature, low=0, open_low=True)

    def body(state, time):
        carry, token_B = state
        carry, logits_BK = step(carry, token_B)
        token_B = _draw(divided(logits_BK, temperature), _step_noise(key, time, logits_BK.shape))
        return (carry, token_B), token_B

    _, tokens_TB = jax.lax.scan(body, (carry, start), _times(length))
    return tokens_TB.T


def teacher_forced(step: Step, carry: Carry, start: jax.Array, tokens: jax.Array) -> Any:
    """Rolls out a generator on given sequences.

    Args:
      step: token step of the generator. It may return any pytree of arrays `[B, ...]` instead of the logits.
      carry: the carry before the first symbol.
      start: `[B]` start symbols.
      tokens: `[B, T]` integers.

    Returns:
      `[B, T, K]` logits, or the pytree that `step` returns instead. Entry t is conditioned on the start symbol and the
      tokens before t.

    Raises:
      TypeError: `tokens` or `start` is not an array of integers.
      ValueError: `tokens` is not `[B, T]` with the B of `start`, or not in [0, K).
    """
    _check_tokens(tokens, start)
    return continued(step, carry, start, tokens)[1]


def continued(step: Step, carry: Carry, start: jax.Array, tokens: jax.Array) -> tuple[Carry, Any]:
    """Rolls out a generator on given sequences, and also returns its carry, to continue with other sequences.

    Args:
      step: token step of the generator. It may return any pytree of arrays `[B, ...]` instead of the logits.
      carry: the carry before the first symbol.
      start: `[B]` symbols before `tokens`: start symbols, or the last symbols of the preceding sequences.
      tokens: `[B, T]` integers in [0, K).

    Returns:
      The carry after all symbols of `tokens` but the last, and what `teacher_forced` returns.

    Raises:
      TypeError: `tokens` or `start` is not an array of integers.
      ValueError: `tokens` is not `[B, T]` with the B of `start`.
    """
    require_callable(step=step)
    _check_shapes(tokens, start)
    carry, outputs = jax.lax.scan(step, carry, _shifted(tokens, start).T)
    return carry, jax.tree.map(lambda output_TB: jnp.swapaxes(output_TB, 0, 1), outputs)


def previous_tokens(tokens: jax.Array, start: jax.Array) -> jax.Array:
    """Returns `[B, T]` int32, the symbol before each of `[B, T]` tokens, with the `[B]` start symbols in front.

    Raises:
      TypeError: `tokens` or `start` is not an array of integers.
      ValueError: `tokens` is not `[B, T]` with the B of `start`, or not in [0, K).
    """
    _check_tokens(tokens, start)
    return _shifted(tokens, start)


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
    """Rolls out a generator on given sequences, replacing some symbols by its own samples (scheduled sampling).

    Each symbol that is fed back is replaced, independently and with probability `sampling_rate`, by a symbol that is
    drawn from the generator. No gradient flows through a draw.

    Args:
      key: typed PRNG key; consumed.
      step: token step of the generator.
      carry: the carry before the first symbol.
      start: `[B]` start symbols.
      tokens: `[B, T]` integers.
      sampling_rate: scalar in [0, 1]; may be traced. At 0 this is `teacher_forced`.
      padding: the padding symbol. It is neither replaced nor drawn, so that sequences keep their lengths. None if there
        is no padding.

    Returns:
      `[B, T, K]` logits. Entry t is conditioned on the start symbol and the symbols that were fed back before t.

    Raises:
      TypeError: `tokens` or `start` is not an array of integers, `sampling_rate` is not a real scalar, or `padding` is
        not an integer.
      ValueError: `tokens` is not `[B, T]` with the B of `start` or not in [0, K), `sampling_rate` is not in [0, 1], or
        `padding` is not in [0, K).

    References:
      Bengio et al. 2015, https://arxiv.org/abs/1506.03099.
    """
    require_key(key=key)
    require_callable(step=step)
    _check_tokens(tokens, start)
    require_number("sampling_rate", sampling_rate, low=0, high=1)
    if padding is not None:
        require_at_least(0, padding=padding)
    coin_key, noise_key = jax.random.split(key)
    drawn_TB = jax.random.bernoulli(coin_key, jnp.asarray(sampling_rate, jnp.float32), tokens.shape[::-1])
    if padding is not None:
        drawn_TB &= padding != tokens.T

    def adjust(logits_BK: jax.Array) -> jax.Array:
        if padding is None:
            return logits_BK
        if padding >= logits_BK.shape[-1]:
            raise ValueError(f"padding must be None or in [0, {logits_BK.shape[-1]}), got {padding}")
        return mask_symbol(logits_BK, padding)

    return _partly_drawn(noise_key, step, carry, start, tokens, drawn_TB, adjust)[1]


def completed(
    key: jax.Array,
    step: Step,
    carry: Carry,
    start: jax.Array,
    tokens: jax.Array,
    num_given: ArrayLike,
    *,
    temperature: ArrayLike = 1.0,
) -> jax.Array:
    """Rolls out a generator on the first symbols of given sequences, and from then on its own samples.

    Args:
      key: typed PRNG key; consumed.
      step: token step of the generator.
      carry: the carry before the first symbol.
      start: `[B]` start symbols.
      tokens: `[B, T]` integers.
      num_given: number of symbols to keep, an integer from 0 to T, or `[B]` such integers; may be traced.
      temperature: scalar > 0, of the drawn symbols; may be traced.

    Returns:
      `[B, T]` int32 tokens: the first `num_given` are those of `tokens`, and each of the others is drawn given all
      symbols before it.

    Raises:
      TypeError: `tokens` or `start` is not an array of integers, `num_given` is not an integer, or `temperature` is not
        a real scalar.
      ValueError: `tokens` is not `[B, T]` with the B of `start` or not in [0, K), or `num_given` or `temperature` is
        out of range.
    """
    require_key(key=key)
    require_callable(step=step)
    _check_tokens(tokens, start)
    batch_size, length = tokens.shape
    require_num_given(num_given, batch_size, length)
    require_number("temperature", temperature, low=0, open_low=True)
    times, given = _times(length), jnp.asarray(num_given)
    drawn = times[:, None] >= given[None] if given.ndim else times >= given

    return _partly_drawn(key, step, carry, start, tokens, drawn, lambda logits_BK: divided(logits_BK, temperature))[0]


def require_num_given(num_given: ArrayLike, batch_size: int, length: int) -> None:
    """Checks that `num_given` is an integer from 0 to `length`, or an array of `[batch_size]` such integers.

    Raises:
      TypeError: `num_given` is not an integer or an array of integers.
      ValueError: `num_given` has another shape, or a value that is not traced is out of range.
    """
    if not isinstance(num_given, jax.Array | np.ndarray) or not num_given.ndim:
        require_number("num_given", num_given, low=0, high=length)
        if not jnp.issubdtype(jnp.result_type(num_given), jnp.integer):
            raise TypeError(f"num_given must be an integer, got {num_given!r}")
        return
    require_symbols(length + 1, num_given=num_given)
    if num_given.shape != (batch_size,):
        raise ValueError(f"num_given must be a number or [{batch_size}], got shape {num_given.shape}")


def token_log_probs(logits: jax.Array, tokens: jax.Array) -> jax.Array:
    """Computes the log-probability of each token at temperature 1.

    Args:
      logits: `[..., K]` unnormalized log-probabilities.
      tokens: `[...]` integers in [0, K).

    Returns:
      `[...]` log softmax(logits) at the tokens, in nats.

    Raises:
      TypeError: `logits` is not floating, or `tokens` is not an array of integers.
      ValueError: K is 0, the shapes do not fit, or tokens that are not traced are not in [0, K).
    """
    logits = check_logits(logits)
    require_symbols(logits.shape[-1], tokens=tokens)
    if tokens.shape != logits.shape[:-1]:
        raise ValueError(f"tokens must have shape {logits.shape[:-1]}, that of the logits' rows, got {tokens.shape}")
    # Not `log_softmax`, which would write another array of the size of the logits.
    picked = jnp.take_along_axis(logits, tokens[..., None], axis=-1)[..., 0]
    return picked - jax.nn.logsumexp(logits, axis=-1)


def _step_noise(key: jax.Array, time: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Draws the Gumbel noise of a step of a hard roll-out."""
    return sample_gumbel(jax.random.fold_in(key, time), shape)


def _draw(logits_BK: jax.Array, noise_BK: jax.Array) -> jax.Array:
    return jnp.argmax(logits_BK + noise_BK, axis=-1).astype(jnp.int32)


def _shifted(tokens: jax.Array, start: jax.Array) -> jax.Array:
    # In int32: a narrower dtype of the tokens may not hold the start symbol, such as uint8 with 256 symbols.
    return jnp.concatenate([start[:, None].astype(jnp.int32), tokens[:, :-1].astype(jnp.int32)], axis=1)


def _times(length: int) -> jax.Array:
    return jnp.arange(length, dtype=jnp.int32)


def _partly_drawn(
    key: jax.Array,
    step: Step,
    carry: Carry,
    start: jax.Array,
    tokens: jax.Array,
    drawn: jax.Array,
    adjust: Callable[[jax.Array], jax.Array],
) -> tuple[jax.Array, jax.Array]:
    """Rolls out a generator on given tokens, except that it draws those where `drawn`, `[T]` or `[T, B]`, is true.

    Tokens are drawn from the logits that `adjust` returns, with the noise of `hard`. The noise is drawn before the
    scan, not step by step: with a few roll-outs of each prefix, a step of policy gradients is a tenth faster on a CPU.
    """
    _, logits = jax.eval_shape(step, carry, start)
    noise_TBK = jax.vmap(lambda time: _step_noise(key, time, logits.shape))(_times(tokens.shape[1]))

    def body(state, given):
        carry, previous_B = state
        noise_BK, token_B, is_drawn = given
        carry, logits_BK = step(carry, previous_B)
        drawn_B = _draw(adjust(logits_BK), noise_BK)
        token_B = jnp.where(is_drawn, drawn_B, token_B)
        return (carry, token_B), (token_B, logits_BK)

    start_B, given_TB = start.astype(jnp.int32), tokens.T.astype(jnp.int32)
    _, (tokens_TB, logits_TBK) = jax.lax.scan(body, (carry, start_B), (noise_TBK, given_TB, drawn))
    return tokens_TB.T, jnp.swapaxes(logits_TBK, 0, 1)


def _check_sizes(batch_size: int, num_symbols: int) -> None:
    require_at_least(0, batch_size=batch_size)
    require_at_least(1, num_symbols=num_symbols)


def _check_start(start: jax.Array) -> None:
    require_integers(start=start)
    if start.ndim != 1:
        raise ValueError(f"start must be [B], got shape {start.shape}")


def _check_shapes(tokens: jax.Array, start: jax.Array) -> None:
    _check_start(start)
    require_integers(tokens=tokens)
    if tokens.ndim != 2 or tokens.shape[0] != start.shape[0] or not tokens.shape[1]:
        raise ValueError(f"tokens must be [{start.shape[0]}, T] with T at least 1, got shape {tokens.shape}")


def _check_tokens(tokens: jax.Array, start: jax.Array) -> None:
    _check_shapes(tokens, start)
    # The start symbol K is also the number of symbols.
    is_known = start.size and not isinstance(start, jax.core.Tracer)
    require_symbols(int(np.asarray(start).min()) if is_known else np.iinfo(np.int32).max, tokens=tokens)
