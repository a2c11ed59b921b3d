"""Molecules of SMILES by RDKit, and why a string is none."""

from typing import Any

from gumbel_gan.arguments import require_kind

INSTALL = "pip install 'gumbel_gan[molecules]'"
"""The command that installs what molecules need."""

EMPTY = "an empty molecule"


def require_rdkit() -> None:
    """Raises ImportError, with the command that installs it, unless RDKit is installed."""
    try:
        import rdkit  # noqa: F401
    except ImportError as error:
        raise ImportError(f"molecules need the package 'rdkit', which is not installed ({INSTALL})") from error


def parse(smiles: str) -> Any:
    """Returns the molecule of a SMILES, as MOSES judges it: parsed and sanitized by RDKit, with at least one atom.

    Args:
      smiles: the string. What follows whitespace in it is not part of a SMILES, so that there must be none.

    Returns:
      An `rdkit.Chem.Mol`; None where the string is no valid molecule.

    Raises:
      ImportError: RDKit is not installed.
      TypeError: `smiles` is not a text.
    """
    require_kind(str, smiles=smiles)
    require_rdkit()
    from rdkit import Chem, rdBase

    if not smiles or smiles.split() != [smiles]:
        return None
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    return molecule if molecule is not None and molecule.GetNumAtoms() else None


def canonical(molecule: Any) -> str:
    """Returns the canonical SMILES of a molecule."""
    from rdkit import Chem

    return Chem.MolToSmiles(molecule)


def is_valid(smiles: str) -> bool:
    """Returns whether a string is a valid molecule, by `parse`."""
    return parse(smiles) is not None


def parse_unchecked(smiles: str) -> Any:
    """Returns the molecule of a SMILES whose valences and aromatic rings may be wrong; None where it can't be read."""
    require_rdkit()
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        return Chem.MolFromSmiles(smiles, sanitize=False)


def why_invalid(smiles: str) -> str | None:
    """Returns what is wrong with a SMILES, in a few words, such as 'a ring is not closed'; None of a valid one."""
    if parse(smiles) is not None:
        return None
    if not smiles:
        return EMPTY
    if smiles.split() != [smiles]:
        return "whitespace"
    molecule = parse_unchecked(smiles)
    if molecule is None:
        return _syntax_error(smiles)
    if not molecule.GetNumAtoms():
        return EMPTY
    found = problems(molecule)
    return found[0][0] if found else "RDKit can't sanitize it"


def problems(molecule: Any) -> list[tuple[str, list[int]]]:
    """Returns what is wrong with a molecule that is not sanitized: what, in a few words, and the indices of the atoms.

    Args:
      molecule: what `parse_unchecked` returned.
    """
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        found = Chem.DetectChemistryProblems(molecule)
    return [_describe(molecule, problem) for problem in found]


def _describe(molecule: Any, problem: Any) -> tuple[str, list[int]]:
    kind = problem.GetType()
    if kind == "AtomValenceException":
        atom = problem.GetAtomIdx()
        return f"too many bonds of {molecule.GetAtomWithIdx(atom).GetSymbol()}", [atom]
    if kind == "AtomKekulizeException":
        return "an aromatic atom outside of a ring", [problem.GetAtomIdx()]
    if kind == "KekulizeException":
        return "an aromatic ring without alternating bonds", list(problem.GetAtomIndices())
    return problem.Message(), []


def _syntax_error(smiles: str) -> str:
    """Returns the likely reason why a string can't be read as SMILES."""
    depth = least = 0
    for character in smiles:
        depth += (character == "(") - (character == ")")
        least = min(least, depth)
    if least < 0:
        return "a closing parenthesis too many"
    if depth:
        return "a parenthesis is not closed"
    if smiles.count("[") != smiles.count("]"):
        return "a bracket is not closed"
    return "a ring is not closed" if _open_rings(smiles) else "no SMILES"


def _open_rings(smiles: str) -> set[str]:
    """Returns the numbers of rings that are opened and not closed."""
    opened: set[str] = set()
    place = 0
    while place < len(smiles):
        if smiles[place] == "[":
            place = max(smiles.find("]", place), place)
        elif smiles[place] == "%":
            opened ^= {smiles[place + 1 : place + 3]}
            place += 2
        elif smiles[place].isdigit():
            opened ^= {smiles[place]}
        place += 1
    return opened
