r"""What a symbol of a text is: a character, a word, a grapheme cluster, or a match of a regular expression."""

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

GRAPHEME = r"\X"
"""The pattern of a grapheme cluster, of the package `regex`; all other patterns are those of Python's `re`."""

_REGEX = "regex:"


class Unit(NamedTuple):
    """What a symbol of a text is.

    Attributes:
      plural: what symbols are called in notes.
      separator: what stands between two symbols: '' or, between words, ' '.
      pattern: a regular expression whose matches are symbols; '' where it takes none.
      unknown: the symbol that stands for rare ones.
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


def find_unit(unit: str) -> Unit:
    """Returns the unit of a name.

    Args:
      unit: 'characters'; 'words', which stand between whitespace; 'grapheme', the characters that a reader sees as one,
        such as a letter and its accent, by the package `regex`; or 'regex:' and a regular expression of Python's `re`,
        whose matches are symbols. A character outside of all matches is a symbol of its own.

    Raises:
      ImportError: the unit is 'grapheme', and `regex` is not installed.
      ValueError: it is none of these, or the regular expression is none.
    """
    if isinstance(unit, str) and unit.startswith(_REGEX) and unit != _REGEX:
        pattern = unit.removeprefix(_REGEX)
        try:
            _finder(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"unit must have a regular expression after 'regex:', got {pattern!r}: {error}") from error
        return Unit("symbols", "", pattern, CHARACTERS.unknown)
    if not isinstance(unit, str) or unit not in _UNITS:
        raise ValueError(f"unit must be one of {', '.join(_UNITS)}, regex:PATTERN; got {unit!r}")
    if unit == "grapheme":
        _finder(GRAPHEME)
    return _UNITS[unit]


def split(text: str, pattern: str) -> str | tuple[str, ...]:
    """Splits a text into symbols, which joined are the text.

    Args:
      text: the text.
      pattern: a regular expression, or ''.

    Returns:
      The matches of the pattern and, in their places, the characters outside of all matches; for '' the text itself.

    Raises:
      ImportError: the pattern is `GRAPHEME`, and the package `regex` is not installed.
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
