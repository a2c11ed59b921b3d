"""Fragments and scaffolds of molecules, and the similarity of their counts."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

_LEAST_RINGS = 2


def fragments(molecule: Any) -> list[str]:
    """Returns the SMILES of the parts into which BRICS cuts a molecule."""
    from rdkit import Chem

    return Chem.MolToSmiles(Chem.FragmentOnBRICSBonds(molecule)).split(".")


def scaffold(molecule: Any) -> str | None:
    """Returns the SMILES of the Bemis-Murcko scaffold of a molecule; None if the scaffold has fewer than two rings."""
    from rdkit import Chem
    from rdkit.Chem.Scaffolds import MurckoScaffold

    try:
        found = MurckoScaffold.GetScaffoldForMol(molecule)
    except (ValueError, RuntimeError):
        return None
    smiles = Chem.MolToSmiles(found)
    return smiles if smiles and found.GetRingInfo().NumRings() >= _LEAST_RINGS else None


def count_similarity(counts: Mapping[str, int], references: Mapping[str, int]) -> float:
    """Computes the cosine of the angle between two vectors of counts by name; NaN if one of them is empty.

    >>> round(count_similarity({"a": 1, "b": 1}, {"a": 2}), 4)
    0.7071
    """
    if not counts or not references:
        return float("nan")
    norms = [np.sqrt(sum(float(count) ** 2 for count in each.values())) for each in (counts, references)]
    common = sum(float(count) * references[name] for name, count in counts.items() if name in references)
    return float(common / (norms[0] * norms[1]))


def count(names: Any) -> Counter[str]:
    """Returns how often each name occurs, without None."""
    return Counter(name for name in names if name is not None)
