from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan import estimators, networks, unroll
from gumbel_gan.relaxation.gumbel import sample_gumbel

BATCH, LENGTH, NUM_SYMBOLS = 64, 5, 4
GENERATOR = networks.lstm_generator(NUM_SYMBOLS, 3)
PARAMS = jax.tree.map(lambda leaf: leaf * 2, GENERATOR.init(jax.random.key(0)))
START = unroll.start_symbols(BATCH, NUM_SYMBOLS)
STEP = partial(GENERATOR.step, PARAMS)
CARRY = GENERATOR.initial_carry(jax.random.key(0), BATCH)


def relaxed(key=0, params=PARAMS, **settings):
    settings = {"estimator": estimators.straight_through, "temperature": 1.0} | settings
    return unroll.relaxed(jax.random.key(key), partial(GENERATOR.step, params), CARRY, START, LENGTH, **settings)


def test_start_symbol_is_the_last_input_and_no_output():
    np.testing.assert_array_equal(START, np.tile([0, 0, 0, 0, 1], (BATCH, 1)))


def test_relaxed_shapes_and_one_hot_emissions():
    rolled = relaxed()
    chex.assert_shape((rolled.emitted, rolled.logits), (BATCH, LENGTH, NUM_SYMBOLS))
    assert set(np.unique(rolled.emitted)) == {0.0, 1.0}


def test_straight_through_logits_are_those_of_teacher_forcing_its_own_symbols():
    rolled = relaxed()
    forced = unroll.teacher_forced(STEP, CARRY, START, rolled.emitted.argmax(-1))
    chex.assert_trees_all_close(rolled.logits, forced, rtol=1e-5, atol=1e-6)


def test_hard_logits_are_those_of_teacher_forcing_its_own_tokens_at_every_temperature():
    for temperature in (0.5, 1.0, 2.0):
        rolled = unroll.hard(jax.random.key(1), STEP, CARRY, START, LENGTH, temperature=temperature)
        assert rolled.tokens.dtype == jnp.int32
        forced = unroll.teacher_forced(STEP, CARRY, START, rolled.tokens)
        chex.assert_trees_all_close(rolled.logits, forced, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_hard_frequencies_are_the_likelihood(temperature):
    num = 40_000
    start = unroll.start_symbols(num, NUM_SYMBOLS)
    carry = GENERATOR.initial_carry(jax.random.key(0), num)
    tokens = unroll.hard(jax.random.key(2), STEP, carry, start, 2, temperature=temperature).tokens
    shares = np.bincount(np.asarray(tokens[:, 0] * NUM_SYMBOLS + tokens[:, 1]), minlength=NUM_SYMBOLS**2) / num
    every = jnp.stack(jnp.meshgrid(*[jnp.arange(NUM_SYMBOLS)] * 2, indexing="ij"), -1).reshape(-1, 2)
    few = unroll.start_symbols(len(every), NUM_SYMBOLS)
    logits = unroll.teacher_forced(STEP, GENERATOR.initial_carry(jax.random.key(0), len(every)), few, every)
    probs = np.exp(unroll.token_log_probs(logits / temperature, every).sum(-1))
    np.testing.assert_allclose(probs.sum(), 1.0, rtol=1e-5)
    np.testing.assert_array_less(np.abs(shares - probs), 5 * np.sqrt(probs * (1 - probs) / num))


def test_straight_through_emissions_have_the_law_of_hard_samples():
    num = 20_000
    start = unroll.start_symbols(num, NUM_SYMBOLS)
    carry = GENERATOR.initial_carry(jax.random.key(0), num)
    emitted = unroll.relaxed(
        jax.random.key(3), STEP, carry, start, LENGTH, estimator=estimators.straight_through, temperature=3.0
    ).emitted
    tokens = unroll.hard(jax.random.key(4), STEP, carry, start, LENGTH).tokens
    ours, theirs = np.asarray(emitted.mean(0)), np.asarray(jax.nn.one_hot(tokens, NUM_SYMBOLS).mean(0))
    np.testing.assert_array_less(np.abs(ours - theirs), 5 * np.sqrt(2 * 0.25 / num))


def test_emitted_and_fed_back_share_their_noise():
    # With one temperature given twice the roll-out is that of one temperature, to the bit.
    chex.assert_trees_all_equal(
        relaxed(estimator=estimators.soft, temperature=0.7),
        relaxed(estimator=estimators.soft, temperature=0.7, feedback_temperature=0.7),
    )
    # At another temperature of the feedback the first emission stays, and later ones feel it.
    same = relaxed(estimator=estimators.soft, temperature=0.7)
    other = relaxed(estimator=estimators.soft, temperature=0.7, feedback_temperature=5.0)
    chex.assert_trees_all_equal(same.emitted[:, 0], other.emitted[:, 0])
    assert np.abs(same.emitted[:, 1] - other.emitted[:, 1]).max() > 1e-3
    # Straight-through symbols don't depend on the temperature at all, so neither does what is emitted.
    chex.assert_trees_all_equal(relaxed().emitted, relaxed(feedback_temperature=5.0).emitted)


def test_gradient_through_the_feedback_can_be_switched_off():
    def last_emission(params, feedback_gradient):
        return relaxed(params=params, feedback_gradient=feedback_gradient).emitted[:, -1, 0].sum()

    with_feedback, without = (jax.grad(last_emission)(PARAMS, feedback_gradient) for feedback_gradient in (True, False))
    chex.assert_trees_all_equal(relaxed(), relaxed(feedback_gradient=False))
    difference = jax.tree.map(lambda a, b: jnp.abs(a - b).max(), with_feedback, without)
    assert max(jax.tree.leaves(difference)) > 1e-4

    def emission_through_stopped_inputs(params):
        tokens = relaxed().emitted.argmax(-1)
        logits = unroll.teacher_forced(partial(GENERATOR.step, params), CARRY, START, tokens)
        noise_key, _ = jax.random.split(jax.random.key(0))
        noise = jax.random.gumbel(noise_key, (LENGTH, BATCH, NUM_SYMBOLS))
        return jax.nn.softmax(logits[:, -1] + noise[-1])[:, 0].sum()

    chex.assert_trees_all_close(without, jax.grad(emission_through_stopped_inputs)(PARAMS), rtol=1e-4, atol=1e-6)


def test_scheduled_sampling_lies_between_teacher_forcing_and_free_running():
    tokens = jax.random.randint(jax.random.key(1), (BATCH, LENGTH), 0, NUM_SYMBOLS)
    forced = unroll.teacher_forced(STEP, CARRY, START, tokens)

    def scheduled(rate, **options):
        return unroll.scheduled(jax.random.key(2), STEP, CARRY, START, tokens, sampling_rate=rate, **options)

    chex.assert_trees_all_close(scheduled(0.0), forced, rtol=1e-5, atol=1e-6)
    # The first logits know nothing fed back; the others depend on it where it was replaced.
    for rate in (0.5, 1.0):
        logits = scheduled(rate)
        chex.assert_trees_all_close(logits[:, 0], forced[:, 0], rtol=1e-5, atol=1e-6)
        changed = (np.abs(logits[:, 1] - forced[:, 1]).max(axis=-1) > 1e-6).mean()
        # A draw is another symbol than the given one about as often as not by chance.
        expected = rate * (1 - 1 / NUM_SYMBOLS)
        assert abs(changed - expected) < 5 * np.sqrt(0.25 / BATCH)


def test_scheduled_sampling_leaves_the_ends_of_sequences_alone():
    generator = networks.lstm_generator(NUM_SYMBOLS, 3, padding=0, ends=True)
    params = generator.init(jax.random.key(0))
    tokens = jax.random.randint(jax.random.key(1), (BATCH, LENGTH), 1, NUM_SYMBOLS).at[:, 2:].set(0)
    logits = unroll.scheduled(
        jax.random.key(2),
        partial(generator.step, params),
        generator.initial_carry(jax.random.key(3), BATCH),
        START,
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
        step = partial(GENERATOR.step, params)
        logits = unroll.scheduled(jax.random.key(0), step, CARRY, START, tokens, sampling_rate=1.0)
        return logits[:, -1].mean(axis=0)

    # The bias reaches earlier steps only through what they draw.
    gradient = jax.jacobian(last_logits)(jnp.zeros(NUM_SYMBOLS))
    np.testing.assert_allclose(gradient, np.eye(NUM_SYMBOLS), atol=1e-6)


@pytest.mark.parametrize("num_given", range(LENGTH + 1))
def test_completions_keep_what_is_given_and_go_on_as_the_generator_does(num_given):
    tokens = jax.random.randint(jax.random.key(1), (BATCH, LENGTH), 0, NUM_SYMBOLS)
    complete = jax.jit(lambda key, num_given: unroll.completed(key, STEP, CARRY, START, tokens, num_given))
    completed = complete(jax.random.key(2), num_given)
    assert completed.dtype == jnp.int32
    np.testing.assert_array_equal(completed[:, :num_given], tokens[:, :num_given])
    # The noise of a step picks the symbol of logits that know all that stands before it.
    noise = jnp.swapaxes(sample_gumbel(jax.random.key(2), (LENGTH, BATCH, NUM_SYMBOLS)), 0, 1)
    picked = jnp.argmax(unroll.teacher_forced(STEP, CARRY, START, completed) + noise, axis=-1)
    np.testing.assert_array_equal(completed[:, num_given:], picked[:, num_given:])


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="length must be at least 1, got 0"):
        unroll.hard(jax.random.key(0), STEP, CARRY, START, 0)
    with pytest.raises(ValueError, match=r"^temperature must be .* got 0\.0"):
        unroll.hard(jax.random.key(0), STEP, CARRY, START, LENGTH, temperature=0.0)
    with pytest.raises(ValueError, match=r"feedback_temperature must be .* got -1"):
        relaxed(feedback_temperature=-1)
    with pytest.raises(TypeError, match="tokens must be integers, got float32"):
        unroll.teacher_forced(STEP, CARRY, START, jnp.zeros((BATCH, LENGTH)))
    with pytest.raises(TypeError, match="tokens must be integers, got float32"):
        unroll.completed(jax.random.key(0), STEP, CARRY, START, jnp.zeros((BATCH, LENGTH)), 1)
    with pytest.raises(ValueError, match=r"tokens must be \[64, T\], got shape \(3, 5\)"):
        unroll.completed(jax.random.key(0), STEP, CARRY, START, jnp.zeros((3, LENGTH), jnp.int32), 1)
    with pytest.raises(ValueError, match=r"tokens must be \[64, T\], got shape \(3, 5\)"):
        unroll.teacher_forced(STEP, CARRY, START, jnp.zeros((3, LENGTH), jnp.int32))
