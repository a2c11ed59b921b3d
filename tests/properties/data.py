"""Test cases for data, keys and training states."""

import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

import gumbel_gan as gg
from gumbel_gan import data, training
from tests.properties import strategies as s
from tests.properties.case import Case, arguments, float32, has, is_a, joined

NUM_SYMBOLS = 3
LENGTH = 2
TOKENS = ((1, LENGTH), (3, LENGTH))


_NOT_TOKENS = (
    s.not_integers(*TOKENS) | s.tokens((2,), (0, LENGTH), (1, 1, 1), num_symbols=1) | st.just(np.full((2, LENGTH), -1))
)

_BATCHES = st.sampled_from(
    (gg.Batch(np.ones((3, LENGTH), int)), gg.Batch(np.ones((3, LENGTH), int), {"label": np.arange(3)}, np.ones(3)))
)
_NOT_BATCHES = st.sampled_from((None, 3, "text", np.ones((3, LENGTH), int)))

CASES = {
    "inverse_frequency_weights": Case(
        gg.inverse_frequency_weights,
        arguments(tokens=s.tokens(*TOKENS, num_symbols=NUM_SYMBOLS)),
        {"tokens": s.not_integers((2, 2)) | s.tokens((2,), (0, 2), (2, 0), (1, 1, 1), num_symbols=1)},
        has(lambda given: given["tokens"].shape[:1], float32),
    ),
    "data.check_data": Case(
        lambda tokens, num_symbols, length: data.check_data(tokens, num_symbols=num_symbols, length=length),
        arguments(
            tokens=s.tokens(*TOKENS, num_symbols=NUM_SYMBOLS), num_symbols=s.integers(3, 4), length=st.just(LENGTH)
        ),
        {"tokens": _NOT_TOKENS, "num_symbols": s.integers_below(1), "length": s.integers_below(1)},
        is_a(gg.Batch),
    ),
    "training.run_keys": Case(
        training.run_keys,
        arguments(seed=s.SEEDS | st.just(3).map(jnp.int32)),
        {"seed": s.NOT_SEEDS | s.HUGE_SEEDS},
        is_a(training.RunKeys),
    ),
    "training.seeds_axis": Case(
        training.seeds_axis,
        arguments(seeds=st.sampled_from(([0], (1, 2), [2**32 - 1]))),
        {"seeds": st.sampled_from((None, 3, "12", [0.5], [-1], [2**32], [[1]], [True], [], [None]))},
        is_a(training.RunKeys),
    ),
    "training.has_diverged": Case(
        training.has_diverged,
        arguments(state=s.floats((), (2,), (0,)).map(lambda leaf: {"leaf": leaf, "step": jnp.int32(1)})),
        {},
        has(lambda given: (), lambda given: jnp.bool),
        num_examples=5,
    ),
    "training.select": Case(
        training.select,
        joined(
            arguments(condition=st.booleans().map(jnp.bool) | st.just(jnp.array([True, False]))),
            s.like((2, 3), "first", "second"),
        ),
        {},
        has(lambda given: (2, 3), lambda given: given["first"].dtype),
        num_examples=5,
    ),
    "data.as_batch": Case(
        data.as_batch, arguments(data=_BATCHES | s.tokens(*TOKENS, num_symbols=2)), {}, is_a(gg.Batch), num_examples=5
    ),
    "data.num_sequences": Case(
        data.num_sequences, arguments(data=_BATCHES), {"data": _NOT_BATCHES}, is_a(int), num_examples=5
    ),
    "data.take": Case(
        data.take,
        arguments(data=_BATCHES, rows=st.sampled_from((slice(1), np.array([0]), np.array([2, 0, 2])))),
        {
            "data": _NOT_BATCHES,
            "rows": s.not_integers((2,)) | st.sampled_from((0, [0], np.array([3]), np.array([-1]), np.array([[0]]))),
        },
        is_a(gg.Batch),
    ),
}
