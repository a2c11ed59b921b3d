"""Properties of a molecule that generators are commonly trained to increase, as functions of its SMILES."""

from typing import Any

from gumbel_gan.metrics.molecules.parsing import parse
from gumbel_gan.metrics.molecules.properties import property_functions

# Means and standard deviations of the three terms over ZINC's 249,455 drug-like molecules.
_LOG_P = (2.4570953396190123, 1.434324401111988)
_SA = (3.0525811293166134, 0.8335207024513095)
_CYCLE = (0.0485696876403053, 0.2860212110245455)
_LARGEST_FREE_RING = 6


def qed(smiles: str) -> float:
    """Computes RDKit's quantitative estimate of drug-likeness, in [0, 1].

    Args:
      smiles: the SMILES of a molecule.

    Raises:
      ImportError: RDKit is not installed.
      ValueError: `smiles` is not a valid molecule.

    References:
      Bickerton et al. 2012, https://doi.org/10.1038/nchem.1243.
    """
    return float(property_functions()["QED"](_molecule(smiles)))


def penalized_log_p(smiles: str) -> float:
    """Computes logP minus penalties for synthetic difficulty and large rings, each term standardized.

    (logP - 2.457) / 1.434 - (SA - 3.053) / 0.834 - (R - 0.049) / 0.286, with SA the synthetic accessibility score and R
    the number of atoms beyond six in the largest ring.

    Args:
      smiles: the SMILES of a molecule.

    Raises:
      ImportError: RDKit is not installed.
      ValueError: `smiles` is not a valid molecule.

    References:
      Kusner et al. 2017, https://arxiv.org/abs/1703.01925; the constants, You et al. 2018,
      https://arxiv.org/abs/1806.02473.
    """
    molecule = _molecule(smiles)
    functions = property_functions()
    rings = molecule.GetRingInfo().AtomRings()
    beyond = max(max(map(len, rings), default=0) - _LARGEST_FREE_RING, 0)
    return (
        _standardized(functions["logP"](molecule), _LOG_P)
        - _standardized(functions["SA"](molecule), _SA)
        - _standardized(beyond, _CYCLE)
    )


def _molecule(smiles: str) -> Any:
    molecule = parse(smiles)
    if molecule is None:
        raise ValueError(f"smiles must be a valid molecule, got {smiles!r}")
    return molecule


def _standardized(value: float, moments: tuple[float, float]) -> float:
    mean, deviation = moments
    return float((value - mean) / deviation)
