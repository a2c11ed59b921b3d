"""The files of one run: where they lie, how they are written, and what keeps a run from being lost."""

import json
import math
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.config import run_config
from experiments.config.files import task_files
from experiments.config.run_config import RunConfig, flatten

Row = dict[str, Any]

# The key of `config.json` that lists what the run writes into its folder, beside the config itself.
_WRITTEN = "written"

_UNESCAPED = {r"\n": "\n", r"\r": "\r", r"\\": "\\"}
_ESCAPED = str.maketrans({character: escape for escape, character in _UNESCAPED.items()})


class RunDirectory:
    """The folder of a run.

    Attributes:
      path: the folder.
      config: `config.json`, the whole config; its presence makes the folder a run.
      metrics: `metrics.jsonl`, a row a chunk; a metric is a list of one number a member.
      summary: `summary.json`, written last; its presence says that the run is complete.
      samples: `samples.txt`, a string a line, the members one after the other.
      curves: `curves.png`.
      states: `states.json`, recurrent states as points of the plane; none where the config asks for none.
      checkpoints: folder of the training state.
      data: folder of copies of the files that the run learns from; none where it learns from no files.
      events: folder of TensorBoard's events, a subfolder a member.
    """

    def __init__(self, path: str | Path):
        """Names the files; touches none.

        Args:
          path: the folder, which need not exist.
        """
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.metrics = self.path / "metrics.jsonl"
        self.summary = self.path / "summary.json"
        self.samples = self.path / "samples.txt"
        self.curves = self.path / "curves.png"
        self.states = self.path / "states.json"
        self.checkpoints = self.path / "checkpoints"
        self.data = self.path / "data"
        self.events = self.path / "events"

    def holds_run(self) -> bool:
        """Returns whether the folder holds a run: a `config.json` that this version can read."""
        try:
            self.read_config()
        except ValueError:
            return False
        return True

    def check_start(self, config: RunConfig, *, overwrite: bool, reads: Iterable[Path] = ()) -> list[Path]:
        """Checks that the folder can take a new run.

        Args:
          config: the config of the new run.
          overwrite: whether a run that the folder holds may be deleted.
          reads: files that the new run reads.

        Returns:
          The files and folders to delete first: those that the run in the folder wrote. Other files are never deleted.

        Raises:
          ValueError: the folder holds a run and `overwrite` is false; the new run would write over files that no run
            wrote; or a file that it reads would be deleted.
        """
        own = self._own()
        if own and not overwrite:
            state = "a finished run" if self.summary.exists() else "an unfinished run (--resume goes on with it)"
            raise ValueError(
                f"--workdir must not hold a run, but {str(self.path)!r} holds {state}; "
                "choose another folder, or --overwrite to delete it"
            )
        foreign = sorted({top.name for top in map(self._top, self._written(config)) if self._is_foreign(top, own)})
        if foreign:
            raise ValueError(
                f"--workdir must not hold files of yours where a run writes its own, but {str(self.path)!r} holds "
                f"{', '.join(foreign)}; choose another folder"
            )
        for file in (Path(file).resolve() for file in reads):
            for path in (path.resolve() for path in own):
                if file == path or path in file.parents:
                    raise ValueError(f"--overwrite would delete {str(file)!r}, which the run reads; copy it elsewhere")
        return own

    def start(self, config: RunConfig, *, overwrite: bool, reads: Iterable[Path] = ()) -> None:
        """Deletes what `check_start` returns and writes `config.json`; the arguments and errors are its own."""
        for path in self.check_start(config, overwrite=overwrite, reads=reads):
            self._delete(path)
        self.path.mkdir(parents=True, exist_ok=True)
        names = [str(path.relative_to(self.path)) for path in self._written(config)]
        write_json(self.config, config.to_dict() | {_WRITTEN: names})

    def keep_files(self, config: RunConfig) -> None:
        """Copies the files that the run learns from, so that it can be sampled where they are not."""
        for file, copy in zip(task_files(config), self._copies(config), strict=True):
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                partial = copy.with_name(copy.name + ".partial")
                shutil.copyfile(file, partial)
                partial.replace(copy)

    def kept_files(self) -> list[str]:
        """Returns the copies that `keep_files` made, in its order; none where one is missing."""
        copies = self._copies(self.read_config())
        return [str(copy) for copy in copies] if all(copy.exists() for copy in copies) else []

    def check_resumable(self, config: RunConfig) -> None:
        """Checks that the folder holds a run of this very config.

        Args:
          config: the config to go on with.

        Raises:
          ValueError: the folder holds no run, or one of another config.
        """
        difference = self.first_difference(config)
        if difference is not None:
            raise ValueError(
                f"--resume needs the config of the run in {str(self.path)!r}; "
                f"config.{difference} differs: without --config flags, the run's own is used"
            )

    def first_difference(self, config: RunConfig) -> str | None:
        """Returns the first setting in which the run's config differs from another; raises where there is no run."""
        stored, given = flatten(self.read_config().to_dict()), flatten(config.to_dict())
        return min((name for name, _ in stored.items() ^ given.items()), default=None)

    def read_config(self) -> RunConfig:
        """Reads the run's config.

        Raises:
          ValueError: the folder holds no run: there is no `config.json`, or one of something else.
        """
        return self._read_record()[0]

    def read_metrics(self) -> list[Row]:
        """Reads the rows written so far; a line that a killed process left half-written is dropped."""
        if not self.metrics.exists():
            return []
        lines = self.metrics.read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines[:-1]]

    def read_summary(self) -> Row:
        """Reads the summary; raises ValueError where the run is not finished."""
        if not self.summary.exists():
            raise ValueError(f"--workdir must hold a finished run, got {str(self.path)!r}")
        return json.loads(self.summary.read_text(encoding="utf-8"))

    def read_samples(self) -> list[str]:
        """Reads the samples, which may be empty strings."""
        lines = self.samples.read_text(encoding="utf-8").split("\n")[:-1]
        return [re.sub(r"\\.", lambda escape: _UNESCAPED[escape[0]], line) for line in lines]

    def read_states(self) -> list[Row] | None:
        """Reads the points of the recurrent states, an entry a point of the sweep; None where there are none."""
        return json.loads(self.states.read_text(encoding="utf-8")) if self.states.exists() else None

    def keep_metrics(self, last_step: int) -> None:
        """Drops the rows after a step, from which a resumed run goes on."""
        rows = [row for row in self.read_metrics() if row["step"] <= last_step]
        write_text(self.metrics, "".join(json.dumps(row) + "\n" for row in rows))

    def wall_seconds(self) -> float:
        """Returns the seconds spent: by the whole run where it is finished, else up to its last row."""
        if self.summary.exists():
            return self.read_summary()["wall_seconds"]
        rows = self.read_metrics()
        return rows[-1]["wall_seconds"] if rows else 0.0

    def _read_record(self) -> tuple[RunConfig, list[str] | None]:
        """Reads `config.json`: the config, and what the run wrote, None where an older version wrote it."""
        if not os.path.lexists(self.config):
            raise ValueError(f"--workdir must hold a run, got {str(self.path)!r}")
        try:
            record = json.loads(self.config.read_text(encoding="utf-8"))
            names = record.pop(_WRITTEN, None) if isinstance(record, dict) else None
            return run_config.parse_stored(record), names
        except (OSError, ValueError, RecursionError) as error:
            raise ValueError(
                f"--workdir must hold a run of this version, got {str(self.path)!r}, whose config.json is not the "
                f"config of one: {error}"
            ) from error

    def _written(self, config: RunConfig) -> list[Path]:
        """Returns what a run of a config writes, the config last."""
        states = [self.states] if config.num_states else []
        folders = [*self._copies(config), self.checkpoints, self.events]
        return [self.summary, self.metrics, self.samples, self.curves, *states, *folders, self.config]

    def _copies(self, config: RunConfig) -> list[Path]:
        files = enumerate(task_files(config))
        return [self.data / f"{number:03d}" / Path(file).name for number, file in files]

    def _own(self) -> list[Path]:
        """Returns what there is of the files and folders that the run in the folder wrote, its config last."""
        try:
            config, names = self._read_record()
        except ValueError:
            return []
        known = self._written(config)
        # Only names that a run has: a list that was edited must not reach other files. Older versions wrote no list.
        listed = [path for path in known if names is None or str(path.relative_to(self.path)) in names]
        return [path for path in listed if os.path.lexists(path)]

    def _top(self, path: Path) -> Path:
        """Returns the file or folder directly in the run's folder that a path is, or lies in."""
        return self.path / path.relative_to(self.path).parts[0]

    def _is_foreign(self, path: Path, own: list[Path]) -> bool:
        """Returns whether a path directly in the folder holds anything but what a run wrote."""
        if path in own or not os.path.lexists(path):
            return False
        if path.is_symlink() or not path.is_dir():
            return True
        return any(each not in own for each in path.rglob("*") if each.is_symlink() or not each.is_dir())

    def _delete(self, path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
            return
        path.unlink(missing_ok=True)
        # The folders of a copy, where nothing else lies in them.
        for folder in path.relative_to(self.path).parents:
            if folder.parts and not any((self.path / folder).iterdir()):
                (self.path / folder).rmdir()


def as_json(value: Any) -> Any:
    """Turns arrays into lists and non-finite numbers into None, deep down."""
    if isinstance(value, Mapping):
        return {name: as_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(each) for each in value]
    if isinstance(value, np.ndarray | np.generic):
        return as_json(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_json(path: Path, value: Any) -> None:
    """Writes JSON, atomically."""
    write_text(path, json.dumps(as_json(value), indent=2) + "\n")


def write_samples(path: Path, strings: Iterable[str]) -> None:
    """Writes strings, one a line, atomically."""
    write_text(path, "".join(one_line(string) + "\n" for string in strings))


def one_line(string: str) -> str:
    r"""Writes a string in one line: '\n', '\r' and '\\' stand for line ends and backslashes in it."""
    return string.translate(_ESCAPED)


def write_text(path: Path, text: str) -> None:
    """Writes a text, atomically."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def check_holds_no_run(path: str | Path, flag: str) -> None:
    """Checks that a folder can be written, and that it is not that of a run, whose files would be overwritten.

    Args:
      path: the folder.
      flag: what names it, for the error.

    Raises:
      ValueError: it can't, or it is.
    """
    check_writable(path, flag)
    if RunDirectory(path).holds_run():
        raise ValueError(f"{flag} must not be the folder of a run, got {str(path)!r}")


def check_writable(path: str | Path, flag: str) -> None:
    """Checks that a folder exists and can be written, or can be made.

    Args:
      path: the folder.
      flag: what names it, for the error.

    Raises:
      ValueError: it can't.
    """
    existing = Path(path)
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise ValueError(f"{flag} must be a folder, got {str(path)!r}: {existing} is a file")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ValueError(f"{flag} must be writable, got {str(path)!r}: no permission in {existing}")
