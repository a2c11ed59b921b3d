r"""Units of the symbols of a text: characters, words, grapheme clusters, or matches of a regular expression."""

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

GRAPHEME = r"\X"
"""The pattern of a grapheme cluster, of the package `regex`; all other patterns are those of Python's `re`."""

_REGEX = "regex:"


class Unit(NamedTuple):
    """The unit of the symbols of a text.

    Attributes:
      plural: plural noun for symbols in notes.
      separator: the string between two symbols: ' ' for words, otherwise ''.
      pattern: a regular expression whose matches are symbols; '' for a unit without one.
      unknown: the symbol that replaces rare symbols.
    """

    plural: str
    separator: str
    pattern: str
    unknown: str

    def split(self, text: str) -> str | tuple[str, ...]:
        """Returns the symbols of a text."""
        return tuple(text.split()) if self.separator else split(text, self.pattern)


CHARACTERS = Unit("characters", "", "", "\ufffd")
_WORDS = Unit("words", " ", "", "<unk>")
_GRAPHEMES = Unit("grapheme clusters", "", GRAPHEME, "\ufffd")
_UNITS = {"characters": CHARACTERS, "words": _WORDS, "grapheme": _GRAPHEMES}


def find_unit(unit: str, argument: str = "unit") -> Unit:
    """Returns the unit with a given name.

    Args:
      unit: 'characters'; 'words', separated by whitespace; 'grapheme' for the characters that a reader sees as one,
        such as a letter and its accent, found by the package `regex`; or 'regex:' and a regular expression of Python's
        `re`, whose matches are symbols. Each character outside of all matches is a symbol, too.
      argument: the name of the argument in error messages.

    Raises:
      ImportError: `unit` is 'grapheme', and `regex` is not installed.
      ValueError: `unit` is not one of these names, or its regular expression is invalid.
    """
    if isinstance(unit, str) and unit.startswith(_REGEX) and unit != _REGEX:
        pattern = unit.removeprefix(_REGEX)
        try:
            _finder(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(
                f"{argument} must have a regular expression after 'regex:', got {pattern!r}: {error}"
            ) from error
        return Unit("symbols", "", pattern, CHARACTERS.unknown)
    if not isinstance(unit, str) or unit not in _UNITS:
        raise ValueError(f"{argument} must be one of {', '.join(_UNITS)}, regex:PATTERN; got {unit!r}")
    if unit == "grapheme":
        _finder(GRAPHEME)
    return _UNITS[unit]


def split(text: str, pattern: str) -> str | tuple[str, ...]:
    """Splits a text into symbols, whose concatenation is the text.

    Args:
      text: the text.
      pattern: a regular expression, or ''.

    Returns:
      The matches of the pattern and the characters outside of all matches, in order; the text itself if `pattern` is
      ''.

    Raises:
      ImportError: `pattern` is `GRAPHEME`, and the package `regex` is not installed.
    """
    return tuple(_symbols(text, _finder(pattern))) if pattern else text


def _symbols(text: str, matches: Callable[[str], Iterator[Any]]) -> Iterator[str]:
    end = 0
    for match in matches(text):
        yield from text[end : match.start()]
        if match.group():
            yield match.group()
        end = match.end()
    yield from text[end:]


@functools.lru_cache
def _finder(pattern: str) -> Callable[[str], Iterator[Any]]:
    """Returns the function that finds the matches of a pattern."""
    if pattern != GRAPHEME:
        return re.compile(pattern).finditer
    try:
        import regex
    except ImportError as error:
        raise ImportError(
            "unit must not be 'grapheme' where the package 'regex' is not installed (pip install 'gumbel_gan[text]')"
        ) from error
    return regex.compile(pattern).finditer
