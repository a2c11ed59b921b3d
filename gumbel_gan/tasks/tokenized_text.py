"""Folders of tokenized text, as `streamed_text.tokenize` writes them: their settings and their tasks."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gumbel_gan.data import Batch
from gumbel_gan.tasks.interface import Task
from gumbel_gan.tasks.token_rows import TokenRows, token_dtype
from gumbel_gan.tasks.units import Unit, find_unit
from gumbel_gan.tasks.vocabulary import Vocabulary

ABOUT, TRAIN_TOKENS = "tokens.json", "train.bin"
"""Names of the files in a folder of tokenized text."""
VERSION = 2
# Version 1 does not record the files and the settings.
_READABLE = (1, 2)


class TextSettings(NamedTuple):
    """How a text is tokenized; the fields are arguments of `text_task`."""

    unit: str
    max_length: int
    lowercase: bool
    min_count: int
    too_long: str
    window: int
    deduplicate: bool
    num_heldout: int
    max_symbols: int
    encoding: str
    normalize: str
    seed: int

    @property
    def symbol_unit(self) -> Unit:
        """The unit of a symbol."""
        return find_unit(self.unit)


def is_tokenized(folder: Path) -> bool:
    """Returns whether a folder holds a tokenized text."""
    return (folder / ABOUT).exists()


def tokenized_task(folder: Path, settings: TextSettings, *, digest: str = "", choose: Collection[str] = ()) -> Task:
    """Builds the task of a tokenized text.

    Args:
      folder: a folder written by `tokenize`.
      settings: the required settings of the tokenized text.
      digest: the required digest of the tokenized files; '' accepts any files.
      choose: as in `tokenize`. For a setting that was chosen, `settings` may also give the chosen value.

    Returns:
      A `Task` whose `stream` holds all training sequences, and whose `train` holds a sample of them.

    Raises:
      ValueError: the folder does not hold a tokenized text, or its version, files or settings are different.
    """
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about["version"] not in _READABLE:
            raise ValueError(f"got version {about['version']}")
        sample, validation, test = (Batch(np.load(folder / f"{name}.npy")) for name in ("sample", "validation", "test"))
        vocabulary = Vocabulary(**about["vocabulary"] | {"symbols": tuple(about["vocabulary"]["symbols"])})
        rows = TokenRows(folder / TRAIN_TOKENS, about["num"], about["length"], token_dtype(vocabulary.size))
        name, notes = about["name"], tuple(about["notes"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{folder} must hold a tokenized text of version {VERSION}: {error}") from error
    _require_same(about, folder, settings, digest, choose)
    chosen = {name: value for name, value in about.get("chosen", {}).items() if name in choose}
    return Task(name, vocabulary, sample, validation, test, notes=notes, stream=rows, chosen=chosen)


def _require_same(
    about: dict[str, Any], folder: Path, settings: TextSettings, digest: str, choose: Collection[str]
) -> None:
    """Checks that a tokenized text has the given digest and settings."""
    stored = about.get("digest", "")
    if digest and stored and digest != stored:
        raise ValueError(f"files must be those of the tokenized text in {folder}, of digest {stored}, got {digest}")
    for name, value in about.get("settings", {}).items():
        given = None if name in choose else getattr(settings, name)
        if given != value and not (given is None and name in about["chosen"]):
            raise ValueError(f"{name} must be {value!r}, as for the tokenized text in {folder}, got {given!r}")
