"""Trained models on disk: a safetensors file with the parameters and a description of the model.

The file holds no code. It names a function of `gumbel_gan.networks` and its arguments, from which a network of this
library is rebuilt; no other function is called. A network of your own is passed to `load`.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import safetensors
import safetensors.numpy

from gumbel_gan._paths import leaves_by_path, path_name
from gumbel_gan.arguments import require_at_least, require_kind
from gumbel_gan.data import Batch
from gumbel_gan.model import SequenceModel
from gumbel_gan.networks import Generator, Params, from_settings, settings_of
from gumbel_gan.tasks import Task, Vocabulary
from gumbel_gan.version import __version__

NAME = "model.safetensors"
"""Name of the file that `save` writes into a folder."""

_FORMAT = 1
_KEY = "gumbel_gan"


class Saved(NamedTuple):
    """A model from disk.

    Attributes:
      task: the vocabulary and the length, to encode and decode strings; its splits are empty, and it has no oracle.
      model: the model.
      params: the parameters of the model's generator.
      about: the facts that were passed to `save` as `about`.
    """

    task: Task
    model: SequenceModel
    params: Params
    about: dict[str, Any]


def save(
    path: str | Path,
    task: Task,
    model: SequenceModel,
    params: Params,
    *,
    replicas: bool = False,
    about: Mapping[str, Any] | None = None,
) -> Path:
    """Writes a model to disk atomically, to be read by `load`.

    Args:
      path: a file whose name ends in '.safetensors', or a folder for a file 'model.safetensors'. Missing folders are
        created.
      task: the task, whose name, vocabularies, lengths and image shape are stored.
      model: the model, `task.model(generator)`.
      params: the parameters of the model's generator, such as `algorithm.params(state)`.
      replicas: whether all parameters have a leading axis of replicas, such as seeds.
      about: other facts to store, such as settings and metrics; plain JSON.

    Returns:
      The path of the file.

    Raises:
      TypeError: an argument has the wrong type, or `about` is not plain JSON.
      ValueError: `model` is not a model of `task`, or `params` are not parameters of `model`.
      OSError: the file cannot be written.
    """
    file = _file(path)
    require_kind(bool, replicas=replicas)
    arrays = check_model(task, model, params, replicas=replicas)
    sizes = {leaf.shape[0] for leaf in arrays.values()} if replicas else {1}
    if len(sizes) != 1:
        raise ValueError(f"params must have one leading axis of replicas, got sizes {sorted(sizes)}")
    record = {
        "format": _FORMAT,
        "version": __version__,
        "task": {"name": task.name, "length": task.length, "image_shape": task.image_shape},
        "vocabulary": task.vocabulary._asdict(),
        "source": None if task.source is None else task.source._asdict(),
        "source_length": None if task.source is None else task.train.condition.shape[1],
        "generator": settings_of(model.generator),
        "num_latent_draws": model.num_latent_draws,
        "num_replicas": sizes.pop() if replicas else None,
        "about": plain(about),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(file.name + ".partial")
    # Not `save_file`, which writes a file that only its owner can read.
    partial.write_bytes(safetensors.numpy.save(arrays, metadata={_KEY: json.dumps(record)}))
    os.replace(partial, file)
    return file


def check_model(task: Task, model: SequenceModel, params: Params, *, replicas: bool = False) -> dict[str, np.ndarray]:
    """Checks that a task, a model and parameters match; the arguments and errors are those of `save`.

    Returns:
      The parameters by their names in the file.
    """
    require_kind(Task, task=task)
    require_kind(SequenceModel, model=model)
    num_symbols = model.generator.num_symbols
    if num_symbols != task.num_symbols:
        raise ValueError(f"model must be task.model(generator), with {task.num_symbols} symbols, got {num_symbols}")
    expected = task.model(model.generator)
    for name in ("length", "padding", "padding_ends", "allow_empty"):
        if getattr(model, name) != getattr(expected, name):
            difference = f"{name}={getattr(expected, name)}, got {getattr(model, name)}"
            raise ValueError(f"model must be task.model(generator), with {difference}")
    arrays = {name: np.array(leaf, order="C") for name, leaf in leaves_by_path(params).items()}
    found = {name: (leaf.shape[1:] if replicas else leaf.shape, leaf.dtype) for name, leaf in arrays.items()}
    _require_same(_types(_like(model.generator)), found, "params")
    return arrays


def plain(about: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns facts about a model as a dict of plain JSON; raises TypeError if they are not plain JSON."""
    if about is None:
        return {}
    require_kind(Mapping, about=about)
    try:
        return json.loads(json.dumps(dict(about), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise TypeError(f"about must be plain JSON: {error}") from error


def load(path: str | Path, *, replica: int = 0, generator: Generator | None = None) -> Saved:
    """Reads a model that `save` wrote, such as the model of a finished run.

    Args:
      path: the file, or the folder that holds a 'model.safetensors'.
      replica: index of the replica whose parameters are read.
      generator: the network, if it was not built by a function of this library.

    Returns:
      The task, the model, its parameters and the stored facts: `task, model, params, about = load(path)`.

    Raises:
      TypeError: an argument has the wrong type.
      FileNotFoundError: the file does not exist.
      ValueError: the file is damaged, has a format that this version does not read, or holds parameters that do not fit
        the generator; `generator` is needed but None, or has another number of symbols; or `replica` is out of range.
    """
    require_at_least(0, replica=replica)
    if generator is not None:
        require_kind(Generator, generator=generator)
    file = _file(path)
    if not file.is_file():
        raise FileNotFoundError(f"path must be a saved model, or a folder with a {NAME}, got {str(path)!r}: no {file}")
    try:
        opened = safetensors.safe_open(file, framework="flax")
    except (safetensors.SafetensorError, OSError) as error:
        raise ValueError(f"path must be a saved model, got {str(file)!r}, which is damaged: {error}") from error
    with opened as arrays:
        record = _record(file, arrays.metadata())
        num_replicas = record["num_replicas"]
        if replica >= (num_replicas or 1):
            raise ValueError(f"replica must be from 0 to {(num_replicas or 1) - 1} for {str(file)!r}, got {replica}")
        try:
            task = _task(record)
            built = _generator(record, generator)
            model = task.model(built, num_latent_draws=record["num_latent_draws"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{str(file)!r}: {error}") from error
        found = {
            name: arrays.get_tensor(name) if num_replicas is None else arrays.get_slice(name)[replica]
            for name in arrays.keys()  # noqa: SIM118
        }
    like = _like(built)
    _require_same(_types(like), {name: (leaf.shape, leaf.dtype) for name, leaf in found.items()}, str(file))
    params = jax.tree_util.tree_map_with_path(lambda path, _: found[path_name(path)], like)
    return Saved(task, model, params, record["about"])


def _file(path: str | Path) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path must be a path, got {path!r}")
    path = Path(path)
    return path if path.suffix == Path(NAME).suffix else path / NAME


def _record(file: Path, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    try:
        record = json.loads((metadata or {})[_KEY])
        known = record["format"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"path must be a model that gumbel_gan.save wrote, got {str(file)!r}") from error
    if known != _FORMAT:
        raise ValueError(
            f"path must be a model of format {_FORMAT}, which this version reads, got {str(file)!r} of format {known}, "
            f"written by version {record.get('version')}"
        )
    return record


def _task(record: Mapping[str, Any]) -> Task:
    """Returns the task of a record, with empty splits."""
    name, length, image_shape = (record["task"][each] for each in ("name", "length", "image_shape"))
    source = record.get("source")
    condition = None if source is None else np.zeros((0, record["source_length"]), np.int32)
    none = Batch(np.zeros((0, length), np.int32), condition)
    return Task(
        name,
        _vocabulary(record["vocabulary"]),
        none,
        none,
        none,
        image_shape=_tuples(image_shape),
        source=None if source is None else _vocabulary(source),
    )


def _vocabulary(fields: Mapping[str, Any]) -> Vocabulary:
    if unknown := fields.keys() - set(Vocabulary._fields):
        raise ValueError(f"a vocabulary must have no {', '.join(sorted(unknown))} in this version")
    return Vocabulary(**{name: _tuples(value) for name, value in fields.items()})


def _generator(record: Mapping[str, Any], generator: Generator | None) -> Generator:
    num_symbols = len(record["vocabulary"]["symbols"])
    if generator is None and record["generator"] is None:
        raise ValueError(
            "generator must be given, since the saved one was not built by a function of gumbel_gan.networks, got None"
        )
    built = from_settings(record["generator"]) if generator is None else generator
    if built.num_symbols != num_symbols:
        raise ValueError(f"generator must have {num_symbols} symbols, those of the vocabulary, got {built.num_symbols}")
    return built


def _like(generator: Generator) -> Params:
    """Returns the shapes and dtypes of a generator's parameters."""
    return jax.eval_shape(generator.init, jax.eval_shape(lambda: jax.random.key(0)))


def _types(tree: Any) -> dict[str, tuple[Any, Any]]:
    return {name: (leaf.shape, leaf.dtype) for name, leaf in leaves_by_path(tree).items()}


def _require_same(wanted: dict[str, tuple[Any, Any]], found: dict[str, tuple[Any, Any]], what: str) -> None:
    """Raises ValueError unless the arrays found have the wanted names, shapes and dtypes."""
    for name in sorted(wanted | found):
        if wanted.get(name) != found.get(name):
            raise ValueError(
                f"{what} must hold the parameters of this generator; {name} must be {_shown(wanted.get(name))}, "
                f"got {_shown(found.get(name))}"
            )


def _shown(kind: tuple[Any, Any] | None) -> str:
    return "absent" if kind is None else f"{kind[1]}[{', '.join(map(str, kind[0]))}]"


def _tuples(value: Any) -> Any:
    """Returns nested lists as tuples, since JSON turns tuples into lists."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
