"""Truncated backpropagation through time: reading in windows equals reading in one pass, except for the gradient."""

from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gumbel_gan as gg
from gumbel_gan import carried, sharding, training, unroll
from gumbel_gan.model import token_log_probs, token_step
from tests.own_decoder import decoder

NUM_SYMBOLS, LENGTH, WINDOWS = 3, 4, 6
TEXT = np.random.default_rng(0).integers(0, NUM_SYMBOLS, (WINDOWS, LENGTH)).astype(np.int32)
GENERATOR = gg.lstm_generator(NUM_SYMBOLS, 3)
MODEL = gg.sequence_model(GENERATOR, length=LENGTH)


def algorithm_of(batch_size, model=MODEL, **settings):
    given = {"optimizer": optax.sgd(1.0), "restart_rate": 0.0, "ema_decay": 0.0} | settings
    return gg.truncated_likelihood(model, batch_size=batch_size, **given)


def loud(params):
    """Returns larger parameters, with which logits depend on symbols far back."""
    return jax.tree.map(lambda leaf: 3 * leaf, params)


@jax.jit
def one_pass(params):
    """Returns the negative log-likelihood of each window given all text before it, from one pass over the text."""
    log_probs = token_log_probs(MODEL, params, jnp.asarray(TEXT.reshape(1, -1)), {})
    return -jnp.sum(log_probs.reshape(WINDOWS, LENGTH), axis=1)


def test_windows_read_in_turn_are_the_text_read_in_one_pass():
    algorithm = algorithm_of(1, optimizer=optax.sgd(0.0))
    keys = training.run_keys(0)
    state = algorithm.init(keys.init)
    state = state._replace(generator_params=loud(state.generator_params))
    run = partial(training.train, algorithm, batch_size=1, num_steps=WINDOWS)
    after, metrics = jax.jit(run)(keys.train, state, TEXT)
    expected = one_pass(state.generator_params)
    np.testing.assert_allclose(metrics["generator_loss"], expected, rtol=1e-5)
    assert after.position.last_tokens.tolist() == [TEXT[-1, -1]]
    # Without the text before it, each window but the first has another likelihood.
    alone = jax.jit(MODEL.log_prob)(state.generator_params, TEXT)
    assert np.isclose(alone[0], -expected[0], rtol=1e-5)
    assert (np.abs(alone[1:] + expected[1:]) > 1e-3).all()


def test_a_gradient_ends_at_the_border_of_its_window():
    algorithm = algorithm_of(2)
    state = algorithm.init(jax.random.key(0))
    params = loud(state.generator_params)
    first, second = TEXT[:2], TEXT[2:4]

    def loss(params, is_cut):
        start = unroll.start_tokens(2, NUM_SYMBOLS)
        carry = GENERATOR.initial_carry(params, 2, LENGTH)
        carry, _ = unroll.continued(token_step(MODEL, params), carry, start, first)
        carry = jax.lax.cond(is_cut, jax.lax.stop_gradient, lambda carry: carry, carry)
        _, logits = unroll.continued(token_step(MODEL, params), carry, first[:, -1], second)
        return -jnp.mean(jnp.sum(unroll.token_log_probs(logits, second), axis=1))

    state = state._replace(generator_params=params)
    still = algorithm_of(2, optimizer=optax.sgd(0.0))
    state, _ = jax.jit(still.step)(jax.random.key(1), state, gg.Batch(first))
    chex.assert_trees_all_equal(state.generator_params, params)
    after, metrics = jax.jit(algorithm.step)(jax.random.key(2), state, gg.Batch(second))
    gradient = jax.tree.map(jnp.subtract, params, after.generator_params)
    value_and_grad = jax.jit(jax.value_and_grad(loss))
    value, cut = value_and_grad(params, True)
    np.testing.assert_allclose(metrics["generator_loss"], value, rtol=1e-5)
    chex.assert_trees_all_close(gradient, cut, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(metrics["generator_gradient_norm"], optax.tree.norm(cut), rtol=1e-4)
    whole = value_and_grad(params, False)[1]
    difference = jax.tree.map(lambda one, other: float(jnp.abs(one - other).max()), whole, cut)
    assert max(jax.tree.leaves(difference)) > 1e-3


def test_with_every_row_begun_anew_it_is_maximum_likelihood():
    batch = gg.Batch(TEXT)
    states = {}
    for name, algorithm in {
        "truncated": algorithm_of(WINDOWS, restart_rate=1, ema_decay=0.5),
        "plain": gg.maximum_likelihood(MODEL, optimizer=optax.sgd(1.0), ema_decay=0.5),
    }.items():
        state = algorithm.init(jax.random.key(0))
        for number in range(2):
            state, metrics = jax.jit(algorithm.step)(jax.random.key(number), state, batch)
        states[name] = (state.generator_params, state.ema_params, metrics)
    chex.assert_trees_all_close(states["truncated"], states["plain"], rtol=1e-4, atol=1e-6)


def test_rows_begin_anew_as_often_as_asked_and_else_where_they_were():
    size, model = 400, gg.sequence_model(GENERATOR, length=1)
    algorithm = algorithm_of(size, model, restart_rate=lambda step: 0.25 * step, optimizer=optax.sgd(0.0))
    state, step = algorithm.init(jax.random.key(0)), jax.jit(algorithm.step)
    params = state.generator_params
    for number, window in enumerate(np.random.default_rng(1).integers(0, NUM_SYMBOLS, (2, size, 1))):
        before, (state, _) = state, step(jax.random.key(number), state, gg.Batch(window))
    carry, _ = GENERATOR.token_step(params, before.position.carry, before.position.last_tokens)
    anew, _ = GENERATOR.token_step(
        params, GENERATOR.initial_carry(params, size, 1), unroll.start_tokens(size, NUM_SYMBOLS)
    )
    goes_on, begins = (
        np.isclose(state.position.carry.layers[0][0], each.layers[0][0], atol=1e-6).all(axis=1)
        for each in (carry, anew)
    )
    assert (goes_on != begins).all()
    assert abs(begins.mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / size)


def test_each_row_reads_all_of_the_text_in_order_from_a_place_of_its_own():
    algorithm = algorithm_of(3)
    algorithm = algorithm._replace(
        step=lambda key, state, batch: (state._replace(step=state.step + 1), {"x": batch.tokens[:, 0]})
    )
    data = np.arange(7, dtype=np.int32)[:, None] % NUM_SYMBOLS * np.ones((1, LENGTH), np.int32)
    state, key = algorithm.init(jax.random.key(0)), jax.random.key(1)
    train = partial(training.train, algorithm, key, data=data, batch_size=3)
    middle, first = train(state, num_steps=3)
    _, then = train(middle, num_steps=7)
    rows = np.concatenate([first["x"], then["x"]])
    expected = np.array([[(row * (7 // 3) + step) % 7 for row in range(3)] for step in range(10)])
    np.testing.assert_array_equal(rows, expected % NUM_SYMBOLS)


DROPOUT_MODEL = gg.sequence_model(
    gg.lstm_generator(NUM_SYMBOLS, 3, num_layers=2, dropout_rate=0.5, recurrent_dropout_rate=0.5), length=LENGTH
)


@pytest.mark.slow
def test_dropout_is_drawn_for_each_window_and_is_no_part_of_the_state():
    algorithm = algorithm_of(2, DROPOUT_MODEL, restart_rate=0.3)
    state = algorithm.init(jax.random.key(0))
    step = jax.jit(algorithm.step)
    losses = []
    for number in (1, 1, 2):
        new_state, metrics = step(jax.random.key(number), state, gg.Batch(TEXT[:2]))
        losses.append(float(metrics["generator_loss"]))
    chex.assert_trees_all_equal_shapes_and_dtypes(state, new_state)
    carry = new_state.position.carry
    assert (carry.dropout, carry.recurrent_dropout) == (None, None)
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.slow
def test_seeds_and_short_scans_are_those_of_one_run_each():
    algorithm = algorithm_of(2, restart_rate=0.3, ema_decay=0.5)
    train = partial(training.train, algorithm, batch_size=2)
    keys = training.seeds_axis([0, 7])
    states = jax.lax.map(algorithm.init, keys.init)
    together = jax.jit(jax.vmap(partial(train, num_steps=4), in_axes=(0, 0, None)))
    states_of_both, metrics = together(keys.train, states, TEXT)
    alone = jax.jit(partial(train, num_steps=2))
    for index, seed in enumerate((0, 7)):
        state = jax.tree.map(lambda leaf, index=index: leaf[index], states)
        for _ in range(2):
            state, own_metrics = alone(training.run_keys(seed).train, state, TEXT)
        at_index = jax.tree.map(lambda leaf, index=index: leaf[index], states_of_both)
        chex.assert_trees_all_close(at_index, state, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(metrics["generator_loss"][index, 2:], own_metrics["generator_loss"], rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("num_devices", [1, 2])
def test_two_shards_are_one(num_devices):
    steps = {"batch_size": 2, "num_steps": 4}
    one, two = algorithm_of(2), algorithm_of(2, shard_axis=sharding.SHARDS)
    keys = training.run_keys(0)
    expected = jax.jit(partial(training.train, one, **steps))(keys.train, one.init(keys.init), TEXT)

    mesh = sharding.seeds_mesh(1, 2, jax.devices()[:num_devices])
    seeds = sharding.place(training.seeds_axis([0]), sharding.seeds_sharding(mesh))
    state = sharding.init_seeds(two.init, seeds.init, mesh)
    train = partial(training.train, two, shard_axis=sharding.SHARDS, **steps)
    train = jax.jit(sharding.vmap_seeds(train, mesh, in_axes=(0, 0, None), num_shards=2))
    found = train(seeds.train, state, jax.device_put(TEXT, sharding.replicated(mesh)))
    found = jax.tree.map(lambda leaf: leaf[0], jax.device_get(found))
    chex.assert_trees_all_close(found, jax.device_get(expected), rtol=1e-4, atol=1e-5)
    assert found[0].position.last_tokens.tolist() == [TEXT[3, -1], TEXT[(3 + 3) % WINDOWS, -1]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"restart_rate": 1.5}, r"restart_rate must be a finite number in \[0, 1\], got 1.5"),
        ({"ema_decay": 1.0}, r"ema_decay must be a finite number"),
    ],
)
def test_bad_arguments_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        gg.truncated_likelihood(MODEL, **({"batch_size": 2, "optimizer": optax.sgd(1.0)} | settings))


def test_a_batch_of_another_kind_is_named():
    algorithm = algorithm_of(2)
    state, key = algorithm.init(jax.random.key(0)), jax.random.key(1)
    for batch, message in (
        (gg.Batch(TEXT[:3]), "tokens must hold batch_size, 2, sequences in 1 shards, got 3 in each"),
        (gg.Batch(TEXT[:2], condition=np.zeros(2)), "condition must be None for this algorithm"),
        (gg.Batch(TEXT[:2], weights=np.ones(2, np.float32)), "weights must be None for this algorithm"),
    ):
        with pytest.raises(ValueError, match=message):
            algorithm.step(key, state, batch)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (gg.sequence_model(GENERATOR, length=LENGTH, padding=0), "a model with padding"),
        (gg.sequence_model(gg.lstm_generator(3, 3, latent="hidden"), length=LENGTH), "a generator with a latent"),
        (
            gg.sequence_model(gg.one_pass_generator(3, LENGTH, 4, latent_size=0), length=LENGTH),
            "a generator that writes all symbols at once",
        ),
        (
            gg.sequence_model(gg.transformer_generator(3, 4, num_layers=1), length=LENGTH),
            r"a carry of arrays .* for 2 sequences of 4 symbols",
        ),
        (gg.sequence_model(decoder(3, 4, LENGTH + 1), length=LENGTH), "a carry of arrays"),
    ],
)
def test_a_state_that_cannot_be_carried_on_is_named(model, message):
    assert not carried.is_carried(model)
    message = "model must have a state that can be carried on, got " + message
    for build in (partial(algorithm_of, 2), lambda model: carried.negative_log_likelihoods(model, TEXT)):
        with pytest.raises(ValueError, match=message):
            build(model)
