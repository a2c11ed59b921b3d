"""What tasks from files share: reading, limits on the length, and a split that keeps copies together."""

import codecs
import hashlib
import os
from collections.abc import Hashable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from gumbel_gan.tasks import vocabulary
from gumbel_gan.tasks.interface import Task

Files = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
# Characters, or words.
Line = str | tuple[str, ...]
_Sequence = TypeVar("_Sequence", bound=Hashable)

_DONE = {"drop": "dropped", "cut": "cut"}
# Sequences are held in memory, as 32-bit tokens.
_MOST_SYMBOLS = 10**9


def files_digest(files: Files) -> str:
    """Gives the digest by which a task recognises its files.

    Args:
      files: one path, or several.

    Returns:
      The SHA-256 of the bytes of all files, one after the other, in hexadecimal.

    Raises:
      ValueError: there are no files, or one can't be read.
    """
    return _digest([_read(path) for path in _paths(files)])


def read_texts(files: Files, digest: str = "") -> list[str]:
    r"""Reads text files in UTF-8, with or without a byte order mark; every line end becomes '\n'.

    Args:
      files: one path, or several.
      digest: what `files_digest` must give; '' takes any files.

    Returns:
      A text a file.

    Raises:
      ValueError: there are no files; one can't be read, is no UTF-8 or holds nothing but blanks; or their digest is
        another.
    """
    paths = _paths(files)
    contents = [_read(path) for path in paths]
    if digest and digest != _digest(contents):
        raise ValueError(
            f"files must be those of digest {digest}, got {_digest(contents)} for {', '.join(map(str, paths))}"
        )
    return [_text(path, content) for path, content in zip(paths, contents, strict=True)]


def file_names(files: Files) -> str:
    """Gives the names of files without their folders, to call a task by."""
    return ", ".join(path.name for path in _paths(files))


def nonblank_lines(texts: Sequence[str]) -> tuple[list[str], str]:
    r"""Cuts texts into lines.

    Args:
      texts: texts that '\n' ends the lines of.

    Returns:
      The lines that are not blank, without the blanks around them; and a sentence that counts.
    """
    lines = [line.strip() for text in texts for line in text.removesuffix("\n").split("\n")]
    kept = [line for line in lines if line]
    return kept, f"Lines read: {len(lines):,}; blank, left out: {len(lines) - len(kept):,}."


def numbered(files: Files, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Gives the lines of texts, each behind its place, such as "'names.txt', line 3", for errors."""
    for path, text in zip(_paths(files), texts, strict=True):
        for number, line in enumerate(text.split("\n"), 1):
            yield f"{str(path)!r}, line {number},", line


def limit_lengths(lines: Sequence[Line], max_length: int, too_long: str) -> tuple[list[Line], str]:
    """Settles the lines that are too long.

    Args:
      lines: the lines.
      max_length: the largest length in symbols.
      too_long: 'drop' leaves them out, 'cut' keeps their first `max_length` symbols.

    Returns:
      Lines of at most `max_length` symbols; and a sentence that counts.
    """
    longer = [line for line in lines if len(line) > max_length]
    note = f"Lines of more than {max_length} symbols, {_DONE[too_long]}: {len(longer):,}."
    if too_long == "cut":
        return [line[:max_length] for line in lines], note
    return [line for line in lines if len(line) <= max_length], note


def lines_task(
    name: str,
    lines: Sequence[Line],
    symbols: Sequence[str],
    max_length: int,
    *,
    separator: str,
    deduplicate: bool,
    num_heldout: int,
    seed: int,
    notes: Sequence[str],
) -> Task:
    """Makes a task of lines, each with an end symbol after it.

    Args:
      name: of the task.
      lines: at most `max_length` symbols each.
      symbols: of the lines.
      max_length: of the lines; T is one more.
      separator: what stands between two symbols of a decoded line.
      deduplicate: whether repeated lines are left out.
      num_heldout: number of distinct validation lines, and of distinct test lines.
      seed: of the split.
      notes: what happened to the lines so far.

    Returns:
      A `Task` without an oracle. Its symbol 0, which ends and pads, is '': no symbol of a line can be that.

    Raises:
      ValueError: there are no lines, or too few for the split.
    """
    if not lines:
        raise ValueError(f"files must hold a usable line, got none. {' '.join(notes)}")
    if len(lines) * (max_length + 1) > _MOST_SYMBOLS:
        raise ValueError(
            f"max_length must be such that {len(lines):,} lines of it have at most {_MOST_SYMBOLS:,} symbols, "
            f"got {max_length:,}"
        )
    splits = split_distinct(lines, deduplicate=deduplicate, num_heldout=num_heldout, seed=seed)
    symbols = ("", *symbols)
    train, validation, test = (vocabulary.encode(split, symbols, max_length + 1) for split in splits)
    num_repeated = len(lines) - len(set(lines))
    done = "left out" if deduplicate else "kept, all copies of a line in the same split"
    return Task(
        name=name,
        symbols=symbols,
        padding=0,
        train=train,
        validation=validation,
        test=test,
        decode=partial(vocabulary.decode, symbols=symbols, padding=0, ends=True, separator=separator),
        oracle=None,
        ends=True,
        notes=(*notes, f"Repeated lines, {done}: {num_repeated:,}.", sizes(symbols, train, validation, test)),
    )


def split_distinct(
    sequences: Sequence[_Sequence], *, deduplicate: bool, num_heldout: int, seed: int
) -> tuple[list[_Sequence], list[_Sequence], list[_Sequence]]:
    """Splits sequences at random such that all copies of a sequence are in the same split.

    Args:
      sequences: the sequences.
      deduplicate: whether only the first copy of a sequence is kept.
      num_heldout: number of distinct sequences to hold out for validation, and for the test.
      seed: of the split and of the order in it.

    Returns:
      The sequences for training, for validation and for the test.

    Raises:
      ValueError: no sequence would be left for training.
    """
    number_of = {sequence: number for number, sequence in enumerate(dict.fromkeys(sequences))}
    if 2 * num_heldout >= len(number_of):
        raise ValueError(
            f"num_heldout must be less than half of the distinct sequences, which are {len(number_of):,}; "
            f"got {num_heldout:,}"
        )
    rng = np.random.default_rng(seed)
    rank_of_number = rng.permutation(len(number_of))
    kept = list(number_of) if deduplicate else sequences
    validation: list[_Sequence] = []
    test: list[_Sequence] = []
    train: list[_Sequence] = []
    for row in rng.permutation(len(kept)):
        rank = rank_of_number[number_of[kept[row]]]
        split = validation if rank < num_heldout else test if rank < 2 * num_heldout else train
        split.append(kept[row])
    return train, validation, test


def sizes(symbols: Sequence[str], train: np.ndarray, validation: np.ndarray, test: np.ndarray) -> str:
    """Says how large a vocabulary and its splits are."""
    return (
        f"Symbols of the vocabulary: {len(symbols):,}. Sequences for training: {len(train):,}; "
        f"for validation: {len(validation):,}; for the test: {len(test):,}."
    )


def _paths(files: Files) -> list[Path]:
    paths = [Path(files)] if isinstance(files, str | os.PathLike) else [Path(file) for file in files]
    if not paths:
        raise ValueError("files must name at least one file, got none")
    return paths


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"files must be files that can be read, got {str(path)!r} ({error.strerror})") from error


def _digest(contents: Sequence[bytes]) -> str:
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return digest.hexdigest()


def _text(path: Path, content: bytes) -> str:
    content = content.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line_number = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"files must be in UTF-8, got byte 0x{content[error.start]:02x} in {str(path)!r}, line {line_number}"
        ) from error
    if not text.strip():
        raise ValueError(f"files must hold text, got nothing but blanks in {str(path)!r}")
    return text
