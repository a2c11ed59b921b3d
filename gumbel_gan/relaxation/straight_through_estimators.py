"""Straight-through estimators that need no draws of their own: plain, gapped, and with temperatures apart."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_number
from gumbel_gan.relaxation._surrogates import (
    moving_with,
    one_hot_sample,
    tempered_softmax,
    with_derivative,
)
from gumbel_gan.relaxation.estimators import Estimator
from gumbel_gan.relaxation.gumbel import checked, relax


def plain_straight_through_sample(logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> jax.Array:
    """Computes the exact one-hot sample, with the gradient of the probabilities.

    d = onehot + (p - stop_gradient(p)), with onehot that of argmax(logits + noise) and p = softmax(logits / t).

    The noise has no part in the backward pass. At temperature 1 the gradient is unbiased where the loss is linear in
    the sample, and is of first order otherwise.

    Args:
      logits: `[..., K]` unnormalized log-probabilities, floating. -inf excludes a symbol.
      noise: `[..., K]` standard Gumbel noise.
      temperature: scalar > 0 of the backward pass; may be traced.

    Returns:
      `[..., K]` one-hot vectors, exactly, in the dtype of `logits`.

    Raises:
      TypeError: `logits` or `noise` is not floating, or `temperature` is not a scalar number.
      ValueError: K is 0, the shapes differ, or `temperature` is not traced and not a finite number > 0.

    References:
      Bengio et al. 2013, https://arxiv.org/abs/1308.3432.

    >>> logits, noise = jnp.array([0.0, 0.0]), jnp.array([1.0, 0.0])
    >>> gradient = jax.grad(lambda logits: plain_straight_through(logits, noise, 1.0) @ jnp.array([4.0, 0.0]))
    >>> gradient(logits).tolist()
    [1.0, -1.0]
    """
    wide_logits, noise = checked(logits, noise, temperature)
    probs = tempered_softmax(wide_logits, temperature)
    return with_derivative(one_hot_sample(wide_logits, noise), probs, jnp.result_type(logits))


def gapped_straight_through(*, gap: ArrayLike = 1.0) -> Estimator:
    """Builds the gapped straight-through estimator.

    d = onehot + (y - stop_gradient(y)), with y = softmax(m / temperature) and m the logits moved, as constants, so that
    the sampled symbol has the largest of them, max(logits), and all others at most max(logits) - gap.

    So the relaxed vector agrees with the sample, as in the straight-through Gumbel-softmax, but without its noise: the
    variance is lower. It is not unbiased even where the loss is linear.

    Args:
      gap: least distance of the sampled symbol's score from the others, a scalar >= 0; may be traced.

    Returns:
      An `Estimator` of one-hot samples; the temperature is that of the backward pass.

    Raises:
      TypeError: `gap` is not a scalar number.
      ValueError: `gap` is not traced and not a finite number >= 0.

    References:
      Fan et al. 2022, https://arxiv.org/abs/2206.07235.

    >>> logits, noise = jnp.array([0.0, 0.5, -1.0]), jnp.array([1.0, 0.0, 0.0])
    >>> gapped_straight_through(gap=1.0)(logits, noise, 0.5).tolist()
    [1.0, 0.0, 0.0]
    """
    require_number("gap", gap, low=0)

    def sample(logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> jax.Array:
        wide_logits, noise = checked(logits, noise, temperature)
        onehot = one_hot_sample(wide_logits, noise)
        largest = jnp.max(wide_logits, axis=-1, keepdims=True)
        others = jnp.minimum(wide_logits, largest - jnp.asarray(gap, wide_logits.dtype))
        moved = moving_with(wide_logits, jnp.where(onehot > 0, largest, others))
        return with_derivative(onehot, tempered_softmax(moved, temperature), jnp.result_type(logits))

    return Estimator(sample, one_hot=True)


def decoupled(*, backward_temperature: ArrayLike = 1.0) -> Estimator:
    """Builds a relaxed sample whose forward and backward passes have temperatures of their own.

    x = softmax((logits + noise) / t) going forward, with t the temperature; the same with the backward one backward.

    As the forward temperature goes to 0 it is `straight_through` at the backward one; where they are equal it is
    `soft`. So the forward one says how sharp samples are, and the backward one how noisy the gradient is.

    Args:
      backward_temperature: scalar > 0; may be traced.

    Returns:
      An `Estimator` whose temperature is the forward one. Samples are not one-hot.

    Raises:
      TypeError: `backward_temperature` is not a scalar number.
      ValueError: `backward_temperature` is not traced and not a finite number > 0.

    References:
      Shah et al. 2024, https://arxiv.org/abs/2410.13331.

    >>> logits, noise = jnp.array([0.0, 1.0]), jnp.array([0.5, 0.0])
    >>> bool(jnp.all(decoupled(backward_temperature=2.0)(logits, noise, 0.3) == relax(logits, noise, 0.3)))
    True
    """
    require_number("backward_temperature", backward_temperature, low=0, open_low=True)

    def sample(logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> jax.Array:
        forward = relax(logits, noise, temperature)
        return with_derivative(forward, relax(logits, noise, backward_temperature), forward.dtype)

    return Estimator(sample, one_hot=False)


def learned_temperature(parameter: ArrayLike, *, low: float = 0.1, high: float = 10.0) -> jax.Array:
    """Computes a temperature from a parameter that an optimizer may move without bounds.

    t = low (high / low)^sigmoid(parameter), so that parameter 0 is the geometric mean of the bounds.

    The samples of `soft`, `straight_through`, `gapped_straight_through` and `gumbel_rao` carry a gradient to their
    temperature, and so to the parameter: for `soft` that of the relaxed objective, exactly; for those of one-hot
    samples that of the backward pass alone, since the samples themselves do not depend on a temperature. Gradients of
    one-hot samples therefore say nothing about how good a temperature is; add a loss of your own, such as the variance
    of the gradient.

    Args:
      parameter: real scalar; may be traced.
      low: least temperature, a number > 0.
      high: largest temperature, a number > low.

    Returns:
      Scalar temperature in [low, high], float32 or wider.

    Raises:
      TypeError: an argument is not a real number.
      ValueError: `low` is not a finite number > 0, `high` not one > `low`, or `parameter` not traced and not finite.

    References:
      Jang et al. 2017, section 2.2, https://arxiv.org/abs/1611.01144, which learns 1 / t.

    >>> round(float(learned_temperature(0.0, low=0.1, high=10.0)), 6)
    1.0
    """
    require_number("parameter", parameter)
    require_number("low", low, low=0, open_low=True)
    require_number("high", high, low=low, open_low=True)
    dtype = jnp.promote_types(jnp.result_type(parameter), jnp.float32)
    log_low, log_high = jnp.log(jnp.asarray(low, dtype)), jnp.log(jnp.asarray(high, dtype))
    return jnp.exp(log_low + (log_high - log_low) * jax.nn.sigmoid(jnp.asarray(parameter, dtype)))


plain_straight_through = Estimator(plain_straight_through_sample, one_hot=True)
