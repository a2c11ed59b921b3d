"""Finds config files from any folder."""

from pathlib import Path

_CONFIGS = Path(__file__).resolve().parent.parent / "configs"
# Folders that are searched after the working directory: for paths as in the documentation, and for file names alone.
_FOLDERS = (_CONFIGS.parent.parent, _CONFIGS)

DEFAULT = str(_CONFIGS / "arithmetic.py")
"""The config file where none is named."""


def located(path: str) -> str:
    """Returns the path of a config file that can be opened from the working directory, with options after a colon.

    Args:
      path: a path, or the name of a file in `experiments/configs`. A path that is not found is returned unchanged.
    """
    file, colon, options = path.partition(":")
    if not Path(file).is_file():
        for folder in _FOLDERS:
            if (folder / file).is_file():
                return f"{folder / file}{colon}{options}"
    return path


def locate(arguments: list[str], flag: str = "config") -> None:
    """Replaces the config file in the arguments of a command by the result of `located`, in place."""
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name not in (f"--{flag}", f"-{flag}"):
            continue
        if equals:
            arguments[index] = f"{name}={located(value)}"
        elif index + 1 < len(arguments):
            arguments[index + 1] = located(arguments[index + 1])
