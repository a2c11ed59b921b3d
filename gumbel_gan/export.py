"""Export of a trained model as compiled programs in one file, which can be opened without this library.

The file is a zip archive. It holds three programs of `jax.export`, `sample`, `complete` and `log_prob`, each for CPUs,
GPUs and TPUs and for any number of sequences; their shared weights, as NumPy arrays; and `model.json`, with the
vocabulary, the length and other facts about the model. Nothing is pickled. The programs of a model of pairs also take
the tokens of the sources, and there is a fourth program, `greedy`.
"""

import contextlib
import inspect
import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

from gumbel_gan import exported
from gumbel_gan.beam_search import beam_search
from gumbel_gan.model import SequenceModel
from gumbel_gan.networks import Params
from gumbel_gan.saving import check_model, plain
from gumbel_gan.tasks import Task
from gumbel_gan.version import __version__

PLATFORMS = ("cpu", "cuda", "tpu")

_FORMAT = 1
# The date of all entries of an archive, so that the same model gives the same file.
_DATE = (1980, 1, 1, 0, 0, 0)


def export_model(
    path: str | Path, task: Task, model: SequenceModel, params: Params, *, about: Mapping[str, Any] | None = None
) -> tuple[Path, Path]:
    """Writes a sampler, a completer and a scorer to a file, and a loader for the file next to it.

    For a task of pairs, these programs take sources of at most S symbols, the source length of the task, and greedy
    decoding is added as a fourth program.

    The loader needs jax, numpy and flatbuffers, but not this library. JAX can read exported programs for at least six
    months after the version that wrote them. Files written by `save` hold no programs and have no such limit.

    Args:
      path: the file, NAME.zip, with a NAME of letters, digits and underscores. The loader is load_NAME.py.
      task: the task, whose vocabularies of sequences and sources are stored.
      model: the model, `task.model(generator)`; its generator takes no condition, or the sources of a task of pairs.
      params: the parameters of the model's generator.
      about: other facts to store, such as settings and metrics; plain JSON.

    Returns:
      The paths of the file and of its loader.

    Raises:
      ImportError: flatbuffers is missing.
      TypeError: an argument has the wrong type, or `about` is not plain JSON.
      ValueError: `path` is not NAME.zip, or another file in its folder has the name of the loader; `model` is not a
        model of `task`; or `params` are not parameters of `model`.
      OSError: the file cannot be written.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path must be a path, got {path!r}")
    file = Path(path)
    if not re.fullmatch(r"\w+\.zip", file.name, re.ASCII):
        raise ValueError(f"path must be NAME.zip, with a NAME of letters, digits and underscores, got {str(path)!r}")
    loader, source = file.with_name(f"load_{file.stem}.py"), inspect.getsource(exported)
    if loader.exists() and loader.read_text(encoding="utf-8", errors="replace").split("\n")[0] != source.split("\n")[0]:
        raise ValueError(f"path must be in a folder without another file called {loader.name}, got {str(path)!r}")
    check_model(task, model, params)
    about = plain(about)
    leaves, structure = jax.tree.flatten(params)
    source_length = None if task.source is None else task.train.condition.shape[1]
    programs = {
        name: _exported(function, leaves, arguments)
        for name, (function, arguments) in _functions(model, structure, source_length).items()
    }
    facts = {
        "format": _FORMAT,
        "version": __version__,
        "jax_version": jax.__version__,
        "programs": list(programs),
        "dtypes": [jnp.dtype(leaf.dtype).name for leaf in leaves],
        "vocabulary": task.vocabulary._asdict(),
        "length": model.length,
        "about": about,
    }
    if task.source is not None:
        facts |= {"source": task.source._asdict(), "source_length": source_length}
    contents = {"model.json": json.dumps(facts, indent=1).encode()}
    contents |= {f"{name}.bin": program for name, program in programs.items()}
    contents |= {f"weights/{number}.npy": _npy(leaf) for number, leaf in enumerate(leaves)}
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), content, zipfile.ZIP_DEFLATED)
    os.replace(partial, file)
    loader.write_text(source, encoding="utf-8")
    return file, loader


def _functions(
    model: SequenceModel, structure: Any, source_length: int | None
) -> dict[str, tuple[Callable[..., jax.Array], tuple[Any, ...]]]:
    """Returns the functions to export by name, with the types of their arguments after the list of weights.

    Args:
      model: the model.
      structure: tree structure of the model's parameters.
      source_length: S, length of the sources that each function takes; None if the model has no sources.
    """
    (num,) = export.symbolic_shape("num")
    key = jax.eval_shape(lambda: jax.random.key(0))
    rows = jax.ShapeDtypeStruct((num,), jnp.bool)
    numbers = jax.ShapeDtypeStruct((num,), jnp.int32)
    tokens = jax.ShapeDtypeStruct((num, model.length), jnp.int32)
    temperature = jax.ShapeDtypeStruct((), jnp.float32)
    sources = () if source_length is None else (jax.ShapeDtypeStruct((num, source_length), jnp.int32),)

    def params(weights: list[jax.Array]) -> Params:
        return jax.tree.unflatten(structure, weights)

    def sample(weights: list[jax.Array], key: jax.Array, rows: jax.Array, temperature: jax.Array) -> jax.Array:
        # A number of sequences can be symbolic only as the size of an array.
        condition = None if source_length is None else rows
        return model.sample(key, params(weights), rows.shape[0], temperature=temperature, condition=condition)

    def greedy(weights: list[jax.Array], key: jax.Array, sources: jax.Array) -> jax.Array:
        latent_key = None if model.generator.sample_latent is None else key
        num = sources.shape[0]
        return beam_search(model, params(weights), num, beam_size=1, condition=sources, key=latent_key).tokens[:, 0]

    def complete(
        weights: list[jax.Array],
        key: jax.Array,
        tokens: jax.Array,
        num_given: jax.Array,
        temperature: jax.Array,
        sources: jax.Array | None = None,
    ) -> jax.Array:
        return model.complete(key, params(weights), tokens, num_given, temperature=temperature, condition=sources)

    def log_prob(weights: list[jax.Array], tokens: jax.Array, sources: jax.Array | None = None) -> jax.Array:
        return model.log_prob(params(weights), tokens, condition=sources)

    functions: dict[str, tuple[Callable[..., jax.Array], tuple[Any, ...]]] = {
        "sample": (sample, (key, *(sources or (rows,)), temperature)),
        "complete": (complete, (key, tokens, numbers, temperature, *sources)),
        "log_prob": (log_prob, (tokens, *sources)),
    }
    return functions | ({"greedy": (greedy, (key, *sources))} if sources else {})


def _exported(function: Callable[..., jax.Array], weights: list[jax.Array], arguments: tuple[Any, ...]) -> bytes:
    """Returns a function as a serialized program for all platforms."""
    types = [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in weights]
    with _without_source_paths():
        program = export.export(jax.jit(function), platforms=PLATFORMS)(types, *arguments)
    try:
        return bytes(program.serialize())
    except ImportError as error:
        raise ImportError("export_model needs flatbuffers: pip install 'gumbel_gan[export]'") from error


@contextlib.contextmanager
def _without_source_paths() -> Iterator[None]:
    """Keeps the paths of source files out of programs."""
    name = "jax_traceback_in_locations_limit"
    limit = getattr(jax.config, name)
    jax.config.update(name, 0)
    try:
        yield
    finally:
        jax.config.update(name, limit)


def _npy(leaf: Any) -> bytes:
    """Returns an array as the content of a `.npy` file; arrays of dtypes that NumPy lacks are stored as raw bytes."""
    array, buffer = np.asarray(leaf), io.BytesIO()
    np.save(buffer, array if array.dtype.isbuiltin == 1 else array.view(f"V{array.dtype.itemsize}"), allow_pickle=False)
    return buffer.getvalue()
