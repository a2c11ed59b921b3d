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

    The vocabulary is always the end symbol and the letters a to z, so that models of different lists agree.

    Args:
      files: one path, or several, with a name on each line; none stands for the names of the package `names`, which are
        the 5,163 first names of the United States' census of 1990.
      max_length: the largest number of letters; longer names are dropped. T is one more.
      num_heldout: number of distinct names for validation, and as many for the test.
      deduplicate: whether names that repeat, in lower case, are left out; if not, all copies of a name are in the same
        split.
      digest: what `files_digest` must return for the files; '' accepts any.
      encoding: of the files, a name that Python knows, such as 'latin-1'.
      seed: of the split.

    Returns:
      A `Task` without an oracle, whose notes say how many names were read and left out.

    Raises:
      ImportError: there are no files, and the package `names` is not installed.
      TypeError: `files` holds what is not a path, or a number is not an integer.
      ValueError: an argument is out of its range; a file can't be read, is not in the encoding or is empty, or the
        files have another digest; or too few names are left for the split.
    """
    require_at_least(1, max_length=max_length, num_heldout=num_heldout)
    require_at_least(0, seed=seed)
    found, note = nonblank_lines(read_texts(files or _census_files(), digest, encoding))
    # A line of the census goes on with the name's frequency and rank.
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
