"""Reads a file of strings, and writes a numbered file for each string."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from experiments import cli
from gumbel_gan.tasks.files import read_texts


def read_strings(paths: Sequence[str], num: int) -> list[str]:
    r"""Reads the first strings of the one file that a command takes, one string per line, without blank lines.

    Two backslashes in a row are read as one, as in the output of `sample`.

    Args:
      paths: the arguments of the command that are not flags.
      num: maximum number of strings.

    Raises:
      ValueError: `paths` does not hold exactly one path, or the file cannot be read.
    """
    if len(paths) != 1:
        raise ValueError(f"the command takes one file of strings, got {len(paths)}")
    lines = (line for text in read_texts(paths[0]) for line in text.splitlines() if line.strip())
    return [line.replace("\\\\", "\\") for line in islice(lines, num)]


def write_numbered(folder: Path, ending: str, contents: Sequence[bytes | None]) -> int:
    """Writes the files FOLDER/1.ENDING, FOLDER/2.ENDING and so on.

    Args:
      folder: the folder, which is created if necessary.
      ending: ending of the names.
      contents: contents of the files; no file is written for None.

    Returns:
      The number of files that were written.
    """
    with cli.one_line_disk_errors(f"the files in {folder} are not all written"):
        folder.mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(contents, 1):
            if content is not None:
                (folder / f"{number}.{ending}").write_bytes(content)
    return sum(content is not None for content in contents)
