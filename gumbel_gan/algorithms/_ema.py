"""An exponential moving average (EMA) of a network's parameters."""

import jax
import jax.numpy as jnp
import optax

from gumbel_gan.arguments import Scalar, at_step, require_scalar
from gumbel_gan.networks import Params


def check_decay(decay: Scalar, name: str = "ema_decay") -> None:
    """Checks that a decay is a schedule or a number in [0, 1); traced values are not checked."""
    require_scalar(name, decay, low=0, high=1, open_high=True)


def init(params: Params) -> Params:
    """Returns a copy of the parameters in its own buffers, so that a state can be donated."""
    return jax.tree.map(jnp.copy, params)


def update(params: Params, ema_params: Params, decay: Scalar, step: jax.Array) -> Params:
    """Moves the average toward new parameters, with decay_t = min(decay, (1 + t) / (10 + t)).

    The ramp lets the average forget the random initial parameters.

    Args:
      params: the new parameters.
      ema_params: the average so far.
      decay: decay in [0, 1); 0 returns the new parameters.
      step: t, int32 number of updates made before this one.

    Returns:
      The new average.
    """
    count = step.astype(jnp.float32)
    ramped = jnp.minimum(jnp.asarray(at_step(decay, step), jnp.float32), (1.0 + count) / (10.0 + count))
    return optax.incremental_update(params, ema_params, 1.0 - ramped)
