"""Test cases for metrics."""

import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

from gumbel_gan import metrics
from tests.properties import strategies as s
from tests.properties.case import Case, arguments, check_number, has, is_a

_SEED = {"seed": s.SEEDS | s.HUGE_SEEDS}
_NOT_SEED = {"seed": s.NOT_SEEDS}
_SEQUENCES = st.sampled_from(
    ([(0, 1), (1,), (), (2, 2, 2)], [[0], [1], [0], [1]], [np.array([1, 2])] * 4, [(), (), (), ()])
)
_ONE = st.lists(st.integers(0, 2), min_size=1, max_size=3).map(tuple)
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


CASES = {
    "describe": Case(
        metrics.describe,
        arguments(name=st.sampled_from(("validity", "bleu_4", "my_loss", "mine", ""))),
        {"name": st.sampled_from((None, 3, b"validity", ["validity"]))},
        is_a(metrics.Metric),
    ),
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
    "error_rates": Case(
        metrics.error_rates,
        st.lists(st.tuples(_ONE, _ONE), min_size=2, max_size=4).map(
            lambda pairs: {"decoded": [one for one, _ in pairs], "targets": [[other] for _, other in pairs]}
        ),
        {"decoded": _NOT_SEQUENCES, "targets": st.sampled_from((None, 3, [], [[(1,)]] * 9, [None] * 2))},
        lambda result, given: check_number(0, 1)(result["sequence_error"].value, given),
    ),
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
