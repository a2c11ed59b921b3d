"""Files: their contents, their digest, and their lines with places for error messages."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

UTF_8 = "utf-8"
_BYTES_AT_ONCE = 2**20
Files = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def files_digest(files: Files) -> str:
    """Computes the digest by which a task recognizes its files.

    Args:
      files: a path or a sequence of paths.

    Returns:
      The SHA-256 of the concatenated bytes of all files, in hexadecimal.

    Raises:
      TypeError: `files` is not a path or a sequence of paths.
      ValueError: there are no files, or a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in file_paths(files):
        try:
            with path.open("rb") as file:
                while content := file.read(_BYTES_AT_ONCE):
                    digest.update(content)
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error
    return digest.hexdigest()


def require_digest(files: Files, digest: str) -> None:
    """Raises ValueError if `files_digest(files)` is not `digest`."""
    found = files_digest(files)
    if digest != found:
        raise _other_digest(file_paths(files), digest, found)


def read_texts(files: Files, digest: str = "", encoding: str = UTF_8) -> list[str]:
    r"""Reads text files, with or without a byte order mark; every line end becomes '\n'.

    Args:
      files: a path or a sequence of paths.
      digest: expected result of `files_digest(files)`; '' accepts any files.
      encoding: name of a Python text encoding.

    Returns:
      The text of each file.

    Raises:
      TypeError: `files` is not a path or a sequence of paths.
      ValueError: there are no files; a file cannot be read, is not in `encoding` or holds only whitespace; the files do
        not match `digest`; or `encoding` is not a text encoding of Python.
    """
    require_encoding(encoding)
    contents = read_contents(files, digest)
    return [_text(path, content, encoding) for path, content in zip(file_paths(files), contents, strict=True)]


def read_contents(files: Files, digest: str = "") -> list[bytes]:
    """Reads files.

    Args:
      files: a path or a sequence of paths.
      digest: expected result of `files_digest(files)`; '' accepts any files.

    Returns:
      The bytes of each file.

    Raises:
      TypeError: `files` is not a path or a sequence of paths.
      ValueError: there are no files, a file cannot be read, or the files do not match `digest`.
    """
    paths = file_paths(files)
    contents = [_read(path) for path in paths]
    if digest and digest != _digest(contents):
        raise _other_digest(paths, digest, _digest(contents))
    return contents


def file_names(files: Files) -> str:
    """Returns the names of files without their folders, for the name of a task."""
    return ", ".join(path.name for path in file_paths(files))


def nonblank_lines(texts: Sequence[str]) -> tuple[list[str], str]:
    r"""Splits texts into lines, and drops blank lines.

    Args:
      texts: texts whose lines end in '\n'.

    Returns:
      The lines that are not blank, stripped of surrounding whitespace; and a sentence with the numbers of lines.
    """
    lines = [line.strip() for text in texts for line in text.removesuffix("\n").split("\n")]
    kept = [line for line in lines if line]
    return kept, f"Lines read: {len(lines):,}; blank, left out: {len(lines) - len(kept):,}."


def numbered_lines(files: Files, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields the place of each line of texts, such as "'names.txt', line 3", for error messages, and the line."""
    for path, text in zip(file_paths(files), texts, strict=True):
        for number, line in enumerate(text.split("\n"), 1):
            yield f"{str(path)!r}, line {number}", line


def file_paths(files: Files) -> tuple[Path, ...]:
    """Returns the paths of files; raises TypeError if they are not paths, and ValueError if there are none."""
    problem = f"files must be a path, or a sequence of paths, got {files!r}"
    if not isinstance(files, str | os.PathLike | Sequence):
        raise TypeError(problem)
    try:
        paths = (Path(files),) if isinstance(files, str | os.PathLike) else tuple(Path(file) for file in files)
    except TypeError as error:
        raise TypeError(problem) from error
    if not paths:
        raise ValueError("files must name at least one file, got none")
    return paths


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ValueError:
    reason = error.strerror if isinstance(error, OSError) else error
    return ValueError(
        f"files must be paths of files that can be read, got {str(path)!r} ({reason}); "
        "sequences in memory are for strings_task"
    )


def _other_digest(paths: Sequence[Path], digest: str, found: str) -> ValueError:
    return ValueError(f"files must be those of digest {digest}, got {found} for {', '.join(map(str, paths))}")


def _digest(contents: Sequence[bytes]) -> str:
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return digest.hexdigest()


def require_encoding(encoding: str) -> None:
    """Raises ValueError unless `encoding` is the name of a Python text encoding."""
    try:
        # Python does not look up the encoding for empty bytes.
        b"a".decode(encoding)
    except UnicodeError:
        # The encoding exists, but this single byte is not valid in it.
        return
    except (LookupError, TypeError, ValueError) as error:
        raise ValueError(
            f"encoding must be one of text that Python knows, such as 'utf-8', 'latin-1' or 'utf-16'; got {encoding!r}"
        ) from error


def _text(path: Path, content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeError as error:
        found = f"{str(path)!r} ({error})"
        if isinstance(error, UnicodeDecodeError):
            line_number = _line_ends(content[: error.start].decode(encoding, errors="ignore")).count("\n") + 1
            found = f"byte 0x{content[error.start]:02x} in {str(path)!r}, line {line_number}"
        raise ValueError(
            f"files must be in {encoding}, got {found}; set encoding to that of the files, such as 'latin-1'"
        ) from error
    text = _line_ends(text.removeprefix("\ufeff"))
    if not text.strip():
        raise ValueError(f"files must hold text, got only whitespace in {str(path)!r}")
    return text


def _line_ends(text: str) -> str:
    r"""Returns a text whose lines all end in '\n'."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
