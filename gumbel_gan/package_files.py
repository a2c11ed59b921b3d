"""Files of packages that are installed without being imported."""

from importlib import metadata
from pathlib import Path


def package_file(package: str, name: str, *, content: str, install: str) -> Path:
    """Returns the path of a file of an installed package.

    Args:
      package: the name by which it is installed.
      name: the path of the file from where packages lie.
      content: what it holds, such as 'the data of MOSES is', for errors.
      install: the command that installs the package.

    Raises:
      ImportError: the package is not installed, or lacks the file.
    """
    path = _located(package, name, f"{content} in the package {package!r}, which is not installed ({install})")
    if not path.is_file():
        raise ImportError(f"the package {package!r} must hold {name}, but {path} is no file ({install})")
    return path


def package_files(package: str, folder: str, pattern: str, *, content: str, install: str) -> list[Path]:
    """Returns the paths of the files of an installed package that stand for files of the user's, sorted.

    Args:
      package: the name by which it is installed.
      folder: the path of their folder from where packages lie.
      pattern: of their names, for `Path.glob`.
      content: what they hold, such as 'the Essen collection', for errors.
      install: the command that installs the package.

    Raises:
      ImportError: the package is not installed, or lacks such files.
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
