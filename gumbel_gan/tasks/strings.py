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

    The vocabulary is an end symbol, '', followed by the sorted symbols of the strings. The end symbol follows every
    string and pads it, so T is one more than the largest length. Two strings are repeats if they are equal after they
    are cut and their rare words are replaced. Repeats are handled before the split, which is by distinct string, so no
    training string is in the test set.

    Args:
      strings: the strings. An empty string is allowed.
      unit: the unit of a symbol: 'characters'; 'words', separated by whitespace; 'grapheme' for the grapheme clusters
        of Unicode, such as a letter and its accents, found by the package `regex`; or 'regex:' and a regular expression
        of Python's `re`. The matches of the expression are symbols, and so is each character outside of them: with
        'regex:Cl|Br', Cl and Br are one symbol each.
      max_length: the largest length of a string in symbols; None takes the length of the longest string.
      too_long: treatment of longer strings: 'drop', 'cut', or 'fail', which raises.
      min_count: a symbol seen less often in all strings that are not too long is rare. A string with a rare symbol is
        dropped; if the unit is words, a rare word becomes '<unk>' instead.
      deduplicate: whether repeated strings are left out; if not, all copies are in the same split.
      num_heldout: number of distinct strings for validation, and the same number for the test; None takes a tenth for
        each, from 1 to 1,000.
      max_symbols: the largest size of the vocabulary, end symbol included.
      normalize: the Unicode normal form to which the strings are first converted, 'NFC', 'NFD', 'NFKC' or 'NFKD', so
        that strings that look alike are equal; 'none' leaves the strings as they are.
      seed: seed of the split.
      name: name of the task, for reports.

    Returns:
      A `Task` without an oracle. Its `notes` state how many strings were changed and left out. Its `chosen` holds the
      chosen value for each of `max_length` and `num_heldout` that was None.

    Raises:
      ImportError: `unit` is 'grapheme', and `regex` is not installed.
      TypeError: `strings` is a single string, or an element of `strings` is not a string.
      ValueError: an argument is out of range, the vocabulary is larger than `max_symbols`, or too few strings are left
        for the split, which needs at least three distinct strings.

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
