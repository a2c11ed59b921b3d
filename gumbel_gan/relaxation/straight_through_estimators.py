"""Straight-through estimators that need no additional draws: plain, gapped, and with decoupled temperatures."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_number
from gumbel_gan.relaxation._surrogates import (
    one_hot_sample,
    tempered_softmax,
    with_derivative,
    with_identity_derivative,
)
from gumbel_gan.relaxation.estimators import Estimator
from gumbel_gan.relaxation.gumbel import checked, relax


def plain_straight_through_sample(logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> jax.Array:
    """Computes the exact one-hot sample, with the gradient of the probabilities.

    d = onehot + (p - stop_gradient(p)), with onehot the one-hot vector of argmax(logits + noise) and
    p = softmax(logits / t).

    The backward pass does not use the noise. At temperature 1, the gradient is unbiased if the loss is linear in the
    sample, and a first-order approximation otherwise.

    Args:
      logits: `[..., K]` unnormalized log-probabilities, floating. -inf excludes a symbol.
      noise: `[..., K]` standard Gumbel noise.
      temperature: scalar > 0 of the backward pass; may be traced.

    Returns:
      `[..., K]` exactly one-hot vectors, in the dtype of `logits`.

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

    d = onehot + (y - stop_gradient(y)), with y = softmax(m / temperature). The scores m are the logits, shifted by
    constants so that the sampled symbol has max(logits) and all others have at most max(logits) - gap.

    The relaxed vector agrees with the sample, as in the straight-through Gumbel-softmax, but without noise, so that the
    variance is lower. It is biased even if the loss is linear.

    Args:
      gap: least difference between the score of the sampled symbol and any other, a scalar >= 0; may be traced.

    Returns:
      An `Estimator` of one-hot samples. The temperature is that of the backward pass.

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
        moved = with_identity_derivative(jnp.where(onehot > 0, largest, others), wide_logits)
        return with_derivative(onehot, tempered_softmax(moved, temperature), jnp.result_type(logits))

    return Estimator(sample, one_hot=True)


def decoupled(*, backward_temperature: ArrayLike = 1.0) -> Estimator:
    """Builds an estimator of relaxed samples with separate temperatures in the forward and backward passes.

    x = softmax((logits + noise) / t), with t the temperature in the forward pass and `backward_temperature` in the
    backward pass.

    As the forward temperature goes to 0, the estimator goes to `straight_through` at the backward temperature. If the
    two are equal, it is `soft`. The forward temperature sets how sharp samples are, and the backward temperature how
    noisy the gradient is.

    Args:
      backward_temperature: scalar > 0; may be traced.

    Returns:
      An `Estimator` whose temperature is the forward temperature. Samples are not one-hot.

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
    """Computes a temperature within bounds from a parameter without bounds, which an optimizer can train.

    t = low (high / low)^sigmoid(parameter), so that parameter 0 gives the geometric mean of the bounds.

    The samples of `soft`, `straight_through`, `gapped_straight_through` and `gumbel_rao` have a gradient with respect
    to their temperature, and so to the parameter. For `soft`, it is the exact gradient of the relaxed objective. For
    the estimators of one-hot samples, it is that of the backward pass only, since the samples do not depend on a
    temperature. It therefore does not indicate how good a temperature is: add another loss, such as the variance of the
    gradient.

    Args:
      parameter: real scalar; may be traced.
      low: least temperature, a number > 0.
      high: largest temperature, a number > low.

    Returns:
      Scalar temperature in [low, high] up to rounding, float32 or wider.

    Raises:
      TypeError: an argument is not a real number.
      ValueError: `low` is not a finite number > 0, `high` is not a finite number > `low`, or `parameter` is not traced
        and not finite.

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
