"""Sequence models of each kind of generator: samples, completions, likelihoods, hidden states."""

import itertools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gumbel_gan as gg
from gumbel_gan import model as model_lib
from gumbel_gan import unroll
from tests.slow import slow

NUM_SYMBOLS, LENGTH = 3, 4
EVERY = jnp.array(list(itertools.product(range(NUM_SYMBOLS), repeat=LENGTH)), jnp.int32)


def make(latent="none", **settings):
    return gg.sequence_model(gg.lstm_generator(NUM_SYMBOLS, 3, latent=latent), length=LENGTH, **settings)


def loud_params(model, key=0):
    return jax.tree.map(lambda leaf: leaf * 3, model.init(jax.random.key(key)))


MODELS = {
    "lstm": make,
    "lstm with a latent": lambda: make("hidden_and_cell", num_latent_draws=8),
    "two gru layers": lambda: gg.sequence_model(gg.gru_generator(NUM_SYMBOLS, 3, num_layers=2), length=LENGTH),
    "transformer": lambda: gg.sequence_model(
        gg.transformer_generator(NUM_SYMBOLS, 8, num_layers=1, num_heads=2), length=LENGTH
    ),
    "padding ends": lambda: make(padding=0, padding_ends=True),
    "never empty": lambda: make(padding=0, padding_ends=True, allow_empty=False),
}


@pytest.fixture(params=slow(sorted(MODELS), "transformer", "two gru layers"), scope="module")
def model(request):
    return MODELS[request.param]()


def test_samples_are_tokens_and_their_likelihoods_finite(model):
    params = model.init(jax.random.key(0))
    tokens = jax.jit(model.sample, static_argnums=2)(jax.random.key(1), params, 50)
    chex.assert_shape(tokens, (50, LENGTH))
    assert tokens.dtype == jnp.int32
    assert int(tokens.min()) >= 0
    assert int(tokens.max()) < NUM_SYMBOLS
    log_prob = jax.jit(model.log_prob)(params, tokens)
    chex.assert_shape(log_prob, (50,))
    assert log_prob.dtype == jnp.float32
    assert (np.asarray(log_prob) <= 0).all()
    assert np.isfinite(log_prob).all()


def test_likelihoods_sum_to_one_over_all_sequences(model):
    np.testing.assert_allclose(np.exp(jax.jit(model.log_prob)(loud_params(model), EVERY)).sum(), 1.0, rtol=1e-5)


def test_hidden_states_are_those_along_a_sequence_whatever_comes_later(model):
    params = model.init(jax.random.key(0))
    hidden_states = jax.jit(model.hidden_states)
    assert hidden_states(params, EVERY).shape == (*EVERY.shape, model.generator.hidden_size)
    # A symbol changes only the hidden states after it.
    for time in range(LENGTH):
        change = hidden_states(params, EVERY.at[:, time].set(0)) - hidden_states(params, EVERY)
        np.testing.assert_allclose(change[:, : time + 1], 0, atol=1e-6)
        assert (jnp.abs(change[:, time + 1 :]).max(axis=(0, 2)) > 1e-6).all()


def test_completions_keep_the_prefix_and_follow_the_conditional_distribution(model):
    params, num = loud_params(model), 20_000
    prefix = jnp.tile(jnp.array([[1, 2]], jnp.int32), (num, 1))
    tokens = jax.jit(model.complete)(jax.random.key(2), params, prefix)
    assert tokens.shape == (num, LENGTH)
    np.testing.assert_array_equal(tokens[:, :2], prefix)
    if model.generator.sample_latent is None:
        begins = (EVERY[:, :2] == jnp.array([1, 2])[None]).all(axis=1)
        probs = np.exp(model.log_prob(params, EVERY)) * np.asarray(begins)
        probs = probs / probs.sum()
        counts = np.bincount(np.asarray(tokens) @ NUM_SYMBOLS ** np.arange(LENGTH)[::-1], minlength=len(EVERY))
        np.testing.assert_array_less(np.abs(counts / num - probs), 5 * np.sqrt(probs / num) + 1e-6)


def test_the_number_of_given_symbols_may_be_traced():
    model = make()
    params = model.init(jax.random.key(0))
    for num_given in range(LENGTH + 1):
        tokens = jax.jit(model.complete)(jax.random.key(1), params, EVERY, jnp.int32(num_given))
        np.testing.assert_array_equal(tokens[:, :num_given], EVERY[:, :num_given])
    # Without given symbols, `complete` uses the same noise as `sample`.
    free = model.complete(jax.random.key(1), params, EVERY, 0)
    np.testing.assert_array_equal(free, model.sample(jax.random.key(1), params, len(EVERY)))


@pytest.mark.parametrize("latent", ["none", "hidden_and_cell"])
def test_sample_frequencies_are_the_likelihood_at_temperature_one(latent):
    model, num = make(latent, num_latent_draws=4_000), 20_000
    params = loud_params(model)
    tokens = np.asarray(model.sample(jax.random.key(1), params, num))
    counts = np.bincount(tokens @ NUM_SYMBOLS ** np.arange(LENGTH)[::-1], minlength=len(EVERY))
    probs = np.exp(model.log_prob(params, EVERY))
    # The estimated likelihood over latents also has an error, here less than 5 %.
    np.testing.assert_array_less(np.abs(counts / num - probs), 5 * np.sqrt(probs / num) + 0.05 * probs)


def test_what_a_model_cannot_write_has_no_likelihood():
    model = make(padding=0, padding_ends=True)
    log_probs = model.log_prob(model.init(jax.random.key(0)), EVERY)
    after_padding = ((EVERY[:, :-1] == 0) & (EVERY[:, 1:] != 0)).any(axis=1)
    np.testing.assert_array_equal(np.isneginf(log_probs), after_padding)


@pytest.mark.parametrize("padding_ends", [False, True])
def test_samples_of_an_exact_length_hold_no_padding(padding_ends):
    model = make(padding=0, padding_ends=padding_ends)
    params = model.init(jax.random.key(0))
    for length in (2, LENGTH + 3):
        tokens = np.asarray(model.sample(jax.random.key(1), params, 400, exact_length=length))
        assert tokens.shape == (400, length)
        assert set(np.unique(tokens)) == {1, 2}
    usual = np.asarray(model.sample(jax.random.key(1), params, 400))
    ended = np.maximum.accumulate(usual == 0, axis=1)
    assert ended[:, :-1].any()
    assert (usual[ended] == 0).all() == padding_ends
    # The first symbol has its usual distribution, conditional on not being padding.
    shares = np.bincount(tokens[:, 0], minlength=3) / 400
    expected = np.bincount(usual[usual[:, 0] > 0][:, 0], minlength=3) / (usual[:, 0] > 0).sum()
    np.testing.assert_allclose(shares, expected, atol=5 * np.sqrt(0.25 / 200))


@pytest.mark.parametrize("at_once", [False, True])
def test_excluded_symbols_stay_excluded_at_every_temperature(at_once):
    generator = gg.one_pass_generator(NUM_SYMBOLS, LENGTH, 4, num_layers=1, num_heads=2, latent_size=2)
    generator = generator if at_once else gg.lstm_generator(NUM_SYMBOLS, 3)
    model = gg.sequence_model(generator, length=LENGTH, padding=0, padding_ends=True, allow_empty=False)
    params = model.init(jax.random.key(0))

    @jax.jit
    def draw(temperature):
        sampled = model.sample(jax.random.key(1), params, 400, exact_length=LENGTH, temperature=temperature)
        given = jnp.zeros((400, 1), jnp.int32)
        return sampled, model.complete(jax.random.key(2), params, given, 0, temperature=temperature)

    for temperature in (1e-9, 1e9, 1e30):
        sampled, completed = map(np.asarray, draw(temperature))
        assert (sampled > 0).all()
        assert (completed[:, 0] > 0).all()
        ended = np.maximum.accumulate(completed == 0, axis=1)
        assert (completed[ended] == 0).all()


def test_no_empty_sequence_is_drawn_unless_it_is_allowed():
    params = make().init(jax.random.key(0))
    for allow_empty, padding_ends in itertools.product((True, False), repeat=2):
        model = make(padding=0, padding_ends=padding_ends, allow_empty=allow_empty)
        tokens = np.asarray(model.sample(jax.random.key(1), params, 2_000))
        assert (tokens[:, 0] == 0).any() == allow_empty
        emitted = unroll.relaxed(
            jax.random.key(2),
            model_lib.relaxed_step(model, params),
            model.generator.initial_carry(params, 2_000, LENGTH),
            unroll.start_symbols(2_000, NUM_SYMBOLS),
            LENGTH,
            estimator=gg.straight_through,
            temperature=1.0,
        )
        relaxed_tokens = np.asarray(emitted.argmax(-1))
        assert (relaxed_tokens[:, 0] == 0).any() == allow_empty
        ended = np.maximum.accumulate(relaxed_tokens == 0, axis=1)
        assert (relaxed_tokens[ended] == 0).all() == padding_ends


@pytest.mark.slow
def test_no_gradient_flows_through_what_follows_the_end():
    model = make(padding=2, padding_ends=True)
    params = model.init(jax.random.key(0))
    tokens = jnp.array([[0, 2, 2, 2]], jnp.int32)

    def log_prob_after_the_end(params):
        return model_lib.token_log_probs(model, params, tokens, {})[:, 2:].sum()

    assert float(log_prob_after_the_end(params)) == 0
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(jax.grad(log_prob_after_the_end)(params)))


def test_temperature_sharpens_samples_and_leaves_likelihoods_alone():
    model = make()
    params = loud_params(model)
    log_probs = [
        float(jnp.mean(model.log_prob(params, model.sample(jax.random.key(1), params, 2_000, temperature=t))))
        for t in (0.2, 1.0, 5.0)
    ]
    assert log_probs == sorted(log_probs, reverse=True)


def test_latent_log_prob_is_the_mean_of_likelihoods_over_latents():
    # A separate Monte Carlo estimate: many latents, and the product of the token probabilities for each.
    num = 4_000
    model = make("hidden", num_latent_draws=num)
    generator, params = model.generator, loud_params(model)
    ours = np.exp(model.log_prob(params, EVERY[:4]))
    latent = generator.sample_latent(jax.random.key(5), num)
    for tokens, probability in zip(EVERY[:4].tolist(), ours, strict=True):
        carry = generator.initial_carry(params, num, LENGTH, latent=latent)
        x, product = unroll.start_symbols(num, NUM_SYMBOLS), np.ones(num)
        for token in tokens:
            carry, logits = generator.step(params, carry, x)
            product = product * np.asarray(jax.nn.softmax(logits)[:, token])
            x = jnp.tile(jnp.eye(NUM_SYMBOLS + 1)[token][None], (num, 1))
        assert abs(product.mean() - probability) < 7 * product.std() / np.sqrt(num)  # both means have an error


def test_a_condition_must_have_an_entry_a_sequence():
    generator = gg.lstm_generator(NUM_SYMBOLS, 3, condition=gg.Labels(2))
    model = gg.sequence_model(generator, length=LENGTH)
    params = model.init(jax.random.key(0))
    labels = jnp.arange(6, dtype=jnp.int32) % 2
    assert model.sample(jax.random.key(1), params, 6, condition=labels).shape == (6, LENGTH)
    one, other = (model.log_prob(params, EVERY, condition=jnp.full((len(EVERY),), label)) for label in (0, 1))
    assert float(jnp.abs(one - other).max()) > 1e-3
    np.testing.assert_allclose(np.exp(one).sum(), 1.0, rtol=1e-5)
    with pytest.raises(ValueError, match=r"condition must have a leading axis of 5, got shape \(6,\)"):
        model.sample(jax.random.key(1), params, 5, condition=labels)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: make(padding=3), ValueError, "padding must be None or a symbol from 0 to 2, got 3"),
        (lambda: make(padding_ends=True), ValueError, "padding must be a symbol where padding_ends is true, got None"),
        (lambda: make(allow_empty=False), ValueError, "allow_empty must be true where there is no padding"),
        (lambda: make(num_latent_draws=0), ValueError, "num_latent_draws must be at least 1, got 0"),
        (lambda: gg.sequence_model(make().generator, length=0), ValueError, "length must be at least 1, got 0"),
        (lambda: gg.sequence_model(make().generator, length=1.5), TypeError, "length must be an integer, got 1.5"),
        (lambda: PLAIN.log_prob(PARAMS, EVERY + 1), ValueError, r"tokens must be in \[0, 3\), got 1 to 3"),
        (lambda: PLAIN.log_prob(PARAMS, EVERY - 1), ValueError, r"tokens must be in \[0, 3\), got -1 to 1"),
        (
            lambda: gg.model.token_step(PLAIN, PARAMS)(None, jnp.array([0, -1])),
            ValueError,
            r"token must be in \[0, 4\), got -1 to 0",
        ),
        (lambda: PLAIN.log_prob(PARAMS, EVERY * 1.0), TypeError, "tokens must be integers, got float32"),
        (lambda: PLAIN.log_prob(PARAMS, EVERY[0]), ValueError, r"tokens must be \[N, T\] with T at least 1, got shape"),
        (lambda: PLAIN.hidden_states(PARAMS, EVERY[:, :0]), ValueError, r"tokens must be \[N, T\] with T at least 1"),
        (
            lambda: PLAIN.complete(jax.random.key(0), PARAMS, jnp.zeros((2, 5), jnp.int32)),
            ValueError,
            r"tokens must be at most 4 symbols long, got shape \(2, 5\)",
        ),
        (lambda: PLAIN.complete(jax.random.key(0), PARAMS, EVERY, 5), ValueError, r"num_given must be .* got 5"),
        (lambda: PLAIN.sample(jax.random.key(0), PARAMS, -1), ValueError, "num must be at least 0, got -1"),
        (
            lambda: PLAIN.sample(jax.random.key(0), PARAMS, 2, temperature=jnp.ones((2, 1))),
            TypeError,
            r"temperature must be a finite number > 0, got an array of shape \(2, 1\)",
        ),
        (
            lambda: PLAIN.sample(jax.random.key(0), PARAMS, 2, exact_length=0),
            ValueError,
            "length must be at least 1, got 0",
        ),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


PLAIN = make()
PARAMS = PLAIN.init(jax.random.key(0))
