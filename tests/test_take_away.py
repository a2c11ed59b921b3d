"""A finished run that is taken away: loaded, scored, completed and exported, by the commands and from Python."""

import json
import os
import subprocess
import sys

import jax
import numpy as np
import pytest

import gumbel_gan as gg
from experiments.config import locate
from experiments.run.restore import restore
from tests.commands import ENVIRONMENT, ROOT, run

LINES = ["x+x", "x", "xyz", "x+x+x+x+x", "x*x/x", ""]
SETTINGS = ("--config.num_seeds=2", "--config.num_steps=20", "--config.algorithm.generator.hidden_size=4")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run, trained from a folder outside the repository."""
    folder = tmp_path_factory.mktemp("elsewhere")
    command = [sys.executable, "-m", "experiments.train", "--workdir=run", "--config=quicktest.py", *SETTINGS]
    environment = ENVIRONMENT | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.fixture(scope="module")
def restored(finished):
    return restore(finished, platform=None)


def params_of(restored, index):
    return jax.tree.map(lambda leaf: leaf[index], restored.experiment.algorithm.params(restored.state))


def test_two_lines_of_python_load_a_run(finished, restored):
    task, model, params, about = gg.load(finished, replica=1)
    assert task.encode(["x+x"]).shape == (1, 8)
    jax.tree.map(np.testing.assert_array_equal, params, params_of(restored, 1))
    assert model.generator.built_by == restored.experiment.model.generator.built_by
    assert about["seeds"] == [0, 1]
    assert about["steps"] == [20, 20]
    assert about["settings"]["num_steps"] == 20
    assert about["metrics"]["validity"] == json.loads((finished / "summary.json").read_text())["validity"]
    assert len(about["data_digest"]) == 64
    assert not (finished / "best.safetensors").exists()  # an exact task keeps no best states by default


def test_every_line_has_a_score_or_a_reason(finished, restored, tmp_path):
    (tmp_path / "lines.txt").write_text("".join(f"{line}\n" for line in LINES))
    arguments = (f"--workdir={finished}", f"--input={tmp_path / 'lines.txt'}", "--index=1")
    status, output, errors = run("score", *arguments, f"--output={tmp_path / 'scores.tsv'}")
    assert (status, output) == (0, ""), errors
    rows = [line.split("\t") for line in (tmp_path / "scores.tsv").read_text().splitlines()]
    assert rows[0] == ["log_prob", "discriminator_logit", "string"]
    assert [row[2] for row in rows[1:]] == LINES
    assert [index for index, row in enumerate(rows[1:]) if row[:2] == ["", ""]] == [2, 3]
    assert "line 3 has no score: strings must be over the symbols" in errors
    assert "line 4 has no score: strings must be at most 8 symbols long" in errors
    assert "4 of 6 lines have a score" in errors
    kept = [0, 1, 4, 5]
    tokens = restored.experiment.task.encode([LINES[index] for index in kept])
    state = jax.tree.map(lambda leaf: leaf[1], restored.state)
    algorithm = restored.experiment.algorithm
    for column, scores in (
        (0, algorithm.model.log_prob(params_of(restored, 1), tokens)),
        (1, algorithm.discriminator_logits(state, tokens)),
    ):
        np.testing.assert_allclose([float(rows[1 + index][column]) for index in kept], scores, rtol=1e-4, atol=1e-5)


def test_prefixes_are_completed(finished, tmp_path):
    (tmp_path / "prefixes.txt").write_text("x+\n\nx*x-\n")
    status, output, errors = run(
        "sample", f"--workdir={finished}", f"--prefix_file={tmp_path / 'prefixes.txt'}", "--num=3"
    )
    assert status == 0, errors
    lines = output.splitlines()
    assert len(lines) == 9
    assert all(line.startswith("x+") for line in lines[:3])
    assert all(line.startswith("x*x-") for line in lines[6:])
    assert run("sample", f"--workdir={finished}", "--prefix=x-", "--num=2")[1].count("x-") >= 2


def test_an_exported_run_is_whole(finished, restored, tmp_path):
    status, output, errors = run("export", f"--workdir={finished}", f"--output={tmp_path / 'own.zip'}", "--index=1")
    assert status == 0, errors
    names = ["own.zip", "load_own.py", "own.safetensors", "own.md"]
    assert output.splitlines() == [str(tmp_path / name) for name in names]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    _, _, params, about = gg.load(tmp_path / "own.safetensors")
    jax.tree.map(np.testing.assert_array_equal, params, params_of(restored, 1))
    assert (about["seed"], about["step"], about["checkpoint"]) == (1, 20, "last")
    with np.load(tmp_path / "own.zip") as archive:
        assert json.loads(archive["model.json"])["about"] == about
    card = (tmp_path / "own.md").read_text()
    for words in (
        "# Model card of own",
        "## Limits",
        about["data_digest"],
        '"num_steps": 20',
        "validity",
        "load_own.load",
    ):
        assert words in card
    assert str(tmp_path) not in card


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        ("export", ("--workdir={run}/no", "--output={tmp}/own.zip"), "--workdir must hold a finished run"),
        ("export", ("--workdir={run}", "--output={tmp}/no/own.zip"), "--output must be a file in a folder that exists"),
        ("export", ("--workdir={run}", "--output={tmp}/own.bin"), "path must be NAME.zip"),
        ("export", ("--workdir={run}", "--output={tmp}/own.zip", "--index=2"), "--index must be from 0 to 1, got 2"),
        ("export", ("--workdir={run}", "--output={tmp}/own.zip", "--checkpoint=best"), "--checkpoint must be last"),
        ("score", ("--workdir={run}/no", "--input=README.md"), "--workdir must hold a run"),
        ("score", ("--workdir={run}", "--input={tmp}/no.txt"), "--input must be a file that can be read"),
        ("sample", ("--workdir={run}", "--prefix=xyz"), "--prefix must be the beginning of a sequence of the model"),
        ("sample", ("--workdir={run}", "--prefix=x+x+x+x+x"), "must be at most 8 symbols long"),
        ("sample", ("--workdir={run}", "--prefix=x", "--length=3"), "--length must be left out"),
        ("sample", ("--workdir={run}", "--prefix_file={tmp}/no.txt"), "--prefix_file must be a file that can be read"),
    ],
)
def test_mistakes_are_one_line(command, arguments, message, finished, tmp_path):
    given = [argument.format(run=finished, tmp=tmp_path) for argument in arguments]
    status, output, errors = run(command, *given)
    assert (status, output, errors.count("\n")) == (1, "", 1), errors
    assert errors.startswith("error: ")
    assert message in errors
    assert not list(tmp_path.iterdir())


def test_config_files_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("")
    configs = ROOT / "experiments" / "configs"
    arguments = ["train", "--config=experiments/configs/paper.py:a", "--config", "text.py", "--config.seed=3"]
    locate.locate(arguments)
    assert arguments == ["train", f"--config={configs}/paper.py:a", "--config", f"{configs}/text.py", "--config.seed=3"]
    assert locate.located("mine.py:x") == "mine.py:x"
    assert locate.located("no.py") == "no.py"
    assert os.path.isfile(locate.DEFAULT)
