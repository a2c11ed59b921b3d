"""Builds tasks from lines of files or from strings: length limits, rare symbols, vocabulary and split."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from gumbel_gan.data import Batch
from gumbel_gan.tasks.interface import Task
from gumbel_gan.tasks.normalization import NO_FORM
from gumbel_gan.tasks.splits import describe_repeats, describe_sizes, split_rows
from gumbel_gan.tasks.units import Unit
from gumbel_gan.tasks.vocabulary import Vocabulary

TOO_LONG = ("drop", "cut", "fail")

# A sequence of symbols.
Line = str | tuple[str, ...]
# Yields the place of each string or line, for error messages, and its text.
Places = Callable[[], Iterator[tuple[str, str]]]

_DONE = MappingProxyType({"drop": "dropped", "cut": "cut"})
# Sequences are held in memory, as 32-bit tokens.
_MOST_TOKENS = 10**9
_FEW_OF, _LEAST_LINES = 1_000, 20


class Source(NamedTuple):
    """The origin of lines, for notes and error messages.

    Attributes:
      argument: name of the argument that holds the lines.
      noun: noun for a single line.
      places: a function that yields the place and the text of each line, if they are known.
    """

    argument: str
    noun: str
    places: Places = lambda: iter(())


def lines_task(
    name: str,
    lines: Sequence[str],
    source: Source,
    *,
    unit: Unit,
    max_length: int | None,
    choose_length: Callable[[Sequence[int]], int],
    too_long: str,
    min_count: int,
    deduplicate: bool,
    num_heldout: int | None,
    max_symbols: int,
    seed: int,
    normalize: str,
    notes: Sequence[str],
) -> Task:
    """Builds a task of lines with the vocabulary found in them. The caller has checked the arguments.

    Args:
      name: name of the task.
      lines: the lines.
      source: the origin of the lines.
      unit: the unit of a symbol.
      max_length: the largest length of a line in symbols; 0 takes the length of the longest line, and None takes the
        result of `choose_length`.
      choose_length: maps the lengths of the lines to the largest length.
      too_long: treatment of longer lines: 'drop', 'cut' or 'fail'.
      min_count: symbols seen less often are rare, and are handled as in `strings_task`.
      deduplicate: whether repeated lines are left out.
      num_heldout: number of distinct validation lines, and of distinct test lines; None takes a tenth for each,
        from 1 to 1,000.
      max_symbols: the largest size of the vocabulary, end symbol included.
      seed: seed of the split.
      normalize: the Unicode normal form of the lines.
      notes: notes on what happened to the lines so far.

    Returns:
      A `Task` without an oracle. Its `chosen` holds the chosen value for each of `max_length` and `num_heldout` that
      was None.

    Raises:
      ValueError: a line is too long and `too_long` is 'fail', the vocabulary is too large, or too few lines are left.
    """
    notes = list(notes)
    sequences: Sequence[Line] = [unit.split(line) for line in lines]
    limit = max_length
    if max_length is None and sequences:
        lengths = list(map(len, sequences))
        usual = choose_length(lengths)
        limit = usual if usual < max(lengths) else None
    if limit:
        if too_long == "fail":
            _require_lengths(source, unit, limit)
        else:
            sequences, note = limit_lengths(sequences, limit, too_long, noun=source.noun)
            notes.append(note)
    if min_count > 1:
        sequences, note = _without_rare_symbols(sequences, unit, min_count, source.noun)
        notes.append(note)
    task = split_lines_task(
        name,
        sequences,
        find_symbols(chain.from_iterable(sequences), max_symbols, unit, source.places, num_others=1),
        source,
        max_length=limit or None,
        unit=unit,
        deduplicate=deduplicate,
        num_heldout=num_heldout,
        seed=seed,
        normalize=normalize,
        notes=notes,
    )
    return with_chosen_length(task) if max_length is None else task


def split_lines_task(
    name: str,
    lines: Sequence[Line],
    symbols: Sequence[str],
    source: Source,
    *,
    max_length: int | None,
    unit: Unit,
    deduplicate: bool,
    num_heldout: int | None,
    seed: int,
    notes: Sequence[str],
    normalize: str = NO_FORM,
) -> Task:
    """Builds a task of lines over given symbols. An end symbol follows each line.

    Args:
      name: name of the task.
      lines: the lines.
      symbols: the symbols of the lines.
      source: the origin of the lines.
      max_length: the largest length of a line in symbols; T is one more. None takes the length of the longest line.
      unit: the unit of a symbol.
      deduplicate: whether repeated lines are left out.
      num_heldout: number of distinct validation lines, and of distinct test lines; None takes a tenth for each,
        from 1 to 1,000.
      seed: seed of the split.
      notes: notes on what happened to the lines so far.
      normalize: the Unicode normal form of the lines.

    Returns:
      A `Task` without an oracle. Its `chosen` holds the value of `num_heldout` if that was None. Its symbol 0, '', ends
      and pads lines, and is never a symbol of a line.

    Raises:
      ValueError: there are no lines, or too few for the split.
    """
    if not lines:
        raise ValueError(f"{source.argument} must hold a usable {source.noun}, got none. {' '.join(notes)}")
    if max_length is None:
        max_length = max(map(len, lines))
    if len(lines) * (max_length + 1) > _MOST_TOKENS:
        raise ValueError(
            f"max_length must be such that {len(lines):,} {source.noun}s of it have at most {_MOST_TOKENS:,} symbols, "
            f"got {max_length:,}"
        )
    rows = split_rows(
        lines, deduplicate=deduplicate, num_heldout=num_heldout, seed=seed, name=source.argument, notes=notes
    )
    vocabulary = Vocabulary(
        symbols=("", *symbols),
        padding=0,
        padding_ends=True,
        allow_empty=not all(map(len, lines)),
        separator=unit.separator,
        pattern=unit.pattern,
        normalize=normalize,
    )
    train, validation, test = (Batch(vocabulary.encode([lines[row] for row in each], max_length + 1)) for each in rows)
    repeats = describe_repeats(source.noun, len(lines) - len(set(lines)), deduplicate=deduplicate)
    sizes = describe_sizes(vocabulary.size, len(train.tokens), len(validation.tokens), len(test.tokens))
    chosen = {"num_heldout": len({lines[row] for row in rows[1]})} if num_heldout is None else {}
    return Task(name, vocabulary, train, validation, test, notes=(*notes, repeats, sizes), chosen=chosen)


def with_chosen_length(task: Task) -> Task:
    """Returns a task of lines with its largest length, T - 1, added to `chosen`."""
    return task._replace(chosen={**task.chosen, "max_length": task.length - 1})


def usual_length(lengths: Sequence[int] | np.ndarray) -> int:
    """Returns the default limit on the length of lines, given their lengths.

    The limit is the length of the longest line, with one exception, which avoids long padding because of a few lines.
    If the longest line is more than twice as long as all but the longest thousandth of the lines (at least one line),
    the limit is the largest length of these other lines. With fewer than 20 lines, there is no exception.

    Args:
      lengths: `[N]` integers, N >= 1.
    """
    longest_first = np.sort(lengths)[::-1]
    num_few = max(1, len(longest_first) // _FEW_OF) if len(longest_first) >= _LEAST_LINES else 0
    longest, most = int(longest_first[0]), int(longest_first[num_few])
    return longest if longest <= 2 * most else most


def limit_lengths(lines: Sequence[Line], max_length: int, too_long: str, *, noun: str) -> tuple[list[Line], str]:
    """Drops or cuts the lines that are too long.

    Args:
      lines: the lines.
      max_length: the largest length in symbols.
      too_long: 'drop' leaves out longer lines; 'cut' keeps their first `max_length` symbols.
      noun: noun for a line in the note.

    Returns:
      Lines of at most `max_length` symbols; and a sentence with the number of longer lines.
    """
    longer = [line for line in lines if len(line) > max_length]
    note = f"{noun.capitalize()}s of more than {max_length} symbols (max_length), {_DONE[too_long]}: {len(longer):,}."
    if too_long == "cut":
        return [line[:max_length] for line in lines], note
    return [line for line in lines if len(line) <= max_length], note


def find_symbols(
    written: Iterable[str], max_symbols: int, unit: Unit, places: Places, *, num_others: int
) -> tuple[str, ...]:
    """Returns the distinct symbols of a text, sorted.

    Args:
      written: the symbols of the text.
      max_symbols: the largest size of the vocabulary.
      unit: the unit of a symbol.
      places: yields the place and the text of each line, for the error message.
      num_others: number of symbols of the vocabulary that are not symbols of the text.

    Returns:
      The symbols.

    Raises:
      ValueError: the vocabulary is larger than `max_symbols`.
    """
    found = tuple(dict.fromkeys(written))
    size = len(found) + num_others
    if size > max_symbols:
        first_too_many = found[max(0, max_symbols - num_others)]
        holders = (place for place, line in places() if first_too_many in unit.split(line))
        where = "".join(f" in {place}" for place in islice(holders, 1))
        raise ValueError(
            f"max_symbols must be at least the size of the vocabulary, {size:,}, got {max_symbols:,}: "
            f"{first_too_many!r}{where} is one too many (a larger min_count makes the vocabulary smaller)"
        )
    return tuple(sorted(found))


def rare_symbols(symbols: Iterable[str], unit: Unit, min_count: int) -> tuple[set[str], str]:
    """Returns the symbols seen fewer than `min_count` times, and the beginning of a sentence with their number."""
    rare = {symbol for symbol, count in Counter(symbols).items() if count < min_count}
    return rare, f"{unit.plural.capitalize()} seen fewer than {min_count} times: {len(rare):,}"


def _without_rare_symbols(lines: Sequence[Line], unit: Unit, min_count: int, noun: str) -> tuple[Sequence[Line], str]:
    rare, found = rare_symbols(chain.from_iterable(lines), unit, min_count)
    if unit.separator:
        replaced = [tuple(unit.unknown if word in rare else word for word in words) for words in lines]
        return replaced, f"{found}; written as {unit.unknown}."
    kept = [line for line in lines if rare.isdisjoint(line)]
    return kept, f"{found}; {noun}s that hold one, dropped: {len(lines) - len(kept):,}."


def _require_lengths(source: Source, unit: Unit, max_length: int) -> None:
    for place, line in source.places():
        length = len(unit.split(line))
        if length > max_length:
            raise ValueError(
                f"max_length must be at least the length of every {source.noun}, got {max_length}; {place} has {length}"
            )
