"""Whether two sets of vectors, such as the states of a network, look as if they came from one law."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from gumbel_gan.metrics.intervals import Estimate, bootstrap

LEAST_VECTORS = 10


class TwoSample(NamedTuple):
    """How well a classifier tells two sets apart.

    Attributes:
      accuracy: the share of vectors that it assigns to their own set, with its interval; chance is 0.5.
      p_value: probability of an accuracy at least so high where both sets come from one law.
    """

    accuracy: Estimate
    p_value: float


def two_sample_accuracy(first: np.ndarray, second: np.ndarray, *, seed: int = 0) -> TwoSample:
    """Tests by a classifier whether two sets of vectors come from one law.

    A random half of each set is for the classifier to learn from, the other half is judged by it: so the judgements are
    independent, and the interval and the p-value are what they say. Cross-validation would judge all vectors, by
    classifiers that share vectors to learn from: as a test at 5 %, the binomial one then refuses 13 % of equal laws.

    The classifier is a support vector machine with a Gaussian kernel, scikit-learn's with its own settings, on
    standardised features. A linear one is blind to laws that differ in their spread alone, and so are nearest
    neighbours in many dimensions, where all vectors are closest to those of the narrower law. Of 500 + 500 normal
    vectors in 64 dimensions, with deviations 1 and 1.3, the accuracies are 0.91 (this one), 0.50 (5 or 22 neighbours)
    and 0.49 (logistic regression); of equal deviations and means at a distance of 1, 0.64, 0.56 to 0.58, and 0.65.

    Args:
      first: `[N, H]` vectors, N at least 10.
      second: `[N, H]` vectors, as many, drawn independently of the first.
      seed: of the split into halves, and of the bootstrap.

    Returns:
      The accuracy on the halves that are judged, and the one-sided p-value of a binomial test.

    Raises:
      ImportError: scikit-learn is not installed.
      ValueError: the sets are no matrices of one shape, hold fewer than 10 vectors each, or hold numbers that are not
        finite.

    References:
      Lopez-Paz & Oquab 2017, https://arxiv.org/abs/1610.06545.
    """
    if first.ndim != 2 or first.shape != second.shape:
        raise ValueError(f"first and second must be matrices of one shape, got {first.shape} and {second.shape}")
    if len(first) < LEAST_VECTORS:
        raise ValueError(f"first and second must hold at least {LEAST_VECTORS} vectors each, got {len(first)}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("first and second must be finite, got infinities or what is no number")
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    vectors, sets = np.concatenate([first, second]), np.repeat([0, 1], len(first))
    learnt, judged, learnt_sets, judged_sets = train_test_split(
        vectors, sets, test_size=0.5, stratify=sets, random_state=seed
    )
    right = make_pipeline(StandardScaler(), SVC()).fit(learnt, learnt_sets).predict(judged) == judged_sets
    accuracy = bootstrap(lambda rows: float(right[rows].mean()), len(right), seed=seed)
    p_value = stats.binomtest(int(right.sum()), len(right), 0.5, alternative="greater").pvalue
    return TwoSample(accuracy, float(p_value))
