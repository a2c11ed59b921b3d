"""A name among those that are known, and what to say of one that is not."""

import difflib
from collections.abc import Iterable


def choose(name: str, known: Iterable[str], path: str, *, what: str = "value") -> str:
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
    if name in known:
        return name
    close = difflib.get_close_matches(str(name), known, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    listed = ", ".join(repr(each) for each in known)
    if what == "setting":
        raise ValueError(f"{path} has no setting {name!r}{hint}; its settings are {listed}")
    raise ValueError(f"{path} must be one of {listed}; got {name!r}{hint}")
