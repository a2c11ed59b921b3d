"""Checks of names against the known names, with suggestions in the errors."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from gumbel_gan.arguments import require_one_of

_SHOWN_CHARACTERS = 80


def choose(name: Any, known: Iterable[str], path: str, *, what: str = "value") -> str:
    """Checks that a name is one of the known names.

    Args:
      name: the given name.
      known: the known names.
      path: name of the setting, for the error.
      what: 'value', or 'setting' if `name` is the name of a setting in the section `path`.

    Returns:
      The name.

    Raises:
      ValueError: `name` is not in `known`. The error lists the known names and suggests a similar one.
    """
    known = sorted(known)
    if isinstance(name, str) and name in known:
        return name
    close = difflib.get_close_matches(str(name)[:_SHOWN_CHARACTERS], known, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    listed = ", ".join(repr(each) for each in known)
    if what == "setting":
        raise ValueError(f"{path} has no setting {shown(name)}{hint}; its settings are {listed}")
    raise ValueError(f"{path} must be one of {listed}; got {shown(name)}{hint}")


def choose_several(text: str, known: Iterable[str], path: str) -> list[str]:
    """Returns the names in a text, separated by commas, each once; each is checked as by `choose`.

    Args:
      text: the names.
      known: the known names.
      path: name of the setting, for the error.

    Raises:
      ValueError: a name is not in `known`.
    """
    known = list(known)
    return list(dict.fromkeys(choose(name, known, path) for name in text.split(",")))


def options(text: str, **known: Sequence[str]) -> list[str]:
    """Splits the options after a config file's name, such as 'gan,names', and checks each.

    Args:
      text: the options, separated by commas. All but the first may be missing.
      known: the known names of each option, in order. The first of them stands for a missing option.

    Returns:
      The options, one for each of `known`.

    Raises:
      ValueError: an option is not one of its known names.
    """
    given = text.split(",", len(known) - 1)
    missing = [""] * (len(known) - len(given))
    found: list[str] = []
    for (option, names), value in zip(known.items(), given + missing, strict=True):
        chosen = value if value or not found else names[0]
        require_one_of(names, **{option: chosen})
        found.append(chosen)
    return found


def shown(value: Any) -> str:
    """Returns the `repr` of a value, shortened to fit a line."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
