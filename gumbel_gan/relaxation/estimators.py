"""Estimators: differentiable samples of a symbol, with a common signature.

An estimator takes the logits a `[..., K]`, the standard Gumbel noise g `[..., K]` that determines the sample, and a
scalar temperature t > 0. Estimators with `uses_key` take a key before these. Two calls with the same noise sample the
same symbol, argmax(a + g), at all temperatures. All estimators need a loss that is differentiable in the sample. With
y = softmax((a + g) / t), p = softmax(a), D the one-hot sample and J_q = diag(q) - q q^T the derivative of a softmax:

| estimator | sample | derivative | temperature | draws |
|---|---|---|---|---|
| `soft` | y | J_y / t, that of y | of both | none |
| `decoupled(...)` | y | J_y / t at another temperature | of the sample | none |
| `straight_through` | D | J_y / t | of the derivative | none |
| `gumbel_rao(...)` | D | the mean of J_y / t given D | of the derivative | `num_draws` |
| `gapped_straight_through(...)` | D | J_m / t, m the logits with D largest by a gap | of the derivative | none |
| `plain_straight_through` | D | J_p at t = 1 | of the derivative | none |
| `reinmax` | D | 2 J_s - J_p / 2, s = (p + D) / 2 | of p in s; 1 is exact for quadratics | none |
| `reinmax_rao(...)` | D | the same, J_s smoothed by noise | of the noise | `num_draws` |
| `reinmax_cv(...)` | D | that of `reinmax` minus a control variate | of the control variate | `num_draws` |

Each draw costs time and memory of the size of the logits, but no evaluation of the loss. Only `soft` has the gradient
of its own objective, which is not the expected loss of one-hot samples. For unbiased gradients of the expected loss of
one-hot samples, see `score_function_estimators` (REINFORCE, IndeCateR, REBAR, RELAX); not all of them need a derivative
of the loss.

Which one? The estimators were compared with the exact gradient of a recurrent generator of 1,296 sequences, for five
discriminators (`experiments/results/gradients`). Numbers are the error of a batch of 128, relative to the gradient's
norm, from the best discriminator to the worst, each at its best temperature unless one is given:

- If the loss accepts relaxed points, use `soft` at temperature 0.5. Its error of 0.14 to 0.50 is the smallest of the
  estimators above for four of five discriminators.
- If samples must be one-hot, no estimator is always best. `reinmax` at temperature 1, with nothing to tune, has 0.21 to
  0.71 and is best for the discriminators after 100 and 2,000 of 2,000 training steps; `straight_through` at temperature
  1 has 0.35 to 0.77. With a random discriminator, `plain_straight_through` is best (at 0.5, 0.34 against 0.63), and at
  the start of training `gapped_straight_through` (at 0.5, 0.24 against 0.38).
- `gumbel_rao` differs from `straight_through` only at temperatures of 0.2 and below (at 0.2, 0.22 to 0.71 against 0.35
  to 0.90); 10 draws take 3 to 8 times as long. `reinmax_rao` (0.23 to 0.68) and `reinmax_cv` (0.21 to 0.71) take as
  long and gain little over `reinmax`.
- Low temperatures trade bias for variance: at 0.01, a single gradient of `straight_through` deviates from the exact
  gradient by 13 to 39 times the norm of the exact gradient. At high temperatures the gradient vanishes: at 30, its mean
  has 0.01 to 0.05 of that norm.
- Unbiased estimators are better with large batches: REINFORCE has 0.22 to 0.86, and at the end of training it is better
  than `reinmax` from about 1,000 sequences. IndeCateR, which tries every symbol at every time (24 completions per
  sequence), has 0.07 to 0.31. It takes 7 to 14 times as long as REINFORCE, with 5 to 37 times less variance.

An example without a GAN:

>>> key, logits = jax.random.key(0), jnp.zeros(3)
>>> noise = jax.random.gumbel(key, (100, 3))
>>> def loss(logits):
...     samples = jax.vmap(lambda noise: straight_through(logits, noise, 1.0))(noise)
...     return jnp.mean((samples @ jnp.array([1.0, 2.0, 4.0])) ** 2)
>>> jax.grad(loss)(logits).shape
(3,)
"""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.relaxation._surrogates import one_hot_sample, tempered_softmax, with_derivative
from gumbel_gan.relaxation.gumbel import checked, relax


# Not a NamedTuple, whose instances cannot be jitted: jax.jit keeps a weak reference, which a tuple does not allow.
@dataclasses.dataclass(frozen=True)
class Estimator:
    """A function that draws differentiable samples of a symbol; calling an estimator calls `sample`.

    Attributes:
      sample: (logits `[..., K]`, noise `[..., K]`, temperature) -> `[..., K]` points on the simplex, differentiable in
        the logits. With `uses_key`, a typed PRNG key is the first argument, before the logits.
      one_hot: whether the samples are exactly one-hot.
      uses_key: whether `sample` needs randomness beyond the noise.
    """

    sample: Callable[..., jax.Array]
    one_hot: bool
    uses_key: bool = False

    def __call__(self, *args: ArrayLike, **kwargs: ArrayLike) -> jax.Array:
        """Returns the result of `sample`."""
        return self.sample(*args, **kwargs)


def soft_sample(logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> jax.Array:
    """Computes the relaxed sample itself, y = softmax((logits + noise) / temperature).

    The sample lies inside the simplex, so a discriminator can tell it from one-hot data by its sharpness alone.

    Args:
      logits: `[..., K]` unnormalized log-probabilities, floating.
      noise: `[..., K]` standard Gumbel noise.
      temperature: scalar > 0; may be traced.

    Returns:
      `[..., K]` points on the simplex, differentiable in `logits` and in its dtype.

    Raises:
      TypeError: `logits` or `noise` is not floating, or `temperature` is not a scalar number.
      ValueError: K is 0, the shapes differ, or `temperature` is not traced and not a finite number > 0.

    References:
      Kusner & Hernández-Lobato 2016, equation 8, https://arxiv.org/abs/1611.04051.
    """
    return relax(logits, noise, temperature)


def straight_through_sample(logits: ArrayLike, noise: ArrayLike, temperature: ArrayLike) -> jax.Array:
    """Computes the exact one-hot sample, with the gradient of the relaxed sample.

    d = onehot + (y - stop_gradient(y)), with onehot the one-hot vector of argmax(logits + noise) and
    y = softmax((logits + noise) / temperature).

    Args:
      logits: `[..., K]` unnormalized log-probabilities, floating.
      noise: `[..., K]` standard Gumbel noise.
      temperature: scalar > 0 of the backward pass; may be traced.

    Returns:
      `[..., K]` exactly one-hot vectors, in the dtype of `logits`. Their distribution is softmax(logits) at every
      temperature.

    Raises:
      TypeError: `logits` or `noise` is not floating, or `temperature` is not a scalar number.
      ValueError: K is 0, the shapes differ, or `temperature` is not traced and not a finite number > 0.

    References:
      Jang et al. 2017, section 2.2, https://arxiv.org/abs/1611.01144.
    """
    wide_logits, noise = checked(logits, noise, temperature)
    relaxed = tempered_softmax(wide_logits + noise, temperature)
    return with_derivative(one_hot_sample(wide_logits, noise), relaxed, jnp.result_type(logits))


soft = Estimator(soft_sample, one_hot=False)
straight_through = Estimator(straight_through_sample, one_hot=True)
