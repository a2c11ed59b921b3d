"""The transformer generator: steps against one pass, conditions, and learning."""

import functools

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gumbel_gan.networks.attention import TransformerLayer, sinusoids
from gumbel_gan.networks.conditions import Labels, Sequences, Vectors
from gumbel_gan.networks.dropout import Dropout
from gumbel_gan.networks.transformer_generator import transformer_generator
from tests.parameters import random_params

NUM_SYMBOLS, LENGTH, BATCH_SIZE = 6, 5, 3
TOKENS = jax.random.randint(jax.random.key(7), (BATCH_SIZE, LENGTH), 0, NUM_SYMBOLS, jnp.int32)
CONDITIONS = {
    "none": (None, None),
    "labels": (Labels(4), jnp.array([3, 0, 1])),
    "vectors": (Vectors(2), jnp.array([[0.5, 1.0], [-1.0, 0.0], [2.0, 3.0]])),
    "sequences": (Sequences(7, padding=0), jnp.array([[1, 2, 3, 4], [6, 0, 0, 0], [5, 5, 0, 0]])),
}

make = functools.partial(transformer_generator, NUM_SYMBOLS, 8, num_layers=1)


@functools.cache
def build(kind="none", **settings):
    """Returns a generator with jitted functions for a kind of condition, and parameters for it."""
    generator = make(condition=CONDITIONS[kind][0], **settings)
    return jitted(generator), random_params(generator.init)


def jitted(generator):
    return generator._replace(
        initial_carry=jax.jit(generator.initial_carry, static_argnums=(1, 2)),
        step=jax.jit(generator.step),
        token_step=jax.jit(generator.token_step),
        logits=jax.jit(generator.logits),
        hidden_states=jax.jit(generator.hidden_states),
    )


def previous(tokens):
    return jnp.pad(tokens[:, :-1], ((0, 0), (1, 0)), constant_values=NUM_SYMBOLS)


def scan(step, params, carry, x):
    return jnp.swapaxes(jax.lax.scan(functools.partial(step, params), carry, jnp.swapaxes(x, 0, 1))[1], 0, 1)


def inputs_of(generator, kind):
    inputs = {} if kind == "none" else {"condition": CONDITIONS[kind][1]}
    if generator.sample_latent is not None:
        inputs["latent"] = generator.sample_latent(jax.random.key(1), BATCH_SIZE)
    return inputs


@pytest.mark.parametrize(
    ("kind", "latent_size", "dropout_rate"),
    [("none", 0, 0.0), ("none", 2, 0.3), ("labels", 0, 0.3), ("vectors", 2, 0.0), ("sequences", 2, 0.3)],
)
def test_a_scan_of_steps_equals_one_pass(kind, latent_size, dropout_rate):
    generator = make(num_layers=2, condition=CONDITIONS[kind][0], latent_size=latent_size, dropout_rate=dropout_rate)
    assert generator.uses_dropout == (dropout_rate > 0)
    params = random_params(generator.init)
    inputs = inputs_of(generator, kind)

    @jax.jit
    def both_ways(params, key):
        if not generator.uses_dropout:
            key = None
        expected = generator.logits(params, TOKENS, **inputs, dropout_key=key)
        carry = generator.initial_carry(params, BATCH_SIZE, LENGTH + 2, **inputs, dropout_key=key)
        x = previous(TOKENS)
        relaxed = scan(generator.step, params, carry, jax.nn.one_hot(x, NUM_SYMBOLS + 1, dtype=jnp.float32))
        return expected, scan(generator.token_step, params, carry, x), relaxed

    with jax.debug_key_reuse(False):
        expected, *others = both_ways(params, jax.random.key(2))
    chex.assert_shape(expected, (BATCH_SIZE, LENGTH, NUM_SYMBOLS))
    for logits in others:
        np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_gradients_through_a_roll_out_equal_those_of_one_pass():
    # One pass reads only tokens. So it reads tokens 0, 1, ..., with the embeddings of the relaxed symbols.
    generator = make(num_layers=2)
    params = random_params(generator.init)
    soft = jax.nn.softmax(jax.random.normal(jax.random.key(1), (LENGTH - 1, NUM_SYMBOLS)))
    weights = jax.random.normal(jax.random.key(2), (LENGTH, NUM_SYMBOLS))

    def of_steps(params, soft):
        x = jnp.eye(NUM_SYMBOLS + 1)[-1:]
        x = jnp.concatenate([x, jnp.pad(soft, ((0, 0), (0, 1)))])[None]
        return jnp.sum(weights * scan(generator.step, params, generator.initial_carry(params, 1, LENGTH), x)[0])

    def of_one_pass(params, soft):
        table = params["params"]["embedding"]
        table = table.at[: LENGTH - 1].set(soft @ table[:NUM_SYMBOLS])
        params = {"params": params["params"] | {"embedding": table}}
        return jnp.sum(weights * generator.logits(params, jnp.arange(LENGTH)[None])[0])

    value, gradients = jax.jit(jax.value_and_grad(of_steps, argnums=(0, 1)))(params, soft)
    expected_value, expected = jax.jit(jax.value_and_grad(of_one_pass, argnums=(0, 1)))(params, soft)
    np.testing.assert_allclose(value, expected_value, rtol=1e-4)
    chex.assert_trees_all_close(gradients, expected, rtol=1e-3, atol=1e-5)
    assert (np.abs(gradients[1]).max(axis=1) > 1e-4).all()


def test_a_symbol_changes_the_logits_after_it_and_no_others():
    generator, params = build()
    logits = generator.logits
    for time in range(LENGTH):
        other = TOKENS.at[:, time].set((TOKENS[:, time] + 1) % NUM_SYMBOLS)
        changed = np.abs(logits(params, other) - logits(params, TOKENS)).max(axis=2) > 1e-6
        np.testing.assert_array_equal(changed, np.tile(np.arange(LENGTH) > time, (BATCH_SIZE, 1)))


@pytest.mark.parametrize("kind", CONDITIONS)
def test_sequences_of_a_batch_are_independent(kind):
    generator, params = build(kind)
    inputs = inputs_of(generator, kind)
    logits = generator.logits(params, TOKENS, **inputs)
    alone = generator.logits(params, TOKENS[1:2], **jax.tree.map(lambda value: value[1:2], inputs))
    np.testing.assert_allclose(alone, logits[1:2], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["labels", "vectors", "sequences"])
def test_every_entry_of_a_condition_counts(kind):
    generator, params = build(kind)
    value = CONDITIONS[kind][1]
    logits = generator.logits(params, TOKENS[:1], condition=value[:1])
    for index in np.ndindex(value.shape[1:]):
        other = value[:1].at[(0, *index)].add(-1)
        assert (np.abs(generator.logits(params, TOKENS[:1], condition=other) - logits) > 1e-6).any(axis=(0, 2)).all()


def test_a_latent_changes_the_logits_of_its_own_sequence():
    generator, params = build(latent_size=2)
    latent = generator.sample_latent(jax.random.key(1), BATCH_SIZE)
    chex.assert_shape(latent, (BATCH_SIZE, 2))
    change = generator.logits(params, TOKENS, latent=latent.at[1].add(1.0)) - generator.logits(
        params, TOKENS, latent=latent
    )
    np.testing.assert_array_equal(np.abs(change).max(axis=2) > 1e-6, np.tile([[False], [True], [False]], LENGTH))
    draws = generator.sample_latent(jax.random.key(2), 10_000)
    assert abs(float(draws.mean())) < 5 / 20_000**0.5
    assert float(draws.var()) == pytest.approx(1.0, abs=5 * (2 / 20_000) ** 0.5)
    assert make().sample_latent is None


def test_padding_of_a_condition_changes_nothing():
    generator, params = build("sequences")
    value = CONDITIONS["sequences"][1]
    logits = generator.logits(params, TOKENS, condition=value)
    np.testing.assert_allclose(
        generator.logits(params, TOKENS, condition=jnp.pad(value, ((0, 0), (0, 3)))), logits, rtol=1e-4, atol=1e-5
    )
    # A condition that is only padding leaves nothing to attend to.
    empty = [generator.logits(params, TOKENS, condition=jnp.zeros((BATCH_SIZE, size), jnp.int32)) for size in (1, 4)]
    assert np.isfinite(empty[0]).all()
    np.testing.assert_allclose(empty[0], empty[1], rtol=1e-4, atol=1e-5)
    # Without `padding`, symbol 0 is a symbol like any other.
    generator = jitted(make(condition=Sequences(7)))
    longer = generator.logits(params, TOKENS, condition=jnp.pad(value, ((0, 0), (0, 3))))
    assert (np.abs(longer - generator.logits(params, TOKENS, condition=value)) > 1e-4).any()


def test_hidden_states_are_normalized_and_read_by_the_head():
    generator, params = build()
    hidden, logits = generator.hidden_states(params, TOKENS)
    chex.assert_shape(hidden, (BATCH_SIZE, LENGTH, generator.hidden_size))
    norm, head = params["params"]["norm"], params["params"]["head"]
    normal = (hidden - norm["bias"][None, None]) / norm["scale"][None, None]
    np.testing.assert_allclose(normal.mean(axis=-1), 0, atol=1e-4)
    np.testing.assert_allclose(normal.var(axis=-1), 1, rtol=1e-3)
    np.testing.assert_allclose(hidden @ head["kernel"] + head["bias"][None, None], logits, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(logits, generator.logits(params, TOKENS), rtol=1e-5, atol=1e-6)


def test_dropout_is_off_without_a_key_and_zeroes_a_share_of_features_with_one():
    (generator, params), (plain, _) = build(dropout_rate=0.5), build()
    np.testing.assert_allclose(generator.logits(params, TOKENS), plain.logits(params, TOKENS), rtol=1e-5, atol=1e-6)
    dropped = [generator.logits(params, TOKENS, dropout_key=jax.random.key(key)) for key in (1, 2)]
    assert (np.abs(dropped[0] - dropped[1]).max(axis=(1, 2)) > 1e-3).all()
    factors = np.asarray(Dropout(0.3, 5, 100).factors(jax.random.key(3), 40))
    chex.assert_shape(factors, (5, 40, 1, 100))
    np.testing.assert_allclose(np.unique(factors), [0, 1 / 0.7], rtol=1e-6)
    assert abs((factors == 0).mean() - 0.3) < 5 * (0.3 * 0.7 / factors.size) ** 0.5
    assert Dropout(0.3, 5, 100).factors(None, 40) is None
    assert Dropout(0, 5, 100).factors(jax.random.key(3), 40) is None
    with pytest.raises(ValueError, match=r"dropout_rate must be a finite number in \[0, 1\), got 1"):
        make(dropout_rate=1)
    with pytest.raises(TypeError, match="dropout_rate must be a finite number"):
        make(dropout_rate="0.1")


def test_a_dropout_rate_may_be_traced():
    params, rates = build()[1], (0.0, 0.4)

    def logits(rate):
        return make(dropout_rate=rate).logits(params, TOKENS, dropout_key=jax.random.key(1))

    for rate, each in zip(rates, jax.jit(jax.vmap(logits))(jnp.array(rates)), strict=True):
        expected = build(dropout_rate=rate)[0].logits(params, TOKENS, dropout_key=jax.random.key(1))
        np.testing.assert_allclose(each, expected, rtol=1e-4, atol=1e-5)


def test_more_steps_than_the_cache_holds_are_an_error_or_nan_and_never_clamped():
    generator, params = build()
    carry = generator.initial_carry(params, BATCH_SIZE, LENGTH)
    logits = scan(generator.token_step, params, carry, jnp.zeros((BATCH_SIZE, LENGTH + 2), jnp.int32))
    np.testing.assert_array_equal(np.isnan(logits).all(axis=(0, 2)), [False] * LENGTH + [True] * 2)
    assert np.isfinite(logits[:, :LENGTH]).all()
    for _ in range(LENGTH):
        carry, _ = generator.token_step(params, carry, TOKENS[:, 0])
    generator = make()
    with pytest.raises(ValueError, match="carry must have taken fewer than 5 steps, the length of its cache, got 5"):
        generator.token_step(params, carry, TOKENS[:, 0])
    with pytest.raises(ValueError, match="carry must have taken fewer than 5 steps, the length of its cache, got 5"):
        generator.step(params, carry, jnp.zeros((BATCH_SIZE, NUM_SYMBOLS + 1)))


def test_seeds_under_vmap_equal_the_loop_and_the_carry_keeps_its_shapes_and_dtypes():
    generator = make(latent_size=2, dtype=jnp.bfloat16)

    def roll_out(params):
        carry = generator.initial_carry(params, BATCH_SIZE, LENGTH, latent=jnp.ones((BATCH_SIZE, 2)))
        chex.assert_trees_all_equal_shapes_and_dtypes(generator.token_step(params, carry, TOKENS[:, 0])[0], carry)
        return scan(generator.token_step, params, carry, previous(TOKENS))

    each = [random_params(generator.init, seed) for seed in range(2)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)
    single = jax.jit(roll_out)
    for params, logits in zip(each, jax.jit(jax.vmap(roll_out))(stacked), strict=True):
        np.testing.assert_allclose(single(params), logits, atol=0.1)


def test_bfloat16_compute_keeps_float32_parameters_and_logits_and_agrees():
    outputs = {}
    for dtype in (jnp.float32, jnp.bfloat16):
        generator, params = build("labels", latent_size=2, dtype=dtype)
        assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}
        inputs = inputs_of(generator, "labels")
        carry = generator.initial_carry(params, BATCH_SIZE, LENGTH, **inputs)
        assert {leaf.dtype for leaf in jax.tree.leaves((carry.caches, carry.memories, carry.context))} == {
            jnp.dtype(dtype)
        }
        hidden, outputs[dtype] = generator.hidden_states(params, TOKENS, **inputs)
        assert hidden.dtype == outputs[dtype].dtype == jnp.float32
    np.testing.assert_allclose(outputs[jnp.float32], outputs[jnp.bfloat16], atol=0.1)


@pytest.mark.slow
def test_nothing_depends_on_the_default_dtype():
    generator, params = build("vectors", latent_size=2, dropout_rate=0.3)
    inputs = inputs_of(generator, "vectors") | {"dropout_key": jax.random.key(1)}
    expected = generator.logits(params, TOKENS, **inputs)
    # The key is used twice: once without x64 and once with it.
    with jax.enable_x64(True), jax.debug_key_reuse(False):
        chex.assert_trees_all_equal_shapes_and_dtypes(jax.eval_shape(generator.init, jax.random.key(0)), params)
        carry = generator.initial_carry(params, BATCH_SIZE, LENGTH, **inputs)
        logits = scan(generator.token_step, params, carry, previous(TOKENS))
    assert logits.dtype == jnp.float32
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_a_layer_is_the_textbook_one_with_flax_s_attention():
    layer = TransformerLayer(8, 2, 4, crosses=True)
    x = jax.random.normal(jax.random.key(0), (2, 4, 8))
    states = jax.random.normal(jax.random.key(1), (2, 3, 8))
    mask = np.tri(4, dtype=bool)[None, None]

    def whole(layer, x, states):
        return layer(x, mask, memory=layer.memory(states))[0]

    params = random_params(lambda key: layer.init(key, x, states, method=whole))
    parts = params["params"]

    def apply(module, name, *args, **kwargs):
        return module.apply({"params": parts[name]}, *args, **kwargs)

    def attention(query, read, out, *args, **kwargs):
        def heads(part, index):
            return {
                "kernel": part["kernel"].reshape(8, -1, 2, 4)[:, index],
                "bias": part["bias"].reshape(-1, 2, 4)[index],
            }

        of = {"query": heads(parts[query], 0), "key": heads(parts[read], -2), "value": heads(parts[read], -1)}
        of["out"] = {"kernel": parts[out]["kernel"].reshape(2, 4, 8), "bias": parts[out]["bias"]}
        return nn.MultiHeadDotProductAttention(2).apply({"params": of}, *args, **kwargs)

    @jax.jit
    def textbook(x, states):
        y = apply(nn.LayerNorm(), "attention_norm", x)
        x = x + attention("query_key_value", "query_key_value", "attention_out", y, y, mask=mask)
        y = apply(nn.LayerNorm(), "cross_norm", x)
        x = x + attention("cross_query", "cross_key_value", "cross_out", y, states)
        y = apply(nn.LayerNorm(), "mlp_norm", x)
        return x + apply(nn.Dense(8), "mlp_out", nn.gelu(apply(nn.Dense(32), "mlp_in", y)))

    actual = jax.jit(functools.partial(layer.apply, method=whole))(params, x, states)
    np.testing.assert_allclose(actual, textbook(x, states), rtol=1e-4, atol=1e-5)


def test_sinusoids():
    table = np.asarray(sinusoids(20, 6))
    np.testing.assert_allclose(table[3, :2], [np.sin(3), np.cos(3)], rtol=1e-6)
    np.testing.assert_allclose(table[3, 4:], [np.sin(3 / 10_000 ** (2 / 3)), np.cos(3 / 10_000 ** (2 / 3))], rtol=1e-6)
    # The inner product of two positions depends only on their distance.
    np.testing.assert_allclose(table[2] @ table[7], table[12] @ table[17], rtol=1e-5)
    # An odd width lacks the last cosine.
    assert sinusoids(20, 5).shape == (20, 5)


@pytest.mark.slow
def test_a_conditional_generator_learns_to_write_its_condition_backwards():
    generator = transformer_generator(4, 16, num_layers=1, condition=Sequences(5, padding=4))
    optimizer = optax.adam(1e-2)
    params = jax.jit(generator.init)(jax.random.key(0))

    def batch(key):
        condition = jax.random.randint(key, (32, 3), 0, 4)
        return jnp.pad(condition, ((0, 0), (0, 1)), constant_values=4), condition[:, ::-1]

    def loss(params, condition, tokens):
        logits = generator.logits(params, tokens, condition=condition)
        return optax.softmax_cross_entropy_with_integer_labels(logits, tokens).sum(axis=1).mean()

    @jax.jit
    def train(params, keys):
        def step(state, key):
            params, opt_state = state
            value, gradient = jax.value_and_grad(loss)(params, *batch(key))
            updates, opt_state = optimizer.update(gradient, opt_state)
            return (optax.apply_updates(params, updates), opt_state), value

        return jax.lax.scan(step, (params, optimizer.init(params)), keys)

    (params, _), losses = train(params, jax.random.split(jax.random.key(1), 200))
    assert losses[0] > 3 * np.log(4)
    assert losses[-1] < 0.1

    condition, expected = batch(jax.random.key(2))

    @jax.jit
    def greedy(params, condition):
        def step(state, _):
            carry, token = state
            carry, logits = generator.token_step(params, carry, token)
            token = jnp.argmax(logits, axis=-1).astype(jnp.int32)
            return (carry, token), token

        carry = generator.initial_carry(params, 32, 3, condition=condition)
        return jax.lax.scan(step, (carry, jnp.full((32,), 4, jnp.int32)), length=3)[1].T

    assert (greedy(params, condition) == expected).mean() > 0.95


def test_wrong_sizes_are_named():
    with pytest.raises(ValueError, match="num_symbols must be at least 2, got 1"):
        transformer_generator(1, 8)
    with pytest.raises(ValueError, match="width must be a multiple of num_heads, got 8 and 3"):
        make(num_heads=3)
    for name, least in {"num_layers": 1, "num_heads": 1, "mlp_ratio": 1, "latent_size": 0}.items():
        with pytest.raises(ValueError, match=f"{name} must be at least {least}, got {least - 1}"):
            make(**{name: least - 1})
        with pytest.raises(TypeError, match=f"{name} must be an integer, got 1.5"):
            make(**{name: 1.5})


def test_wrong_inputs_are_named():
    generator = make(latent_size=2, condition=Labels(3))
    params = random_params(generator.init)
    good = {"latent": jnp.zeros((BATCH_SIZE, 2)), "condition": jnp.zeros(BATCH_SIZE, jnp.int32)}
    carry = generator.initial_carry(params, BATCH_SIZE, LENGTH, **good)
    for function, arguments in ((generator.logits, (params, TOKENS)), (generator.initial_carry, (params, 3, 5))):
        with pytest.raises(ValueError, match=r"latent must have shape \(3, 2\), got None"):
            function(*arguments, condition=good["condition"])
        with pytest.raises(ValueError, match=r"latent must have shape \(3, 2\), got shape \(2, 2\)"):
            function(*arguments, **(good | {"latent": jnp.zeros((2, 2))}))
        with pytest.raises(ValueError, match="condition must be given to a network that was built with Labels"):
            function(*arguments, latent=good["latent"])
    with pytest.raises(ValueError, match="latent must be None for a network that was built without one"):
        make().logits(params, TOKENS, latent=good["latent"])
    with pytest.raises(ValueError, match="length must be at least 1, got 0"):
        generator.initial_carry(params, BATCH_SIZE, 0, **good)
    with pytest.raises(TypeError, match="tokens must be integers, got float32"):
        generator.logits(params, TOKENS.astype(jnp.float32), **good)
    with pytest.raises(ValueError, match=r"tokens must be \[B, T\] with T at least 1, got shape \(3, 0\)"):
        generator.logits(params, TOKENS[:, :0], **good)
    with pytest.raises(TypeError, match="x must be floating, got int32"):
        generator.step(params, carry, jnp.zeros((3, 7), jnp.int32))
    with pytest.raises(ValueError, match=r"x must have shape \(3, 7\), got \(3, 6\)"):
        generator.step(params, carry, jnp.zeros((3, 6)))
    with pytest.raises(TypeError, match="token must be integers, got float32"):
        generator.token_step(params, carry, jnp.zeros(3))
    with pytest.raises(ValueError, match=r"token must have shape \(3,\), got \(2,\)"):
        generator.token_step(params, carry, jnp.zeros(2, jnp.int32))
