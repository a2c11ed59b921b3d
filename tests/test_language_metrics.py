import math
import sys
from functools import partial

import numpy as np
import pytest
from nltk.translate import bleu_score

from gumbel_gan import metrics
from gumbel_gan.metrics import fit_ngram_model, negative_log_likelihood, self_bleu, sentence_bleu
from gumbel_gan.metrics.ngram_model import END, START

NUM_SYMBOLS = 4


def _draw(seed, num, *, min_length=0, repeat=0.6):
    """Draws sequences of a Markov chain that repeats its symbol with probability `repeat`, else draws uniformly."""
    rng = np.random.default_rng(seed)
    sequences = []
    for _ in range(num):
        sequence = [int(rng.integers(NUM_SYMBOLS))]
        while len(sequence) < 10 and rng.random() < 0.85:
            stays = rng.random() < repeat
            sequence.append(sequence[-1] if stays else int(rng.integers(NUM_SYMBOLS)))
        sequences.append(tuple(sequence))
    return [sequence for sequence in sequences if len(sequence) >= min_length]


@pytest.mark.parametrize("order", [2, 3, 4, 5])
@pytest.mark.parametrize("num_references", [1, 3, 200])
def test_bleu_agrees_with_nltk(order, num_references):
    samples, references = _draw(0, 100, min_length=order), _draw(1, num_references)
    smoothing = bleu_score.SmoothingFunction(epsilon=0.1).method1
    expected = [
        bleu_score.sentence_bleu(references, sample, (1 / order,) * order, smoothing_function=smoothing)
        for sample in samples
    ]
    assert len(set(expected)) > 3
    np.testing.assert_allclose(sentence_bleu(samples, references, order), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("sample", "references", "order", "expected"),
    [
        # p_1 = 2/3 and p_2 = 1/2. The sample has 3 symbols, the reference 4.
        ((0, 1, 2), [(0, 1, 3, 3)], 2, math.exp(1 - 4 / 3) * math.sqrt(1 / 3)),
        # The sample has three zeros, the reference only two.
        ((0, 0, 0), [(0, 1, 0)], 1, 2 / 3),
        # Counts are clipped at the largest count in any reference, not at the sum.
        ((0, 0, 0), [(0, 1, 2), (0, 2, 1)], 1, 1 / 3),
        # No bigram matches. The smoothed precision of bigrams is 0.1 / 1.
        ((0, 1), [(1, 0)], 2, math.sqrt(0.1)),
        # Lengths 2 and 4 are equally near to 3. The shorter one is used.
        ((0, 1, 2), [(0, 1), (0, 1, 2, 3)], 3, 1.0),
        # No symbol matches.
        ((0, 0), [(1, 2)], 2, 0.0),
        # Tokens are compared as integers, not as digits.
        ((1, 2), [(12,)], 1, 0.0),
    ],
)
def test_bleu_by_hand(sample, references, order, expected):
    assert sentence_bleu([sample], references, order) == pytest.approx([expected])


def test_bleu_scores_a_sample_shorter_than_its_order_by_the_orders_it_has():
    references = [(0,), (0, 1), (1, 2, 3, 0)]
    scores = sentence_bleu([(0,), (0, 1), (1, 0), (2,)], references, 4)
    assert scores == pytest.approx([1.0, 1.0, math.sqrt(0.1), 1.0])
    assert sentence_bleu([(2,)], references[1:], 4) == pytest.approx([math.exp(1 - 2)])


def test_an_empty_sample_scores_nothing_and_an_empty_reference_is_allowed():
    assert sentence_bleu([(), (0,)], [(), (0,)], 2).tolist() == [0.0, 1.0]
    assert sentence_bleu([(0,)], [()], 2).tolist() == [0.0]


def test_bleu_of_copies_is_1_at_most_and_repeats_change_nothing():
    references = _draw(2, 50)
    scores = sentence_bleu(references, references, 5)
    np.testing.assert_allclose(scores, 1.0)
    assert scores.max() <= 1.0
    samples = _draw(3, 30)
    once = sentence_bleu(samples, references, 3)
    np.testing.assert_array_equal(sentence_bleu(samples * 2, references * 3, 3), np.tile(once, 2))


def test_self_bleu_scores_the_first_half_against_the_second():
    samples = [(0, 1), (2, 2), (0, 1), (2, 3), (1, 1)]
    assert self_bleu(samples, 2) == pytest.approx(sentence_bleu(samples[:2], samples[2:], 2))
    # In (2, 2), one of two unigrams matches, and no bigram does.
    assert self_bleu(samples, 2) == pytest.approx([1.0, math.sqrt(0.5 * 0.1)])
    assert self_bleu([(0, 1)] * 9, 2) == pytest.approx(np.ones(4))


def test_a_perfect_models_self_bleu_is_its_bleu():
    draws = [_draw(seed, 40) for seed in range(100, 160)]
    references = [_draw(seed, 20) for seed in range(200, 260)]
    between = np.array([self_bleu(each, 3).mean() for each in draws])
    against = np.array([sentence_bleu(a, b, 3).mean() for a, b in zip(draws, references, strict=True)])
    standard_error = np.sqrt((between.var(ddof=1) + against.var(ddof=1)) / 60)
    assert abs(between.mean() - against.mean()) < 5 * standard_error
    # Samples that are more alike than the data score higher.
    alike = np.array([self_bleu(_draw(seed, 40, repeat=1.0), 3).mean() for seed in range(10)])
    assert alike.mean() > between.mean() + 5 * standard_error


def test_ngram_model_by_hand():
    model = fit_ngram_model([(0, 0, 1), (0,)], 2, 2)
    # Add-one counts: 4 of symbol 0, 2 of symbol 1, 3 of the end.
    assert [model.score(word) for word in ("0", "1", END)] == pytest.approx([4 / 9, 2 / 9, 3 / 9])
    # The start is followed by 0 twice; 0 by 0, 1 and the end, once each; 1 by the end once.
    first = (2 + 1 * 4 / 9) / (2 + 1)
    second = (1 + 3 * 2 / 9) / (3 + 3)
    last = (1 + 1 * 3 / 9) / (1 + 1)
    assert negative_log_likelihood(model, [(0, 1)]) == pytest.approx([-math.log(first * second * last)])
    # Unseen bigrams: 1 at the start, and 1 after 1.
    unseen = (2 / 9 / 3) * (2 / 9 / 2) * last
    empty = 3 / 9 / 3
    assert negative_log_likelihood(model, [(1, 1), ()]) == pytest.approx([-math.log(unseen), -math.log(empty)])


def test_unigram_model_by_hand():
    nlls = negative_log_likelihood(fit_ngram_model([(0, 0, 1), (0,)], 1, 3), [(2, 0), ()])
    assert nlls == pytest.approx([-math.log(1 / 10 * 4 / 10 * 3 / 10), -math.log(3 / 10)])


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_ngram_probabilities_sum_to_1_in_every_context(order):
    model = fit_ngram_model(_draw(4, 20), order, NUM_SYMBOLS + 1)
    never = str(NUM_SYMBOLS)
    for context in ((), (START,), (START, "0"), ("1", "1", "1"), ("3", "0"), (never,), (never, "2", never)):
        probs = [model.score(word, context) for word in (*map(str, range(NUM_SYMBOLS + 1)), END)]
        assert min(probs) > 0.0
        assert sum(probs) == pytest.approx(1.0)


def test_probabilities_of_sequences_sum_to_1():
    model = fit_ngram_model([(0, 1), (1,), (1, 0)], 3, 2)
    short = [(), (0,), (1,), (0, 0), (0, 1), (1, 0), (1, 1)]
    mass = np.exp(-negative_log_likelihood(model, short)).sum()
    # The mass of all sequences of three or more symbols.
    rest = sum(
        math.prod(model.score(str(each), context) for each, context in zip(word, _contexts(word), strict=True))
        for word in np.ndindex(2, 2, 2)
    )
    assert mass + rest == pytest.approx(1.0)


def _contexts(word):
    marked = (START, START, *map(str, word))
    return [marked[index : index + 2] for index in range(len(word))]


def test_more_data_of_the_same_distribution_lower_the_nll_and_other_data_do_not():
    heldout = _draw(5, 500)
    nlls = [
        negative_log_likelihood(fit_ngram_model(data, 3, NUM_SYMBOLS), heldout).mean()
        for data in (_draw(6, 3_000), _draw(7, 100), _draw(8, 10), _draw(9, 3_000, repeat=0.0))
    ]
    assert nlls[0] < nlls[1] < nlls[2]
    assert nlls[0] < nlls[3]


SAMPLES, REFERENCES, TRAIN = _draw(10, 60), _draw(11, 50), _draw(12, 100)


def test_compare_measures_everything_that_needs_no_model():
    estimates = metrics.compare(SAMPLES, REFERENCES, TRAIN, num_symbols=NUM_SYMBOLS, num_resamples=50)
    of_the_model = ("heldout_nll", "bits_per_symbol", "carried_nll", "carried_bits_per_symbol", "oracle_nll")
    of_samples = [name for name, metric in metrics.METRICS.items() if metric.applies == "heldout"]
    assert list(estimates) == [name for name in of_samples if name not in of_the_model]
    by_data, by_samples = (fit_ngram_model(each, metrics.MODEL_ORDER, NUM_SYMBOLS) for each in (REFERENCES, SAMPLES))
    expected = {
        "uniqueness": metrics.uniqueness(SAMPLES),
        "novelty": metrics.novelty(SAMPLES, TRAIN),
        "length_distance": metrics.length_distance(SAMPLES, REFERENCES),
        **{f"ngram_divergence_{n}": metrics.ngram_divergence(SAMPLES, REFERENCES, n) for n in range(1, 5)},
        **{f"bleu_{n}": sentence_bleu(SAMPLES, REFERENCES, n).mean() for n in range(2, 6)},
        **{f"self_bleu_{n}": self_bleu(SAMPLES, n).mean() for n in range(2, 6)},
        "samples_nll_by_data": negative_log_likelihood(by_data, SAMPLES).mean(),
        "heldout_nll_by_samples": negative_log_likelihood(by_samples, REFERENCES).mean(),
    }
    assert {name: estimate.value for name, estimate in estimates.items()} == pytest.approx(expected)
    assert all(estimate.low < estimate.value < estimate.high for estimate in estimates.values())


def test_compare_gives_means_the_standard_error_of_a_mean_and_follows_its_seed():
    run = partial(metrics.compare, SAMPLES, REFERENCES, TRAIN, num_symbols=NUM_SYMBOLS)
    estimates = run(num_resamples=400)
    scores = sentence_bleu(SAMPLES, REFERENCES, 4)
    novel = np.array([sample not in TRAIN for sample in SAMPLES])
    for name, values in (("bleu_4", scores), ("novelty", novel)):
        margin = 1.96 * values.std() / np.sqrt(len(SAMPLES))
        assert estimates[name].high - estimates[name].value == pytest.approx(margin, rel=5 / np.sqrt(800))
    assert run(num_resamples=10) == run(num_resamples=10) != run(num_resamples=10, seed=1)


def test_compare_measures_what_the_table_says_in_its_order(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    mine = metrics.Metric("mean length", "as data", "Mean length of the samples.", _mean_length)
    table = {"mine": mine, **{name: metrics.METRICS[name] for name in ("heldout_nll", "novelty")}}
    estimates = metrics.compare(SAMPLES, REFERENCES, TRAIN, num_symbols=NUM_SYMBOLS, metrics=table)
    assert list(estimates) == ["mine", "novelty"]
    lengths = np.array(list(map(len, SAMPLES)))
    assert estimates["mine"].value == pytest.approx(lengths.mean())
    margin = 1.96 * lengths.std() / np.sqrt(len(lengths))
    assert estimates["mine"].high - estimates["mine"].value == pytest.approx(margin, rel=5 / np.sqrt(400))
    assert estimates["mine"].value - estimates["mine"].low == pytest.approx(margin, rel=5 / np.sqrt(400))


def _mean_length(comparison):
    return comparison.mean(np.array(list(map(len, comparison.samples)), np.float64))


def test_quality_and_diversity_are_those_of_compare_and_take_a_fitted_model():
    estimates = metrics.compare(SAMPLES, REFERENCES, TRAIN, num_symbols=NUM_SYMBOLS, num_resamples=2)
    measure = partial(metrics.quality_and_diversity, references=REFERENCES, num_symbols=NUM_SYMBOLS)
    measured = measure(SAMPLES)
    assert measured == pytest.approx({name: estimates[name].value for name in measured})
    assert set(measured) == {"bleu_4", "self_bleu_4", "samples_nll_by_data", "heldout_nll_by_samples"}
    model = fit_ngram_model(REFERENCES, metrics.MODEL_ORDER, NUM_SYMBOLS)
    for samples in (SAMPLES, _draw(13, 40)):
        assert measure(samples, model=model) == measure(samples)


def test_a_collapsed_generator_wins_on_quality_and_loses_on_diversity():
    likeliest = min(REFERENCES, key=len)
    collapsed, fair = (
        metrics.quality_and_diversity(samples, REFERENCES, num_symbols=NUM_SYMBOLS)
        for samples in ([likeliest] * 60, SAMPLES)
    )
    assert collapsed["bleu_4"] > fair["bleu_4"]
    assert collapsed["samples_nll_by_data"] < fair["samples_nll_by_data"]
    assert collapsed["self_bleu_4"] > fair["self_bleu_4"]
    assert collapsed["heldout_nll_by_samples"] > fair["heldout_nll_by_samples"]


ONE = [(0,)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sentence_bleu([], ONE, 2), "samples must hold at least one sequence, got 0"),
        (lambda: sentence_bleu(ONE, [], 2), "references must hold at least one sequence, got 0"),
        (lambda: sentence_bleu(ONE, ONE, 0), "order must be at least 1, got 0"),
        (lambda: self_bleu(ONE, 2), "samples must hold at least 2 sequences, got 1"),
        (lambda: self_bleu(ONE * 2, 0), "order must be at least 1, got 0"),
        (lambda: fit_ngram_model([], 2, 1), "sequences must hold at least one sequence, got 0"),
        (lambda: fit_ngram_model(ONE, 0, 1), "order must be at least 1, got 0"),
        (lambda: fit_ngram_model(ONE, 2, 0), "num_symbols must be at least 1, got 0"),
        (lambda: fit_ngram_model([(0, 7)], 2, 2), r"tokens in \[0, 2\), got 7"),
        (lambda: fit_ngram_model([(-1,)], 2, 2), "sequences must hold tokens of at least 0, got -1"),
        (lambda: sentence_bleu([(0, -1)], ONE, 2), "samples must hold tokens of at least 0, got -1"),
        (lambda: sentence_bleu(ONE, [(0, -1)], 2), "references must hold tokens of at least 0, got -1"),
        (lambda: self_bleu([(0, -1)] * 2, 2), "samples must hold tokens of at least 0, got -1"),
        (
            lambda: metrics.compare([(-1,)] * 4, ONE, ONE, num_symbols=1),
            "samples must hold tokens of at least 0, got -1",
        ),
        (lambda: metrics.compare(ONE * 4, ONE, [(-1,)], num_symbols=1), "train must hold tokens of at least 0, got -1"),
        (
            lambda: negative_log_likelihood(fit_ngram_model(ONE, 2, 1), []),
            "sequences must hold at least one sequence, got 0",
        ),
        (lambda: negative_log_likelihood(fit_ngram_model(ONE, 2, 3), [(3,)]), r"tokens in \[0, 3\), got 3"),
        (lambda: metrics.compare(ONE * 3, ONE, ONE, num_symbols=1), "samples must hold at least 4 sequences, got 3"),
        (lambda: metrics.compare(ONE * 4, [], ONE, num_symbols=1), "references must hold at least one sequence, got 0"),
        (lambda: metrics.compare(ONE * 4, ONE, [], num_symbols=1), "train must hold at least one sequence, got 0"),
        (lambda: metrics.compare(ONE * 4, ONE, ONE, num_symbols=0), "num_symbols must be at least 1, got 0"),
        (
            lambda: metrics.compare(ONE * 4, ONE, ONE, num_symbols=1, num_resamples=1),
            "num_resamples must be at least 2, got 1",
        ),
        (lambda: metrics.compare(ONE * 4, ONE, ONE, num_symbols=1, seed=-1), "seed must be at least 0, got -1"),
        (
            lambda: metrics.quality_and_diversity(ONE, ONE, num_symbols=1),
            "samples must hold at least 2 sequences, got 1",
        ),
        (
            lambda: metrics.quality_and_diversity(ONE * 2, [], num_symbols=1),
            "references must hold at least one sequence, got 0",
        ),
        (lambda: metrics.quality_and_diversity([(2,)] * 2, ONE, num_symbols=1), r"tokens in \[0, 1\), got 2"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sentence_bleu(["ab"], ONE, 2), "samples must hold sequences of tokens, got 'ab'"),
        (lambda: sentence_bleu(ONE, ["ab"], 2), "references must hold sequences of tokens, got 'ab'"),
        (lambda: self_bleu(["ab", "b"], 2), "samples must hold sequences of tokens, got 'ab'"),
        (lambda: self_bleu(ONE * 2, 2.0), "order must be an integer, got 2.0"),
        (lambda: fit_ngram_model(["ab"], 2, 3), "sequences must hold sequences of tokens, got 'ab'"),
        (lambda: fit_ngram_model(ONE, 2, 3.0), "num_symbols must be an integer, got 3.0"),
        (lambda: negative_log_likelihood(fit_ngram_model(ONE, 2, 3), [("0",)]), "got a token of type str"),
        (lambda: metrics.compare(["ab"] * 4, ONE, ONE, num_symbols=1), "samples must hold sequences of tokens"),
        (lambda: metrics.compare(ONE * 4, ONE, ["ab"], num_symbols=1), "train must hold sequences of tokens"),
        (lambda: metrics.quality_and_diversity(ONE * 2, ["a"], num_symbols=1), "references must hold sequences of"),
        (
            lambda: metrics.compare(ONE * 4, ONE, ONE, num_symbols=1, metrics={"mine": _mean_length}),
            r"metrics\['mine'\] must be a Metric, got <function",
        ),
        (
            lambda: metrics.compare(
                ONE * 4, ONE, ONE, num_symbols=1, metrics={"mine": metrics.Metric("", "lower", "", lambda _: 0.5)}
            ),
            r"metrics\['mine'\]\.measure must return an Estimate, got 0\.5",
        ),
    ],
)
def test_arguments_of_other_types_are_named(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_a_missing_sacrebleu_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    with pytest.raises(ImportError, match=r"pip install 'gumbel_gan\[metrics\]'"):
        sentence_bleu(ONE, ONE, 2)
