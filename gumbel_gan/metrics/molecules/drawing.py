"""Drawings of molecules, and of the errors in invalid strings."""

import re
from typing import Any

from gumbel_gan.metrics.molecules import parsing

_SIZE = (220, 160)
_UNUSED = re.compile(
    r" class='[^']*'|<!--[^>]*-->|fill-rule:evenodd;|stroke-line(cap:butt|join:miter);|;?stroke-opacity:1(?=')"
)


def draw(smiles: str) -> tuple[str | None, str | None]:
    """Draws a molecule.

    Args:
      smiles: the SMILES of the molecule.

    Returns:
      The drawing as SVG, or None if the string cannot be read at all; and the reason why the string is not a valid
      molecule, in a few words, or None if it is valid. In the drawing of an invalid molecule, the atoms that cause the
      error are highlighted.

    Raises:
      ImportError: RDKit is not installed.
    """
    molecule, reason, marked = parsing.parse(smiles), parsing.why_invalid(smiles), list[int]()
    if molecule is None:
        unchecked = parsing.parse_unchecked(smiles) if smiles.split() == [smiles] else None
        if unchecked is None or not unchecked.GetNumAtoms():
            return None, reason
        molecule, marked = unchecked, [atom for _, atoms in parsing.problems(unchecked) for atom in atoms]
    return _svg(molecule, marked), reason


def _svg(molecule: object, marked: list[int]) -> str:
    from rdkit import rdBase
    from rdkit.Chem.Draw import rdMolDraw2D

    # Letters are written as text: the outlines of a font would take more space.
    drawer = rdMolDraw2D.MolDraw2DSVG(*_SIZE, -1, -1, True)
    options: Any = drawer.drawOptions()
    options.prepareMolsBeforeDrawing = False
    options.clearBackground = False
    with rdBase.BlockLogs():
        prepared = rdMolDraw2D.PrepareMolForDrawing(molecule, kekulize=not marked)
        drawer.DrawMolecule(prepared, highlightAtoms=marked)
    drawer.FinishDrawing()
    # Removes RDKit's annotations for programs that read drawings, and attributes that repeat the defaults of SVG.
    return _UNUSED.sub("", drawer.GetDrawingText())
