"""Migrates configs of older versions to the keys and values of this version."""

import ast
from collections.abc import Mapping
from typing import Any

from experiments.config.values import leaves

# Version 0, which has no `schema_version`. A key stands for itself, or for the section with that name.
_RENAMED = {
    "task.length_law": "task.length_distribution",
    "algorithm.average_decay": "algorithm.ema_decay",
    "algorithm.real_penalty": "algorithm.penalty.real_weight",
    "algorithm.generated_penalty": "algorithm.penalty.generated_weight",
    "algorithm.penalised_fraction": "algorithm.penalty.fraction",
    "algorithm.feedback_temperature": "algorithm.feedback.temperature",
    "algorithm.feedback_gradient": "algorithm.feedback.gradient",
    "algorithm.temper": "algorithm.weight_exponent",
    "algorithm.credit": "algorithm.advantages",
}
_RENAMED_VALUES = {
    ("algorithm.advantages.name", "terminal"): "reinforce",
    ("algorithm.advantages.name", "roll_outs"): "monte_carlo",
    ("algorithm.reward", "twice_belief_minus_one"): "tanh_half_logit",
    ("algorithm.reward", "log_belief"): "log_sigmoid",
}
# Version 1.
_RENAMED_OF_TASK = {"metre": "meter"}
# Tasks that held out a tenth of the sequences if `num_heldout` was 0.
_ZERO_HELD_OUT = ("pairs", "molecules")


def migrate(record: Any) -> Any:
    """Migrates the `config.json` of a run to this version; returns a value that is not a mapping unchanged."""
    if not isinstance(record, Mapping):
        return record
    return _with_task_of_today(record if "schema_version" in record else _of_version_0(record))


def _with_task_of_today(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns a config of version 1 with the current settings of its task."""
    if not isinstance(record.get("task"), Mapping):
        return record
    task = {_RENAMED_OF_TASK.get(name, name): value for name, value in record["task"].items()}
    if task.get("name") == "text":
        # The config may come from before this setting existed.
        task.setdefault("normalize", "none")
    if task.get("name") in _ZERO_HELD_OUT and task.get("num_heldout") == 0:
        task["num_heldout"] = None
    return {**record, "task": task}


def _of_version_0(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Migrates a config of version 0 to the keys and values of this version."""
    migrated: dict[str, Any] = {}
    sweep: dict[str, list[str]] = {}
    for path, value in leaves(record):
        path = _renamed(path)
        if isinstance(value, str):
            value = _RENAMED_VALUES.get((path, value), value)
        if path.startswith("algorithm.") and (texts := _listed(value)):
            value, sweep[path] = texts[0], texts
        section = migrated
        *names, last = path.split(".")
        for name in names:
            section = section.setdefault(name, {})
        section[last] = value
    return migrated | ({"sweep": sweep} if sweep else {})


def _renamed(path: str) -> str:
    for old, new in _RENAMED.items():
        if path == old or path.startswith(f"{old}."):
            return new + path.removeprefix(old)
    return path


def _listed(text: Any) -> list[str]:
    """Returns the texts of a schedule at the points of a sweep that its lists describe; an empty list without lists."""
    try:
        tree = ast.parse(text, mode="eval") if isinstance(text, str) else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    if tree is None:
        return []
    sizes = [len(node.elts) for node in ast.walk(tree) if isinstance(node, ast.List)]
    return [ast.unparse(_AtPoint(point).visit(ast.parse(text, mode="eval"))) for point in range(min(sizes, default=0))]


class _AtPoint(ast.NodeTransformer):
    def __init__(self, point: int):
        self._point = point

    def visit_List(self, node: ast.List) -> ast.expr:
        return node.elts[self._point]
