"""Advantage estimators, which compute the advantage of each symbol from the rewards of generated sequences.

A policy gradient weights the gradient of log p(y_nt | y_n1 .. y_n(t-1)) by the advantage A_nt: the reward that follows
the choice of symbol t in sequence n, less a baseline that does not depend on that choice.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from gumbel_gan.arguments import Scalar, at_step, require_at_least, require_key, require_number, require_scalar
from gumbel_gan.losses._checks import require_floating
from gumbel_gan.losses.score_function import leave_one_out

Baseline = Any


class Rollout(NamedTuple):
    """A batch of generated sequences with their rewards, and functions to estimate expected rewards.

    Attributes:
      tokens: `[N, T]` integer sequences, drawn independently from the generator.
      rewards: floating rewards: `[N]` of whole sequences, or `[N, T]` of prefixes, at t that of the first t symbols.
      reward_fn: (tokens `[N, T]`) -> `[N]` rewards of any whole sequences.
      complete: (key, tokens `[N, T]`, num_given) -> `[N, T]` tokens. The first `num_given` tokens of each sequence are
        kept, and the others drawn from the generator, given the tokens before them. `num_given` is a traced int32
        scalar from 1 to T - 1. `reward_fn` and `complete` are called under vmap and scan, and only by `monte_carlo`.
    """

    tokens: jax.Array
    rewards: jax.Array
    reward_fn: Callable[[jax.Array], jax.Array]
    complete: Callable[[jax.Array, jax.Array, jax.Array], jax.Array]


class AdvantageEstimator(NamedTuple):
    """A way to compute the advantages of symbols from the rewards of sequences.

    `reinforce`, `monte_carlo`, `per_prefix` and `per_symbol` build the estimators of this module.

    Attributes:
      of_prefixes: whether the estimator needs the rewards of all prefixes, from a discriminator with a logit for each
        prefix. If not, it needs the rewards of whole sequences.
      init: () -> the baseline before the first step, a pytree of arrays; an empty pytree if nothing is kept between
        steps.
      advantages: (key, step, baseline, rollout) -> (advantages `[N, T]`, the baseline of the next step). `key` is a
        typed key, consumed; `step` is an int32 scalar, at which schedules are evaluated. The new baseline must have the
        shapes and dtypes of the old one. It must be affine in means over the sequences, because data shards average
        their baselines.
    """

    of_prefixes: bool
    init: Callable[[], Baseline]
    advantages: Callable[[jax.Array, ArrayLike, Baseline, Rollout], tuple[jax.Array, Baseline]]


def reinforce() -> AdvantageEstimator:
    """Builds REINFORCE: the advantage of a symbol is the reward of its sequence, less the mean reward of the others.

    With r_n the reward of sequence n,

        A_nt = r_n - mean_{m != n} r_m.

    Returns:
      An `AdvantageEstimator` for rewards `[N]`, N at least 2, with an empty baseline.

    References:
      Williams 1992, https://doi.org/10.1007/BF00992696; for the baseline, Kool et al. 2019,
      https://openreview.net/forum?id=r1lgTGL5DE.
    """

    def advantages(key: jax.Array, step: ArrayLike, baseline: Baseline, rollout: Rollout) -> tuple[jax.Array, Baseline]:
        del key, step
        _check_rollout(rollout, of_prefixes=False)
        _require_others(rollout)
        return jnp.broadcast_to(leave_one_out(rollout.rewards)[:, None], rollout.tokens.shape), baseline

    return AdvantageEstimator(False, _no_baseline, advantages)


def monte_carlo(*, num_roll_outs: int) -> AdvantageEstimator:
    """Builds SeqGAN's estimator: the value of a prefix is the mean reward of sequences that continue it.

    With V_nt the mean reward of `num_roll_outs` sequences that the generator draws given the first t symbols of
    sequence n, and V_nT the reward of sequence n itself,

        A_nt = V_nt - mean_{m != n} V_mt.

    SeqGAN has no such baseline, and draws the continuations from a moving average of the generator.

    Args:
      num_roll_outs: number of continuations of each prefix, at least 1; static. SeqGAN uses 16.

    Returns:
      An `AdvantageEstimator` for rewards `[N]`, N at least 2, with an empty baseline.

    Raises:
      TypeError: `num_roll_outs` is not an integer.
      ValueError: `num_roll_outs` is less than 1.

    References:
      Yu et al. 2017, equation 4, https://arxiv.org/abs/1609.05473.
    """
    require_at_least(1, num_roll_outs=num_roll_outs)

    def advantages(key: jax.Array, step: ArrayLike, baseline: Baseline, rollout: Rollout) -> tuple[jax.Array, Baseline]:
        del step
        _check_rollout(rollout, of_prefixes=False)
        _require_others(rollout)
        values_NT = prefix_values(key, rollout, num_roll_outs)
        return jax.vmap(leave_one_out, in_axes=1, out_axes=1)(values_NT), baseline

    return AdvantageEstimator(False, _no_baseline, advantages)


def per_prefix(*, discount: Scalar, baseline_decay: Scalar) -> AdvantageEstimator:
    """Builds ScratchGAN's estimator: discounted returns of the rewards of prefixes, less a moving average.

    With r_ns the reward of the first s symbols of sequence n, the return R of a symbol, its advantage A and the
    baseline b are

        R_nt = sum_{s >= t} discount^(s - t) r_ns,
        A_nt = R_nt - b,
        b <- baseline_decay b + (1 - baseline_decay) mean_nt R_nt.

    A step uses the baseline of the previous step, which does not depend on the sequences of this step. The first
    baseline is 0.

    Args:
      discount: scalar in [0, 1]; a number, a traced number or a schedule. ScratchGAN uses 0.23.
      baseline_decay: scalar in [0, 1), the decay of the moving average of returns; a number, a traced number or a
        schedule. ScratchGAN uses 0.08.

    Returns:
      An `AdvantageEstimator` for rewards `[N, T]`, whose baseline is a float32 scalar.

    Raises:
      TypeError: an argument is neither a real scalar nor a schedule.
      ValueError: an argument is out of range.

    References:
      de Masson d'Autume et al. 2019, section 3, https://arxiv.org/abs/1905.09922.
    """
    require_scalar("discount", discount, low=0.0, high=1.0)
    require_scalar("baseline_decay", baseline_decay, low=0.0, high=1.0, open_high=True)

    def advantages(key: jax.Array, step: ArrayLike, baseline: Baseline, rollout: Rollout) -> tuple[jax.Array, Baseline]:
        del key
        _check_rollout(rollout, of_prefixes=True)
        returns_NT = discounted_returns(rollout.rewards, at_step(discount, step))
        decay = jnp.asarray(at_step(baseline_decay, step), baseline.dtype)
        mean_return = jnp.mean(returns_NT).astype(baseline.dtype)
        return returns_NT - baseline.astype(returns_NT.dtype), decay * baseline + (1 - decay) * mean_return

    return AdvantageEstimator(True, lambda: jnp.zeros((), jnp.float32), advantages)


def per_symbol(*, discount: Scalar) -> AdvantageEstimator:
    """Builds an estimator in which a symbol is rewarded by the change of its prefix's reward, in place of the reward.

    With r_ns the reward of the first s symbols of sequence n, and r_n0 = 0,

        A_nt = sum_{s >= t} discount^(s - t) (r_ns - r_n(s-1)).

    If the rewards are logits of the optimal discriminator, log p(y_1 .. y_s) - log p_G(y_1 .. y_s), then a change is

        log p(y_s | y_1 .. y_(s-1)) - log p_G(y_s | y_1 .. y_(s-1)),

    and a discount of 0 minimizes the KL divergence of each symbol's distribution from that of the data, given the
    generator's own prefixes. With a discount of 1, A_nt = r_nT - r_n(t-1): the reward of the whole sequence, less that
    of the prefix before the symbol, which is a baseline. This is the reward shaping of Ng et al. with the prefix's
    reward as the potential; a discount below 1 trades bias for variance.

    Args:
      discount: scalar in [0, 1]; a number, a traced number or a schedule.

    Returns:
      An `AdvantageEstimator` for rewards `[N, T]`, with an empty baseline.

    Raises:
      TypeError: `discount` is neither a real scalar nor a schedule.
      ValueError: `discount` is out of range.

    References:
      Ng et al. 1999, "Policy invariance under reward transformations", ICML.
    """
    require_scalar("discount", discount, low=0.0, high=1.0)

    def advantages(key: jax.Array, step: ArrayLike, baseline: Baseline, rollout: Rollout) -> tuple[jax.Array, Baseline]:
        del key
        _check_rollout(rollout, of_prefixes=True)
        before_N1 = jnp.zeros_like(rollout.rewards[:, :1])
        changes_NT = jnp.diff(rollout.rewards, axis=1, prepend=before_N1)
        return discounted_returns(changes_NT, at_step(discount, step)), baseline

    return AdvantageEstimator(True, _no_baseline, advantages)


def discounted_returns(rewards: jax.Array, discount: ArrayLike) -> jax.Array:
    """Computes discounted sums of later rewards, R_t = sum_{s >= t} discount^(s - t) r_s.

    Args:
      rewards: `[N, T]` rewards, floating.
      discount: scalar in [0, 1]; may be traced.

    Returns:
      `[N, T]` returns, in the dtype of `rewards`.

    Raises:
      TypeError: `rewards` is not a floating array, or `discount` is not a scalar number.
      ValueError: `rewards` is not `[N, T]` or is empty, or `discount` is not traced and not in [0, 1].

    >>> discounted_returns(jnp.array([[1.0, 2.0, 4.0]]), 0.5).tolist()
    [[3.0, 4.0, 4.0]]
    """
    require_floating("rewards", rewards, "NT")
    require_number("discount", discount, low=0, high=1)
    factor = jnp.asarray(discount, rewards.dtype)

    def body(later_N: jax.Array, reward_N: jax.Array) -> tuple[jax.Array, jax.Array]:
        return_N = reward_N + factor * later_N
        return return_N, return_N

    _, returns_TN = jax.lax.scan(body, jnp.zeros_like(rewards[:, 0]), rewards.T, reverse=True)
    return returns_TN.T


def prefix_values(key: jax.Array, rollout: Rollout, num_roll_outs: int) -> jax.Array:
    """Estimates the expected reward of the completions of each prefix of generated sequences.

    Prefix lengths are processed one at a time, so that memory is that of N * `num_roll_outs` sequences for any T.

    Args:
      key: typed PRNG key; consumed.
      rollout: the sequences, with rewards `[N]` of whole sequences.
      num_roll_outs: number of completions of each prefix, at least 1.

    Returns:
      `[N, T]` values, at t that of the first t symbols. The values at T are the rewards of the sequences themselves.

    Raises:
      TypeError: `key` is not a typed key, the tokens are not integers, the rewards are not floating, or `num_roll_outs`
        is not an integer.
      ValueError: `num_roll_outs` is less than 1, or the tokens or rewards of `rollout` or of its functions have the
        wrong shape.
    """
    require_key(key=key)
    require_at_least(1, num_roll_outs=num_roll_outs)
    _check_rollout(rollout, of_prefixes=False)
    num, length = rollout.tokens.shape

    def value(key: jax.Array, num_given: jax.Array) -> jax.Array:
        completed_NT = rollout.complete(key, rollout.tokens, num_given)
        if completed_NT.shape != (num, length):
            raise ValueError(f"complete must return tokens of shape {(num, length)}, got shape {completed_NT.shape}")
        rewards_N = rollout.reward_fn(completed_NT)
        if rewards_N.shape != (num,):
            raise ValueError(f"reward_fn must return rewards of shape {(num,)}, got shape {rewards_N.shape}")
        return rewards_N

    def mean_value(key_data_and_num_given: tuple[jax.Array, jax.Array]) -> jax.Array:
        key_data, num_given = key_data_and_num_given
        keys_R = jax.random.wrap_key_data(key_data, impl=jax.random.key_impl(key))
        return jnp.mean(jax.vmap(value, in_axes=(0, None))(keys_R, num_given), axis=0)

    # The loop is over key data, because under vmap a loop over keys transposes them, which `jax_debug_key_reuse`
    # reports as reuse.
    key_data = jax.random.key_data(jax.random.split(key, (length - 1, num_roll_outs)))
    values_PN = jax.lax.map(mean_value, (key_data, jnp.arange(1, length, dtype=jnp.int32)))
    return jnp.concatenate([values_PN, rollout.rewards[None]]).T


def _check_rollout(rollout: Rollout, *, of_prefixes: bool) -> None:
    """Raises unless tokens are integers `[N, T]` and rewards are floating, `[N, T]` if `of_prefixes` and else `[N]`."""
    tokens, rewards = rollout.tokens, rollout.rewards
    if not isinstance(tokens, jax.Array | np.ndarray) or not jnp.issubdtype(tokens.dtype, jnp.integer):
        raise TypeError(f"tokens must be an array of integers, got {getattr(tokens, 'dtype', type(tokens).__name__)}")
    if tokens.ndim != 2 or not tokens.size:
        raise ValueError(f"tokens must be [N, T] and not empty, got shape {tokens.shape}")
    require_floating("rewards", rewards)
    wanted = tokens.shape if of_prefixes else tokens.shape[:1]
    if rewards.shape != wanted:
        whose = "all prefixes" if of_prefixes else "whole sequences"
        raise ValueError(f"rewards must be those of {whose}, of shape {wanted}, got shape {rewards.shape}")


def _require_others(rollout: Rollout) -> None:
    """Raises ValueError unless the roll-out holds at least 2 sequences."""
    if len(rollout.tokens) < 2:
        raise ValueError(
            "a batch, or each data shard of it, must hold at least 2 sequences, since this advantage estimator "
            f"compares sequences with each other; got {len(rollout.tokens)}"
        )


def _no_baseline() -> Baseline:
    return ()
