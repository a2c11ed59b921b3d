from functools import partial

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from gumbel_gan import networks
from gumbel_gan.networks.cells import LSTMCell, lstm_step
from tests import flax_lstm

NUM_INPUTS, NUM_HIDDEN = 4, 3


def make_params(key):
    kernel_key, bias_key = jax.random.split(key)
    return {
        "kernel": jax.random.normal(kernel_key, (NUM_INPUTS + NUM_HIDDEN, 4 * NUM_HIDDEN)),
        "bias": jax.random.normal(bias_key, (4 * NUM_HIDDEN,)),
    }


def unrolled(cell, params, x):
    return nn.RNN(cell).apply({"params": {"cell": params}}, x)


def ours(params, x):
    return unrolled(LSTMCell(NUM_HIDDEN), params, x)


def flax(params, x):
    return unrolled(nn.OptimizedLSTMCell(NUM_HIDDEN), flax_lstm.params(**params), x)


def weighted_states(unroll, params, x):
    h = unroll(params, x)
    return jnp.sum(h * jnp.cos(jnp.arange(h.size)).reshape(h.shape))


def penalty(unroll, params, x):
    return jnp.sum(jax.grad(partial(weighted_states, unroll), argnums=1)(params, x) ** 2)


@pytest.mark.parametrize("loss", [weighted_states, penalty])
def test_lstm_and_its_derivatives_are_flax_s(loss):
    params, x = make_params(jax.random.key(0)), jax.random.normal(jax.random.key(1), (5, 6, NUM_INPUTS))
    value, gradients = jax.value_and_grad(partial(loss, ours), argnums=(0, 1))(params, x)
    expected_value, expected = jax.value_and_grad(partial(loss, flax), argnums=(0, 1))(params, x)
    np.testing.assert_allclose(value, expected_value, rtol=1e-4)
    chex.assert_trees_all_close(gradients, expected, rtol=1e-3, atol=1e-4)


def test_derivatives_of_a_step_are_the_numerical_ones():
    params = make_params(jax.random.key(0))
    keys = jax.random.split(jax.random.key(1), 3)
    c, h, x = (jax.random.normal(key, (2, num)) for key, num in zip(keys, (3, 3, 4), strict=True))
    with jax.enable_x64(True):
        arguments = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), (*params.values(), (c, h), x))
        check_grads(lstm_step, arguments, order=2, modes=["rev"])


def test_a_step_says_that_it_has_no_forward_mode():
    params = make_params(jax.random.key(0))
    arguments = (*params.values(), (jnp.zeros((1, NUM_HIDDEN)),) * 2, jnp.ones((1, NUM_INPUTS)))
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(lstm_step, arguments, arguments)


def test_lstm_starts_with_open_forget_gates_and_orthogonal_recurrences():
    num_inputs, num_hidden = 200, 50
    variables = LSTMCell(num_hidden).init(
        jax.random.key(0), (jnp.zeros((1, num_hidden)),) * 2, jnp.zeros((1, num_inputs))
    )
    kernel, bias = variables["params"]["kernel"], variables["params"]["bias"]
    np.testing.assert_array_equal(bias.reshape(4, num_hidden), np.array([0, 1, 0, 0])[:, None].repeat(num_hidden, 1))
    assert kernel[:num_inputs].std() == pytest.approx(num_inputs**-0.5, rel=0.05)
    recurrences = np.split(np.asarray(kernel[num_inputs:]), 4, axis=1)
    for recurrence in recurrences:
        np.testing.assert_allclose(recurrence.T @ recurrence, np.eye(num_hidden), atol=1e-5)
    assert np.abs(recurrences[0] - recurrences[1]).max() > 0.1


def test_generator_s_step_is_the_cell_and_a_linear_head():
    generator = networks.lstm_generator(NUM_INPUTS - 1, NUM_HIDDEN, latent="hidden_and_cell")
    cell = make_params(jax.random.key(0))
    head = {"kernel": jax.random.normal(jax.random.key(2), (3, 3)), "bias": jnp.arange(3.0)}
    params = networks.lstm_generator_params(cell["kernel"], cell["bias"], head["kernel"], head["bias"])
    chex.assert_trees_all_equal_shapes_and_dtypes(params, generator.init(jax.random.key(3)))
    carry, x = generator.initial_carry(jax.random.key(1), 5), jnp.eye(NUM_INPUTS)[jnp.array([0, 1, 2, 3, 3])]
    new_carry, logits = generator.step(params, carry, x)
    expected, h = nn.OptimizedLSTMCell(NUM_HIDDEN).apply({"params": flax_lstm.params(**cell)}, carry, x)
    chex.assert_trees_all_close(new_carry, expected, rtol=1e-5, atol=1e-6)
    chex.assert_trees_all_close(logits, h @ head["kernel"] + head["bias"][None], rtol=1e-5, atol=1e-6)
