"""What generators and discriminators share."""

from typing import Any

from flax import traverse_util

Params = Any


def open_forget_gates(params: Params) -> Params:
    """Raises the biases of the forget gates to 1, so that an LSTM remembers at first; Flax starts them at 0.

    References:
      Gers et al. 2000, https://doi.org/10.1162/089976600300015015.
    """
    flat = traverse_util.flatten_dict(params)
    return traverse_util.unflatten_dict(
        {path: leaf + 1.0 if path[-2:] == ("hf", "bias") else leaf for path, leaf in flat.items()}
    )
