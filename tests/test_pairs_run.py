"""A run on a file of pairs: training, targets of new sources, scores, timing and export."""

import itertools
import json

import numpy as np
import pytest

import gumbel_gan as gg
from gumbel_gan import exported
from tests.commands import run

pytestmark = pytest.mark.slow

SETTINGS = (
    *("--config.num_steps=4", "--config.steps_per_chunk=2", "--config.batch_size=8", "--config.num_samples=6"),
    *("--config.algorithm.generator.hidden_size=4", "--config.beam_size=2", "--config.num_compared=4"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    words = ["".join(word) for word in itertools.product("abcd", repeat=3)]
    lines = [f"{word}\t{word[::-1]}\n" for word in words]
    (folder / "mine.tsv").write_text("no tab\n" + "".join(lines) + "abc\tccc\n")
    arguments = ("--workdir=run", "--config=pairs.py", "--config.task.files=mine.tsv", *SETTINGS)
    status, output, errors = run("train", *arguments, cwd=folder)
    assert status == 0, errors
    assert "Lines without a tab, left out: 1" in output
    return folder


def test_a_run_reports_error_rates_and_writes_what_is_held_out(folder):
    summary = json.loads((folder / "run" / "summary.json").read_text())
    for decoding, name in itertools.product(("greedy", "beam"), ("sequence_error", "symbol_error")):
        (value,) = summary[f"{name}_{decoding}"]
        assert 0 < value <= 3
        low, high = summary["intervals"][f"{name}_{decoding}"][0]
        assert low <= value <= high
    assert "sequence_error_greedy" in json.loads((folder / "run" / "metrics.jsonl").read_text().splitlines()[0])
    rows = [line.split("\t") for line in (folder / "run" / "heldout.tsv").read_text().splitlines()]
    assert {split for split, _, _ in rows} == {"validation", "test"}
    tests = [source for split, source, _ in rows if split == "test"]
    samples = [line.split("\t") for line in (folder / "run" / "samples.txt").read_text().splitlines()]
    assert [source for source, _ in samples] == tests[:6]


def test_sources_have_their_targets_line_by_line(folder):
    (folder / "sources.txt").write_text("abca\n\nzab\n")
    arguments = ("--workdir=run", "--source=sources.txt", "--beam=3", "--num=2")
    status, output, errors = run("sample", *arguments, cwd=folder)
    assert status == 0, errors
    lines = output.splitlines()
    assert len(lines) == 6
    assert lines[2:4] == ["", ""]
    assert lines[0] != lines[1]
    assert "blank sources, whose targets are blank too: 1" in errors
    assert "training never saw 1 of the symbols in the sources" in errors
    assert "'z'" in errors
    task, model, params, _ = gg.load(folder / "run", replica=0)
    condition = task.encode_sources(["abca", "zab"])
    found = gg.beam_search(model, params, 2, beam_size=3, condition=condition)
    assert task.decode(np.asarray(found.tokens[:, :2]).reshape(4, -1)) == [*lines[:2], *lines[4:]]


def test_every_pair_has_a_score_or_a_reason(folder):
    lines = [
        "abca\tcba",
        "no tab",
        "",
        "\tabc",
        "ab\t ",
        "zab\tb",
        "ab\tbz",
        "ab\tba\tmore",
        "ab\tabcda",
        "b" * 7 + "\tb",
    ]
    (folder / "scored.tsv").write_text("".join(f"{line}\n" for line in lines))
    arguments = ("--workdir=run", "--input=scored.tsv", "--output=scores.tsv")
    status, output, errors = run("score", *arguments, cwd=folder)
    assert (status, output) == (0, ""), errors
    rows = [line.partition("\t") for line in (folder / "scores.tsv").read_text().splitlines()]
    assert rows[0] == ("log_prob", "\t", "source\ttarget")
    assert [line for _, _, line in rows[1:]] == lines
    kept = [0, 7, 9]
    assert [index for index, (score, _, _) in enumerate(rows[1:]) if score] == kept
    for number, reason in (
        (2, "there is no tab in it"),
        (3, "there is no tab in it"),
        (4, "its source is empty"),
        (5, "its target is empty"),
        (6, "training never saw 'z', a symbol of its source"),
        (7, "training never saw 'z', a symbol of its target"),
        (9, "its target must be at most 4 symbols long, got 5"),
    ):
        assert f"line {number} has no score: {reason}\n" in errors
    assert "3 of 10 lines have a score" in errors
    task, model, params, _ = gg.load(folder / "run", replica=0)
    sources, targets = zip(*(lines[index].split("\t")[:2] for index in kept), strict=True)
    expected = model.log_prob(params, task.encode(targets), condition=task.encode_sources(sources))
    np.testing.assert_allclose([float(rows[1 + index][0]) for index in kept], expected, rtol=1e-4)


def test_the_sampling_of_runs_is_timed_on_their_sources(folder):
    arguments = ("--workdir=run", "--workdir=run", "--num_rounds=1", "--seconds=0.01", "--output=rates.json")
    status, _, errors = run("benchmarks.sampling", *arguments, cwd=folder)
    assert status == 0, errors
    (row,) = json.loads((folder / "rates.json").read_text())["runs"].values()
    assert row["ratio"]["median"] == 1.0
    assert row["sequences_a_second"]["least"] > 0


def test_an_exported_run_reads_sources(folder):
    status, output, errors = run("export", "--workdir=run", "--output=own.zip", cwd=folder)
    assert status == 0, errors
    assert output.splitlines() == ["own.zip", "load_own.py", "own.safetensors", "own.md"]
    task, model, params, _ = gg.load(folder / "run", replica=0)
    sources = ["abc", "zab"]
    found = gg.beam_search(model, params, 2, beam_size=1, condition=task.encode_sources(sources))
    np.testing.assert_array_equal(exported.load(folder / "own.zip").greedy(sources), found.tokens[:, 0])
    card = (folder / "own.md").read_text()
    assert "from sources of 6 symbols, at most 3 of them" in card
    assert "model.greedy(sources)" in card


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--num=3",), "--source must name a file of sources for a run on pairs mine.tsv"),
        (("--source=none.txt",), "--source must be a file that can be read, got 'none.txt'"),
        (("--source=sources.txt", "--beam=2", "--num=3"), "--num must be at most --beam, 2"),
        (("--source=sources.txt", "--beam=2", "--temperature=0.5"), "--temperature must be left out with --beam"),
    ],
)
def test_what_sampling_can_not_do_is_one_line(folder, arguments, message):
    (folder / "sources.txt").write_text("abc\n")
    status, _, errors = run("sample", "--workdir=run", *arguments, cwd=folder)
    assert status == 1
    assert message in errors
