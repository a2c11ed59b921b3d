"""The recurrent cells of generators and discriminators."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gumbel_gan.networks.lstm_step import (
    LSTMCarry,
    lstm_recurrence,
    lstm_recurrence_fwd,
    lstm_step,
    lstm_step_fwd,
)


class SplitCell(nn.RNNCellBase):
    """A Flax cell whose step is split in two: the projection of the input to the gates, and the recurrence.

    `project` accepts the inputs of all steps of a sequence at once, and looks integer symbols up in a table. `__call__`
    takes a step, as in any Flax cell, and creates the parameters that the other methods need. The hidden state that a
    step returns is the one in `Generator.hidden_states`.
    """

    def project(self, x: jax.Array) -> jax.Array:
        """Projects inputs, floating `[..., N]` or symbols `[...]`, to their contribution `[..., G]` to the gates."""
        raise NotImplementedError

    def recur(self, carry: Any, projected: jax.Array) -> tuple[Any, jax.Array, jax.Array]:
        """Takes a step: (carry, projected `[B, G]`) -> (carry, output `[B, H]`, hidden state `[B, H]`)."""
        raise NotImplementedError

    def step(self, carry: Any, x: jax.Array) -> tuple[Any, jax.Array, jax.Array]:
        """Takes the step `recur(carry, project(x))`."""
        return self.recur(carry, self.project(x))

    @property
    def num_feature_axes(self) -> int:
        """The number of feature axes of an input."""
        return 1


class LSTMCell(SplitCell):
    """An LSTM cell with one kernel, whose forget gates have an initial bias of 1, so that it keeps its state at first.

    Its hidden state is the new cell state c', before the tanh and the output gate.

    Attributes:
      features: H, the width of the cell.
      dtype: the dtype of the computation; parameters are float32.
      forward_mode: whether autodiff computes the derivatives, which is slower in reverse mode, but allows `jax.jvp`.

    References:
      Gers et al. 2000, for the forget gates, https://doi.org/10.1162/089976600300015015.
    """

    features: int
    dtype: Any = jnp.float32
    forward_mode: bool = False

    @nn.compact
    def __call__(self, carry: LSTMCarry, x: jax.Array) -> tuple[LSTMCarry, jax.Array]:
        """Takes a step: (carry, x `[B, N]`) -> (carry, h `[B, H]`)."""
        self.param("kernel", _init_kernel, (x.shape[-1] + self.features, 4 * self.features))
        self.param("bias", _init_bias, (4 * self.features,))
        carry, h, _ = self.step(carry, x)
        return carry, h

    def project(self, x: jax.Array) -> jax.Array:
        """Computes x W + b `[..., 4 H]` of inputs x, floating `[..., N]` or symbols `[...]`."""
        kernel, bias = self._weights()
        z = linear(x, kernel[: -self.features], self.dtype)
        return z + bias.astype(self.dtype).reshape(*(1,) * (z.ndim - 1), -1)

    def recur(self, carry: LSTMCarry, projected: jax.Array) -> tuple[LSTMCarry, jax.Array, jax.Array]:
        """Takes a step: (carry, projected `[B, 4 H]`) -> (carry, h `[B, H]`, c `[B, H]`)."""
        kernel, _ = self._weights()
        arguments = kernel[-self.features :].astype(self.dtype), carry, projected
        carry = lstm_recurrence_fwd(*arguments)[0] if self.forward_mode else lstm_recurrence(*arguments)
        return carry, carry[1], carry[0]

    def step(self, carry: LSTMCarry, x: jax.Array) -> tuple[LSTMCarry, jax.Array, jax.Array]:
        """Takes the step `recur(carry, project(x))`, with fewer matrix products if x is floating."""
        if jnp.issubdtype(x.dtype, jnp.integer):
            return self.recur(carry, self.project(x))
        kernel, bias = self._weights()
        arguments = kernel.astype(self.dtype), bias.astype(self.dtype), carry, x.astype(self.dtype)
        carry = lstm_step_fwd(*arguments)[0] if self.forward_mode else lstm_step(*arguments)
        return carry, carry[1], carry[0]

    @nn.nowrap
    def initialize_carry(self, rng: jax.Array | None, input_shape: tuple[int, ...]) -> LSTMCarry:
        """Returns a carry of zeros for inputs `[B, N]`; the key is not used."""
        zeros = jnp.zeros((*input_shape[:-1], self.features), self.dtype)
        return zeros, zeros

    def _weights(self) -> tuple[jax.Array, jax.Array]:
        params = self.variables["params"]
        return params["kernel"], params["bias"]


class GRUCell(SplitCell):
    """A GRU cell with the parameters and values of `flax.linen.GRUCell`.

    Its hidden state is the candidate state before the tanh.

    Attributes:
      features: H, the width of the cell.
      dtype: the dtype of the computation; parameters are float32.

    References:
      Cho et al. 2014, https://arxiv.org/abs/1406.1078; the reset gate acts after the product, as in cuDNN.
    """

    features: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Takes a step: (carry, x `[B, N]`) -> (carry, h `[B, H]`)."""
        for gate in "rzn":
            _DenseParams(x.shape[-1], self.features, True, nn.initializers.lecun_normal(), name=f"i{gate}")()
            _DenseParams(self.features, self.features, gate == "n", nn.initializers.orthogonal(), name=f"h{gate}")()
        carry, h, _ = self.step(carry, x)
        return carry, h

    def project(self, x: jax.Array) -> jax.Array:
        """Computes x W + b `[..., 3 H]` of inputs x, floating `[..., N]` or symbols `[...]`."""
        z = linear(x, self._joined("kernel", "ir", "iz", "in"), self.dtype)
        bias = self._joined("bias", "ir", "iz", "in").astype(self.dtype)
        return z + bias.reshape(*(1,) * (z.ndim - 1), -1)

    def recur(self, carry: jax.Array, projected: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Takes a step: (carry, projected `[B, 3 H]`) -> (carry, h `[B, H]`, candidate before the tanh `[B, H]`)."""
        x_r, x_z, x_n = jnp.split(projected, 3, axis=-1)
        h_r, h_z, h_n = jnp.split(linear(carry, self._joined("kernel", "hr", "hz", "hn"), self.dtype), 3, axis=-1)
        reset, update = jax.nn.sigmoid(x_r + h_r), jax.nn.sigmoid(x_z + h_z)
        candidate = x_n + reset * (h_n + self._joined("bias", "hn").astype(self.dtype)[None])
        h = (1 - update) * jnp.tanh(candidate) + update * carry
        return h, h, candidate

    @nn.nowrap
    def initialize_carry(self, rng: jax.Array | None, input_shape: tuple[int, ...]) -> jax.Array:
        """Returns a carry of zeros for inputs `[B, N]`; the key is not used."""
        return jnp.zeros((*input_shape[:-1], self.features), self.dtype)

    def _joined(self, leaf: str, *names: str) -> jax.Array:
        params = self.variables["params"]
        return jnp.concatenate([params[name][leaf] for name in names], axis=-1)


class _DenseParams(nn.Module):
    """The parameters of a dense layer, without its product."""

    num_inputs: int
    features: int
    use_bias: bool
    kernel_init: Any

    @nn.compact
    def __call__(self) -> None:
        self.param("kernel", self.kernel_init, (self.num_inputs, self.features), jnp.float32)
        if self.use_bias:
            self.param("bias", nn.initializers.zeros_init(), (self.features,), jnp.float32)


def linear(x: jax.Array, kernel: jax.Array, dtype: Any) -> jax.Array:
    """Computes x W if x is floating `[..., N]`, or looks up the rows of W `[N, G]` if x holds symbols `[...]`.

    The gradient of a look-up is one scatter-add. As in `jnp.take`, the rows of symbols not in [-N, N) are NaN, and
    negative symbols count from the end.
    """
    if jnp.issubdtype(x.dtype, jnp.integer):
        return jnp.take(kernel, x, axis=0, mode="fill").astype(dtype)
    return x.astype(dtype) @ kernel.astype(dtype)


def _init_kernel(key: jax.Array, shape: tuple[int, int]) -> jax.Array:
    """Draws the input's weights from a truncated N(0, 1 / N), and the state's as an orthogonal matrix for each gate."""
    num_rows, num_columns = shape
    num_hidden = num_columns // 4
    input_key, *state_keys = jax.random.split(key, 5)
    of_input = nn.initializers.lecun_normal()(input_key, (num_rows - num_hidden, num_columns), jnp.float32)
    orthogonal = nn.initializers.orthogonal()
    of_state = [orthogonal(state_key, (num_hidden, num_hidden), jnp.float32) for state_key in state_keys]
    return jnp.concatenate([of_input, jnp.concatenate(of_state, axis=1)])


def _init_bias(key: jax.Array, shape: tuple[int]) -> jax.Array:
    del key
    return jnp.zeros(4, jnp.float32).at[1].set(1.0).repeat(shape[0] // 4)
