"""Test cases for samplers and gradient estimators."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

import gumbel_gan as gg
from gumbel_gan.relaxation.gumbel import relax
from tests.properties import strategies as s
from tests.properties.case import Case, arguments, check_number, float32, has, is_a, joined

LOGITS = ((1,), (3,), (2, 1), (0, 2), (2, 3), (1, 1, 3))
BAD_LOGITS = ((0,), (2, 0), (0, 0))

_NUMBERS = st.sampled_from((0, 1.5, -2, np.float32(0.5)))


def _loss(function, others, **given):
    """Returns the case of an estimator of E[f(D)]. `others` holds valid and invalid values of further arguments."""

    def check(result, _):
        assert all(jnp.issubdtype(leaf.dtype, jnp.floating) for leaf in jax.tree.leaves(result))

    return Case(
        partial(function, f=lambda x: jnp.sum(x[..., :1] ** 2), **given),
        arguments(key=s.KEYS, logits=s.floats(*LOGITS), **{name: pair[0] for name, pair in others.items()}),
        {
            "key": s.NOT_KEYS,
            "logits": s.not_floating(*LOGITS) | s.floats((), *BAD_LOGITS),
            **{name: pair[1] for name, pair in others.items()},
        },
        check,
        num_examples=4,
    )


CASES = {
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
        for name, function in (
            ("relax", relax),
            ("soft", gg.soft),
            ("straight_through", gg.straight_through),
            ("plain_straight_through", gg.plain_straight_through),
            ("reinmax", gg.reinmax),
        )
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
    **{
        f"sample of {name}": Case(
            lambda key, logits, noise, temperature, estimator=estimator: estimator(key, logits, noise, temperature),
            joined(
                st.sampled_from(LOGITS).flatmap(lambda shape: s.like(shape, "logits", "noise")),
                arguments(key=s.KEYS, temperature=s.POSITIVE),
            ),
            {
                "key": s.NOT_KEYS,
                "logits": s.not_floating(*LOGITS) | s.floats((), *BAD_LOGITS),
                "noise": s.not_floating(*LOGITS) | s.floats((), (7,), *BAD_LOGITS),
                "temperature": s.NOT_POSITIVE,
            },
            has(lambda given: given["logits"].shape, lambda given: given["logits"].dtype),
            num_examples=5,
        )
        for name, estimator in (
            ("gumbel_rao", gg.gumbel_rao(num_draws=2)),
            ("reinmax_rao", gg.reinmax_rao(num_draws=2)),
            ("reinmax_cv", gg.reinmax_cv(num_draws=2)),
        )
    },
    **{
        factory.__name__: Case(
            factory, arguments(num_draws=s.integers(1, 5)), {"num_draws": s.integers_below(1)}, is_a(gg.Estimator)
        )
        for factory in (gg.gumbel_rao, gg.reinmax_rao)
    },
    "reinmax_cv": Case(
        gg.reinmax_cv,
        arguments(num_draws=s.integers(1, 5), weight=s.SHARES),
        {"num_draws": s.integers_below(1), "weight": s.NOT_NUMBERS | s.NEGATIVE | st.just(2.5)},
        is_a(gg.Estimator),
    ),
    "gapped_straight_through": Case(
        gg.gapped_straight_through, arguments(gap=s.NOT_NEGATIVE), {"gap": s.NOT_WEIGHTS}, is_a(gg.Estimator)
    ),
    "decoupled": Case(
        gg.decoupled,
        arguments(backward_temperature=s.POSITIVE),
        {"backward_temperature": s.NOT_POSITIVE},
        is_a(gg.Estimator),
    ),
    "learned_temperature": Case(
        gg.learned_temperature,
        arguments(
            parameter=st.sampled_from((0, -3.5, 1e4, np.float32(2))),
            low=st.sampled_from((0.1, 1)),
            high=st.sampled_from((2, 10.0)),
        ),
        {
            "parameter": s.NOT_NUMBERS,
            "low": s.NOT_POSITIVE,
            "high": s.NOT_NUMBERS | s.NEGATIVE | st.just(0.1),
        },
        check_number(0.09, 10.01),
    ),
    "reinforce_loss": _loss(gg.reinforce_loss, {"num_samples": (s.integers(2, 4), s.integers_below(2))}),
    "moving_baseline_loss": _loss(
        gg.moving_baseline_loss,
        {
            "num_samples": (s.integers(1, 3), s.integers_below(1)),
            "baseline": (_NUMBERS, s.NOT_NUMBERS),
            "decay": (s.SHARES, s.NOT_SHARES),
        },
    ),
    "indecater_loss": _loss(gg.indecater_loss, {"num_samples": (s.integers(1, 3), s.integers_below(1))}),
    "rebar_loss": _loss(
        gg.rebar_loss,
        {
            "num_samples": (s.integers(1, 3), s.integers_below(1)),
            "temperature": (s.POSITIVE, s.NOT_POSITIVE),
            "weight": (_NUMBERS, s.NOT_NUMBERS),
        },
    ),
    "relax_loss": _loss(
        gg.relax_loss, {"num_samples": (s.integers(1, 3), s.integers_below(1))}, control=lambda z: jnp.sum(jnp.tanh(z))
    ),
    "relax_gradient": _loss(gg.relax_gradient, {}, control=lambda z: jnp.sum(jnp.tanh(z))),
}
