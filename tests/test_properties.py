"""Properties of all public functions: valid arguments have a finite result, others an error that names the argument."""

import inspect
import math
import re
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gumbel_gan as gg
from gumbel_gan import data, evaluation, metrics, schedules, sharding, training
from gumbel_gan.losses import advantages, penalties, score_function
from gumbel_gan.relaxation.gumbel import relax
from tests import strategies as s

PACKAGE = Path(gg.__file__).parent
NUM_SYMBOLS = 3
LENGTH = 2


class Case(NamedTuple):
    """A function and its arguments.

    Attributes:
      function: the function.
      valid: strategy of valid arguments, by name; all finite.
      invalid: strategies of values that must be refused, by the argument's name.
      unusual: strategies of values that may be refused, likewise.
      check: (result, arguments) -> None, raises where the result is not as documented.
      is_finite: whether results are; otherwise they are no NaN.
      num_examples: of each property.
    """

    function: Callable[..., Any]
    valid: st.SearchStrategy[dict[str, Any]]
    invalid: dict[str, st.SearchStrategy[Any]]
    check: Callable[[Any, dict[str, Any]], None]
    unusual: Mapping[str, st.SearchStrategy[Any]] = MappingProxyType({})
    is_finite: bool = True
    num_examples: int = 20


def arguments(**strategies):
    """Draws arguments that do not depend on each other."""
    return st.fixed_dictionaries(strategies)


def joined(*strategies):
    """Draws the arguments of several strategies."""
    return st.tuples(*strategies).map(lambda parts: {name: value for part in parts for name, value in part.items()})


def has(shape, dtype):
    """Returns a check of a result's shape and dtype, each a function of the arguments."""

    def check(result, given):
        assert result.shape == shape(given)
        assert result.dtype == dtype(given)

    return check


def is_a(kind):
    def check(result, given):
        assert isinstance(result, kind)

    return check


def check_number(low=-math.inf, high=math.inf):
    def check(result, given):
        assert low <= result <= high

    return check


LOGITS = ((1,), (3,), (2, 1), (0, 2), (2, 3), (1, 1, 3))
BAD_LOGITS = ((0,), (2, 0), (0, 0))


def float32(given):
    return jnp.float32


FILES = PACKAGE / "schedules.py"

_RELAXATION = {
    "sample_gumbel": Case(
        gg.sample_gumbel,
        arguments(
            key=s.KEYS,
            shape=st.sampled_from(((), (0,), (1,), (2, 0), [2, 3], (np.int64(2),))),
            dtype=st.sampled_from((*s.FLOAT_DTYPES, "float32", np.float16)),
            mode=st.sampled_from((None, "low", "high")),
        ),
        {
            "key": s.NOT_KEYS,
            "shape": st.sampled_from(((-1,), (1.5,), "ab", None, (True,), 2.0, ((1,),), jnp.ones((2, 2), jnp.int32))),
            "dtype": st.sampled_from((None, "abc", int, jnp.int32, bool, complex, "key<fry>", 3, object())),
            "mode": s.not_one_of("low").filter(lambda mode: mode is not None),
        },
        has(lambda given: tuple(given["shape"]), lambda given: jnp.dtype(given["dtype"])),
    ),
    "gumbel_max": Case(
        gg.gumbel_max,
        arguments(key=s.KEYS, logits=s.floats(*LOGITS), mode=st.sampled_from((None, "low", "high"))),
        {
            "key": s.NOT_KEYS,
            "logits": s.not_floating(*LOGITS) | s.floats((), *BAD_LOGITS) | s.floats((2, 3), values=s.NOT_FINITE[:2]),
            "mode": st.sampled_from(("mid", 1, True)),
        },
        has(lambda given: given["logits"].shape[:-1], lambda given: jnp.int32),
        {"logits": s.not_finite(*LOGITS)},
    ),
    **{
        function.__name__: Case(
            function,
            arguments(
                key=s.KEYS,
                logits=s.floats(*LOGITS),
                temperature=s.POSITIVE,
                mode=st.sampled_from((None, "low", "high")),
            ),
            {
                "key": s.NOT_KEYS,
                "logits": s.not_floating(*LOGITS) | s.floats((), *BAD_LOGITS),
                "temperature": s.NOT_POSITIVE,
                "mode": st.sampled_from(("mid", 1, True)),
            },
            has(lambda given: given["logits"].shape, lambda given: given["logits"].dtype),
            {"logits": s.not_finite(*LOGITS)},
            is_finite=function is gg.gumbel_softmax,
        )
        for function in (gg.gumbel_softmax, gg.gumbel_log_softmax)
    },
    **{
        name: Case(
            function,
            joined(
                st.sampled_from(LOGITS).flatmap(lambda shape: s.like(shape, "logits", "noise")),
                arguments(temperature=s.POSITIVE),
            ),
            {
                "logits": s.not_floating(*LOGITS) | s.floats((), *BAD_LOGITS),
                "noise": s.not_floating(*LOGITS) | s.floats((), (7,), *BAD_LOGITS),
                "temperature": s.NOT_POSITIVE,
            },
            has(lambda given: given["logits"].shape, lambda given: given["logits"].dtype),
            {"logits": s.not_finite(*LOGITS), "noise": s.not_finite(*LOGITS)},
        )
        for name, function in (("relax", relax), ("soft", gg.soft), ("straight_through", gg.straight_through))
    },
    "concrete_log_prob": Case(
        gg.concrete_log_prob,
        joined(
            st.sampled_from(LOGITS)
            .flatmap(
                lambda shape: st.tuples(s.like(shape, "logits"), s.like(shape, "y", values=(0.0, 0.25, 1e-4, 1.0)))
            )
            .map(lambda both: both[0] | both[1]),
            arguments(temperature=s.POSITIVE),
        ),
        {
            "y": s.not_floating(*LOGITS) | s.floats((), (7,), *BAD_LOGITS),
            "logits": s.not_floating(*LOGITS) | s.floats((), *BAD_LOGITS),
            "temperature": s.NOT_POSITIVE,
        },
        has(lambda given: given["logits"].shape[:-1], float32),
        {"logits": s.not_finite(*LOGITS), "y": s.not_finite(*LOGITS)},
        is_finite=False,
    ),
    "exp_concrete_log_prob": Case(
        gg.exp_concrete_log_prob,
        joined(
            st.sampled_from(LOGITS)
            .flatmap(lambda shape: st.tuples(s.like(shape, "logits"), s.like(shape, "log_y", values=(0.0, -1.0, -1e4))))
            .map(lambda both: both[0] | both[1]),
            arguments(temperature=s.POSITIVE),
        ),
        {
            "log_y": s.not_floating(*LOGITS) | s.floats((), (7,), *BAD_LOGITS),
            "logits": s.not_floating(*LOGITS) | s.floats((), *BAD_LOGITS),
            "temperature": s.NOT_POSITIVE,
        },
        has(lambda given: given["logits"].shape[:-1], float32),
        {"logits": s.not_finite(*LOGITS), "log_y": s.not_finite(*LOGITS)},
        is_finite=False,
    ),
    "add_instance_noise": Case(
        gg.add_instance_noise,
        arguments(key=s.KEYS, x=s.floats(*LOGITS), strength=s.SHARES),
        {
            "key": s.NOT_KEYS,
            "x": s.not_floating(*LOGITS) | s.floats((), *BAD_LOGITS),
            "strength": s.NOT_SHARES,
        },
        has(lambda given: given["x"].shape, lambda given: given["x"].dtype),
        {"x": s.not_finite(*LOGITS)},
    ),
}

_BATCH = ((1,), (3,))
_PREFIXES = ((1, 1), (3, 2))
_NOT_LOGITS = s.not_floating((1,), (3,)) | s.floats((), (0,), (2, 0), (0, 3), (1, 2, 3))


def _objective(function):
    pairs = st.sampled_from(
        [(real, generated) for shapes in (_BATCH, _PREFIXES[1:]) for real in shapes for generated in shapes]
    )
    return Case(
        function,
        pairs.flatmap(lambda pair: s.of_one_dtype(real=pair[0], generated=pair[1])),
        {"real": _NOT_LOGITS, "generated": _NOT_LOGITS},
        has(lambda given: (), lambda given: jnp.result_type(given["real"], given["generated"])),
        {"real": s.not_finite(*_BATCH, *_PREFIXES), "generated": s.not_finite(*_BATCH, *_PREFIXES)},
    )


_FUNCTIONS_OF_OBJECTIVES = {
    function.__name__: function
    for objective in (gg.log_odds, gg.minimax, gg.non_saturating, gg.relativistic)
    for function in objective
}


def _rollout(rewards):
    return gg.Rollout(
        jnp.zeros((3, LENGTH), jnp.int32), rewards, lambda tokens: tokens[:, 0] * 1.0, lambda key, tokens, num: tokens
    )


def _of_estimator(estimator):
    def function(key, tokens, rewards):
        rollout = _rollout(rewards)._replace(tokens=tokens)
        return estimator.advantages(key, 0, estimator.init(), rollout)[0]

    shape = (3, LENGTH) if estimator.of_prefixes else (3,)
    return Case(
        function,
        arguments(
            key=s.KEYS, tokens=s.tokens((3, LENGTH), num_symbols=3), rewards=s.floats(shape, dtypes=(jnp.float32,))
        ),
        {
            "tokens": s.not_integers((3, LENGTH)) | s.tokens((3,), (0, 2), (2, 0), (1, 1, 1), num_symbols=1),
            "rewards": s.not_floating(shape) | s.floats((), (0,), (7,), (3, 7)),
        },
        has(lambda given: (3, LENGTH), float32),
        {"rewards": s.not_finite(shape)},
    )


_LOSSES = {
    **{name: _objective(function) for name, function in _FUNCTIONS_OF_OBJECTIVES.items()},
    **{
        function.__name__: Case(
            function,
            arguments(logits=s.floats((), (0,), (1,), (2, 3))),
            {"logits": s.not_floating((), (2,))},
            has(lambda given: given["logits"].shape, lambda given: given["logits"].dtype),
            {"logits": s.not_finite((2, 3))},
        )
        for function in (gg.logit, gg.tanh_half_logit, gg.log_sigmoid)
    },
    "leave_one_out": Case(
        score_function.leave_one_out,
        arguments(values=s.floats((2,), (4,))),
        {"values": s.not_floating((2,)) | s.floats((), (0,), (1,), (2, 2))},
        has(lambda given: given["values"].shape, lambda given: given["values"].dtype),
        {"values": s.not_finite((2,))},
    ),
    "zero_centered_gradient_penalty": Case(
        penalties.zero_centered_gradient_penalty,
        arguments(gradient=s.floats((1, 1, 1), (2, 1, 3))),
        {"gradient": s.not_floating((1, 1, 1)) | s.floats((), (3,), (2, 2), (0, 1, 1), (1, 0, 1), (1, 1, 0))},
        has(lambda given: (), lambda given: given["gradient"].dtype),
        {"gradient": s.not_finite((2, 1, 3))},
        is_finite=False,
    ),
    "check_penalty": Case(
        lambda real_weight, generated_weight, fraction: penalties.check_penalty(
            gg.GradientPenalty(real_weight, generated_weight, fraction)
        ),
        arguments(
            real_weight=st.none() | s.NOT_NEGATIVE,
            generated_weight=st.none() | s.NOT_NEGATIVE,
            fraction=st.sampled_from((1, 0.5, 1.0, 1e-6, np.float64(0.5))),
        ),
        {
            "real_weight": s.NOT_WEIGHTS.filter(lambda weight: weight is not None),
            "generated_weight": s.NOT_WEIGHTS.filter(lambda weight: weight is not None),
            "fraction": s.NOT_POSITIVE | st.just(1.5),
        },
        lambda result, given: None,
    ),
    "discounted_returns": Case(
        advantages.discounted_returns,
        arguments(rewards=s.floats((1, 1), (2, 3)), discount=s.SHARES),
        {"rewards": s.not_floating((2, 3)) | s.floats((), (3,), (0, 1), (1, 0), (1, 1, 1)), "discount": s.NOT_SHARES},
        has(lambda given: given["rewards"].shape, lambda given: given["rewards"].dtype),
        {"rewards": s.not_finite((2, 3))},
    ),
    "reinforce": Case(gg.reinforce, arguments(), {}, is_a(gg.AdvantageEstimator), num_examples=1),
    "monte_carlo": Case(
        gg.monte_carlo,
        arguments(num_roll_outs=s.integers(1, 4)),
        {"num_roll_outs": s.integers_below(1)},
        is_a(gg.AdvantageEstimator),
    ),
    "per_prefix": Case(
        gg.per_prefix,
        arguments(discount=s.SHARES | st.just(1.0), baseline_decay=s.SHARES),
        {"discount": s.NOT_SHARES, "baseline_decay": s.NOT_SHARES | st.just(1)},
        is_a(gg.AdvantageEstimator),
    ),
    "advantages of reinforce": _of_estimator(gg.reinforce()),
    "advantages of monte_carlo": _of_estimator(gg.monte_carlo(num_roll_outs=2)),
    "advantages of per_prefix": _of_estimator(gg.per_prefix(discount=0.5, baseline_decay=0.5)),
}


def check_schedule(result, given):
    for step in (0, 1, np.int64(3), 2**30, jnp.int32(5)):
        value = result(step)
        assert value.shape == ()
        assert value.dtype == jnp.float32
        assert jnp.isfinite(value)


_STEPS = {"steps": s.integers(1, 10) | st.just(2**31)}
_NOT_STEPS = {"steps": s.integers_below(1)}


def _schedule(function, valid, invalid, steps=_STEPS, not_steps=_NOT_STEPS):
    return Case(function, arguments(**valid, **steps), invalid | not_steps, check_schedule)


_ENDS = {"init_value": s.NOT_NEGATIVE, "end_value": s.NOT_NEGATIVE}
_NOT_ENDS = {"init_value": s.NOT_WEIGHTS, "end_value": s.NOT_WEIGHTS}
_SCHEDULES = {
    "constant": _schedule(schedules.constant, {"value": s.NOT_NEGATIVE}, {"value": s.NOT_WEIGHTS}, {}, {}),
    "linear": _schedule(schedules.linear, _ENDS, _NOT_ENDS),
    "cosine": _schedule(schedules.cosine, _ENDS, _NOT_ENDS),
    "exponential": _schedule(
        schedules.exponential,
        {"init_value": s.POSITIVE, "end_value": s.POSITIVE},
        {"init_value": s.NOT_POSITIVE, "end_value": s.NOT_POSITIVE},
    ),
    "piecewise_constant": _schedule(
        schedules.piecewise_constant, _ENDS | {"boundary": s.POSITIVE}, _NOT_ENDS | {"boundary": s.NOT_POSITIVE}
    ),
    "inverse_temperature_exponential": _schedule(
        schedules.inverse_temperature_exponential,
        {"max_inverse_temperature": s.POSITIVE},
        {"max_inverse_temperature": s.NOT_POSITIVE},
    ),
}

MODEL = gg.sequence_model(gg.lstm_generator(NUM_SYMBOLS, 2), length=LENGTH)
DISCRIMINATOR = gg.lstm_discriminator(NUM_SYMBOLS, 2)
PREFIX_DISCRIMINATOR = gg.lstm_prefix_discriminator(NUM_SYMBOLS, 2)
OPTIMIZER = optax.sgd(0.1)
TOKENS = ((1, LENGTH), (3, LENGTH))


def check_network(result, given):
    params = jax.eval_shape(result.init, jax.random.key(0))
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(params))


def _network(function, sizes, others=None):
    """Returns the case of a network with given sizes, by name the least ones, and more arguments, valid and not."""
    others = {} if others is None else others
    return Case(
        function,
        arguments(**{name: s.integers(least, least + 1) for name, least in sizes.items()})
        if not others
        else joined(
            arguments(**{name: s.integers(least, least + 1) for name, least in sizes.items()}),
            arguments(**{name: valid for name, (valid, _) in others.items()}),
        ),
        {name: s.integers_below(least) for name, least in sizes.items()}
        | {name: invalid for name, (_, invalid) in others.items()},
        check_network,
        num_examples=8,
    )


_RATE = (st.sampled_from((0, 0.0, 0.5, np.float32(0.25))), s.NOT_SHARES | st.just(1.0))
_CONDITION = (st.sampled_from((None, gg.Labels(2), gg.Vectors(1))), st.sampled_from((2, "labels", (1,), np.ones(2))))
_SIZES = {"num_symbols": 2, "hidden_size": 1, "num_layers": 1}
_HEADS = {"num_symbols": 2, "num_layers": 1, "mlp_ratio": 1}
_WIDTH = (st.sampled_from((2, 4)), s.integers_below(1) | st.just(3))
_NUM_HEADS = (st.just(2), s.integers_below(1) | st.just(3))
_NETWORKS = {
    **{
        name: _network(getattr(gg, name), _SIZES, {"dropout_rate": _RATE, "condition": _CONDITION})
        for name in (
            "recurrent_generator",
            "lstm_generator",
            "gru_generator",
            "recurrent_discriminator",
            "lstm_discriminator",
            "gru_discriminator",
            "lstm_prefix_discriminator",
            "gru_prefix_discriminator",
        )
    },
    "behavior_discriminator": _network(
        gg.behavior_discriminator, {"num_features": 2, "hidden_size": 1, "num_layers": 0}
    ),
    "convolutional_discriminator": _network(
        gg.convolutional_discriminator,
        {"num_symbols": 2, "width": 1, "num_blocks": 0, "kernel_size": 1},
        {"dropout_rate": _RATE, "condition": _CONDITION},
    ),
    "transformer_generator": _network(
        gg.transformer_generator,
        _HEADS | {"latent_size": 0},
        {"width": _WIDTH, "num_heads": _NUM_HEADS, "dropout_rate": _RATE, "condition": _CONDITION},
    ),
    "transformer_discriminator": _network(
        gg.transformer_discriminator,
        _HEADS,
        {
            "width": _WIDTH,
            "num_heads": _NUM_HEADS,
            "dropout_rate": _RATE,
            "condition": _CONDITION,
            "pooling": (st.sampled_from(("mean",)), s.not_one_of("mean")),
        },
    ),
    "sequence_model": Case(
        gg.sequence_model,
        arguments(
            generator=st.just(MODEL.generator),
            length=s.integers(1, 4),
            padding=st.none() | s.integers(0, NUM_SYMBOLS - 1),
            num_latent_draws=s.integers(1, 3),
        ),
        {
            "generator": st.sampled_from((None, 3, "lstm", DISCRIMINATOR)),
            "length": s.integers_below(1),
            "padding": s.integers_below(0).filter(lambda padding: padding is not None) | st.just(NUM_SYMBOLS),
            "num_latent_draws": s.integers_below(1),
        },
        is_a(gg.SequenceModel),
    ),
}

_NOT_MODELS = st.sampled_from((None, 3, "model", MODEL.generator))
_NOT_OPTIMIZERS = st.sampled_from((None, 0.1, "adam"))
_OPTIMIZERS = {"generator_optimizer": st.just(OPTIMIZER), "discriminator_optimizer": st.just(OPTIMIZER)}
_ADVERSARIAL = {
    "model": st.just(MODEL),
    "discriminator": st.just(DISCRIMINATOR),
    **_OPTIMIZERS,
    "ema_decay": s.SHARES,
}
_NOT_ADVERSARIAL = {
    "model": _NOT_MODELS,
    "discriminator": st.sampled_from((None, 3, "lstm", PREFIX_DISCRIMINATOR, MODEL)),
    **{name: _NOT_OPTIMIZERS for name in _OPTIMIZERS},
    "ema_decay": s.NOT_SHARES | st.just(1),
}


def _algorithm(function, valid, invalid):
    return Case(function, arguments(**valid), invalid, is_a(gg.Algorithm))


_ALGORITHMS = {
    "relaxed_gan": _algorithm(
        gg.relaxed_gan,
        _ADVERSARIAL
        | {
            "objective": st.sampled_from((gg.log_odds, gg.relativistic)),
            "estimator": st.just(gg.straight_through),
            "temperature": s.POSITIVE,
            "score_weight": s.SHARES,
            "instance_noise": st.none() | s.SHARES,
            "num_generated": st.none() | s.integers(2, 3),
            "discriminator_updates": s.integers(1, 2),
        },
        _NOT_ADVERSARIAL
        | {
            "objective": st.sampled_from((None, "log_odds", 3)),
            "estimator": st.sampled_from((None, "soft", 3)),
            "temperature": s.NOT_POSITIVE,
            "score_weight": s.NOT_SHARES,
            "instance_noise": s.NOT_SHARES.filter(lambda noise: noise is not None),
            "num_generated": s.integers_below(1).filter(lambda num: num is not None),
            "discriminator_updates": s.integers_below(1),
        },
    ),
    "importance_gan": _algorithm(
        gg.importance_gan,
        _ADVERSARIAL | {"weight_exponent": s.SHARES, "discriminator_updates": s.integers(1, 2)},
        _NOT_ADVERSARIAL | {"weight_exponent": s.NOT_SHARES, "discriminator_updates": s.integers_below(1)},
    ),
    "policy_gradient": _algorithm(
        gg.policy_gradient,
        _ADVERSARIAL
        | {
            "reward": st.just(gg.logit),
            "advantages": st.just(gg.reinforce()),
            "warm_up_steps": st.sampled_from((0, 2, 1.5)),
            "discriminator_updates": s.integers(1, 2),
        },
        _NOT_ADVERSARIAL
        | {
            "reward": st.sampled_from((None, "logit", 3)),
            "advantages": st.sampled_from((None, "reinforce", 3)),
            "warm_up_steps": s.NOT_WEIGHTS,
            "discriminator_updates": s.integers_below(1),
        },
    ),
    "professor_forcing": _algorithm(
        gg.professor_forcing,
        _ADVERSARIAL
        | {
            "free_running_weight": s.NOT_NEGATIVE,
            "teacher_forced_weight": st.none() | s.NOT_NEGATIVE,
            "generator_threshold": st.none() | s.SHARES,
            "discriminator_threshold": st.none() | s.SHARES,
        },
        _NOT_ADVERSARIAL
        | {
            "free_running_weight": s.NOT_WEIGHTS,
            **{
                name: s.NOT_SHARES.filter(lambda value: value is not None)
                for name in ("generator_threshold", "discriminator_threshold")
            },
        },
    ),
    "maximum_likelihood": _algorithm(
        gg.maximum_likelihood,
        {
            "model": st.just(MODEL),
            "optimizer": st.just(OPTIMIZER),
            "sampling_rate": st.none() | s.SHARES,
            "ema_decay": s.SHARES,
        },
        {
            "model": _NOT_MODELS,
            "optimizer": _NOT_OPTIMIZERS,
            "sampling_rate": s.NOT_SHARES.filter(lambda rate: rate is not None),
            "ema_decay": s.NOT_SHARES | st.just(1),
        },
    ),
}

_NOT_TOKENS = (
    s.not_integers(*TOKENS) | s.tokens((2,), (0, LENGTH), (1, 1, 1), num_symbols=1) | st.just(np.full((2, LENGTH), -1))
)
_SEED = {"seed": s.SEEDS | s.HUGE_SEEDS}
_NOT_SEED = {"seed": s.NOT_SEEDS}
_ROWS = np.arange(20).reshape(10, 2) % 7
_STRINGS = ["abc", "cab", "b", "cc", "a"]


def check_task(result, given):
    assert isinstance(result, gg.Task)
    assert len(result.train.tokens)


_TASKS = {
    "array_task": Case(
        gg.array_task,
        arguments(
            tokens=st.sampled_from((_ROWS, _ROWS.tolist(), jnp.asarray(_ROWS))), num_heldout=s.integers(1, 2), **_SEED
        ),
        {
            "tokens": st.sampled_from(
                ("text", None, [[1.0]], [[1], [1, 2]], np.zeros((0, 2), int), _ROWS - 1, _ROWS > 1, [["a"]], 3)
            ),
            "num_heldout": s.integers_below(1).filter(lambda num: num is not None) | st.just(5),
            **_NOT_SEED,
        },
        check_task,
    ),
    "strings_task": Case(
        gg.strings_task,
        arguments(
            strings=st.sampled_from((_STRINGS, tuple(_STRINGS))),
            unit=st.sampled_from(("characters", "words")),
            max_length=st.none() | s.integers(3, 4),
            num_heldout=st.none() | s.integers(1, 2),
            max_symbols=st.sampled_from((10, 5_000)),
            **_SEED,
        ),
        {
            "strings": st.sampled_from(("abc", None, [1, 2, 3], [b"a", b"b", b"c"], 3)),
            "unit": s.not_one_of("characters"),
            "max_length": s.integers_below(1).filter(lambda length: length is not None),
            "num_heldout": s.integers_below(1).filter(lambda num: num is not None) | st.just(5),
            "max_symbols": s.integers_below(2) | st.just(2),
            **_NOT_SEED,
        },
        check_task,
    ),
    "text_task": Case(
        gg.text_task,
        arguments(
            files=st.sampled_from((str(FILES), FILES, [FILES])),
            unit=st.sampled_from(("characters", "words")),
            max_length=st.sampled_from((0, 120)),
            min_count=s.integers(1, 1),
            num_heldout=s.integers(1, 2),
            **_SEED,
        ),
        {
            "files": st.sampled_from((None, 3, [], "no such file", [3], PACKAGE, "\0")),
            "unit": s.not_one_of("characters"),
            "max_length": s.integers_below(0),
            "min_count": s.integers_below(1),
            "num_heldout": s.integers_below(1) | st.just(10**6),
            **_NOT_SEED,
        },
        check_task,
        num_examples=8,
    ),
    "names_task": Case(
        gg.names_task,
        arguments(max_length=s.integers(3, 9), num_heldout=s.integers(1, 2), **_SEED),
        {
            "files": st.sampled_from((3, "no such file", [3], PACKAGE)),
            "max_length": s.integers_below(1),
            "num_heldout": s.integers_below(1) | st.just(10**6),
            **_NOT_SEED,
        },
        check_task,
        num_examples=4,
    ),
    "digits_task": Case(
        gg.digits_task,
        arguments(levels=s.integers(2, 17), num_heldout=s.integers(1, 2), **_SEED),
        {"levels": s.integers_below(2) | st.just(18), "num_heldout": s.integers_below(1) | st.just(10**6), **_NOT_SEED},
        check_task,
        num_examples=4,
    ),
    "grammar_task": Case(
        gg.grammar_task,
        arguments(
            grammar=st.sampled_from(("arithmetic", "brackets", "S -> 'a' | 'b' S")),
            max_length=s.integers(2, 4),
            num_train=s.integers(1, 3),
            num_heldout=s.integers(1, 2),
            **_SEED,
        ),
        {
            "grammar": st.sampled_from((None, 3, "", "no grammar", "S -> S", "S -> 'ab'", [])),
            "max_length": s.integers_below(1),
            "num_train": s.integers_below(1),
            "num_heldout": s.integers_below(1),
            "length_distribution": s.not_one_of("uniform"),
            "padding": st.sampled_from((None, "", "ab", 3)),
            "support_limit": s.integers_below(0),
            **_NOT_SEED,
        },
        check_task,
        num_examples=8,
    ),
    "oracle_task": Case(
        gg.oracle_task,
        arguments(
            num_symbols=st.just(2),
            length=st.just(1),
            hidden_size=st.just(1),
            num_train=st.just(2),
            num_heldout=st.just(1),
            seed=s.SEEDS,
        ),
        {
            "num_symbols": s.integers_below(2),
            **{name: s.integers_below(1) for name in ("length", "hidden_size", "num_train", "num_heldout")},
            "seed": s.NOT_SEEDS | s.HUGE_SEEDS,
        },
        check_task,
        num_examples=2,
    ),
}

_SEQUENCES = st.sampled_from(
    ([(0, 1), (1,), (), (2, 2, 2)], [[0], [1], [0], [1]], [np.array([1, 2])] * 4, [(), (), (), ()])
)
_NOT_SEQUENCES = st.sampled_from(
    ("text", ["ab"] * 4, 3, None, [], [1, 2, 3, 4], [(-1,)] * 4, [(1.0,)] * 4, [("a",)] * 4, [(True,)] * 4, [None] * 4)
)
_ORDER = {"order": s.integers(1, 6)}
_NOT_ORDER = {"order": s.integers_below(1)}
_TWO = {"samples": _SEQUENCES, "references": _SEQUENCES}
_NOT_TWO = {"samples": _NOT_SEQUENCES, "references": _NOT_SEQUENCES}
_NOT_VECTORS = st.sampled_from(
    ("text", None, [[1.0]], np.zeros((10, 0)), np.full((10, 2), np.nan), [["a"]] * 10, [[1j]] * 10)
)


def check_scores(result, given):
    assert result.ndim == 1
    assert (result >= 0).all()


_METRICS = {
    "uniqueness": Case(
        metrics.uniqueness, arguments(samples=_SEQUENCES), {"samples": _NOT_SEQUENCES}, check_number(0, 1)
    ),
    "novelty": Case(
        metrics.novelty,
        arguments(samples=_SEQUENCES, train=_SEQUENCES),
        {"samples": _NOT_SEQUENCES, "train": _NOT_SEQUENCES},
        check_number(0, 1),
    ),
    "length_distance": Case(metrics.length_distance, arguments(**_TWO), _NOT_TWO, check_number(0, 1)),
    "ngram_divergence": Case(
        metrics.ngram_divergence, arguments(**_TWO, **_ORDER), _NOT_TWO | _NOT_ORDER, check_number(0, 1 + 1e-9)
    ),
    "sentence_bleu": Case(metrics.sentence_bleu, arguments(**_TWO, **_ORDER), _NOT_TWO | _NOT_ORDER, check_scores),
    "self_bleu": Case(
        metrics.self_bleu,
        arguments(samples=_SEQUENCES, **_ORDER),
        {"samples": _NOT_SEQUENCES} | _NOT_ORDER,
        check_scores,
    ),
    "fit_ngram_model": Case(
        metrics.fit_ngram_model,
        arguments(sequences=_SEQUENCES, num_symbols=s.integers(3, 4), **_ORDER),
        {"sequences": _NOT_SEQUENCES, "num_symbols": s.integers_below(1)} | _NOT_ORDER,
        lambda result, given: None,
    ),
    "negative_log_likelihood": Case(
        metrics.negative_log_likelihood,
        arguments(model=st.just(metrics.fit_ngram_model([(0, 1)], 2, 3)), sequences=_SEQUENCES),
        {"sequences": _NOT_SEQUENCES | st.just([(3,)])},
        check_scores,
    ),
    "bootstrap": Case(
        metrics.bootstrap,
        arguments(
            statistic=st.just(lambda rows: float(rows.mean())),
            num=s.integers(2, 4),
            num_resamples=s.integers(2, 3),
            seed=s.SEEDS | s.HUGE_SEEDS,
        ),
        {"num": s.integers_below(2), "num_resamples": s.integers_below(2), **_NOT_SEED},
        is_a(metrics.Estimate),
    ),
    "quality_and_diversity": Case(
        metrics.quality_and_diversity,
        arguments(num_symbols=s.integers(3, 4), **_TWO),
        _NOT_TWO | {"num_symbols": s.integers_below(1)},
        is_a(dict),
        num_examples=8,
    ),
    "compare": Case(
        metrics.compare,
        arguments(num_symbols=s.integers(3, 4), train=_SEQUENCES, num_resamples=st.just(2), **_TWO, **_SEED),
        _NOT_TWO
        | {"train": _NOT_SEQUENCES, "num_symbols": s.integers_below(1), "num_resamples": s.integers_below(2)}
        | _NOT_SEED,
        is_a(dict),
        num_examples=6,
    ),
    "exact_distances": Case(
        metrics.exact_distances,
        arguments(
            model_log_probs=s.floats((2,), values=(-1.0, -2.0), dtypes=(jnp.float32,)),
            true_log_probs=st.just(np.log(np.full(2, 0.5, np.float32))),
            lengths=st.sampled_from(([0, 1], np.array([2, 2]))),
        ),
        {
            "model_log_probs": s.not_floating((2,)) | s.floats((), (0,), (3,), (2, 2)) | st.just(np.ones(2)),
            "true_log_probs": s.not_floating((2,)) | s.floats((), (0,), (3,), (2, 2)) | st.just(-np.ones(2)),
            "lengths": st.sampled_from(([0.0, 1.0], [-1, 0], ["a", "b"], None, [[1], [1, 2]])),
        },
        is_a(dict),
    ),
    "sampled_distances": Case(
        metrics.sampled_distances,
        arguments(strings=st.sampled_from((["a"], ["", "bb"])), is_valid=st.just(lambda string: string != "bb")),
        {"strings": st.sampled_from(("a", None, 3, [], [1], [b"a"]))},
        is_a(dict),
    ),
    "two_sample_accuracy": Case(
        metrics.two_sample_accuracy,
        arguments(first=st.just(np.arange(20.0).reshape(10, 2)), second=st.just(np.ones((10, 2))), seed=s.SEEDS),
        {"first": _NOT_VECTORS, "second": _NOT_VECTORS, "seed": s.NOT_SEEDS | s.HUGE_SEEDS},
        is_a(metrics.TwoSample),
        num_examples=6,
    ),
    "embed": Case(
        metrics.embed,
        arguments(vectors=st.just(np.eye(10)), seed=st.just(1)),
        {"vectors": _NOT_VECTORS | st.just(np.ones((10, 2))), "seed": s.NOT_SEEDS | s.HUGE_SEEDS},
        has(lambda given: (10, 2), lambda given: np.float64),
        num_examples=2,
    ),
}

_DATA = {
    "inverse_frequency_weights": Case(
        gg.inverse_frequency_weights,
        arguments(tokens=s.tokens(*TOKENS, num_symbols=NUM_SYMBOLS)),
        {"tokens": s.not_integers((2, 2)) | s.tokens((2,), (0, 2), (2, 0), (1, 1, 1), num_symbols=1)},
        has(lambda given: given["tokens"].shape[:1], float32),
    ),
    "check_data": Case(
        lambda tokens, num_symbols, length: data.check_data(tokens, num_symbols=num_symbols, length=length),
        arguments(
            tokens=s.tokens(*TOKENS, num_symbols=NUM_SYMBOLS), num_symbols=s.integers(3, 4), length=st.just(LENGTH)
        ),
        {"tokens": _NOT_TOKENS, "num_symbols": s.integers_below(1), "length": s.integers_below(1)},
        is_a(gg.Batch),
    ),
    "run_keys": Case(
        training.run_keys,
        arguments(seed=s.SEEDS | st.just(3).map(jnp.int32)),
        {"seed": s.NOT_SEEDS | s.HUGE_SEEDS},
        is_a(training.RunKeys),
    ),
    "seeds_axis": Case(
        training.seeds_axis,
        arguments(seeds=st.sampled_from(([0], (1, 2), [2**32 - 1]))),
        {"seeds": st.sampled_from((None, 3, "12", [0.5], [-1], [2**32], [[1]], [True], [], [None]))},
        is_a(training.RunKeys),
    ),
    "seeds_mesh": Case(
        sharding.seeds_mesh,
        arguments(num_seeds=s.integers(1, 3), num_shards=s.integers(1, 2)),
        {"num_seeds": s.integers_below(1), "num_shards": s.integers_below(1), "devices": st.just([])},
        is_a(jax.sharding.Mesh),
    ),
    "quarters": Case(
        evaluation.quarters, arguments(length=s.integers(1, 9)), {"length": s.integers_below(1)}, is_a(tuple)
    ),
}

CASES = _RELAXATION | _LOSSES | _SCHEDULES | _NETWORKS | _ALGORITHMS | _TASKS | _METRICS | _DATA


def test_every_public_function_has_a_property():
    public = {name for name in gg.__all__ if inspect.isfunction(getattr(gg, name))}
    named = {name for module in (metrics,) for name in module.__all__ if inspect.isfunction(getattr(module, name))}
    own = {name for name, value in vars(schedules).items() if inspect.isfunction(value) and name[0] != "_"}
    own -= {"require_at_least", "require_number"}
    assert public | named | own <= set(CASES)


def run(num_examples):
    return settings(
        max_examples=num_examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def for_all(prop, case):
    """Runs a property, a function of Hypothesis' data, on examples."""
    run(case.num_examples)(given(st.data())(prop))()


def check_result(result, case, given):
    for leaf in jax.tree.leaves(result):
        if isinstance(leaf, jax.Array | np.ndarray | np.generic | float) and jnp.issubdtype(
            jnp.result_type(leaf), jnp.floating
        ):
            values = np.asarray(leaf, np.float64)
            assert np.isfinite(values).all() if case.is_finite else not np.isnan(values).any()
    case.check(result, given)


def check_error(error, names):
    """Checks that an error is the library's own and names one of the arguments."""
    assert isinstance(error, TypeError | ValueError), repr(error)
    innermost = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
    assert innermost.is_relative_to(PACKAGE), f"{innermost}: {error!r}"
    assert any(re.search(rf"\b{re.escape(name)}\b", str(error)) for name in names), f"{names}: {error!r}"


@pytest.mark.parametrize("name", CASES)
def test_valid_arguments_have_a_finite_result(name):
    case = CASES[name]

    def prop(data):
        given = data.draw(case.valid)
        check_result(case.function(**given), case, given)

    for_all(prop, case)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.invalid])
def test_an_invalid_argument_is_named(name):
    case = CASES[name]

    def prop(data):
        given = data.draw(case.valid)
        invalid = data.draw(st.sampled_from(sorted(case.invalid)))
        given[invalid] = data.draw(case.invalid[invalid], label=invalid)
        try:
            result = case.function(**given)
        except Exception as error:
            check_error(error, [invalid])
        else:
            pytest.fail(f"{invalid}={given[invalid]!r} had the result {result!r}")

    for_all(prop, case)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.unusual or len(case.invalid) > 1])
def test_any_arguments_have_a_result_or_a_named_error(name):
    case = CASES[name]

    def prop(data):
        given = data.draw(case.valid)
        for argument in given:
            others = [each[argument] for each in (case.invalid, case.unusual) if argument in each]
            if others and data.draw(st.booleans()):
                given[argument] = data.draw(st.one_of(others), label=argument)
        try:
            case.function(**given)
        except Exception as error:
            check_error(error, given)

    for_all(prop, case)
