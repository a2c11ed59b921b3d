"""Moment matching: the maximum mean discrepancy (MMD) of the discriminator's outputs for real and generated data."""

import jax
import jax.numpy as jnp

from gumbel_gan.losses._checks import require_logits
from gumbel_gan.losses.objectives import Objective

_SHAPES = (0.2, 0.5, 1.0, 2.0, 5.0)


def rational_quadratic_kernel(first: jax.Array, second: jax.Array) -> jax.Array:
    """Computes a mixture of rational quadratic kernels, mean_a (1 + (u - v)^2 / (2 a))^(-a) over a in 0.2 to 5.

    The kernel is characteristic: the MMD of two distributions of outputs is 0 only if they are equal. Its tails are
    heavy, so that distant outputs still have a gradient.

    Args:
      first: `[...]` outputs u, floating.
      second: `[...]` outputs v, floating, of a shape that broadcasts with that of `first`.

    Returns:
      `[...]` values in (0, 1]; 1 if u = v.

    References:
      Bińkowski et al. 2018, section 2.1, https://arxiv.org/abs/1801.01401.
    """
    square = jnp.square(first - second)
    return jnp.mean(jnp.stack([jnp.exp(-shape * jnp.log1p(square / (2 * shape))) for shape in _SHAPES]), axis=0)


def squared_mmd(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes the unbiased estimate of the squared MMD between outputs for real and for generated sequences.

        mean_{i != j} k(u_i, u_j) + mean_{i != j} k(v_i, v_j) - 2 mean_{i, j} k(u_i, v_j),

    with k the `rational_quadratic_kernel`. For prefixes, the estimate is computed at each length and averaged over the
    lengths.

    Args:
      real: `[B]` outputs u for real sequences, or `[B, T]` for their prefixes; floating, B at least 2.
      generated: `[N]` outputs v for generated sequences, or `[N, T]` for their prefixes; floating, N at least 2.

    Returns:
      A scalar, which may be negative.

    Raises:
      TypeError: `real` or `generated` is not a floating array.
      ValueError: `real` or `generated` has the wrong shape or holds fewer than 2 sequences, or their T differ.

    References:
      Gretton et al. 2012, lemma 6, https://jmlr.org/papers/v13/gretton12a.html; Li et al. 2017, for the discriminator
      that ascends it, https://arxiv.org/abs/1705.08584.
    """
    _require_pairs(real, generated)
    within = jnp.mean(_mean_of_others(real)) + jnp.mean(_mean_of_others(generated))
    return within - 2 * jnp.mean(rational_quadratic_kernel(real[:, None], generated[None, :]))


def witness_losses(real: jax.Array, generated: jax.Array) -> jax.Array:
    """Computes twice the MMD's witness function of the real and the other generated sequences, at each generated one.

        2 (mean_{j != i} k(v_i, v_j) - mean_j k(v_i, u_j)),    v_j without a gradient.

    The mean of the losses has the gradient of `squared_mmd`. The mean of the losses times grad log p(y_i) is an
    unbiased score-function estimate of that gradient. With the mean of the other losses as a baseline, the estimate has
    a bias of the order of 1 / N, since the other losses depend on v_i.

    Args:
      real: as in `squared_mmd`.
      generated: as in `squared_mmd`.

    Returns:
      `[N]` losses.

    Raises:
      TypeError: as in `squared_mmd`.
      ValueError: as in `squared_mmd`.
    """
    _require_pairs(real, generated)
    cross = rational_quadratic_kernel(generated[:, None], real[None, :])
    losses = 2 * (_mean_of_others(generated, fixed=jax.lax.stop_gradient(generated)) - jnp.mean(cross, axis=1))
    return jnp.mean(losses.reshape(len(losses), -1), axis=1)


def _mean_of_others(values: jax.Array, fixed: jax.Array | None = None) -> jax.Array:
    """Computes mean_{j != i} k(v_i, v_j), `[N]` or `[N, T]`; the v_j are `fixed` if it is given."""
    kernel = rational_quadratic_kernel(values[:, None], (values if fixed is None else fixed)[None, :])
    return (jnp.sum(kernel, axis=1) - 1) / (len(values) - 1)


def _require_pairs(real: jax.Array, generated: jax.Array) -> None:
    require_logits(real, generated)
    for name, logits in (("real", real), ("generated", generated)):
        if len(logits) < 2:
            raise ValueError(f"{name} must hold at least 2 sequences, got {len(logits)}")


# The discriminator is a one-dimensional embedding, trained to maximize the MMD of real and generated sequences.
moment_matching = Objective(lambda real, generated: -squared_mmd(real, generated), squared_mmd, witness_losses)
