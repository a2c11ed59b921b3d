"""A lock in the run's folder that admits one process per run, on this machine and over a shared file system."""

import socket
from pathlib import Path
from typing import Any

from filelock import SoftFileLease, Timeout

NAME = ".lock"
# All machines must use the same duration. A holder that is suspended for longer loses the lock.
_DURATION = 60.0
_HEARTBEAT = 10.0


class RunLock:
    """The lock of a run, a file that its holder touches every ten seconds.

    The file names the process and the machine that hold the lock. The lock of a process of this machine that has ended
    is taken over at once; the lock of another machine, once it has not been touched for a minute.
    """

    def __init__(self, folder: str | Path):
        """Sets the path of the file, without access to the disk.

        Args:
          folder: the run's folder.
        """
        self._file = Path(folder) / NAME
        self._lease = SoftFileLease(
            self._file, lease_duration=_DURATION, heartbeat_interval=_HEARTBEAT, thread_local=False
        )

    def acquire(self) -> None:
        """Takes the lock, in a folder that exists; does nothing if this object already holds the lock.

        If a process of another machine seems to hold the lock, waits for a minute to see whether it is alive.

        Raises:
          ValueError: another process holds the lock.
        """
        if self._lease.is_locked:
            return
        try:
            self._lease.acquire(timeout=0)
        except Timeout:
            if not self._is_elsewhere():
                raise self._refusal() from None
            try:
                self._lease.acquire(timeout=_DURATION + _HEARTBEAT)
            except Timeout:
                raise self._refusal() from None

    def release(self) -> None:
        """Releases the lock, if it is held."""
        if self._lease.is_locked:
            self._lease.release(force=True)

    def check(self) -> None:
        """Raises ValueError if another process has taken the lock since, so that nothing more may be written."""
        if self._lease.compromise is not None:
            raise ValueError(
                f"{str(self._file.parent)!r} was taken over by another process while this one was suspended"
            )

    def __enter__(self) -> "RunLock":
        return self

    def __exit__(self, *_: Any) -> None:
        self.release()

    def _is_elsewhere(self) -> bool:
        """Returns whether a process of another machine holds the lock."""
        return self._holder()[1] != socket.gethostname()

    def _holder(self) -> tuple[str, str]:
        """Returns the process and the machine that the file names."""
        try:
            lines = self._file.read_text(encoding="utf-8").split("\n")
        except OSError:
            lines = []
        record = dict(line.split("=", 1) for line in lines if "=" in line)
        # In a container, the name is followed by a suffix.
        return record.get("pid", "?"), record.get("host", "?").partition("?")[0]

    def _refusal(self) -> ValueError:
        process, machine = self._holder()
        return ValueError(
            f"--workdir must be used by one process at a time, but {str(self._file.parent)!r} is in use by process "
            f"{process} on {machine}"
        )
