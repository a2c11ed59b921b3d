"""The optimisers that a config can name."""

from collections.abc import Callable, Mapping

import optax


def adam(learning_rate: optax.Schedule, b1: float, b2: float) -> optax.GradientTransformation:
    """Makes Adam."""
    return optax.adam(learning_rate, b1=b1, b2=b2)


def clipped_adam(learning_rate: optax.Schedule, b1: float, b2: float, max_norm: float) -> optax.GradientTransformation:
    """Makes Adam for gradients that are first scaled down to a norm of at most `max_norm`."""
    if not max_norm > 0:
        raise ValueError(f"max_norm must be > 0, got {max_norm}")
    return optax.chain(optax.clip_by_global_norm(max_norm), adam(learning_rate, b1, b2))


OPTIMIZERS: Mapping[str, Callable[..., optax.GradientTransformation]] = {"adam": adam, "clipped_adam": clipped_adam}
