"""The filters of MOSES: medicinal chemistry filters, PAINS, and limits on elements, charges and ring sizes."""

import functools
from typing import Any

from gumbel_gan.metrics.molecules.moses_files import moses_smarts

_ELEMENTS = frozenset({"C", "N", "S", "O", "F", "Cl", "Br", "H"})
_LARGEST_RING = 7


def passes_filters(molecule: Any) -> bool:
    """Returns whether a molecule passes the filters by which MOSES chose its molecules.

    A molecule passes if it has no ring of 8 atoms or more, no charged atom and only the elements C, N, S, O, F, Cl, Br
    and H, and matches none of the patterns of `moses_smarts`.

    Raises:
      ImportError: the package `molsets`, which holds the patterns, is not installed.
    """
    from rdkit import Chem

    if any(len(ring) > _LARGEST_RING for ring in molecule.GetRingInfo().AtomRings()):
        return False
    if any(atom.GetFormalCharge() or atom.GetSymbol() not in _ELEMENTS for atom in molecule.GetAtoms()):
        return False
    with_hydrogen = Chem.AddHs(molecule)
    return not any(with_hydrogen.HasSubstructMatch(pattern) for pattern in _patterns())


@functools.lru_cache
def _patterns() -> list[Any]:
    from rdkit import Chem

    return [Chem.MolFromSmarts(smarts) for smarts in moses_smarts()]
