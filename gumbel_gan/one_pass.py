"""Samples of a generator of independent symbols, drawn at all positions at once, without the scans of `unroll`.

With the same key and logits, each function draws the same samples as the function of that name in `unroll`, which draws
them step by step.
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_integers, require_key, require_kind, require_number, require_symbols
from gumbel_gan.networks.masks import EXCLUDED, divided
from gumbel_gan.relaxation.estimators import Estimator
from gumbel_gan.relaxation.gumbel import check_logits, sample_gumbel
from gumbel_gan.unroll import require_num_given


def relaxed(
    key: jax.Array, logits: jax.Array, *, estimator: Estimator, temperature: ArrayLike, ending: int | None = None
) -> jax.Array:
    """Draws a relaxed sample at every position.

    Args:
      key: typed PRNG key; consumed.
      logits: `[B, T, K]` logits.
      estimator: draws a sample from logits and noise.
      temperature: scalar > 0; may be traced.
      ending: the symbol after which a sequence has only that symbol; None if there is none. It counts as drawn where
        its entry in the relaxed sample is above 0.5. The samples after it are exactly one-hot and carry no gradient,
        and no gradient flows through the decision.

    Returns:
      `[B, T, K]` samples that carry a gradient.

    Raises:
      TypeError: `logits` is not floating, `estimator` is not an `Estimator`, or `temperature` is not a real scalar.
      ValueError: `logits` is not `[B, T, K]`, or `temperature` is not > 0.
    """
    require_key(key=key)
    logits = _check(logits)
    require_kind(Estimator, estimator=estimator)
    require_number("temperature", temperature, low=0, open_low=True)
    noise_key, estimator_key = jax.random.split(key)
    logits_TBK = jnp.swapaxes(logits, 0, 1)
    noise_TBK = sample_gumbel(noise_key, logits_TBK.shape)
    if estimator.uses_key:
        keys_T = jax.vmap(lambda time: jax.random.fold_in(estimator_key, time))(_times(len(logits_TBK)))
        emitted_TBK = jax.vmap(estimator.sample, (0, 0, 0, None))(keys_T, logits_TBK, noise_TBK, temperature)
    else:
        emitted_TBK = estimator.sample(logits_TBK, noise_TBK, temperature)
    emitted_BTK = jnp.swapaxes(emitted_TBK, 0, 1)
    if ending is None:
        return emitted_BTK
    ended_BT = _ended(emitted_BTK[..., ending] > 0.5)
    only_BTK = jnp.broadcast_to(jax.nn.one_hot(ending, logits.shape[-1], dtype=emitted_BTK.dtype), emitted_BTK.shape)
    return jnp.where(ended_BT[..., None], only_BTK, emitted_BTK)


def hard(key: jax.Array, logits: jax.Array, *, temperature: ArrayLike = 1.0, ending: int | None = None) -> jax.Array:
    """Draws a symbol at every position, from softmax(logits / temperature).

    Args:
      key: typed PRNG key; consumed.
      logits: `[B, T, K]` logits.
      temperature: scalar > 0; may be traced.
      ending: the symbol after which a sequence has only that symbol; None if there is none.

    Returns:
      `[B, T]` int32 tokens.

    Raises:
      TypeError: `logits` is not floating, or `temperature` is not a real scalar.
      ValueError: `logits` is not `[B, T, K]`, or `temperature` is not > 0.
    """
    tokens_BT = jnp.zeros(_check(logits).shape[:2], jnp.int32)
    return completed(key, logits, tokens_BT, 0, temperature=temperature, ending=ending)


def completed(
    key: jax.Array,
    logits: jax.Array,
    tokens: jax.Array,
    num_given: ArrayLike,
    *,
    temperature: ArrayLike = 1.0,
    ending: int | None = None,
) -> jax.Array:
    """Keeps the first symbols of given sequences, and draws the others.

    Args:
      key: typed PRNG key; consumed.
      logits: `[B, T, K]` logits.
      tokens: `[B, T]` integers.
      num_given: number of symbols to keep, an integer from 0 to T, or `[B]` such integers; may be traced.
      temperature: scalar > 0, of the drawn symbols; may be traced.
      ending: the symbol after which only that symbol is drawn; None if there is none.

    Returns:
      `[B, T]` int32 tokens.

    Raises:
      TypeError: `logits` is not floating, `tokens` is not an array of integers, `num_given` is not an integer, or
        `temperature` is not a real scalar.
      ValueError: the shapes do not fit, or `num_given` or `temperature` is out of range.
    """
    require_key(key=key)
    logits = _check(logits)
    require_integers(tokens=tokens)
    if tokens.shape != logits.shape[:2]:
        raise ValueError(f"tokens must have shape {logits.shape[:2]}, got {tokens.shape}")
    require_num_given(num_given, *tokens.shape)
    require_number("temperature", temperature, low=0, open_low=True)
    shape, times_T = (logits.shape[0], logits.shape[2]), _times(tokens.shape[1])
    noise_TBK = jax.vmap(lambda time: sample_gumbel(jax.random.fold_in(key, time), shape))(times_T)
    drawn_BT = jnp.argmax(divided(logits, temperature) + jnp.swapaxes(noise_TBK, 0, 1), axis=-1).astype(jnp.int32)
    # A single number gives one row, which applies to all sequences.
    num_given_B1 = jnp.reshape(jnp.asarray(num_given, jnp.int32), (-1, 1))
    is_drawn_BT = times_T[None] >= num_given_B1
    tokens_BT = jnp.where(is_drawn_BT, drawn_BT, tokens.astype(jnp.int32))
    if ending is None:
        return tokens_BT
    # As in a roll-out, given symbols before the last given one do not end a sequence.
    ended_BT = _ended((tokens_BT == ending) & (times_T[None] >= num_given_B1 - 1))
    return jnp.where(ended_BT & is_drawn_BT, ending, tokens_BT)


def token_log_probs(logits: jax.Array, tokens: jax.Array, *, ending: int | None = None) -> jax.Array:
    """Computes the log-probability of each token of sequences that are drawn from the same logits.

    Args:
      logits: `[T, K]` logits.
      tokens: `[N, T]` integers in [0, K).
      ending: the symbol after which only that symbol is drawn; None if there is none.

    Returns:
      `[N, T]` log-probabilities in nats: log softmax(logits), except right after an `ending`, where `ending` has 0 and
      any other symbol -1e9.

    Raises:
      TypeError: `logits` is not floating, or `tokens` is not an array of integers.
      ValueError: the shapes do not fit, or tokens that are not traced are not in [0, K).
    """
    logits = check_logits(logits)
    require_symbols(logits.shape[-1], tokens=tokens)
    if logits.ndim != 2 or tokens.shape[1:] != logits.shape[:1]:
        raise ValueError(f"logits must be [T, K] for tokens of shape {tokens.shape}, got shape {logits.shape}")
    log_probs_NT = jax.nn.log_softmax(logits)[_times(len(logits))[None], tokens]
    if ending is None:
        return log_probs_NT
    is_ending_NT = tokens == ending
    follows_NT = jnp.pad(is_ending_NT[:, :-1], ((0, 0), (1, 0)))
    return jnp.where(follows_NT, jnp.where(is_ending_NT, 0.0, EXCLUDED), log_probs_NT)


def _ended(is_ending: jax.Array) -> jax.Array:
    """Returns for each position whether any of the `[B, T]` booleans before it is true."""
    ended_BT = jax.lax.associative_scan(jnp.logical_or, is_ending, axis=1)
    return jnp.pad(ended_BT[:, :-1], ((0, 0), (1, 0)))


def _check(logits: jax.Array) -> jax.Array:
    logits = check_logits(logits)
    if logits.ndim != 3 or not logits.shape[1]:
        raise ValueError(f"logits must be [B, T, K] with T at least 1, got shape {logits.shape}")
    return logits


def _times(length: int) -> jax.Array:
    return jnp.arange(length, dtype=jnp.int32)
