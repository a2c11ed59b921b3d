"""A finished run, used elsewhere: loading, scoring, completion and export, by the commands and from Python."""

import json
import os

import jax
import numpy as np
import pytest

import gumbel_gan as gg
from experiments import cli
from experiments.config import locate, run_config
from experiments.configs import pronunciation, text
from experiments.run.pair_lines import pair_reader
from experiments.run.restore import replica_state, restore
from experiments.run.strings import LineReader
from gumbel_gan.networks import settings_of
from gumbel_gan.tasks.pairs import Pair, PairUnits, split_pairs_task
from gumbel_gan.tasks.units import find_unit
from tests.commands import ROOT, run

LINES = ["x+x", "x", "xyz", "x+x+x+x+x", "x*x/x", ""]
SETTINGS = ("--config.num_seeds=2", "--config.num_steps=20", "--config.algorithm.generator.hidden_size=4")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run, trained from a folder outside the repository."""
    folder = tmp_path_factory.mktemp("elsewhere")
    status, _, errors = run("train", "--workdir=run", "--config=quicktest.py", *SETTINGS, cwd=folder)
    assert status == 0, errors
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
    assert settings_of(model.generator) == settings_of(restored.experiment.model.generator)
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
        ("score", ("--workdir={run}", "--input={tmp}/no.txt"), "--input must be a file that can be read"),
        ("sample", ("--workdir={run}", "--prefix=xyz"), "--prefix must be the beginning of a sequence of the model"),
    ],
)
def test_mistakes_are_one_line(command, arguments, message, finished, tmp_path):
    given = [argument.format(run=finished, tmp=tmp_path) for argument in arguments]
    status, output, errors = run(command, *given)
    assert (status, output, errors.count("\n")) == (1, "", 1), errors
    assert errors.startswith("error: ")
    assert message in errors
    assert not list(tmp_path.iterdir())


def test_mistakes_are_named(finished, restored, tmp_path):
    vocabulary = restored.experiment.task.vocabulary
    for call, message in (
        (lambda: replica_state(restored, 2), "--index must be from 0 to 1, got 2"),
        (lambda: restore(finished, platform=None, checkpoint="best"), "--checkpoint must be last"),
        (lambda: cli.check_output_file(f"{tmp_path}/no/own.zip", "--output"), "in a folder that exists"),
        (lambda: cli.check_output_file(str(tmp_path), "--output"), "--output must be a file, got .* a folder"),
        (lambda: vocabulary.encode_prefixes(["x+x+x+x+x"], 8), "must be at most 8 symbols long"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_lines_are_read_as_training_read_them():
    strings = ["a b", "b a", "a b u", "b a v", "b w", "a x"]
    task = gg.strings_task(strings, unit="words", min_count=2, num_heldout=1)
    config = run_config.parse(text.get_config())
    reader = LineReader(config.with_task(lowercase=True), task)
    assert reader.symbols(["  A what B ", "b"]) == [["a", "<unk>", "b"], ["b"]]
    tokens, problems = reader.tokens(["a b", "a b c d e f", "b"])
    assert task.decode(tokens) == ["a b", "b"]
    assert list(problems) == [1]
    assert LineReader(config, task, escaped=True).string(r"a\nb\\") == "a\nb\\"
    accented = gg.strings_task([*strings, "caf\u00e9 b", "caf\u00e9"], unit="words", min_count=2, num_heldout=1)
    assert LineReader(config, accented).symbols(["cafe\u0301 c"]) == [["caf\u00e9", "<unk>"]]
    compatible = config.with_task(lowercase=True, normalize="NFKC")
    assert LineReader(compatible, gg.strings_task(["h", "ha", "b"])).symbols(["\u210ba"]) == ["ha"]


def test_pairs_are_read_as_training_read_them():
    config = run_config.parse(pronunciation.get_config())
    pairs = [Pair("ab", ("X", "Y")), Pair("ba", ("Y",)), Pair("b", ("X",)), Pair("aa", ("Y", "Y"))]
    settings = {"max_length": 0, "max_source_length": 0, "num_heldout": 1, "max_symbols": 9, "seed": 0, "notes": ()}
    units = PairUnits(find_unit("characters"), find_unit("words"))
    task = split_pairs_task("mine", pairs, units, min_count=1, normalize="NFC", **settings)
    lines = ["AB\t Y  Y ", "ab\tx", "ac\tY", "a\tY <unk>", "aba\tY\tX"]
    data, problems = pair_reader(config, task).pairs(lines)
    assert (task.source.decode(data.condition), task.decode(data.tokens)) == (["ab", "aba"], ["Y Y", "Y"])
    assert data.condition.shape == (2, 4)
    assert problems == {
        1: "training never saw 'x', a symbol of its target",
        2: "training never saw 'c', a symbol of its source",
        3: "training never saw '<unk>', a symbol of its target",
    }
    # Symbols that training read as unknown are read as unknown again.
    task = split_pairs_task("mine", pairs, units, min_count=4, normalize="NFC", **settings)
    data, problems = pair_reader(config, task).pairs(lines)
    assert task.decode(data.tokens)[1] == "<unk>"
    assert problems == {}


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
