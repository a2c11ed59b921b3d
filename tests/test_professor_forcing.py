from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gumbel_gan as gg
from gumbel_gan import sharding, training
from gumbel_gan.algorithms import maximum_likelihood, professor_forcing, truncated_likelihood
from gumbel_gan.data import Batch
from gumbel_gan.model import sequence_model
from gumbel_gan.networks import (
    Discriminator,
    behavior_discriminator,
    gru_generator,
    lstm_generator,
    lstm_prefix_discriminator,
)

NUM_SYMBOLS, HIDDEN_SIZE, LENGTH, BATCH_SIZE = 3, 4, 5, 6
GENERATOR = gru_generator(NUM_SYMBOLS, HIDDEN_SIZE)
MODEL = sequence_model(GENERATOR, length=LENGTH)
# All data are rows of symbol 2. An untrained generator draws each symbol about equally often.
DATA = Batch(jnp.full((BATCH_SIZE, LENGTH), 2, jnp.int32))
SGD = optax.sgd(0.1)


def make(discriminator: Discriminator, *, generator=GENERATOR, weight: float = 1.0, **settings):
    return professor_forcing(
        sequence_model(generator, length=LENGTH),
        discriminator,
        generator_optimizer=SGD,
        discriminator_optimizer=SGD,
        free_running_weight=weight,
        **settings,
    )


def by_halves(params, x):
    """Returns logits of about `params` for the teacher-forced first half of a joint batch, `-params` for the rest."""
    signs = jnp.where(jnp.arange(len(x)) < BATCH_SIZE, 1.0, -1.0)
    # The small term makes the gradient with respect to the behavior nonzero.
    return params * (signs[: len(x)] + 0.01 * jnp.mean(x, axis=(1, 2)))


def scripted(weight: float) -> Discriminator:
    return Discriminator(lambda key: jnp.asarray(weight), by_halves)


def moved(before, after) -> float:
    return max(
        float(jnp.abs(a - b).max()) for a, b in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True)
    )


@pytest.mark.parametrize(
    ("weight", "accuracy", "generator_gate", "discriminator_gate"), [(2.0, 1.0, 1, 0), (-2.0, 0.0, 0, 1)]
)
def test_gates_open_and_close_with_the_accuracy(weight, accuracy, generator_gate, discriminator_gate):
    algorithm = make(scripted(weight))
    before = algorithm.init(jax.random.key(0))
    after, metrics = jax.jit(algorithm.step)(jax.random.key(1), before, DATA)
    assert float(metrics["discriminator_accuracy"]) == accuracy
    assert float(metrics["generator_gate"]) == generator_gate
    assert float(metrics["discriminator_gate"]) == discriminator_gate
    assert (moved(before.discriminator_params, after.discriminator_params) > 0) == bool(discriminator_gate)

    # With a closed gate, the generator gets only the gradient of the likelihood.
    baseline = maximum_likelihood(MODEL, optimizer=SGD)
    state = baseline.init(jax.random.key(0))._replace(generator_params=before.generator_params)
    alone, alone_metrics = jax.jit(baseline.step)(jax.random.key(1), state, DATA)
    np.testing.assert_allclose(metrics["negative_log_likelihood"], alone_metrics["generator_loss"], rtol=1e-6)
    assert (moved(after.generator_params, alone.generator_params) > 1e-5) == bool(generator_gate)


def test_a_shut_gate_keeps_out_what_is_no_number():
    algorithm = make(scripted(float("nan")))
    after, metrics = jax.jit(algorithm.step)(jax.random.key(1), algorithm.init(jax.random.key(0)), DATA)
    assert float(metrics["generator_gate"]) == 0
    assert float(metrics["generator_loss"]) == float(metrics["negative_log_likelihood"])
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(after.generator_params))


@pytest.mark.slow
def test_schedules_go_on_behind_a_shut_gate():
    algorithm = professor_forcing(
        MODEL,
        scripted(2.0),
        generator_optimizer=SGD,
        discriminator_optimizer=optax.adam(optax.linear_schedule(0.1, 0.0, 10)),
        free_running_weight=1.0,
    )
    before = algorithm.init(jax.random.key(0))
    after, metrics = algorithm.step(jax.random.key(1), before, DATA)
    assert float(metrics["discriminator_gate"]) == 0
    adam, schedule = after.discriminator_opt_state
    assert (int(adam.count), int(schedule.count)) == (1, 1)
    assert float(adam.mu) == 0
    assert float(after.discriminator_params) == 2


@pytest.mark.slow
def test_there_may_be_no_gates():
    algorithm = make(scripted(2.0), discriminator_threshold=None)
    _, metrics = algorithm.step(jax.random.key(1), algorithm.init(jax.random.key(0)), DATA)
    assert float(metrics["discriminator_gate"]) == 1
    algorithm = make(scripted(-2.0), generator_threshold=None)
    _, metrics = algorithm.step(jax.random.key(1), algorithm.init(jax.random.key(0)), DATA)
    assert float(metrics["generator_gate"]) == 1
    loss = float(metrics["negative_log_likelihood"] + metrics["fooling_loss"])
    assert float(metrics["generator_loss"]) == pytest.approx(loss, rel=1e-6)


@pytest.mark.slow
def test_gates_are_those_of_each_seed():
    algorithm = make(scripted(1.0))
    state = jax.vmap(algorithm.init)(jax.random.split(jax.random.key(0), 3))
    state = state._replace(discriminator_params=jnp.array([2.0, -2.0, 3.0]))
    after, metrics = jax.jit(jax.vmap(algorithm.step, in_axes=(0, 0, None)))(
        jax.random.split(jax.random.key(1), 3), state, DATA
    )
    np.testing.assert_array_equal(metrics["generator_gate"], [1, 0, 1])
    np.testing.assert_array_equal(metrics["discriminator_gate"], [0, 1, 0])
    np.testing.assert_array_equal(after.discriminator_params == state.discriminator_params, [True, False, True])


def test_gates_of_shards_are_those_of_the_whole_batch():
    # In one shard, all behaviors are classified as real; in the other, all correctly. The accuracies are 0.5 and 1.
    def logits(params, x):
        halves = jnp.where(jnp.arange(len(x)) < len(x) // 2, 1.0, -1.0)
        return params * jnp.where(jax.lax.axis_index("shards") == 0, jnp.ones(len(x)), halves)

    algorithm = make(Discriminator(lambda key: jnp.asarray(2.0), logits), shard_axis="shards")
    state = algorithm.init(jax.random.key(0))
    step = jax.vmap(algorithm.step, in_axes=(0, None, 0), axis_name="shards")
    after, metrics = jax.jit(step)(
        jax.random.split(jax.random.key(1)), state, Batch(DATA.tokens.reshape(2, -1, LENGTH))
    )
    np.testing.assert_array_equal(metrics["discriminator_accuracy"], [0.5, 1.0])
    # The accuracy of the whole batch, 0.75, is not above the generator's threshold, but below the discriminator's.
    np.testing.assert_array_equal(metrics["generator_gate"], [0, 0])
    np.testing.assert_array_equal(metrics["discriminator_gate"], [1, 1])
    np.testing.assert_array_equal(after.discriminator_params[0], after.discriminator_params[1])


def test_thresholds_decide_what_accuracy_opens_a_gate():
    half = Discriminator(lambda key: jnp.asarray(2.0), lambda params, x: params * jnp.ones(len(x)))
    for settings, expected in (
        ({}, (0, 1)),
        ({"generator_threshold": 0.4}, (1, 1)),
        ({"discriminator_threshold": 0.5}, (0, 0)),
    ):
        algorithm = make(half, **settings)
        _, metrics = algorithm.step(jax.random.key(1), algorithm.init(jax.random.key(0)), DATA)
        assert float(metrics["discriminator_accuracy"]) == 0.5
        assert (metrics["generator_gate"], metrics["discriminator_gate"]) == expected


@pytest.mark.slow
@pytest.mark.parametrize("generator", [GENERATOR, lstm_generator(NUM_SYMBOLS, HIDDEN_SIZE)], ids=["gru", "lstm"])
@pytest.mark.parametrize("teacher_forced_weight", [None, 0.7])
def test_gradient_is_that_of_the_paper_by_finite_differences(generator, teacher_forced_weight):
    discriminator = behavior_discriminator(HIDDEN_SIZE + NUM_SYMBOLS, 5, num_layers=2)
    algorithm = make(
        discriminator,
        generator=generator,
        weight=3.0,
        teacher_forced_weight=teacher_forced_weight,
        generator_threshold=0.0,
        discriminator_threshold=0.0,
    )
    state = algorithm.init(jax.random.key(3))
    # This bias makes the accuracy greater than 0.
    state.discriminator_params["params"]["Dense_2"]["bias"] = jnp.array([0.1])
    after, metrics = jax.jit(algorithm.step)(jax.random.key(4), state, DATA)
    assert float(metrics["generator_gate"]) == 1
    gradient = jax.tree.map(lambda a, b: (a - b) / 0.1, state.generator_params, after.generator_params)
    drawn = algorithm.model.sample(jax.random.key(4), state.generator_params, BATCH_SIZE)

    def loss(params):
        forced, log_prob = behave(generator, params, DATA.tokens)
        free, _ = behave(generator, params, drawn)
        d_forced, d_free = (discriminator.logits(state.discriminator_params, each) for each in (forced, free))
        total = -jnp.mean(log_prob) + 3.0 * jnp.mean(jnp.log1p(jnp.exp(-d_free)))
        if teacher_forced_weight is not None:
            total += teacher_forced_weight * jnp.mean(jnp.log1p(jnp.exp(d_forced)))
        return total

    before = state.generator_params
    direction = jax.tree.map(lambda leaf: jax.random.normal(jax.random.key(5), leaf.shape, leaf.dtype), before)
    size = 1e-3
    up, down = (
        jax.jit(loss)(jax.tree.map(lambda leaf, by, sign=sign: leaf + sign * size * by, before, direction))
        for sign in (1.0, -1.0)
    )
    slope = sum(
        float(jnp.vdot(a, b)) for a, b in zip(jax.tree.leaves(gradient), jax.tree.leaves(direction), strict=True)
    )
    assert slope == pytest.approx(float(up - down) / (2 * size), rel=0.02)


def behave(generator, params, tokens):
    """Returns the behavior `[B, T, H + K]` of a generator for given sequences, and their log-probabilities `[B]`."""
    hidden, logits = generator.hidden_states(params, tokens)
    probs = jax.nn.softmax(logits)
    of_tokens = jnp.take_along_axis(probs, tokens[..., None], axis=-1)[..., 0]
    return jnp.concatenate([hidden, probs], axis=-1), jnp.log(of_tokens).sum(axis=1)


@pytest.mark.slow
def test_it_learns_and_its_gates_move_in_a_real_run():
    data = jnp.tile(jnp.array([[0, 1, 2, 0, 1], [2, 2, 1, 1, 0]], jnp.int32), (8, 1))
    algorithm = professor_forcing(
        MODEL,
        behavior_discriminator(HIDDEN_SIZE + NUM_SYMBOLS, 8),
        generator_optimizer=optax.adam(2e-2),
        discriminator_optimizer=optax.adam(2e-2),
        free_running_weight=0.5,
    )
    run = jax.jit(partial(training.train, algorithm, batch_size=16, num_steps=400))
    state, metrics = run(jax.random.key(0), algorithm.init(jax.random.key(1)), data)
    assert 0 < float(metrics["generator_gate"].mean()) < 1
    assert 0 < float(metrics["discriminator_gate"].mean()) <= 1
    loss = -MODEL.log_prob(algorithm.params(state), data).mean()
    assert float(loss) == pytest.approx(np.log(2), abs=0.15)


def test_its_errors_name_the_argument():
    with pytest.raises(ValueError, match=r"generator_threshold must be .* in \[0, 1\], got 1.5"):
        make(scripted(1.0), generator_threshold=1.5)
    with pytest.raises(ValueError, match=r"discriminator_threshold must be .* in \[0, 1\], got -1"):
        make(scripted(1.0), discriminator_threshold=-1)
    with pytest.raises(TypeError, match="discriminator must be a Discriminator, got a PrefixDiscriminator"):
        make(lstm_prefix_discriminator(HIDDEN_SIZE + NUM_SYMBOLS, 3))
    algorithm = make(scripted(1.0))
    with pytest.raises(ValueError, match=r"tokens must be \[N, 5\], got shape \(6, 4\)"):
        algorithm.step(jax.random.key(1), algorithm.init(jax.random.key(0)), Batch(DATA.tokens[:, :4]))
    with pytest.raises(ValueError, match="generator must have no latent"):
        make(scripted(1.0), generator=gru_generator(NUM_SYMBOLS, HIDDEN_SIZE, latent="hidden"))
    with pytest.raises(ValueError, match="num_layers must be at least 0, got -1"):
        behavior_discriminator(4, 4, num_layers=-1)


@pytest.mark.slow
@pytest.mark.parametrize(("seen", "columns"), [("states", slice(HIDDEN_SIZE)), ("outputs", slice(HIDDEN_SIZE, None))])
def test_the_discriminator_sees_states_or_outputs_alone(seen, columns):
    def logits(params, x):
        return x[:, -1] @ params

    weights = jnp.zeros(HIDDEN_SIZE + NUM_SYMBOLS).at[columns].set(1.0)

    def stepped(weights, **settings):
        algorithm = make(
            Discriminator(lambda key: weights, logits),
            teacher_forced_weight=1.0,
            generator_threshold=None,
            discriminator_threshold=None,
            **settings,
        )
        state = algorithm.init(jax.random.key(0))
        return algorithm.step(jax.random.key(1), state, DATA)[0], algorithm.discriminator_logits(state, DATA.tokens)

    # A discriminator whose weights of the other part are 0 does not depend on that part.
    program = jax.jit(
        lambda: (stepped(weights), stepped(weights, behavior=seen), stepped(1 + 0 * weights, behavior=seen))
    )
    (weighted, logits_B), (of_part, same_B), (of_all, part_B) = program()
    for leaf, other in zip(*map(jax.tree.leaves, (weighted.generator_params, of_part.generator_params)), strict=True):
        np.testing.assert_allclose(leaf, other, rtol=1e-5, atol=1e-7)
    assert moved(of_part.generator_params, of_all.generator_params) == 0
    np.testing.assert_allclose(logits_B, same_B, rtol=1e-5)
    np.testing.assert_allclose(same_B, part_B, rtol=1e-5)
    with pytest.raises(ValueError, match="behavior must be one of states_and_outputs, states, outputs"):
        make(scripted(1.0), behavior="all")


WINDOWS = np.random.default_rng(0).integers(0, NUM_SYMBOLS, (2 * BATCH_SIZE, LENGTH)).astype(np.int32)
SEEING = behavior_discriminator(HIDDEN_SIZE + NUM_SYMBOLS, 5)


def of_a_text(**settings):
    """Returns Professor Forcing on windows of a long text, with open gates."""
    given = {"batch_size": BATCH_SIZE, "restart_rate": 0.0, "generator_threshold": None} | settings
    return make(SEEING, discriminator_threshold=None, teacher_forced_weight=0.5, **given)


def test_with_every_row_begun_anew_it_is_that_of_single_windows():
    states = []
    for restart_rate in (1.0, None):
        algorithm = of_a_text(restart_rate=restart_rate)
        assert algorithm.reads_in_order == (restart_rate is not None)
        state = algorithm.init(jax.random.key(0))
        assert (state.position is None) == (restart_rate is None)
        for number, rows in enumerate((WINDOWS[:BATCH_SIZE], WINDOWS[BATCH_SIZE:])):
            state, metrics = jax.jit(algorithm.step)(jax.random.key(number), state, Batch(rows))
        states.append((state._replace(position=None), metrics))
    chex.assert_trees_all_close(*states, rtol=1e-4, atol=1e-6)


def test_both_behaviors_go_on_from_the_text_before():
    algorithm = of_a_text()
    state = algorithm.init(jax.random.key(0))
    state = state._replace(generator_params=jax.tree.map(lambda leaf: 3 * leaf, state.generator_params))
    plain = truncated_likelihood(algorithm.model, batch_size=BATCH_SIZE, optimizer=SGD, restart_rate=0.0)
    other = plain.init(jax.random.key(0))
    for rows in (WINDOWS[:BATCH_SIZE], WINDOWS[BATCH_SIZE:]):
        other = other._replace(generator_params=state.generator_params, position=state.position)
        other, expected = jax.jit(plain.step)(jax.random.key(1), other, Batch(rows))
        before, (state, metrics) = state, jax.jit(algorithm.step)(jax.random.key(1), state, Batch(rows))
        np.testing.assert_allclose(metrics["negative_log_likelihood"], expected["generator_loss"], rtol=1e-5)
        chex.assert_trees_all_close(state.position, other.position, rtol=1e-5, atol=1e-6)

    # The generator's gradient, from one pass over the text before and the window, with a constant state in between.
    params, discriminator_params = before.generator_params, before.discriminator_params
    drawn = gg.carried.write(jax.random.split(jax.random.key(1))[1], algorithm.model, params, before.position)
    real = jnp.asarray(WINDOWS[BATCH_SIZE:])

    def loss(params):
        (_, *forced), (_, *free) = (
            gg.carried.read_with_states(algorithm.model, params, before.position, each) for each in (real, drawn)
        )
        d_forced, d_free = (
            SEEING.logits(discriminator_params, jnp.concatenate([hidden, jax.nn.softmax(logits)], axis=-1))
            for hidden, logits in (forced, free)
        )
        log_prob = jnp.sum(gg.unroll.token_log_probs(forced[1], real), axis=1)
        return -jnp.mean(log_prob) + jnp.mean(jax.nn.softplus(-d_free)) + 0.5 * jnp.mean(jax.nn.softplus(d_forced))

    value, gradient = jax.jit(jax.value_and_grad(loss))(params)
    np.testing.assert_allclose(metrics["generator_loss"], value, rtol=1e-5)
    expected = jax.tree.map(lambda leaf, by: leaf - 0.1 * by, params, gradient)
    chex.assert_trees_all_close(state.generator_params, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_two_shards_of_a_text_are_one():
    # The shards draw other sequences than one shard does, so that the networks differ; the text that is read does not.
    settings = {"batch_size": 2, "num_steps": 3}
    one, two = of_a_text(batch_size=2), of_a_text(batch_size=2, shard_axis=sharding.SHARDS)
    keys = training.run_keys(0)
    expected, _ = jax.jit(partial(training.train, one, **settings))(keys.train, one.init(keys.init), WINDOWS)
    mesh = sharding.seeds_mesh(1, 2, jax.devices()[:2])
    seeds = sharding.place(training.seeds_axis([0]), sharding.seeds_sharding(mesh))
    state = sharding.init_seeds(two.init, seeds.init, mesh)
    train = partial(training.train, two, shard_axis=sharding.SHARDS, **settings)
    train = jax.jit(sharding.vmap_seeds(train, mesh, in_axes=(0, 0, None), num_shards=2))
    found, _ = train(seeds.train, state, jax.device_put(WINDOWS, sharding.replicated(mesh)))
    found = jax.tree.map(lambda leaf: leaf[0], jax.device_get(found))
    np.testing.assert_array_equal(found.position.last_tokens, expected.position.last_tokens)
    chex.assert_trees_all_equal_shapes_and_dtypes(found, jax.device_get(expected))


@pytest.mark.slow
def test_dropout_is_no_part_of_the_state():
    generator = gru_generator(NUM_SYMBOLS, HIDDEN_SIZE, dropout_rate=0.5)
    algorithm = of_a_text(generator=generator)
    state = algorithm.init(jax.random.key(0))
    after, _ = jax.jit(algorithm.step)(jax.random.key(1), state, Batch(WINDOWS[:BATCH_SIZE]))
    assert after.position.carry.dropout is None
    chex.assert_trees_all_equal_shapes_and_dtypes(state, after)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": None}, "batch_size must be an integer with a restart_rate, got None"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"restart_rate": -0.5}, r"restart_rate must be a finite number in \[0, 1\], got -0.5"),
        ({"generator": GENERATOR._replace(hidden_step=None)}, "generator must have a hidden_step, got None"),
        (
            {"generator": gg.transformer_generator(NUM_SYMBOLS, HIDDEN_SIZE, num_layers=1)},
            "model must have a state that can be carried on",
        ),
    ],
)
def test_what_a_text_in_order_needs_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        of_a_text(**settings)
