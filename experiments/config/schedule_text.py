"""Parses texts of calls with numbers: schedules, 'linear(5.0, 1.0)', and estimators, 'gumbel_rao(num_draws=10)'."""

import ast
import inspect
from typing import Any

from experiments.config.choices import choose, shown
from experiments.config.registries import SCHEDULES, spans_steps
from gumbel_gan.arguments import Scalar

# Errors of Python's parser; a long row of signs exceeds its recursion limit.
_PARSE_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError)
_LONGEST_TEXT = 1_000


def parse(text: str, path: str, num_steps: int) -> Scalar:
    """Reads a hyperparameter from its text: 'linear(5.0, 1.0)', 'cosine(1e-3, 5e-5, steps=1000)' or '1.0'.

    Args:
      text: the call of a schedule with numbers, or a number.
      path: name of the setting, for errors.
      num_steps: length of a schedule that does not state `steps`.

    Returns:
      The schedule or the number.

    Raises:
      ValueError: `text` is not a number or a schedule.
    """
    try:
        if len(text) > _LONGEST_TEXT:
            raise ValueError(f"it has {len(text):,} characters")
        tree = ast.parse(text, mode="eval").body
        if not isinstance(tree, ast.Call):
            return _number(tree)
        name = choose(ast.unparse(tree.func), SCHEDULES, "its name")
        arguments = [_number(node) for node in tree.args]
        settings = {str(node.arg): _number(node.value) for node in tree.keywords}
        if spans_steps(name) and len(arguments) < len(inspect.signature(SCHEDULES[name]).parameters):
            settings.setdefault("steps", num_steps)
        return SCHEDULES[name](*arguments, **settings)
    except (TypeError, *_PARSE_ERRORS) as error:
        reason = str(error) or type(error).__name__
        raise ValueError(
            f"{path} must be a number or a schedule such as 'linear(5.0, 1.0)', got {shown(text)}: {reason}"
        ) from error


def call(text: Any, path: str) -> tuple[Any, dict[str, int | float]]:
    """Reads a name, or a call with settings that are numbers, such as 'gumbel_rao(num_draws=10)'.

    Args:
      text: the name or the call.
      path: name of the setting, for errors.

    Returns:
      The name, or `text` itself if it is not a call; and the settings by name.

    Raises:
      ValueError: the text is a call whose arguments are not all of the form name=number.
    """
    if not isinstance(text, str) or "(" not in text or len(text) > _LONGEST_TEXT:
        return text, {}
    try:
        tree = ast.parse(text, mode="eval").body
        if not isinstance(tree, ast.Call) or tree.args:
            raise ValueError("it is no call with name=number")
        return ast.unparse(tree.func), {str(node.arg): _number(node.value) for node in tree.keywords}
    except _PARSE_ERRORS as error:
        reason = str(error) or type(error).__name__
        raise ValueError(
            f"{path} must be a name, or a call such as 'gumbel_rao(num_draws=10)', got {shown(text)}: {reason}"
        ) from error


def canonical(value: Any) -> Any:
    """Returns the canonical text of a schedule; returns a value that is not such a text unchanged."""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        return value
    try:
        tree = ast.parse(value, mode="eval").body
    except _PARSE_ERRORS:
        return value
    return ast.unparse(tree) if isinstance(tree, ast.Call) else value


def _number(node: ast.expr) -> int | float:
    try:
        value = ast.literal_eval(node)
    except (TypeError, *_PARSE_ERRORS):
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{ast.unparse(node)} is not a number")
    return value
