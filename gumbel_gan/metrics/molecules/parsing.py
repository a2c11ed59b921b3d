"""Molecules parsed from SMILES by RDKit, and the reasons why a string is not a valid molecule."""

from typing import Any

from gumbel_gan.arguments import require_kind

INSTALL = "pip install 'gumbel_gan[molecules]'"
"""The command that installs what molecules need."""

EMPTY = "an empty molecule"


def require_rdkit() -> None:
    """Raises ImportError, with the command that installs RDKit, unless RDKit is installed."""
    try:
        import rdkit  # noqa: F401
    except ImportError as error:
        raise ImportError(f"molecules need the package 'rdkit', which is not installed ({INSTALL})") from error


def parse(smiles: str) -> Any:
    """Parses a SMILES as MOSES does: RDKit must parse and sanitize it, and it must have at least one atom.

    Args:
      smiles: the string. A string with whitespace is not valid; RDKit itself would ignore the text after the
        whitespace.

    Returns:
      An `rdkit.Chem.Mol`, or None if the string is not a valid molecule.

    Raises:
      ImportError: RDKit is not installed.
      TypeError: `smiles` is not a string.
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
    """Returns whether a string is a valid molecule, as `parse` defines it."""
    return parse(smiles) is not None


def parse_unchecked(smiles: str) -> Any:
    """Parses a SMILES whose valences and aromatic rings may be wrong; returns None if the string cannot be read."""
    require_rdkit()
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        return Chem.MolFromSmiles(smiles, sanitize=False)


def why_invalid(smiles: str) -> str | None:
    """Returns why a SMILES is not valid, in a few words, such as 'a ring is not closed'; None if it is valid."""
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
    return found[0][0] if found else "RDKit can't sanitize the molecule"


def problems(molecule: Any) -> list[tuple[str, list[int]]]:
    """Returns the errors in an unsanitized molecule: for each, a short description and the indices of its atoms.

    Args:
      molecule: a molecule that `parse_unchecked` returned.
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
    """Returns the likely reason why a string cannot be read as SMILES."""
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
    return "a ring is not closed" if _open_rings(smiles) else "not a SMILES"


def _open_rings(smiles: str) -> set[str]:
    """Returns the numbers of the rings that are opened but not closed."""
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
