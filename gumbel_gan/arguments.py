"""What is asked of the arguments of many functions."""

from collections.abc import Iterable


def require_at_least(least: int, **arguments: int) -> None:
    """Raises ValueError unless arguments, given by their names, are at least so large."""
    for name, value in arguments.items():
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")


def require_one_of(known: Iterable[str], **arguments: str) -> None:
    """Raises ValueError unless arguments, given by their names, are each one of those known."""
    known = tuple(known)
    for name, value in arguments.items():
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}")
