"""The section `sweep` of a config: values of scalar settings. Every seed is trained at every point.

In a config file, a sweep is a mapping, `{"algorithm.temperature": [0.5, 1.0]}`. On the command line, it is a text,
`--config.sweep="algorithm.temperature=[0.5, 1.0]"`, with `;` between several settings. Lists are zipped.
"""

import ast
from collections.abc import Mapping
from typing import Any

from experiments.config.choices import shown
from experiments.config.values import is_finite, leaves


def parse(sweep: Any) -> dict[str, tuple[float | str, ...]]:
    """Reads a sweep.

    Args:
      sweep: a mapping from paths, joined by dots or nested, to lists; or a text; None or '' for no sweep.

    Returns:
      The values by path.

    Raises:
      ValueError: a path does not start with 'algorithm.'; a list is empty, or holds an element that is not a number or
        a text; or the lists differ in length.
    """
    if sweep is None or sweep == "":
        return {}
    given = _parse_text(sweep) if isinstance(sweep, str) else sweep
    if not isinstance(given, Mapping):
        raise ValueError(f"config.sweep must map paths of settings to lists of their values, got {shown(sweep)}")
    found: dict[str, tuple[float | str, ...]] = {}
    for path, values in leaves(given):
        if isinstance(values, Mapping):
            continue
        if not path.startswith("algorithm."):
            raise ValueError(f"config.sweep must name settings of the algorithm, got {shown(path)}")
        is_list = isinstance(values, list | tuple) and len(values) > 0
        if not is_list or not all(isinstance(value, str) or is_finite(value) for value in values):
            raise ValueError(f"config.sweep: {path} must be a list of numbers or schedules, got {shown(values)}")
        found[path] = tuple(values)
        first = next(iter(found))
        if len(values) != len(found[first]):
            raise ValueError(
                f"config.sweep: {path} must have as many values as {first}, {len(found[first])}, got {len(values)}"
            )
    return found


def points(sweep: Mapping[str, tuple[float | str, ...]]) -> list[dict[str, str]]:
    """Returns the settings of each point of a sweep as texts; without a sweep, one point without settings."""
    size = len(next(iter(sweep.values()))) if sweep else 1
    return [{path: str(values[point]) for path, values in sweep.items()} for point in range(size)]


def _parse_text(text: str) -> dict[str, Any]:
    found = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        path, equals, values = part.partition("=")
        try:
            if not equals:
                raise ValueError("there is no '='")
            found[path.strip()] = ast.literal_eval(values.strip())
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ValueError(
                f"config.sweep must be such as 'algorithm.temperature=[0.5, 1.0]', got {shown(part)}: {error}"
            ) from error
    return found
