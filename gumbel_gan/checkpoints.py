"""Checkpoints of training states, written and read with orbax."""

import contextlib
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import jax
import numpy as np

from gumbel_gan._paths import leaves_by_path, path_name
from gumbel_gan.arguments import require_at_least

PyTree = Any

_STATE = "default"
_CHECKSUM, _STEP, _PREVIOUS, _NOTE = "checksum", "step", "previous_step", "note"
_METADATA = "_CHECKPOINT_METADATA"


class Checkpoints:
    """A folder that keeps the two newest checkpoints. Writing is atomic: a killed process leaves older ones intact.

    Typed keys and sharded or vmapped states are restored bit for bit. Restoring raises an error if the bytes on disk
    have changed. Use this class as a context manager.
    """

    def __init__(self, directory: str | Path, *, items: Iterable[str] = ()):
        """Opens a folder, and creates it if it does not exist.

        Args:
          directory: the folder.
          items: names of the pytrees that a checkpoint may hold in addition to the state.

        Raises:
          ValueError: orbax cannot read the metadata of a checkpoint.
        """
        # Imported here because it takes a quarter of a second, in which a run can already compile.
        import orbax.checkpoint as ocp

        self._args = ocp.args
        names = (_STATE, *items)
        try:
            self._manager = ocp.CheckpointManager(
                Path(directory).absolute(),
                options=ocp.CheckpointManagerOptions(max_to_keep=2, create=True),
                item_handlers={name: ocp.StandardCheckpointHandler() for name in names},
            )
        except (ValueError, TypeError) as error:
            raise _damaged_in(Path(directory), error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._manager.close()

    def steps(self) -> list[int]:
        """Returns the steps of the checkpoints, in order."""
        return sorted(self._manager.all_steps())

    def latest_step(self) -> int | None:
        """Returns the step of the newest checkpoint, or None."""
        return self._manager.latest_step()

    def wait(self) -> None:
        """Waits until all saved checkpoints are on disk."""
        self._manager.wait_until_finished()

    def save(self, step: int, state: PyTree, *, note: Mapping[str, Any] | None = None, **items: PyTree) -> None:
        """Saves a state in the background. All that reads checkpoints, the next save and the end of the context wait.

        Args:
          step: the step of the state, larger than the step of the newest checkpoint.
          state: a pytree of arrays, which may be donated or changed as soon as this returns.
          note: plain JSON, which the method `note` returns for this checkpoint.
          **items: pytrees to save with the state, by the names that were given to the constructor.

        Raises:
          TypeError: `step` is not an integer.
          ValueError: `step` is negative, or not larger than the step of the newest checkpoint; or the paths of two
            arrays of a pytree have the same name, such as a.b for 'b' in 'a' and for 'a.b'.
        """
        require_at_least(0, step=step)
        latest = self.latest_step()
        if latest is not None and step <= latest:
            raise ValueError(f"step must be larger than that of the newest checkpoint, {latest}, got {step}")
        trees = {_STATE: state, **items}
        for tree in trees.values():
            # Raises an error if two arrays have the same name.
            leaves_by_path(tree)
        metadata = {
            _STEP: int(step),
            _PREVIOUS: latest,
            _CHECKSUM: {name: _checksum(tree) for name, tree in trees.items()},
            _NOTE: json.dumps({} if note is None else dict(note)),
        }
        args = self._args.Composite(**{name: self._args.StandardSave(tree) for name, tree in trees.items()})
        self._manager.save(int(step), args=args, force=True, custom_metadata=metadata)

    def note(self, step: int | None = None) -> dict[str, Any]:
        """Returns the note of a checkpoint, by default of the newest; empty if it was saved without a note."""
        self.wait()
        return json.loads(self._metadata(self._step(step)).get(_NOTE, "{}"))

    def lacks_one(self) -> bool:
        """Returns whether one of the two newest checkpoints has been deleted or renamed."""
        self.wait()
        steps = self.steps()
        return len(steps) == 1 and self._metadata(steps[0]).get(_PREVIOUS) is not None

    def holds(self, item: str, step: int | None = None) -> bool:
        """Returns whether a checkpoint, by default the newest, holds an item in addition to the state."""
        self.wait()
        return (self._folder(self._step(step)) / item).is_dir()

    def restore(
        self,
        like: PyTree,
        sharding: jax.sharding.Sharding | None = None,
        *,
        step: int | None = None,
        item: str | None = None,
    ) -> PyTree:
        """Restores a checkpoint.

        Args:
          like: a pytree of arrays, or of `jax.ShapeDtypeStruct`, with the structure, shapes and dtypes of the state.
          sharding: where to put the leaves of `like` without a sharding, regardless of where they were saved from;
            None: on the first device.
          step: the step of the checkpoint; None: the newest.
          item: the name of a pytree that was saved with the state; None: the state itself.

        Returns:
          The state, or the item.

        Raises:
          FileNotFoundError: there is no checkpoint, or none of this step.
          ValueError: the arrays of the checkpoint differ from those of `like` in their names, shapes or dtypes; the
            checkpoint is damaged; or its folder has the name of another step.
        """
        step, name = self._step(step), _STATE if item is None else item
        self.wait()
        saved = self._metadata(step)
        if _STEP in saved and saved[_STEP] != step:
            raise ValueError(
                f"{self._folder(step)} must hold the checkpoint of step {step}, got that of step {saved[_STEP]}: it "
                f"was renamed; rename it back{_way_back(step, self.steps())}"
            )
        tree = self._tree(step, name)
        self._require_same(_arrays(_stored(like)), _arrays(tree))
        default = jax.sharding.SingleDeviceSharding(jax.devices()[0]) if sharding is None else sharding

        def described(leaf: Any) -> jax.ShapeDtypeStruct:
            return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=getattr(leaf, "sharding", None) or default)

        # This uses the structure on disk, which may lack a field that is None in `like`.
        wanted = leaves_by_path(jax.tree.map(described, like))
        described_tree = jax.tree_util.tree_map_with_path(lambda path, _: wanted[path_name(path)], tree)
        arguments = self._args.Composite(**{name: self._args.StandardRestore(described_tree)})
        try:
            with _no_traces():
                found = leaves_by_path(self._manager.restore(step, args=arguments)[name])
        except Exception as error:
            raise self._damaged(step, error) from error
        state = jax.tree_util.tree_map_with_path(lambda path, _: found[path_name(path)], like)
        # On disk, typed keys cannot be told from their data, so the restored arrays are checked again.
        self._require_same(_arrays(like), _arrays(state))
        checksum = saved.get(_CHECKSUM, {}).get(name)
        if checksum is not None and _checksum(state) not in (checksum, None):
            raise self._damaged(step, "its arrays are not those that were saved")
        return state

    def _step(self, step: int | None) -> int:
        found = self.latest_step() if step is None else step
        if found is None or found not in self._manager.all_steps():
            of_step = "" if step is None else f" of step {step}"
            raise FileNotFoundError(f"no checkpoint{of_step} in {self._manager.directory}")
        return found

    def _folder(self, step: int) -> Path:
        return Path(self._manager.directory) / str(step)

    def _metadata(self, step: int) -> dict[str, Any]:
        """Returns the metadata that `save` wrote for a checkpoint; empty if an older version wrote none."""
        try:
            return _read_metadata(self._folder(step))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._damaged(step, f"{_METADATA}: {error}") from error

    def _tree(self, step: int, name: str) -> PyTree:
        """Returns the shapes and dtypes of the arrays of a checkpoint."""
        try:
            with _no_traces():
                # Raises an error if this metadata is missing, because keys would be restored as their data.
                next((self._folder(step) / name / "array_metadatas").iterdir())
                return self._manager.metadata(step).item_metadata[name].tree
        except Exception as error:
            raise self._damaged(step, f"{name}: {error}") from error

    def _damaged(self, step: int, reason: Any) -> ValueError:
        """Returns the error for a checkpoint that cannot be read, with how to go back to the one before."""
        return _damaged(self._folder(step), reason, self.steps())

    def _require_same(self, wanted: dict[str, str], found: dict[str, str]) -> None:
        """Raises ValueError unless the arrays found have the wanted paths, shapes and dtypes."""
        for path in sorted(wanted | found):
            if wanted.get(path) != found.get(path):
                raise ValueError(
                    f"the checkpoint in {self._manager.directory} must hold the arrays of this state; {path} must be "
                    f"{wanted.get(path, 'absent')}, got {found.get(path, 'nothing')}: it was written by another "
                    "version, or with other settings"
                )


def _read_metadata(folder: Path) -> dict[str, Any]:
    """Returns the metadata that `save` wrote in the folder of a checkpoint."""
    return json.loads((folder / _METADATA).read_text(encoding="utf-8"))["custom_metadata"] or {}


def _damaged_in(directory: Path, error: Exception) -> ValueError:
    """Returns the error for a folder that cannot be opened, naming the newest checkpoint with unreadable metadata."""
    steps = sorted(int(path.name) for path in directory.iterdir() if path.name.isdigit())
    for step in reversed(steps):
        try:
            _read_metadata(directory / str(step))
        except (OSError, ValueError, KeyError, TypeError) as reason:
            return _damaged(directory / str(step), f"{_METADATA}: {reason}", steps)
    return ValueError(f"the {_METADATA} of a checkpoint in {directory} is damaged ({error})")


def _damaged(folder: Path, reason: Any, steps: Iterable[int]) -> ValueError:
    """Returns the error for a checkpoint that cannot be read, with how to go back to the one before."""
    reason = re.sub(r"\s+", " ", str(reason))[:300]
    return ValueError(f"the checkpoint {folder} is damaged ({reason}){_way_back(int(folder.name), steps)}")


def _way_back(step: int, steps: Iterable[int]) -> str:
    """Returns how to go back to the checkpoint before a step; empty if there is none."""
    before = max((each for each in steps if each < step), default=None)
    return "" if before is None else f"; to go back to step {before}, delete that folder"


@contextlib.contextmanager
def _no_traces() -> Iterator[None]:
    """Suppresses the tracebacks that background reads print when an error interrupts them."""
    hooks = sys.excepthook, sys.unraisablehook
    sys.excepthook, sys.unraisablehook = lambda *_: None, lambda _: None
    try:
        yield
    finally:
        sys.excepthook, sys.unraisablehook = hooks


def _checksum(tree: PyTree) -> int | None:
    """Returns the CRC-32 of the bytes of all arrays; None if another process holds a part of them."""
    checksum = 0
    for leaf in jax.tree.leaves(tree):
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            leaf = jax.random.key_data(leaf)
        if isinstance(leaf, jax.Array) and not leaf.is_fully_addressable:
            return None
        checksum = zlib.crc32(np.asarray(leaf).tobytes(), checksum)
    return checksum


def _stored(like: PyTree) -> PyTree:
    """Returns the shapes and dtypes of a state as stored on disk, where typed keys are replaced by their data."""

    def stored(leaf: Any) -> Any:
        is_key = jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        return jax.eval_shape(jax.random.key_data, leaf) if is_key else leaf

    return jax.tree.map(stored, like)


def _arrays(tree: PyTree) -> dict[str, str]:
    """Returns a description, such as 'float32[2, 3]', of the array at each path of a tree."""
    return {path: f"{leaf.dtype}[{', '.join(map(str, leaf.shape))}]" for path, leaf in leaves_by_path(tree).items()}
