"""Test cases for algorithms."""

import optax
from hypothesis import strategies as st

import gumbel_gan as gg
from tests.properties import strategies as s
from tests.properties.case import Case, arguments, is_a

NUM_SYMBOLS = 3
LENGTH = 2
MODEL = gg.sequence_model(gg.lstm_generator(NUM_SYMBOLS, 2), length=LENGTH)
DISCRIMINATOR = gg.lstm_discriminator(NUM_SYMBOLS, 2)
PREFIX_DISCRIMINATOR = gg.lstm_prefix_discriminator(NUM_SYMBOLS, 2)
OPTIMIZER = optax.sgd(0.1)


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


CASES = {
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
            "behavior": st.sampled_from(("states", "outputs")),
        },
        _NOT_ADVERSARIAL
        | {
            "free_running_weight": s.NOT_WEIGHTS,
            "behavior": st.sampled_from(("", "state")),
            **{
                name: s.NOT_SHARES.filter(lambda value: value is not None)
                for name in ("generator_threshold", "discriminator_threshold", "restart_rate")
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
    "truncated_likelihood": _algorithm(
        gg.truncated_likelihood,
        {
            "model": st.just(MODEL),
            "batch_size": s.integers(1, 3),
            "optimizer": st.just(OPTIMIZER),
            "restart_rate": s.SHARES,
            "ema_decay": s.SHARES,
        },
        {
            "model": _NOT_MODELS | st.just(MODEL._replace(padding=0)),
            "batch_size": s.integers_below(1),
            "optimizer": _NOT_OPTIMIZERS,
            "restart_rate": s.NOT_SHARES,
            "ema_decay": s.NOT_SHARES | st.just(1),
        },
    ),
}
