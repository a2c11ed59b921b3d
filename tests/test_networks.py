import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan import networks

NUM_SYMBOLS = 4


def make_input(batch_size: int) -> jax.Array:
    return jax.nn.one_hot(jnp.arange(batch_size) % (NUM_SYMBOLS + 1), NUM_SYMBOLS + 1)


@pytest.mark.parametrize("latent", networks.LATENTS)
def test_generator_step_has_the_documented_shapes(latent):
    generator = networks.lstm_generator(NUM_SYMBOLS, 3, latent=latent)
    params = generator.init(jax.random.key(0))
    carry = generator.initial_carry(jax.random.key(1), 5)
    new_carry, logits = jax.jit(generator.step)(params, carry, make_input(5))
    chex.assert_shape(logits, (5, NUM_SYMBOLS))
    chex.assert_trees_all_equal_shapes_and_dtypes(carry, new_carry)


def test_nothing_but_padding_follows_the_end():
    generator = networks.lstm_generator(5, 7, padding=2, ends=True)
    params = generator.init(jax.random.key(0))
    inputs = jax.nn.one_hot(jnp.array([0, 2, 5, 2]), 6)
    carry = generator.initial_carry(jax.random.key(1), 4)
    probs = jax.nn.softmax(generator.step(params, carry, inputs)[1])
    np.testing.assert_array_equal(probs[1], [0, 0, 1, 0, 0])
    np.testing.assert_array_equal(probs[1], probs[3])
    assert (probs[::2] > 0).all()

    def log_prob_of_the_end(params):
        return jax.nn.log_softmax(generator.step(params, carry, inputs)[1])[1, 2]

    assert all((leaf == 0).all() for leaf in jax.tree.leaves(jax.grad(log_prob_of_the_end)(params)))
    with pytest.raises(ValueError, match="padding must be None or a symbol from 0 to 4, got 5"):
        networks.lstm_generator(5, 7, padding=5)
    with pytest.raises(ValueError, match="padding must be a symbol where ends is true, got None"):
        networks.lstm_generator(5, 7, ends=True)


def test_the_latent_pair_replaces_the_initial_state():
    expected = {"hidden_and_cell": (True, True), "hidden": (False, True), "none": (False, False)}
    for latent, (cell_is_random, hidden_is_random) in expected.items():
        generator = networks.lstm_generator(NUM_SYMBOLS, 500, latent=latent)
        cell, hidden = (np.asarray(each) for each in generator.initial_carry(jax.random.key(0), 20))
        for values, is_random in ((cell, cell_is_random), (hidden, hidden_is_random)):
            assert values.std() == pytest.approx(float(is_random), abs=0.05)
        assert generator.has_latent == (cell_is_random or hidden_is_random)
        if latent == "hidden_and_cell":
            assert abs(np.corrcoef(cell.ravel(), hidden.ravel())[0, 1]) < 0.05


def test_gru_cell_is_the_textbook_one():
    # Written out from the gates; the reset gate acts on the recurrent part after its product, as in cuDNN.
    generator = networks.gru_generator(NUM_SYMBOLS, 3)
    params = generator.init(jax.random.key(0))
    hidden, x = jax.random.normal(jax.random.key(1), (5, 3)), make_input(5)
    new_hidden, logits = generator.step(params, hidden, x)
    gru, head = params["params"]["GRUCell_0"], params["params"]["Dense_0"]

    def dense(name, value):
        return value @ gru[name]["kernel"] + gru[name].get("bias", jnp.zeros(3))[None]

    reset = jax.nn.sigmoid(dense("ir", x) + dense("hr", hidden))
    update = jax.nn.sigmoid(dense("iz", x) + dense("hz", hidden))
    candidate = jnp.tanh(dense("in", x) + reset * dense("hn", hidden))
    expected = (1 - update) * candidate + update * hidden
    np.testing.assert_allclose(new_hidden, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(logits, expected @ head["kernel"] + head["bias"][None], rtol=1e-4, atol=1e-6)


def test_the_latent_of_a_gru_is_its_state():
    for latent in networks.GRU_LATENTS:
        generator = networks.gru_generator(NUM_SYMBOLS, 500, latent=latent)
        state = np.asarray(generator.initial_carry(jax.random.key(0), 20))
        assert state.std() == pytest.approx(float(latent == "hidden"), abs=0.05)
        assert generator.has_latent == (latent == "hidden")
    with pytest.raises(ValueError, match="latent must be one of hidden, none; got 'hidden_and_cell'"):
        networks.gru_generator(NUM_SYMBOLS, 3, latent="hidden_and_cell")


@pytest.mark.parametrize("pooling", networks.POOLINGS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("make", [networks.lstm_discriminator, networks.gru_discriminator])
def test_discriminator_gives_a_logit_a_sequence_and_uses_every_symbol(make, pooling, bidirectional):
    discriminator = make(NUM_SYMBOLS, 3, pooling=pooling, bidirectional=bidirectional)
    params = discriminator.init(jax.random.key(0))
    x = jax.nn.one_hot(jax.random.randint(jax.random.key(1), (5, 6), 0, NUM_SYMBOLS), NUM_SYMBOLS)
    logits = jax.jit(discriminator.logits)(params, x)
    chex.assert_shape(logits, (5,))
    gradient = jax.grad(lambda x: discriminator.logits(params, x).sum())(x)
    assert (np.abs(gradient).max(axis=(0, 2)) > 0).all()
    # Each logit is a function of its own sequence.
    chex.assert_trees_all_close(discriminator.logits(params, x[2:3]), logits[2:3], rtol=1e-4, atol=1e-6)


def test_bidirectional_features_are_the_last_states_of_both_directions():
    discriminator = networks.lstm_discriminator(NUM_SYMBOLS, 3, pooling="last", bidirectional=True)
    params = discriminator.init(jax.random.key(0))
    x = jax.nn.one_hot(jax.random.randint(jax.random.key(1), (2, 6), 0, NUM_SYMBOLS), NUM_SYMBOLS)
    forwards = {"params": {"LSTMCell_0": params["params"]["LSTMCell_0"]}}
    backwards = {"params": {"LSTMCell_0": params["params"]["LSTMCell_1"]}}
    head = params["params"]["Dense_0"]
    single = networks.lstm_discriminator(NUM_SYMBOLS, 3, pooling="last")

    def last_part(lstm, x, kernel):
        lstm = {"params": lstm["params"] | {"Dense_0": {"kernel": kernel, "bias": jnp.zeros(1)}}}
        return single.logits(lstm, x)

    expected = (
        last_part(forwards, x, head["kernel"][:3]) + last_part(backwards, x[:, ::-1], head["kernel"][3:]) + head["bias"]
    )
    chex.assert_trees_all_close(discriminator.logits(params, x), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("make", [networks.lstm_prefix_discriminator, networks.gru_prefix_discriminator])
def test_a_prefix_s_logit_uses_all_of_its_symbols_and_no_later_one(make):
    discriminator = make(NUM_SYMBOLS, 3)
    params = discriminator.init(jax.random.key(0))
    x = jax.nn.softmax(jax.random.normal(jax.random.key(1), (2, 4, NUM_SYMBOLS)))
    logits = jax.jit(discriminator.logits)(params, x)
    chex.assert_shape(logits, (2, 4))
    assert logits.dtype == jnp.float32
    chex.assert_trees_all_close(discriminator.logits(params, x[:, :2]), logits[:, :2], rtol=1e-4, atol=1e-6)
    jacobian = jax.jacobian(lambda x: discriminator.logits(params, x[None])[0])(x[0])
    used = np.abs(jacobian).max(axis=-1) > 0
    np.testing.assert_array_equal(used, np.tri(4, dtype=bool))


def test_bfloat16_compute_keeps_float32_parameters_and_logits_and_agrees():
    x = jax.nn.one_hot(jax.random.randint(jax.random.key(1), (5, 6), 0, NUM_SYMBOLS), NUM_SYMBOLS)
    outputs = {}
    for dtype in (jnp.float32, jnp.bfloat16):
        discriminator = networks.lstm_discriminator(NUM_SYMBOLS, 16, dtype=dtype)
        params = discriminator.init(jax.random.key(0))
        assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}
        outputs[dtype] = discriminator.logits(params, x)
        assert outputs[dtype].dtype == jnp.float32
    np.testing.assert_allclose(outputs[jnp.float32], outputs[jnp.bfloat16], atol=0.02)
    steps = {}
    for dtype in (jnp.float32, jnp.bfloat16):
        generator = networks.lstm_generator(NUM_SYMBOLS, 16, dtype=dtype)
        params = generator.init(jax.random.key(0))
        carry, steps[dtype] = generator.step(params, generator.initial_carry(jax.random.key(1), 5), make_input(5))
        assert {leaf.dtype for leaf in jax.tree.leaves(carry)} == {jnp.dtype(dtype)}
        assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}
    np.testing.assert_allclose(steps[jnp.float32], steps[jnp.bfloat16], atol=0.02)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: networks.lstm_generator(1, 3), "num_symbols must be at least 2, got 1"),
        (lambda: networks.lstm_generator(4, 0), "hidden_size must be at least 1, got 0"),
        (lambda: networks.lstm_generator(4, 3, latent="cell"), "latent must be one of hidden_and_cell, hidden, none"),
        (lambda: networks.lstm_discriminator(4, 3, pooling="max"), "pooling must be one of last, last_and_mean"),
        (lambda: networks.lstm_discriminator(4, 0), "hidden_size must be at least 1, got 0"),
        (lambda: networks.lstm_prefix_discriminator(1, 3), "num_symbols must be at least 2, got 1"),
        (lambda: networks.gru_prefix_discriminator(4, 0), "hidden_size must be at least 1, got 0"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_activations_of_an_lstm_are_its_new_cell_and_of_a_gru_those_of_its_candidate():
    x = jax.nn.one_hot(jnp.array([0, 3]), 5)
    lstm = networks.lstm_generator(4, 6, latent="hidden_and_cell")
    carry, behavior = lstm.observed_step(lstm.init(jax.random.key(0)), lstm.initial_carry(jax.random.key(1), 2), x)
    np.testing.assert_array_equal(behavior.activations, carry[0])

    gru = networks.gru_generator(4, 6, latent="hidden")
    params, h = gru.init(jax.random.key(2)), gru.initial_carry(jax.random.key(3), 2)
    new_h, behavior = gru.observed_step(params, h, x)
    cell = params["params"]["GRUCell_0"]
    update = jax.nn.sigmoid(x @ cell["iz"]["kernel"] + cell["iz"]["bias"][None] + h @ cell["hz"]["kernel"])
    np.testing.assert_allclose((1 - update) * jnp.tanh(behavior.activations) + update * h, new_h, atol=1e-6)
    np.testing.assert_array_equal(gru.step(params, h, x)[1], behavior.logits)
