"""Convolutional discriminators against references with XLA's convolution."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from gumbel_gan.networks.conditions import Labels, Sequences, Vectors
from gumbel_gan.networks.convolutional import (
    convolutional_discriminator,
    multi_representation_discriminator,
    windows,
)
from tests.parameters import random_params

NUM_SYMBOLS, WIDTH, LENGTH, BATCH_SIZE = 5, 4, 6, 3
X = jax.nn.softmax(2 * jax.random.normal(jax.random.key(7), (BATCH_SIZE, LENGTH, NUM_SYMBOLS)))
KINDS = {
    "residual": functools.partial(convolutional_discriminator, num_blocks=2, kernel_size=3),
    "multi-representation": functools.partial(
        multi_representation_discriminator, num_representations=3, embedding_size=2, kernel_sizes=(2, 3)
    ),
}


@functools.cache
def build(kind, **settings):
    discriminator = KINDS[kind](NUM_SYMBOLS, WIDTH, **settings)
    return discriminator._replace(logits=jax.jit(discriminator.logits)), random_params(discriminator.init)


def dense(params, name, x):
    layer = params["params"][name]
    y = x @ layer["kernel"]
    return y + layer["bias"].reshape((1,) * (y.ndim - 1) + (-1,)) if "bias" in layer else y


def convolve(params, name, x, size):
    layer = params["params"][name]
    kernel = layer["kernel"].reshape(size, x.shape[-1], -1)
    y = jax.lax.conv_general_dilated(x, kernel, (1,), "SAME", dimension_numbers=("NTC", "TIO", "NTC"))
    return y + layer["bias"][None, None]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9])
def test_a_dense_layer_of_windows_is_a_convolution(size):
    x = jax.random.normal(jax.random.key(0), (2, 5, 3))
    kernel = jax.random.normal(jax.random.key(1), (size, 3, 4))
    expected = jax.lax.conv_general_dilated(x, kernel, (1,), "SAME", dimension_numbers=("NTC", "TIO", "NTC"))
    np.testing.assert_allclose(windows(x, size) @ kernel.reshape(-1, 4), expected, rtol=1e-4, atol=1e-4)


def test_residual_blocks_are_those_of_the_paper():
    discriminator, params = build("residual")

    @jax.jit
    def expected(params):
        h = dense(params, "Dense_0", X)
        for block in range(2):
            change = convolve(params, f"Dense_{2 * block + 1}", jax.nn.relu(h), 3)
            h = h + 0.3 * convolve(params, f"Dense_{2 * block + 2}", jax.nn.relu(change), 3)
        return dense(params, "Dense_5", h.mean(axis=1))[:, 0]

    np.testing.assert_allclose(discriminator.logits(params, X), expected(params), rtol=1e-4, atol=1e-5)


def test_representations_share_kernels_and_their_features_are_averaged():
    discriminator, params = build("multi-representation")

    @jax.jit
    def expected(params):
        features = []
        for embedded in jnp.split(dense(params, "Dense_0", X), 3, axis=-1):
            h = [jax.nn.relu(convolve(params, f"Dense_{i + 1}", embedded, size)) for i, size in enumerate((2, 3))]
            h = jnp.concatenate(h, axis=-1).max(axis=1)
            gate = jax.nn.sigmoid(dense(params, "Dense_3", h))
            features.append(gate * jax.nn.relu(dense(params, "Dense_4", h)) + (1 - gate) * h)
        return dense(params, "Dense_5", sum(features) / 3)[:, 0]

    np.testing.assert_allclose(discriminator.logits(params, X), expected(params), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_a_logit_a_sequence_of_any_length_and_of_its_own_symbols_only(kind):
    discriminator, params = build(kind)
    for length in (1, LENGTH):
        logits = discriminator.logits(params, X[:, :length])
        chex.assert_shape(logits, (BATCH_SIZE,))
        assert logits.dtype == jnp.float32
        np.testing.assert_allclose(discriminator.logits(params, X[1:2, :length]), logits[1:2], rtol=1e-4, atol=1e-5)
    assert (np.abs(discriminator.logits(params, X[:, ::-1]) - logits) > 1e-4).all()


def test_every_symbol_counts():
    discriminator, params = build("residual")
    gradient = jax.grad(lambda x: discriminator.logits(params, x).sum())(X)
    assert (np.abs(gradient).max(axis=(0, 2)) > 1e-6).all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_a_gradient_penalty_are_right(kind):
    # In float64, so that finite-difference steps are much shorter than the distance to a kink of a ReLU or maximum.
    with jax.enable_x64(True):
        discriminator, params = build(kind, dtype=jnp.float64)
        params, x = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), (params, X))

        @jax.jit
        def penalty(params):
            return jnp.sum(jnp.square(jax.grad(lambda x: discriminator.logits(params, x).sum())(x)))

        check_grads(penalty, (params,), order=1, modes=["rev"], eps=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_spectral_normalization_makes_logits_independent_of_the_scale_of_kernels(kind):
    discriminator, params = build(kind, spectral_norm=True)
    scaled = jax.tree.map(lambda leaf: leaf if leaf.ndim == 1 else 10 * leaf, params)
    logits = discriminator.logits(params, X)
    np.testing.assert_allclose(discriminator.logits(scaled, X), logits, rtol=1e-4, atol=1e-5)
    # Layers are named after their classes.
    plain = {"params": {name.replace("Spectral", ""): layer for name, layer in scaled["params"].items()}}
    assert (np.abs(build(kind)[0].logits(plain, X) - logits) > 1e-2).all()


@pytest.mark.parametrize("kind", KINDS)
def test_conditions_enter_by_projection(kind):
    labels, vectors = jnp.array([3, 0, 1]), jax.nn.one_hot(jnp.array([3, 0, 1]), 4)
    discriminator, params = build(kind, condition=Labels(4))
    plain = build(kind)[0]
    # The last dense layer is the projection, `[4, F]`. Without it, the network is unconditional.
    name = sorted(params["params"])[-1]
    without = {"params": {other: layer for other, layer in params["params"].items() if other != name}}
    projection = params["params"][name]["kernel"]
    logits = discriminator.logits(params, X, condition=labels)
    offset = logits - plain.logits(without, X)
    # The offset is linear in the projection and depends only on the row of the sequence's label.
    doubled = {"params": params["params"] | {name: {"kernel": projection.at[3].multiply(2)}}}
    change = discriminator.logits(doubled, X, condition=labels) - logits
    np.testing.assert_allclose(change, [offset[0], 0, 0], rtol=1e-3, atol=1e-5)
    assert (np.abs(offset) > 1e-4).all()
    of_vectors = build(kind, condition=Vectors(4))[0]
    np.testing.assert_allclose(of_vectors.logits(params, X, condition=vectors), logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_is_off_without_a_key(kind):
    (discriminator, params), (plain, _) = build(kind, dropout_rate=0.5), build(kind)
    assert discriminator.uses_dropout
    assert not plain.uses_dropout
    np.testing.assert_allclose(discriminator.logits(params, X), plain.logits(params, X), rtol=1e-5, atol=1e-6)
    dropped = [discriminator.logits(params, X, dropout_key=jax.random.key(key)) for key in (1, 2)]
    assert (np.abs(dropped[0] - dropped[1]) > 1e-5).all()


@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_compute_keeps_float32_logits_and_agrees(kind):
    discriminator, params = build(kind, dtype=jnp.bfloat16, condition=Labels(4))
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}
    labels = jnp.array([3, 0, 1])
    logits = discriminator.logits(params, X, condition=labels)
    assert logits.dtype == jnp.float32
    expected = build(kind, condition=Labels(4))[0].logits(params, X, condition=labels)
    np.testing.assert_allclose(logits, expected, rtol=0.05, atol=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_depends_on_the_default_dtype(kind):
    discriminator, params = build(kind, condition=Labels(4))
    labels = jnp.array([3, 0, 1])
    expected = discriminator.logits(params, X, condition=labels)
    with jax.enable_x64(True):
        chex.assert_trees_all_equal_shapes_and_dtypes(jax.eval_shape(discriminator.init, jax.random.key(0)), params)
        logits = discriminator.logits(params, X, condition=labels)
    assert logits.dtype == jnp.float32
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_seeds_under_vmap_equal_the_loop():
    discriminator, _ = build("residual")
    each = [random_params(discriminator.init, seed) for seed in range(2)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)
    together = jax.jit(jax.vmap(discriminator.logits, in_axes=(0, None)))(stacked, X)
    for params, logits in zip(each, together, strict=True):
        np.testing.assert_allclose(discriminator.logits(params, X), logits, rtol=1e-4, atol=1e-5)


def test_wrong_sizes_are_named():
    least = {
        convolutional_discriminator: {"num_blocks": 0, "kernel_size": 1},
        multi_representation_discriminator: {"num_representations": 1, "embedding_size": 1},
    }
    for make, sizes in least.items():
        with pytest.raises(ValueError, match="num_symbols must be at least 2, got 1"):
            make(1, 4)
        with pytest.raises(ValueError, match="width must be at least 1, got 0"):
            make(5, 0)
        for name, size in sizes.items():
            with pytest.raises(ValueError, match=f"{name} must be at least {size}, got {size - 1}"):
                make(5, 4, **{name: size - 1})
            with pytest.raises(TypeError, match=f"{name} must be an integer, got 1.5"):
                make(5, 4, **{name: 1.5})
        with pytest.raises(ValueError, match=r"dropout_rate must be a finite number in \[0, 1\), got 1.0"):
            make(5, 4, dropout_rate=1.0)
        with pytest.raises(
            TypeError, match="condition must be Labels, Vectors or None for this network, got Sequences"
        ):
            make(5, 4, condition=Sequences(3))
    with pytest.raises(ValueError, match="kernel_sizes must hold at least one size, got none"):
        multi_representation_discriminator(5, 4, kernel_sizes=())
    with pytest.raises(ValueError, match="kernel_sizes must be at least 1, got 0"):
        multi_representation_discriminator(5, 4, kernel_sizes=(2, 0))


def test_wrong_inputs_are_named():
    discriminator, params = build("residual", condition=Labels(4))
    with pytest.raises(ValueError, match=r"x must be \[B, T, 5\] with T at least 1, got shape \(3, 0, 5\)"):
        discriminator.logits(params, X[:, :0], condition=jnp.zeros(BATCH_SIZE, jnp.int32))
    with pytest.raises(ValueError, match="condition must be given to a network that was built with Labels"):
        discriminator.logits(params, X)
