"""The files of one run: their paths, how they are written, and checks that protect a run from being lost."""

import json
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from experiments.config import registries, run_config
from experiments.config.files import streams, task_files
from experiments.config.run_config import RunConfig, flatten
from experiments.run.lock import RunLock
from experiments.run.texts import PARTIAL, Row, read_samples, write_json, write_text
from gumbel_gan.tasks import is_tokenized

# Keys of `config.json` in addition to the config: the files that the run writes into its folder; and, while it starts,
# the files of the previous run that are still to be deleted.
_WRITTEN, _REPLACES = "written", "replaces"
CHANGEABLE = ("num_steps", "patience", "chunks_per_checkpoint", "seconds_per_checkpoint", "platform")
"""What a resumed run may change: how far it goes and how it is kept, not what it computes."""


class RunDirectory:
    """The folder of a run.

    Attributes:
      path: the folder.
      config: `config.json`, the whole config; a folder with this file is a run.
      metrics: `metrics.jsonl`, one row per chunk; a metric is a list of one number per replica.
      summary: `summary.json`, written last; a run with this file is complete.
      calls: `calls.jsonl`, the calls of the property; absent if the run has no property.
      samples: `samples.txt`, one string per line, replica by replica.
      curves: `curves.png`.
      states: `states.json`, hidden states as points in the plane; absent if the config does not ask for them.
      heldout: `heldout.tsv`, the held-out pairs; absent for a task without pairs.
      model: `model.safetensors`, the generators of the newest states, which `gumbel_gan.load` reads.
      best_model: `best.safetensors`, the generators of the best states; absent if the run keeps no best states.
      checkpoints: folder of the training state.
      data: folder of copies of the data files; absent if the run reads no files.
      tokens: folder of the tokenized text, in place of the copies, if the text is streamed.
      events: folder of TensorBoard events, with a subfolder for each replica.
      lock: the lock that keeps other processes from writing into the folder.
    """

    def __init__(self, path: str | Path, flag: str = "--workdir"):
        """Sets the paths, without access to the disk.

        Args:
          path: the folder, which need not exist.
          flag: the flag that names the folder, for errors.
        """
        self.path = Path(path)
        self._flag = flag
        self.lock = RunLock(self.path)
        self.config = self.path / "config.json"
        self.metrics = self.path / "metrics.jsonl"
        self.summary = self.path / "summary.json"
        self.calls = self.path / "calls.jsonl"
        self.samples = self.path / "samples.txt"
        self.curves = self.path / "curves.png"
        self.states = self.path / "states.json"
        self.heldout = self.path / "heldout.tsv"
        self.model = self.path / "model.safetensors"
        self.best_model = self.path / "best.safetensors"
        self.checkpoints = self.path / "checkpoints"
        self.data = self.path / "data"
        self.tokens = self.data / "tokens"
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
          ValueError: the folder holds a run and `overwrite` is false; the new run would overwrite files that no run
            wrote; or a file that the new run reads would be deleted.
        """
        own = self._own()
        if own and not overwrite:
            state = "a finished run" if self.summary.exists() else "an unfinished run (--resume goes on with it)"
            raise ValueError(
                f"{self._flag} must not hold a run, but {str(self.path)!r} holds {state}; "
                "choose another folder, or --overwrite to delete it"
            )
        foreign = sorted({top.name for top in map(self._top, self._written(config)) if self._is_foreign(top, own)})
        if foreign:
            raise ValueError(
                f"{self._flag} must not hold files of yours where a run writes its own, but {str(self.path)!r} holds "
                f"{', '.join(foreign)}; choose another folder"
            )
        for file in (Path(file).resolve() for file in reads):
            for path in (path.resolve() for path in own):
                if file == path or path in file.parents:
                    raise ValueError(f"--overwrite would delete {str(file)!r}, which the run reads; copy it elsewhere")
        return own

    def start(self, config: RunConfig, *, overwrite: bool, reads: Iterable[Path] = ()) -> None:
        """Writes `config.json` and deletes the result of `check_start`, which describes the arguments and errors.

        A single file operation makes the folder that of the new run. If the process is killed later, `finish_start`
        deletes the remaining files.
        """
        deleted = [path for path in self.check_start(config, overwrite=overwrite, reads=reads) if path != self.config]
        self.path.mkdir(parents=True, exist_ok=True)
        self._write_record(config, replaces=deleted)
        self.finish_start()

    def is_starting(self) -> bool:
        """Returns whether files in the folder still belong to the previous run, which is not deleted yet."""
        return bool(self._read_record().replaces)

    def finish_start(self) -> None:
        """Deletes the remaining files of the run that this run replaces."""
        record = self._read_record()
        if record.replaces:
            for path in record.replaces:
                self._delete(path)
            self._write_record(record.config)

    def extend(self, config: RunConfig) -> None:
        """Changes the config of the run to one that `check_resumable` accepts; a changed run is no longer finished."""
        if config != self.read_config():
            self.summary.unlink(missing_ok=True)
            self._write_record(config)

    def keep_files(self, config: RunConfig) -> None:
        """Copies the data files into the folder, so that the run can be sampled where the originals are missing."""
        for file, copy in zip(task_files(config), self._copies(config), strict=not streams(config)):
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                partial = copy.with_name(copy.name + PARTIAL)
                shutil.copyfile(file, partial)
                partial.replace(copy)

    def keep_tokens(self, config: RunConfig, folder: Path) -> None:
        """Keeps the tokenized text of a run that streams, by links to the files in a folder or by copies."""
        if not streams(config) or is_tokenized(self.tokens):
            return
        partial = self.tokens.with_name(self.tokens.name + PARTIAL)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for file in folder.iterdir():
            try:
                os.link(file, partial / file.name)
            except OSError:
                shutil.copyfile(file, partial / file.name)
        partial.replace(self.tokens)

    def with_kept(self, config: RunConfig) -> RunConfig:
        """Returns a config that reads the files kept in the run's folder, if any, instead of the originals."""
        if streams(config):
            return config.with_task(tokens=str(self.tokens)) if is_tokenized(self.tokens) else config
        kept = self.kept_files()
        return config.with_task(files=kept) if kept else config

    def kept_files(self) -> list[str]:
        """Returns the copies that `keep_files` made, in its order; an empty list if one is missing."""
        record = self._read_record()
        copies = [] if record.replaces else self._copies(record.config)
        return [str(copy) for copy in copies] if all(copy.exists() for copy in copies) else []

    def check_resumable(self, config: RunConfig) -> None:
        """Checks that the folder holds a run with the same config.

        Args:
          config: the config to resume with.

        Raises:
          ValueError: the folder holds no run, or a run whose config differs in a setting that is not in `CHANGEABLE`.
        """
        difference = self.first_difference(config, but=CHANGEABLE)
        if difference is not None:
            raise ValueError(
                f"--resume needs the config of the run in {str(self.path)!r}; "
                f"config.{difference} differs: without --config flags, the run's own is used"
            )

    def check_num_steps(self, config: RunConfig) -> None:
        """Raises ValueError if the run, resumed with a config, has trained beyond the last step of the config."""
        newest = 0 if self.is_starting() else self.newest_step()
        if config.num_steps < newest:
            raise ValueError(
                f"config.num_steps must be at least {newest}, the step of the newest checkpoint of the run in "
                f"{str(self.path)!r}; got {config.num_steps}"
            )

    def first_difference(self, config: RunConfig, *, but: Iterable[str] = ()) -> str | None:
        """Returns the first setting, if any, in which the run's config differs from another; raises without a run."""
        stored, given = flatten(self.read_config().to_dict()), flatten(config.to_dict())
        return min((name for name, _ in stored.items() ^ given.items() if name not in but), default=None)

    def read_config(self) -> RunConfig:
        """Reads the run's config.

        Raises:
          ValueError: the folder holds no run: `config.json` is missing, or is not the config of a run.
        """
        return self._read_record().config

    def read_metrics(self) -> list[Row]:
        """Reads the rows written so far; drops a last line that a killed process left half-written.

        Raises:
          ValueError: another line is not a row.
        """
        if not self.metrics.exists():
            return []
        rows = []
        for number, line in enumerate(self.metrics.read_text(encoding="utf-8").split("\n")[:-1], 1):
            try:
                rows.append(json.loads(line))
                rows[-1]["step"]
            except (ValueError, TypeError, KeyError) as error:
                raise ValueError(f"{self.metrics}, line {number}, is no row of metrics: it is damaged") from error
        return rows

    def read_summary(self) -> Row:
        """Reads the summary; raises ValueError if the run is not finished."""
        if not self.summary.exists():
            state = "an unfinished one" if self.holds_run() else "none"
            raise ValueError(f"{self._flag} must hold a finished run, but {str(self.path)!r} holds {state}")
        return json.loads(self.summary.read_text(encoding="utf-8"))

    def read_samples(self) -> list[str]:
        """Reads the samples, which may be empty strings."""
        return read_samples(self.samples)

    def read_states(self) -> list[Row] | None:
        """Reads the points of the hidden states, one entry per point of the sweep; None if the run has none."""
        return json.loads(self.states.read_text(encoding="utf-8")) if self.states.exists() else None

    def keep_metrics(self, last_step: int) -> None:
        """Drops the rows after the step that a run resumes from."""
        rows = [row for row in self.read_metrics() if row["step"] <= last_step]
        write_text(self.metrics, "".join(json.dumps(row) + "\n" for row in rows))

    def newest_step(self) -> int:
        """Returns the step of the newest checkpoint, by its file name; 0 if there is no checkpoint."""
        return max((int(path.name) for path in self.checkpoints.glob("*") if path.name.isdigit()), default=0)

    def wall_seconds(self, step: int) -> float:
        """Returns the duration in seconds: of the whole run if it finished at a step, otherwise up to this step."""
        if self.summary.exists():
            summary = self.read_summary()
            if summary["steps"] == step:
                return summary["wall_seconds"]
        return max((row["wall_seconds"] for row in self.read_metrics() if row["step"] <= step), default=0.0)

    def _write_record(self, config: RunConfig, replaces: Iterable[Path] = ()) -> None:
        names = list(map(self._name, self._written(config)))
        record = config.to_dict() | {_WRITTEN: names}
        if deleted := list(map(self._name, replaces)):
            record[_REPLACES] = deleted
        write_json(self.config, record)

    def _read_record(self) -> "_Record":
        """Reads `config.json`."""
        if not os.path.lexists(self.config):
            raise ValueError(f"{self._flag} must hold a run, got {str(self.path)!r}")
        try:
            record = json.loads(self.config.read_text(encoding="utf-8"))
            names, replaces = None, []
            if isinstance(record, dict):
                names, replaces = record.pop(_WRITTEN, None), record.pop(_REPLACES, [])
            # An edited list must not affect other files.
            replaced = [self.path / name for name in replaces if _RUN_FILE.fullmatch(name)]
            return _Record(run_config.parse_stored(record), names, replaced)
        except (OSError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(
                f"{self._flag} must hold a run of this version, got {str(self.path)!r}, whose config.json is not the "
                f"config of one: {error}"
            ) from error

    def _written(self, config: RunConfig) -> list[Path]:
        """Returns the files and folders that a run with a config writes, the config last."""
        states = [self.states] if config.num_states else []
        heldout = [self.heldout] if config.task.name in registries.PAIRS else []
        tokens = [self.tokens] if streams(config) else []
        folders = [*self._copies(config), *tokens, self.checkpoints, self.events]
        calls = [self.calls] if config.property.get("function") else []
        models = [self.model, self.best_model]
        always = [self.summary, self.metrics, self.samples, self.curves]
        return [*always, *states, *heldout, *calls, *models, *folders, self.config]

    def _copies(self, config: RunConfig) -> list[Path]:
        if streams(config):
            return []
        files = task_files(config)
        # Numbers of the same width, so that the names sort in numerical order.
        width = max(3, len(str(len(files) - 1)))
        return [self.data / f"{number:0{width}d}" / Path(file).name for number, file in enumerate(files)]

    def _own(self) -> list[Path]:
        """Returns the existing files and folders that the run in the folder wrote, its config last."""
        try:
            record = self._read_record()
        except ValueError:
            return []
        known, names = self._written(record.config), record.written
        # Only names that a run writes: an edited list must not affect other files. Older versions wrote no list, and no
        # models.
        since_then = (self.model, self.best_model, self.heldout)
        listed = [path for path in known if (path not in since_then if names is None else self._name(path) in names)]
        listed = [*record.replaces, *(path for path in listed if path not in record.replaces)]
        # Partial files that a killed process left.
        partial = [path.with_name(path.name + PARTIAL) for path in listed]
        return [path for path in [*partial, *listed] if os.path.lexists(path)]

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.path))

    def _top(self, path: Path) -> Path:
        """Returns the file or folder directly in the run's folder that equals a path or contains it."""
        return self.path / path.relative_to(self.path).parts[0]

    def _is_foreign(self, path: Path, own: list[Path]) -> bool:
        """Returns whether a path directly in the folder holds anything that no run wrote."""
        if path in own or not os.path.lexists(path):
            return False
        if path.is_symlink() or not path.is_dir():
            return True
        own_paths = set(own)
        files = (each for each in path.rglob("*") if each.is_symlink() or not each.is_dir())
        return any(own_paths.isdisjoint([each, *each.parents]) for each in files)

    def _delete(self, path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        # Folders of a copy that are empty now.
        for folder in path.relative_to(self.path).parents:
            if folder.parts and (self.path / folder).is_dir() and not any((self.path / folder).iterdir()):
                (self.path / folder).rmdir()


class _Record(NamedTuple):
    """The content of `config.json`.

    Attributes:
      config: the config.
      written: names of the files that the run writes; None if an older version wrote `config.json`.
      replaces: files of the previous run that are still to be deleted.
    """

    config: RunConfig
    written: list[str] | None
    replaces: list[Path]


# Relative paths that a run writes.
_RUN_FILE = re.compile(
    r"((summary|states)\.json|(model|best)\.safetensors|(metrics|calls)\.jsonl|samples\.txt|heldout\.tsv|curves\.png|data/\d{3,}/(?!\.\.?$)[^/]+|data/tokens)(\.partial)?|checkpoints|events"
)


def check_holds_no_run(path: str | Path, flag: str) -> None:
    """Checks that a folder can be written and is not the folder of a run, whose files would be overwritten.

    Args:
      path: the folder.
      flag: the flag that names the folder, for the error.

    Raises:
      ValueError: the folder cannot be written, or is the folder of a run.
    """
    check_writable(path, flag)
    if RunDirectory(path).holds_run():
        raise ValueError(f"{flag} must not be the folder of a run, got {str(path)!r}")


def check_writable(path: str | Path, flag: str) -> None:
    """Checks that a folder exists and can be written, or can be created.

    Args:
      path: the folder.
      flag: the flag that names the folder, for the error.

    Raises:
      ValueError: the folder cannot be written or created.
    """
    existing = Path(path)
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise ValueError(f"{flag} must be a folder, got {str(path)!r}: {existing} is a file")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ValueError(f"{flag} must be writable, got {str(path)!r}: no permission in {existing}")
