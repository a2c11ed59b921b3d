"""An exponential moving average of a generator's weights."""

import numbers

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from gumbel_gan.networks import Params


def check_decay(average_decay: ArrayLike) -> None:
    """Raises ValueError unless a decay is in [0, 1); traced values pass unchecked."""
    if isinstance(average_decay, numbers.Real) and not 0 <= float(average_decay) < 1:
        raise ValueError(f"average_decay must be in [0, 1), got {average_decay!r}")


def init(params: Params) -> Params:
    """Starts the average at the given weights, in buffers of its own, so that a state can be donated."""
    return jax.tree.map(jnp.copy, params)


def update(params: Params, average: Params, decay: ArrayLike, step: jax.Array) -> Params:
    """Moves the average towards new weights, with decay_t = min(decay, (1 + t) / (10 + t)).

    The ramp lets the average forget the random initial weights.

    Args:
      params: the new weights.
      average: the average so far.
      decay: number in [0, 1); 0 keeps no average.
      step: t, number of updates made before this one.

    Returns:
      The new average.
    """
    ramped = jnp.minimum(decay, (1.0 + step) / (10.0 + step))
    return optax.incremental_update(params, average, 1.0 - ramped)
