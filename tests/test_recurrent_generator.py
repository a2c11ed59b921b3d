from functools import partial

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gumbel_gan as gg
from gumbel_gan import networks
from gumbel_gan.model import inputs
from gumbel_gan.networks import GRUCell, Labels, LSTMCell, Vectors
from tests.parameters import random_params
from tests.slow import slow

# More and fewer than the 16 symbols up to which symbols are looked up step by step.
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


def recurrent(num_symbols=FEW, hidden_size=H, **settings):
    """Returns a recurrent generator whose functions are jitted."""
    generator = networks.recurrent_generator(num_symbols, hidden_size, **settings)
    sample_latent = generator.sample_latent
    return generator._replace(
        initial_carry=jax.jit(generator.initial_carry, static_argnums=(1, 2)),
        step=jax.jit(generator.step),
        token_step=jax.jit(generator.token_step),
        logits=jax.jit(generator.logits),
        hidden_states=jax.jit(generator.hidden_states),
        sample_latent=None if sample_latent is None else jax.jit(sample_latent, static_argnums=1),
    )


def inputs_of(generator, condition=None):
    """Returns the inputs of a generator other than symbols, the same in every call."""
    given = {} if condition is None else {"condition": condition}
    if generator.uses_dropout:
        given["dropout_key"] = jax.random.key(3)
    if generator.sample_latent is not None:
        given["latent"] = generator.sample_latent(jax.random.key(2), B)
    return given


def stepwise_logits(generator, params, tokens, given, *, by_token=False):
    """Computes the logits under teacher forcing, one step at a time."""
    start_B1 = jnp.full((len(tokens), 1), generator.num_symbols)
    previous_TB = jnp.concatenate([start_B1, tokens[:, :-1]], axis=1).T

    def step(carry, token):
        if by_token:
            return generator.token_step(params, carry, token)
        return generator.step(params, carry, jax.nn.one_hot(token, generator.num_symbols + 1))

    _, logits_TBK = jax.lax.scan(step, generator.initial_carry(params, *tokens.shape, **given), previous_TB)
    return jnp.swapaxes(logits_TBK, 0, 1)


@pytest.mark.parametrize(
    ("cell", "num_symbols", "settings"),
    [
        ("lstm", FEW, {"latent": "hidden_and_cell"}),
        ("lstm", MANY, {"latent": "hidden"}),
        ("lstm", MANY, {"num_layers": 2, "embedding_size": 7, "latent": "hidden_and_cell"}),
        ("lstm", FEW, {"num_layers": 2, "dropout_rate": 0.5, "condition": Labels(4)}),
        ("lstm", MANY, {"num_layers": 2, "recurrent_dropout_rate": 0.5}),
        ("flax_lstm", FEW, {"embedding_size": 2, "dropout_rate": 0.3, "recurrent_dropout_rate": 0.5}),
        ("gru", MANY, {"latent": "hidden"}),
        ("gru", FEW, {"num_layers": 3, "embedding_size": 2, "dropout_rate": 0.3, "condition": Vectors(2)}),
        ("plain_lstm", MANY, {"latent": "hidden_and_cell"}),
        ("flax_lstm", FEW, {"latent": "hidden_and_cell", "num_layers": 2}),
        ("flax_simple", MANY, {"latent": "hidden", "embedding_size": 5, "dropout_rate": 0.2}),
    ],
)
def test_one_pass_is_the_steps_one_after_another(cell, num_symbols, settings):
    generator = recurrent(num_symbols, cell=CELLS[cell], **settings)
    params, tokens = random_params(generator.init), tokens_of(jax.random.key(1), num_symbols)
    condition = {Labels(4): jnp.arange(B) % 4, Vectors(2): jnp.ones((B, 2))}.get(settings.get("condition"))
    logits = generator.logits(params, tokens, **inputs_of(generator, condition))
    chex.assert_shape(logits, (B, T, num_symbols))
    for by_token in (False, True):
        stepwise = jax.jit(partial(stepwise_logits, generator, by_token=by_token))
        expected = stepwise(params, tokens, inputs_of(generator, condition))
        chex.assert_trees_all_close(logits, expected, rtol=1e-4, atol=1e-5)
    hidden, same_logits = generator.hidden_states(params, tokens, **inputs_of(generator, condition))
    chex.assert_shape(hidden, (B, T, generator.hidden_size))
    chex.assert_trees_all_close(same_logits, logits, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("cell", "num_symbols"), [("lstm", FEW), ("lstm", MANY), ("gru", MANY)])
def test_gradients_of_one_pass_are_those_of_the_one_hot_steps(cell, num_symbols):
    generator = recurrent(num_symbols, cell=CELLS[cell], num_layers=2, latent="hidden")
    params, tokens = random_params(generator.init), tokens_of(jax.random.key(1), num_symbols)

    def log_prob(logits, params, given):
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits(params, given)), tokens[..., None], axis=-1)
        return jnp.sum(chosen * jnp.arange(1.0, T + 1).reshape(1, T, 1))

    def one_pass(params, given):
        return generator.logits(params, tokens, **given)

    def steps(params, given):
        return stepwise_logits(generator, params, tokens, given)

    given = inputs_of(generator)
    gradients = [
        jax.jit(jax.grad(partial(log_prob, each), argnums=(0, 1)))(params, given) for each in (one_pass, steps)
    ]
    chex.assert_trees_all_close(*gradients, rtol=1e-3, atol=1e-5)


def test_logits_at_a_time_are_those_given_the_symbols_before():
    generator = recurrent(MANY)
    params, tokens = random_params(generator.init), tokens_of(jax.random.key(1), MANY)
    logits = generator.logits
    base = logits(params, tokens)
    for time in range(T):
        changed = np.abs(logits(params, tokens.at[:, time].add(1) % MANY) - base).max(axis=(0, 2)) > 0
        np.testing.assert_array_equal(changed, np.arange(T) > time)
    # Tokens of type int8, sequences without symbols, and a batch without sequences.
    np.testing.assert_array_equal(logits(params, tokens.astype(jnp.int8)), base)
    assert generator.logits(params, tokens[:, :0]).shape == (B, 0, MANY)
    assert generator.logits(params, tokens[:0]).shape == (0, T, MANY)


@pytest.mark.parametrize(("latent", "draws"), [("hidden_and_cell", 2), ("hidden", 1), ("none", 0)])
def test_the_latent_is_the_initial_state_of_every_layer(latent, draws):
    generator = recurrent(FEW, 50, latent=latent, num_layers=2)
    params = random_params(generator.init)
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
    lstm = recurrent(latent="hidden_and_cell")
    params, given = random_params(lstm.init), inputs_of(lstm)
    start = jnp.full(B, FEW)
    carry, _ = lstm.token_step(params, lstm.initial_carry(params, B, 1, **given), start)
    hidden, _ = lstm.hidden_states(params, tokens, **given)
    chex.assert_trees_all_close(hidden[:, 0], carry.layers[0][0], rtol=1e-5, atol=1e-6)

    gru = recurrent(cell=GRUCell, latent="hidden")
    params, given = random_params(gru.init), inputs_of(gru)
    carry, _ = gru.token_step(params, gru.initial_carry(params, B, 1, **given), start)
    hidden, _ = gru.hidden_states(params, tokens, **given)
    cell, h = params["params"]["GRUCell_0"], given["latent"]
    update = jax.nn.sigmoid((cell["iz"]["kernel"][FEW] + cell["iz"]["bias"])[None] + h @ cell["hz"]["kernel"])
    expected = (1 - update) * jnp.tanh(hidden[:, 0]) + update * h
    chex.assert_trees_all_close(carry.layers[0], expected, rtol=1e-5, atol=1e-6)


def test_hidden_states_of_another_cell_are_its_outputs():
    generator = recurrent(cell=nn.SimpleCell)
    params, tokens = random_params(generator.init), tokens_of(jax.random.key(1), FEW)
    hidden, logits = generator.hidden_states(params, tokens)
    head = params["params"]["Dense_0"]
    chex.assert_trees_all_close(logits, hidden @ head["kernel"] + head["bias"].reshape(1, 1, -1), rtol=1e-5, atol=1e-6)


def test_forward_mode_is_that_of_the_chosen_cell():
    tokens = tokens_of(jax.random.key(1), FEW)
    for cell in ("plain_lstm", "flax_lstm", "gru"):
        generator = recurrent(cell=CELLS[cell])
        params = random_params(generator.init)

        def loss(params, generator=generator):
            return jnp.sum(jnp.cos(generator.logits(params, tokens)))

        _, derivative = jax.jit(lambda params, loss=loss: jax.jvp(loss, (params,), (params,)))(params)
        gradient = jax.jit(jax.grad(loss))(params)
        products = jax.tree.map(lambda leaf, slope: jnp.sum(leaf * slope), params, gradient)
        np.testing.assert_allclose(derivative, sum(jax.tree.leaves(products)), rtol=1e-3)
    fast = recurrent()
    params = random_params(fast.init)
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(lambda params: fast.logits(params, tokens), (params,), (params,))


def test_both_lstm_cells_share_their_parameters():
    fast, plain = (recurrent(cell=CELLS[cell]) for cell in ("lstm", "plain_lstm"))
    params = random_params(fast.init)
    chex.assert_trees_all_equal(params, random_params(plain.init))
    tokens = tokens_of(jax.random.key(1), FEW)
    chex.assert_trees_all_close(fast.logits(params, tokens), plain.logits(params, tokens), rtol=1e-5, atol=1e-6)


def test_layers_and_embedding_have_parameters_of_their_own():
    generator = recurrent(num_layers=2, embedding_size=7)
    params = random_params(generator.init)["params"]
    shapes = jax.tree.map(jnp.shape, params)
    assert shapes == {
        "embedding": {"embedding": (FEW + 1, 7)},
        "LSTMCell_0": {"kernel": (7 + H, 4 * H), "bias": (4 * H,)},
        "LSTMCell_1": {"kernel": (2 * H, 4 * H), "bias": (4 * H,)},
        "Dense_0": {"kernel": (H, FEW), "bias": (FEW,)},
    }
    # An embedding is equivalent to a first layer whose input kernel is the table times the kernel.
    one = recurrent(num_layers=2)
    kernel = params["LSTMCell_0"]["kernel"]
    joined = {"kernel": jnp.concatenate([params["embedding"]["embedding"] @ kernel[:7], kernel[7:]])}
    merged = {name: params[name] for name in ("LSTMCell_1", "Dense_0")} | {"LSTMCell_0": params["LSTMCell_0"] | joined}
    tokens = tokens_of(jax.random.key(1), FEW)
    expected = one.logits({"params": merged}, tokens)
    chex.assert_trees_all_close(generator.logits({"params": params}, tokens), expected, rtol=1e-4, atol=1e-5)


def test_dropout_keeps_each_feature_of_a_sequence_or_drops_it_at_all_steps():
    rate, size = 0.3, 400
    generator = recurrent(FEW, size, cell=GRUCell, num_layers=2, embedding_size=size, dropout_rate=rate)
    assert generator.uses_dropout
    params = random_params(generator.init)
    carry = generator.initial_carry(params, 10, T, dropout_key=jax.random.key(1))
    factors = np.asarray(carry.dropout)
    assert factors.shape == (3, 10, 1, size)
    np.testing.assert_allclose(np.unique(factors), [0, 1 / (1 - rate)], rtol=1e-6)
    for layer in factors:
        assert abs((layer == 0).mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / layer.size)
    assert generator.initial_carry(params, 10, T).dropout is None


def test_dropout_and_latent_are_independent():
    size = 400
    generator = recurrent(FEW, size, num_layers=1, latent="hidden_and_cell", dropout_rate=0.5)
    given = inputs(gg.sequence_model(generator, length=T), jax.random.key(1), 10, training=True)
    carry = generator.initial_carry(random_params(generator.init), 10, T, **given)
    is_kept = np.asarray(carry.dropout)[0, :, 0] > 0
    for latent in given["latent"]:
        agreement = (is_kept == (np.asarray(latent) > 0)).mean()
        assert abs(agreement - 0.5) < 5 * 0.5 / np.sqrt(is_kept.size)


def test_dropped_features_count_for_nothing():
    generator = recurrent(embedding_size=2, dropout_rate=0.5)
    params, tokens = random_params(generator.init), tokens_of(jax.random.key(1), FEW)
    carry = generator.initial_carry(params, B, T, dropout_key=jax.random.key(2))
    kept_output, kept_embedding = np.asarray(carry.dropout)[:, :, 0] > 0

    def dropped(params):
        return generator.logits(params, tokens, dropout_key=jax.random.key(2))

    gradients = jax.jit(jax.jacobian(lambda params: jnp.sum(jnp.sin(dropped(params)), axis=(1, 2))))(params)["params"]
    for row in range(B):
        gradient = jax.tree.map(lambda leaf, row=row: leaf[row], gradients)
        np.testing.assert_array_equal(np.abs(gradient["Dense_0"]["kernel"]).max(axis=1) > 0, kept_output[row, :H])
        reaches = np.abs(gradient["embedding"]["embedding"]).max(axis=0) > 0
        np.testing.assert_array_equal(reaches, kept_embedding[row, :2] & kept_output[row, :H].any())
    assert np.abs(generator.logits(params, tokens) - dropped(params)).max() > 0.01


def test_states_dropped_in_recurrence_reach_the_head_but_not_the_next_step():
    generator = recurrent(recurrent_dropout_rate=0.5)
    assert generator.uses_dropout
    params, tokens = random_params(generator.init), tokens_of(jax.random.key(1), FEW, (B, 2))
    carry = generator.initial_carry(params, B, 2, dropout_key=jax.random.key(2))
    assert carry.dropout is None
    is_kept = np.asarray(carry.recurrent_dropout)[0, :, 0] > 0
    assert 0 < is_kept.mean() < 1
    np.testing.assert_allclose(np.unique(carry.recurrent_dropout), [0, 2])

    def last(params):
        return jnp.sum(jnp.sin(generator.logits(params, tokens, dropout_key=jax.random.key(2))[:, 1]), axis=1)

    gradients = jax.jit(jax.jacobian(last))(params)["params"]
    for row in range(B):
        reaches = np.abs(gradients["LSTMCell_0"]["kernel"][row, -H:]).max(axis=1) > 0
        np.testing.assert_array_equal(reaches, is_kept[row])
        assert (np.abs(gradients["Dense_0"]["kernel"][row]).max(axis=1) > 0).all()


def test_recurrent_dropout_leaves_other_dropout_as_it_is():
    params = random_params(recurrent(dropout_rate=0.5).init)
    generators = [recurrent(dropout_rate=0.5, recurrent_dropout_rate=rate) for rate in (0.0, 0.5)]
    carries = [each.initial_carry(params, B, T, dropout_key=jax.random.key(1)) for each in generators]
    np.testing.assert_array_equal(*(carry.dropout for carry in carries))
    assert carries[0].recurrent_dropout is None
    assert not np.array_equal(carries[1].dropout > 0, carries[1].recurrent_dropout > 0)


def test_without_dropout_nothing_is_random():
    generator = recurrent()
    assert not generator.uses_dropout
    params, tokens = random_params(generator.init), tokens_of(jax.random.key(1), FEW)
    logits = [generator.logits(params, tokens, dropout_key=jax.random.key(seed)) for seed in (2, 3)]
    np.testing.assert_array_equal(*logits)
    np.testing.assert_array_equal(logits[0], generator.logits(params, tokens))


@pytest.mark.parametrize(("cell", "spec"), [(LSTMCell, Labels(3)), (GRUCell, Vectors(2))])
def test_a_condition_shifts_the_initial_hidden_state_of_every_layer(cell, spec):
    generator = recurrent(cell=cell, num_layers=2, condition=spec, latent="hidden")
    params, tokens = random_params(generator.init), tokens_of(jax.random.key(1), FEW)
    condition = jnp.arange(B) % 3 if spec == Labels(3) else jax.random.normal(jax.random.key(2), (B, 2))
    given = inputs_of(generator, condition)
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

    gradient = jax.jit(jax.grad(loss))(params)["params"]["condition_embedding"]
    assert min(np.abs(leaf).min() for leaf in jax.tree.leaves(gradient)) > 0
    logits = generator.logits(params, tokens, **given)
    changed = generator.logits(params, tokens, **(given | {"condition": jnp.roll(condition, 1)}))
    assert np.abs(logits - changed).max(axis=(1, 2)).min() > 0


@pytest.mark.parametrize("cell", slow(["lstm", "gru", "flax_lstm"], "gru", "flax_lstm"))
def test_bfloat16_compute_keeps_float32_parameters_and_logits_and_agrees(cell):
    tokens = tokens_of(jax.random.key(1), FEW)
    outputs = []
    for dtype in (jnp.float32, jnp.bfloat16):
        generator = recurrent(FEW, 16, cell=CELLS[cell], num_layers=2, dtype=dtype)
        params = random_params(generator.init)
        assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}
        carry = generator.initial_carry(params, B, T)
        carry, _ = generator.token_step(params, carry, tokens[:, 0])
        assert {leaf.dtype for leaf in jax.tree.leaves(carry)} == {jnp.dtype(dtype)}
        outputs.append(generator.hidden_states(params, tokens))
        assert {leaf.dtype for leaf in outputs[-1]} == {jnp.dtype("float32")}
    chex.assert_trees_all_close(*outputs, atol=0.03, rtol=0)


@pytest.mark.parametrize("settings", [{}, {"embedding_size": 2, "dropout_rate": 0.5, "condition": Vectors(2)}])
def test_computes_in_float32_under_x64(settings):
    condition = np.ones((B, 2)) if settings else None
    with jax.enable_x64(True):
        generator = recurrent(latent="hidden_and_cell", **settings)
        params = random_params(generator.init)
        tokens = tokens_of(jax.random.key(1), FEW)
        carry = generator.initial_carry(params, B, T, **inputs_of(generator, condition))
        new_carry, logits = generator.step(params, carry, np.ones((B, FEW + 1)))
        chex.assert_trees_all_equal_shapes_and_dtypes(carry, new_carry)
        hidden_and_logits = generator.hidden_states(params, tokens, **inputs_of(generator, condition))
        results = (params, carry, logits, hidden_and_logits)
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
        (ValueError, {"recurrent_dropout_rate": -1}, r"recurrent_dropout_rate must be a finite number in \[0, 1\)"),
        (
            ValueError,
            {"recurrent_dropout_rate": 0.5, "cell": GRUCell},
            "recurrent_dropout_rate must be 0 for a cell with one state, such as GRUCell, got 0.5",
        ),
        (TypeError, {"condition": 3}, "condition must be Labels, Vectors, Sequences or None, got 3"),
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
    params = random_params(generator.init)
    good = {"latent": jnp.zeros((B, H)), "condition": jnp.zeros(B, jnp.int32)}
    with pytest.raises(error, match=message):
        generator.initial_carry(params, B, T, **(good | given))
    with pytest.raises(error, match=message):
        generator.logits(params, jnp.zeros((B, T), jnp.int32), **(good | given))


def test_bad_symbols_are_named():
    generator = recurrent()
    params = random_params(generator.init)
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
