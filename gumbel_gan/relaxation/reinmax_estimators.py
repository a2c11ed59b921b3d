"""ReinMax, a second-order straight-through estimator, and two variants with less variance.

With p = softmax(a), D the one-hot sample, J_q = diag(q) - q q^T and g the gradient of the loss at D, ReinMax at
temperature 1 is

    2 J_s g - 1/2 J_p g,    s = (p + D) / 2,    which is    1/2 [J_p + (D - p)(D - p)^T] g.

It is unbiased if the loss is a quadratic function of the sample.
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_at_least, require_key, require_number
from gumbel_gan.relaxation._surrogates import (
    one_hot_sample,
    tempered_softmax,
    with_derivative,
    with_identity_derivative,
)
from gumbel_gan.relaxation.estimators import Estimator
from gumbel_gan.relaxation.gumbel import checked, sample_gumbel
from gumbel_gan.relaxation.rao_blackwell import conditional_scores, mean_softmax, repeated


def reinmax_sample(logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> jax.Array:
    """Computes the exact one-hot sample, with the gradient of ReinMax.

    With p = softmax(logits), D the one-hot vector of argmax(logits + noise) and g the gradient of the loss at D, the
    gradient with respect to the logits is

        2 J_s g - 1/2 J_p g,    s = (softmax(logits / temperature) + D) / 2,    J_q g = q * g - q (q . g).

    At temperature 1, it is unbiased if the loss is a quadratic function of the sample, by Heun's method, and equals the
    limit of Gumbel-Rao at temperature 0 with infinitely many draws (ZGR).

    Args:
      logits: `[..., K]` unnormalized log-probabilities, floating. -inf excludes a symbol.
      noise: `[..., K]` standard Gumbel noise.
      temperature: scalar > 0, in the paper at least 1; may be traced. The temperature gets no gradient.

    Returns:
      `[..., K]` exactly one-hot vectors, in the dtype of `logits`.

    Raises:
      TypeError: `logits` or `noise` is not floating, or `temperature` is not a scalar number.
      ValueError: K is 0, the shapes differ, or `temperature` is not traced and not a finite number > 0.

    References:
      Liu et al. 2023, https://arxiv.org/abs/2304.08612; for ZGR, Shekhovtsov, https://openreview.net/forum?id=EN8YE5dkOO.

    >>> logits, noise = jnp.array([0.0, 0.0]), jnp.array([1.0, 0.0])
    >>> gradient = jax.grad(lambda logits: reinmax(logits, noise, 1.0) @ jnp.array([4.0, 0.0]))
    >>> gradient(logits).round(5).tolist()
    [1.0, -1.0]
    """
    wide_logits, noise = checked(logits, noise, temperature)
    onehot = one_hot_sample(wide_logits, noise)
    return with_derivative(onehot, _surrogate(wide_logits, onehot, temperature), jnp.result_type(logits))


def reinmax_rao(*, num_draws: int = 10) -> Estimator:
    """Builds ReinMax with the Jacobian at s averaged over Gumbel noise.

    The gradient is 2 M g - 1/2 J_p g. M replaces J_s. It is the mean over draws of the Jacobian of
    softmax((log s + G) / temperature), with s = (softmax(logits) + D) / 2 and G standard Gumbel noise.

    As the temperature goes to 0, the mean of M goes to J_s, and the expected gradient to that of ReinMax. Higher
    temperatures smooth the Jacobian, with less variance and more bias. The noise must not be conditional on its sample
    being D. If it were, the mean of M would go to 1/4 [J_p + (D - p)(D - p)^T], and the gradient of a linear loss would
    have half its size.

    Args:
      num_draws: number of draws of the noise, at least 1; static. Time and memory of the backward pass grow with it.

    Returns:
      An `Estimator` of one-hot samples that uses a key. The temperature is that of the noisy Jacobian and gets no
      gradient.

    Raises:
      TypeError: `num_draws` is not an integer.
      ValueError: `num_draws` is less than 1.

    References:
      Wang & Bui 2026, https://arxiv.org/abs/2603.08257; derived here, see BUILD_NOTES.md.

    >>> key, logits, noise = jax.random.key(0), jnp.array([0.0, 0.5]), jnp.array([1.0, 0.0])
    >>> reinmax_rao(num_draws=10)(key, logits, noise, 0.5).tolist()
    [1.0, 0.0]
    """
    require_at_least(1, num_draws=num_draws)

    def sample(key: jax.Array, logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> jax.Array:
        require_key(key=key)
        wide_logits, noise = checked(logits, noise, temperature)
        onehot = one_hot_sample(wide_logits, noise)
        probs = jax.nn.softmax(wide_logits, axis=-1)
        log_shifted = jnp.log((jax.lax.stop_gradient(probs) + onehot) / 2)
        fresh = sample_gumbel(key, (num_draws, *wide_logits.shape), wide_logits.dtype)
        scores = repeated(log_shifted, num_draws) + fresh
        relaxed = mean_softmax(wide_logits, scores, jax.lax.stop_gradient(temperature))
        return with_derivative(onehot, 2 * relaxed - probs / 2, jnp.result_type(logits))

    return Estimator(sample, one_hot=True, uses_key=True)


def reinmax_cv(*, weight: ArrayLike = 1.0, num_draws: int = 10) -> Estimator:
    """Builds ReinMax with a Gumbel-softmax Jacobian as a control variate.

    The gradient is [R - weight (C_D - C)] g, with R the matrix of ReinMax at temperature 1. C_D is the mean over draws
    of the Jacobian of softmax(z / temperature), with z the logits plus Gumbel noise, given that their sample is D. C is
    the same mean with noise that is independent of D.

    C_D - C has mean 0 over D, so the gradient of a linear loss stays unbiased. The gradient of a quadratic loss has a
    bias in proportion to the weight, since g depends on D. The estimator goes to ReinMax as the temperature rises or
    the weight goes to 0, and to plain straight-through as the temperature falls at weight 1. A control variate with
    mean 0 given D, the mean over all draws minus a single draw, cannot help: R is a function of D, so they are
    uncorrelated.

    Args:
      weight: weight of the control variate, a scalar in [0, 2]; may be traced.
      num_draws: number of draws of the noise, at least 1; static. Time and memory of the backward pass grow with it.

    Returns:
      An `Estimator` of one-hot samples that uses a key. The temperature is that of the control variate and gets no
      gradient.

    Raises:
      TypeError: `num_draws` is not an integer, or `weight` is not a scalar number.
      ValueError: `num_draws` is less than 1, or `weight` is not traced and not in [0, 2].

    References:
      Wang & Bui 2026, https://arxiv.org/abs/2603.08257; derived here, see BUILD_NOTES.md.

    >>> key, logits, noise = jax.random.key(0), jnp.array([0.0, 0.5]), jnp.array([1.0, 0.0])
    >>> reinmax_cv(weight=0.5)(key, logits, noise, 1.0).tolist()
    [1.0, 0.0]
    """
    require_at_least(1, num_draws=num_draws)
    require_number("weight", weight, low=0, high=2)

    def sample(key: jax.Array, logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> jax.Array:
        require_key(key=key)
        wide_logits, noise = checked(logits, noise, temperature)
        onehot = one_hot_sample(wide_logits, noise)
        # Both means use the same draws, which cancels most of the noise in their difference.
        fresh = sample_gumbel(key, (num_draws, *wide_logits.shape), wide_logits.dtype)
        constant = repeated(jax.lax.stop_gradient(wide_logits), num_draws)
        given = conditional_scores(constant, repeated(onehot, num_draws), fresh)
        free = constant + fresh
        constant_temperature = jax.lax.stop_gradient(temperature)
        control = mean_softmax(wide_logits, given, constant_temperature) - mean_softmax(
            wide_logits, free, constant_temperature
        )
        surrogate = _surrogate(wide_logits, onehot, 1.0) - jnp.asarray(weight, wide_logits.dtype) * control
        return with_derivative(onehot, surrogate, jnp.result_type(logits))

    return Estimator(sample, one_hot=True, uses_key=True)


def _surrogate(logits: jax.Array, onehot: jax.Array, temperature: ArrayLike) -> jax.Array:
    """Returns a `[..., K]` array with the derivative of ReinMax, 2 J_s - 1/2 J_p."""
    tempered = tempered_softmax(jax.lax.stop_gradient(logits), jax.lax.stop_gradient(temperature))
    log_shifted = jnp.log((tempered + onehot) / 2)
    shifted = jax.nn.softmax(with_identity_derivative(log_shifted, logits), axis=-1)
    return 2 * shifted - jax.nn.softmax(logits, axis=-1) / 2


reinmax = Estimator(reinmax_sample, one_hot=True)
