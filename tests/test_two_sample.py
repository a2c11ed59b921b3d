"""Sets of vectors whose distributions are known to be equal, or to differ."""

import numpy as np
import pytest
from scipy import stats

from gumbel_gan.metrics import two_sample_accuracy


def normal(seed, num, size, *, mean=0.0, deviation=1.0):
    return mean + deviation * np.random.default_rng(seed).normal(size=(num, size))


def test_equal_distributions_are_told_apart_by_chance_only():
    tests = [two_sample_accuracy(normal([seed, 0], 100, 8), normal([seed, 1], 100, 8)) for seed in range(100)]
    accuracies = np.array([test.accuracy.value for test in tests])
    # Each accuracy is of 100 predictions, with a standard error of 0.05 if they are independent.
    assert abs(accuracies.mean() - 0.5) < 5 * 0.05 / np.sqrt(100)
    assert accuracies.std() < 0.05 * (1 + 5 / np.sqrt(2 * 100))
    assert sum(test.p_value < 0.05 for test in tests) <= stats.binom.ppf(0.9999, 100, 0.05)
    covered = sum(test.accuracy.low <= 0.5 <= test.accuracy.high for test in tests)
    assert covered >= stats.binom.ppf(0.0001, 100, 0.95)


def test_shifted_distributions_are_told_apart_as_well_as_they_can_be():
    apart = two_sample_accuracy(normal(0, 100, 4), normal(1, 100, 4, mean=10.0))
    assert apart.accuracy == (1.0, 1.0, 1.0)
    assert apart.p_value == pytest.approx(0.5**100)
    # The best classifier of normal distributions with means at a distance of 2 is right with probability Phi(1).
    test = two_sample_accuracy(normal(0, 1_000, 4), normal(1, 1_000, 4, mean=1.0))
    best = stats.norm.cdf(1.0)
    assert best - 0.05 < test.accuracy.value < best + 5 * np.sqrt(best * (1 - best) / 1_000)
    assert test.accuracy.low < test.accuracy.value < test.accuracy.high
    right = round(test.accuracy.value * 1_000)
    assert test.p_value == pytest.approx(stats.binom.sf(right - 1, 1_000, 0.5))


def test_sets_that_share_their_vectors_are_judged_worse_than_by_chance():
    same = [two_sample_accuracy(normal(seed, 200, 8), normal(seed, 200, 8)) for seed in range(5)]
    assert all(test.accuracy.value < 0.4 and test.p_value > 0.95 for test in same)
    half = [
        two_sample_accuracy(normal(seed, 200, 8), np.vstack([normal(seed, 100, 8), normal([seed, 1], 100, 8)]))
        for seed in range(5)
    ]
    assert np.mean([test.accuracy.value for test in half]) < 0.45


@pytest.mark.parametrize("size", [2, 64])
def test_distributions_of_equal_means_and_other_spreads_are_told_apart(size):
    test = two_sample_accuracy(normal(0, 500, size), normal(1, 500, size, deviation=2.0))
    # The best classifier compares the squared length with the threshold at which both densities are equal.
    threshold = size * np.log(4) / (1 - 1 / 4)
    best = (stats.chi2.cdf(threshold, size) + stats.chi2.sf(threshold / 4, size)) / 2
    assert test.accuracy.value > best - 0.08
    assert test.p_value < 1e-4


def test_the_scale_of_a_feature_does_not_matter():
    first, second = normal(0, 50, 3), normal(1, 50, 3, mean=0.7)
    scales = np.array([1.0, 1_000.0, 1e-3])
    assert two_sample_accuracy(first * scales, second * scales) == two_sample_accuracy(first, second)
    constant = np.zeros((50, 1))
    with_constant = two_sample_accuracy(np.hstack([first, constant]), np.hstack([second, constant]))
    assert 0.5 < with_constant.accuracy.value < 1


def test_vectors_that_are_all_alike_are_told_apart_by_chance():
    assert two_sample_accuracy(np.ones((20, 3)), np.ones((20, 3))).accuracy.value == 0.5


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.zeros((10, 2)), np.zeros((10, 3)), r"must be matrices of one shape, got \(10, 2\) and \(10, 3\)"),
        (np.zeros(10), np.zeros(10), r"must be matrices of one shape, got \(10,\) and \(10,\)"),
        (np.zeros((9, 2)), np.zeros((9, 2)), "must hold at least 10 vectors each, got 9"),
        (np.zeros((10, 2)), np.full((10, 2), np.inf), "must be finite"),
        (np.full((10, 2), np.nan), np.zeros((10, 2)), "must be finite, got NaN or infinity"),
        (np.zeros((10, 0)), np.zeros((10, 0)), r"must be matrices of one shape, got \(10, 0\) and \(10, 0\)"),
    ],
)
def test_sets_that_cannot_be_compared_are_named(first, second, message):
    with pytest.raises(ValueError, match=message):
        two_sample_accuracy(first, second)


def test_bad_seeds_are_named():
    for seed in (-1, 2**32):
        with pytest.raises(ValueError, match=f"seed must be .*, got {seed}"):
            two_sample_accuracy(np.eye(10), np.eye(10), seed=seed)
    with pytest.raises(TypeError, match=r"seed must be an integer, got 1\.0"):
        two_sample_accuracy(np.eye(10), np.eye(10), seed=1.0)
