"""A name among those that are known, and what to say of one that is not."""

import difflib
from collections.abc import Iterable
from typing import Any

_SHOWN_CHARACTERS = 80


def choose(name: Any, known: Iterable[str], path: str, *, what: str = "value") -> str:
    """Checks a name against those that are known.

    Args:
      name: what was given.
      known: what may be.
      path: name of the setting, for the error.
      what: 'value', or 'setting' where `name` is itself that of a setting of `path`.

    Returns:
      The name.

    Raises:
      ValueError: it is not known; the error lists what is, and guesses what was meant.
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


def shown(value: Any) -> str:
    """Returns the `repr` of a value, shortened to fit a line."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
