"""Sections of a config: each names what is to be made, beside the settings to make it with."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from experiments.config.choices import choose
from experiments.config.settings import Section


def named(section: Section, path: str, makers: Mapping[str, Callable[..., Any]], **given: Any) -> Any:
    """Calls the maker that a section names, with the section's other settings and what it takes of the given."""
    settings = dict(section)
    maker = makers[choose(pop_name(settings, path), makers, f"{path}.name")]
    known = inspect.signature(maker).parameters
    return call(maker, settings, path, **{name: value for name, value in given.items() if name in known})


def call(function: Callable[..., Any], section: Section, path: str, **given: Any) -> Any:
    """Calls a function with a section's settings; those that it has no default for must be there. Errors name them."""
    settings = {name: each for name, each in inspect.signature(function).parameters.items() if name not in given}
    for name in section:
        choose(name, settings, path, what="setting")
    for name, parameter in sorted(settings.items()):
        if name not in section and parameter.default is inspect.Parameter.empty:
            raise ValueError(f"{path}.{name} is missing")
    try:
        return function(**given, **section)
    except (ImportError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def pop(section: dict[str, Any], name: str, path: str) -> Any:
    """Takes a setting out of a section, which must have it."""
    if name not in section:
        raise ValueError(f"{path}.{name} is missing")
    return section.pop(name)


def pop_name(section: dict[str, Any], path: str) -> str:
    """Takes out of a section the name of what it makes."""
    return str(pop(section, "name", path))
