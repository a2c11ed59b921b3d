from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gumbel_gan as gg
from gumbel_gan import model, networks, unroll
from gumbel_gan.relaxation import Estimator, sample_gumbel, soft, straight_through

BATCH, LENGTH, NUM_SYMBOLS = 64, 5, 4
GENERATOR = networks.lstm_generator(NUM_SYMBOLS, 3)
PARAMS = jax.tree.map(lambda leaf: leaf * 2, GENERATOR.init(jax.random.key(0)))
START = unroll.start_symbols(BATCH, NUM_SYMBOLS)
START_TOKENS = unroll.start_tokens(BATCH, NUM_SYMBOLS)
TOKEN_STEP = partial(GENERATOR.token_step, PARAMS)
CARRY = GENERATOR.initial_carry(PARAMS, BATCH, LENGTH)


def relaxed(key=0, params=PARAMS, **settings):
    settings = {"estimator": straight_through, "temperature": 1.0} | settings
    return unroll.relaxed(jax.random.key(key), partial(GENERATOR.step, params), CARRY, START, LENGTH, **settings)


def step_noise(seed):
    """Returns the noise `[B, T, K]` of roll-outs that draw it one step at a time."""
    keys = [jax.random.fold_in(jax.random.key(seed), time) for time in range(LENGTH)]
    return jnp.stack([sample_gumbel(key, (BATCH, NUM_SYMBOLS)) for key in keys], axis=1)


def test_start_symbol_is_the_last_input():
    np.testing.assert_array_equal(START, np.tile([0, 0, 0, 0, 1], (BATCH, 1)))
    np.testing.assert_array_equal(START_TOKENS, np.full(BATCH, NUM_SYMBOLS))


def test_relaxed_shapes_and_one_hot_emissions():
    emitted = relaxed()
    chex.assert_shape(emitted, (BATCH, LENGTH, NUM_SYMBOLS))
    assert set(np.unique(emitted)) == {0.0, 1.0}


def test_straight_through_symbols_are_those_that_their_noise_picks_given_the_symbols_before():
    emitted = relaxed()
    noise_key, _ = jax.random.split(jax.random.key(0))
    noise = jnp.swapaxes(sample_gumbel(noise_key, (LENGTH, BATCH, NUM_SYMBOLS)), 0, 1)
    logits = unroll.teacher_forced(TOKEN_STEP, CARRY, START_TOKENS, emitted.argmax(-1))
    np.testing.assert_array_equal(emitted.argmax(-1), jnp.argmax(logits + noise, axis=-1))


def test_hard_symbols_are_those_that_their_noise_picks_at_every_temperature():
    for temperature in (0.5, 1.0, 2.0):
        tokens = unroll.hard(jax.random.key(1), TOKEN_STEP, CARRY, START_TOKENS, LENGTH, temperature=temperature)
        assert tokens.dtype == jnp.int32
        logits = unroll.teacher_forced(TOKEN_STEP, CARRY, START_TOKENS, tokens)
        np.testing.assert_array_equal(tokens, jnp.argmax(logits / temperature + step_noise(1), axis=-1))


def test_an_estimator_may_take_a_key_of_its_own():
    def uniform_symbols(key, logits, noise, temperature):
        return jax.nn.one_hot(jax.random.randint(key, logits.shape[:1], 0, NUM_SYMBOLS), NUM_SYMBOLS)

    emitted = relaxed(estimator=Estimator(uniform_symbols, one_hot=True, uses_key=True))
    keys = [jax.random.fold_in(jax.random.split(jax.random.key(0))[1], time) for time in range(LENGTH)]
    expected = jnp.stack([jax.random.randint(key, (BATCH,), 0, NUM_SYMBOLS) for key in keys], axis=1)
    np.testing.assert_array_equal(emitted.argmax(-1), expected)


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_hard_frequencies_are_the_likelihood(temperature):
    num = 40_000
    start = unroll.start_tokens(num, NUM_SYMBOLS)
    carry = GENERATOR.initial_carry(PARAMS, num, 2)
    tokens = unroll.hard(jax.random.key(2), TOKEN_STEP, carry, start, 2, temperature=temperature)
    shares = np.bincount(np.asarray(tokens[:, 0] * NUM_SYMBOLS + tokens[:, 1]), minlength=NUM_SYMBOLS**2) / num
    every = jnp.stack(jnp.meshgrid(*[jnp.arange(NUM_SYMBOLS)] * 2, indexing="ij"), -1).reshape(-1, 2)
    few = unroll.start_tokens(len(every), NUM_SYMBOLS)
    logits = unroll.teacher_forced(TOKEN_STEP, GENERATOR.initial_carry(PARAMS, len(every), 2), few, every)
    probs = np.exp(unroll.token_log_probs(logits / temperature, every).sum(-1))
    np.testing.assert_allclose(probs.sum(), 1.0, rtol=1e-5)
    np.testing.assert_array_less(np.abs(shares - probs), 5 * np.sqrt(probs * (1 - probs) / num))


def test_straight_through_emissions_have_the_distribution_of_hard_samples():
    num = 20_000
    start = unroll.start_symbols(num, NUM_SYMBOLS)
    carry, step = GENERATOR.initial_carry(PARAMS, num, LENGTH), partial(GENERATOR.step, PARAMS)
    emitted = unroll.relaxed(jax.random.key(3), step, carry, start, LENGTH, estimator=straight_through, temperature=3.0)
    tokens = unroll.hard(jax.random.key(4), TOKEN_STEP, carry, unroll.start_tokens(num, NUM_SYMBOLS), LENGTH)
    ours, theirs = np.asarray(emitted.mean(0)), np.asarray(jax.nn.one_hot(tokens, NUM_SYMBOLS).mean(0))
    np.testing.assert_array_less(np.abs(ours - theirs), 5 * np.sqrt(2 * 0.25 / num))


def test_emitted_and_fed_back_share_their_noise():
    # An equal feedback temperature yields exactly the roll-out without a feedback temperature.
    chex.assert_trees_all_equal(
        relaxed(estimator=soft, temperature=0.7),
        relaxed(estimator=soft, temperature=0.7, feedback_temperature=0.7),
    )
    # Another feedback temperature changes only the emissions after the first.
    same = relaxed(estimator=soft, temperature=0.7)
    other = relaxed(estimator=soft, temperature=0.7, feedback_temperature=5.0)
    chex.assert_trees_all_equal(same[:, 0], other[:, 0])
    assert np.abs(same[:, 1] - other[:, 1]).max() > 1e-3
    # The values of straight-through symbols do not depend on any temperature.
    chex.assert_trees_all_equal(relaxed(), relaxed(feedback_temperature=5.0))


@pytest.mark.slow
def test_gradient_through_the_feedback_can_be_switched_off():
    def last_emission(params, feedback_gradient):
        return relaxed(params=params, feedback_gradient=feedback_gradient)[:, -1, 0].sum()

    with_feedback, without = (jax.grad(last_emission)(PARAMS, feedback_gradient) for feedback_gradient in (True, False))
    chex.assert_trees_all_equal(relaxed(), relaxed(feedback_gradient=False))
    difference = jax.tree.map(lambda a, b: jnp.abs(a - b).max(), with_feedback, without)
    assert max(jax.tree.leaves(difference)) > 1e-4

    def emission_through_stopped_inputs(params):
        tokens = relaxed().argmax(-1)
        logits = unroll.teacher_forced(partial(GENERATOR.token_step, params), CARRY, START_TOKENS, tokens)
        noise_key, _ = jax.random.split(jax.random.key(0))
        noise = jax.random.gumbel(noise_key, (LENGTH, BATCH, NUM_SYMBOLS))
        return jax.nn.softmax(logits[:, -1] + noise[-1])[:, 0].sum()

    chex.assert_trees_all_close(without, jax.grad(emission_through_stopped_inputs)(PARAMS), rtol=1e-4, atol=1e-6)


def test_scheduled_sampling_replaces_each_symbol_with_the_given_probability():
    tokens = jax.random.randint(jax.random.key(1), (BATCH, LENGTH), 0, NUM_SYMBOLS)
    forced = unroll.teacher_forced(TOKEN_STEP, CARRY, START_TOKENS, tokens)

    def scheduled(rate):
        return unroll.scheduled(jax.random.key(2), TOKEN_STEP, CARRY, START_TOKENS, tokens, sampling_rate=rate)

    chex.assert_trees_all_close(scheduled(0.0), forced, rtol=1e-5, atol=1e-6)
    # The first logits depend on no symbol that is fed back. The second logits change where the first symbol does.
    for rate in (0.5, 1.0):
        logits = scheduled(rate)
        chex.assert_trees_all_close(logits[:, 0], forced[:, 0], rtol=1e-5, atol=1e-6)
        changed = (np.abs(logits[:, 1] - forced[:, 1]).max(axis=-1) > 1e-6).mean()
        # The given symbols are uniform, so that a draw differs from the given symbol with probability 1 - 1 / K.
        expected = rate * (1 - 1 / NUM_SYMBOLS)
        assert abs(changed - expected) < 5 * np.sqrt(0.25 / BATCH)


def test_scheduled_sampling_leaves_the_ends_of_sequences_alone():
    ending = gg.sequence_model(GENERATOR, length=LENGTH, padding=0, padding_ends=True)
    params = GENERATOR.init(jax.random.key(0))
    tokens = jax.random.randint(jax.random.key(1), (BATCH, LENGTH), 1, NUM_SYMBOLS).at[:, 2:].set(0)
    logits = unroll.scheduled(
        jax.random.key(2),
        model.token_step(ending, params),
        CARRY,
        START_TOKENS,
        tokens,
        sampling_rate=1.0,
        padding=0,
    )
    log_probs = unroll.token_log_probs(logits, tokens)
    assert (log_probs[:, :3] < 0).all()
    assert (log_probs > -50).all()
    np.testing.assert_array_equal(log_probs[:, 3:], 0.0)


def test_no_gradient_flows_through_what_is_drawn():
    tokens = jnp.zeros((BATCH, LENGTH), jnp.int32)

    def last_logits(head_bias):
        params = {"params": PARAMS["params"] | {"Dense_0": PARAMS["params"]["Dense_0"] | {"bias": head_bias}}}
        step = partial(GENERATOR.token_step, params)
        logits = unroll.scheduled(jax.random.key(0), step, CARRY, START_TOKENS, tokens, sampling_rate=1.0)
        return logits[:, -1].mean(axis=0)

    # The bias at earlier steps affects the last logits only through draws.
    gradient = jax.jacobian(last_logits)(jnp.zeros(NUM_SYMBOLS))
    np.testing.assert_allclose(gradient, np.eye(NUM_SYMBOLS), atol=1e-6)


@pytest.mark.parametrize("num_given", range(LENGTH + 1))
def test_completions_keep_what_is_given_and_go_on_as_the_generator_does(num_given):
    tokens = jax.random.randint(jax.random.key(1), (BATCH, LENGTH), 0, NUM_SYMBOLS)
    complete = jax.jit(lambda key, num_given: unroll.completed(key, TOKEN_STEP, CARRY, START_TOKENS, tokens, num_given))
    completed = complete(jax.random.key(2), num_given)
    assert completed.dtype == jnp.int32
    np.testing.assert_array_equal(completed[:, :num_given], tokens[:, :num_given])
    # The noise of a step picks the symbol from the logits given all symbols before it.
    logits = unroll.teacher_forced(TOKEN_STEP, CARRY, START_TOKENS, completed)
    picked = jnp.argmax(logits + step_noise(2), axis=-1)
    np.testing.assert_array_equal(completed[:, num_given:], picked[:, num_given:])


def test_the_start_symbol_and_draws_do_not_have_to_fit_the_dtype_of_the_tokens():
    tokens, start = jnp.ones((2, 2), jnp.uint8), unroll.start_tokens(2, 256)
    np.testing.assert_array_equal(unroll.previous_tokens(tokens, start), [[256, 1], [256, 1]])
    start = unroll.start_tokens(2, 300)

    def step(carry, token):
        return carry, jax.nn.one_hot(jnp.full_like(token, 299), 300) * 1e3 + carry

    drawn = unroll.completed(jax.random.key(0), step, jnp.zeros((2, 300)), start, tokens, 1)
    np.testing.assert_array_equal(drawn, [[1, 299], [1, 299]])


def test_noise_of_all_steps_is_never_held_at_once():
    num, length, wide = 50, 40, networks.lstm_generator(700, 3)
    params = wide.init(jax.random.key(0))

    def draw(key):
        carry = wide.initial_carry(params, num, length)
        start = unroll.start_tokens(num, 700)
        return unroll.hard(key, partial(wide.token_step, params), carry, start, length)

    memory = jax.jit(draw).lower(jax.random.key(0)).compile().memory_analysis()
    # Memory for a few arrays of [N, K] floats, but not for one of [T, N, K].
    assert memory.temp_size_in_bytes < 10 * num * 700 * 4 < length * num * 700 * 4


def test_bad_arguments_are_named():
    key = jax.random.key(0)
    with pytest.raises(ValueError, match="length must be at least 1, got 0"):
        unroll.hard(key, TOKEN_STEP, CARRY, START_TOKENS, 0)
    with pytest.raises(ValueError, match=r"^temperature must be .* got 0\.0"):
        unroll.hard(key, TOKEN_STEP, CARRY, START_TOKENS, LENGTH, temperature=0.0)
    with pytest.raises(ValueError, match=r"feedback_temperature must be .* got -1"):
        relaxed(feedback_temperature=-1)
    with pytest.raises(ValueError, match=r"num_given must be .* got 6"):
        unroll.completed(key, TOKEN_STEP, CARRY, START_TOKENS, jnp.zeros((BATCH, LENGTH), jnp.int32), 6)
    tokens = jnp.zeros((BATCH, LENGTH), jnp.int32)
    with pytest.raises(ValueError, match=r"sampling_rate must be .* got 1\.5"):
        unroll.scheduled(key, TOKEN_STEP, CARRY, START_TOKENS, tokens, sampling_rate=1.5)
    for call in (
        lambda tokens: unroll.teacher_forced(TOKEN_STEP, CARRY, START_TOKENS, tokens),
        lambda tokens: unroll.completed(key, TOKEN_STEP, CARRY, START_TOKENS, tokens, 1),
        lambda tokens: unroll.scheduled(key, TOKEN_STEP, CARRY, START_TOKENS, tokens, sampling_rate=0.5),
    ):
        with pytest.raises(TypeError, match="tokens must be integers, got float32"):
            call(jnp.zeros((BATCH, LENGTH)))
        with pytest.raises(ValueError, match=r"tokens must be \[64, T\] with T at least 1, got shape \(3, 5\)"):
            call(jnp.zeros((3, LENGTH), jnp.int32))
