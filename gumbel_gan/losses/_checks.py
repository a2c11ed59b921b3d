"""Checks of arrays, shared by the losses. Only dtypes and shapes are checked, so that traced arrays pass too."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def require_floating(name: str, array: Any, *layouts: str) -> None:
    """Raises unless an argument is a floating array and, if layouts are given, is not empty and fits a layout.

    Args:
      name: the name of the argument, for the error message.
      array: the argument.
      layouts: names of axes, one letter each: "B" allows `[B]`, "BT" allows `[B, T]`. Without layouts any shape passes.

    Raises:
      TypeError: `array` is not an array or is not floating.
      ValueError: the shape of `array` does not fit any layout or contains a 0.
    """
    if not isinstance(array, jax.Array | np.ndarray | np.generic):
        raise TypeError(f"{name} must be an array, got {type(array).__name__}")
    if not jnp.issubdtype(array.dtype, jnp.floating):
        raise TypeError(f"{name} must be floating, got {array.dtype}")
    if layouts and (array.ndim not in map(len, layouts) or 0 in array.shape):
        wanted = " or ".join(f"[{', '.join(layout)}]" for layout in layouts)
        raise ValueError(f"{name} must be {wanted} and not empty, got shape {array.shape}")


def require_logits(real: Any, generated: Any) -> None:
    """Raises unless the arguments are the logits of real and generated sequences, `[B]` and `[N]`, or of prefixes.

    Args:
      real: `[B]` or `[B, T]`, floating and not empty.
      generated: `[N]` or `[N, T]`, floating and not empty.

    Raises:
      TypeError: `real` or `generated` is not a floating array.
      ValueError: `real` or `generated` has the wrong shape or is empty, or their T differ.
    """
    require_floating("real", real, "B", "BT")
    require_floating("generated", generated, "N", "NT")
    if real.shape[1:] != generated.shape[1:]:
        raise ValueError(
            f"generated must have the axes of real but for the first, got shapes {generated.shape} and {real.shape}"
        )
