"""A test of whether two sets of vectors, such as hidden states of a network, come from the same distribution."""

from typing import NamedTuple

import numpy as np

from gumbel_gan.metrics.checks import require_seed
from gumbel_gan.metrics.intervals import Estimate, bootstrap

LEAST_VECTORS = 10


class TwoSample(NamedTuple):
    """The result of a classifier two-sample test.

    Attributes:
      accuracy: share of vectors that the classifier assigns to the correct set, with its interval; chance is 0.5.
      p_value: probability of at least this accuracy if both sets come from the same distribution.
    """

    accuracy: Estimate
    p_value: float


def two_sample_accuracy(first: np.ndarray, second: np.ndarray, *, seed: int = 0) -> TwoSample:
    """Tests with a classifier whether two sets of vectors come from the same distribution.

    The classifier is trained on a random half of each set and evaluated on the other half, so that its predictions are
    independent, as the interval and the p-value assume. With cross-validation, the classifiers would share training
    vectors: the binomial test at a level of 5 % then rejects 13 % of equal distributions.

    The classifier is a support vector machine with a Gaussian kernel and scikit-learn's defaults, on standardized
    features. A linear classifier cannot separate distributions that differ only in their spread. Neither can nearest
    neighbors in many dimensions, where all vectors are closest to those of the narrower distribution. For 500 + 500
    normal vectors in 64 dimensions with standard deviations 1 and 1.3, the accuracies are 0.91 (this classifier), 0.50
    (5 or 22 neighbors) and 0.49 (logistic regression). With equal standard deviations and means at a distance of 1,
    they are 0.64, 0.56 to 0.58, and 0.65.

    The sets must be independent draws. If they share vectors, the accuracy falls below 0.5, since a vector that is in
    one set for training and in the other for evaluation is assigned to the former. For a set of 200 normal vectors in 8
    dimensions and its copy, the accuracy is 0.30 to 0.34; for two sets that share half of their vectors, 0.37 to 0.43.

    Args:
      first: `[N, H]` vectors, N at least 10.
      second: `[N, H]` vectors, drawn independently of `first`.
      seed: seed of the split into halves and of the bootstrap, from 0 to 2**32 - 1.

    Returns:
      The accuracy on the evaluated halves, and the one-sided p-value of a binomial test.

    Raises:
      ImportError: scikit-learn is not installed.
      TypeError: `seed` is not an integer.
      ValueError: `first` and `second` are not matrices of one shape, hold fewer than 10 vectors each, or hold numbers
        that are not finite; or `seed` is out of range.

    References:
      Lopez-Paz & Oquab 2017, https://arxiv.org/abs/1610.06545.
    """
    first, second = np.asarray(first), np.asarray(second)
    require_seed(seed)
    if first.ndim != 2 or not first.shape[1] or first.shape != second.shape:
        raise ValueError(f"first and second must be matrices of one shape, got {first.shape} and {second.shape}")
    if len(first) < LEAST_VECTORS:
        raise ValueError(f"first and second must hold at least {LEAST_VECTORS} vectors each, got {len(first)}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("first and second must be finite, got NaN or infinity")
    from scipy import stats
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    vectors, sets = np.concatenate([first, second]), np.repeat([0, 1], len(first))
    train, test, train_sets, test_sets = train_test_split(
        vectors, sets, test_size=0.5, stratify=sets, random_state=seed
    )
    right = make_pipeline(StandardScaler(), SVC()).fit(train, train_sets).predict(test) == test_sets
    accuracy = bootstrap(lambda rows: float(right[rows].mean()), len(right), seed=seed)
    p_value = stats.binomtest(int(right.sum()), len(right), 0.5, alternative="greater").pvalue
    return TwoSample(accuracy, float(p_value))
