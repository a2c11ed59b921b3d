"""The files of one run: where they lie, how they are written, and what keeps a run from being lost."""

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

# Keys of `config.json` beside the config itself: what the run writes into its folder; and, while it begins, what of the
# run before is still to be deleted.
_WRITTEN, _REPLACES = "written", "replaces"
CHANGEABLE = ("num_steps", "patience", "chunks_per_checkpoint", "seconds_per_checkpoint", "platform")
"""What a resumed run may change: how far it goes and how it is kept, not what it computes."""


class RunDirectory:
    """The folder of a run.

    Attributes:
      path: the folder.
      config: `config.json`, the whole config; its presence makes the folder a run.
      metrics: `metrics.jsonl`, a row a chunk; a metric is a list of one number a member.
      summary: `summary.json`, written last; its presence says that the run is complete.
      calls: `calls.jsonl`, the calls of the property that it raises; none where it has none.
      samples: `samples.txt`, a string a line, the members one after the other.
      curves: `curves.png`.
      states: `states.json`, recurrent states as points of the plane; none where the config asks for none.
      heldout: `heldout.tsv`, the pairs that the run is not trained on; none for a task without pairs.
      model: `model.safetensors`, the generators of the newest states, which `gumbel_gan.load` reads.
      best_model: `best.safetensors`, those of the best states; none where the run keeps no best states.
      checkpoints: folder of the training state.
      data: folder of copies of the files that the run learns from; none where it learns from no files.
      tokens: folder of its tokenized text, in their place, where it streams.
      events: folder of TensorBoard's events, a subfolder a member.
      lock: keeps other processes from writing into the folder.
    """

    def __init__(self, path: str | Path, flag: str = "--workdir"):
        """Names the files; touches none.

        Args:
          path: the folder, which need not exist.
          flag: what names it, for errors.
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
          ValueError: the folder holds a run and `overwrite` is false; the new run would write over files that no run
            wrote; or a file that it reads would be deleted.
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
        """Writes `config.json` and deletes what `check_start` returns; the arguments and errors are its own.

        In one file operation the folder becomes that of the new run; if it is cut short later, `finish_start` goes on.
        """
        deleted = [path for path in self.check_start(config, overwrite=overwrite, reads=reads) if path != self.config]
        self.path.mkdir(parents=True, exist_ok=True)
        self._write_record(config, replaces=deleted)
        self.finish_start()

    def is_starting(self) -> bool:
        """Returns whether the run before is not deleted yet, so that the files are its own."""
        return bool(self._read_record().replaces)

    def finish_start(self) -> None:
        """Deletes what is left of the run that this one replaces."""
        record = self._read_record()
        if record.replaces:
            for path in record.replaces:
                self._delete(path)
            self._write_record(record.config)

    def extend(self, config: RunConfig) -> None:
        """Changes the config of the run to one that `check_resumable` accepts; it is no finished run then."""
        if config != self.read_config():
            self.summary.unlink(missing_ok=True)
            self._write_record(config)

    def keep_files(self, config: RunConfig) -> None:
        """Copies the files that the run learns from, so that it can be sampled where they are not."""
        for file, copy in zip(task_files(config), self._copies(config), strict=not streams(config)):
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                partial = copy.with_name(copy.name + PARTIAL)
                shutil.copyfile(file, partial)
                partial.replace(copy)

    def keep_tokens(self, config: RunConfig, folder: Path) -> None:
        """Keeps the tokenized text of a run that streams: by links to the files in a folder, or else by copies."""
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
        """Returns a config that reads what the run keeps in its folder, if it keeps anything, and not the files."""
        if streams(config):
            return config.with_task(tokens=str(self.tokens)) if is_tokenized(self.tokens) else config
        kept = self.kept_files()
        return config.with_task(files=kept) if kept else config

    def kept_files(self) -> list[str]:
        """Returns the copies that `keep_files` made, in its order; none where one is missing."""
        record = self._read_record()
        copies = [] if record.replaces else self._copies(record.config)
        return [str(copy) for copy in copies] if all(copy.exists() for copy in copies) else []

    def check_resumable(self, config: RunConfig) -> None:
        """Checks that the folder holds a run of this very config.

        Args:
          config: the config to go on with.

        Raises:
          ValueError: the folder holds no run, or one of another config; only how far a run goes and how it is kept may
            differ.
        """
        difference = self.first_difference(config, but=CHANGEABLE)
        if difference is not None:
            raise ValueError(
                f"--resume needs the config of the run in {str(self.path)!r}; "
                f"config.{difference} differs: without --config flags, the run's own is used"
            )

    def first_difference(self, config: RunConfig, *, but: Iterable[str] = ()) -> str | None:
        """Returns the first setting in which the run's config differs from another; raises where there is no run."""
        stored, given = flatten(self.read_config().to_dict()), flatten(config.to_dict())
        return min((name for name, _ in stored.items() ^ given.items() if name not in but), default=None)

    def read_config(self) -> RunConfig:
        """Reads the run's config.

        Raises:
          ValueError: the folder holds no run: there is no `config.json`, or one of something else.
        """
        return self._read_record().config

    def read_metrics(self) -> list[Row]:
        """Reads the rows written so far; a line that a killed process left half-written is dropped.

        Raises:
          ValueError: another line is no row.
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
        """Reads the summary; raises ValueError where the run is not finished."""
        if not self.summary.exists():
            state = "an unfinished one" if self.holds_run() else "none"
            raise ValueError(f"{self._flag} must hold a finished run, but {str(self.path)!r} holds {state}")
        return json.loads(self.summary.read_text(encoding="utf-8"))

    def read_samples(self) -> list[str]:
        """Reads the samples, which may be empty strings."""
        return read_samples(self.samples)

    def read_states(self) -> list[Row] | None:
        """Reads the points of the recurrent states, an entry a point of the sweep; None where there are none."""
        return json.loads(self.states.read_text(encoding="utf-8")) if self.states.exists() else None

    def keep_metrics(self, last_step: int) -> None:
        """Drops the rows after a step, from which a resumed run goes on."""
        rows = [row for row in self.read_metrics() if row["step"] <= last_step]
        write_text(self.metrics, "".join(json.dumps(row) + "\n" for row in rows))

    def newest_step(self) -> int:
        """Returns the step of the newest checkpoint by its name; 0 where there is none."""
        return max((int(path.name) for path in self.checkpoints.glob("*") if path.name.isdigit()), default=0)

    def wall_seconds(self) -> float:
        """Returns the seconds spent: by the whole run where it is finished, else up to its last row."""
        if self.summary.exists():
            return self.read_summary()["wall_seconds"]
        rows = self.read_metrics()
        return rows[-1]["wall_seconds"] if rows else 0.0

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
            # A list that was edited must not reach other files.
            replaced = [self.path / name for name in replaces if _RUN_FILE.fullmatch(name)]
            return _Record(run_config.parse_stored(record), names, replaced)
        except (OSError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(
                f"{self._flag} must hold a run of this version, got {str(self.path)!r}, whose config.json is not the "
                f"config of one: {error}"
            ) from error

    def _written(self, config: RunConfig) -> list[Path]:
        """Returns what a run of a config writes, the config last."""
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
        # Numbers of one width, so that they sort as they count.
        width = max(3, len(str(len(files) - 1)))
        return [self.data / f"{number:0{width}d}" / Path(file).name for number, file in enumerate(files)]

    def _own(self) -> list[Path]:
        """Returns what there is of the files and folders that the run in the folder wrote, its config last."""
        try:
            record = self._read_record()
        except ValueError:
            return []
        known, names = self._written(record.config), record.written
        # Only names that a run has: a list that was edited must not reach other files. Older versions wrote no list,
        # and no models.
        since_then = (self.model, self.best_model, self.heldout)
        listed = [path for path in known if (path not in since_then if names is None else self._name(path) in names)]
        listed = [*record.replaces, *(path for path in listed if path not in record.replaces)]
        # What a process that was killed left of one of them.
        partial = [path.with_name(path.name + PARTIAL) for path in listed]
        return [path for path in [*partial, *listed] if os.path.lexists(path)]

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.path))

    def _top(self, path: Path) -> Path:
        """Returns the file or folder directly in the run's folder that a path is, or lies in."""
        return self.path / path.relative_to(self.path).parts[0]

    def _is_foreign(self, path: Path, own: list[Path]) -> bool:
        """Returns whether a path directly in the folder holds anything but what a run wrote."""
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
        # The folders of a copy, where nothing else lies in them.
        for folder in path.relative_to(self.path).parents:
            if folder.parts and (self.path / folder).is_dir() and not any((self.path / folder).iterdir()):
                (self.path / folder).rmdir()


class _Record(NamedTuple):
    """What `config.json` holds.

    Attributes:
      config: the config.
      written: what the run writes; None where an older version wrote the file.
      replaces: what is still to be deleted of the run before.
    """

    config: RunConfig
    written: list[str] | None
    replaces: list[Path]


# Relative paths that a run writes.
_RUN_FILE = re.compile(
    r"((summary|states)\.json|(model|best)\.safetensors|(metrics|calls)\.jsonl|samples\.txt|heldout\.tsv|curves\.png|data/\d{3,}/(?!\.\.?$)[^/]+|data/tokens)(\.partial)?|checkpoints|events"
)


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
