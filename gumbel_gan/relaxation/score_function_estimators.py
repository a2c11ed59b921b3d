"""Unbiased gradients of E[f(D)] over independent categorical variables, mostly without a derivative of f.

D is one-hot, `[..., K]`, with independent rows of distributions softmax(logits). Each function in the table returns a
loss, whose value is an estimate of E[f(D)]. Its derivative with respect to the logits is the estimate of the gradient,
and is passed on to anything that the logits depend on. Parameters of f itself get their gradient at the samples.

| function | what it needs | evaluations of f |
|---|---|---|
| `reinforce_loss` | at least 2 samples, compared with each other | N |
| `moving_baseline_loss` | a baseline kept from step to step | N |
| `indecater_loss` | every single change of a sample | N + N V K, for V variables |
| `rebar_loss` | f at relaxed points, and its derivative | 3 N |
| `relax_loss` | a control variate c(scores), and its derivative | N, and 2 N of c |

The parameters of the control variates of REBAR and RELAX can be trained to minimize the mean squared gradient: the
gradient that `relax_gradient` returns is differentiable in them.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.arguments import require_at_least, require_key, require_number
from gumbel_gan.relaxation._surrogates import one_hot_sample, tempered_softmax, with_identity_derivative
from gumbel_gan.relaxation.gumbel import check_logits, check_temperature, compute_dtype, sample_gumbel
from gumbel_gan.relaxation.rao_blackwell import conditional_scores

Function = Callable[[jax.Array], jax.Array]


def reinforce_loss(key: jax.Array, f: Function, logits: ArrayLike, *, num_samples: int) -> jax.Array:
    """Estimates E[f(D)] and its gradient by REINFORCE, with the mean of the other samples as baseline (leave-one-out).

    The gradient is the mean over samples n of (f_n - mean of the other f) (D_n - p), with p = softmax(logits).

    Args:
      key: typed PRNG key; consumed.
      f: maps a one-hot sample `[..., K]` to a scalar; vmapped.
      logits: `[..., K]` unnormalized log-probabilities, floating. -inf excludes a symbol.
      num_samples: N, at least 2; static.

    Returns:
      Scalar loss, whose derivative with respect to the logits is unbiased.

    Raises:
      TypeError: `key` is not a typed key, `logits` is not floating, or `num_samples` is not an integer.
      ValueError: K is 0, `num_samples` is less than 2, or f does not return a scalar.

    References:
      Williams 1992, https://doi.org/10.1007/BF00992696; Kool et al. 2019, https://openreview.net/forum?id=r1lgTGL5DE.

    >>> def loss(logits):
    ...     return reinforce_loss(jax.random.key(0), lambda d: 3.0 * d[0], logits, num_samples=4)
    >>> value, gradient = jax.value_and_grad(loss)(jnp.zeros(2))
    >>> gradient.shape
    (2,)
    """
    require_at_least(2, num_samples=num_samples)
    wide_logits, samples, values = _drawn(key, f, logits, num_samples)
    constant = jax.lax.stop_gradient(values)
    advantages = (constant - jnp.mean(constant)) * num_samples / (num_samples - 1)
    return _loss(jnp.mean(values), wide_logits, _score_gradient(wide_logits, samples, advantages))


def moving_baseline_loss(
    key: jax.Array, f: Function, logits: ArrayLike, baseline: ArrayLike, *, num_samples: int, decay: ArrayLike = 0.9
) -> tuple[jax.Array, jax.Array]:
    """Estimates E[f(D)] and its gradient by REINFORCE, with a moving average of earlier values as baseline b.

    The gradient is the mean over samples n of (f_n - b) (D_n - p), with p = softmax(logits). Then
    b <- decay b + (1 - decay) mean_n f_n.

    Args:
      key: typed PRNG key; consumed.
      f: maps a one-hot sample `[..., K]` to a scalar; vmapped.
      logits: `[..., K]` unnormalized log-probabilities, floating. -inf excludes a symbol.
      baseline: scalar b, from the previous step; 0 at the first step.
      num_samples: N, at least 1; static.
      decay: scalar in [0, 1), the decay of the moving average; may be traced.

    Returns:
      Scalar loss, whose derivative with respect to the logits is unbiased, and the baseline of the next step, in
      float32 or wider.

    Raises:
      TypeError: `key` is not a typed key, `logits` is not floating, `num_samples` is not an integer, or `baseline` or
        `decay` is not a number.
      ValueError: K is 0, an argument is out of range, or f does not return a scalar.

    References:
      Williams 1992, https://doi.org/10.1007/BF00992696.

    >>> loss, baseline = moving_baseline_loss(jax.random.key(0), jnp.sum, jnp.zeros((3, 2)), 0.0, num_samples=4)
    >>> round(float(baseline), 4)
    0.3
    """
    require_at_least(1, num_samples=num_samples)
    require_number("baseline", baseline)
    require_number("decay", decay, low=0, high=1, open_high=True)
    wide_logits, samples, values = _drawn(key, f, logits, num_samples)
    constant = jax.lax.stop_gradient(values)
    # f may return integers or booleans.
    dtype = jnp.promote_types(constant.dtype, jnp.float32)
    constant, old, kept = (jnp.asarray(each, dtype) for each in (constant, baseline, decay))
    loss = _loss(jnp.mean(values), wide_logits, _score_gradient(wide_logits, samples, constant - old))
    return loss, kept * old + (1 - kept) * jnp.mean(constant)


def indecater_loss(key: jax.Array, f: Function, logits: ArrayLike, *, num_samples: int = 1) -> jax.Array:
    """Estimates E[f(D)] and its gradient by IndeCateR, which sums over the symbols of one variable at a time.

    For variable v, the gradient is that of sum_k p_vk F_vk, with F_vk the mean over samples of f with the symbol of v
    replaced by k and the symbols of all other variables kept. With a single variable, the gradient is exact.

    Args:
      key: typed PRNG key; consumed.
      f: maps a one-hot sample `[..., K]` to a scalar; vmapped.
      logits: `[..., K]` unnormalized log-probabilities, floating. -inf excludes a symbol; values of f at excluded
        symbols are not used.
      num_samples: N, at least 1; static. f is evaluated at N samples and at their N V K changes.

    Returns:
      Scalar loss, whose derivative with respect to the logits is unbiased.

    Raises:
      TypeError: `key` is not a typed key, `logits` is not floating, or `num_samples` is not an integer.
      ValueError: K is 0, `num_samples` is less than 1, or f does not return a scalar.

    References:
      De Smet et al. 2023, https://arxiv.org/abs/2311.12569.

    >>> gradient = jax.grad(lambda logits: indecater_loss(jax.random.key(0), lambda d: 4.0 * d[0], logits))
    >>> gradient(jnp.zeros(2)).tolist()
    [1.0, -1.0]
    """
    require_at_least(1, num_samples=num_samples)
    wide_logits, samples, values = _drawn(key, f, logits, num_samples)
    num_symbols = wide_logits.shape[-1]
    num_variables = wide_logits.size // num_symbols
    symbols = jnp.eye(num_symbols, dtype=wide_logits.dtype)

    def value(sample: jax.Array, variable: jax.Array, symbol: jax.Array) -> jax.Array:
        is_changed = (jnp.arange(num_variables) == variable)[:, None]
        changed = jnp.where(is_changed, symbol[None], sample.reshape(num_variables, num_symbols))
        return f(changed.reshape(sample.shape))

    of_symbols = jax.vmap(value, (None, None, 0))
    of_variables = jax.vmap(of_symbols, (None, 0, None))
    every = jax.vmap(of_variables, (0, None, None))(samples, jnp.arange(num_variables), symbols)
    means = jnp.mean(jax.lax.stop_gradient(every), axis=0).reshape(wide_logits.shape)
    probs = jax.nn.softmax(wide_logits, axis=-1)
    means = jnp.where(jnp.isneginf(wide_logits), 0, means)
    gradient = probs * (means - jnp.sum(probs * means, axis=-1, keepdims=True))
    return _loss(jnp.mean(values), wide_logits, gradient)


def rebar_loss(
    key: jax.Array,
    f: Function,
    logits: ArrayLike,
    *,
    temperature: ArrayLike,
    weight: ArrayLike = 1.0,
    num_samples: int = 1,
) -> jax.Array:
    """Estimates E[f(D)] and its gradient by REBAR.

    It is RELAX with the control variate c(z) = weight f(softmax(z / temperature)).

    Args:
      key: typed PRNG key; consumed.
      f: maps `[..., K]` points on the simplex, one-hot or relaxed, to a scalar, differentiable; vmapped.
      logits: `[..., K]` unnormalized log-probabilities, floating. -inf excludes a symbol.
      temperature: scalar > 0; may be traced.
      weight: scalar factor of the control variate; may be traced.
      num_samples: N, at least 1; static.

    Returns:
      Scalar loss, whose derivative with respect to the logits is unbiased.

    Raises:
      TypeError: `key` is not a typed key, `logits` is not floating, `num_samples` is not an integer, or `temperature`
        or `weight` is not a number.
      ValueError: K is 0, an argument is out of range, or f does not return a scalar.

    References:
      Tucker et al. 2017, https://arxiv.org/abs/1703.07370.

    >>> def loss(logits):
    ...     return rebar_loss(jax.random.key(0), lambda x: jnp.sum(x**2), logits, temperature=0.5)
    >>> float(loss(jnp.zeros((3, 2))))
    3.0
    """
    check_temperature(temperature)
    require_number("weight", weight)

    def control(scores: jax.Array) -> jax.Array:
        return jnp.asarray(weight, scores.dtype) * f(tempered_softmax(scores, temperature))

    return relax_loss(key, f, control, logits, num_samples=num_samples)


def relax_loss(key: jax.Array, f: Function, control: Function, logits: ArrayLike, *, num_samples: int = 1) -> jax.Array:
    """Estimates E[f(D)] and its gradient by RELAX, the mean of `relax_gradient` over samples.

    Args:
      key: typed PRNG key; consumed.
      f: maps a one-hot sample `[..., K]` to a scalar; vmapped.
      control: maps scores `[..., K]`, logits plus Gumbel noise, to a scalar, differentiable; vmapped. The parameters
        of `control` get no gradient from this loss.
      logits: `[..., K]` unnormalized log-probabilities, floating. -inf excludes a symbol.
      num_samples: N, at least 1; static.

    Returns:
      Scalar loss, whose derivative with respect to the logits is unbiased for any control variate.

    Raises:
      TypeError: `key` is not a typed key, `logits` is not floating, or `num_samples` is not an integer.
      ValueError: K is 0, `num_samples` is less than 1, or f or `control` does not return a scalar.

    References:
      Grathwohl et al. 2018, https://arxiv.org/abs/1711.00123.

    >>> def loss(logits):
    ...     control = lambda scores: jnp.tanh(scores[0])
    ...     return relax_loss(jax.random.key(0), lambda d: d[0], control, logits, num_samples=3)
    >>> jax.grad(loss)(jnp.zeros(2)).shape
    (2,)
    """
    require_key(key=key)
    require_at_least(1, num_samples=num_samples)
    wide_logits = _wide(logits)
    keys = jax.random.split(key, num_samples)
    values, gradients = jax.vmap(lambda key: relax_gradient(key, f, control, wide_logits))(keys)
    return _loss(jnp.mean(values), wide_logits, jnp.mean(gradients, axis=0))


def relax_gradient(key: jax.Array, f: Function, control: Function, logits: ArrayLike) -> tuple[jax.Array, jax.Array]:
    """Draws one RELAX estimate of the gradient of E[f(D)] with respect to the logits.

    With scores z = logits + G, D their sample, z' scores drawn given D, with other noise, and p = softmax(logits):

        [f(D) - c(z')] (D - p) + d/dlogits [c(z) - c(z')].

    Args:
      key: typed PRNG key; consumed.
      f: maps a one-hot sample `[..., K]` to a scalar.
      control: c, maps scores `[..., K]` to a scalar, differentiable.
      logits: `[..., K]` unnormalized log-probabilities, floating. -inf excludes a symbol.

    Returns:
      Scalar f(D), and the `[..., K]` unbiased gradient, which is differentiable in the parameters of `control`.

    Raises:
      TypeError: `key` is not a typed key, or `logits` is not floating.
      ValueError: K is 0, or f or `control` does not return a scalar.

    References:
      Grathwohl et al. 2018, https://arxiv.org/abs/1711.00123.

    >>> def second_moment(slope):
    ...     control = lambda scores: slope * jnp.tanh(scores[0])
    ...     return jnp.sum(relax_gradient(jax.random.key(0), lambda d: d[0], control, jnp.zeros(2))[1] ** 2)
    >>> bool(jnp.isfinite(jax.grad(second_moment)(0.5)))
    True
    """
    require_key(key=key)
    wide_logits = _wide(logits)
    constant = jax.lax.stop_gradient(wide_logits)
    noise_key, conditional_key = jax.random.split(key)
    noise = sample_gumbel(noise_key, constant.shape, constant.dtype)
    other_noise = sample_gumbel(conditional_key, constant.shape, constant.dtype)
    onehot = one_hot_sample(constant, noise)
    value = _scalar(f(onehot), "f")

    def free(logits: jax.Array) -> jax.Array:
        return _scalar(control(logits + noise), "control")

    def given(logits: jax.Array) -> jax.Array:
        return _scalar(control(conditional_scores(logits, onehot, other_noise)), "control")

    pathwise = jax.grad(free)(constant)
    control_value, conditional = jax.value_and_grad(given)(constant)
    score = onehot - jax.nn.softmax(constant, axis=-1)
    return value, (jax.lax.stop_gradient(value) - control_value) * score + pathwise - conditional


def _wide(logits: ArrayLike) -> jax.Array:
    logits = check_logits(logits)
    return logits.astype(compute_dtype(logits.dtype))


def _scalar(value: jax.Array, name: str) -> jax.Array:
    if jnp.shape(value):
        raise ValueError(f"{name} must return a scalar, got shape {jnp.shape(value)}")
    return value


def _drawn(key: jax.Array, f: Function, logits: ArrayLike, num_samples: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns the logits in the dtype to compute in, `[N, ..., K]` one-hot samples, and their `[N]` values of f."""
    require_key(key=key)
    wide_logits = _wide(logits)
    constant = jax.lax.stop_gradient(wide_logits)
    noise = sample_gumbel(key, (num_samples, *constant.shape), constant.dtype)
    samples = jax.vmap(one_hot_sample, (None, 0))(constant, noise)
    return wide_logits, samples, jax.vmap(lambda sample: _scalar(f(sample), "f"))(samples)


def _score_gradient(logits: jax.Array, samples: jax.Array, advantages: jax.Array) -> jax.Array:
    """Returns the mean `[..., K]` over samples of the advantage times the gradient of log p(sample)."""
    scores = samples - jax.nn.softmax(logits, axis=-1)[None]
    return jnp.tensordot(advantages.astype(scores.dtype), scores, 1) / len(samples)


def _loss(value: jax.Array, logits: jax.Array, gradient: jax.Array) -> jax.Array:
    """Returns `value`, with `gradient` as its derivative with respect to the logits."""
    zero = jnp.sum(with_identity_derivative(jnp.zeros_like(logits), logits) * jax.lax.stop_gradient(gradient))
    return value + zero.astype(value.dtype)
