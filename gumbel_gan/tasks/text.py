"""Sequences from text files: a sequence a line, or consecutive windows of one long text."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain
from types import MappingProxyType

import numpy as np

from gumbel_gan.arguments import require_at_least, require_one_of
from gumbel_gan.tasks import lines, vocabulary
from gumbel_gan.tasks.interface import Task
from gumbel_gan.tasks.lines import Files, Line

SEPARATORS = MappingProxyType({"characters": "", "words": " "})
TOO_LONG = ("drop", "cut", "fail")
UNKNOWN = MappingProxyType({"characters": "\ufffd", "words": "<unk>"})


def text_task(
    files: Files,
    *,
    unit: str = "characters",
    max_length: int = 0,
    lowercase: bool = False,
    min_count: int = 1,
    too_long: str = "drop",
    window: int = 0,
    deduplicate: bool = True,
    num_heldout: int = 1_000,
    max_symbols: int = 5_000,
    digest: str = "",
    seed: int = 0,
) -> Task:
    """Makes a task of the text in files.

    Without a window, a sequence is a line: blanks around it are stripped, blank lines are left out, and an end symbol
    follows it, so that T is `max_length` + 1. What a line becomes in the end (lower-cased, cut, its rare words
    replaced) decides whether it repeats another; repeats are settled before the split, which is by distinct line, so
    that no training line is ever in the test.

    With a window, the files are one long text, line ends included, which is cut into consecutive windows of T =
    `window` symbols that don't overlap; there is no padding. The windows stay in the order of the text: the last
    `num_heldout` are the test, those before them are for validation, all others for training. As words, a text is
    what stands between blanks, and its line ends are lost.

    Args:
      files: one path, or several, of text in UTF-8, with any line ends. A line end is put between two files where
        there is none.
      unit: 'characters' or 'words', what a symbol is. Words stand between blanks.
      max_length: the largest length of a line in symbols; 0 is that of the longest line, and must be 0 with a window.
      lowercase: whether to lower-case the text, before anything is counted.
      min_count: a symbol seen less often in all lines that are not too long, or in all windows' text, is rare. A line
        that holds a rare character is dropped; a rare word becomes '<unk>'; a rare character of a window becomes
        U+FFFD, the replacement character.
      too_long: what happens to lines of more than `max_length` symbols: 'drop', 'cut', or 'fail', which raises. Unused
        with a window.
      window: number of symbols of a window, or 0 to take lines.
      deduplicate: whether repeated lines are left out; if not, all copies of a line are in the same split. Unused with
        a window.
      num_heldout: number of distinct lines, or of windows, for validation, and as many for the test.
      max_symbols: the largest size of the vocabulary, end symbol included.
      digest: what `files_digest(files)` must give; '' takes any files.
      seed: of the split; with a window, of the order within each split.

    Returns:
      A `Task` without an oracle, whose notes say how many lines or windows were read, changed and left out.

    Raises:
      ValueError: an argument is out of its range; a file can't be read, is no UTF-8, is empty, or is another than
        `digest` says; the vocabulary is larger than `max_symbols`; or too few lines or windows are left for the split.
    """
    require_one_of(SEPARATORS, unit=unit)
    require_one_of(TOO_LONG, too_long=too_long)
    require_at_least(0, max_length=max_length, window=window, seed=seed)
    require_at_least(1, min_count=min_count, num_heldout=num_heldout)
    require_at_least(2, max_symbols=max_symbols)
    if window and max_length:
        raise ValueError(f"max_length must be 0 with a window, got {max_length} with window {window}")

    name = f"text {lines.file_names(files)}"
    texts = lines.read_texts(files, digest)
    if lowercase:
        texts = [text.lower() for text in texts]
    if window:
        return _windows_task(name, files, texts, unit, min_count, window, num_heldout, max_symbols, seed)

    found, note = lines.nonblank_lines(texts)
    sequences: Sequence[Line] = [line if unit == "characters" else tuple(line.split()) for line in found]
    notes = [note]
    if max_length:
        if too_long == "fail":
            _check_lengths(files, texts, unit, max_length)
        else:
            sequences, note = lines.limit_lengths(sequences, max_length, too_long)
            notes.append(note)
    if min_count > 1:
        sequences, note = _settle_rare_symbols(sequences, unit, min_count)
        notes.append(note)
    return lines.lines_task(
        name,
        sequences,
        _alphabet(chain.from_iterable(sequences), max_symbols, files, texts, num_others=1),
        max_length or max(map(len, sequences), default=0),
        separator=SEPARATORS[unit],
        deduplicate=deduplicate,
        num_heldout=num_heldout,
        seed=seed,
        notes=notes,
    )


def _windows_task(
    name: str,
    files: Files,
    texts: Sequence[str],
    unit: str,
    min_count: int,
    window: int,
    num_heldout: int,
    max_symbols: int,
    seed: int,
) -> Task:
    text = "".join(text if text.endswith("\n") else f"{text}\n" for text in texts[:-1]) + texts[-1]
    written = list(text) if unit == "characters" else text.split()
    num_windows, num_left = divmod(len(written), window)
    if num_windows <= 2 * num_heldout:
        raise ValueError(
            f"num_heldout must be less than half of the windows of {window} {unit}, which are {num_windows:,}; "
            f"got {num_heldout:,}"
        )
    notes = [
        f"{unit.capitalize()} read: {len(written):,}; windows of {window}: {num_windows:,}; "
        f"left over at the end, dropped: {num_left:,}."
    ]
    written = written[: num_windows * window]
    if min_count > 1:
        rare = _rare_symbols(written, min_count)
        written = [UNKNOWN[unit] if symbol in rare else symbol for symbol in written]
        notes.append(f"{_rare_found(rare, unit, min_count)}; written as {UNKNOWN[unit]}.")
    symbols = _alphabet(written, max_symbols, files, texts, num_others=0)
    tokens = vocabulary.encode([written], symbols, len(written)).reshape(num_windows, window)
    # Split in the order of the text, so that no window is held out from between its neighbours; mixed within a split.
    rng = np.random.default_rng(seed)
    splits = np.split(tokens, [num_windows - 2 * num_heldout, num_windows - num_heldout])
    train, validation, test = (rng.permutation(split) for split in splits)
    return Task(
        name=name,
        symbols=symbols,
        padding=None,
        train=train,
        validation=validation,
        test=test,
        decode=partial(vocabulary.decode, symbols=symbols, padding=None, separator=SEPARATORS[unit]),
        oracle=None,
        notes=(
            *notes,
            lines.sizes(symbols, train, validation, test),
            "The beginning of the text is for training, then comes validation, then the test.",
        ),
    )


def _settle_rare_symbols(sequences: Sequence[Line], unit: str, min_count: int) -> tuple[Sequence[Line], str]:
    rare = _rare_symbols(chain.from_iterable(sequences), min_count)
    found = _rare_found(rare, unit, min_count)
    if unit == "words":
        replaced = [tuple(UNKNOWN[unit] if word in rare else word for word in words) for words in sequences]
        return replaced, f"{found}; written as {UNKNOWN[unit]}."
    kept = [sequence for sequence in sequences if rare.isdisjoint(sequence)]
    return kept, f"{found}; lines that hold one, dropped: {len(sequences) - len(kept):,}."


def _rare_symbols(symbols: Iterable[str], min_count: int) -> set[str]:
    return {symbol for symbol, count in Counter(symbols).items() if count < min_count}


def _rare_found(rare: set[str], unit: str, min_count: int) -> str:
    return f"{unit.capitalize()} seen fewer than {min_count} times: {len(rare):,}"


def _alphabet(
    written: Iterable[str], max_symbols: int, files: Files, texts: Sequence[str], *, num_others: int
) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(written))
    size = len(found) + num_others
    if size > max_symbols:
        first_too_many = found[max(0, max_symbols - num_others)]
        where = next((place for place, line in lines.numbered(files, texts) if first_too_many in line), "none")
        raise ValueError(
            f"max_symbols must be at least the size of the vocabulary, {size:,}; got {max_symbols:,}, which "
            f"{where} exceeds with {first_too_many!r} (a larger min_count makes the vocabulary smaller)"
        )
    return tuple(sorted(found))


def _check_lengths(files: Files, texts: Sequence[str], unit: str, max_length: int) -> None:
    for place, line in lines.numbered(files, texts):
        length = len(line.strip()) if unit == "characters" else len(line.split())
        if length > max_length:
            raise ValueError(
                f"max_length must be at least the length of every line, got {max_length}; {place} has {length}"
            )
