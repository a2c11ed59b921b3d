"""Config files, found from any folder."""

from pathlib import Path

_CONFIGS = Path(__file__).resolve().parent.parent / "configs"
# Relative to these, after the folder of the process: as documents name them, and by the name alone.
_FOLDERS = (_CONFIGS.parent.parent, _CONFIGS)

DEFAULT = str(_CONFIGS / "arithmetic.py")
"""The config file where none is named."""


def located(path: str) -> str:
    """Returns the path of a config file that can be opened from here, options after a colon included.

    Args:
      path: a path, or the name of a file of `experiments/configs`; one that leads nowhere is returned as it is.
    """
    file, colon, options = path.partition(":")
    if not Path(file).is_file():
        for folder in _FOLDERS:
            if (folder / file).is_file():
                return f"{folder / file}{colon}{options}"
    return path


def locate(arguments: list[str], flag: str = "config") -> None:
    """Replaces the config file that a command's arguments name by what `located` returns."""
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name not in (f"--{flag}", f"-{flag}"):
            continue
        if equals:
            arguments[index] = f"{name}={located(value)}"
        elif index + 1 < len(arguments):
            arguments[index + 1] = located(arguments[index + 1])
