from functools import partial

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from gumbel_gan import networks
from gumbel_gan.networks.cells import GRUCell, LSTMCell, linear
from gumbel_gan.networks.lstm_step import lstm_recurrence, lstm_step
from tests import flax_lstm
from tests.slow import slow

NUM_INPUTS, NUM_HIDDEN = 4, 3
# More than twice `NUM_HIDDEN`, so that the input and the state have separate products.
NUM_WIDE_INPUTS = 9


def make_params(key, num_inputs=NUM_INPUTS):
    kernel_key, bias_key = jax.random.split(key)
    return {
        "kernel": jax.random.normal(kernel_key, (num_inputs + NUM_HIDDEN, 4 * NUM_HIDDEN)),
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
@pytest.mark.parametrize("num_inputs", [NUM_INPUTS, NUM_WIDE_INPUTS])
def test_lstm_and_its_derivatives_are_flax_s(loss, num_inputs):
    params = make_params(jax.random.key(0), num_inputs)
    x = jax.random.normal(jax.random.key(1), (5, 6, num_inputs))
    value, gradients = jax.jit(jax.value_and_grad(partial(loss, ours), argnums=(0, 1)))(params, x)
    expected_value, expected = jax.jit(jax.value_and_grad(partial(loss, flax), argnums=(0, 1)))(params, x)
    np.testing.assert_allclose(value, expected_value, rtol=1e-4)
    chex.assert_trees_all_close(gradients, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("num_inputs", slow([NUM_INPUTS, NUM_WIDE_INPUTS], NUM_INPUTS))
def test_derivatives_of_a_step_are_the_numerical_ones(num_inputs):
    params = make_params(jax.random.key(0), num_inputs)
    keys = jax.random.split(jax.random.key(1), 4)
    c, h, x, z = (jax.random.normal(key, (2, num)) for key, num in zip(keys, (3, 3, num_inputs, 12), strict=True))
    with jax.enable_x64(True):
        params, c, h, x, z = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), (params, c, h, x, z))
        check_grads(lstm_step, (params["kernel"], params["bias"], (c, h), x), order=2, modes=["rev"])
        check_grads(lstm_recurrence, (params["kernel"][num_inputs:], (c, h), z), order=2, modes=["rev"])


def test_a_step_says_that_it_has_no_forward_mode():
    params = make_params(jax.random.key(0))
    arguments = (*params.values(), (jnp.zeros((1, NUM_HIDDEN)),) * 2, jnp.ones((1, NUM_INPUTS)))
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(lstm_step, arguments, arguments)


def test_forward_mode_is_there_on_request():
    variables = {"params": make_params(jax.random.key(0))}
    carry, x = (jnp.ones((2, NUM_HIDDEN)), jnp.zeros((2, NUM_HIDDEN))), jnp.ones((2, NUM_INPUTS))
    plain = LSTMCell(NUM_HIDDEN, forward_mode=True)
    carry_and_h, tangent = jax.jvp(lambda x: plain.apply(variables, carry, x), (x,), (jnp.ones_like(x),))
    chex.assert_trees_all_equal(carry_and_h, LSTMCell(NUM_HIDDEN).apply(variables, carry, x))
    _, expected = jax.jvp(
        lambda x: nn.OptimizedLSTMCell(NUM_HIDDEN).apply({"params": flax_lstm.params(**variables["params"])}, carry, x),
        (x,),
        (jnp.ones_like(x),),
    )
    chex.assert_trees_all_close(tangent, expected, rtol=1e-4, atol=1e-6)
    recur = partial(plain.apply, variables, carry, method="recur")
    z = jnp.ones((2, 4 * NUM_HIDDEN))
    assert np.abs(jax.jvp(recur, (z,), (z,))[1][1]).min() > 0


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


def test_gru_is_flax_s_with_its_parameters():
    cell, reference = GRUCell(NUM_HIDDEN), nn.GRUCell(NUM_HIDDEN)
    h, x = jax.random.normal(jax.random.key(0), (5, NUM_HIDDEN)), jax.random.normal(jax.random.key(1), (5, NUM_INPUTS))
    variables = cell.init(jax.random.key(2), h, x)
    chex.assert_trees_all_equal(variables, reference.init(jax.random.key(2), h, x))
    params = jax.tree.map(lambda leaf: leaf + 0.1, variables)

    def loss(cell, params, h, x):
        new_carry, new_h = cell.apply(params, h, x)
        return jnp.sum(new_h * jnp.arange(15.0).reshape(5, 3)), (new_carry, new_h)

    results = [
        jax.jit(jax.value_and_grad(partial(loss, each), argnums=(0, 1, 2), has_aux=True))(params, h, x)
        for each in (cell, reference)
    ]
    chex.assert_trees_all_close(*results, rtol=1e-4, atol=1e-5)


def test_gru_s_hidden_state_is_its_candidate_before_the_tanh():
    cell, h, x = GRUCell(NUM_HIDDEN), jnp.full((2, NUM_HIDDEN), 0.5), jnp.ones((2, NUM_INPUTS))
    variables = cell.init(jax.random.key(0), h, x)
    new_h, output, candidate = cell.apply(variables, h, x, method="step")
    np.testing.assert_array_equal(new_h, output)
    params = variables["params"]
    update = jax.nn.sigmoid(x @ params["iz"]["kernel"] + h @ params["hz"]["kernel"])
    np.testing.assert_allclose((1 - update) * jnp.tanh(candidate) + update * h, new_h, atol=1e-6)


@pytest.mark.parametrize("cell", [LSTMCell(NUM_HIDDEN), LSTMCell(NUM_HIDDEN, forward_mode=True), GRUCell(NUM_HIDDEN)])
def test_a_step_is_its_two_halves_and_looks_symbols_up(cell):
    symbols = jnp.array([0, 3, 1])
    x = jax.nn.one_hot(symbols, NUM_INPUTS)
    carry = jax.tree.map(lambda leaf: leaf + 0.3, cell.initialize_carry(None, x.shape))
    params = jax.tree.map(lambda leaf: leaf + 0.1, cell.init(jax.random.key(0), carry, x))

    def halves(params, x):
        return cell.apply(params, carry, cell.apply(params, x, method="project"), method="recur")

    def loss(function, params, x):
        result = function(params, x)
        return sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(result)), result

    def step(params, x):
        return cell.apply(params, carry, x, method="step")

    expected = jax.value_and_grad(partial(loss, step), has_aux=True)(params, x)
    for function, inputs in ((halves, x), (halves, symbols), (step, symbols)):
        actual = jax.value_and_grad(partial(loss, function), has_aux=True)(params, inputs)
        chex.assert_trees_all_close(actual, expected, rtol=1e-4, atol=1e-5)
    chex.assert_trees_all_equal(expected[0][1][:2], cell.apply(params, carry, x))


def test_symbols_outside_of_the_table_are_not_numbers():
    rows = linear(jnp.array([1, 2]), jnp.eye(2), jnp.float32)
    np.testing.assert_array_equal(rows, [[0, 1], [np.nan, np.nan]])


def test_generator_s_step_is_the_cell_and_a_linear_head():
    generator = networks.lstm_generator(NUM_INPUTS - 1, NUM_HIDDEN, latent="hidden_and_cell")
    cell = make_params(jax.random.key(0))
    head = {"kernel": jax.random.normal(jax.random.key(2), (3, 3)), "bias": jnp.arange(3.0)}
    params = networks.lstm_generator_params(cell["kernel"], cell["bias"], head["kernel"], head["bias"])
    chex.assert_trees_all_equal_shapes_and_dtypes(params, generator.init(jax.random.key(3)))
    carry = generator.initial_carry(params, 5, 1, latent=generator.sample_latent(jax.random.key(1), 5))
    x = jnp.eye(NUM_INPUTS)[jnp.array([0, 1, 2, 3, 3])]
    new_carry, logits = generator.step(params, carry, x)
    reference = nn.OptimizedLSTMCell(NUM_HIDDEN)
    expected, h = reference.apply({"params": flax_lstm.params(**cell)}, carry.layers[0], x)
    chex.assert_trees_all_close(new_carry.layers[0], expected, rtol=1e-5, atol=1e-6)
    chex.assert_trees_all_close(logits, h @ head["kernel"] + head["bias"][None], rtol=1e-5, atol=1e-6)
