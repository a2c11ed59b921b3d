"""Reads files of SMILES in common formats: one molecule per line, with or without a name, or a column of a table."""

import csv
import re
from collections.abc import Sequence
from typing import NamedTuple

from gumbel_gan.tasks.files import Files, file_paths, numbered_lines

_HEADERS = ("smiles", "canonical_smiles", "isomeric_smiles", "smi", "molecule", "structure")
_SELFIES = "selfies"
_DELIMITERS = (",", "\t", ";")


class SmilesLine(NamedTuple):
    """A line that may hold a molecule.

    Attributes:
      place: file and number of the line, such as "'a.smi', line 3".
      smiles: the string of the molecule; '' if the line is blank.
    """

    place: str
    smiles: str


def smiles_lines(files: Files, texts: Sequence[str]) -> tuple[list[SmilesLine], list[str]]:
    r"""Finds the SMILES strings in files, each of which may have a header.

    If the header of a table names a column 'SMILES' or similar, that column is taken. In other files, the string is the
    part of a line before the first whitespace, comma or semicolon, which SMILES never contain. Lines that begin with
    '#' and a space are comments; a line such as '#C' is read as an invalid molecule. Two backslashes in a row are read
    as one, as in the file `samples.txt` of a run.

    Args:
      files: the paths of the files, for the places of lines.
      texts: the result of `read_texts` for the files.

    Returns:
      The lines that are not headers or comments, including blank lines; and notes on the headers and comments.

    Raises:
      ValueError: a line is the header of a FASTA file, which holds proteins or nucleic acids; or a table has a column
        of SELFIES and no column of SMILES.
    """
    found, notes, num_comments = list[SmilesLine](), list[str](), 0
    for path, text in zip(file_paths(files), texts, strict=True):
        column: tuple[str, int] | None = None
        first = True
        for place, line in numbered_lines([path], [text.removesuffix("\n")]):
            stripped = line.strip()
            if stripped.startswith(">"):
                raise ValueError(
                    f"files must hold SMILES, a molecule a line, got the header of a FASTA file, {stripped[:40]!r}, in "
                    f"{place}; sequences of residues are for the task 'text'"
                )
            if stripped.split(maxsplit=1)[:1] == ["#"]:
                num_comments += 1
                continue
            if first and stripped:
                first, column = False, _header(stripped, place)
                if column is not None:
                    cells = _cells(stripped, column[0])
                    notes.append(f"Header {stripped[:60]!r} in {place}: the molecules are column {cells[column[1]]!r}.")
                    continue
            found.append(SmilesLine(place, _string(stripped, column).replace("\\\\", "\\")))
    if num_comments:
        notes.append(f"Lines of comments, which begin with '# ', left out: {num_comments:,}.")
    return found, notes


def _header(line: str, place: str) -> tuple[str, int] | None:
    """Returns the delimiter of a table and the index of its column of molecules; None if the line is not a header.

    Args:
      line: the first line of a file.
      place: the place of the line, for the error message.

    Raises:
      ValueError: the line names a column of SELFIES and no column of SMILES.
    """
    delimiter = next((each for each in _DELIMITERS if each in line), " ")
    cells = _cells(line, delimiter)
    names = [cell.lower().replace(" ", "_") for cell in cells]
    for wanted in _HEADERS:
        if wanted in names:
            return delimiter, names.index(wanted)
    if _SELFIES in names:
        raise ValueError(
            "files must hold SMILES, which tokens 'selfies' turns into SELFIES; got the column "
            f"{cells[names.index(_SELFIES)]!r} in {place}"
        )
    return None


def _cells(line: str, delimiter: str) -> list[str]:
    cells = line.split() if delimiter == " " else next(csv.reader([line], delimiter=delimiter), [])
    return [cell.strip() for cell in cells]


def _string(line: str, column: tuple[str, int] | None) -> str:
    if column is None:
        return re.split(r"[\s,;]", line, maxsplit=1)[0].strip('"')
    cells = _cells(line, column[0])
    return cells[column[1]] if column[1] < len(cells) else ""
