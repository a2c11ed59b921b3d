"""A run on names from training to report, with the commands that a user runs, and Toth's study."""

import json

import numpy as np
import pytest

from experiments.config import run_config
from experiments.configs.toth import VARIANTS
from experiments.reports import page, tables
from experiments.reports.runs import read_runs
from experiments.studies import toth2021
from gumbel_gan.metrics import METRICS
from tests.commands import run
from tests.test_front_doors import TINY
from tests.test_report import with_metrics

pytestmark = pytest.mark.slow

NAMES = (
    "--config=experiments/configs/toth.py:section3",
    "--config.num_steps=20",
    "--config.steps_per_chunk=10",
    "--config.num_seeds=2",
    "--config.num_samples=200",
    "--config.num_compared=60",
    "--config.temperatures=(0.7, 1.0)",
)


# The other metrics need a known distribution, or sequences without padding.
KNOWN = {name for name, metric in METRICS.items() if metric.applies == "heldout"} - {
    *("oracle_nll", "bits_per_symbol", "carried_nll", "carried_bits_per_symbol"),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Trains a run of two seeds on names and a run on a grammar, and returns the folder of both."""
    folder = tmp_path_factory.mktemp("runs")
    for name, flags in (("names", NAMES), ("grammar", TINY)):
        status, output, errors = run("train", *flags, f"--workdir={folder / name}")
        assert status == 0, errors
        (folder / f"{name}.txt").write_text(output)
    return folder


def test_training_says_what_became_of_the_data_and_prints_the_comparison(folders):
    output = (folders / "names.txt").read_text()
    for words in ("Lines read", "Sequences for training", "validation NLL", "against as many held-out sequences"):
        assert words in output
    assert all(METRICS[name].title in output for name in KNOWN)
    assert "✗" not in output


def test_the_summary_holds_intervals_baselines_and_the_curve(folders):
    summary = json.loads((folders / "names" / "summary.json").read_text())
    for name in KNOWN:
        assert len(summary[name]) == 2
        for value, (low, high) in zip(summary[name], summary["intervals"][name], strict=True):
            assert low <= value <= high
    assert summary["training_sample"]["novelty"]["value"] == 0
    assert summary["heldout_sample"]["novelty"]["value"] == 1
    assert np.array(summary["trade_off"]["bleu_4"]).shape == (2, 2)
    # Both are estimates at temperature 1 and differ only by the noise of sampling.
    usual = np.array(summary["trade_off"]["samples_nll_by_data"])[:, 1]
    np.testing.assert_allclose(usual, summary["samples_nll_by_data"], rtol=0.3)
    assert np.array(summary["length_distribution"]["members"]).shape == (2, 11)
    assert summary["validity"] == [None, None]


def test_names_of_a_given_length_are_sampled(folders):
    status, output, errors = run("sample", f"--workdir={folders / 'names'}", "--num=50", "--length=10")
    assert status == 0, errors
    assert {len(name) for name in output.split("\n")[:-1]} == {10}


def test_evaluation_recomputes_the_comparison(folders):
    file = folders / "names" / "summary.json"
    before = json.loads(file.read_text())
    file.write_text(json.dumps(before | {"bleu_4": [0.0, 0.0]}))
    assert run("evaluate", f"--workdir={folders / 'names'}")[0] == 0
    after = json.loads(file.read_text())
    assert set(after) == set(before)
    assert after["bleu_4"] == pytest.approx(before["bleu_4"])


def test_the_report_compares_with_held_out_data(folders, tmp_path):
    status, _, errors = run("report", f"--workdirs={folders / 'names'},{folders / 'grammar'}", f"--output={tmp_path}")
    assert status == 0, errors
    assert (tmp_path / "report.html").read_text().count("<h2>Against held-out data</h2>") == 1
    for name in ("trade_off", "lengths", "samples", "curves"):
        assert (tmp_path / f"{name}.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    (table,) = tables.comparison_tables(read_runs([folders / "names", folders / "grammar"], num_samples=5))
    summary = json.loads((folders / "names" / "summary.json").read_text())
    cells = {row[0].text: row for row in table["rows"]}
    label, found, train, other = cells["BLEU-4"]
    assert label.small == "higher"
    assert float(found.text) == pytest.approx(np.median(summary["bleu_4"]), abs=1e-4)
    assert float(train.text) == pytest.approx(summary["training_sample"]["bleu_4"]["value"], abs=1e-4)
    assert float(other.text) == pytest.approx(summary["heldout_sample"]["bleu_4"]["value"], abs=1e-4)


def test_a_text_is_learnt_moved_and_sampled(tmp_path):
    text = tmp_path / "mine.txt"
    text.write_text("".join(f"{number} of {number}\n" for number in range(700)), encoding="utf-8")
    flags = (
        "--config.num_steps=10",
        "--config.steps_per_chunk=10",
        "--config.num_samples=200",
        "--config.batch_size=16",
    )
    config = "--config=experiments/configs/text.py:maximum_likelihood"
    window = ("--config.task.window=5", "--config.task.max_length=0", "--config.num_seeds=2")
    measured = ("--config.long_length=15", "--config.num_states=20")
    for name, more in (("lines", ()), ("windows", (*window, *measured))):
        run_flags = (config, *flags, f"--config.task.files={text}", "--config.temperatures=()", *more)
        status, output, errors = run("train", *run_flags, f"--workdir={tmp_path / name}")
        assert status == 0, errors
    assert "Samples of 15 symbols, JS of 3-grams (bits): the first 5 " in output
    assert "States of 20 teacher-forced and as many drawn sequences are told apart with accuracy " in output
    text.unlink()
    for name, length in (("lines", 20), ("windows", 5)):
        (tmp_path / name).rename(tmp_path / f"moved_{name}")
        status, output, errors = run("sample", f"--workdir={tmp_path / f'moved_{name}'}", "--num=30")
        assert status == 0, errors
        # A line end in a window is written as an escape.
        assert len(output.split("\n")) == 31
        assert all(len(line.replace("\\n", "n")) <= length + 1 for line in output.split("\n"))
    workdirs = f"--workdirs={tmp_path / 'moved_lines'},{tmp_path / 'moved_windows'}"
    assert run("report", workdirs, f"--output={tmp_path / 'report'}")[0] == 0
    text = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert text.count("<h2>Against held-out data</h2>") == 2
    assert str(tmp_path) not in text
    summary = json.loads((tmp_path / "moved_windows" / "summary.json").read_text())
    parts = np.array(summary["long_samples"]["ngram_divergence_3"])
    assert (parts.shape, summary["long_samples"]["starts"]) == ((2, 3), [0, 5, 10])
    np.testing.assert_allclose(summary["long_ngram_divergence_3"], parts[:, 1:].mean(axis=1))
    np.testing.assert_array_equal(
        summary["dynamics_accuracy"], np.array(summary["dynamics"]["after"]["accuracy"])[:, -1]
    )
    assert text.count("<h2>Teacher-forced and free-running states</h2>") == 1
    for name in ("drift", "states"):
        assert (tmp_path / "report" / f"{name}.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_toth_s_study_trains_all_variants_of_both_tasks():
    given = {"num_seeds": 30, "num_variant_seeds": 8, "num_steps": 100, "files": "a.txt"}
    study = toth2021.parts(tasks="names,grammar", **given)
    assert list(study) == [f"{task}_{variant}" for task in ("names", "grammar") for variant in VARIANTS]
    assert {name: part.config.num_seeds for name, part in study.items() if part.config.num_seeds == 30} == {
        "names_section3": 30, "names_constant": 30
    }  # fmt: skip
    assert study["names_tempered"].config.task.files == "a.txt"
    assert "task.files" not in study["grammar_tempered"].changes
    molecules = toth2021.parts(tasks="molecules", **given)
    assert {part.config.num_seeds for part in molecules.values()} == {8}
    for name, part in molecules.items():
        assert name.startswith("molecules_")
        run_config.parse(part.config)
    with pytest.raises(ValueError, match=r"^--tasks must be one of .*did you mean 'names'"):
        toth2021.parts(tasks="name", **given)


def test_toth_s_report_has_his_figures(folders, tmp_path):
    names, grammar = read_runs([folders / "names", folders / "grammar"])
    runs = {f"names_{variant}": names._replace(label=f"{variant}, names") for variant in VARIANTS}
    runs |= {f"grammar_{variant}": grammar._replace(label=f"{variant}, grammar") for variant in VARIANTS}
    report = toth2021.report(runs, folders / "names")
    page.write(report, tmp_path)
    for name in ("figure5", "figure6", "names", "grammar"):
        assert (tmp_path / f"{name}.png").exists()
    assert [statement.outcome for statement in report.statements[:4]] == ["too few seeds to tell"] * 4
    assert {statement.outcome for statement in report.statements[4:]} == {"both fail"}
    shown = (tmp_path / "names.txt").read_text().split("\n")
    assert [len(line.split(" ")) - 2 for line in shown[1:6:2]] == [5, 50, 20]


def test_toth_s_report_of_molecules_needs_no_names(folders, tmp_path):
    (strings,) = read_runs([folders / "names"])
    runs = {f"molecules_{variant}": with_metrics(strings, validity=[0.5, 1.0]) for variant in VARIANTS}
    report = toth2021.report(runs, tmp_path / "no_such_run")
    page.write(report, tmp_path)
    assert [figure.name for figure in report.figures] == ["molecules", "lengths_molecules"]
    assert {statement.claim.partition(":")[0] for statement in report.statements} == {"Molecules"}
