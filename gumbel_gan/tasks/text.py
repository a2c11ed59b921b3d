"""Sequences from text files: one sequence per line, or consecutive windows of one long text."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np

from gumbel_gan.arguments import require_at_least, require_one_of
from gumbel_gan.data import Batch
from gumbel_gan.tasks.files import (
    UTF_8,
    Files,
    file_names,
    file_paths,
    files_digest,
    nonblank_lines,
    numbered_lines,
    read_texts,
    require_digest,
    require_encoding,
)
from gumbel_gan.tasks.interface import Task
from gumbel_gan.tasks.lines import TOO_LONG, Source, find_symbols, lines_task, rare_symbols, usual_length
from gumbel_gan.tasks.normalization import FORMS, describe_changes, normalized
from gumbel_gan.tasks.splits import WINDOWS_NOTE, describe_sizes, usual_heldout
from gumbel_gan.tasks.streamed_text import STREAM_BYTES, tokenize
from gumbel_gan.tasks.text_blocks import Progress, total_bytes
from gumbel_gan.tasks.tokenized_text import TextSettings, is_tokenized, tokenized_task
from gumbel_gan.tasks.units import Unit, find_unit
from gumbel_gan.tasks.vocabulary import Vocabulary

STREAMS = ("auto", "always", "never")


def text_task(
    files: Files,
    *,
    unit: str = "characters",
    max_length: int | None = 0,
    lowercase: bool = False,
    min_count: int = 1,
    too_long: str = "drop",
    window: int = 0,
    in_order: bool = False,
    deduplicate: bool = True,
    num_heldout: int | None = 1_000,
    max_symbols: int = 5_000,
    digest: str = "",
    encoding: str = UTF_8,
    normalize: str = "NFC",
    stream: str = "never",
    tokens: str = "",
    seed: int = 0,
    progress: Progress | None = None,
) -> Task:
    """Builds a task of the text in files.

    Without a window, each line is a sequence: surrounding whitespace is stripped, blank lines are left out, and an end
    symbol follows each line, so T is `max_length` + 1. Two lines are repeats if they are equal after they are
    lower-cased and cut and their rare words are replaced. Repeats are handled before the split, which is by distinct
    line, so no training line is in the test set.

    With a window, the files are one long text, line ends included, which is cut into consecutive windows of T =
    `window` symbols that do not overlap; there is no padding. The windows are split in the order of the text: the last
    `num_heldout` are the test set, the `num_heldout` before them the validation set, and all others the training set.
    If the unit is words, whitespace and line ends are not part of the text.

    Args:
      files: a path or a sequence of paths of text with any line ends. A line end is added between two files if there is
        none. For strings in memory, use `strings_task`.
      unit: the unit of a symbol: 'characters'; 'words', separated by whitespace; 'grapheme' for the grapheme clusters
        of Unicode, such as a letter and its accents, found by the package `regex`; or 'regex:' and a regular expression
        of Python's `re`. The matches of the expression are symbols, and so is each character outside of them: with
        'regex:Cl|Br', Cl and Br are one symbol each.
      max_length: the largest length of a line in symbols. 0 takes the length of the longest line. None does the same,
        unless the longest line is more than twice as long as all but the longest thousandth of the lines (at least one
        line); the largest length of these other lines is then taken. With fewer than 20 lines, None is the same as 0.
        With a window, `max_length` must be 0 or None.
      lowercase: whether to lower-case the text, before anything is counted.
      min_count: a symbol seen less often in all lines that are not too long, or in the text of all windows, is rare. A
        rare word becomes '<unk>'. Another rare symbol becomes U+FFFD, the replacement character, in a window; without a
        window, lines with such a symbol are dropped.
      too_long: treatment of lines of more than `max_length` symbols: 'drop', 'cut', or 'fail', which raises. Unused
        with a window.
      window: number of symbols of a window, or 0 to take lines.
      in_order: whether the windows of each split stay in the order of the text, each continuing the one before, as
        `truncated_likelihood` needs them; if not, they are shuffled. For windows in memory only.
      deduplicate: whether repeated lines are left out; if not, all copies of a line are in the same split. Unused with
        a window.
      num_heldout: number of distinct lines, or of windows, for validation, and the same number for the test; None takes
        a tenth for each, from 1 to 1,000. If lines stream, this is a tenth of all nonblank lines, repeated or not.
      max_symbols: the largest size of the vocabulary, end symbol included.
      digest: expected result of `files_digest(files)`; '' accepts any files.
      encoding: name of the Python text encoding of the files, such as 'latin-1' or 'utf-16'.
      normalize: the Unicode normal form to which the text is first converted, 'NFC', 'NFD', 'NFKC' or 'NFKD', so that
        lines that look alike are equal; 'none' leaves the text as it is.
      stream: whether training sequences stay in files and are streamed, which is needed if they do not fit in memory:
        'always', 'never', or 'auto', which streams files of more than 64 MB in total. Held-out sequences are in memory.
        The split of lines is then by their hashes, so it differs from the split in memory. Lines with a rare character
        are dropped, but their other symbols stay in the vocabulary. The symbols of windows are counted in the whole
        text, including the rest at its end.
      tokens: folder for the tokenized text of a stream. If the folder already holds a tokenized text, that text is used
        instead of the files, which may be missing; the text must come from the same files with the same settings.
        Otherwise the folder must be empty or not exist. It is written as `tokens` + '.partial' until it is complete.
      seed: seed of the split; with a window, of the order within each split, unless `in_order` is true.
      progress: called during the tokenizing of a stream with the current activity, the bytes read and the total bytes.

    Returns:
      A `Task` without an oracle. Its `notes` state how many lines or windows were read, changed and left out. Its
      `chosen` holds the chosen value for each of `max_length` and `num_heldout` that was None.

    Raises:
      ImportError: `unit` is 'grapheme', and `regex` is not installed.
      TypeError: `files` is not a path or a sequence of paths, or a number is not an integer.
      ValueError: an argument is out of range; a file cannot be read, is not in `encoding` or holds only whitespace; the
        files do not match `digest`; `tokens` holds a text of other files, settings or version, or files of another
        kind; the vocabulary is larger than `max_symbols`; or too few lines or windows are left for the split.
    """
    symbol_unit = find_unit(unit)
    require_one_of(TOO_LONG, too_long=too_long)
    require_one_of(FORMS, normalize=normalize)
    require_at_least(0, max_length=max_length or 0, window=window, seed=seed)
    require_at_least(1, min_count=min_count, num_heldout=1 if num_heldout is None else num_heldout)
    require_at_least(2, max_symbols=max_symbols)
    if window and max_length:
        raise ValueError(f"max_length must be 0 with a window, got {max_length} with window {window}")
    if in_order and not window:
        raise ValueError("in_order must be False without a window, got True")

    require_one_of(STREAMS, stream=stream)
    if resolve_stream(files, stream) == "always":
        if in_order:
            raise ValueError("in_order must be False for a text that streams, got True; set stream to 'never'")
        if not tokens:
            raise ValueError(f"tokens must name a folder for a text that streams, got {tokens!r}")
        settings = TextSettings(
            unit, max_length or 0, lowercase, min_count, too_long, window, deduplicate, num_heldout or 1,
            max_symbols, encoding, normalize, seed,
        )  # fmt: skip
        limits = {"max_length": max_length, "num_heldout": num_heldout}
        choose = [limit for limit, value in limits.items() if value is None]
        return _streamed(files, digest, Path(tokens), settings, progress, choose)

    name = f"text {file_names(files)}"
    texts = read_texts(files, digest, encoding)
    changes = describe_changes((line for text in texts for line in text.split("\n")), normalize, "line")
    if texts[0].lstrip().startswith(">"):
        num_headers = sum(line.startswith(">") for text in texts for line in text.split("\n"))
        changes += (f"Lines that begin with '>', like headers of a FASTA file, read as all others: {num_headers:,}.",)
    texts = [normalized(text, normalize, lowercase=lowercase) for text in texts]
    if window:
        vocabulary = Vocabulary((), separator=symbol_unit.separator, pattern=symbol_unit.pattern, normalize=normalize)
        task = _windows_task(
            name, files, texts, symbol_unit, vocabulary, min_count, window, num_heldout, max_symbols,
            None if in_order else seed, changes,
        )  # fmt: skip
        found = {"max_length": (max_length, 0), "num_heldout": (num_heldout, len(task.validation.tokens))}
        return task._replace(chosen={name: value for name, (given, value) in found.items() if given is None})

    lines, note = nonblank_lines(texts)

    def places() -> Iterator[tuple[str, str]]:
        return ((place, line.strip()) for place, line in numbered_lines(files, texts))

    return lines_task(
        name,
        lines,
        Source("files", "line", places),
        unit=symbol_unit,
        max_length=max_length,
        choose_length=usual_length,
        too_long=too_long,
        min_count=min_count,
        deduplicate=deduplicate,
        num_heldout=num_heldout,
        max_symbols=max_symbols,
        seed=seed,
        normalize=normalize,
        notes=(note, *changes),
    )


def text_line(line: str, *, window: int = 0, lowercase: bool = False, normalize: str = "NFC") -> str:
    """Returns a line as `text_task` reads it; raises ValueError if `normalize` is not one of `FORMS`."""
    require_one_of(FORMS, normalize=normalize)
    line = normalized(line, normalize, lowercase=lowercase)
    return line if window else line.strip()


def resolve_stream(files: Files, stream: str) -> str:
    """Returns the argument `stream` of `text_task`, with 'auto' replaced by 'always' or 'never'.

    Raises:
      TypeError: `stream` is 'auto', and `files` is not a path or a sequence of paths.
      ValueError: `stream` is 'auto', and there are no files or a file cannot be read.
    """
    if stream != "auto":
        return stream
    return "always" if total_bytes(file_paths(files)) > STREAM_BYTES else "never"


def _streamed(
    files: Files,
    digest: str,
    tokens: Path,
    settings: TextSettings,
    progress: Progress | None,
    choose: Collection[str],
) -> Task:
    paths = file_paths(files)
    if not is_tokenized(tokens):
        require_encoding(settings.encoding)
        if digest:
            require_digest(files, digest)
        digest = digest or files_digest(files)
        tokenize(f"text {file_names(files)}", paths, tokens, settings, progress, digest=digest, choose=choose)
    elif not digest and all(path.exists() for path in paths):
        digest = files_digest(files)
    return tokenized_task(tokens, settings, digest=digest, choose=choose)


def _windows_task(
    name: str,
    files: Files,
    texts: Sequence[str],
    unit: Unit,
    vocabulary: Vocabulary,
    min_count: int,
    window: int,
    num_heldout: int | None,
    max_symbols: int,
    seed: int | None,
    changes: Sequence[str],
) -> Task:
    """Builds the task of windows, shuffled within each split, or in the order of the text if `seed` is None."""
    text = "".join(text if text.endswith("\n") else f"{text}\n" for text in texts[:-1]) + texts[-1]
    written = list(unit.split(text))
    num_windows, num_left = divmod(len(written), window)
    if num_heldout is None:
        num_heldout = usual_heldout(num_windows)
    if num_windows <= 2 * num_heldout:
        raise ValueError(
            f"num_heldout must be less than half of the windows of {window} {unit.plural}, which are {num_windows:,}; "
            f"got {num_heldout:,}"
        )
    notes = [
        f"{unit.plural.capitalize()} read: {len(written):,}; windows of {window}: {num_windows:,}; "
        f"left over at the end, dropped: {num_left:,}.",
        *changes,
    ]
    written = written[: num_windows * window]
    if min_count > 1:
        rare, found = rare_symbols(written, unit, min_count)
        written = [unit.unknown if symbol in rare else symbol for symbol in written]
        notes.append(f"{found}; written as {unit.unknown}.")
    symbols = find_symbols(written, max_symbols, unit, lambda: numbered_lines(files, texts), num_others=0)
    vocabulary = vocabulary._replace(symbols=symbols)
    tokens = vocabulary.encode([written], len(written)).reshape(num_windows, window)
    # Split in the order of the text, so that no held-out window lies between training windows.
    splits = np.split(tokens, [num_windows - 2 * num_heldout, num_windows - num_heldout])
    if seed is not None:
        rng = np.random.default_rng(seed)
        splits = [rng.permutation(split) for split in splits]
    train, validation, test = map(Batch, splits)
    notes += [
        describe_sizes(vocabulary.size, len(train.tokens), len(validation.tokens), len(test.tokens)),
        WINDOWS_NOTE,
    ]
    return Task(name, vocabulary, train, validation, test, notes=tuple(notes), in_order=seed is None)
