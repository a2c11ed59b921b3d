"""Conditions of networks: their types, checks and embeddings."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan.networks import (
    Labels,
    Sequences,
    Vectors,
    transformer_discriminator,
    transformer_generator,
    transformer_prefix_discriminator,
)
from gumbel_gan.networks.conditions import ConditionEmbedding, check_condition, example_condition

SPECS = (Labels(3), Vectors(2), Sequences(4), None)


@pytest.mark.parametrize("spec", SPECS)
def test_an_example_passes_the_check(spec):
    check_condition(spec, example_condition(spec, 5), 5)


@pytest.mark.parametrize(
    ("spec", "value"),
    [(Labels(3), np.array([0, 2], np.int64)), (Vectors(2), np.ones((2, 2))), (Sequences(4), np.ones((2, 9), np.uint8))],
)
def test_arrays_of_numpy_and_of_any_width_pass(spec, value):
    check_condition(spec, value, 2)


def test_wrong_sizes_are_named():
    for make, name in ((Labels, "num"), (Vectors, "size"), (Sequences, "num_symbols")):
        with pytest.raises(ValueError, match=f"^{name} must be at least 1, got 0"):
            make(0)
        with pytest.raises(TypeError, match=f"^{name} must be an integer, got 1.5"):
            make(1.5)
    with pytest.raises(ValueError, match=r"padding must be None or in \[0, 4\), got 4"):
        Sequences(4, padding=4)
    with pytest.raises(ValueError, match="padding must be at least 0, got -1"):
        Sequences(4, padding=-1)
    with pytest.raises(TypeError, match="padding must be an integer, got '0'"):
        Sequences(4, padding="0")


def test_a_missing_and_an_unwanted_condition_are_named():
    for spec in SPECS[:3]:
        with pytest.raises(ValueError, match=f"given to a network that was built with {type(spec).__name__}"):
            check_condition(spec, None, 2)
    with pytest.raises(ValueError, match="condition must be None for a network that was built without one"):
        check_condition(None, jnp.zeros(2, jnp.int32), 2)


@pytest.mark.parametrize(
    ("spec", "wanted", "value"),
    [
        (Labels(3), "integers", jnp.zeros(2)),
        (Vectors(2), "floating", jnp.zeros((2, 2), jnp.int32)),
        (Sequences(4), "integers", jnp.zeros((2, 3))),
        (Labels(3), "integers", jnp.zeros(2, bool)),
    ],
)
def test_a_condition_of_another_dtype_is_named(spec, wanted, value):
    with pytest.raises(TypeError, match=f"condition must be {wanted} for .*, got {value.dtype}"):
        check_condition(spec, value, 2)


@pytest.mark.parametrize(
    ("spec", "wanted", "shape"),
    [
        (Labels(3), r"have shape \(2,\)", (3,)),
        (Labels(3), r"have shape \(2,\)", (2, 1)),
        (Vectors(2), r"have shape \(2, 2\)", (2, 3)),
        (Vectors(2), r"have shape \(2, 2\)", (2,)),
        (Sequences(4), r"be \[2, T'\] with T' at least 1", (2, 0)),
        (Sequences(4), r"be \[2, T'\] with T' at least 1", (3, 4)),
        (Sequences(4), r"be \[2, T'\] with T' at least 1", (2,)),
    ],
)
def test_a_condition_of_another_shape_is_named(spec, wanted, shape):
    value = jnp.zeros(shape, jnp.float32 if isinstance(spec, Vectors) else jnp.int32)
    with pytest.raises(ValueError, match=f"condition must {wanted} for"):
        check_condition(spec, value, 2)


@pytest.mark.parametrize(
    "factory", [transformer_generator, transformer_discriminator, transformer_prefix_discriminator]
)
def test_a_transformer_names_a_condition_of_another_kind(factory):
    with pytest.raises(TypeError, match="condition must be Labels, Vectors, Sequences or None, got 3"):
        factory(4, 8, condition=3)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_embeddings_are_linear_in_vectors_and_rows_of_a_table_for_labels(dtype):
    vectors = ConditionEmbedding(Vectors(2), 3, dtype)
    params = {"params": {"Dense_0": {"kernel": jnp.arange(6.0).reshape(2, 3), "bias": jnp.array([1.0, 0.0, 2.0])}}}
    y = vectors.apply(params, jnp.array([[1.0, 2.0]]))
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, [[7.0, 9.0, 14.0]])
    labels = ConditionEmbedding(Labels(3), 2, dtype)
    table = {"params": {"Embed_0": {"embedding": jnp.arange(6.0).reshape(3, 2)}}}
    y = labels.apply(table, jnp.array([2, 0]))
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, [[4.0, 5.0], [0.0, 1.0]])


def test_embeddings_have_float32_parameters():
    for spec in (Labels(3), Vectors(2)):
        embedding = ConditionEmbedding(spec, 4, jnp.bfloat16)
        shapes = jax.eval_shape(embedding.init, jax.random.key(0), example_condition(spec))
        assert {leaf.dtype for leaf in jax.tree.leaves(shapes)} == {jnp.dtype("float32")}
