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
    try:
        path = Path(str(metadata.distribution(package).locate_file(name)))
    except metadata.PackageNotFoundError as error:
        raise ImportError(f"{content} in the package {package!r}, which is not installed ({install})") from error
    if not path.is_file():
        raise ImportError(f"the package {package!r} must hold {name}, but {path} is no file ({install})")
    return path
