"""The features of a molecule that the metrics need, computed once."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from gumbel_gan.metrics.molecules import parsing
from gumbel_gan.metrics.molecules.filters import passes_filters
from gumbel_gan.metrics.molecules.fingerprints import morgan_fingerprint
from gumbel_gan.metrics.molecules.properties import properties
from gumbel_gan.metrics.molecules.substructures import fragments, scaffold


class Features(NamedTuple):
    """The features of a valid molecule that the metrics need.

    Attributes:
      smiles: canonical SMILES.
      bits: Morgan fingerprint, `[128]` bytes of 8 bits each.
      fragments: SMILES of the BRICS fragments.
      scaffold: SMILES of the scaffold; None if the scaffold has fewer than two rings.
      properties: the results of `properties`.
      passes: whether the molecule passes the filters of MOSES; None if this was not computed.
    """

    smiles: str
    bits: np.ndarray
    fragments: list[str]
    scaffold: str | None
    properties: Mapping[str, float]
    passes: bool | None = None


def features(smiles: str) -> Features | None:
    """Computes the features of a SMILES, without the filters; returns None if the string is not a valid molecule."""
    return _features(smiles, lambda _: None)


def filtered_features(smiles: str) -> Features | None:
    """Computes `features` and whether the molecule passes the filters, which take most of the time.

    Raises:
      ImportError: the package `molsets` is not installed.
    """
    return _features(smiles, passes_filters)


def fingerprints(molecules: list[Features]) -> np.ndarray:
    """Returns the `[N, 1024]` bits of the fingerprints of molecules, uint8."""
    return np.unpackbits(np.stack([each.bits for each in molecules]), axis=1)


def _features(smiles: str, passes: Callable[[Any], bool | None]) -> Features | None:
    # As in MOSES, the features are those of the molecule parsed from the canonical SMILES.
    molecule = parsing.parse(smiles)
    name = "" if molecule is None else parsing.canonical(molecule)
    molecule = parsing.parse(name)
    if molecule is None:
        return None
    return Features(
        name,
        np.packbits(morgan_fingerprint(molecule)),
        fragments(molecule),
        scaffold(molecule),
        properties(molecule),
        passes(molecule),
    )
