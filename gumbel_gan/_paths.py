"""Names of the leaves of a pytree, by which files store them."""

from typing import Any

import jax


def path_name(path: Any) -> str:
    """Returns the name of a path of `jax.tree_util`: its keys, joined by dots.

    >>> [path_name(path) for path, _ in jax.tree_util.tree_leaves_with_path({"a": [1.0, 2.0]})]
    ['a.0', 'a.1']
    """
    return jax.tree_util.keystr(path, simple=True, separator=".")


def leaves_by_path(tree: Any) -> dict[str, Any]:
    """Returns the leaves of a pytree by the names of their paths; raises ValueError if two paths have the same name."""
    leaves: dict[str, Any] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = path_name(path)
        if name in leaves:
            raise ValueError(f"paths of arrays must differ where their keys are joined by dots, got two of {name!r}")
        leaves[name] = leaf
    return leaves
