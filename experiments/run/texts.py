"""Writes texts, JSON and strings to files so that a killed process leaves a complete file or no file."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Row = dict[str, Any]

PARTIAL = ".partial"
"""What the name of a file that is being written ends in."""

_UNESCAPED = {r"\n": "\n", r"\r": "\r", r"\\": "\\"}
_ESCAPED = str.maketrans({character: escape for escape, character in _UNESCAPED.items()})


def as_json(value: Any) -> Any:
    """Converts arrays to lists and non-finite numbers to None, at all levels."""
    if isinstance(value, Mapping):
        return {name: as_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(each) for each in value]
    if isinstance(value, np.ndarray | np.generic):
        return as_json(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_json(path: Path, value: Any) -> None:
    """Writes JSON atomically."""
    write_text(path, json.dumps(as_json(value), indent=2) + "\n")


def write_samples(path: Path, strings: Iterable[str]) -> None:
    """Writes strings atomically, one per line."""
    write_lines(path, map(one_line, strings))


def write_lines(path: Path, lines: Iterable[str]) -> int:
    """Writes lines as they come, replaces the file atomically at the end, and returns the number of lines."""
    partial, num = path.with_name(path.name + PARTIAL), 0
    with partial.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(line + "\n")
            num += 1
    partial.replace(path)
    return num


def read_samples(path: Path) -> list[str]:
    """Reads the strings that `write_samples` wrote; a string may be empty."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [unescaped(line) for line in lines]


def one_line(string: str) -> str:
    r"""Returns a string as one line, in which '\n', '\r' and '\\' stand for line ends and backslashes."""
    return string.translate(_ESCAPED)


def unescaped(line: str) -> str:
    """Returns the string that `one_line` turned into a line."""
    return re.sub(r"\\.", lambda escape: _UNESCAPED.get(escape[0], escape[0]), line)


def write_text(path: Path, text: str) -> None:
    """Writes a text atomically."""
    partial = path.with_name(path.name + PARTIAL)
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
