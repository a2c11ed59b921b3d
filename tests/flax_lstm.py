"""The weight layout of Flax's LSTM cell, against which `LSTMCell` is tested."""

import jax
import jax.numpy as jnp


def params(kernel: jax.Array, bias: jax.Array) -> dict:
    """Returns the weights of an `LSTMCell` under Flax's names: i* for inputs; h* for the recurrence, with biases."""
    num_inputs = kernel.shape[0] - bias.size // 4
    named = {}
    for gate, columns, gate_bias in zip("ifog", jnp.split(kernel, 4, axis=1), jnp.split(bias, 4), strict=True):
        named[f"i{gate}"] = {"kernel": columns[:num_inputs]}
        named[f"h{gate}"] = {"kernel": columns[num_inputs:], "bias": gate_bias}
    return named
