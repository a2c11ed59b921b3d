"""Two-dimensional embeddings of vectors, for figures. The test of whether two sets differ is in `two_sample.py`."""

import numpy as np

from gumbel_gan.metrics.checks import require_seed

_LEAST_VECTORS = 10
_PERPLEXITY = 30


def embed(vectors: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Computes a two-dimensional embedding of vectors by t-SNE.

    t-SNE keeps neighbors together; distances between points mean little.

    Args:
      vectors: `[N, H]` finite vectors, N at least 10, not all equal. The perplexity is 30, or (N - 1) / 3 if that is
        less.
      seed: seed of the optimization, from 0 to 2**32 - 1.

    Returns:
      `[N, 2]` points.

    Raises:
      ImportError: openTSNE is not installed.
      TypeError: `seed` is not an integer.
      ValueError: `vectors` is not a finite matrix, has fewer than 10 rows, or has only equal rows; or `seed` is out of
        range.

    References:
      van der Maaten & Hinton 2008, https://jmlr.org/papers/v9/vandermaaten08a.html; openTSNE: Poličar et al. 2024,
      https://doi.org/10.18637/jss.v109.i03.
    """
    vectors = np.asarray(vectors)
    require_seed(seed)
    if vectors.ndim != 2 or not vectors.shape[1]:
        raise ValueError(f"vectors must be [N, H] with H at least 1, got shape {vectors.shape}")
    if len(vectors) < _LEAST_VECTORS:
        raise ValueError(f"vectors must be at least {_LEAST_VECTORS}, got {len(vectors)}")
    if not np.isfinite(vectors).all():
        raise ValueError("vectors must be finite, got NaN or infinity")
    if (vectors == vectors[0]).all():
        raise ValueError("vectors must not be all equal, got one repeated")
    from openTSNE import TSNE

    tsne = TSNE(
        perplexity=min(_PERPLEXITY, (len(vectors) - 1) / 3),
        # The usual initialization needs two principal components.
        initialization="pca" if vectors.shape[1] > 1 else "random",
        n_jobs=1,
        random_state=seed,
    )
    return np.asarray(tsne.fit(vectors))
