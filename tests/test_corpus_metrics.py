import tracemalloc
from collections import Counter

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
from nltk.util import ngrams

from gumbel_gan.metrics import METRICS, Estimate, bootstrap, length_distance, ngram_divergence, novelty, uniqueness
from gumbel_gan.metrics.ngrams import ngram_counts, resampled_ngram_divergence

SAMPLES = [(0, 1), (0, 1), (), (2,)]
REFERENCES = [(0, 1), (1,), (1, 0, 2), (2, 2)]


def _random_sequences(seed, num, *, num_symbols=3, max_length=7):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, max_length + 1, num)
    return [tuple(rng.integers(num_symbols, size=length).tolist()) for length in lengths]


def test_whole_sequences_by_hand():
    assert uniqueness(SAMPLES) == 0.75
    assert uniqueness([(), ()]) == 0.5
    assert novelty(SAMPLES, REFERENCES) == 0.5
    assert novelty(SAMPLES, {(), (2,)}) == 0.5
    assert novelty(SAMPLES, SAMPLES) == 0.0
    # Shares of lengths 0 to 3: 1/4, 1/4, 1/2, 0 and 0, 1/4, 1/2, 1/4.
    assert length_distance(SAMPLES, REFERENCES) == 0.25
    assert length_distance(SAMPLES, SAMPLES * 3) == 0.0
    assert length_distance([(1, 2, 3)], [(), (4,)]) == 1.0


def test_ngrams_of_a_sequence_with_its_boundaries():
    def table(order):
        return ngram_counts([(5, 5, 6), (5,), ()], order).toarray().tolist()

    # 5, 6, end
    assert table(1) == [[2, 1, 1], [1, 0, 1], [0, 0, 1]]
    # begin 5, 5 5, 5 6, 6 end, 5 end, begin end
    assert table(2) == [[1, 1, 1, 1, 0, 0], [1, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1]]
    # begin 5 5 6, 5 5 6 end; the two shorter sequences, with their boundaries, are one n-gram each.
    assert table(4) == [[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_ngram_divergence_by_hand():
    # 0, 1 and the end: p = (1/2, 0, 1/2), q = (0, 1/2, 1/2), m = (1/4, 1/4, 1/2).
    assert ngram_divergence([(0,)], [(1,)], 1) == pytest.approx(0.5)
    assert ngram_divergence([(0,)], [(1,)], 2) == pytest.approx(1.0)
    assert ngram_divergence([(0,)], [(1,), (0,)], 2) == pytest.approx(
        0.5 * (np.log2(4 / 3)) + 0.5 * (0.5 * np.log2(2 / 3) + 0.5)
    )
    assert ngram_divergence([()], [(1, 2, 3, 4)], 4) == pytest.approx(1.0)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_ngram_divergence_agrees_with_the_formula_on_ngrams_of_nltk(order):
    samples, references = (
        [sequence for sequence in _random_sequences(seed, 200) if len(sequence) >= order] for seed in (0, 1)
    )
    counters = [
        Counter(ngram for sequence in sequences for ngram in ngrams(("<", *sequence, ">"), order))
        for sequences in (samples, references)
    ]
    keys = sorted(counters[0] | counters[1], key=str)
    p, q = (np.array([counter[key] for key in keys]) / counter.total() for counter in counters)
    m = (p + q) / 2
    expected = (scipy.special.rel_entr(p, m).sum() + scipy.special.rel_entr(q, m).sum()) / (2 * np.log(2))
    assert ngram_divergence(samples, references, order) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_ngram_divergence_is_symmetric_zero_on_itself_and_falls_with_more_data(order):
    references = _random_sequences(2, 2_000)
    few, many = (_random_sequences(seed, num) for seed, num in ((3, 50), (4, 2_000)))
    assert ngram_divergence(references, references[::-1], order) == 0.0
    assert ngram_divergence(few, references, order) == pytest.approx(ngram_divergence(references, few, order))
    other = ngram_divergence(_random_sequences(5, 2_000, num_symbols=2), references, order)
    assert 0.0 < ngram_divergence(many, references, order) < ngram_divergence(few, references, order) < other < 1.0


def test_a_resample_has_the_divergence_of_the_sequences_that_it_chose():
    samples, references = _random_sequences(6, 40), _random_sequences(7, 30)
    indices = np.random.default_rng(0).integers(40, size=40)
    chosen = [samples[index] for index in indices]
    for order in (1, 3):
        resampled = resampled_ngram_divergence(samples, references, order)(indices)
        assert resampled == pytest.approx(ngram_divergence(chosen, references, order), rel=1e-9)


def test_an_interval_is_the_standard_error_of_a_mean():
    values = np.random.default_rng(0).normal(3.0, 2.0, size=400)
    estimate = bootstrap(lambda indices: values[indices].mean(), 400, num_resamples=2_000)
    assert estimate.value == values.mean()
    margin = 1.96 * values.std() / np.sqrt(400)
    # The relative error of a standard deviation over R draws is about 1 / sqrt(2 R). The tolerance is 5 of these.
    assert (estimate.high - estimate.low) / 2 == pytest.approx(margin, rel=5 / np.sqrt(4_000))
    assert estimate.high - estimate.value == pytest.approx(estimate.value - estimate.low)


def test_an_interval_is_reproducible_and_of_no_width_without_noise():
    values = np.arange(10.0)
    estimates = [bootstrap(lambda indices: values[indices].mean(), 10, seed=seed) for seed in (1, 1, 2)]
    assert estimates[0] == estimates[1] != estimates[2]
    assert bootstrap(lambda indices: 0.25, 10) == Estimate(0.25, 0.25, 0.25)


def test_an_interval_does_not_depend_on_how_many_resamples_are_in_memory(monkeypatch):
    values = np.random.default_rng(0).normal(size=101)
    at_once = bootstrap(lambda indices: values[indices].mean(), 101, seed=3)
    monkeypatch.setattr("gumbel_gan.metrics.intervals._INDICES_AT_ONCE", 101 * 7)
    assert bootstrap(lambda indices: values[indices].mean(), 101, seed=3) == at_once


def test_an_interval_of_many_values_takes_little_memory():
    num = 2**20
    tracemalloc.start()
    bootstrap(lambda indices: float(indices[0]), num, num_resamples=8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # 4 of the 8 resamples, once as draws and once as indices of 8 bytes each, and a few arrays of the size of one.
    assert peak < 16 * 8 * num


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        values = rng.exponential(size=60)
        estimate = bootstrap(lambda indices, values=values: values[indices].mean(), 60, seed=seed)
        covered += estimate.low <= 1.0 <= estimate.high
    assert 0.90 <= covered / 200 <= 0.99


def test_an_interval_contains_its_value_where_percentiles_would_not():
    samples = [(index,) for index in range(100)]
    resampled = []

    def statistic(indices):
        resampled.append(uniqueness([samples[index] for index in indices]))
        return resampled[-1]

    estimate = bootstrap(statistic, 100)
    assert sorted(resampled)[-2] < 0.8
    assert estimate.low < estimate.value == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: uniqueness([]), "samples must hold at least one sequence, got 0"),
        (lambda: novelty([], [(1,)]), "samples must hold at least one sequence, got 0"),
        (lambda: novelty([(1,)], set()), "train must hold at least one sequence, got 0"),
        (lambda: length_distance([], [(1,)]), "samples must hold at least one sequence, got 0"),
        (lambda: length_distance([(1,)], []), "references must hold at least one sequence, got 0"),
        (lambda: ngram_divergence([], [(1,)], 1), "samples must hold at least one sequence, got 0"),
        (lambda: ngram_divergence([(1,)], [], 1), "references must hold at least one sequence, got 0"),
        (lambda: ngram_divergence([(1,)], [(1,)], 0), "order must be at least 1, got 0"),
        (lambda: bootstrap(np.mean, 1), "num must be at least 2, got 1"),
        (lambda: bootstrap(np.mean, 5, num_resamples=1), "num_resamples must be at least 2, got 1"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Functions of one set of sequences, which is passed as the argument that the key names.
TAKES_SEQUENCES = {
    "samples": [
        uniqueness,
        lambda bad: novelty(bad, [(1,)]),
        lambda bad: length_distance(bad, [(1,)]),
        lambda bad: ngram_divergence(bad, [(1,)], 2),
    ],
    "references": [lambda bad: length_distance([(1,)], bad), lambda bad: ngram_divergence([(1,)], bad, 2)],
    "train": [lambda bad: novelty([(1,)], bad)],
}
CALLS = [(name, call) for name, calls in TAKES_SEQUENCES.items() for call in calls]


@pytest.mark.parametrize(("name", "call"), CALLS)
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("abc", "must be a collection of sequences of tokens, got 'abc'"),
        (["abc"], "must hold sequences of tokens, got 'abc'"),
        ([3, 4], "must hold sequences of tokens, got 3"),
        (7, "must be a collection of sequences of tokens, got 7"),
        ([("a", "b")], "must hold sequences of integers, got a token of type str"),
        ([(1.0,)], "must hold sequences of integers, got a token of type float"),
        ([(True,)], "must hold sequences of integers, got a token of type bool"),
        ([(float("nan"),)], "must hold sequences of integers, got a token of type float"),
        (np.zeros((2, 3)), "must hold sequences of integers, got a token of type float"),
        (np.zeros((2, 3, 4), int), "must hold sequences of tokens, got"),
    ],
)
def test_what_is_not_sequences_of_tokens_is_named(name, call, bad, message):
    with pytest.raises(TypeError, match=f"{name} {message}"):
        call(bad)


@pytest.mark.parametrize(("name", "call"), CALLS)
def test_negative_tokens_are_named(name, call):
    with pytest.raises(ValueError, match=f"{name} must hold tokens of at least 0, got -2"):
        call([(1, 0), (3, -2)])


def test_lists_and_arrays_are_sequences_too():
    for samples in (
        [list(each) for each in SAMPLES],
        [np.array(each, np.int64) for each in SAMPLES],
        [jnp.array(each, jnp.int32) for each in SAMPLES],
    ):
        assert uniqueness(samples) == uniqueness(SAMPLES)
        assert novelty(samples, REFERENCES) == novelty(SAMPLES, REFERENCES)
        assert length_distance(samples, REFERENCES) == length_distance(SAMPLES, REFERENCES)
        assert ngram_divergence(samples, REFERENCES, 2) == ngram_divergence(SAMPLES, REFERENCES, 2)
    rows = np.array([[0, 1], [1, 1]])
    assert novelty(rows, [[1, 1]]) == 0.5
    assert novelty([(np.int32(1), np.int64(1))], [(1, 1)]) == 0.0


def test_a_value_that_is_not_finite_is_its_own_interval():
    assert bootstrap(lambda indices: np.inf, 5) == Estimate(np.inf, np.inf, np.inf)
    assert all(np.isnan(bootstrap(lambda indices: np.nan, 5)))


def test_numbers_of_other_types_are_named():
    with pytest.raises(TypeError, match=r"order must be an integer, got 2\.0"):
        ngram_divergence([(1,)], [(1,)], 2.0)
    with pytest.raises(TypeError, match=r"num must be an integer, got 5\.0"):
        bootstrap(np.mean, 5.0)
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        bootstrap(np.mean, 5, seed=-1)


# Metrics that need the generator or the true distribution.
OF_THE_MODEL = {"heldout_nll", "bits_per_symbol", "carried_nll", "carried_bits_per_symbol", "oracle_nll"}


def test_every_metric_of_the_catalogue_is_described():
    for metric in METRICS.values():
        assert metric.better in ("higher", "lower", "as data", "neither")
        assert metric.meaning.endswith(".")
    assert len({metric.label for metric in METRICS.values()}) == len(METRICS)
    heldout = {name: metric for name, metric in METRICS.items() if metric.applies == "heldout"}
    assert {name for name, metric in heldout.items() if metric.measure is None} == OF_THE_MODEL
    assert not any(metric.measure for metric in METRICS.values() if metric.applies != "heldout")
