"""Which symbol of a drawn sequence earns what: its rewards become advantages, one a symbol."""

import numbers
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan import unroll
from gumbel_gan.networks import Generator, Params
from gumbel_gan.losses.score_function import leave_one_out

Baseline = Any


class Drawn(NamedTuple):
    """Sequences that a generator has drawn, and what it is paid for them.

    Attributes:
      tokens: `[N, T]` int32 sequences.
      rewards: `[N]`, of whole sequences, or `[N, T]`, of all their prefixes.
      pay: maps any `[M, T]` sequences to their rewards.
      generator: the generator, without a latent.
      params: its parameters.
    """

    tokens: jax.Array
    rewards: jax.Array
    pay: Callable[[jax.Array], jax.Array]
    generator: Generator
    params: Params


class Credit(NamedTuple):
    """A way to share out the rewards of sequences among their symbols.

    Attributes:
      of_prefixes: whether prefixes are paid, by a discriminator with one logit a prefix, or else whole sequences.
      init: makes the baseline before the first step, a tree of arrays; empty where nothing is remembered.
      advantages: (key, baseline, drawn) -> advantages `[N, T]`, of each symbol given those before it, and the baseline
        of the next step. That is affine in the drawn sequences, so that shards may average theirs.
    """

    of_prefixes: bool
    init: Callable[[], Baseline]
    advantages: Callable[[jax.Array, Baseline, Drawn], tuple[jax.Array, Baseline]]


def terminal() -> Credit:
    """Makes the credit that gives every symbol the reward of the whole sequence.

    The baseline is the mean reward of the other sequences.

    Returns:
      A `Credit`, of at least two sequences a step.

    References:
      Williams 1992, https://doi.org/10.1007/BF00992696.
    """

    def advantages(key: jax.Array, baseline: Baseline, drawn: Drawn) -> tuple[jax.Array, Baseline]:
        del key
        _require_others(drawn)
        return jnp.broadcast_to(leave_one_out(drawn.rewards)[:, None], drawn.tokens.shape), baseline

    return Credit(False, _nothing, advantages)


def per_prefix(*, discount: float, baseline_decay: float) -> Credit:
    """Makes the credit that gives a symbol the rewards of the prefixes that hold it, the later the less.

    With r_s the reward of the first s symbols, the symbol at t has the return, and the batch moves the baseline b,

        R_t = sum_{s >= t} discount^(s - t) r_s,    b <- baseline_decay b + (1 - baseline_decay) mean R,

    and its advantage is R_t - b, with the b of the steps before, into which none of the step's returns has gone.

    Args:
      discount: in [0, 1]; ScratchGAN's is 0.23.
      baseline_decay: in [0, 1), decay of the moving average of returns; ScratchGAN's is 0.08.

    Returns:
      A `Credit`, whose baseline is a scalar.

    Raises:
      ValueError: an argument is out of its range.

    References:
      de Masson d'Autume et al. 2019, section 3, https://arxiv.org/abs/1905.09922.
    """
    if isinstance(discount, numbers.Real) and not 0 <= discount <= 1:
        raise ValueError(f"discount must be in [0, 1], got {discount}")
    if isinstance(baseline_decay, numbers.Real) and not 0 <= baseline_decay < 1:
        raise ValueError(f"baseline_decay must be in [0, 1), got {baseline_decay}")

    def advantages(key: jax.Array, baseline: Baseline, drawn: Drawn) -> tuple[jax.Array, Baseline]:
        del key
        returns_NT = discounted_returns(drawn.rewards, discount)
        moved = baseline_decay * baseline + (1 - baseline_decay) * jnp.mean(returns_NT)
        return returns_NT - baseline, moved

    return Credit(True, lambda: jnp.zeros(()), advantages)


def roll_outs(*, num_roll_outs: int) -> Credit:
    """Makes the credit that gives a symbol what the generator is paid, on average, when it goes on from there.

    The value of a prefix y_1..t is the mean reward of `num_roll_outs` whole sequences that begin with it, completed by
    the generator itself; of the whole sequence it is its own reward. The baseline is, at every t, the mean value of the
    other sequences' prefixes. SeqGAN's own has no baseline, and completes by an average of earlier generators.

    Args:
      num_roll_outs: completions of each prefix, at least 1; SeqGAN's are 16.

    Returns:
      A `Credit`, of at least two sequences a step.

    Raises:
      ValueError: `num_roll_outs` is less than 1.

    References:
      Yu et al. 2017, equation 4, https://arxiv.org/abs/1609.05473.
    """
    if num_roll_outs < 1:
        raise ValueError(f"num_roll_outs must be at least 1, got {num_roll_outs}")

    def advantages(key: jax.Array, baseline: Baseline, drawn: Drawn) -> tuple[jax.Array, Baseline]:
        _require_others(drawn)
        values_NT = prefix_values(key, drawn, num_roll_outs)
        return jax.vmap(leave_one_out, in_axes=1, out_axes=1)(values_NT), baseline

    return Credit(False, _nothing, advantages)


CREDITS: Mapping[str, Callable[..., Credit]] = MappingProxyType(
    {"terminal": terminal, "per_prefix": per_prefix, "roll_outs": roll_outs}
)


def discounted_returns(rewards: jax.Array, discount: ArrayLike) -> jax.Array:
    """Sums the rewards from each time on, R_t = sum_{s >= t} discount^(s - t) r_s.

    Args:
      rewards: `[N, T]` rewards.
      discount: scalar in [0, 1]; may be traced.

    Returns:
      `[N, T]` returns.

    >>> discounted_returns(jnp.array([[1.0, 2.0, 4.0]]), 0.5).tolist()
    [[3.0, 4.0, 4.0]]
    """

    def body(later_N: jax.Array, reward_N: jax.Array) -> tuple[jax.Array, jax.Array]:
        return_N = reward_N + discount * later_N
        return return_N, return_N

    _, returns_TN = jax.lax.scan(body, jnp.zeros_like(rewards[:, 0]), rewards.T, reverse=True)
    return returns_TN.T


def prefix_values(key: jax.Array, drawn: Drawn, num_roll_outs: int) -> jax.Array:
    """Estimates what a generator is paid, on average, when it goes on from the prefixes of what it has drawn.

    Args:
      key: typed PRNG key; consumed.
      drawn: the sequences, with rewards `[N]` of whole ones.
      num_roll_outs: completions of each prefix, at least 1.

    Returns:
      `[N, T]` values, at t that of the first t symbols; the last are the rewards of the sequences themselves.
    """
    num, length = drawn.tokens.shape
    step = partial(drawn.generator.step, drawn.params)
    carry = drawn.generator.initial_carry(jax.random.key(0), num)
    start = unroll.start_symbols(num, drawn.generator.num_symbols)

    def value(key: jax.Array, num_given: jax.Array) -> jax.Array:
        completed_NT = unroll.completed(key, step, carry, start, drawn.tokens, num_given)
        return drawn.pay(completed_NT)

    def of_prefix(keys_and_num_given: tuple[jax.Array, jax.Array]) -> jax.Array:
        return jnp.mean(jax.vmap(value, in_axes=(0, None))(*keys_and_num_given), axis=0)

    # A prefix after the other, which bounds the memory; roll-outs have an axis of their own: nothing is ever reshaped.
    keys = jax.random.split(key, (length - 1, num_roll_outs))
    values_PN = jax.lax.map(of_prefix, (keys, jnp.arange(1, length)))
    return jnp.concatenate([values_PN, drawn.rewards[None]]).T


def _require_others(drawn: Drawn) -> None:
    """Raises ValueError where a sequence has no other to be compared with."""
    if len(drawn.tokens) < 2:
        raise ValueError(
            f"batch_size must be at least 2 for each shard, as this credit compares sequences with each other; "
            f"got {len(drawn.tokens)}"
        )


def _nothing() -> Baseline:
    return ()
