"""Transformer discriminators of sequences and of prefixes."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from gumbel_gan.networks.conditions import Labels, Sequences, Vectors
from gumbel_gan.networks.transformer_discriminator import (
    TRANSFORMER_POOLINGS,
    transformer_discriminator,
    transformer_prefix_discriminator,
)
from tests.parameters import random_params

NUM_SYMBOLS, LENGTH, BATCH_SIZE = 5, 4, 3
X = jax.nn.softmax(2 * jax.random.normal(jax.random.key(7), (BATCH_SIZE, LENGTH, NUM_SYMBOLS)))
KINDS = {
    **{pooling: functools.partial(transformer_discriminator, pooling=pooling) for pooling in TRANSFORMER_POOLINGS},
    "prefix": transformer_prefix_discriminator,
}
CONDITIONS = {
    "none": (None, None),
    "labels": (Labels(4), jnp.array([3, 0, 1])),
    "vectors": (Vectors(2), jnp.array([[0.5, 1.0], [-1.0, 0.0], [2.0, 3.0]])),
    "sequences": (Sequences(7, padding=0), jnp.array([[1, 2, 3, 4], [6, 0, 0, 0], [5, 5, 0, 0]])),
}


@functools.cache
def build(kind, **settings):
    discriminator = KINDS[kind](NUM_SYMBOLS, 8, num_layers=1, **settings)
    return discriminator._replace(logits=jax.jit(discriminator.logits)), random_params(discriminator.init)


@pytest.mark.parametrize("pooling", TRANSFORMER_POOLINGS)
def test_there_is_a_logit_a_sequence_that_depends_on_all_its_symbols_and_on_no_other_sequence(pooling):
    discriminator, params = build(pooling)
    logits, jacobian = jax.jit(
        lambda x: (discriminator.logits(params, x), jax.jacrev(discriminator.logits, 1)(params, x))
    )(X)
    chex.assert_shape(logits, (BATCH_SIZE,))
    assert logits.dtype == jnp.float32
    used = np.abs(jacobian).max(axis=-1) > 1e-7
    np.testing.assert_array_equal(used, np.tile(np.eye(BATCH_SIZE, dtype=bool)[:, :, None], LENGTH))


def test_the_logit_of_a_prefix_depends_on_all_its_symbols_and_on_no_later_one():
    discriminator, params = build("prefix")
    logits = discriminator.logits(params, X)
    chex.assert_shape(logits, (BATCH_SIZE, LENGTH))
    np.testing.assert_allclose(discriminator.logits(params, X[:, :2]), logits[:, :2], rtol=1e-4, atol=1e-5)
    jacobian = jax.jacobian(lambda x: discriminator.logits(params, x[None])[0])(X[0])
    np.testing.assert_array_equal(np.abs(jacobian).max(axis=-1) > 1e-7, np.tri(LENGTH, dtype=bool))


def test_order_matters():
    for kind in TRANSFORMER_POOLINGS:
        discriminator, params = build(kind)
        change = discriminator.logits(params, X[:, ::-1]) - discriminator.logits(params, X)
        assert (np.abs(change) > 1e-4).all()


def test_a_sequence_of_one_symbol_has_a_logit():
    for kind in KINDS:
        discriminator, params = build(kind)
        logits = discriminator.logits(params, X[:, :1])
        assert logits.shape[0] == BATCH_SIZE
        assert np.isfinite(logits).all()


@pytest.mark.slow
@pytest.mark.parametrize("spectral_norm", [False, True])
@pytest.mark.parametrize("kind", ["mean", "prefix"])
def test_gradients_of_a_gradient_penalty_are_right(kind, spectral_norm):
    discriminator, params = build(kind, spectral_norm=spectral_norm)

    @jax.jit
    def penalty(params):
        gradient = jax.grad(lambda x: discriminator.logits(params, x).sum())(X)
        return jnp.sum(jnp.square(gradient))

    check_grads(penalty, (params,), order=1, modes=["rev"], atol=0.02, rtol=0.02, eps=1e-2)


@pytest.mark.parametrize("kind", ["labels", "vectors", "sequences"])
def test_every_entry_of_a_condition_counts(kind):
    spec, value = CONDITIONS[kind]
    discriminator, params = build("mean", condition=spec)
    logits = discriminator.logits(params, X[:1], condition=value[:1])
    for index in np.ndindex(value.shape[1:]):
        other = discriminator.logits(params, X[:1], condition=value[:1].at[(0, *index)].add(-1))
        assert abs(float(other[0] - logits[0])) > 1e-6


def test_padding_of_a_condition_changes_nothing():
    spec, value = CONDITIONS["sequences"]
    for kind in ("mean", "prefix"):
        discriminator, params = build(kind, condition=spec)
        longer = jnp.pad(value, ((0, 0), (0, 2)))
        logits = discriminator.logits(params, X, condition=value)
        np.testing.assert_allclose(discriminator.logits(params, X, condition=longer), logits, rtol=1e-4, atol=1e-5)


def test_dropout_is_off_without_a_key():
    (discriminator, params), (plain, _) = build("mean", dropout_rate=0.5), build("mean")
    assert discriminator.uses_dropout
    assert not plain.uses_dropout
    logits = plain.logits(params, X)
    np.testing.assert_allclose(discriminator.logits(params, X), logits, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(plain.logits(params, X, dropout_key=jax.random.key(0)), logits)
    dropped = [discriminator.logits(params, X, dropout_key=jax.random.key(key)) for key in (1, 2)]
    assert (np.abs(dropped[0] - dropped[1]) > 1e-4).all()


def test_bfloat16_compute_keeps_float32_logits_and_agrees():
    logits = {}
    for dtype in (jnp.float32, jnp.bfloat16):
        discriminator, params = build("mean", dtype=dtype, spectral_norm=True)
        assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}
        logits[dtype] = discriminator.logits(params, X)
        assert logits[dtype].dtype == jnp.float32
    np.testing.assert_allclose(logits[jnp.float32], logits[jnp.bfloat16], atol=0.1)


def test_nothing_depends_on_the_default_dtype():
    discriminator, params = build("mean", spectral_norm=True)
    expected = discriminator.logits(params, X)
    with jax.enable_x64(True):
        chex.assert_trees_all_equal_shapes_and_dtypes(jax.eval_shape(discriminator.init, jax.random.key(0)), params)
        logits = discriminator.logits(params, X)
    assert logits.dtype == jnp.float32
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_sizes_are_named(kind):
    make = KINDS[kind]
    with pytest.raises(ValueError, match="num_symbols must be at least 2, got 1"):
        make(1, 8)
    with pytest.raises(ValueError, match="width must be a multiple of num_heads, got 8 and 3"):
        make(5, 8, num_heads=3)
    for name in ("num_layers", "num_heads", "mlp_ratio"):
        with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
            make(5, 8, **{name: 0})
        with pytest.raises(TypeError, match=f"{name} must be an integer, got 1.5"):
            make(5, 8, **{name: 1.5})
    with pytest.raises(ValueError, match=r"dropout_rate must be a finite number in \[0, 1\), got -0.1"):
        make(5, 8, dropout_rate=-0.1)
    with pytest.raises(TypeError, match="dropout_rate must be a finite number"):
        make(5, 8, dropout_rate="0")


def test_wrong_poolings_and_inputs_are_named():
    with pytest.raises(ValueError, match="pooling must be one of mean, class_token; got 'last'"):
        transformer_discriminator(5, 8, pooling="last")
    discriminator, params = build("mean")
    with pytest.raises(TypeError, match="x must be floating, got int32"):
        discriminator.logits(params, X.astype(jnp.int32))
    for wrong in (X[0], X[:, :0], X[..., :4]):
        with pytest.raises(ValueError, match=r"x must be \[B, T, 5\] with T at least 1, got shape"):
            discriminator.logits(params, wrong)
    with pytest.raises(ValueError, match="condition must be None for a network that was built without one"):
        discriminator.logits(params, X, condition=jnp.zeros(BATCH_SIZE))
