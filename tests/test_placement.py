"""Seeds over two simulated devices."""

import re
from functools import partial

import chex
import jax
import jax.numpy as jnp
import pytest

from gumbel_gan import placement, training
from gumbel_gan.checkpoints import Checkpoints
from tests.test_training import ALGORITHM, DATA

STEPS = partial(training.train, ALGORITHM, batch_size=3, num_steps=6)


def start(mesh, seeds):
    keys = jax.device_put(training.seeds_axis(seeds), placement.seeds_sharding(mesh))
    return keys, jax.jit(placement.vmap_seeds(ALGORITHM.init, mesh))(keys.init)


def test_the_mesh_takes_as_many_devices_as_divide_the_seeds():
    assert len(jax.devices()) == 2
    sizes = {num: placement.seeds_mesh(num).size for num in (1, 2, 3, 4)}
    assert sizes == {1: 1, 2: 2, 3: 1, 4: 2}


def test_seeds_on_two_devices_are_the_seeds_on_one():
    mesh = placement.seeds_mesh(4)
    keys, state = start(mesh, range(4))
    data = jax.device_put(DATA, placement.replicated(mesh))
    step = jax.jit(placement.vmap_seeds(STEPS, mesh, in_axes=(0, 0, None)))
    state, metrics = step(keys.train, state, data)
    assert {leaf.sharding for leaf in jax.tree.leaves((state, metrics))} == {placement.seeds_sharding(mesh)}
    assert len(state.step.sharding.device_set) == 2

    single_keys, single = start(placement.seeds_mesh(1), [3])
    alone, alone_metrics = jax.jit(jax.vmap(STEPS, in_axes=(0, 0, None)))(single_keys.train, single, DATA)
    chex.assert_trees_all_close(jax.tree.map(lambda leaf: leaf[3:], state), alone, rtol=1e-4, atol=1e-5)
    chex.assert_trees_all_close(metrics["generator_loss"][3:], alone_metrics["generator_loss"], rtol=1e-3)


def test_devices_never_talk_to_each_other():
    mesh = placement.seeds_mesh(2)
    keys, state = start(mesh, range(2))
    step = jax.jit(placement.vmap_seeds(STEPS, mesh, in_axes=(0, 0, None)))
    program = step.lower(keys.train, state, jax.device_put(DATA, placement.replicated(mesh))).compile().as_text()
    assert not re.search("all-reduce|all-gather|all-to-all|collective-permute", program)


def test_a_spread_state_is_restored_to_its_devices_or_to_one(tmp_path):
    mesh = placement.seeds_mesh(2)
    _, state = start(mesh, range(2))
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, state)
    for sharding in (placement.seeds_sharding(mesh), placement.seeds_sharding(placement.seeds_mesh(1))):
        like = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), state)
        with Checkpoints(tmp_path) as checkpoints:
            restored = checkpoints.restore(like, sharding)
        chex.assert_trees_all_equal(restored, state)
        assert restored.step.sharding == sharding


def test_a_hyperparameter_has_an_axis_beside_the_seeds():
    mesh = placement.seeds_mesh(2)
    keys, state = start(mesh, [0, 0])

    def train(key, state, scale):
        algorithm = ALGORITHM._replace(step=lambda *args: (args[1], {"scale": scale * jnp.ones(())}))
        return training.train(algorithm, key, state, DATA, batch_size=3, num_steps=1)[1]

    metrics = jax.jit(placement.vmap_seeds(train, mesh, in_axes=(0, 0, 0)))(keys.train, state, jnp.array([1.0, 2.0]))
    assert metrics["scale"].tolist() == [[1.0], [2.0]]


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="num_seeds must be at least 1, got 0"):
        placement.seeds_mesh(0)
    with pytest.raises(ValueError, match="devices must hold"):
        placement.seeds_mesh(1, [])
    with pytest.raises(ValueError, match=r"in_axes must hold 0 or None for each argument, got \(1,\)"):
        placement.vmap_seeds(lambda x: x, placement.seeds_mesh(1), in_axes=(1,))
