"""Discriminators of packs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gumbel_gan as gg
from gumbel_gan.networks import Labels, lstm_discriminator

KEY = jax.random.key(0)


def test_a_pack_is_its_sequences_side_by_side():
    """PacGAN, section 2: the discriminator reads the concatenation of m samples, all real or all generated."""
    x = jax.random.normal(jax.random.key(1), (6, 4, 3))
    inner = lstm_discriminator(6, 5)
    packed = gg.packed_discriminator(inner, 2)
    params = packed.init(KEY)
    got = packed.logits(params, x)
    for pack in range(3):
        beside = jnp.concatenate([x[2 * pack], x[2 * pack + 1]], axis=-1)
        expected = inner.logits(params, beside[None])[0]
        np.testing.assert_allclose(got[2 * pack : 2 * pack + 2], [expected, expected], rtol=1e-5)
    same = lstm_discriminator(3, 5, pack_size=2)
    np.testing.assert_array_equal(same.logits(params, x), got)


def test_the_logit_of_a_sequence_depends_on_its_pack_alone():
    packed = lstm_discriminator(3, 5, pack_size=2)
    params, x = packed.init(KEY), jax.random.normal(jax.random.key(1), (4, 4, 3))
    gradient = jax.grad(lambda x: packed.logits(params, x)[0])(x)
    assert np.abs(gradient[:2]).min() > 0
    np.testing.assert_array_equal(gradient[2:], 0)


def test_packs_of_one_are_the_discriminator_itself_and_dropout_is_passed_on():
    inner = lstm_discriminator(3, 5)
    assert gg.packed_discriminator(inner, 1) is inner
    dropped = lstm_discriminator(3, 5, pack_size=2, dropout_rate=0.5)
    assert dropped.uses_dropout
    params, x = dropped.init(KEY), jax.random.normal(jax.random.key(1), (4, 4, 3))
    first, second = (dropped.logits(params, x, dropout_key=jax.random.key(seed)) for seed in (0, 1))
    assert np.abs(first - second).max() > 1e-4


def test_wrong_packs_are_named():
    packed = lstm_discriminator(3, 5, pack_size=2)
    with pytest.raises(ValueError, match=r"B a multiple of 2, got shape \(3, 4, 3\)"):
        packed.logits(packed.init(KEY), jnp.ones((3, 4, 3)))
    with pytest.raises(ValueError, match="pack_size must be 1 with a condition, got 2"):
        lstm_discriminator(3, 5, pack_size=2, condition=Labels(2))
    with pytest.raises(ValueError, match="pack_size must be at least 1, got 0"):
        lstm_discriminator(3, 5, pack_size=0)
    with pytest.raises(ValueError, match="num_symbols must be at least 2, got 1"):
        lstm_discriminator(1, 5, pack_size=2)
    with pytest.raises(TypeError, match="discriminator must be"):
        gg.packed_discriminator(lambda x: x, 2)
