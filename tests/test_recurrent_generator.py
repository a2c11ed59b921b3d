from functools import partial

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan import networks
from gumbel_gan.networks import GRUCell, Labels, LSTMCell, Sequences, Vectors

# More symbols than are looked up step by step, and fewer.
MANY, FEW = 20, 4
B, T, H = 5, 6, 3

CELLS = {
    "lstm": LSTMCell,
    "gru": GRUCell,
    "plain_lstm": partial(LSTMCell, forward_mode=True),
    "flax_lstm": nn.OptimizedLSTMCell,
    "flax_simple": nn.SimpleCell,
}


def tokens_of(key, num_symbols, shape=(B, T)):
    return jax.random.randint(key, shape, 0, num_symbols)


def inputs_of(generator, key, condition=None, dropout_key=None):
    given = {} if condition is None else {"condition": condition}
    if dropout_key is not None:
        given["dropout_key"] = dropout_key
    if generator.sample_latent is not None:
        given["latent"] = generator.sample_latent(key, B)
    return given


def stepwise_logits(generator, params, tokens, given, *, by_token):
    """Teacher forcing, a step at a time."""
    start = jnp.full((len(tokens), 1), generator.num_symbols)
    carry, logits = generator.initial_carry(params, *tokens.shape, **given), []
    for token in jnp.concatenate([start, tokens[:, :-1]], axis=1).T:
        if by_token:
            carry, each = generator.token_step(params, carry, token)
        else:
            carry, each = generator.step(params, carry, jax.nn.one_hot(token, generator.num_symbols + 1))
        logits.append(each)
    return jnp.stack(logits, axis=1), carry


@pytest.mark.parametrize(
    ("cell", "num_symbols", "settings"),
    [
        ("lstm", FEW, {"latent": "hidden_and_cell"}),
        ("lstm", MANY, {"latent": "hidden"}),
        ("lstm", MANY, {"num_layers": 2, "embedding_size": 7, "latent": "hidden_and_cell"}),
        ("lstm", FEW, {"num_layers": 2, "dropout_rate": 0.5, "condition": Labels(4)}),
        ("gru", MANY, {"latent": "hidden"}),
        ("gru", FEW, {"num_layers": 3, "embedding_size": 2, "dropout_rate": 0.3, "condition": Vectors(2)}),
        ("plain_lstm", MANY, {"latent": "hidden_and_cell"}),
        ("flax_lstm", FEW, {"latent": "hidden_and_cell", "num_layers": 2}),
        ("flax_simple", MANY, {"latent": "hidden", "embedding_size": 5, "dropout_rate": 0.2}),
    ],
)
def test_one_pass_is_the_steps_one_after_another(cell, num_symbols, settings):
    generator = networks.recurrent_generator(num_symbols, H, cell=CELLS[cell], **settings)
    params, tokens = generator.init(jax.random.key(0)), tokens_of(jax.random.key(1), num_symbols)
    condition = {Labels(4): jnp.arange(B) % 4, Vectors(2): jnp.ones((B, 2))}.get(settings.get("condition"))
    dropout_key = jax.random.key(3) if generator.uses_dropout else None
    given = inputs_of(generator, jax.random.key(2), condition, dropout_key)
    logits = jax.jit(generator.logits)(params, tokens, **given)
    chex.assert_shape(logits, (B, T, num_symbols))
    assert logits.dtype == jnp.float32
    for by_token in (False, True):
        expected, carry = jax.jit(partial(stepwise_logits, generator, by_token=by_token))(params, tokens, given)
        chex.assert_trees_all_close(logits, expected, rtol=1e-4, atol=1e-5)
        chex.assert_trees_all_equal_shapes_and_dtypes(carry, generator.initial_carry(params, B, T, **given))
    hidden, same_logits = jax.jit(generator.hidden_states)(params, tokens, **given)
    chex.assert_shape(hidden, (B, T, generator.hidden_size))
    assert hidden.dtype == jnp.float32
    chex.assert_trees_all_close(same_logits, logits, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("num_symbols", [FEW, MANY])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_gradients_of_one_pass_are_those_of_the_one_hot_steps(cell, num_symbols):
    generator = networks.recurrent_generator(num_symbols, H, cell=CELLS[cell], num_layers=2, latent="hidden")
    params, tokens = generator.init(jax.random.key(0)), tokens_of(jax.random.key(1), num_symbols)
    given = inputs_of(generator, jax.random.key(2))

    def log_prob(logits, params, given):
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits(params, given)), tokens[..., None], axis=-1)
        return jnp.sum(chosen * jnp.arange(1.0, T + 1).reshape(1, T, 1))

    def one_pass(params, given):
        return generator.logits(params, tokens, **given)

    def steps(params, given):
        return stepwise_logits(generator, params, tokens, given, by_token=False)[0]

    gradients = [
        jax.jit(jax.grad(partial(log_prob, each), argnums=(0, 1)))(params, given) for each in (one_pass, steps)
    ]
    chex.assert_trees_all_close(*gradients, rtol=1e-3, atol=1e-5)


def test_logits_at_a_time_are_those_given_the_symbols_before():
    generator = networks.lstm_generator(MANY, H)
    params, tokens = generator.init(jax.random.key(0)), tokens_of(jax.random.key(1), MANY)
    logits = jax.jit(generator.logits)
    base = logits(params, tokens)
    for time in range(T):
        changed = np.abs(logits(params, tokens.at[:, time].add(1) % MANY) - base).max(axis=(0, 2)) > 0
        np.testing.assert_array_equal(changed, np.arange(T) > time)
    # A type that can't hold the start symbol, and sequences without symbols.
    np.testing.assert_array_equal(logits(params, tokens.astype(jnp.int8)), base)
    assert generator.logits(params, tokens[:, :0]).shape == (B, 0, MANY)
    assert generator.logits(params, tokens[:0]).shape == (0, T, MANY)


@pytest.mark.parametrize(("latent", "draws"), [("hidden_and_cell", 2), ("hidden", 1), ("none", 0)])
def test_the_latent_is_the_initial_state_of_every_layer(latent, draws):
    generator = networks.lstm_generator(FEW, 50, latent=latent, num_layers=2)
    params = jax.eval_shape(generator.init, jax.random.key(0))
    assert (generator.sample_latent is None) == (draws == 0)
    given = {} if draws == 0 else {"latent": generator.sample_latent(jax.random.key(1), 200)}
    assert [leaf.shape for leaf in jax.tree.leaves(given)] == [(200, 100)] * draws
    layers = generator.initial_carry(params, 200, T, **given).layers
    for (cell, hidden), part in zip(layers, (slice(0, 50), slice(50, 100)), strict=True):
        expected = [leaf[:, part] for leaf in jax.tree.leaves(given)]
        expected = [jnp.zeros((200, 50))] * (2 - draws) + expected
        chex.assert_trees_all_equal([cell, hidden], expected)
    if draws == 2:
        cells, hiddens = (np.asarray(leaf) for leaf in given["latent"])
        for values in (cells, hiddens):
            # 5 standard errors of a mean and of a variance of N(0, 1).
            assert abs(values.mean()) < 5 / np.sqrt(values.size)
            assert abs(values.var() - 1) < 5 * np.sqrt(2 / values.size)
        assert abs(np.corrcoef(cells.ravel(), hiddens.ravel())[0, 1]) < 5 / np.sqrt(cells.size)


def test_hidden_states_are_the_cell_of_an_lstm_and_the_candidate_of_a_gru():
    tokens = tokens_of(jax.random.key(1), FEW, (B, 1))
    lstm = networks.lstm_generator(FEW, H, latent="hidden_and_cell")
    params, given = lstm.init(jax.random.key(0)), inputs_of(lstm, jax.random.key(2))
    start = jnp.full(B, FEW)
    carry, _ = lstm.token_step(params, lstm.initial_carry(params, B, 1, **given), start)
    hidden, _ = lstm.hidden_states(params, tokens, **given)
    chex.assert_trees_all_close(hidden[:, 0], carry.layers[0][0], rtol=1e-5, atol=1e-6)

    gru = networks.gru_generator(FEW, H, latent="hidden")
    params, given = gru.init(jax.random.key(0)), inputs_of(gru, jax.random.key(2))
    carry, _ = gru.token_step(params, gru.initial_carry(params, B, 1, **given), start)
    hidden, _ = gru.hidden_states(params, tokens, **given)
    cell, h = params["params"]["GRUCell_0"], given["latent"]
    update = jax.nn.sigmoid(cell["iz"]["kernel"][FEW][None] + h @ cell["hz"]["kernel"])
    expected = (1 - update) * jnp.tanh(hidden[:, 0]) + update * h
    chex.assert_trees_all_close(carry.layers[0], expected, rtol=1e-5, atol=1e-6)


def test_hidden_states_of_another_cell_are_its_outputs():
    generator = networks.recurrent_generator(FEW, H, cell=nn.SimpleCell)
    params, tokens = generator.init(jax.random.key(0)), tokens_of(jax.random.key(1), FEW)
    hidden, logits = generator.hidden_states(params, tokens)
    head = params["params"]["Dense_0"]
    chex.assert_trees_all_close(logits, hidden @ head["kernel"] + head["bias"].reshape(1, 1, -1), rtol=1e-5, atol=1e-6)


def test_forward_mode_is_that_of_the_chosen_cell():
    tokens = tokens_of(jax.random.key(1), FEW)
    for cell in ("plain_lstm", "flax_lstm", "gru"):
        generator = networks.recurrent_generator(FEW, H, cell=CELLS[cell])
        params = generator.init(jax.random.key(0))

        def loss(params, generator=generator):
            return jnp.sum(jnp.cos(generator.logits(params, tokens)))

        direction = jax.tree.map(jnp.ones_like, params)
        _, derivative = jax.jvp(loss, (params,), (direction,))
        expected = sum(jnp.sum(leaf) for leaf in jax.tree.leaves(jax.grad(loss)(params)))
        np.testing.assert_allclose(derivative, expected, rtol=1e-3)
    fast = networks.lstm_generator(FEW, H)
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(lambda params: fast.logits(params, tokens), (params,), (params,))


def test_both_lstm_cells_share_their_parameters():
    fast, plain = (networks.recurrent_generator(FEW, H, cell=CELLS[cell]) for cell in ("lstm", "plain_lstm"))
    params = fast.init(jax.random.key(0))
    chex.assert_trees_all_equal(params, plain.init(jax.random.key(0)))
    tokens = tokens_of(jax.random.key(1), FEW)
    chex.assert_trees_all_close(fast.logits(params, tokens), plain.logits(params, tokens), rtol=1e-5, atol=1e-6)


def test_layers_and_embedding_have_parameters_of_their_own():
    generator = networks.lstm_generator(FEW, H, num_layers=2, embedding_size=7)
    params = generator.init(jax.random.key(0))["params"]
    shapes = jax.tree.map(jnp.shape, params)
    assert shapes == {
        "embedding": {"embedding": (FEW + 1, 7)},
        "LSTMCell_0": {"kernel": (7 + H, 4 * H), "bias": (4 * H,)},
        "LSTMCell_1": {"kernel": (2 * H, 4 * H), "bias": (4 * H,)},
        "Dense_0": {"kernel": (H, FEW), "bias": (FEW,)},
    }
    # An embedding before the first layer is the product of its table and the layer's kernel.
    one = networks.lstm_generator(FEW, H, num_layers=2)
    kernel = params["LSTMCell_0"]["kernel"]
    joined = {"kernel": jnp.concatenate([params["embedding"]["embedding"] @ kernel[:7], kernel[7:]])}
    merged = {name: params[name] for name in ("LSTMCell_1", "Dense_0")} | {"LSTMCell_0": params["LSTMCell_0"] | joined}
    tokens = tokens_of(jax.random.key(1), FEW)
    expected = one.logits({"params": merged}, tokens)
    chex.assert_trees_all_close(generator.logits({"params": params}, tokens), expected, rtol=1e-4, atol=1e-5)


def test_dropout_keeps_each_feature_of_a_sequence_or_drops_it_at_all_steps():
    rate, size = 0.3, 400
    generator = networks.gru_generator(FEW, size, num_layers=2, embedding_size=size, dropout_rate=rate)
    assert generator.uses_dropout
    params = jax.eval_shape(generator.init, jax.random.key(0))
    carry = generator.initial_carry(params, 10, T, dropout_key=jax.random.key(1))
    factors = np.asarray(carry.dropout)
    assert factors.shape == (3, 10, 1, size)
    np.testing.assert_allclose(np.unique(factors), [0, 1 / (1 - rate)], rtol=1e-6)
    for layer in factors:
        assert abs((layer == 0).mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / layer.size)
    assert generator.initial_carry(params, 10, T).dropout is None


def test_dropped_features_count_for_nothing():
    generator = networks.lstm_generator(FEW, H, embedding_size=2, dropout_rate=0.5)
    params, tokens = generator.init(jax.random.key(0)), tokens_of(jax.random.key(1), FEW)
    carry = generator.initial_carry(params, B, T, dropout_key=jax.random.key(2))
    kept_output, kept_embedding = np.asarray(carry.dropout)[:, :, 0] > 0

    def dropped(params):
        return generator.logits(params, tokens, dropout_key=jax.random.key(2))

    gradients = jax.jacobian(lambda params: jnp.sum(jnp.sin(dropped(params)), axis=(1, 2)))(params)["params"]
    for row in range(B):
        gradient = jax.tree.map(lambda leaf, row=row: leaf[row], gradients)
        np.testing.assert_array_equal(np.abs(gradient["Dense_0"]["kernel"]).max(axis=1) > 0, kept_output[row, :H])
        reaches = np.abs(gradient["embedding"]["embedding"]).max(axis=0) > 0
        np.testing.assert_array_equal(reaches, kept_embedding[row, :2] & kept_output[row, :H].any())
    assert np.abs(generator.logits(params, tokens) - dropped(params)).max() > 0.01


def test_without_dropout_nothing_is_random():
    generator = networks.lstm_generator(FEW, H)
    assert not generator.uses_dropout
    params, tokens = generator.init(jax.random.key(0)), tokens_of(jax.random.key(1), FEW)
    np.testing.assert_array_equal(generator.logits(params, tokens), generator.logits(params, tokens))


@pytest.mark.parametrize("spec", [Labels(3), Vectors(2)])
@pytest.mark.parametrize("make", [networks.lstm_generator, networks.gru_generator])
def test_a_condition_shifts_the_initial_hidden_state_of_every_layer(make, spec):
    generator = make(FEW, H, num_layers=2, condition=spec, latent="hidden")
    params, tokens = generator.init(jax.random.key(0)), tokens_of(jax.random.key(1), FEW)
    condition = jnp.arange(B) % 3 if spec == Labels(3) else jax.random.normal(jax.random.key(2), (B, 2))
    given = inputs_of(generator, jax.random.key(3), condition)
    (embedding,) = params["params"]["condition_embedding"].values()
    if spec == Labels(3):
        shift = embedding["embedding"][condition]
    else:
        shift = condition @ embedding["kernel"] + embedding["bias"][None]
    layers = generator.initial_carry(params, B, T, **given).layers
    hidden = jnp.concatenate([jax.tree.leaves(layer)[-1] for layer in layers], axis=-1)
    chex.assert_trees_all_close(hidden, given["latent"] + shift, rtol=1e-5, atol=1e-6)

    def loss(params):
        return jnp.sum(jnp.sin(generator.logits(params, tokens, **given)))

    gradient = jax.grad(loss)(params)["params"]["condition_embedding"]
    assert min(np.abs(leaf).min() for leaf in jax.tree.leaves(gradient)) > 0
    logits = generator.logits(params, tokens, **given)
    changed = generator.logits(params, tokens, **(given | {"condition": jnp.roll(condition, 1)}))
    assert np.abs(logits - changed).max(axis=(1, 2)).min() > 0


@pytest.mark.parametrize("cell", CELLS)
def test_bfloat16_compute_keeps_float32_parameters_and_logits_and_agrees(cell):
    tokens = tokens_of(jax.random.key(1), FEW)
    outputs = []
    for dtype in (jnp.float32, jnp.bfloat16):
        generator = networks.recurrent_generator(FEW, 16, cell=CELLS[cell], num_layers=2, dtype=dtype)
        params = generator.init(jax.random.key(0))
        assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}
        carry = generator.initial_carry(params, B, T)
        carry, _ = generator.token_step(params, carry, tokens[:, 0])
        assert {leaf.dtype for leaf in jax.tree.leaves(carry)} == {jnp.dtype(dtype)}
        outputs.append(generator.hidden_states(params, tokens))
        assert {leaf.dtype for leaf in outputs[-1]} == {jnp.dtype("float32")}
    chex.assert_trees_all_close(*outputs, atol=0.03, rtol=0)


def test_computes_in_float32_under_x64():
    with jax.enable_x64(True):
        for settings in ({}, {"embedding_size": 2, "num_layers": 2, "dropout_rate": 0.5, "condition": Vectors(2)}):
            generator = networks.lstm_generator(FEW, H, latent="hidden_and_cell", **settings)
            params = generator.init(jax.random.key(0))
            tokens = tokens_of(jax.random.key(1), FEW)
            condition = jnp.ones((B, 2)) if settings else None
            dropout_key = jax.random.key(3) if settings else None
            given = inputs_of(generator, jax.random.key(2), condition, dropout_key)
            carry = generator.initial_carry(params, B, T, **given)
            new_carry, logits = generator.step(params, carry, jnp.ones((B, FEW + 1), jnp.float64))
            chex.assert_trees_all_equal_shapes_and_dtypes(carry, new_carry)
            results = (params, carry, logits, generator.hidden_states(params, tokens, **given))
            assert {leaf.dtype for leaf in jax.tree.leaves(results)} == {jnp.dtype("float32")}


class GrowingCell(nn.RNNCellBase):
    """A cell whose carry changes its dtype."""

    features: int
    dtype: jnp.dtype
    num_feature_axes = 1

    @nn.compact
    def __call__(self, carry, x):
        h = nn.Dense(self.features, dtype=self.dtype)(x)
        return (carry[0] + 0.5, h), h

    @nn.nowrap
    def initialize_carry(self, rng, input_shape):
        return jnp.zeros((), jnp.int32), jnp.zeros((*input_shape[:-1], self.features), self.dtype)


@pytest.mark.parametrize(
    ("error", "settings", "message"),
    [
        (ValueError, {"num_symbols": 1}, "num_symbols must be at least 2, got 1"),
        (ValueError, {"hidden_size": 0}, "hidden_size must be at least 1, got 0"),
        (TypeError, {"hidden_size": 2.0}, "hidden_size must be an integer, got 2.0"),
        (ValueError, {"num_layers": 0}, "num_layers must be at least 1, got 0"),
        (ValueError, {"embedding_size": 0}, "embedding_size must be at least 1, got 0"),
        (ValueError, {"latent": "cell"}, "latent must be one of none, hidden, hidden_and_cell; got 'cell'"),
        (
            ValueError,
            {"latent": "hidden_and_cell", "cell": GRUCell},
            "latent must be one of none, hidden; got 'hidden_and_cell'",
        ),
        (ValueError, {"dropout_rate": 1.0}, r"dropout_rate must be a finite number in \[0, 1\), got 1.0"),
        (TypeError, {"condition": Sequences(3)}, "condition must be Labels, Vectors or None for this network"),
        (TypeError, {"cell": "lstm"}, "cell must be callable, got 'lstm'"),
        (TypeError, {"cell": nn.Dense}, "cell must build a flax.linen.RNNCellBase, got Dense"),
        (ValueError, {"cell": lambda size, dtype: LSTMCell(size + 1)}, r"cell must have a carry whose last array is"),
        (
            ValueError,
            {"cell": lambda size, dtype: nn.ConvLSTMCell(size, (3,))},
            "cell must take inputs with one axis of features, got one with 2",
        ),
    ],
)
def test_bad_arguments_are_named(error, settings, message):
    sizes = {"num_symbols": FEW, "hidden_size": H} | settings
    with pytest.raises(error, match=message):
        networks.recurrent_generator(**sizes)


def test_a_cell_whose_carry_changes_is_refused():
    with pytest.raises(
        ValueError, match="cell must return a carry with the shapes and dtypes of the one that it takes"
    ):
        networks.recurrent_generator(FEW, H, cell=GrowingCell).init(jax.random.key(0))


@pytest.mark.parametrize(
    ("error", "given", "message"),
    [
        (ValueError, {"latent": None}, "latent must have shape"),
        (ValueError, {"latent": jnp.zeros((B, H + 1))}, rf"latent must have shape \({B}, {H}\) .*got \({B}, {H + 1}\)"),
        (ValueError, {"condition": None}, "condition must be given to a network that was built with Labels"),
        (TypeError, {"condition": jnp.zeros(B)}, "condition must be integers for Labels"),
        (ValueError, {"condition": jnp.zeros(B - 1, jnp.int32)}, rf"condition must have shape \({B},\)"),
    ],
)
def test_bad_inputs_are_named(error, given, message):
    generator = networks.lstm_generator(FEW, H, latent="hidden", condition=Labels(2))
    params = generator.init(jax.random.key(0))
    good = {"latent": jnp.zeros((B, H)), "condition": jnp.zeros(B, jnp.int32)}
    with pytest.raises(error, match=message):
        generator.initial_carry(params, B, T, **(good | given))
    with pytest.raises(error, match=message):
        generator.logits(params, jnp.zeros((B, T), jnp.int32), **(good | given))


def test_bad_symbols_are_named():
    generator = networks.lstm_generator(FEW, H)
    params = generator.init(jax.random.key(0))
    carry = generator.initial_carry(params, B, T)
    for error, function, arguments, message in (
        (TypeError, generator.step, (carry, jnp.zeros((B, FEW + 1), jnp.int32)), "x must be floating, got int32"),
        (ValueError, generator.step, (carry, jnp.zeros((B, FEW))), rf"x must have shape \({B}, {FEW + 1}\)"),
        (TypeError, generator.token_step, (carry, jnp.zeros(B)), "token must be integers, got float32"),
        (ValueError, generator.token_step, (carry, jnp.zeros(2, jnp.int32)), rf"token must have shape \({B},\)"),
        (TypeError, generator.logits, (jnp.zeros((B, T)),), "tokens must be integers, got float32"),
        (ValueError, generator.logits, (jnp.zeros(B, jnp.int32),), r"tokens must be \[B, T\], got shape"),
        (ValueError, generator.initial_carry, (-1, T), "batch_size must be at least 0, got -1"),
        (ValueError, generator.initial_carry, (B, -1), "length must be at least 0, got -1"),
    ):
        with pytest.raises(error, match=message):
            function(params, *arguments)
    with pytest.raises(ValueError, match="latent must be None for a network that was built without one"):
        generator.logits(params, jnp.zeros((B, T), jnp.int32), latent=jnp.zeros((B, H)))
