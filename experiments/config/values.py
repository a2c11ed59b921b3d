"""Checks values of settings against the types in the signatures of the library."""

import inspect
import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import jax

from experiments.config.choices import shown

# Larger sizes are mistakes: they do not fit in memory.
LARGEST_INTEGER = 2**24
_LARGEST_SEED = 2**32 - 1
_NONES = (None, "none")


def parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Returns the parameters of a function with their evaluated annotations."""
    return inspect.signature(function, eval_str=True).parameters


def task_function(
    functions: Mapping[str, Callable[..., Any]], settings: Mapping[str, Any]
) -> Callable[..., Any] | None:
    """Returns the function of a run's task, with the settings of the task bound; None if the task has no function.

    Args:
      functions: functions by the name of a task.
      settings: settings of a run by their paths, such as `task.name`.
    """
    function = functions.get(settings["task.name"])
    if function is None:
        return None
    names = [name for name in parameters(function) if f"task.{name}" in settings]
    return partial(function, **{name: settings[f"task.{name}"] for name in names})


def is_setting(annotation: Any) -> bool:
    """Returns whether a config can hold a parameter of this type: a plain value, or a value of no stated type."""
    members = _members(annotation)
    return annotation is inspect.Parameter.empty or any(
        each in (bool, int, float, str) or _is_sequence(each) for each in members
    )


def is_scalar(annotation: Any) -> bool:
    """Returns whether a parameter is a scalar hyperparameter, which may be traced and therefore swept."""
    return jax.Array in _members(annotation)


def takes_schedules(annotation: Any) -> bool:
    """Returns whether a parameter may be a schedule."""
    return any(typing.get_origin(each) is Callable for each in _members(annotation))


def is_none(value: Any, annotation: Any) -> bool:
    """Returns whether a value is None or 'none', for a parameter that may be None."""
    # A value that cannot be hashed or compared is not None.
    return isinstance(value, str | None) and value in _NONES and type(None) in _members(annotation)


def check(value: Any, annotation: Any, path: str) -> Any:
    """Checks a value against the type of a parameter that is not a scalar hyperparameter.

    Args:
      value: the value in the config.
      annotation: the annotated type of the parameter.
      path: name of the setting, for the error.

    Returns:
      The value as the function takes it: files as a tuple of paths, and lists as tuples.

    Raises:
      ValueError: the value has another type, or is an integer too large to be a size.
    """
    members = _members(annotation)
    if annotation is inspect.Parameter.empty:
        return value
    if is_none(value, annotation):
        return None
    if str in members and any(map(_is_sequence, members)):
        return paths(value, path)
    if bool in members:
        return _require(isinstance(value, bool), path, "True or False", value)
    if int in members:
        return require_integer(value, path, most=_LARGEST_SEED if path.endswith(".seed") else LARGEST_INTEGER)
    if float in members:
        return _require(is_finite(value), path, "a finite number", value)
    if str in members:
        return _require(isinstance(value, str), path, "a text", value)
    is_sizes = isinstance(value, list | tuple) and bool(value)
    _require(is_sizes, path, "a list of integers", value)
    return tuple(require_integer(each, path) for each in value)


def require_integer(value: Any, path: str, *, least: int | None = None, most: int = LARGEST_INTEGER) -> int:
    """Checks that a value is an integer of at most `most` and, if `least` is not None, of at least `least`.

    Raises:
      ValueError: `value` is not such an integer.
    """
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if least is None:
        _require(is_integer, path, "an integer", value)
    else:
        _require(is_integer and value >= least, path, f"an integer of at least {least}", value)
    if value > most:
        raise ValueError(f"{path} must be at most {most:,}, got {shown(value)}")
    return int(value)


def is_finite(value: Any) -> bool:
    """Returns whether a value is a finite number and not a bool."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def leaves(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields the dotted names and the values of nested sections; an empty section is yielded as a value."""
    for name, value in section.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def paths(files: Any, path: str) -> tuple[str, ...]:
    """Reads a setting that names files: a comma-separated text, or a sequence of texts.

    Raises:
      ValueError: `files` is not a text or a sequence of texts.
    """
    names = files.split(",") if isinstance(files, str) else files
    is_names = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    _require(is_names, path, "paths of files, separated by commas", files)
    return tuple(name.strip() for name in names if name.strip())


def _require(condition: bool, path: str, wanted: str, value: Any) -> Any:
    if not condition:
        raise ValueError(f"{path} must be {wanted}, got {shown(value)}")
    return value


def _members(annotation: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return typing.get_args(annotation) if is_union else (annotation,)


def _is_sequence(annotation: Any) -> bool:
    return typing.get_origin(annotation) is Sequence
