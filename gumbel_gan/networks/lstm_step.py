"""Steps of an LSTM as pure functions, with hand-written derivatives.

Autodiff of the textbook formulas saves nearly twice as many arrays per step, recomputes gates, and lays out the
products for the weights' gradient unfavorably (`experiments/benchmarks/step.py`; BUILD_NOTES.md has the timings).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

LSTMCarry = tuple[jax.Array, jax.Array]


@jax.custom_vjp
def lstm_step(kernel: jax.Array, bias: jax.Array, carry: LSTMCarry, x: jax.Array) -> LSTMCarry:
    """Computes a step of an LSTM.

    i, f, o, g = [x, h] W + b,  c' = sigmoid(f) c + sigmoid(i) tanh(g),  h' = sigmoid(o) tanh(c').

    It can be differentiated any number of times in reverse mode, but not in forward mode (`jax.jvp`).

    Args:
      kernel: W, `[N + H, 4 H]`, with the columns of i, f, o and g in this order. All arguments are floating, of the
        same dtype.
      bias: b, `[4 H]`.
      carry: c and h, `[B, H]` each.
      x: `[B, N]` input.

    Returns:
      c' and h', `[B, H]` each.

    References:
      Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735; Gers et al. 2000, for f,
      https://doi.org/10.1162/089976600300015015.
    """
    return lstm_step_fwd(kernel, bias, carry, x)[0]


@jax.custom_vjp
def lstm_recurrence(kernel: jax.Array, carry: LSTMCarry, projected: jax.Array) -> LSTMCarry:
    """Computes the step of `lstm_step` from a projected input z: i, f, o, g = z + h W.

    Args:
      kernel: W, `[H, 4 H]`.
      carry: c and h, `[B, H]` each.
      projected: z, `[B, 4 H]`, with the bias added.

    Returns:
      c' and h', `[B, H]` each.
    """
    return lstm_recurrence_fwd(kernel, carry, projected)[0]


class _Gates(NamedTuple):
    """Residuals of the derivative, `[B, H]` each: sigmoid(i), sigmoid(f), sigmoid(o), tanh(g), c and tanh(c')."""

    i: jax.Array
    f: jax.Array
    o: jax.Array
    g: jax.Array
    c: jax.Array
    tanh: jax.Array


_StepResiduals = tuple[jax.Array, jax.Array, jax.Array, _Gates]
_RecurrenceResiduals = tuple[jax.Array, jax.Array, _Gates]

# In suffixes, G is the width of all gates, 4 H.


def _is_wide(x_BN: jax.Array, h_BH: jax.Array) -> bool:
    """Returns whether x and h have separate products, which cost less than a copy [x, h] if x is wide."""
    return x_BN.shape[-1] > 2 * h_BH.shape[-1]


def lstm_step_fwd(
    kernel: jax.Array, bias: jax.Array, carry: LSTMCarry, x: jax.Array
) -> tuple[LSTMCarry, _StepResiduals]:
    """Computes `lstm_step` and the residuals of its derivative. Autodiff can differentiate this function."""
    c_BH, h_BH = carry
    if _is_wide(x, h_BH):
        of_input, of_state = jnp.split(kernel, [x.shape[-1]])
        z_BG = x @ of_input + h_BH @ of_state
    else:
        z_BG = jnp.concatenate([x, h_BH], axis=-1) @ kernel
    carry, gates = _gates_fwd(z_BG + bias[None], c_BH)
    # x and h are saved separately. Otherwise a copy [x, h] would be saved for each step.
    return carry, (kernel, x, h_BH, gates)


def _lstm_step_bwd(
    residuals: _StepResiduals, cotangent: LSTMCarry
) -> tuple[jax.Array, jax.Array, LSTMCarry, jax.Array]:
    kernel, x_BN, h_BH, gates = residuals
    dz_BG, dc_BH = _gates_bwd(gates, *cotangent)
    if _is_wide(x_BN, h_BH):
        of_input, of_state = jnp.split(kernel, [x_BN.shape[-1]])
        dx_BN, dh_BH = dz_BG @ of_input.T, dz_BG @ of_state.T
        dkernel = jnp.concatenate([x_BN.T @ dz_BG, h_BH.T @ dz_BG])
    else:
        dx_BN, dh_BH = jnp.split(dz_BG @ kernel.T, [x_BN.shape[-1]], axis=-1)
        dkernel = jnp.concatenate([x_BN, h_BH], axis=-1).T @ dz_BG
    return dkernel, jnp.sum(dz_BG, axis=0), (dc_BH, dh_BH), dx_BN


def lstm_recurrence_fwd(
    kernel: jax.Array, carry: LSTMCarry, projected: jax.Array
) -> tuple[LSTMCarry, _RecurrenceResiduals]:
    """Computes `lstm_recurrence` and the residuals of its derivative. Autodiff can differentiate this function."""
    c_BH, h_BH = carry
    carry, gates = _gates_fwd(projected + h_BH @ kernel, c_BH)
    return carry, (kernel, h_BH, gates)


def _lstm_recurrence_bwd(
    residuals: _RecurrenceResiduals, cotangent: LSTMCarry
) -> tuple[jax.Array, LSTMCarry, jax.Array]:
    kernel, h_BH, gates = residuals
    dz_BG, dc_BH = _gates_bwd(gates, *cotangent)
    return h_BH.T @ dz_BG, (dc_BH, dz_BG @ kernel.T), dz_BG


def _gates_fwd(z_BG: jax.Array, c_BH: jax.Array) -> tuple[LSTMCarry, _Gates]:
    # A single tanh for all four gates: sigmoid(z) = (1 + tanh(z / 2)) / 2.
    scale_G = np.repeat([0.5, 0.5, 0.5, 1.0], c_BH.shape[-1]).astype(z_BG.dtype)
    *sigmoids, g_BH = jnp.split(jnp.tanh(scale_G[None] * z_BG), 4, axis=-1)
    i_BH, f_BH, o_BH = (0.5 * sigmoid + 0.5 for sigmoid in sigmoids)
    new_c_BH = f_BH * c_BH + i_BH * g_BH
    tanh_BH = jnp.tanh(new_c_BH)
    return (new_c_BH, o_BH * tanh_BH), _Gates(i_BH, f_BH, o_BH, g_BH, c_BH, tanh_BH)


# Gradient penalties differentiate this again, and its products are cheaper to recompute than to save.
@jax.checkpoint
def _gates_bwd(gates: _Gates, dc_BH: jax.Array, dh_BH: jax.Array) -> tuple[jax.Array, jax.Array]:
    i, f, o, g, c, tanh = gates
    dc_BH = dc_BH + dh_BH * o * (1 - tanh * tanh)
    dz_BG = jnp.concatenate(
        [
            dc_BH * g * i * (1 - i),
            dc_BH * c * f * (1 - f),
            dh_BH * tanh * o * (1 - o),
            dc_BH * i * (1 - g * g),
        ],
        axis=-1,
    )
    return dz_BG, dc_BH * f


lstm_step.defvjp(lstm_step_fwd, _lstm_step_bwd)
lstm_recurrence.defvjp(lstm_recurrence_fwd, _lstm_recurrence_bwd)
