"""Reference statistics of molecules: those that MOSES ships, or computed from any set of molecules."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gumbel_gan.arguments import as_strings
from gumbel_gan.metrics.molecules.chemnet import chemnet_activations
from gumbel_gan.metrics.molecules.features import Features, features, fingerprints
from gumbel_gan.metrics.molecules.frechet import mean_and_covariance
from gumbel_gan.metrics.molecules.moses_files import moses_statistics
from gumbel_gan.metrics.molecules.properties import PROPERTIES
from gumbel_gan.metrics.molecules.substructures import count
from gumbel_gan.metrics.molecules.workers import map_strings


class References(NamedTuple):
    """Statistics of M reference molecules.

    Attributes:
      fingerprints: `[M, 1024]` bits, uint8.
      fragments: number of occurrences of each fragment, by its SMILES.
      scaffolds: number of occurrences of each scaffold, by its SMILES.
      properties: `[M]` values of each property, by its name.
      activations: mean `[512]` and covariance `[512, 512]` of ChemNet's activations; None omits the FCD.
    """

    fingerprints: np.ndarray
    fragments: Mapping[str, int]
    scaffolds: Mapping[str, int]
    properties: Mapping[str, np.ndarray]
    activations: tuple[np.ndarray, np.ndarray] | None


def moses_references(split: str) -> References:
    """Reads the statistics that MOSES ships for a split.

    Args:
      split: 'test' or 'test_scaffolds'.

    Raises:
      ImportError: the package `molsets` is not installed.
      ValueError: `split` is not 'test' or 'test_scaffolds'.
    """
    shipped = moses_statistics(split)
    return References(
        shipped["SNN"]["fps"],
        shipped["Frag"]["frag"],
        shipped["Scaf"]["scaf"],
        {name: np.asarray(shipped[name]["values"], np.float64) for name in PROPERTIES},
        (shipped["FCD"]["mu"], shipped["FCD"]["sigma"]),
    )


def references_of(smiles: Sequence[str], *, with_activations: bool = True, num_workers: int = 1) -> References:
    """Computes the reference statistics of molecules.

    Args:
      smiles: SMILES of the molecules. Invalid ones are omitted; at least two must be valid.
      with_activations: whether to compute ChemNet's activations, for the FCD.
      num_workers: number of processes, as in `map_strings`.

    Raises:
      ImportError: RDKit is not installed; or `with_activations` is true, and `fcd-torch` is not installed.
      TypeError: `smiles` is a single string, or holds an element that is not a string.
      ValueError: fewer than two SMILES are valid.
    """
    smiles = as_strings(smiles=smiles)
    molecules = [each for each in map_strings(features, smiles, num_workers=num_workers) if each is not None]
    if len(molecules) < 2:
        raise ValueError(f"smiles must hold at least two valid molecules, got {len(molecules)} among {len(smiles)}")
    return describe(molecules, with_activations=with_activations)


def describe(molecules: Sequence[Features], *, with_activations: bool) -> References:
    """Computes the reference statistics of molecules from their features."""
    activations = chemnet_activations([each.smiles for each in molecules]) if with_activations else None
    return References(
        fingerprints(list(molecules)),
        Counter(fragment for each in molecules for fragment in each.fragments),
        count(each.scaffold for each in molecules),
        {name: np.array([each.properties[name] for each in molecules]) for name in PROPERTIES},
        None if activations is None else mean_and_covariance(activations),
    )
