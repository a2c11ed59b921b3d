"""Cases of samplers and estimators."""

import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

import gumbel_gan as gg
from gumbel_gan.relaxation.gumbel import relax
from tests.properties import strategies as s
from tests.properties.case import Case, arguments, float32, has, joined

LOGITS = ((1,), (3,), (2, 1), (0, 2), (2, 3), (1, 1, 3))
BAD_LOGITS = ((0,), (2, 0), (0, 0))

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
