"""Test cases for objectives, penalties, rewards and advantages."""

import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

import gumbel_gan as gg
from gumbel_gan.losses import advantages, penalties, score_function
from tests.properties import strategies as s
from tests.properties.case import Case, arguments, float32, has, is_a

LENGTH = 2


_BATCH = ((1,), (3,))
_PREFIXES = ((1, 1), (3, 2))
_NOT_FUNCTIONS = st.sampled_from((None, 1.0, "logit"))
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


_OBJECTIVES = ("log_odds", "minimax", "non_saturating", "relativistic", "hinge", "wasserstein")
_FUNCTIONS_OF_OBJECTIVES = {
    f"{side} of {name}": getattr(getattr(gg, name), side)
    for name in _OBJECTIVES
    for side in ("discriminator_loss", "generator_loss")
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


CASES = {
    **{name: _objective(function) for name, function in _FUNCTIONS_OF_OBJECTIVES.items()},
    **{
        function.__name__: Case(
            function,
            arguments(logits=s.floats((), (0,), (1,), (2, 3))),
            {"logits": s.not_floating((), (2,))},
            has(lambda given: given["logits"].shape, lambda given: given["logits"].dtype),
            {"logits": s.not_finite((2, 3))},
        )
        for function in (gg.logit, gg.tanh_half_logit, gg.log_sigmoid, gg.softplus_logit)
    },
    **{
        function.__name__: Case(
            function,
            arguments(logits=s.floats((), (0,), (2, 3), dtypes=(jnp.float32, jnp.bfloat16))),
            {"logits": s.not_floating((), (2,))},
            has(lambda given: given["logits"].shape, lambda given: given["logits"].dtype),
            {"logits": s.not_finite((2, 3))},
        )
        for function in (gg.exp_logit, gg.exp_twice_logit, gg.exp_half_logit)
    },
    "density_ratio": Case(
        gg.density_ratio,
        arguments(reward=st.sampled_from((gg.logit, gg.log_sigmoid))),
        {"reward": _NOT_FUNCTIONS},
        is_a(gg.Objective),
    ),
    "variational": Case(
        gg.variational,
        arguments(output=st.just(gg.logit), conjugate=st.just(gg.logit)),
        {"output": _NOT_FUNCTIONS, "conjugate": _NOT_FUNCTIONS},
        is_a(gg.Objective),
    ),
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
    "per_symbol": Case(
        gg.per_symbol,
        arguments(discount=s.SHARES | st.just(1.0)),
        {"discount": s.NOT_SHARES},
        is_a(gg.AdvantageEstimator),
    ),
    "host_reward": Case(
        lambda function, decode, tokens: gg.host_reward(function, decode)(tokens),
        arguments(
            function=st.just(lambda strings: [len(each) for each in strings]),
            decode=st.just(lambda tokens: [str(row) for row in tokens]),
            tokens=s.tokens((3, LENGTH), (1, 1), num_symbols=3),
        ),
        {
            "function": _NOT_FUNCTIONS,
            "decode": _NOT_FUNCTIONS,
            "tokens": s.not_integers((3, LENGTH)) | s.tokens((3,), (1, 1, 1), num_symbols=3),
        },
        has(lambda given: given["tokens"].shape[:1], float32),
    ),
    "advantages of reinforce": _of_estimator(gg.reinforce()),
    "advantages of monte_carlo": _of_estimator(gg.monte_carlo(num_roll_outs=2)),
    "advantages of per_symbol": _of_estimator(gg.per_symbol(discount=0.5)),
    "advantages of per_prefix": _of_estimator(gg.per_prefix(discount=0.5, baseline_decay=0.5)),
}
