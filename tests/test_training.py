from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gumbel_gan as gg
from gumbel_gan import schedules, training

SETTINGS = {
    "model": gg.sequence_model(gg.lstm_generator(3, 3), length=4),
    "discriminator": gg.lstm_discriminator(3, 3),
    "generator_optimizer": optax.adam(1e-2),
    "discriminator_optimizer": optax.adam(1e-2),
    "objective": gg.log_odds,
    "estimator": gg.straight_through,
    "temperature": schedules.linear(5.0, 1.0, 10),
    "ema_decay": 0.9,
}
ALGORITHM = gg.relaxed_gan(**SETTINGS)
DATA = jnp.array([[1, 2, 0, 0], [1, 0, 0, 0], [2, 2, 1, 0], [1, 1, 1, 1]])
TRAIN = jax.jit(partial(training.train, ALGORITHM, batch_size=3), static_argnames="num_steps")
SEEDS = jax.jit(jax.vmap(partial(training.train, ALGORITHM, batch_size=3, num_steps=6), in_axes=(0, 0, None)))


def run(seed, *chunks):
    state = ALGORITHM.init(training.run_keys(seed).init)
    for num_steps in chunks:
        state, metrics = TRAIN(training.run_keys(seed).train, state, DATA, num_steps=num_steps)
    return state, metrics


def test_short_scans_and_one_long_scan_are_the_same_run():
    long, metrics = run(0, 6)
    short, last_metrics = run(0, 3, 3)
    chex.assert_trees_all_close(long, short, rtol=1e-6)
    assert int(long.step) == 6
    chex.assert_tree_shape_prefix(metrics, (6,))
    chex.assert_trees_all_close(jax.tree.map(lambda metric: metric[3:], metrics), last_metrics, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(metrics["temperature"], [5.0, 4.6, 4.2, 3.8, 3.4, 3.0], rtol=1e-6)


@pytest.mark.slow
def test_the_seeds_axis_equals_the_loop_over_seeds():
    # Equal up to rounding only, because a batched matrix product sums in another order than a single one.
    keys = training.seeds_axis([0, 7])
    together, metrics = SEEDS(keys.train, jax.vmap(ALGORITHM.init)(keys.init), DATA)
    for index, seed in enumerate((0, 7)):
        alone, alone_metrics = run(seed, 6)
        chex.assert_trees_all_close(jax.tree.map(lambda leaf, i=index: leaf[i], together), alone, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(metrics["generator_loss"][index], alone_metrics["generator_loss"], rtol=1e-3)
    assert float(jnp.abs(metrics["generator_loss"][0] - metrics["generator_loss"][1]).max()) > 1e-3


def test_many_steps_are_traced_once():
    traces = []

    def counted(key, state, batch):
        traces.append(batch.tokens.shape)
        return ALGORITHM.step(key, state, batch)

    train = jax.jit(partial(training.train, ALGORITHM._replace(step=counted), batch_size=3, num_steps=5))
    keys = training.run_keys(0)
    state = ALGORITHM.init(keys.init)
    for _ in range(3):
        state, _ = train(keys.train, state, DATA)
    assert traces == [(3, 4)]
    assert int(state.step) == 15


def test_batches_are_drawn_uniformly_and_afresh():
    algorithm = ALGORITHM._replace(
        step=lambda key, state, batch: (state._replace(step=state.step + 1), {"x": batch.tokens})
    )
    _, seen = training.train(algorithm, jax.random.key(0), run(0, 3)[0], DATA, batch_size=2, num_steps=2_000)
    rows = np.array([[DATA.tolist().index(row) for row in batch] for batch in seen["x"].tolist()])
    shares = np.bincount(rows.ravel(), minlength=4) / rows.size
    np.testing.assert_array_less(np.abs(shares - 0.25), 5 * np.sqrt(0.25 * 0.75 / rows.size))
    assert len({tuple(batch) for batch in rows.tolist()}) == 16


@pytest.mark.slow
def test_bfloat16_computes_in_half_and_keeps_states_and_losses_in_full():
    losses = {}
    for dtype in (jnp.float32, jnp.bfloat16):
        networks = {
            "model": gg.sequence_model(gg.lstm_generator(3, 16, dtype=dtype), length=4),
            "discriminator": gg.lstm_discriminator(3, 16, dtype=dtype),
        }
        algorithm = gg.relaxed_gan(**SETTINGS | networks | {"penalty": gg.GradientPenalty(1.0, 1.0)})
        state = algorithm.init(training.run_keys(0).init)
        state, metrics = jax.jit(algorithm.step)(training.run_keys(0).train, state, gg.Batch(DATA))
        assert {leaf.dtype for leaf in jax.tree.leaves((state, metrics))} == {jnp.dtype("int32"), jnp.dtype("float32")}
        losses[dtype] = [metrics[name] for name in ("discriminator_loss", "generator_loss", "real_penalty")]
    np.testing.assert_allclose(losses[jnp.bfloat16], losses[jnp.float32], atol=5e-3)
    assert losses[jnp.bfloat16] != losses[jnp.float32]


def test_a_donated_state_is_consumed():
    keys = training.run_keys(0)
    state = jax.jit(ALGORITHM.init)(keys.init)
    train = jax.jit(partial(training.train, ALGORITHM, batch_size=3, num_steps=2), donate_argnums=1)
    after, _ = train(keys.train, state, DATA)
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(state))
    assert int(after.step) == 2


def test_no_host_transfer_while_training():
    keys = training.run_keys(0)
    state = ALGORITHM.init(keys.init)
    TRAIN(keys.train, state, DATA, num_steps=6)  # compiled before the guard
    with jax.transfer_guard("disallow"):
        state, metrics = TRAIN(keys.train, state, DATA, num_steps=6)
        jax.block_until_ready((state, metrics))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 5, "num_steps": 1}, "batch_size must be between 1 and the number of sequences, 4; got 5"),
        ({"batch_size": 0, "num_steps": 1}, "batch_size must be between 1 and the number of sequences, 4; got 0"),
        ({"batch_size": 1, "num_steps": 0}, "num_steps must be at least 1, got 0"),
    ],
)
def test_bad_arguments_are_named(settings, message):
    state = ALGORITHM.init(jax.random.key(0))
    with pytest.raises(ValueError, match=message):
        training.train(ALGORITHM, jax.random.key(1), state, DATA, **settings)


def test_data_is_checked_before_training():
    state, key = ALGORITHM.init(jax.random.key(0)), jax.random.key(1)
    for data, error, message in (
        (DATA.at[0, 0].set(3), ValueError, r"tokens must be in \[0, 3\), got 0 to 3"),
        (DATA.at[0, 0].set(-1), ValueError, r"tokens must be in \[0, 3\), got -1 to 2"),
        (DATA.astype(jnp.float32), TypeError, "tokens must be an array of integers, got float32"),
        (DATA[:, :3], ValueError, r"tokens must be \[N, 4\], got shape \(4, 3\)"),
        (DATA[:0], ValueError, "tokens must hold at least one sequence"),
        (gg.Batch(DATA, weights=jnp.ones(4)), ValueError, "weights must be None for this algorithm"),
    ):
        with pytest.raises(error, match=message):
            training.train(ALGORITHM, key, state, data, batch_size=1, num_steps=1)


def test_a_condition_and_weights_travel_with_their_sequences():
    def step(key, state, batch):
        return state._replace(step=state.step + 1), {"seen": (batch.tokens[:, 0], *batch.condition, batch.weights)}

    numbers = jnp.arange(4, dtype=jnp.int32)
    tokens = jnp.stack([jnp.array([0, 1, 2, 0])] * 4, axis=1).astype(jnp.int32)
    data = gg.Batch(tokens, condition=(numbers, 10.0 * numbers[:, None]), weights=numbers.astype(jnp.float32))
    state = ALGORITHM.init(jax.random.key(0))
    algorithm = ALGORITHM._replace(step=step)
    _, metrics = training.train(algorithm, jax.random.key(1), state, data, batch_size=3, num_steps=5)
    first, labels, vectors, weights = metrics["seen"]
    assert labels.shape == (5, 3)
    np.testing.assert_array_equal(first, tokens[labels, 0])
    np.testing.assert_array_equal(vectors[..., 0], 10.0 * labels)
    np.testing.assert_array_equal(weights, labels)


@pytest.mark.parametrize(
    ("seed", "error"), [(2**40, ValueError), (2**32, ValueError), (-1, ValueError), (0.0, TypeError), (True, TypeError)]
)
def test_bad_seeds_are_named(seed, error):
    with pytest.raises(error, match="seed must be"):
        training.run_keys(seed)
    with pytest.raises(error, match="seeds must be"):
        training.seeds_axis([0, seed])


def test_the_largest_seed_has_keys_of_its_own():
    datas = {jax.random.key_data(training.run_keys(seed).train).tobytes() for seed in (0, 1, 2**31, 2**32 - 1)}
    assert len(datas) == 4
