"""Paths of files in installed packages, found without importing the packages."""

from importlib import metadata
from pathlib import Path


def package_file(package: str, name: str, *, content: str, install: str) -> Path:
    """Returns the path of a file of an installed package.

    Args:
      package: the distribution name of the package.
      name: the path of the file, relative to the folder that packages are installed in.
      content: the content of the file for error messages, such as 'the data of MOSES is'.
      install: the command that installs the package.

    Raises:
      ImportError: the package is not installed, or lacks the file.
    """
    path = _located(package, name, f"{content} in the package {package!r}, which is not installed ({install})")
    if not path.is_file():
        raise ImportError(f"the package {package!r} must hold {name}, but {path} is not a file ({install})")
    return path


def package_files(package: str, folder: str, pattern: str, *, content: str, install: str) -> list[Path]:
    """Returns the sorted paths of files of an installed package, which replace files that the user has not given.

    Args:
      package: the distribution name of the package.
      folder: the path of the files' folder, relative to the folder that packages are installed in.
      pattern: pattern of the file names, for `Path.glob`.
      content: the content of the files for error messages, such as 'the Essen collection'.
      install: the command that installs the package.

    Raises:
      ImportError: the package is not installed, or has no such files.
    """
    path = _located(package, folder, f"files must be given where the package {package!r} is not installed ({install})")
    found = sorted(path.glob(pattern))
    if not found:
        raise ImportError(f"the package {package!r} must hold {content} in {path} ({install})")
    return found


def _located(package: str, name: str, message: str) -> Path:
    """Returns the path of a name in an installed package; raises ImportError with a message if it is not installed."""
    try:
        return Path(str(metadata.distribution(package).locate_file(name)))
    except metadata.PackageNotFoundError as error:
        raise ImportError(message) from error
