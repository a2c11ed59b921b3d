"""Sequences from strings in memory."""

from collections.abc import Iterable, Iterator

from gumbel_gan.arguments import as_strings, require_at_least, require_one_of
from gumbel_gan.tasks.interface import Task
from gumbel_gan.tasks.lines import TOO_LONG, Source, lines_task
from gumbel_gan.tasks.normalization import FORMS, describe_changes, normalized
from gumbel_gan.tasks.units import find_unit


def strings_task(
    strings: Iterable[str],
    *,
    unit: str = "characters",
    max_length: int | None = None,
    too_long: str = "drop",
    min_count: int = 1,
    deduplicate: bool = True,
    num_heldout: int | None = None,
    max_symbols: int = 5_000,
    normalize: str = "NFC",
    seed: int = 0,
    name: str = "strings",
) -> Task:
    """Builds a task of strings.

    The vocabulary is that of the strings, sorted, after an end symbol, '', which follows every string and pads it: T is
    one more than the largest length. What a string becomes in the end (cut, its rare words replaced) decides whether
    it repeats another. Repeats are handled before the split, which is by distinct string, so that no training string is
    in the test set.

    Args:
      strings: the strings. One may be empty.
      unit: what a symbol is: 'characters'; 'words', which stand between whitespace; 'grapheme', the grapheme clusters
        of Unicode, such as a letter and its accents, found by the package `regex`; or 'regex:' and a regular expression
        of Python's `re`, whose matches are symbols, and so is each character outside of them. With 'regex:Cl|Br' these
        two stay whole.
      max_length: the largest length of a string in symbols; None takes that of the longest.
      too_long: what happens to longer strings: 'drop', 'cut', or 'fail', which raises.
      min_count: a symbol seen less often in all strings that are not too long is rare. A string that holds a rare
        symbol is dropped; a rare word becomes '<unk>'.
      deduplicate: whether repeated strings are left out; if not, all copies are in the same split.
      num_heldout: number of distinct strings for validation, and as many for the test; None takes a tenth for each,
        from 1 to 1,000.
      max_symbols: the largest size of the vocabulary, end symbol included.
      normalize: the form of Unicode to which the strings are brought before anything else, 'NFC', 'NFD', 'NFKC' or
        'NFKD', so that those that look alike are equal; 'none' leaves them as they are.
      seed: of the split.
      name: of the task, for reports.

    Returns:
      A `Task` without an oracle, whose notes say how many strings were changed and left out, and whose `chosen` holds
      the `max_length` and `num_heldout` that were None.

    Raises:
      ImportError: `unit` is 'grapheme', and `regex` is not installed.
      TypeError: `strings` is a single string, or holds what is not a string.
      ValueError: an argument is out of its range; the vocabulary is larger than `max_symbols`; or too few strings are
        left for the split: three distinct ones are the least.

    >>> task = strings_task(["abc", "cab", "b", "cc"])
    >>> task.symbols, task.length, task.encode(["ab"]).tolist()
    (('', 'a', 'b', 'c'), 4, [[1, 2, 0, 0]])
    """
    symbol_unit = find_unit(unit)
    require_one_of(TOO_LONG, too_long=too_long)
    require_one_of(FORMS, normalize=normalize)
    require_at_least(0, seed=seed)
    require_at_least(1, min_count=min_count)
    require_at_least(2, max_symbols=max_symbols)
    for argument, value in (("max_length", max_length), ("num_heldout", num_heldout)):
        if value is not None:
            require_at_least(1, **{argument: value})
    found = as_strings(strings=strings)
    changes = describe_changes(found, normalize, "string")
    found = [normalized(string, normalize) for string in found]

    def places() -> Iterator[tuple[str, str]]:
        return ((f"strings[{index}]", string) for index, string in enumerate(found))

    return lines_task(
        name,
        found,
        Source("strings", "string", places),
        unit=symbol_unit,
        max_length=max_length,
        choose_length=max,
        too_long=too_long,
        min_count=min_count,
        deduplicate=deduplicate,
        num_heldout=num_heldout,
        max_symbols=max_symbols,
        seed=seed,
        normalize=normalize,
        notes=(f"Strings: {len(found):,}.", *changes),
    )
