"""English first names, letter by letter."""

import re
import string

from gumbel_gan.arguments import require_at_least
from gumbel_gan.tasks.files import UTF_8, Files, file_names, nonblank_lines, read_texts
from gumbel_gan.tasks.interface import Task
from gumbel_gan.tasks.lines import Source, limit_lengths, split_lines_task
from gumbel_gan.tasks.units import CHARACTERS


def names_task(
    files: Files = (),
    *,
    max_length: int = 9,
    num_heldout: int = 500,
    deduplicate: bool = True,
    digest: str = "",
    encoding: str = UTF_8,
    seed: int = 0,
) -> Task:
    """Builds a task of first names in lower case.

    The vocabulary is always the end symbol and the letters a to z, so that models of different lists share it.

    Args:
      files: a path or a sequence of paths of files with one name per line. Without files, the task takes the names of
        the package `names`, the 5,163 first names of the 1990 census of the United States.
      max_length: the largest number of letters; longer names are dropped. T is one more.
      num_heldout: number of distinct names for validation, and the same number for the test.
      deduplicate: whether repeated names, compared in lower case, are left out; if not, all copies of a name are in the
        same split.
      digest: expected result of `files_digest` for the files; '' accepts any files.
      encoding: name of the Python text encoding of the files, such as 'latin-1'.
      seed: seed of the split.

    Returns:
      A `Task` without an oracle. Its `notes` state how many names were read and left out.

    Raises:
      ImportError: there are no files, and the package `names` is not installed.
      TypeError: `files` is not a path or a sequence of paths, or a number is not an integer.
      ValueError: an argument is out of range; a file cannot be read, is not in `encoding` or is empty; the files do not
        match `digest`; or too few names are left for the split.
    """
    require_at_least(1, max_length=max_length, num_heldout=num_heldout)
    require_at_least(0, seed=seed)
    found, note = nonblank_lines(read_texts(files or _census_files(), digest, encoding))
    # In a file of the census, the frequency and the rank follow the name.
    found = [line.lower() if files else line.lower().split()[0] for line in found]
    spelled = [name for name in found if re.fullmatch("[a-z]+", name)]
    dropped = f"Names with anything but the letters a to z, dropped: {len(found) - len(spelled):,}."
    short, limit_note = limit_lengths(spelled, max_length, "drop", noun="line")
    return split_lines_task(
        f"names {file_names(files)}" if files else "names",
        short,
        string.ascii_lowercase,
        Source("files", "line"),
        max_length=max_length,
        unit=CHARACTERS,
        deduplicate=deduplicate,
        num_heldout=num_heldout,
        seed=seed,
        notes=(note, dropped, limit_note),
    )


def name_line(line: str) -> str:
    """Returns a line of a file as `names_task` reads it."""
    return line.strip().lower()


def _census_files() -> Files:
    try:
        import names
    except ImportError as error:
        raise ImportError(
            "files must be given where the package 'names' is not installed (pip install 'gumbel_gan[data]')"
        ) from error
    return [names.FILES["first:female"], names.FILES["first:male"]]
