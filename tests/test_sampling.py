"""Sequences drawn in blocks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.run import drawing
from gumbel_gan import sampling, sharding
from gumbel_gan.model import sequence_model
from gumbel_gan.networks import lstm_generator

MODEL = sequence_model(lstm_generator(5, 4, latent="hidden_and_cell"), length=6, padding=0)


@pytest.fixture(scope="module", autouse=True)
def keys_of_a_draw():
    """Disables the check for reused keys: all blocks use the same key, each with another index."""
    with jax.debug_key_reuse(False):
        yield


def params_of(num):
    return jax.vmap(MODEL.init)(jax.random.split(jax.random.key(0), num))


def draw(num, num_replicas=2, **settings):
    keys = jax.random.split(jax.random.key(1), num_replicas)
    blocks = list(drawing.blocks(MODEL, num_replicas, num, **settings)(keys, params_of(num_replicas)))
    return blocks, np.concatenate(blocks, axis=1)


@pytest.mark.slow
def test_a_long_draw_begins_with_a_short_one_and_never_repeats(monkeypatch):
    monkeypatch.setattr(sampling, "_MOST_ROWS", 16)
    blocks, long = draw(100)
    assert [block.shape for block in blocks] == [(2, 16, 6)] * 6 + [(2, 4, 6)]
    for num in (1, 16, 40):
        np.testing.assert_array_equal(draw(num)[1], long[:, :num])
    assert len({block.tobytes() for block in blocks[:6]}) == 6
    # With one generator on two devices, two blocks are drawn at a time.
    blocks, alone = draw(100, num_replicas=1)
    assert [block.shape[1] for block in blocks] == [32, 32, 32, 4]
    index = sampling.sample_block(
        jax.random.split(jax.random.key(1), 1)[0], MODEL, jax.tree.map(lambda leaf: leaf[0], params_of(1)), 2, 16
    )
    np.testing.assert_array_equal(alone[0, 32:48], index)


def test_a_block_is_smaller_where_the_vocabulary_is_large():
    sizes = [sampling.block_size(sequence_model(lstm_generator(num, 2), length=2)) for num in (2, 2_048, 2_049, 7_487)]
    assert sizes == [1_024, 1_024, 512, 256]
    assert sampling.block_size(sequence_model(lstm_generator(2**22, 1), length=2)) == 1


@pytest.mark.slow
def test_lengths_and_temperatures_are_those_of_the_model():
    assert draw(3, length=9)[1].shape == (2, 3, 9)
    # At a low temperature the noise has no influence, and all draws are the most probable symbols.
    plain = sequence_model(lstm_generator(5, 4), length=6, padding=0)
    params = jax.vmap(plain.init)(jax.random.split(jax.random.key(0), 1))
    num_distinct = {}
    for temperature in (1e-4, 1.0):
        blocks = drawing.blocks(plain, 1, 50)(jax.random.key(1)[None], params, temperature)
        num_distinct[temperature] = len(np.unique(np.concatenate(list(blocks), axis=1)[0], axis=0))
    assert num_distinct[1e-4] == 1 < 10 < num_distinct[1.0]


@pytest.mark.parametrize("num", [10, 2])
def test_targets_of_a_source_are_drawn_in_blocks(num):
    sizes = []

    def sample(key, params, num, *, temperature, condition):
        sizes.append(num)
        return jnp.concatenate([condition, jax.random.randint(key, (num, 1), 0, 2**30)], axis=1)

    sources = np.arange(6, dtype=np.int32).reshape(3, 2)
    found = list(drawing.targets(MODEL._replace(sample=sample), jax.random.key(0), {}, sources, num, at_once=4))
    assert sizes == [4]
    assert [index for index, _ in found] == [index for index in range(3) for _ in range(-(-num // 4))]
    for source in range(3):
        tokens = np.concatenate([tokens for index, tokens in found if index == source])
        np.testing.assert_array_equal(tokens[:, :2], np.repeat(sources[source : source + 1], num, axis=0))
        assert len(np.unique(tokens[:, 2])) == num


def test_bad_arguments_are_named():
    assert list(sampling.in_blocks(lambda index: np.zeros((2, 3)), 0)) == []
    with pytest.raises(ValueError, match=r"draw must return blocks of at least one sequence, got shape \(0, 3\)"):
        list(sampling.in_blocks(lambda index: np.zeros((0, 3)), 2))
    with pytest.raises(ValueError, match="num must be at least 0, got -1"):
        list(sampling.in_blocks(lambda index: np.zeros((2, 3)), -1))
    with pytest.raises(ValueError, match="index must be at least 0, got -1"):
        sampling.sample_block(jax.random.key(0), MODEL, {}, -1, 2)
    with pytest.raises(ValueError, match="in_axes must hold"):
        sharding.map_parts(lambda part, x: x, sharding.seeds_mesh(1), in_axes=(None,))
