"""The Rao-Blackwellized straight-through Gumbel-softmax, and Gumbel noise conditional on a sample."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_at_least, require_key
from gumbel_gan.relaxation._surrogates import (
    one_hot_sample,
    tempered_softmax,
    with_derivative,
    with_identity_derivative,
)
from gumbel_gan.relaxation.estimators import Estimator
from gumbel_gan.relaxation.gumbel import checked, sample_gumbel


def conditional_scores(logits: jax.Array, onehot: jax.Array, noise: jax.Array) -> jax.Array:
    """Computes scores, logits plus Gumbel noise, conditional on which score is the largest.

    With g standard Gumbel noise, Z = sum_k exp(a_k) and d the sampled symbol,

        z_d = log Z + g_d,    z_i = -log(exp(-g_i - a_i) + exp(-g_d) / Z)    for i other than d,

    which has the distribution of a + G given argmax(a + G) = d, for any d with a probability > 0.

    Args:
      logits: `[..., K]` logits a; -inf excludes a symbol.
      onehot: `[..., K]` one-hot vectors of d.
      noise: `[..., K]` standard Gumbel noise, independent of d. It is always finite. The formula is often written with
        -log of an exponential draw, which is infinite if the draw is 0.

    Returns:
      `[..., K]` scores. The largest is the score of d.

    References:
      Maddison et al. 2014, https://arxiv.org/abs/1411.0030; Paulus et al. 2021, https://arxiv.org/abs/2010.04838.
    """
    is_excluded = jnp.isneginf(logits)
    log_normalizer = jax.nn.logsumexp(logits, axis=-1, keepdims=True)
    largest = log_normalizer + jnp.sum(jnp.where(onehot > 0, noise, 0), axis=-1, keepdims=True)
    # The inner `where` keeps derivatives finite.
    others = -jnp.logaddexp(-noise - jnp.where(is_excluded, 0, logits), -largest)
    return jnp.where(onehot > 0, largest, jnp.where(is_excluded, -jnp.inf, others))


def repeated(array: jax.Array, num_draws: int) -> jax.Array:
    """Returns an array with a new leading axis of `num_draws` copies."""
    return jnp.broadcast_to(array[None], (num_draws, *array.shape))


def mean_softmax(logits: jax.Array, scores: jax.Array, temperature: ArrayLike) -> jax.Array:
    """Returns the mean `[..., K]` of the softmax of scores `[D, ..., K]`, with a derivative with respect to logits."""
    return jnp.mean(tempered_softmax(with_identity_derivative(scores, logits), temperature), axis=0)


def gumbel_rao(*, num_draws: int = 10) -> Estimator:
    """Builds Gumbel-Rao, the straight-through Gumbel-softmax averaged over the noise given the sample.

    d = onehot + (y - stop_gradient(y)), with y the mean over draws of softmax(z / temperature), and z the logits plus
    Gumbel noise, conditional on their sample being onehot.

    In expectation, the gradient equals that of `straight_through`, and its variance is never larger. Gradients flow
    through the logits, not through the conditional noise. Gradients through both would have a different expectation.

    Args:
      num_draws: number of draws of the noise, at least 1; static. Time and memory of the backward pass grow with it.
        With 1, the estimator is `straight_through` in distribution.

    Returns:
      An `Estimator` of one-hot samples that uses a key. The temperature is that of the backward pass.

    Raises:
      TypeError: `num_draws` is not an integer.
      ValueError: `num_draws` is less than 1.

    References:
      Paulus et al. 2021, https://arxiv.org/abs/2010.04838.

    >>> key, logits, noise = jax.random.key(0), jnp.array([0.0, 0.5]), jnp.array([1.0, 0.0])
    >>> gumbel_rao(num_draws=10)(key, logits, noise, 0.5).tolist()
    [1.0, 0.0]
    """
    require_at_least(1, num_draws=num_draws)

    def sample(key: jax.Array, logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> jax.Array:
        require_key(key=key)
        wide_logits, noise = checked(logits, noise, temperature)
        onehot = one_hot_sample(wide_logits, noise)
        fresh = sample_gumbel(key, (num_draws, *wide_logits.shape), wide_logits.dtype)
        constant = repeated(jax.lax.stop_gradient(wide_logits), num_draws)
        scores = conditional_scores(constant, repeated(onehot, num_draws), fresh)
        relaxed = mean_softmax(wide_logits, scores, temperature)
        return with_derivative(onehot, relaxed, jnp.result_type(logits))

    return Estimator(sample, one_hot=True, uses_key=True)
