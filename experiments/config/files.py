"""The files that a config names, resolved so that they can be found again at another time and place."""

import hashlib
import json
from pathlib import Path

from experiments.config import registries
from experiments.config.run_config import RunConfig
from experiments.config.values import parameters, paths
from gumbel_gan.tasks import files_digest, resolve_stream
from gumbel_gan.tasks.grammar import productions


def read_by(config: RunConfig) -> list[Path]:
    """Returns the files that a config reads: the files of sequences, and the file of the grammar if there is one.

    Args:
      config: a config that `self_contained` accepts.
    """
    found = [Path(file) for file in task_files(config)]
    grammar = config.task.settings.get("grammar")
    if grammar is not None and productions(grammar) != grammar:
        found.append(Path(grammar))
    return found


def task_files(config: RunConfig) -> tuple[str, ...]:
    """Returns the paths of the files of sequences that a config names.

    Raises:
      ValueError: the setting `files` of the task does not name files.
    """
    return paths(config.task.settings.get("files") or (), "config.task.files")


def streams(config: RunConfig) -> bool:
    """Returns whether the sequences of a config from `self_contained` are streamed from files."""
    return config.task.settings.get("stream") == "always"


def tokens_folder(config: RunConfig, workdir: Path) -> Path:
    """Returns the folder of a run's tokenized text. It is next to the run's folder; runs on the same text share it.

    Args:
      config: a config that `self_contained` returned.
      workdir: the run's folder.
    """
    settings = {name: value for name, value in config.task.settings.items() if name not in ("files", "tokens")}
    key = hashlib.sha256(json.dumps(settings, sort_keys=True, default=list).encode()).hexdigest()
    return workdir.resolve().parent / ".tokens" / key[:16]


def self_contained(config: RunConfig) -> RunConfig:
    """Returns a config that has the same meaning at another time and place.

    The file of a grammar is replaced by its contents. Files of sequences get absolute paths, and a digest that
    identifies their contents.

    Raises:
      ValueError: the grammar is not a name, a file or productions; the path of a file has a comma; or a file cannot be
        read.
    """
    task = config.task
    changes = {}
    try:
        if "grammar" in task.settings:
            changes["grammar"] = productions(task.settings["grammar"])
        if files := task_files(config):
            resolved = [str(Path(file).resolve()) for file in files]
            if any("," in file for file in resolved):
                raise ValueError(f"files must have no comma in their paths, got {resolved}")
            changes["files"] = ",".join(resolved)
            if "stream" in task.settings:
                changes["stream"] = resolve_stream(files, task.settings["stream"])
            if task.name in registries.TASKS and "digest" in parameters(registries.TASKS[task.name]):
                changes["digest"] = task.settings.get("digest") or files_digest(files)
    except (TypeError, ValueError, OSError) as error:
        message = str(error)
        raise ValueError(message if message.startswith("config.") else f"config.task: {message}") from error
    return config.with_task(**changes)
