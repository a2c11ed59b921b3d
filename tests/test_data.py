"""Batches, every documented error of `check_data`, and inverse-frequency weights against counts."""

import collections

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan.data import Batch, as_batch, check_data, inverse_frequency_weights, num_sequences, take

TOKENS = np.array([[0, 1, 2], [2, 2, 0], [1, 0, 0], [2, 1, 1]], np.int32)
BATCH = Batch(
    TOKENS,
    condition={"label": np.array([3, 1, 0, 2]), "vector": np.arange(8.0).reshape(4, 2)},
    weights=np.array([1.0, 0.0, 0.5, 2.0], np.float32),
)


def check(data):
    return check_data(data, num_symbols=3, length=3)


def test_tokens_become_a_batch_and_a_batch_stays_itself():
    batch = as_batch(TOKENS)
    assert batch.tokens is TOKENS
    assert batch.condition is None
    assert batch.weights is None
    assert as_batch(BATCH) is BATCH
    assert num_sequences(BATCH) == 4


@pytest.mark.parametrize("rows", [np.array([2, 0, 2]), slice(1, 3)])
def test_rows_of_a_batch_are_rows_of_every_array(rows):
    found = take(BATCH, rows)
    np.testing.assert_array_equal(found.tokens, TOKENS[rows])
    np.testing.assert_array_equal(found.condition["label"], BATCH.condition["label"][rows])
    np.testing.assert_array_equal(found.condition["vector"], BATCH.condition["vector"][rows])
    np.testing.assert_array_equal(found.weights, BATCH.weights[rows])
    assert isinstance(found.tokens, np.ndarray)


def test_traced_rows_are_taken_from_arrays_of_numpy_and_jax():
    rows = jnp.array([3, 0], jnp.int32)
    for batch in (BATCH, jax.tree.map(jnp.asarray, BATCH)):
        found = jax.jit(lambda rows, batch=batch: take(batch, rows))(rows)
        np.testing.assert_array_equal(found.tokens, TOKENS[[3, 0]])
        np.testing.assert_array_equal(found.weights, BATCH.weights[[3, 0]])


def test_good_data_is_returned_as_it_is():
    assert check(TOKENS).tokens is TOKENS
    assert check(BATCH) is BATCH
    batch = jax.tree.map(jnp.asarray, BATCH)
    assert check(batch) is batch
    for dtype in (np.int8, np.uint8, np.int64):
        check(TOKENS.astype(dtype))
    for condition in (TOKENS > 0, jax.random.split(jax.random.key(0), 4), (TOKENS, [TOKENS[:, 0], None]), ()):
        check(Batch(TOKENS, condition))
    for dtype in (np.float16, jnp.bfloat16, np.float64):
        check(Batch(TOKENS, weights=np.ones(4, dtype)))


def test_shapes_and_dtypes_of_traced_arrays_are_checked():
    num = jax.jit(lambda batch: num_sequences(check(batch)) * jnp.ones((), jnp.int32))
    # The values are out of range, but values of traced arrays are not checked.
    assert num(Batch(TOKENS + 7, weights=-np.ones(4, np.float32))) == 4
    with pytest.raises(ValueError, match=r"tokens must be \[N, 3\], got shape \(4, 2\)"):
        num(Batch(TOKENS[:, 1:]))
    with pytest.raises(TypeError, match="tokens must be an array of integers, got float32"):
        num(Batch(TOKENS.astype(np.float32)))
    with pytest.raises(ValueError, match=r"weights must be \[4\], got shape \(3,\)"):
        num(Batch(TOKENS, weights=np.ones(3, np.float32)))


@pytest.mark.parametrize(
    ("tokens", "got"),
    [
        (TOKENS.astype(np.float32), "float32"),
        (TOKENS > 0, "bool"),
        (TOKENS.astype(str), "<U11"),
        (TOKENS.astype(object), "object"),
        (jax.random.split(jax.random.key(0), (4, 3)), "key<fry>"),
        (TOKENS.tolist(), "list"),
        ((TOKENS, None), "tuple"),
        ("abc", "str"),
        (None, "NoneType"),
    ],
)
def test_tokens_that_are_no_integers_are_named(tokens, got):
    with pytest.raises(TypeError, match=f"tokens must be an array of integers, got {got}"):
        check(tokens)
    with pytest.raises(TypeError, match=f"tokens must be an array of integers, got {got}"):
        inverse_frequency_weights(tokens)


@pytest.mark.parametrize("module", [np, jnp])
def test_tokens_of_wrong_shapes_or_values_are_named(module):
    tokens = module.asarray(TOKENS)
    for wrong, shape in ((tokens[0], r"\(3,\)"), (tokens[None], r"\(1, 4, 3\)"), (tokens[:, :2], r"\(4, 2\)")):
        with pytest.raises(ValueError, match=rf"tokens must be \[N, 3\], got shape {shape}"):
            check(wrong)
    with pytest.raises(ValueError, match="tokens must hold at least one sequence, got none"):
        check(tokens[:0])
    with pytest.raises(ValueError, match=r"tokens must be in \[0, 3\), got 0 to 4"):
        check(2 * tokens)
    with pytest.raises(ValueError, match=r"tokens must be in \[0, 3\), got -1 to 1"):
        check(tokens - 1)


@pytest.mark.parametrize("leaf", [np.array(["a", "b", "c", "d"]), np.array([None] * 4), "abcd", 1.0])
def test_conditions_that_are_no_arrays_of_numbers_are_named(leaf):
    with pytest.raises(TypeError, match="condition must be an array of numbers, bools or PRNG keys, got"):
        check(Batch(TOKENS, {"label": np.arange(4), "other": leaf}))


@pytest.mark.parametrize("shape", [(), (3,), (1, 4)])
def test_conditions_of_another_length_are_named(shape):
    with pytest.raises(ValueError, match="condition must have a leading axis of 4, got shape"):
        check(Batch(TOKENS, [np.arange(4), np.ones(shape)]))


@pytest.mark.parametrize("weights", [[1.0] * 4, 1.0, np.ones(4, np.int32), np.ones(4, bool), np.ones(4, complex)])
def test_weights_that_are_no_floats_are_named(weights):
    with pytest.raises(TypeError, match="weights must be an array of floats, got"):
        check(Batch(TOKENS, weights=weights))


@pytest.mark.parametrize("module", [np, jnp])
def test_weights_of_wrong_shapes_or_values_are_named(module):
    for shape in ((3,), (4, 1), ()):
        with pytest.raises(ValueError, match=r"weights must be \[4\], got shape"):
            check(Batch(TOKENS, weights=module.ones(shape)))
    for value in (-1.0, np.nan, np.inf, -np.inf):
        weights = module.asarray(np.array([1.0, value, 2.0, 0.0], np.float32))
        with pytest.raises(ValueError, match="weights must be finite and >= 0, got"):
            check(Batch(TOKENS, weights=weights))
    with pytest.raises(ValueError, match="weights must not all be 0"):
        check(Batch(TOKENS, weights=module.zeros(4)))


@pytest.mark.parametrize("name", ["num_symbols", "length"])
def test_sizes_that_are_no_sizes_are_named(name):
    sizes = {"num_symbols": 3, "length": 3}
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        check_data(TOKENS, **sizes | {name: 0})
    with pytest.raises(TypeError, match=rf"{name} must be an integer, got 3.0"):
        check_data(TOKENS, **sizes | {name: 3.0})


@pytest.mark.parametrize("module", [np, jnp])
def test_weights_are_inverse_frequencies(module):
    tokens = np.random.default_rng(0).integers(0, 3, (2_000, 5))
    counts = collections.Counter(map(tuple, tokens.tolist()))
    assert len(set(counts.values())) > 5
    weights = inverse_frequency_weights(module.asarray(tokens))
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights, [2_000 / counts[tuple(row)] for row in tokens.tolist()], rtol=1e-6)
    # Every distinct sequence has a total weight of N.
    totals = collections.Counter()
    for row, weight in zip(tokens.tolist(), weights.tolist(), strict=True):
        totals[tuple(row)] += weight
    np.testing.assert_allclose(list(totals.values()), 2_000, rtol=1e-5)


def test_weights_of_many_distinct_sequences_are_equal():
    tokens = np.random.default_rng(0).permutation(100_000)[:, None] // np.array([1_000, 1]) % 1_000
    np.testing.assert_array_equal(inverse_frequency_weights(tokens), 100_000)


@pytest.mark.parametrize("shape", [(3,), (0, 3), (3, 0), (2, 3, 1)])
def test_weights_of_no_sequences_are_refused(shape):
    with pytest.raises(ValueError, match=r"tokens must be \[N, T\] with N and T at least 1, got shape"):
        inverse_frequency_weights(np.zeros(shape, int))
