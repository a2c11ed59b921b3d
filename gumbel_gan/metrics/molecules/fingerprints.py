"""Morgan fingerprints and their Tanimoto similarities."""

import functools
from typing import Any

import numpy as np

NUM_BITS = 1024

_RADIUS = 2
_AT_ONCE = 2_000


def morgan_fingerprint(molecule: Any) -> np.ndarray:
    """Returns the Morgan fingerprint of a molecule, radius 2, as `[1024]` bits, uint8."""
    return _generator().GetFingerprintAsNumPy(molecule)


@functools.lru_cache
def _generator() -> Any:
    from rdkit.Chem import rdFingerprintGenerator

    return rdFingerprintGenerator.GetMorganGenerator(radius=_RADIUS, fpSize=NUM_BITS)


def nearest_similarity(fingerprints: np.ndarray, references: np.ndarray) -> float:
    """Computes the mean over molecules of the similarity to the nearest reference (SNN).

    Args:
      fingerprints: `[N, F]` bits of the molecules.
      references: `[M, F]` bits of the references.
    """
    nearest_N = np.zeros(len(fingerprints))
    for rows, similarities in _blocks(fingerprints, references):
        nearest_N[rows] = np.maximum(nearest_N[rows], similarities.max(axis=1))
    return float(nearest_N.mean())


def internal_diversity(fingerprints: np.ndarray, power: int = 1) -> float:
    """Computes 1 - mean over molecules of (mean over molecules of similarity^p)^(1/p), including self-similarities.

    Args:
      fingerprints: `[N, F]` bits of the molecules.
      power: p.
    """
    sums_N = np.zeros(len(fingerprints))
    for rows, similarities in _blocks(fingerprints, fingerprints):
        sums_N[rows] += (similarities.astype(np.float64) ** power).sum(axis=1)
    return float(1 - ((sums_N / len(fingerprints)) ** (1 / power)).mean())


def _blocks(fingerprints: np.ndarray, references: np.ndarray) -> Any:
    """Yields, for all pairs of blocks, a slice of rows and the similarities of these rows to a block of references."""
    for first in range(0, len(references), _AT_ONCE):
        block_MF = references[first : first + _AT_ONCE].astype(np.float32)
        sizes_M = block_MF.sum(axis=1)
        for start in range(0, len(fingerprints), _AT_ONCE):
            rows = slice(start, start + _AT_ONCE)
            chosen_NF = fingerprints[rows].astype(np.float32)
            common_NM = chosen_NF @ block_MF.T
            union_NM = chosen_NF.sum(axis=1)[:, None] + sizes_M[None, :] - common_NM
            # Two fingerprints without a set bit count as equal.
            yield rows, np.where(union_NM > 0, common_NM / np.maximum(union_NM, 1), 1.0)
