"""The Fréchet distance between two normal distributions."""

import numpy as np


def frechet_distance(
    mean: np.ndarray, covariance: np.ndarray, other_mean: np.ndarray, other_covariance: np.ndarray
) -> float:
    """Computes |m - n|^2 + tr(C + D - 2 (C D)^(1/2)), the square of the Fréchet distance of two normal distributions.

    The trace of (C D)^(1/2) is the sum of the roots of the eigenvalues of C^(1/2) D C^(1/2), which is symmetric.

    Args:
      mean: `[F]`, m.
      covariance: `[F, F]`, C, positive semi-definite.
      other_mean: `[F]`, n.
      other_covariance: `[F, F]`, D.

    >>> frechet_distance(np.zeros(2), np.eye(2), np.ones(2), 4 * np.eye(2))
    4.0
    """
    mean, covariance, other_mean, other_covariance = (
        np.asarray(each, np.float64) for each in (mean, covariance, other_mean, other_covariance)
    )
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    common = np.linalg.eigvalsh(root @ other_covariance @ root)
    difference = mean - other_mean
    traces = np.trace(covariance) + np.trace(other_covariance) - 2 * np.sqrt(np.maximum(common, 0)).sum()
    return float(difference @ difference + traces)


def mean_and_covariance(activations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Computes the mean `[F]` and the covariance `[F, F]` of `[N, F]` activations, N at least 2."""
    activations = np.asarray(activations, np.float64)
    return activations.mean(axis=0), np.cov(activations.T)
