"""Vectors as points of a plane, to look at; what is to be believed is measured in `two_sample.py`."""

import numpy as np

_LEAST_VECTORS = 10
_PERPLEXITY = 30


def embed(vectors: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Embeds vectors in the plane by t-SNE, which keeps neighbours together; distances mean little.

    Args:
      vectors: `[N, H]` vectors, N at least 10, not all alike. Fewer than 91 have a perplexity of less
        than 30, the usual one, since of each vector three times as many neighbours are looked at.
      seed: of the optimisation.

    Returns:
      `[N, 2]` points.

    Raises:
      ImportError: openTSNE is not installed.
      ValueError: there are too few vectors, or all are alike.

    References:
      van der Maaten & Hinton 2008, https://jmlr.org/papers/v9/vandermaaten08a.html; openTSNE: Poličar et al. 2024,
      https://doi.org/10.18637/jss.v109.i03.
    """
    if len(vectors) < _LEAST_VECTORS:
        raise ValueError(f"vectors must be at least {_LEAST_VECTORS}, got {len(vectors)}")
    if (vectors == vectors[0]).all():
        raise ValueError("vectors must not be all alike, got one repeated")
    from openTSNE import TSNE

    tsne = TSNE(
        perplexity=min(_PERPLEXITY, (len(vectors) - 1) / 3),
        # One dimension has no two principal components to begin with.
        initialization="pca" if vectors.shape[1] > 1 else "random",
        n_jobs=1,
        random_state=seed,
    )
    return np.asarray(tsne.fit(vectors))
