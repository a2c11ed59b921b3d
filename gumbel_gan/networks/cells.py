"""The LSTM cell of generators and discriminators.

Its derivative is written by hand. What autodiff makes of the textbook cell is right, but it saves nearly twice as many
arrays a step, computes gates again, and lays out the products for the weights' gradient unfavourably
(`experiments/benchmarks/step.py`; BUILD_NOTES.md has the figures).
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

# A network's variables, as Flax calls them.
Params = Any
LSTMCarry = tuple[jax.Array, jax.Array]


class LSTMCell(nn.RNNCellBase):
    """An LSTM cell with one kernel, its forget gates open at first (a bias of 1), so that it remembers.

    Attributes:
      features: H, its width.
      dtype: of the computation; parameters are float32.

    References:
      Gers et al. 2000, for the forget gates, https://doi.org/10.1162/089976600300015015.
    """

    features: int
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, carry: LSTMCarry, x: jax.Array) -> tuple[LSTMCarry, jax.Array]:
        """Takes a step: (carry, x `[B, N]`) -> (carry, h `[B, H]`)."""
        kernel = self.param("kernel", _init_kernel, (x.shape[-1] + self.features, 4 * self.features))
        bias = self.param("bias", _init_bias, (4 * self.features,))
        carry = lstm_step(kernel.astype(self.dtype), bias.astype(self.dtype), carry, x.astype(self.dtype))
        return carry, carry[1]

    @nn.nowrap
    def initialize_carry(self, rng: jax.Array, input_shape: tuple[int, ...]) -> LSTMCarry:
        """Gives the carry of zeros for inputs `[B, N]`; the key is not used."""
        zeros = jnp.zeros((*input_shape[:-1], self.features), self.dtype)
        return zeros, zeros

    @property
    def num_feature_axes(self) -> int:
        """Axes of an input that aren't axes of a batch."""
        return 1


@jax.custom_vjp
def lstm_step(kernel: jax.Array, bias: jax.Array, carry: LSTMCarry, x: jax.Array) -> LSTMCarry:
    """Takes a step of an LSTM.

    i, f, o, g = [x, h] W + b,  c' = sigmoid(f) c + sigmoid(i) tanh(g),  h' = sigmoid(o) tanh(c').

    It can be differentiated in reverse, as often as wanted, but not forwards (`jax.jvp`).

    Args:
      kernel: W, `[N + H, 4 H]`, its columns those of i, f, o and g in turn; floating, as all other arguments are, and
        of the same dtype.
      bias: b, `[4 H]`.
      carry: c and h, `[B, H]` each.
      x: `[B, N]` input.

    Returns:
      c' and h', `[B, H]` each.

    References:
      Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735; Gers et al. 2000, for f,
      https://doi.org/10.1162/089976600300015015.
    """
    return _forwards(kernel, bias, carry, x)[0]


class _Gates(NamedTuple):
    """What the gates' derivative needs, `[B, H]` each: sigmoid(i), sigmoid(f), sigmoid(o), tanh(g), c and tanh(c')."""

    i: jax.Array
    f: jax.Array
    o: jax.Array
    g: jax.Array
    c: jax.Array
    tanh: jax.Array


_Residuals = tuple[jax.Array, jax.Array, _Gates]

# In suffixes, G is the width of all gates, 4 H, and M that of what they see, N + H.


def _forwards(kernel: jax.Array, bias: jax.Array, carry: LSTMCarry, x: jax.Array) -> tuple[LSTMCarry, _Residuals]:
    c_BH, h_BH = carry
    xh_BM = jnp.concatenate([x, h_BH], axis=-1)
    # One tanh for all four: sigmoid(z) = (1 + tanh(z / 2)) / 2.
    scale_G = np.repeat([0.5, 0.5, 0.5, 1.0], c_BH.shape[-1]).astype(kernel.dtype)
    *sigmoids, g_BH = jnp.split(jnp.tanh(scale_G[None] * (xh_BM @ kernel + bias[None])), 4, axis=-1)
    i_BH, f_BH, o_BH = (0.5 * sigmoid + 0.5 for sigmoid in sigmoids)
    new_c_BH = f_BH * c_BH + i_BH * g_BH
    tanh_BH = jnp.tanh(new_c_BH)
    return (new_c_BH, o_BH * tanh_BH), (kernel, xh_BM, _Gates(i_BH, f_BH, o_BH, g_BH, c_BH, tanh_BH))


def _backwards(residuals: _Residuals, cotangent: LSTMCarry) -> tuple[jax.Array, jax.Array, LSTMCarry, jax.Array]:
    kernel, xh_BM, gates = residuals
    dz_BG, dc_BH = _gates_backwards(gates, *cotangent)
    dx_BN, dh_BH = jnp.split(dz_BG @ kernel.T, [kernel.shape[0] - dc_BH.shape[-1]], axis=-1)
    return xh_BM.T @ dz_BG, jnp.sum(dz_BG, axis=0), (dc_BH, dh_BH), dx_BN


# Differentiated again under gradient penalties, where its products are cheaper to make anew than to save.
@jax.checkpoint
def _gates_backwards(gates: _Gates, dc_BH: jax.Array, dh_BH: jax.Array) -> tuple[jax.Array, jax.Array]:
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


lstm_step.defvjp(_forwards, _backwards)


def _init_kernel(key: jax.Array, shape: tuple[int, int]) -> jax.Array:
    """Draws the part of the input from N(0, 1 / N), truncated, and those of the state orthogonal, gate by gate."""
    num_rows, num_columns = shape
    num_hidden = num_columns // 4
    input_key, *state_keys = jax.random.split(key, 5)
    of_input = nn.initializers.lecun_normal()(input_key, (num_rows - num_hidden, num_columns))
    of_state = [nn.initializers.orthogonal()(state_key, (num_hidden, num_hidden)) for state_key in state_keys]
    return jnp.concatenate([of_input, jnp.concatenate(of_state, axis=1)])


def _init_bias(key: jax.Array, shape: tuple[int]) -> jax.Array:
    del key
    return jnp.zeros(4).at[1].set(1.0).repeat(shape[0] // 4)
