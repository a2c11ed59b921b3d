"""Training states on disk, written and read by orbax."""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import jax
import orbax.checkpoint as ocp

from gumbel_gan.arguments import require_at_least

PyTree = Any


class Checkpoints:
    """A folder of checkpoints, of which the newest is kept. Writing is atomic: a killed process leaves the one before.

    Typed keys and sharded or vmapped states are restored bit for bit. Use it as a context manager.
    """

    def __init__(self, directory: str | Path):
        """Opens a folder, and creates it where it doesn't exist.

        Args:
          directory: the folder.
        """
        options = ocp.CheckpointManagerOptions(max_to_keep=1, create=True)
        self._manager = ocp.CheckpointManager(
            Path(directory).absolute(), options=options, item_handlers=ocp.StandardCheckpointHandler()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._manager.close()

    def latest_step(self) -> int | None:
        """Returns the step of the newest checkpoint, or None."""
        return self._manager.latest_step()

    def save(self, step: int, state: PyTree) -> None:
        """Saves a state; the writing goes on in the background, and is waited for by the next save and at the end.

        Args:
          step: its step, larger than that of the newest checkpoint.
          state: a pytree of arrays, which may be donated or changed as soon as this returns.

        Raises:
          TypeError: `step` is not an integer.
          ValueError: `step` is negative, or not larger than that of the newest checkpoint.
        """
        require_at_least(0, step=step)
        latest = self.latest_step()
        if latest is not None and step <= latest:
            raise ValueError(f"step must be larger than that of the newest checkpoint, {latest}, got {step}")
        self._manager.save(int(step), args=ocp.args.StandardSave(state), force=True)

    def restore(self, like: PyTree, sharding: jax.sharding.Sharding | None = None) -> PyTree:
        """Restores the newest checkpoint.

        Args:
          like: a pytree of arrays, or of `jax.ShapeDtypeStruct`, with the structure, shapes and dtypes of the state.
          sharding: where to put the leaves that state no sharding, wherever they were saved from; None is the first
            device.

        Returns:
          The state.

        Raises:
          FileNotFoundError: there is no checkpoint.
          ValueError: the checkpoint holds other arrays than `like`, or arrays of other shapes or dtypes.
        """
        step = self.latest_step()
        if step is None:
            raise FileNotFoundError(f"no checkpoint in {self._manager.directory}")
        self._manager.wait_until_finished()
        tree = self._manager.metadata(step).item_metadata.tree
        self._require_same(_arrays(_stored(like)), _arrays(tree))
        default = jax.sharding.SingleDeviceSharding(jax.devices()[0]) if sharding is None else sharding

        def described(leaf: Any) -> jax.ShapeDtypeStruct:
            return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=getattr(leaf, "sharding", None) or default)

        # In the structure on disk, which may lack a field that is None in `like`.
        wanted = _by_path(jax.tree.map(described, like))
        item = jax.tree_util.tree_map_with_path(lambda path, _: wanted[_name(path)], tree)
        found = _by_path(self._manager.restore(step, args=ocp.args.StandardRestore(item)))
        state = jax.tree_util.tree_map_with_path(lambda path, _: found[_name(path)], like)
        # What is on disk does not tell keys from their data; what is restored does.
        self._require_same(_arrays(like), _arrays(state))
        return state

    def _require_same(self, wanted: dict[str, str], found: dict[str, str]) -> None:
        """Raises ValueError unless arrays have the paths, shapes and dtypes that are wanted."""
        for path in sorted(wanted | found):
            if wanted.get(path) != found.get(path):
                raise ValueError(
                    f"the checkpoint in {self._manager.directory} must hold the arrays of this state; {path} must be "
                    f"{wanted.get(path, 'absent')}, got {found.get(path, 'nothing')}: it was written by another "
                    "version, or with other settings"
                )


def _stored(like: PyTree) -> PyTree:
    """Returns the types of a state as they are on disk, where a typed key is its data."""

    def stored(leaf: Any) -> Any:
        is_key = jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        return jax.eval_shape(jax.random.key_data, leaf) if is_key else leaf

    return jax.tree.map(stored, like)


def _arrays(tree: PyTree) -> dict[str, str]:
    """Returns a description, such as 'float32[2, 3]', of the array at each path of a tree."""
    return {path: f"{leaf.dtype}[{', '.join(map(str, leaf.shape))}]" for path, leaf in _by_path(tree).items()}


def _by_path(tree: PyTree) -> dict[str, Any]:
    """Returns the leaves of a tree by their paths."""
    leaves: Iterable[tuple[Any, Any]] = jax.tree_util.tree_leaves_with_path(tree)
    return {_name(path): leaf for path, leaf in leaves}


def _name(path: Any) -> str:
    return jax.tree_util.keystr(path, simple=True, separator=".")
