"""Embeddings of vectors in the plane."""

import numpy as np
import pytest

from gumbel_gan.metrics import embed


def test_an_embedding_keeps_clusters_apart_and_is_the_same_again():
    rng = np.random.default_rng(0)
    vectors = np.concatenate([rng.normal(size=(30, 5)), rng.normal(20.0, size=(30, 5))])
    points = embed(vectors)
    assert points.shape == (60, 2)
    first, second = points[:30], points[30:]
    within = max(np.linalg.norm(each - each.mean(axis=0), axis=1).max() for each in (first, second))
    assert np.linalg.norm(first.mean(axis=0) - second.mean(axis=0)) > 2 * within
    np.testing.assert_array_equal(embed(vectors), points)


def test_one_dimension_is_embedded_too():
    assert np.isfinite(embed(np.arange(20.0)[:, None])).all()


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.arange(12.0), r"vectors must be \[N, H\] with H at least 1, got shape \(12,\)"),
        (np.zeros((12, 0)), r"vectors must be \[N, H\] with H at least 1, got shape \(12, 0\)"),
        (np.diag([np.nan] + [1.0] * 11), "vectors must be finite, got NaN or infinity"),
        (np.eye(9), "vectors must be at least 10, got 9"),
        (np.ones((12, 3)), "vectors must not be all equal"),
    ],
)
def test_vectors_that_cannot_be_embedded_are_named(vectors, message):
    with pytest.raises(ValueError, match=message):
        embed(vectors)


def test_bad_seeds_are_named():
    for seed in (-1, 2**32):
        with pytest.raises(ValueError, match=f"seed must be .*, got {seed}"):
            embed(np.eye(12), seed=seed)
