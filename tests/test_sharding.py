"""Seeds, and shards of a batch, over two simulated devices."""

import re
from functools import partial

import chex
import jax
import jax.numpy as jnp
import optax
import pytest

from gumbel_gan import sharding, training
from gumbel_gan.algorithms import relaxed_gan
from gumbel_gan.checkpoints import Checkpoints
from gumbel_gan.data import Batch
from gumbel_gan.networks import lstm_generator
from tests.test_training import ALGORITHM, DATA, SETTINGS

STEPS = partial(training.train, ALGORITHM, batch_size=3, num_steps=6)
SHARDED = relaxed_gan(**SETTINGS, shard_axis=sharding.SHARDS)
SHARDED_STEPS = partial(training.train, SHARDED, batch_size=4, num_steps=6, shard_axis=sharding.SHARDS)


def start(mesh, seeds):
    keys = jax.device_put(training.seeds_axis(seeds), sharding.seeds_sharding(mesh))
    return keys, sharding.init_seeds(ALGORITHM.init, keys.init, mesh)


def test_the_mesh_takes_as_many_devices_as_divide_the_seeds():
    assert len(jax.devices()) == 2
    sizes = {num: sharding.seeds_mesh(num).size for num in (1, 2, 3, 4)}
    assert sizes == {1: 1, 2: 2, 3: 1, 4: 2}


def test_shards_have_the_devices_that_seeds_leave():
    shapes = {seeds: tuple(sharding.seeds_mesh(seeds, 2).shape.values()) for seeds in (1, 2, 3)}
    assert shapes == {1: (1, 2), 2: (2, 1), 3: (1, 2)}
    assert sharding.seeds_mesh(1, 4).size == 1


def run_shards(devices):
    mesh = sharding.seeds_mesh(3, 2, devices)
    keys, state = start(mesh, range(3))
    data = jax.device_put(DATA, sharding.replicated(mesh))
    step = jax.jit(sharding.vmap_seeds(SHARDED_STEPS, mesh, in_axes=(0, 0, None), num_shards=2))
    # With two batch axes, the check for reused keys counts a transposition of keys as a use.
    with jax.debug_key_reuse(False):
        state, metrics = step(keys.train, state, data)
    return mesh, state, metrics


@pytest.mark.slow
def test_shards_on_two_devices_are_the_shards_on_one():
    spread, state, metrics = run_shards(jax.devices())
    single, alone, alone_metrics = run_shards(jax.devices()[:1])
    assert (spread.size, single.size) == (2, 1)
    assert len(state.step.sharding.device_set) == 2
    chex.assert_trees_all_close(jax.device_get(state), jax.device_get(alone), rtol=1e-4, atol=1e-5)
    chex.assert_trees_all_close(jax.device_get(metrics), jax.device_get(alone_metrics), rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_a_sharded_update_is_the_update_by_the_mean_of_the_shards_gradients():
    # With plain gradient descent at rate 1, an update is minus the gradient, so that updates can be averaged.
    settings = SETTINGS | {"generator_optimizer": optax.sgd(1.0), "discriminator_optimizer": optax.sgd(1.0)}
    plain, sharded = relaxed_gan(**settings), relaxed_gan(**settings, shard_axis=sharding.SHARDS)
    keys, state = training.run_keys(0), plain.init(jax.random.key(3))
    steps = partial(training.train, batch_size=4, num_steps=1)
    together, _ = jax.vmap(
        partial(steps, sharded, keys.train, state, DATA, shard_axis=sharding.SHARDS),
        in_axes=(), out_axes=None, axis_name=sharding.SHARDS, axis_size=2,
    )()  # fmt: skip

    batch_key, step_key = jax.random.split(jax.random.fold_in(keys.train, state.step))
    rows = jax.random.randint(batch_key, (4,), 0, len(DATA)).reshape(2, 2)
    apart = [plain.step(jax.random.fold_in(step_key, shard), state, Batch(DATA[rows[shard]]))[0] for shard in range(2)]
    mean = jax.tree.map(lambda *leaves: sum(leaves) / 2, *(each.discriminator_params for each in apart))
    chex.assert_trees_all_close(together.discriminator_params, mean, rtol=1e-4, atol=1e-6)
    difference = jax.tree.map(
        lambda a, b: jnp.abs(a - b).max(), apart[0].discriminator_params, apart[1].discriminator_params
    )
    assert max(jax.tree.leaves(difference)) > 1e-3


@pytest.mark.slow
def test_no_host_transfer_while_shards_train():
    mesh = sharding.seeds_mesh(1, 2)
    keys, state = start(mesh, [0])
    data = jax.device_put(DATA, sharding.replicated(mesh))
    step = jax.jit(sharding.vmap_seeds(SHARDED_STEPS, mesh, in_axes=(0, 0, None), num_shards=2))
    state, _ = step(keys.train, state, data)  # compiled before the guard
    with jax.transfer_guard("disallow"):
        jax.block_until_ready(step(keys.train, state, data))


def test_gradients_are_averaged_once_a_network_and_step():
    mesh = sharding.seeds_mesh(1, 2)
    keys, state = start(mesh, [0])
    step = jax.jit(sharding.vmap_seeds(SHARDED_STEPS, mesh, in_axes=(0, 0, None), num_shards=2))
    program = step.lower(keys.train, state, jax.device_put(DATA, sharding.replicated(mesh))).compile().as_text()
    # One all-reduce for each network, one for the metrics after the scan, and none inside the unrolls.
    assert 0 < len(re.findall(r" all-reduce(?:-start)?\(", program)) <= 3
    assert not re.search("all-gather|all-to-all|collective-permute", program)


@pytest.mark.slow
def test_seeds_on_two_devices_are_the_seeds_on_one():
    mesh = sharding.seeds_mesh(4)
    keys, state = start(mesh, range(4))
    data = jax.device_put(DATA, sharding.replicated(mesh))
    step = jax.jit(sharding.vmap_seeds(STEPS, mesh, in_axes=(0, 0, None)))
    state, metrics = step(keys.train, state, data)
    assert {leaf.sharding for leaf in jax.tree.leaves((state, metrics))} == {sharding.seeds_sharding(mesh)}
    assert len(state.step.sharding.device_set) == 2

    single_keys, single = start(sharding.seeds_mesh(1), [3])
    alone, alone_metrics = jax.jit(jax.vmap(STEPS, in_axes=(0, 0, None)))(single_keys.train, single, DATA)
    chex.assert_trees_all_close(jax.tree.map(lambda leaf: leaf[3:], state), alone, rtol=1e-4, atol=1e-5)
    chex.assert_trees_all_close(metrics["generator_loss"][3:], alone_metrics["generator_loss"], rtol=1e-3)


def test_states_of_many_seeds_are_made_without_waiting_for_ever():
    # Wide enough that the factorizations of the orthogonal initializers run in parallel.
    generator = lstm_generator(3, 64)
    mesh = sharding.seeds_mesh(8)
    keys = jax.device_put(training.seeds_axis(range(8)), sharding.seeds_sharding(mesh))
    states = sharding.init_seeds(generator.init, keys.init, mesh)
    assert {leaf.sharding for leaf in jax.tree.leaves(states)} == {sharding.seeds_sharding(mesh)}
    alone = jax.jit(generator.init)(training.run_keys(5).init)
    chex.assert_trees_all_close(jax.tree.map(lambda leaf: leaf[5], states), alone, rtol=1e-5, atol=1e-6)


def test_devices_never_talk_to_each_other():
    mesh = sharding.seeds_mesh(2)
    keys, state = start(mesh, range(2))
    step = jax.jit(sharding.vmap_seeds(STEPS, mesh, in_axes=(0, 0, None)))
    program = step.lower(keys.train, state, jax.device_put(DATA, sharding.replicated(mesh))).compile().as_text()
    assert not re.search("all-reduce|all-gather|all-to-all|collective-permute", program)


def test_a_spread_state_is_restored_to_its_devices_or_to_one(tmp_path):
    mesh = sharding.seeds_mesh(2)
    _, state = start(mesh, range(2))
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, state)
    for placed in (sharding.seeds_sharding(mesh), sharding.seeds_sharding(sharding.seeds_mesh(1))):
        like = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), state)
        with Checkpoints(tmp_path) as checkpoints:
            restored = checkpoints.restore(like, placed)
        chex.assert_trees_all_equal(restored, state)
        assert restored.step.sharding == placed


def test_a_hyperparameter_has_an_axis_beside_the_seeds():
    mesh = sharding.seeds_mesh(2)
    keys, state = start(mesh, [0, 0])

    def train(key, state, scale):
        algorithm = ALGORITHM._replace(step=lambda *args: (args[1], {"scale": scale * jnp.ones(())}))
        return training.train(algorithm, key, state, DATA, batch_size=3, num_steps=1)[1]

    metrics = jax.jit(sharding.vmap_seeds(train, mesh, in_axes=(0, 0, 0)))(keys.train, state, jnp.array([1.0, 2.0]))
    assert metrics["scale"].tolist() == [[1.0], [2.0]]


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="num_seeds must be at least 1, got 0"):
        sharding.seeds_mesh(0)
    with pytest.raises(ValueError, match="num_shards must be at least 1, got 0"):
        sharding.seeds_mesh(1, 0)
    with pytest.raises(ValueError, match="devices must hold"):
        sharding.seeds_mesh(1, 1, [])
    with pytest.raises(ValueError, match="num_shards must be that of the mesh, 2, got 1"):
        sharding.vmap_seeds(lambda x: x, sharding.seeds_mesh(1, 2))
    with pytest.raises(ValueError, match="batch_size must be a multiple of the number of shards, 2; got 3"):
        jax.vmap(
            lambda key: training.train(SHARDED, key, None, DATA, batch_size=3, num_steps=1, shard_axis=sharding.SHARDS),
            axis_name=sharding.SHARDS,
        )(jax.random.split(jax.random.key(0)))
    with pytest.raises(ValueError, match=r"in_axes must hold 0, None or .* for each argument, got \(1,\)"):
        sharding.vmap_seeds(lambda x: x, sharding.seeds_mesh(1), in_axes=(1,))
