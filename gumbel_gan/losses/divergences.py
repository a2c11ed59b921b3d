"""Objectives of f-divergences in their variational form: the discriminator estimates a lower bound of a divergence.

For D_f(data || generator) = E_generator[f(r)], r = p_data / p_generator, and any function t of sequences,

    E_data[t(x)] - E_generator[f*(t(y))] <= D_f(data || generator),

with f* the convex conjugate of f, and equality at t = f'(r). The discriminator's output v gives t = g_f(v), which is in
the domain of f*. The discriminator maximizes the bound, and the generator minimizes it.

| objective | f(u) | g_f(v) | f*(t) | optimal v |
|---|---|---|---|---|
| `variational_kl` | u log u | v | e^(t - 1) | 1 + log r |
| `variational_reverse_kl` | -log u | -e^(-v) | -1 - log(-t) | log r |
| `variational_pearson` | (u - 1)^2 | v | t^2 / 4 + t; -1 where t < -2 | 2 (r - 1) |
| `variational_squared_hellinger` | (sqrt(u) - 1)^2 | 1 - e^(-v) | t / (1 - t) | log(r) / 2 |
| `variational_jensen_shannon` | u log u - (u + 1) log((u + 1) / 2) | log 2 - softplus(-v) | -log(2 - e^t) | log r |

The divergence of the last row is 2 JS. The divergence of the original GAN, 2 JS - 2 log 2 with f* = -log(1 - e^t), has
the losses of `objectives.minimax`, which equal those of the last row up to constants. The discriminator's loss of
`variational_pearson` is 2 `objectives.pearson_fit_loss` + 1, with r = 1 + v / 2 in place of e^d.

Two departures from the paper do not change any bound that can be attained. First, if |v| > 20, exponentials use
sign(v) (20 + log(1 + |v| - 20)) in place of v, so that they and their gradients are finite. This is another choice of
g_f, so that the bound holds for all v. Second, f* of Pearson's divergence is the conjugate of f on u >= 0, which is
constant below -2. Otherwise, the generator would be pushed away from sequences whose estimated ratio, 1 + v / 2, is
negative.

References:
  Nowozin et al. 2016, tables 1, 2 and 6, https://arxiv.org/abs/1606.00709.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gumbel_gan.arguments import require_callable
from gumbel_gan.losses._checks import require_logits
from gumbel_gan.losses._exponents import slow_growing
from gumbel_gan.losses.objectives import Objective

softplus = jax.nn.softplus
_LOG_2 = 0.6931471805599453


def variational(output: Callable[[jax.Array], jax.Array], conjugate: Callable[[jax.Array], jax.Array]) -> Objective:
    """Builds the objective of an f-divergence in its variational form.

    Args:
      output: v `[...]` -> g_f(v) `[...]`, elementwise, increasing.
      conjugate: v `[...]` -> f*(g_f(v)) `[...]`, elementwise. It is one function, because g_f and f* may overflow if
        computed separately.

    Returns:
      An `Objective`. The discriminator minimizes -(mean g_f(v(x)) - mean f*(g_f(v(y)))), an estimate of the negative
      bound, with x real and y generated. The generator minimizes -mean f*(g_f(v(y))). Both losses raise the errors of
      `objectives.cross_entropy`.

    Raises:
      TypeError: `output` or `conjugate` is not callable.

    References:
      Nowozin et al. 2016, equation 6, https://arxiv.org/abs/1606.00709.
    """
    require_callable(output=output, conjugate=conjugate)

    def discriminator_loss(real: jax.Array, generated: jax.Array) -> jax.Array:
        require_logits(real, generated)
        return jnp.mean(conjugate(generated)) - jnp.mean(output(real))

    def generator_loss(real: jax.Array, generated: jax.Array) -> jax.Array:
        require_logits(real, generated)
        return -jnp.mean(conjugate(generated))

    return Objective(discriminator_loss, generator_loss)


variational_kl = variational(slow_growing, lambda v: jnp.exp(slow_growing(v) - 1))
variational_reverse_kl = variational(lambda v: -jnp.exp(slow_growing(-v)), lambda v: slow_growing(v) - 1)
variational_pearson = variational(lambda v: v, lambda v: jnp.square(jnp.maximum(v, -2) / 2 + 1) - 1)
variational_squared_hellinger = variational(
    lambda v: 1 - jnp.exp(slow_growing(-v)), lambda v: jnp.exp(slow_growing(v)) - 1
)
variational_jensen_shannon = variational(lambda v: _LOG_2 - softplus(-v), lambda v: softplus(v) - _LOG_2)
