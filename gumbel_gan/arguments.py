"""What is asked of the arguments of many functions."""


def require_at_least(least: int, **arguments: int) -> None:
    """Raises ValueError unless arguments, given by their names, are at least so large."""
    for name, value in arguments.items():
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
