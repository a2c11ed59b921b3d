"""Test cases for the evaluation of trained models."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

import gumbel_gan as gg
from gumbel_gan import evaluation, metrics
from tests.properties import strategies as s
from tests.properties.case import Case, arguments, has, is_a

# Strings of a grammar, which have an oracle and padding, and arrays, which have neither.
TASK = gg.grammar_task("S -> 'a' | 'b' S", max_length=3, num_train=6, num_heldout=4)
ARRAYS = gg.array_task(np.indices((3, 3, 3)).reshape(3, -1).T, num_heldout=4)
MODEL = TASK.model(gg.lstm_generator(TASK.num_symbols, 2))
PARAMS = MODEL.init(jax.random.key(0))

_TASKS = st.sampled_from((TASK, ARRAYS))
_NOT_TASKS = st.sampled_from((None, 3, "brackets", TASK.train))
_NOT_MODELS = st.sampled_from((None, 3, "model", MODEL.generator))
_SHAPE = (3, TASK.length)
_TOKENS = s.tokens(_SHAPE, num_symbols=ARRAYS.num_symbols)
_NOT_TOKENS = (
    s.not_integers(_SHAPE)
    | s.tokens((3,), (0, TASK.length), (1, 1, 1), num_symbols=1)
    | s.array(_SHAPE, (-1, TASK.num_symbols), jnp.int32)
)
_OTHER_LENGTHS = s.tokens((3, TASK.length + 1), (3, TASK.length - 1), num_symbols=1)
_ARRAYS = s.tokens((2, 4), (1, 2), num_symbols=3)
_NOT_ARRAYS = (
    s.not_integers((2, 4)) | s.tokens((4,), (0, 4), (2, 0), (1, 1, 2), num_symbols=1) | st.just(np.full((2, 4), -1))
)
_VALUES = s.floats((2,), (5,))
_NOT_VALUES = (
    s.floats((2,), values=(0, 1), dtypes=(jnp.bool, jnp.complex64)) | s.NOT_ARRAYS | s.floats((), (0,), (1,), (2, 2))
)
_FEW = {"num_examples": 5}
_MORE = {"num_examples": 10}


def check_of_params(result, given):
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(result(PARAMS)))


def check_likelihoods(result, given):
    assert not np.isnan(result(PARAMS)).any()


def check_estimates(result, given):
    for estimate in result.values():
        assert estimate.low <= estimate.value <= estimate.high


CASES = {
    "evaluation.exact_metrics": Case(
        evaluation.exact_metrics,
        arguments(model=st.just(MODEL), task=st.just(TASK)),
        {
            "model": _NOT_MODELS | st.sampled_from((MODEL._replace(length=2), ARRAYS.model(gg.lstm_generator(9, 2)))),
            "task": _NOT_TASKS | st.just(ARRAYS),
        },
        check_of_params,
        **_MORE,
    ),
    "evaluation.sample_metrics": Case(
        evaluation.sample_metrics,
        arguments(tokens=_TOKENS, task=_TASKS),
        {"tokens": _NOT_TOKENS, "task": _NOT_TASKS},
        is_a(dict),
    ),
    "evaluation.baselines": Case(
        evaluation.baselines,
        arguments(task=_TASKS, num_samples=s.integers(1, 3), seed=s.SEEDS | s.HUGE_SEEDS),
        {"task": _NOT_TASKS, "num_samples": s.integers_below(1), "seed": s.NOT_SEEDS},
        is_a(dict),
        # The Kullback-Leibler divergence is infinite if the draws lack a string.
        is_finite=False,
        **_MORE,
    ),
    "evaluation.negative_log_likelihoods": Case(
        lambda model, tokens, condition, weights: evaluation.negative_log_likelihoods(
            model, gg.Batch(tokens, condition, weights)
        ),
        arguments(model=st.just(MODEL), tokens=_TOKENS, condition=st.none(), weights=st.none()),
        {
            "model": _NOT_MODELS,
            "tokens": _NOT_TOKENS | _OTHER_LENGTHS,
            "condition": st.sampled_from((3, "text", np.ones(2), {"label": np.ones((1, 3))})),
            "weights": st.sampled_from((3, "text", np.ones(2), -np.ones(3), np.zeros(3), np.ones(3, int))),
        },
        check_likelihoods,
        # Sequences that the model cannot generate have an infinite negative log-likelihood.
        is_finite=False,
        **_FEW,
    ),
    "evaluation.hidden_states_at": Case(
        lambda model, times, tokens: evaluation.hidden_states_at(model, times)(PARAMS, gg.Batch(tokens)),
        arguments(model=st.just(MODEL), times=st.sampled_from(((1,), [1, 3])), tokens=_TOKENS),
        {
            "model": _NOT_MODELS,
            "times": st.sampled_from(((0,), (TASK.length + 1,), (-1,), (1.5,), 3, None, "1", (), (True,))),
            "tokens": _NOT_TOKENS | _OTHER_LENGTHS,
        },
        has(lambda given: (3, len(given["times"]), 2), lambda given: jnp.float32),
        **_FEW,
    ),
    "evaluation.quarters": Case(
        evaluation.quarters, arguments(length=s.integers(1, 9)), {"length": s.integers_below(1)}, is_a(tuple)
    ),
    "evaluation.window_divergences": Case(
        evaluation.window_divergences,
        arguments(tokens=_ARRAYS, references=s.tokens((1, 2), (3, 1), num_symbols=3)),
        {"tokens": _NOT_ARRAYS | s.tokens((2, 3), num_symbols=1), "references": _NOT_ARRAYS},
        is_a(dict),
        **_MORE,
    ),
    "evaluation.most_compared": Case(
        evaluation.most_compared, arguments(task=_TASKS), {"task": _NOT_TASKS}, is_a(int), **_FEW
    ),
    "evaluation.some_rows": Case(
        evaluation.some_rows,
        arguments(task=_TASKS, num_rows=s.integers(3, 9), num=s.integers(1, 3)),
        {"task": _NOT_TASKS, "num_rows": s.integers_below(1), "num": s.integers_below(1) | st.just(10)},
        has(lambda given: (given["num"],), lambda given: np.int64),
        **_FEW,
    ),
    "evaluation.heldout_and_others": Case(
        evaluation.heldout_and_others,
        arguments(task=_TASKS, split=st.sampled_from(evaluation.SPLITS)),
        {"task": _NOT_TASKS, "split": s.not_one_of("test") | st.just("train")},
        is_a(tuple),
        **_MORE,
    ),
    "evaluation.held_out": Case(
        evaluation.held_out,
        arguments(
            task=st.just(TASK),
            split=st.sampled_from(evaluation.SPLITS),
            num=st.just(4),
            metrics=st.just({"novelty": metrics.METRICS["novelty"]}),
        ),
        {
            "task": _NOT_TASKS,
            "split": s.not_one_of("test") | st.just("train"),
            "num": s.integers_below(4) | st.just(5),
            "metrics": st.sampled_from((None, 3, "novelty", ["novelty"], {"novelty": None}, {"novelty": "novelty"})),
        },
        is_a(evaluation.HeldOut),
        **_MORE,
    ),
    "evaluation.mean_estimate": Case(
        evaluation.mean_estimate,
        arguments(values=_VALUES),
        {"values": _NOT_VALUES},
        is_a(metrics.Estimate),
        {"values": s.not_finite((2,), (5,))},
        **_FEW,
    ),
    "evaluation.likelihood_estimates": Case(
        evaluation.likelihood_estimates,
        arguments(negative_log_likelihoods=_VALUES, task=_TASKS),
        {"negative_log_likelihoods": _NOT_VALUES, "task": _NOT_TASKS},
        check_estimates,
        **_FEW,
    ),
    "evaluation.length_distribution": Case(
        evaluation.length_distribution,
        arguments(task=_TASKS, tokens=_TOKENS),
        {"task": _NOT_TASKS, "tokens": _NOT_TOKENS},
        has(lambda given: (TASK.length + 1,), lambda given: np.float64),
    ),
}
