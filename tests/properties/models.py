"""Cases of models, roll-outs and training."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from hypothesis import strategies as st

import gumbel_gan as gg
from gumbel_gan import evaluation, training, unroll
from tests.properties import strategies as s
from tests.properties.case import Case, arguments, float32, has, is_a

NUM_SYMBOLS = 3
LENGTH = 2
MODEL = gg.sequence_model(gg.lstm_generator(NUM_SYMBOLS, 2), length=LENGTH)
PARAMS = MODEL.init(jax.random.key(0))
BATCH = 3
CARRY = MODEL.generator.initial_carry(PARAMS, BATCH, LENGTH)
START = unroll.start_tokens(BATCH, NUM_SYMBOLS)
ALGORITHM = gg.maximum_likelihood(MODEL, optimizer=optax.sgd(0.1))
STATE = ALGORITHM.init(jax.random.key(0))


def step(carry, x):
    return MODEL.generator.step(PARAMS, carry, x)


def token_step(carry, token):
    return MODEL.generator.token_step(PARAMS, carry, token)


def int32(given):
    return jnp.int32


_TOKENS = s.tokens((BATCH, LENGTH), num_symbols=NUM_SYMBOLS, dtypes=(jnp.int32,))
_NOT_TOKENS = s.not_integers((BATCH, LENGTH)) | s.tokens((3,), (0, 2), (2, 0), (3, 0), (1, 1, 1), num_symbols=1)
_NUM_GIVEN = s.integers(0, LENGTH)
_NOT_NUM_GIVEN = s.NOT_NUMBERS | st.sampled_from((-1, LENGTH + 1, 10**9))
_LENGTHS = {"length": s.integers(1, 3)}
_NOT_LENGTHS = {"length": s.integers_below(1)}
_FEW = {"num_examples": 5}

CASES = {
    "SequenceModel.sample": Case(
        lambda key, num, temperature, exact_length: MODEL.sample(
            key, PARAMS, num, temperature=temperature, exact_length=exact_length
        ),
        arguments(
            key=s.KEYS, num=s.integers(1, 2), temperature=s.POSITIVE, exact_length=st.none() | s.integers(1, LENGTH)
        ),
        {
            "key": s.NOT_KEYS,
            "num": s.integers_below(0),
            "temperature": s.NOT_POSITIVE,
            "exact_length": s.integers_below(1).filter(lambda length: length is not None),
        },
        lambda result, given: has(lambda _: (given["num"], given["exact_length"] or LENGTH), int32)(result, given),
        **_FEW,
    ),
    "SequenceModel.complete": Case(
        lambda key, tokens, num_given, temperature: MODEL.complete(
            key, PARAMS, tokens, num_given, temperature=temperature
        ),
        arguments(key=s.KEYS, tokens=_TOKENS, num_given=st.none() | _NUM_GIVEN, temperature=s.POSITIVE),
        {
            "key": s.NOT_KEYS,
            "tokens": _NOT_TOKENS | s.tokens((3, LENGTH + 1), num_symbols=2),
            "num_given": _NOT_NUM_GIVEN.filter(lambda num: num is not None),
            "temperature": s.NOT_POSITIVE,
        },
        has(lambda given: (BATCH, LENGTH), int32),
        **_FEW,
    ),
    "SequenceModel.log_prob": Case(
        lambda tokens: MODEL.log_prob(PARAMS, tokens),
        arguments(tokens=_TOKENS),
        {"tokens": _NOT_TOKENS},
        has(lambda given: (BATCH,), float32),
        **_FEW,
    ),
    "SequenceModel.hidden_states": Case(
        lambda tokens: MODEL.hidden_states(PARAMS, tokens),
        arguments(tokens=_TOKENS),
        {"tokens": _NOT_TOKENS},
        has(lambda given: (BATCH, LENGTH, 2), float32),
        **_FEW,
    ),
    "unroll.hard": Case(
        lambda key, length, temperature: unroll.hard(key, token_step, CARRY, START, length, temperature=temperature),
        arguments(key=s.KEYS, temperature=s.POSITIVE, **_LENGTHS),
        {"key": s.NOT_KEYS, "temperature": s.NOT_POSITIVE, **_NOT_LENGTHS},
        has(lambda given: (BATCH, given["length"]), int32),
        **_FEW,
    ),
    "unroll.relaxed": Case(
        lambda key, length, temperature, feedback_temperature: unroll.relaxed(
            key,
            step,
            CARRY,
            unroll.start_symbols(BATCH, NUM_SYMBOLS),
            length,
            estimator=gg.straight_through,
            temperature=temperature,
            feedback_temperature=feedback_temperature,
        ),
        arguments(key=s.KEYS, temperature=s.POSITIVE, feedback_temperature=st.none() | s.POSITIVE, **_LENGTHS),
        {
            "key": s.NOT_KEYS,
            "temperature": s.NOT_POSITIVE,
            "feedback_temperature": s.NOT_POSITIVE.filter(lambda temperature: temperature is not None),
            **_NOT_LENGTHS,
        },
        has(lambda given: (BATCH, given["length"], NUM_SYMBOLS), float32),
        **_FEW,
    ),
    "unroll.teacher_forced": Case(
        lambda tokens: unroll.teacher_forced(token_step, CARRY, START, tokens),
        arguments(tokens=_TOKENS),
        {"tokens": _NOT_TOKENS},
        has(lambda given: (BATCH, LENGTH, NUM_SYMBOLS), float32),
        **_FEW,
    ),
    "unroll.scheduled": Case(
        lambda key, tokens, sampling_rate: unroll.scheduled(
            key, token_step, CARRY, START, tokens, sampling_rate=sampling_rate
        ),
        arguments(key=s.KEYS, tokens=_TOKENS, sampling_rate=s.SHARES),
        {"key": s.NOT_KEYS, "tokens": _NOT_TOKENS, "sampling_rate": s.NOT_SHARES},
        has(lambda given: (BATCH, LENGTH, NUM_SYMBOLS), float32),
        **_FEW,
    ),
    "unroll.completed": Case(
        lambda key, tokens, num_given, temperature: unroll.completed(
            key, token_step, CARRY, START, tokens, num_given, temperature=temperature
        ),
        arguments(key=s.KEYS, tokens=_TOKENS, num_given=_NUM_GIVEN, temperature=s.POSITIVE),
        {"key": s.NOT_KEYS, "tokens": _NOT_TOKENS, "num_given": _NOT_NUM_GIVEN, "temperature": s.NOT_POSITIVE},
        has(lambda given: (BATCH, LENGTH), int32),
        **_FEW,
    ),
    "train": Case(
        lambda key, tokens, batch_size, num_steps: training.train(
            ALGORITHM, key, STATE, tokens, batch_size=batch_size, num_steps=num_steps
        ),
        arguments(key=s.KEYS, tokens=_TOKENS, batch_size=s.integers(1, BATCH), num_steps=s.integers(1, 2)),
        {
            "key": s.NOT_KEYS,
            "tokens": _NOT_TOKENS | st.just(np.full((BATCH, LENGTH), NUM_SYMBOLS)),
            "batch_size": s.integers_below(1) | st.just(BATCH + 1),
            "num_steps": s.integers_below(1),
        },
        is_a(tuple),
        **_FEW,
    ),
    "hidden_states_at": Case(
        lambda times: evaluation.hidden_states_at(MODEL, times),
        arguments(times=st.sampled_from(((1,), [1, 2]))),
        {"times": st.sampled_from(((0,), (LENGTH + 1,), (-1,), (1.5,), 3, None, "1", (), (True,)))},
        lambda result, given: None,
        **_FEW,
    ),
}
