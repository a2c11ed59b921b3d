"""A file of strings, and a numbered file for each of them."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from experiments import cli
from gumbel_gan.tasks.files import read_texts


def read_strings(paths: Sequence[str], num: int) -> list[str]:
    """Reads the first strings of the one file that a command takes: a string a line, blank lines left out.

    Args:
      paths: the arguments of the command that are no flags.
      num: how many strings to read at most.

    Raises:
      ValueError: there is no file, there are several, or it can't be read.
    """
    if len(paths) != 1:
        raise ValueError(f"the command takes one file of strings, got {len(paths)}")
    return list(islice((line for text in read_texts(paths[0]) for line in text.splitlines() if line.strip()), num))


def write_numbered(folder: Path, ending: str, contents: Sequence[bytes | None]) -> int:
    """Writes the files FOLDER/1.ENDING, FOLDER/2.ENDING and so on.

    Args:
      folder: made if need be.
      ending: of the names.
      contents: of the files; there is no file where one is None.

    Returns:
      How many files were written.
    """
    with cli.one_line_disk_errors(f"the files in {folder} are not all written"):
        folder.mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(contents, 1):
            if content is not None:
                (folder / f"{number}.{ending}").write_bytes(content)
    return sum(content is not None for content in contents)
