"""Gradient penalties of the discriminator."""

import numbers
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gumbel_gan.arguments import Scalar, require_number, require_scalar
from gumbel_gan.losses._checks import require_floating

_LEAST_SQUARED_NORM = 1e-12
_WEIGHTS = ("real_weight", "generated_weight", "interpolated_weight")


class GradientPenalty(NamedTuple):
    """Settings of the gradient penalties, which are added to the discriminator's loss.

    The discriminator minimizes L + real_weight R1 + generated_weight R2 + interpolated_weight G, with L its objective,
    R1 and R2 the `zero_centered_gradient_penalty` at real and at generated sequences, and G the
    `one_centered_gradient_penalty` at random points between pairs of a real and a generated sequence.

    A penalty is a mean over the independent sequences of a batch. With `fraction` < 1, it is a mean over the first
    sequences only, which has the same expectation. This estimate is noisier, but cheaper, because the other sequences
    need no second derivatives.

    Attributes:
      real_weight: scalar >= 0, weight of R1: a number, a traced number or a schedule. None: R1 is not computed.
      generated_weight: scalar >= 0, weight of R2, of the types of `real_weight`. None: R2 is not computed.
      fraction: share, in (0, 1], of the real and of the generated sequences at which the penalties are evaluated; at
        least one sequence of each. A Python number: static, because shapes depend on it.
      interpolated_weight: scalar >= 0, weight of G, of the types of `real_weight`. None: G is not computed.

    References:
      Mescheder et al. 2018, equations 9 and 10, https://arxiv.org/abs/1801.04406; Gulrajani et al. 2017, for G,
      https://arxiv.org/abs/1704.00028.
    """

    real_weight: Scalar | None = None
    generated_weight: Scalar | None = None
    fraction: float = 1.0
    interpolated_weight: Scalar | None = None


def has_weights(penalty: GradientPenalty) -> bool:
    """Returns whether at least one weight is not None."""
    return any(getattr(penalty, name) is not None for name in _WEIGHTS)


def check_penalty(penalty: GradientPenalty) -> None:
    """Checks the settings of gradient penalties. Values of traced numbers and of schedules are not checked.

    Args:
      penalty: the settings.

    Raises:
      TypeError: `penalty` is not a `GradientPenalty`, a weight is neither None nor a scalar nor a schedule, or
        `fraction` is not a Python number.
      ValueError: a weight is negative or not finite, or `fraction` is not in (0, 1].
    """
    if not isinstance(penalty, GradientPenalty):
        raise TypeError(f"penalty must be a GradientPenalty, got {penalty!r}")
    for name in _WEIGHTS:
        weight = getattr(penalty, name)
        if weight is not None:
            require_scalar(name, weight, low=0.0)
    if isinstance(penalty.fraction, bool) or not isinstance(penalty.fraction, numbers.Real):
        raise TypeError(f"fraction must be a Python number in (0, 1], got {penalty.fraction!r}")
    require_number("fraction", penalty.fraction, low=0.0, high=1.0, open_low=True)


def logits_and_gradients(discriminate: Callable[[jax.Array], jax.Array], x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Computes a discriminator's logits and their gradients with respect to its input, in one pass.

    Args:
      discriminate: maps `[B, T, K]` sequences to `[B]` logits. The logit of a sequence must depend on that sequence
        only, since one backward pass computes all gradients.
      x: `[B, T, K]` sequences of one-hot or relaxed symbols, floating.

    Returns:
      `[B]` logits, and `[B, T, K]` gradients: that of logit b with respect to sequence b.

    Raises:
      TypeError: `x` is not a floating array.
      ValueError: `x` is not `[B, T, K]` or is empty, or `discriminate` does not return `[B]` logits (a discriminator of
        prefixes does not).
    """
    require_floating("x", x, "BTK")
    logits, pull_back = jax.vjp(discriminate, x)
    if logits.shape != x.shape[:1]:
        raise ValueError(f"discriminate must return logits of shape {x.shape[:1]}, got shape {logits.shape}")
    return logits, pull_back(jnp.ones_like(logits))[0]


def zero_centered_gradient_penalty(gradient: jax.Array) -> jax.Array:
    """Computes half the mean squared norm of a discriminator's gradient within the simplex.

        1/2 mean_b || P grad d(x_b) ||^2,    (P g)_tk = g_tk - mean_j g_tj.

    P projects onto the directions in which a distribution over symbols can change: those whose entries sum to 0. The
    component that P removes does not affect any sequence of symbols, one-hot or relaxed.

    At real sequences this is R1, at generated sequences R2. A generator with straight-through samples learns only from
    the gradient at one-hot inputs. The discriminator's loss on one-hot sequences does not constrain that gradient;
    the penalties do.

    Args:
      gradient: `[B, T, K]` gradients, as returned by `logits_and_gradients`; floating.

    Returns:
      A scalar >= 0.

    Raises:
      TypeError: `gradient` is not a floating array.
      ValueError: `gradient` is not `[B, T, K]` or is empty.

    References:
      Mescheder et al. 2018, equations 9 and 10, https://arxiv.org/abs/1801.04406.
    """
    return 0.5 * jnp.mean(_squared_norms(gradient))


def one_centered_gradient_penalty(gradient: jax.Array) -> jax.Array:
    """Computes the mean squared deviation from 1 of the norm of a discriminator's gradient within the simplex.

        mean_b (|| P grad d(x_b) || - 1)^2,    P as in `zero_centered_gradient_penalty`.

    At points between real and generated sequences, it keeps the Lipschitz constant of a Wasserstein critic near 1.

    Args:
      gradient: `[B, T, K]` gradients, as returned by `logits_and_gradients`; floating.

    Returns:
      A scalar >= 0.

    Raises:
      TypeError: `gradient` is not a floating array.
      ValueError: `gradient` is not `[B, T, K]` or is empty.

    References:
      Gulrajani et al. 2017, equation 3, https://arxiv.org/abs/1704.00028.
    """
    # The derivative of the square root is infinite at 0.
    norms_B = jnp.sqrt(_squared_norms(gradient) + _LEAST_SQUARED_NORM)
    return jnp.mean(jnp.square(norms_B - 1))


def interpolate(key: jax.Array, first: jax.Array, second: jax.Array) -> jax.Array:
    """Draws a uniformly random point on the line between each pair of sequences.

    Args:
      key: typed PRNG key; consumed.
      first: `[B, T, K]` sequences, floating.
      second: `[B, T, K]` sequences, in the dtype of `first`.

    Returns:
      `[B, T, K]` points. All symbols of a sequence have the same interpolation weight.
    """
    share_B11 = jax.random.uniform(key, (len(first), 1, 1), first.dtype)
    return first + share_B11 * (second - first)


def _squared_norms(gradient: jax.Array) -> jax.Array:
    """Computes the `[B]` squared norms of gradients within the simplex."""
    require_floating("gradient", gradient, "BTK")
    tangent_BTK = gradient - jnp.mean(gradient, axis=-1, keepdims=True)
    return jnp.sum(jnp.square(tangent_BTK), axis=(1, 2))
