"""Test cases for models and training."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from hypothesis import strategies as st

import gumbel_gan as gg
from gumbel_gan import model, training
from tests.properties import strategies as s
from tests.properties.case import Case, arguments, float32, has, is_a

NUM_SYMBOLS = 3
LENGTH = 2
MODEL = gg.sequence_model(gg.lstm_generator(NUM_SYMBOLS, 2), length=LENGTH)
PARAMS = MODEL.init(jax.random.key(0))
BATCH = 3
CARRY = MODEL.generator.initial_carry(PARAMS, BATCH, LENGTH)
LATENT = gg.sequence_model(gg.lstm_generator(NUM_SYMBOLS, 2, latent="hidden"), length=LENGTH)
LATENT_PARAMS = LATENT.init(jax.random.key(0))
ALGORITHM = gg.maximum_likelihood(MODEL, optimizer=optax.sgd(0.1))
STATE = ALGORITHM.init(jax.random.key(0))


def int32(given):
    return jnp.int32


_TOKENS = s.tokens((BATCH, LENGTH), num_symbols=NUM_SYMBOLS, dtypes=(jnp.int32,))
_NOT_TOKENS = (
    s.not_integers((BATCH, LENGTH))
    | s.tokens((3,), (2, 0), (3, 0), (1, 1, 1), num_symbols=1)
    | s.array((BATCH, LENGTH), (-1, NUM_SYMBOLS), jnp.int32)
)
_NUM_GIVEN = s.integers(0, LENGTH)
_NOT_NUM_GIVEN = s.NOT_NUMBERS | st.sampled_from((-1, LENGTH + 1, 10**9))
_FEW = {"num_examples": 5}

_NOT_TOKEN = (
    s.not_integers((BATCH,))
    | s.tokens((), (2,), (BATCH, 1), num_symbols=1)
    | s.array((BATCH,), (-1, NUM_SYMBOLS + 1), jnp.int32)
)

CASES = {
    "beam_search": Case(
        lambda num, beam_size, key: gg.beam_search(LATENT, LATENT_PARAMS, num, beam_size=beam_size, key=key),
        arguments(num=s.integers(1, 2), beam_size=s.integers(1, NUM_SYMBOLS), key=s.KEYS),
        {"num": s.integers_below(0), "beam_size": s.integers_below(1), "key": s.NOT_KEYS},
        lambda result, given: has(lambda _: (given["num"], given["beam_size"], LENGTH), int32)(result.tokens, given),
        **_FEW,
    ),
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
    "training.train": Case(
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
    "training.train_on": Case(
        lambda key, batches: training.train_on(ALGORITHM, key, STATE, batches),
        arguments(key=s.KEYS, batches=s.tokens((1, BATCH, LENGTH), (2, 1, LENGTH), num_symbols=NUM_SYMBOLS)),
        {
            "key": s.NOT_KEYS,
            "batches": s.not_integers((1, BATCH, LENGTH))
            | s.tokens((BATCH, LENGTH), (0, BATCH, LENGTH), (1, 0, LENGTH), (1, BATCH, LENGTH + 1), num_symbols=1),
        },
        is_a(tuple),
        **_FEW,
    ),
    "model.inputs": Case(
        lambda key, num, condition: model.inputs(LATENT, key, num, condition),
        arguments(key=st.none() | s.KEYS, num=st.just(2), condition=st.sampled_from((None, np.ones(2)))),
        {
            "key": s.NOT_KEYS.filter(lambda key: key is not None),
            "num": s.integers_below(0),
            "condition": st.sampled_from((3, "text", np.ones(3), {"label": np.ones((1, 2))}, object())),
        },
        is_a(dict),
    ),
    "model.again": Case(
        lambda key: model.again({"latent": None, "dropout_key": key}), arguments(key=s.KEYS), {}, is_a(dict), **_FEW
    ),
    "model.relaxed_step": Case(
        lambda x: model.relaxed_step(MODEL, PARAMS)(CARRY, x)[1],
        arguments(x=s.floats((BATCH, NUM_SYMBOLS + 1))),
        {"x": s.not_floating((BATCH, NUM_SYMBOLS + 1)) | s.floats((), (BATCH,), (BATCH, NUM_SYMBOLS), (1, 1, 4))},
        has(lambda given: (BATCH, NUM_SYMBOLS), float32),
        **_FEW,
    ),
    "model.hidden_step": Case(
        lambda token: model.hidden_step(MODEL, PARAMS)(CARRY, token)[1][1],
        arguments(token=s.tokens((BATCH,), num_symbols=NUM_SYMBOLS + 1)),
        {"token": _NOT_TOKEN},
        has(lambda given: (BATCH, NUM_SYMBOLS), float32),
        num_examples=8,
    ),
    "model.token_step": Case(
        lambda token: model.token_step(MODEL, PARAMS)(CARRY, token)[1],
        arguments(token=s.tokens((BATCH,), num_symbols=NUM_SYMBOLS + 1)),
        {"token": _NOT_TOKEN},
        has(lambda given: (BATCH, NUM_SYMBOLS), float32),
        num_examples=8,
    ),
    "model.sample": Case(
        lambda key, num, length, temperature: model.sample(
            key, MODEL, PARAMS, num, {}, length=length, temperature=temperature
        ),
        arguments(key=s.KEYS, num=s.integers(1, 2), length=st.just(LENGTH), temperature=s.POSITIVE),
        {
            "key": s.NOT_KEYS,
            "num": s.integers_below(0),
            "length": s.integers_below(1),
            "temperature": s.NOT_POSITIVE,
        },
        has(lambda given: (given["num"], LENGTH), int32),
        **_FEW,
    ),
    "model.complete_tokens": Case(
        lambda key, tokens, num_given, temperature: model.complete_tokens(
            key, MODEL, PARAMS, tokens, num_given, {}, temperature=temperature
        ),
        arguments(key=s.KEYS, tokens=_TOKENS, num_given=_NUM_GIVEN, temperature=s.POSITIVE),
        {"key": s.NOT_KEYS, "tokens": _NOT_TOKENS, "num_given": _NOT_NUM_GIVEN, "temperature": s.NOT_POSITIVE},
        has(lambda given: (BATCH, LENGTH), int32),
        **_FEW,
    ),
    **{
        f"model.{function.__name__}": Case(
            partial(lambda function, tokens: function(MODEL, PARAMS, tokens, {}), function),
            arguments(tokens=_TOKENS),
            {"tokens": _NOT_TOKENS},
            check,
            **_FEW,
        )
        for function, check in (
            (model.teacher_forced_logits, has(lambda given: (BATCH, LENGTH, NUM_SYMBOLS), float32)),
            (model.token_log_probs, has(lambda given: (BATCH, LENGTH), float32)),
            (model.hidden_states_and_logits, is_a(tuple)),
        )
    },
    "model.check_tokens": Case(
        lambda tokens: model.check_tokens(MODEL, tokens),
        arguments(tokens=_TOKENS),
        {"tokens": _NOT_TOKENS},
        lambda result, given: None,
        num_examples=8,
    ),
    "model.require_hidden_states": Case(
        lambda generator: model.require_hidden_states(MODEL._replace(generator=generator)),
        arguments(generator=st.just(MODEL.generator)),
        {"generator": st.just(MODEL.generator._replace(hidden_states=None))},
        lambda result, given: None,
    ),
    "model.require_exact": Case(
        lambda generator: model.require_exact(MODEL._replace(generator=generator)),
        arguments(generator=st.just(gg.lstm_generator(NUM_SYMBOLS, 2, latent="none"))),
        {"generator": st.just(gg.lstm_generator(NUM_SYMBOLS, 2, latent="hidden"))},
        lambda result, given: None,
    ),
}
