"""Pairs of a source and a target generated from it, such as a spelling and its pronunciation."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from gumbel_gan.arguments import require_at_least, require_one_of
from gumbel_gan.data import Batch
from gumbel_gan.tasks.files import UTF_8, Files, file_names, numbered_lines, read_texts
from gumbel_gan.tasks.interface import Task
from gumbel_gan.tasks.lines import Line, find_symbols
from gumbel_gan.tasks.normalization import FORMS, normalized
from gumbel_gan.tasks.splits import split_rows
from gumbel_gan.tasks.units import Unit, find_unit
from gumbel_gan.tasks.vocabulary import Vocabulary

_MOST_NAMED = 5


class Pair(NamedTuple):
    """A source and its target, as symbols.

    Attributes:
      source: the symbols that the target is generated from.
      target: the generated symbols.
    """

    source: Line
    target: Line


class PairUnits(NamedTuple):
    """The units of symbols on both sides of pairs.

    Attributes:
      source: unit of the sources.
      target: unit of the targets.
    """

    source: Unit
    target: Unit


def pairs_task(
    files: Files,
    *,
    unit: str = "characters",
    source_unit: str = "",
    max_length: int = 0,
    max_source_length: int = 0,
    lowercase: bool = False,
    min_count: int = 1,
    num_heldout: int | None = None,
    max_symbols: int = 5_000,
    digest: str = "",
    encoding: str = UTF_8,
    normalize: str = "NFC",
    seed: int = 0,
) -> Task:
    r"""Builds a task of the pairs in tab-separated files, with a source and a target on each line.

    The tokens of a batch are those of the targets, each followed by an end symbol. The condition of a batch is the
    tokens `[N, S]` of the sources, padded at the end. The split is by source: all pairs of a source are in the same
    set. The vocabularies are those of the training set. Any other symbol, in a held-out pair or in a source that the
    model is given later, becomes the unknown symbol: U+FFFD, or '<unk>' for words. The notes count and name lines
    without a tab or with an empty side, which are left out, columns after the second, repeated pairs, sources with
    several targets, and symbols that are unknown.

    Args:
      files: a path or a sequence of paths of text with any line ends.
      unit: the unit of a target symbol, as in `text_task`: 'characters', 'words', 'grapheme' or 'regex:PATTERN'.
      source_unit: the unit of a source symbol; '' takes `unit`.
      max_length: the largest length of a target in symbols; pairs with a longer target are left out. 0 takes the length
        of the longest target. T is one more.
      max_source_length: S, the largest length of a source in symbols; pairs with a longer source are left out. 0 takes
        the length of the longest source.
      lowercase: whether to lower-case both sides, before anything is counted.
      min_count: a symbol seen less often in the training set is unknown.
      num_heldout: number of distinct sources for validation, and the same number for the test; None takes a tenth for
        each, from 1 to 1,000.
      max_symbols: the largest size of either vocabulary.
      digest: expected result of `files_digest(files)`; '' accepts any files.
      encoding: name of the Python text encoding of the files.
      normalize: the Unicode normal form to which the text is first converted, as in `text_task`.
      seed: seed of the split.

    Returns:
      A `Task` with a `source` vocabulary and without an oracle. Its `notes` state what was left out. Its `chosen` holds
      the value of `num_heldout` if that was None.

    Raises:
      ImportError: a unit is 'grapheme', and `regex` is not installed.
      TypeError: `files` is not a path or a sequence of paths, or a number is not an integer.
      ValueError: an argument is out of range; a file cannot be read, is not in `encoding` or is empty; the files do not
        match `digest`; a vocabulary is larger than `max_symbols`; or too few pairs are left for the split.
    """
    target = find_unit(unit)
    units = PairUnits(find_unit(source_unit, "source_unit") if source_unit else target, target)
    require_one_of(FORMS, normalize=normalize)
    require_at_least(0, max_length=max_length, max_source_length=max_source_length, seed=seed)
    require_at_least(1, min_count=min_count, num_heldout=1 if num_heldout is None else num_heldout)
    require_at_least(2, max_symbols=max_symbols)
    texts = [normalized(text, normalize, lowercase=lowercase) for text in read_texts(files, digest, encoding)]
    pairs, notes = _read_pairs(files, texts, units)
    return split_pairs_task(
        f"pairs {file_names(files)}",
        pairs,
        units,
        max_length=max_length,
        max_source_length=max_source_length,
        min_count=min_count,
        num_heldout=num_heldout,
        max_symbols=max_symbols,
        seed=seed,
        normalize=normalize,
        notes=notes,
    )


def split_pairs_task(
    name: str,
    pairs: Sequence[Pair],
    units: PairUnits,
    *,
    max_length: int,
    max_source_length: int,
    min_count: int,
    num_heldout: int | None,
    max_symbols: int,
    seed: int,
    normalize: str,
    notes: Sequence[str],
) -> Task:
    """Builds a task of pairs, with arguments as in `pairs_task`. The caller has checked the arguments.

    Args:
      name: name of the task.
      pairs: the pairs; neither side of a pair is empty.
      units: the units of symbols on both sides.
      max_length: the largest length of a target in symbols; 0 means no limit.
      max_source_length: the largest length of a source in symbols; 0 means no limit.
      min_count: a symbol seen less often in the training set is unknown.
      num_heldout: number of distinct sources for validation, and the same number for the test; None takes a tenth for
        each, from 1 to 1,000.
      max_symbols: the largest size of either vocabulary.
      seed: seed of the split.
      normalize: the Unicode normal form of the pairs.
      notes: notes on what happened to the pairs so far.

    Returns:
      A `Task` with a `source` vocabulary.

    Raises:
      ValueError: a vocabulary is too large, or too few pairs are left for the split.
    """
    kept = [
        pair
        for pair in pairs
        if len(pair.target) <= (max_length or len(pair.target))
        and len(pair.source) <= (max_source_length or len(pair.source))
    ]
    notes = [*notes]
    if max_length or max_source_length:
        notes.append(f"Pairs with a side longer than the largest length, left out: {len(pairs) - len(kept):,}.")
    distinct = list(dict.fromkeys(kept))
    notes.append(f"Repeated pairs, left out: {len(kept) - len(distinct):,}.")
    if not distinct:
        raise ValueError(f"files must hold a usable pair, got none. {' '.join(notes)}")
    sources = [pair.source for pair in distinct]
    notes.append(_describe_several(sources, units.source))
    rows = split_rows(sources, deduplicate=False, num_heldout=num_heldout, seed=seed, name="files", notes=notes)
    splits = [[distinct[row] for row in each] for each in rows]
    train, heldout = splits[0], [*splits[1], *splits[2]]
    vocabularies = {}
    for side, unit in units._asdict().items():
        lines = [[getattr(pair, side) for pair in each] for each in (train, heldout)]
        vocabularies[side], note = _vocabulary(side, lines, unit, min_count, max_symbols, normalize)
        notes += note
    lengths = {"source": max_source_length or max(map(len, sources))}
    lengths["target"] = (max_length or max(len(pair.target) for pair in distinct)) + 1

    def batch(pairs: Sequence[Pair]) -> Batch:
        tokens, condition = (
            vocabularies[side].encode([getattr(pair, side) for pair in pairs], lengths[side])
            for side in ("target", "source")
        )
        return Batch(tokens, condition)

    sizes = [f"{len(each):,} of {len({pair.source for pair in each}):,} sources" for each in splits]
    notes.append(
        f"Symbols of sources: {vocabularies['source'].size:,}; of targets: {vocabularies['target'].size:,}. "
        f"Pairs for training: {sizes[0]}; for validation: {sizes[1]}; for the test: {sizes[2]}."
    )
    train_batch, validation, test = map(batch, splits)
    target, source = vocabularies["target"], vocabularies["source"]
    chosen = {"num_heldout": len({pair.source for pair in splits[1]})} if num_heldout is None else {}
    return Task(name, target, train_batch, validation, test, notes=tuple(notes), chosen=chosen, source=source)


def _read_pairs(files: Files, texts: Sequence[str], units: PairUnits) -> tuple[list[Pair], list[str]]:
    """Returns the pairs in texts, and notes on the lines read and left out."""
    pairs, num_lines, num_blank = [], 0, 0
    places: dict[str, list[str]] = {"without a tab": [], "with an empty side": [], "with more": []}
    for place, line in numbered_lines(files, [text.removesuffix("\n") for text in texts]):
        num_lines += 1
        source, tab, rest = line.partition("\t")
        target, more, _ = rest.partition("\t")
        symbols = Pair(units.source.split(source.strip()), units.target.split(target.strip()))
        if not line.strip():
            num_blank += 1
        elif not tab:
            places["without a tab"].append(place)
        elif not all(map(len, symbols)):
            places["with an empty side"].append(place)
        else:
            pairs.append(symbols)
            if more:
                places["with more"].append(place)
    notes = [f"Lines read: {num_lines:,}; blank, left out: {num_blank:,}."]
    for problem in ("without a tab", "with an empty side"):
        notes.append(f"Lines {problem}, left out: {_counted(places[problem])}.")
    if places["with more"]:
        notes.append(
            f"Lines with more than two columns, the first two of which are read: {_counted(places['with more'])}."
        )
    return pairs, notes


def _vocabulary(
    side: str, lines: Sequence[Sequence[Line]], unit: Unit, min_count: int, max_symbols: int, normalize: str
) -> tuple[Vocabulary, list[str]]:
    """Returns the vocabulary of a side, and a note on the unknown symbols, if there are any.

    Args:
      side: 'source' or 'target'.
      lines: the lines of the training set, and the held-out lines.
      unit: the unit of a symbol.
      min_count: a symbol seen less often in the training set is unknown.
      max_symbols: the largest size of the vocabulary.
      normalize: the Unicode normal form of the lines.
    """
    counts = Counter(chain.from_iterable(lines[0]))
    known = {symbol for symbol, count in counts.items() if count >= min_count}
    others = Counter(symbol for symbol in chain.from_iterable(chain(*lines)) if symbol not in known)
    is_needed = side == "source" or bool(others)
    written = [*known, unit.unknown] if is_needed else list(known)
    symbols = find_symbols(written, max_symbols, unit, lambda: iter(()), num_others=1)
    vocabulary = Vocabulary(
        symbols=("", *symbols),
        padding=0,
        padding_ends=True,
        allow_empty=False,
        separator=unit.separator,
        pattern=unit.pattern,
        normalize=normalize,
        unknown=unit.unknown if is_needed else None,
    )
    if not others:
        return vocabulary, []
    num_heldout = sum(not known.issuperset(line) for line in lines[1])
    least = f"saw fewer than {min_count} times" if min_count > 1 else "never saw"
    note = (
        f"Symbols of {side}s that training {least}, written as {unit.unknown!r}: "
        f"{_counted([repr(symbol) for symbol in sorted(others)])}; held-out pairs that hold one, kept: {num_heldout:,}."
    )
    return vocabulary, [note]


def _describe_several(sources: Sequence[Line], unit: Unit) -> str:
    several = [unit.separator.join(source) for source, count in Counter(sources).items() if count > 1]
    return f"Sources with several targets, all in one set: {_counted([repr(each) for each in several])}."


def _counted(names: Sequence[str]) -> str:
    """Returns the number of names and the first few names, such as "7 ('a'; 'b'; 'c'; 'd'; 'e' and others)"."""
    if not names:
        return "0"
    others = " and others" if len(names) > _MOST_NAMED else ""
    return f"{len(names):,} ({'; '.join(names[:_MOST_NAMED])}{others})"


def targets_by_source(task: Task, data: Batch) -> tuple[np.ndarray, list[list[tuple[int, ...]]]]:
    """Groups pairs by source. Sources that differ only in unknown symbols are the same.

    Args:
      task: a task of pairs.
      data: pairs of the task.

    Returns:
      `[M, S]` distinct sources, in order of appearance, and the targets of each source as tuples of tokens.
    """
    targets: dict[bytes, list[tuple[int, ...]]] = {}
    first: dict[bytes, int] = {}
    for row, (source, target) in enumerate(zip(data.condition, task.sequences(data.tokens), strict=True)):
        key = source.tobytes()
        first.setdefault(key, row)
        targets.setdefault(key, []).append(target)
    return data.condition[list(first.values())], list(targets.values())


def decoded_pairs(task: Task, data: Batch) -> Iterable[tuple[str, str]]:
    """Yields the source and the target string of each pair; raises ValueError if `task` is not a task of pairs."""
    if task.source is None:
        raise ValueError("task must be a task of pairs, got one without a source vocabulary")
    return zip(task.source.decode(data.condition), task.decode(data.tokens), strict=True)
