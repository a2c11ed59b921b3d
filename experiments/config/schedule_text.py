"""The text of a schedule: 'linear(5.0, 1.0)', with a list where a number may stand for a sweep."""

import ast
import inspect
from typing import Any

import jax.numpy as jnp
from jax.typing import ArrayLike

from experiments.config.choices import choose
from experiments.config.registries import SCHEDULES, spans_steps
from gumbel_gan.arguments import Scalar


def parse(text: str | float, path: str, num_steps: int, point: ArrayLike = 0) -> Scalar | None:
    """Reads a hyperparameter from its text: 'linear(5.0, 1.0)', 'cosine(1e-3, 5e-5, steps=1000)', '1.0' or 'none'.

    A list of numbers in place of a number is a sweep, see `experiments.config.members`.

    Args:
      text: the call of a schedule with numbers, a number, or 'none'.
      path: name of the setting, for errors.
      num_steps: the length of a schedule that does not state its `steps`.
      point: index of the point of the sweep; may be traced.

    Returns:
      The schedule or the number; None for 'none'.

    Raises:
      ValueError: the text is no such schedule.
    """
    if text == "none":
        return None
    try:
        tree = ast.parse(str(text), mode="eval").body
        if not isinstance(tree, ast.Call):
            return _value(tree, point)
        name = choose(ast.unparse(tree.func), SCHEDULES, "its name")
        arguments = [_value(node, point) for node in tree.args]
        settings = {str(node.arg): _value(node.value, point) for node in tree.keywords}
        if spans_steps(name) and len(arguments) < len(inspect.signature(SCHEDULES[name]).parameters):
            settings.setdefault("steps", num_steps)
        return SCHEDULES[name](*arguments, **settings)
    except (SyntaxError, TypeError, ValueError) as error:
        raise ValueError(f"{path} must be a schedule such as 'linear(5.0, 1.0)', got {text!r}: {error}") from error


def canonical(value: Any) -> Any:
    """Writes the text of a schedule in one way, as a sweep does; what is no such text stays as it is."""
    return at(value, 0) if isinstance(_parsed(value), ast.Call) else value


def lists(text: Any) -> list[ast.List]:
    """Gives the lists in the text of a schedule; none in what is no such text."""
    return [node for node in ast.walk(_parsed(text)) if isinstance(node, ast.List)]


def _parsed(text: Any) -> ast.expr:
    """Parses what may be the text of a schedule; what is no expression is the constant None."""
    try:
        return ast.parse(text, mode="eval").body if isinstance(text, str) else ast.Constant(None)
    except SyntaxError:
        return ast.Constant(None)


def at(text: str, point: int) -> str:
    """Writes the text of a schedule with the value of one point in place of its lists."""

    class AtPoint(ast.NodeTransformer):
        def visit_List(self, node: ast.List) -> ast.expr:
            return node.elts[point]

    return ast.unparse(AtPoint().visit(ast.parse(text, mode="eval")))


def _value(node: ast.expr, point: ArrayLike) -> ArrayLike:
    """Reads a number, or of a list the number of a point."""
    if not isinstance(node, ast.List):
        return _number(node)
    values = [_number(each) for each in node.elts]
    if not values:
        raise ValueError("a list must hold a number for each point of the sweep, got []")
    return values[point] if isinstance(point, int) else jnp.asarray(values)[point]


def _number(node: ast.expr) -> int | float:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{ast.unparse(node)} is not a number")
    return value
