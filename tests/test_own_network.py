"""A user's own network: plain functions, with a cache of any shape and a scalar position in the carry."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gumbel_gan as gg
from gumbel_gan import model as model_lib
from gumbel_gan import training
from tests.own_decoder import decoder

NUM_SYMBOLS, LENGTH = 3, 4
EVERY = jnp.array(list(itertools.product(range(NUM_SYMBOLS), repeat=LENGTH)), jnp.int32)
MODEL = gg.sequence_model(decoder(NUM_SYMBOLS, 8, LENGTH + 2), length=LENGTH, padding=0)
WRONG = EVERY.at[0, 0].set(NUM_SYMBOLS)
PARAMS = MODEL.init(jax.random.key(0))


def test_sequences_may_be_constants_of_a_compiled_function():
    of_constants = jax.jit(lambda params: MODEL.log_prob(params, EVERY))
    np.testing.assert_allclose(of_constants(PARAMS), MODEL.log_prob(PARAMS, EVERY), rtol=1e-5)
    with pytest.raises(ValueError, match=r"tokens must be in \[0, 3\), got 0 to 3"):
        jax.jit(lambda params: MODEL.log_prob(params, WRONG))(PARAMS)


def test_its_likelihoods_are_a_distribution_and_its_samples_follow_it():
    probs = np.exp(jax.jit(MODEL.log_prob)(PARAMS, EVERY))
    np.testing.assert_allclose(probs.sum(), 1.0, rtol=1e-5)
    num = 20_000
    tokens = np.asarray(jax.jit(MODEL.sample, static_argnums=2)(jax.random.key(1), PARAMS, num))
    counts = np.bincount(tokens @ NUM_SYMBOLS ** np.arange(LENGTH)[::-1], minlength=len(EVERY))
    np.testing.assert_array_less(np.abs(counts / num - probs), 5 * np.sqrt(probs / num) + 1e-4)


def test_it_completes_prefixes_and_writes_an_exact_length():
    prefix = EVERY[:40, :2]
    tokens = MODEL.complete(jax.random.key(1), PARAMS, prefix)
    np.testing.assert_array_equal(tokens[:, :2], prefix)
    assert tokens.shape == (40, LENGTH)
    long = np.asarray(MODEL.sample(jax.random.key(2), PARAMS, 50, exact_length=LENGTH + 2))
    assert long.shape == (50, LENGTH + 2)
    assert (long > 0).all()
    with pytest.raises(ValueError, match="length must be at most 6, got 7"):
        MODEL.sample(jax.random.key(2), PARAMS, 50, exact_length=LENGTH + 3)


def test_it_has_no_hidden_states_to_look_at():
    with pytest.raises(ValueError, match="generator must have hidden_states, got None"):
        MODEL.hidden_states(PARAMS, EVERY)


@pytest.mark.slow
def test_the_gradient_of_its_likelihood_is_that_of_teacher_forcing_by_hand():
    tokens = EVERY[5:8]

    def by_hand(params):
        carry, x, total = MODEL.generator.initial_carry(params, 3, LENGTH), jnp.eye(4)[jnp.full(3, 3)], 0.0
        for time in range(LENGTH):
            carry, logits = MODEL.generator.step(params, carry, x)
            total = total + jax.nn.log_softmax(logits)[jnp.arange(3), tokens[:, time]].sum()
            x = jnp.eye(NUM_SYMBOLS + 1)[tokens[:, time]]
        return total

    ours = jax.grad(lambda params: MODEL.log_prob(params, tokens).sum())(PARAMS)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), ours, jax.grad(by_hand)(PARAMS))


@pytest.mark.slow
def test_relaxed_training_learns_a_small_distribution():
    data = jnp.tile(jnp.array([[1, 2, 0, 0], [2, 2, 0, 0], [1, 1, 0, 0], [2, 0, 0, 0]], jnp.int32), (16, 1))
    model = gg.sequence_model(decoder(NUM_SYMBOLS, 8, LENGTH), length=LENGTH, padding=0)
    algorithm = gg.relaxed_gan(
        model,
        gg.lstm_discriminator(NUM_SYMBOLS, 8),
        generator_optimizer=optax.adam(5e-3, b1=0.0, b2=0.9),
        discriminator_optimizer=optax.adam(1e-2, b1=0.0, b2=0.9),
        objective=gg.log_odds,
        estimator=gg.straight_through,
        temperature=1.0,
        penalty=gg.GradientPenalty(3.0, 3.0),
        ema_decay=0.9,
    )
    keys = training.run_keys(0)
    train = jax.jit(lambda state: training.train(algorithm, keys.train, state, data, batch_size=64, num_steps=300))
    state, _ = train(algorithm.init(keys.init))
    probs = np.exp(model.log_prob(algorithm.params(state), data[:4]))
    assert probs.sum() > 0.9
    assert (probs > 0.1).all()


@pytest.mark.slow
def test_policy_gradients_and_roll_outs_take_it():
    algorithm = gg.policy_gradient(
        MODEL,
        gg.lstm_discriminator(NUM_SYMBOLS, 3),
        generator_optimizer=optax.sgd(0.1),
        discriminator_optimizer=optax.sgd(0.1),
        reward=gg.logit,
        advantages=gg.monte_carlo(num_roll_outs=2),
    )
    state = algorithm.init(jax.random.key(0))
    state, metrics = jax.jit(algorithm.step)(jax.random.key(1), state, gg.Batch(EVERY[:8]))
    assert int(state.step) == 1
    assert np.isfinite(metrics["generator_gradient_norm"])


def test_the_masks_of_padding_apply_to_it_too():
    model = gg.sequence_model(
        decoder(NUM_SYMBOLS, 8, LENGTH), length=LENGTH, padding=0, padding_ends=True, allow_empty=False
    )
    tokens = np.asarray(model.sample(jax.random.key(1), PARAMS | {"positions": PARAMS["positions"][:LENGTH]}, 500))
    assert (tokens[:, 0] > 0).all()
    ended = np.maximum.accumulate(tokens == 0, axis=1)
    assert ended.any()
    assert (tokens[ended] == 0).all()
    params = model.init(jax.random.key(3))
    probs = np.exp(model.log_prob(params, EVERY))
    np.testing.assert_allclose(probs.sum(), 1.0, rtol=1e-5)
    given = model_lib.inputs(model, jax.random.key(0), len(EVERY))
    logits = model_lib.teacher_forced_logits(model, params, EVERY, given)
    assert (jax.nn.softmax(logits)[:, 0, 0] == 0).all()
