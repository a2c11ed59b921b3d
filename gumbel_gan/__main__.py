"""Prints the contents of this package: python -m gumbel_gan."""

import inspect
import os
import pkgutil
import sys
from importlib import import_module
from types import ModuleType

import gumbel_gan

# Internal modules, which are not listed.
_OWN = ("__main__", "arguments", "exported", "version")


def main() -> None:
    """Prints the version, the public names by module, and where to find more documentation."""
    print(f"gumbel_gan {gumbel_gan.__version__}: {_first_line(gumbel_gan)}\n")
    print("Names of the package, such as gumbel_gan.relaxed_gan:")
    found: dict[str, list[str]] = {}
    for name in gumbel_gan.__all__:
        module = getattr(getattr(gumbel_gan, name), "__module__", "")
        if module.startswith("gumbel_gan."):
            found.setdefault(module.split(".")[1], []).append(name)
    for module, names in sorted(found.items()):
        print(f"\n{module}: {_first_line(import_module(f'gumbel_gan.{module}'))}")
        for name in names:
            value = getattr(gumbel_gan, name)
            is_described = inspect.isroutine(value) or inspect.isclass(value)
            print(f"  {name:30}{_first_line(value) if is_described else f'of type {type(value).__name__}'}")
    print("\nFunctions of its modules, such as gumbel_gan.training.train:")
    for info in pkgutil.iter_modules(gumbel_gan.__path__):
        if info.name in found or info.name in _OWN or info.ispkg:
            continue
        module = import_module(f"gumbel_gan.{info.name}")
        functions = _functions(module)
        if functions:
            print(f"\n{info.name}: {_first_line(module)}")
            for name in functions:
                print(f"  {name:30}{_first_line(getattr(module, name))}")
    print("\nRead on: help(gumbel_gan.NAME) in Python; README.md and BUILD_NOTES.md of the repository.")


def _functions(module: ModuleType) -> list[str]:
    """Returns the names of the public functions and classes that a module defines."""
    return [
        name
        for name, value in vars(module).items()
        if name[0] != "_"
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
    ]


def _first_line(value: object) -> str:
    return (inspect.getdoc(value) or "").partition("\n")[0]


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has closed the pipe. Python flushes stdout again at exit, so it is redirected to
        # devnull.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
