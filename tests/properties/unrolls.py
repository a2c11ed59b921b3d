"""Test cases for roll-outs."""

import jax
import jax.numpy as jnp
from hypothesis import strategies as st

import gumbel_gan as gg
from gumbel_gan import unroll
from tests.properties import strategies as s
from tests.properties.case import Case, arguments, float32, has

NUM_SYMBOLS = 3
LENGTH = 2
BATCH = 3
GENERATOR = gg.lstm_generator(NUM_SYMBOLS, 2)
PARAMS = GENERATOR.init(jax.random.key(0))
CARRY = GENERATOR.initial_carry(PARAMS, BATCH, LENGTH)
START = unroll.start_tokens(BATCH, NUM_SYMBOLS)


def step(carry, x):
    return GENERATOR.step(PARAMS, carry, x)


def token_step(carry, token):
    return GENERATOR.token_step(PARAMS, carry, token)


def int32(given):
    return jnp.int32


_TOKENS = s.tokens((BATCH, LENGTH), num_symbols=NUM_SYMBOLS)
_OF_OTHER_SHAPES = s.not_integers((BATCH, LENGTH)) | s.tokens((3,), (0, 2), (2, 0), (3, 0), (1, 1, 1), num_symbols=1)
_NOT_TOKENS = _OF_OTHER_SHAPES | s.array((BATCH, LENGTH), (-1, NUM_SYMBOLS), jnp.int32)
_NOT_START = s.not_integers((BATCH,)) | s.tokens((), (BATCH, 1), num_symbols=1)
_NOT_STEPS = st.sampled_from((None, 3, "step"))
_TOKEN_STEP = {"step": st.just(token_step), "start": st.just(START)}
_NOT_TOKEN_STEP = {"step": _NOT_STEPS, "start": _NOT_START}
_NUM_GIVEN = s.integers(0, LENGTH)
_NOT_NUM_GIVEN = s.NOT_NUMBERS | st.sampled_from((-1, LENGTH + 1, 10**9, 1.5, 1.0))
_LENGTHS = {"length": s.integers(1, 3)}
_NOT_LENGTHS = {"length": s.integers_below(1)}
_SIZES = arguments(batch_size=s.integers(0, 2), num_symbols=s.integers(1, 3))
_NOT_SIZES = {"batch_size": s.integers_below(0), "num_symbols": s.integers_below(1)}
_FEW = {"num_examples": 5}
_MORE = {"num_examples": 8}

CASES = {
    "unroll.start_symbols": Case(
        unroll.start_symbols,
        _SIZES,
        _NOT_SIZES,
        has(lambda given: (given["batch_size"], given["num_symbols"] + 1), float32),
        **_MORE,
    ),
    "unroll.start_tokens": Case(
        unroll.start_tokens, _SIZES, _NOT_SIZES, has(lambda given: (given["batch_size"],), int32), **_MORE
    ),
    "unroll.previous_tokens": Case(
        unroll.previous_tokens,
        arguments(tokens=_TOKENS, start=st.just(START)),
        {"tokens": _NOT_TOKENS, "start": _NOT_START},
        has(lambda given: (BATCH, LENGTH), int32),
        **_MORE,
    ),
    "unroll.require_num_given": Case(
        lambda num_given: unroll.require_num_given(num_given, BATCH, LENGTH),
        arguments(num_given=_NUM_GIVEN | s.tokens((BATCH,), num_symbols=LENGTH + 1)),
        {"num_given": _NOT_NUM_GIVEN | s.tokens((BATCH + 1,), (BATCH, 1), num_symbols=1)},
        lambda result, given: None,
        **_FEW,
    ),
    "unroll.token_log_probs": Case(
        unroll.token_log_probs,
        arguments(logits=s.floats((BATCH, LENGTH, NUM_SYMBOLS)), tokens=_TOKENS),
        {
            "logits": s.not_floating((BATCH, LENGTH, NUM_SYMBOLS)) | s.floats((), (BATCH, LENGTH, 0)),
            "tokens": _NOT_TOKENS,
        },
        has(lambda given: (BATCH, LENGTH), lambda given: given["logits"].dtype),
        {"logits": s.not_finite((BATCH, LENGTH, NUM_SYMBOLS))},
    ),
    "unroll.hard": Case(
        lambda key, step, start, length, temperature: unroll.hard(
            key, step, CARRY, start, length, temperature=temperature
        ),
        arguments(key=s.KEYS, temperature=s.POSITIVE, **_TOKEN_STEP, **_LENGTHS),
        {"key": s.NOT_KEYS, "temperature": s.NOT_POSITIVE, **_NOT_TOKEN_STEP, **_NOT_LENGTHS},
        has(lambda given: (BATCH, given["length"]), int32),
        **_FEW,
    ),
    "unroll.relaxed": Case(
        lambda key, step, start, length, **settings: unroll.relaxed(key, step, CARRY, start, length, **settings),
        arguments(
            key=s.KEYS,
            step=st.just(step),
            start=st.just(unroll.start_symbols(BATCH, NUM_SYMBOLS)),
            estimator=st.sampled_from((gg.soft, gg.straight_through)),
            temperature=s.POSITIVE,
            feedback_temperature=st.none() | s.POSITIVE,
            **_LENGTHS,
        ),
        {
            "key": s.NOT_KEYS,
            "temperature": s.NOT_POSITIVE,
            "step": _NOT_STEPS,
            "start": s.not_floating((BATCH, NUM_SYMBOLS + 1)) | s.floats((), (BATCH,), (BATCH, 1), (1, 1, 4)),
            "estimator": st.sampled_from((None, "soft", 3)),
            "feedback_temperature": s.NOT_POSITIVE.filter(lambda temperature: temperature is not None),
            **_NOT_LENGTHS,
        },
        has(lambda given: (BATCH, given["length"], NUM_SYMBOLS), float32),
        **_FEW,
    ),
    "unroll.teacher_forced": Case(
        lambda step, start, tokens: unroll.teacher_forced(step, CARRY, start, tokens),
        arguments(tokens=_TOKENS, **_TOKEN_STEP),
        {"tokens": _NOT_TOKENS, **_NOT_TOKEN_STEP},
        has(lambda given: (BATCH, LENGTH, NUM_SYMBOLS), float32),
        **_FEW,
    ),
    "unroll.continued": Case(
        lambda step, start, tokens: unroll.continued(step, CARRY, start, tokens)[1],
        arguments(tokens=_TOKENS, step=st.just(token_step), start=st.just(START) | s.tokens((BATCH,), num_symbols=3)),
        {"tokens": _OF_OTHER_SHAPES, **_NOT_TOKEN_STEP},
        has(lambda given: (BATCH, LENGTH, NUM_SYMBOLS), float32),
        **_FEW,
    ),
    "unroll.scheduled": Case(
        lambda key, step, start, tokens, **settings: unroll.scheduled(key, step, CARRY, start, tokens, **settings),
        arguments(
            key=s.KEYS,
            tokens=_TOKENS,
            sampling_rate=s.SHARES,
            padding=st.none() | s.integers(0, NUM_SYMBOLS - 1),
            **_TOKEN_STEP,
        ),
        {
            "key": s.NOT_KEYS,
            "tokens": _NOT_TOKENS,
            "sampling_rate": s.NOT_SHARES,
            "padding": s.integers_below(0).filter(lambda padding: padding is not None) | st.just(NUM_SYMBOLS),
            **_NOT_TOKEN_STEP,
        },
        has(lambda given: (BATCH, LENGTH, NUM_SYMBOLS), float32),
        **_FEW,
    ),
    "unroll.completed": Case(
        lambda key, step, start, tokens, num_given, temperature: unroll.completed(
            key, step, CARRY, start, tokens, num_given, temperature=temperature
        ),
        arguments(key=s.KEYS, tokens=_TOKENS, num_given=_NUM_GIVEN, temperature=s.POSITIVE, **_TOKEN_STEP),
        {
            "key": s.NOT_KEYS,
            "tokens": _NOT_TOKENS,
            "num_given": _NOT_NUM_GIVEN,
            "temperature": s.NOT_POSITIVE,
            **_NOT_TOKEN_STEP,
        },
        has(lambda given: (BATCH, LENGTH), int32),
        **_FEW,
    ),
}
