"""Test cases for saving, loading and exporting models."""

import tempfile
from pathlib import Path

import jax
import numpy as np
from hypothesis import strategies as st

import gumbel_gan as gg
from tests.properties import strategies as s
from tests.properties.case import PACKAGE, Case, arguments

_FOLDER = tempfile.TemporaryDirectory()
FOLDER = Path(_FOLDER.name)
TASK = gg.strings_task(["ab", "b", "a"], num_heldout=1)
MODEL = TASK.model(gg.lstm_generator(TASK.num_symbols, 2))
PARAMS = jax.tree.map(lambda leaf: np.ones(leaf.shape, leaf.dtype), jax.eval_shape(MODEL.init, jax.random.key(0)))
SAVED = gg.save(FOLDER / "saved", TASK, MODEL, PARAMS)

_NOT_PATHS = st.sampled_from((3, None, b"own", ["own"]))
_ABOUT = st.sampled_from((None, {}, {"seed": 3, "metrics": {"validity": 0.5}}))
_MODEL = {"task": st.just(TASK), "model": st.just(MODEL), "params": st.just(PARAMS), "about": _ABOUT}
_NOT_MODEL = {
    "task": st.sampled_from((None, "task", TASK.train)),
    "model": st.sampled_from((None, MODEL.generator, gg.sequence_model(MODEL.generator, length=TASK.length))),
    "params": st.sampled_from((None, {}, "params", 3.0, jax.tree.map(lambda leaf: leaf[None], PARAMS))),
    "about": st.sampled_from((3, "about", {"x": np.ones(2)}, {"x": float("nan")}, [1])),
}


def check_saved(result, given):
    assert result.parent == FOLDER
    assert gg.load(result).about == (given["about"] or {})


def check_loaded(result, given):
    jax.tree.map(np.testing.assert_array_equal, result.params, PARAMS)
    assert result.task.vocabulary == TASK.vocabulary


def check_exported(result, given):
    assert all(path.stat().st_size for path in result)


CASES = {
    "save": Case(
        gg.save,
        arguments(path=st.sampled_from((FOLDER, FOLDER / "own.safetensors")), replicas=st.just(False), **_MODEL),
        {"path": _NOT_PATHS, "replicas": s.NOT_BOOLS, **_NOT_MODEL},
        check_saved,
    ),
    "load": Case(
        gg.load,
        arguments(path=st.sampled_from((SAVED, str(SAVED.parent))), replica=s.integers(0, 0), generator=st.none()),
        {
            "path": _NOT_PATHS,
            "replica": s.integers_below(0).filter(lambda number: number is not None) | st.just(1),
            "generator": st.sampled_from((3, "lstm_generator", MODEL, gg.lstm_generator(9, 2))),
        },
        check_loaded,
    ),
    "export_model": Case(
        gg.export_model,
        arguments(path=st.just(FOLDER / "own.zip"), **_MODEL),
        {"path": _NOT_PATHS | st.sampled_from((FOLDER, "own.bin", PACKAGE / "a-b.zip")), **_NOT_MODEL},
        check_exported,
        num_examples=2,
    ),
}
