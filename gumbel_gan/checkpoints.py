"""Training states on disk: a thin room over orbax."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import jax
import orbax.checkpoint as ocp

PyTree = Any


class Checkpoints:
    """A folder of checkpoints, of which the newest is kept. Writing is atomic: a killed process leaves the one before.

    Typed keys and sharded or vmapped states come back bit for bit. Use it as a context manager.
    """

    def __init__(self, directory: str | Path):
        """Opens a folder, which is made where it doesn't exist.

        Args:
          directory: the folder.
        """
        options = ocp.CheckpointManagerOptions(max_to_keep=1, create=True)
        self._manager = ocp.CheckpointManager(Path(directory).absolute(), options=options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._manager.close()

    def latest_step(self) -> int | None:
        """Gives the step of the newest checkpoint, or None."""
        return self._manager.latest_step()

    def save(self, step: int, state: PyTree) -> None:
        """Saves a state; the writing goes on in the background, and is waited for by the next save and at the end.

        Args:
          step: its step, larger than that of the newest checkpoint.
          state: a pytree of arrays, which may be donated or changed as soon as this returns.
        """
        self._manager.save(step, args=ocp.args.StandardSave(state), force=True)

    def restore(self, like: PyTree, sharding: jax.sharding.Sharding | None = None) -> PyTree:
        """Restores the newest checkpoint.

        Args:
          like: a pytree of arrays, or of `jax.ShapeDtypeStruct`, with the structure, shapes and types of the state.
          sharding: where to put the leaves that state no sharding, wherever they were saved from; None is the first
            device.

        Returns:
          The state.

        Raises:
          FileNotFoundError: there is no checkpoint.
          ValueError: the checkpoint holds other arrays than `like`.
        """
        step = self.latest_step()
        if step is None:
            raise FileNotFoundError(f"no checkpoint in {self._manager.directory}")
        default = jax.sharding.SingleDeviceSharding(jax.devices()[0]) if sharding is None else sharding

        def described(leaf: Any) -> jax.ShapeDtypeStruct:
            return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=leaf.sharding or default)

        abstract = jax.tree.map(described, like)
        try:
            return self._manager.restore(step, args=ocp.args.StandardRestore(abstract))
        except ValueError as error:
            raise ValueError(
                f"the checkpoint in {self._manager.directory} must hold the arrays of this version's state, but it "
                "holds others: it was written by another version, or with other settings"
            ) from error
