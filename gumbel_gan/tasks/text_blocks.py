"""Reads text files block by block, so that memory does not depend on their size."""

import codecs
import io
from collections.abc import Callable, Iterator
from pathlib import Path

# Called with the current activity, the number of bytes read so far, and the total number of bytes.
Progress = Callable[[str, int, int], None]

_BYTES_AT_ONCE = 2**22


def total_bytes(files: tuple[Path, ...]) -> int:
    """Returns the total size of files in bytes; raises ValueError if a file cannot be read."""
    try:
        for path in files:
            path.open("rb").close()
        return sum(path.stat().st_size for path in files)
    except OSError as error:
        raise ValueError(
            f"files must be paths of files that can be read, got {error.filename!r} ({error.strerror})"
        ) from error


def blocks(
    files: tuple[Path, ...], encoding: str, *, whole_lines: bool, doing: str, progress: Progress | None = None
) -> Iterator[str]:
    r"""Yields the text of files, one after the other, in blocks of a few megabytes that end at line ends.

    Every line end becomes '\n', and a line end is added between two files if there is none.

    Args:
      files: the files.
      encoding: name of the Python text encoding of the files.
      whole_lines: whether a line of any length must stay whole; if not, a long line is cut, at a blank if it has one.
      doing: the current activity, for `progress`.
      progress: called after each read of a few megabytes.

    Raises:
      ValueError: a file cannot be read, is not in `encoding` or holds only whitespace.
    """
    total, done = total_bytes(files), 0
    for number, path in enumerate(files):
        decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
        rest, num_lines, is_start, is_blank = "", 1, True, True
        # The last character that was yielded.
        last = ""
        with path.open("rb") as file:
            while chunk := file.read(_BYTES_AT_ONCE):
                try:
                    text = decoder.decode(chunk)
                except UnicodeError as error:
                    raise ValueError(
                        f"files must be in {encoding}, got {str(path)!r}, after line {num_lines:,}: {error}; set "
                        "encoding to that of the files, such as 'latin-1'"
                    ) from error
                text = rest + (text.removeprefix("\ufeff") if is_start else text)
                is_blank = is_blank and not text.strip()
                end = _end(text, whole_lines)
                if end:
                    num_lines += text.count("\n", 0, end)
                    last = text[end - 1]
                    yield text[:end]
                rest, is_start = text[end:], False
                done += len(chunk)
                if progress is not None:
                    progress(doing, done, total)
        try:
            rest += decoder.decode(b"", final=True)
        except UnicodeError as error:
            raise ValueError(f"files must be in {encoding}, got {str(path)!r}, whose end is cut: {error}") from error
        if is_blank and not rest.strip():
            raise ValueError(f"files must hold text, got only whitespace in {str(path)!r}")
        if number < len(files) - 1 and (rest or last)[-1] != "\n":
            rest += "\n"
        if rest:
            yield rest


def _end(text: str, whole_lines: bool) -> int:
    end = text.rfind("\n") + 1
    if end or whole_lines:
        return end
    return text.rfind(" ") + 1 or len(text)
