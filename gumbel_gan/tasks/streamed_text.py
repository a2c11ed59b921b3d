"""Text that does not fit in memory: it is tokenized once into a folder of files, which training then streams."""

import json
import os
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gumbel_gan.tasks.hashing import REPEATED, TEST, TRAIN, VALIDATION, row_hashes, split_by_hashes
from gumbel_gan.tasks.lines import usual_length
from gumbel_gan.tasks.normalization import changes_note, count_changes
from gumbel_gan.tasks.splits import WINDOWS_NOTE, describe_repeats, describe_sizes, usual_heldout
from gumbel_gan.tasks.text_blocks import Progress, blocks
from gumbel_gan.tasks.token_rows import TokenRows, token_dtype
from gumbel_gan.tasks.tokenized_text import ABOUT, TRAIN_TOKENS, VERSION, TextSettings
from gumbel_gan.tasks.tokenizing import Coder, limited, rows_of, without_lines_of
from gumbel_gan.tasks.vocabulary import Vocabulary

STREAM_BYTES = 2**26
"""With `stream='auto'`, text of more bytes than this streams: 64 MB, which takes about 1.2 GB of memory and a minute to
tokenize in memory."""

_HASHES = "hashes.bin"
# The names of all files that `tokenize` writes.
_WRITTEN = {ABOUT, TRAIN_TOKENS, _HASHES, "sample.npy", "validation.npy", "test.npy"}
# Number of training sequences that are also kept in memory, for measurements.
_NUM_SAMPLE = 20_000
_ROWS_AT_ONCE = 2**18


def tokenize(
    name: str,
    files: tuple[Path, ...],
    folder: Path,
    settings: TextSettings,
    progress: Progress | None = None,
    *,
    digest: str = "",
    choose: Collection[str] = (),
) -> None:
    """Tokenizes text files into a folder, in two passes: one that counts symbols, and one that writes tokens.

    The folder appears only when it is complete. Until then, the files are in a folder of the same name with '.partial'
    at its end, which an interrupted call leaves and the next call replaces.

    Args:
      name: name of the task.
      files: the files.
      folder: the folder to create. An existing one is replaced if it is empty or holds only a tokenized text.
      settings: how the text is tokenized.
      progress: called with the progress of each pass.
      digest: digest of the files, by which they are recognized later.
      choose: the names of the settings to choose, 'max_length' and 'num_heldout' or one of them, in one more pass.

    Raises:
      ValueError: `folder` holds other files; a file cannot be read, is not in the encoding or holds only whitespace; a
        line is too long and `too_long` is 'fail'; the vocabulary is too large; or too few sequences are left.
      OSError: the folder cannot be written.
    """
    partial = folder.with_name(folder.name + ".partial")
    _require_replaceable(folder, needed={ABOUT})
    _require_replaceable(partial)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        usual = _limits(files, settings, progress) if choose else {}
        limits = {limit: usual[limit] for limit in choose}
        settings = TextSettings(**settings._asdict() | limits)
        write = _write_windows if settings.window else _write_lines
        about, train, validation, test = write(files, partial, settings, progress)
        rng = np.random.default_rng(settings.seed)
        chosen = rng.choice(len(train), min(len(train), _NUM_SAMPLE), replace=False, shuffle=True)
        for split, tokens in (("sample", train.take(chosen)), ("validation", validation), ("test", test)):
            np.save(partial / f"{split}.npy", rng.permutation(tokens).astype(np.int32))
        num_symbols = len(about["vocabulary"]["symbols"])
        about["notes"] += [
            describe_sizes(num_symbols, len(train), len(validation), len(test)),
            f"The training sequences stream from files; what is measured of them, and whether a sample is new, is by "
            f"{len(chosen):,} of them.",
        ]
        about |= {"version": VERSION, "name": name, "num": len(train), "length": train.length}
        about |= {"digest": digest, "settings": settings._asdict(), "chosen": limits}
        (partial / ABOUT).write_text(json.dumps(about, indent=1, default=int) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _require_replaceable(folder: Path, needed: Collection[str] = ()) -> None:
    """Raises ValueError if a folder holds files that `tokenize` did not write, or lacks the `needed` ones."""
    wanted = f"tokens must name a new or empty folder, or one of a tokenized text; got {str(folder)!r}"
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(f"{wanted}, which is a file")
    found = {path.name for path in folder.iterdir()}
    others = found - _WRITTEN if found.issuperset(needed) else found
    if others:
        raise ValueError(f"{wanted}, which holds {min(others)!r}")


def _limits(files: tuple[Path, ...], settings: TextSettings, progress: Progress | None) -> dict[str, int]:
    """Returns the default values of the settings 'max_length' and 'num_heldout' for a text."""
    coder = Coder(settings.symbol_unit, settings.normalize, lowercase=settings.lowercase)
    lengths, num_symbols = [np.zeros(0, np.int64)], 0
    is_lines = not settings.window
    for text in blocks(files, settings.encoding, whole_lines=is_lines, doing="measuring lines", progress=progress):
        prepared = coder.prepared(text)
        if is_lines:
            lengths.append(coder.lines(prepared).lengths)
        else:
            num_symbols += len(coder.text(prepared))
    if settings.window:
        return {"max_length": 0, "num_heldout": usual_heldout(num_symbols // settings.window)}
    found = np.concatenate(lengths)
    return {"max_length": usual_length(found) if len(found) else 0, "num_heldout": usual_heldout(len(found))}


def _write_lines(
    files: tuple[Path, ...], folder: Path, settings: TextSettings, progress: Progress | None
) -> tuple[dict[str, Any], TokenRows, np.ndarray, np.ndarray]:
    unit, max_length = settings.symbol_unit, settings.max_length
    coder = Coder(unit, settings.normalize, lowercase=settings.lowercase)
    num_lines = num_kept = num_longer = longest = num_changed = 0

    def texts(doing: str) -> Any:
        return blocks(files, settings.encoding, whole_lines=True, doing=doing, progress=progress)

    for text in texts("counting symbols"):
        num_changed += count_changes(text.split("\n"), settings.normalize)
        written = coder.lines(coder.prepared(text))
        if max_length and settings.too_long == "fail":
            _require_lengths(written.lengths, max_length)
        num_lines, num_kept = num_lines + written.num_lines, num_kept + len(written.lengths)
        longest = max(longest, int(written.lengths.max(initial=0)))
        if max_length:
            written, num = limited(written, max_length, settings.too_long)
            num_longer += num
        coder.count(written.codes)
    length = (max_length or longest) + 1
    notes = [f"Lines read: {num_lines:,}; blank, left out: {num_lines - num_kept:,}."]
    notes += changes_note(num_changed, settings.normalize, "line")
    if max_length and settings.too_long != "fail":
        done = "cut" if settings.too_long == "cut" else "dropped"
        notes.append(f"Lines of more than {max_length} symbols (max_length), {done}: {num_longer:,}.")
    is_rare, symbols = _vocabulary(coder, settings, num_others=1)
    vocabulary = Vocabulary(("", *symbols), 0, padding_ends=True, allow_empty=False, **_text_fields(settings))
    table = _table(coder, settings, is_rare, symbols, first=1, dtype=token_dtype(vocabulary.size))
    num_rows = num_dropped = 0
    replaces = bool(unit.separator)
    with (folder / TRAIN_TOKENS).open("wb") as rows_file, (folder / _HASHES).open("wb") as hashes_file:

        def write(rows: np.ndarray) -> None:
            nonlocal num_rows
            num_rows += len(rows)
            rows_file.write(rows.data)
            hashes_file.write(row_hashes(rows, settings.seed).data)

        for text in texts("writing tokens"):
            written = coder.lines(coder.prepared(text))
            if max_length:
                written, _ = limited(written, max_length, settings.too_long)
            if is_rare.any() and not replaces:
                written, num = without_lines_of(written, is_rare)
                num_dropped += num
            rows_of(table[written.codes], written.lengths, length, write)
    if settings.min_count > 1:
        found = f"{unit.plural.capitalize()} seen fewer than {settings.min_count} times: {int(is_rare.sum()):,}"
        done = f"written as {unit.unknown}" if replaces else f"lines that hold one, dropped: {num_dropped:,}"
        notes.append(f"{found}; {done}.")
    if not num_rows:
        raise ValueError(f"files must hold a usable line, got none. {' '.join(notes)}")
    group = split_by_hashes(
        folder / _HASHES, num_rows, num_heldout=settings.num_heldout, deduplicate=settings.deduplicate
    )
    (folder / _HASHES).unlink()
    num_repeated = int((group == REPEATED).sum())
    if settings.deduplicate:
        notes.append(describe_repeats("line", num_repeated, deduplicate=True))
    else:
        notes.append("Repeated lines are kept, all copies of a line in the same split.")
    validation, test = _take_out(folder / TRAIN_TOKENS, group, length, table.dtype)
    train = TokenRows(folder / TRAIN_TOKENS, int((group == TRAIN).sum()), length, table.dtype)
    return {"vocabulary": vocabulary._asdict(), "notes": notes}, train, validation, test


def _write_windows(
    files: tuple[Path, ...], folder: Path, settings: TextSettings, progress: Progress | None
) -> tuple[dict[str, Any], TokenRows, np.ndarray, np.ndarray]:
    unit, window = settings.symbol_unit, settings.window
    coder = Coder(unit, settings.normalize, lowercase=settings.lowercase)

    def texts(doing: str) -> Any:
        return blocks(files, settings.encoding, whole_lines=False, doing=doing, progress=progress)

    num_symbols = num_changed = 0
    for text in texts("counting symbols"):
        num_changed += count_changes(text.split("\n"), settings.normalize)
        codes = coder.text(coder.prepared(text))
        coder.count(codes)
        num_symbols += len(codes)
    num_windows, num_left = divmod(num_symbols, window)
    num_train = num_windows - 2 * settings.num_heldout
    if num_train < 1:
        raise ValueError(
            f"num_heldout must be less than half of the windows of {window} {unit.plural}, which are {num_windows:,}; "
            f"got {settings.num_heldout:,}"
        )
    is_rare, symbols = _vocabulary(coder, settings, num_others=0)
    table = _table(coder, settings, is_rare, symbols, first=0, dtype=token_dtype(len(symbols)))
    with (folder / TRAIN_TOKENS).open("wb") as file:
        for text in texts("writing tokens"):
            file.write(table[coder.text(coder.prepared(text))].data)
    size = table.dtype.itemsize * window
    held = np.fromfile(folder / TRAIN_TOKENS, table.dtype, 2 * settings.num_heldout * window, offset=num_train * size)
    os.truncate(folder / TRAIN_TOKENS, num_train * size)
    validation, test = np.split(held.reshape(-1, window), 2)
    notes = [
        f"{unit.plural.capitalize()} read: {num_symbols:,}; windows of {window}: {num_windows:,}; "
        f"left over at the end, dropped: {num_left:,}.",
        *changes_note(num_changed, settings.normalize, "line"),
    ]
    if settings.min_count > 1:
        found = f"{unit.plural.capitalize()} seen fewer than {settings.min_count} times: {int(is_rare.sum()):,}"
        notes.append(f"{found}; written as {unit.unknown}.")
    notes.append(WINDOWS_NOTE)
    fields: dict[str, Any] = _text_fields(settings)
    vocabulary = Vocabulary(symbols, **fields)
    train = TokenRows(folder / TRAIN_TOKENS, num_train, window, table.dtype)
    return {"vocabulary": vocabulary._asdict(), "notes": notes}, train, validation, test


def _text_fields(settings: TextSettings) -> dict[str, str]:
    """Returns the fields of a vocabulary that describe the text."""
    unit = settings.symbol_unit
    return {"separator": unit.separator, "pattern": unit.pattern, "normalize": settings.normalize}


def _vocabulary(coder: Coder, settings: TextSettings, *, num_others: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns a mask of the rare symbols among those counted, and the symbols of the vocabulary, sorted."""
    is_rare = (coder.counts > 0) & (coder.counts < settings.min_count)
    symbols = set(coder.symbols(np.flatnonzero((coder.counts > 0) & ~is_rare)))
    if is_rare.any() and (settings.window or settings.symbol_unit.separator):
        symbols.add(settings.symbol_unit.unknown)
    size = len(symbols) + num_others
    if size > settings.max_symbols:
        raise ValueError(
            f"max_symbols must be at least the size of the vocabulary, {size:,}, got {settings.max_symbols:,} (a "
            "larger min_count makes the vocabulary smaller)"
        )
    return is_rare, tuple(sorted(symbols))


def _table(
    coder: Coder,
    settings: TextSettings,
    is_rare: np.ndarray,
    symbols: Sequence[str],
    *,
    first: int,
    dtype: np.dtype[Any],
) -> np.ndarray:
    """Returns the token of each numbered symbol; a rare symbol has the token of the unknown symbol."""
    token_of = {symbol: token for token, symbol in enumerate(symbols, first)}
    table = np.full(len(coder.counts), token_of.get(settings.symbol_unit.unknown, 0), dtype)
    known = np.flatnonzero((coder.counts > 0) & ~is_rare)
    table[known] = [token_of[symbol] for symbol in coder.symbols(known)]
    return table


def _take_out(path: Path, group: np.ndarray, length: int, dtype: np.dtype[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Removes the sequences that are not for training from a file; returns those for validation and for the test."""
    held: dict[int, list[np.ndarray]] = {VALIDATION: [], TEST: []}
    end = 0
    with path.open("r+b") as file:
        for start in range(0, len(group), _ROWS_AT_ONCE):
            part = group[start : start + _ROWS_AT_ONCE]
            file.seek(start * length * dtype.itemsize)
            rows = np.frombuffer(file.read(len(part) * length * dtype.itemsize), dtype).reshape(-1, length)
            for which, found in held.items():
                found.append(rows[part == which])
            file.seek(end)
            end += file.write(rows[part == TRAIN].data)
        file.truncate(end)
    return np.concatenate(held[VALIDATION]), np.concatenate(held[TEST])


def _require_lengths(lengths: np.ndarray, max_length: int) -> None:
    if (lengths > max_length).any():
        raise ValueError(
            f"max_length must be at least the length of every line, got {max_length}; one has {int(lengths.max())}"
        )
