"""The commands of the README, run as a user runs them."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

ROOT = Path(__file__).parent.parent
TINY = ("--config=experiments/configs/quicktest.py", "--config.algorithm.generator.hidden_size=4")
# As a user's, but for the options by which programs compile faster.
XLA_FLAGS = os.environ["XLA_FLAGS"].replace("--xla_force_host_platform_device_count=2", "")
ENVIRONMENT = os.environ | {"JAX_PLATFORMS": "", "XLA_FLAGS": XLA_FLAGS}


def start(door, *flags, **options):
    command = [sys.executable, "-m", f"experiments.{door}", *flags]
    return subprocess.Popen(
        command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def run(door, *flags):
    process = start(door, *flags)
    output, errors = process.communicate(timeout=240)
    return process.returncode, output, errors


def fingerprint(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run of two seeds."""
    folder = tmp_path_factory.mktemp("runs") / "deep" / "run"
    status, output, errors = run("train", *TINY, f"--workdir={folder}", "--config.num_seeds=2")
    assert status == 0, errors
    return folder, output


def test_training_reports_progress_and_a_summary(finished):
    folder, output = finished
    for words in ("step 20/60", "step 60/60", "generator loss", "temperature 1", "validity", "steps/s", "0:00 left"):
        assert words in output
    for words in ("median of", "2 seeds", "train set", "(500)", "(1,000)", "KL(data || model)", "✗"):
        assert words in output
    assert output.rstrip().endswith(f"everything is in {folder}")


def test_training_leaves_every_file(finished):
    folder, _ = finished
    summary = json.loads((folder / "summary.json").read_text())
    for name in ("validity", "total_variation", "kl_data_model", "length_total_variation", "sampled_validity"):
        assert len(summary[name]) == 2
        assert all(np.isfinite(summary[name]))
    assert summary["steps"] == 60
    assert summary["wall_seconds"] > 0
    assert summary["seeds"] == [0, 1]
    assert summary["validity_method"] == "enumeration"
    assert summary["training_set"]["validity"] == pytest.approx(1.0)
    assert summary["training_set"]["kl_data_model"] is None  # infinite: some strings were not drawn

    samples = (folder / "samples.txt").read_text().split("\n")[:-1]
    assert len(samples) == 2_000
    assert all(sample == sample.rstrip(" ") and len(sample) <= 8 for sample in samples)
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [20, 40, 60]
    assert all(len(row["generator_loss"]) == 2 for row in rows)
    assert rows[-1]["validity"] == pytest.approx(summary["validity"], rel=1e-4)
    assert json.loads((folder / "config.json").read_text())["num_seeds"] == 2
    assert (folder / "curves.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_tensorboard_reads_the_events(finished):
    folder, _ = finished
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    for index in range(2):
        events = EventAccumulator(str(folder / "events" / f"seed_{index}"))
        events.Reload()
        scalars = events.Scalars("validity")
        assert [scalar.step for scalar in scalars] == [20, 40, 60]
        expected = [row["validity"][index] for row in rows]
        np.testing.assert_allclose([scalar.value for scalar in scalars], expected, rtol=1e-5)


def test_sampling_prints_one_string_a_line(finished):
    folder, _ = finished
    status, output, errors = run("sample", f"--workdir={folder}", "--num=300", "--seed=3", "--index=1")
    assert status == 0, errors
    assert len(output.split("\n")) == 301
    sharp = run("sample", f"--workdir={folder}", "--num=300", "--seed=3", "--index=1", "--temperature=0.05")[1]
    assert len(set(sharp.split("\n"))) < len(set(output.split("\n")))


def test_evaluation_recomputes_the_summary(finished):
    folder, _ = finished
    before = json.loads((folder / "summary.json").read_text())
    wrong = before | {"validity": [0.0, 0.0], "sampled_validity": [0.0, 0.0]}
    (folder / "summary.json").write_text(json.dumps(wrong))
    status, output, errors = run("evaluate", f"--workdir={folder}")
    assert status == 0, errors
    assert "median of" in output
    after = json.loads((folder / "summary.json").read_text())
    assert set(after) == set(before)
    for name in ("validity", "total_variation", "kl_data_model", "sampled_validity"):
        assert after[name] == pytest.approx(before[name], rel=1e-5)
    assert after["wall_seconds"] == before["wall_seconds"]


def test_a_second_run_is_refused_and_nothing_is_lost(finished):
    folder, _ = finished
    before = fingerprint(folder)
    for flags in (
        (),
        ("--resume", "--overwrite"),
        ("--resume", "--config.seed=5"),
        ("--overwrite", "--config.seed=-1"),
    ):
        status, _, errors = run("train", *TINY, f"--workdir={folder}", "--config.num_seeds=2", *flags)
        assert status == 1
        assert errors.startswith("error: ")
        assert errors.count("\n") == 1
    assert fingerprint(folder) == before


def test_overwriting_replaces_the_run_and_spares_other_files(tmp_path):
    (tmp_path / "notes.md").write_text("mine")
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "summary.json").write_text("{}")
    status, _, errors = run("train", *TINY, f"--workdir={tmp_path}", "--overwrite")
    assert status == 0, errors
    assert (tmp_path / "notes.md").read_text() == "mine"
    assert json.loads((tmp_path / "summary.json").read_text())["steps"] == 60


def test_a_killed_run_resumes_to_the_same_bits(tmp_path):
    # Two seeds, on a simulated device each where there are two cores.
    flags = (*TINY, "--config.num_steps=1000", "--config.steps_per_chunk=50", "--config.num_seeds=2")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run("train", *flags, f"--workdir={whole}")[0] == 0
    process = start("train", *flags, f"--workdir={killed}")
    # A checkpoint that is still being written has a longer name.
    while not any(path.name.isdigit() for path in (killed / "checkpoints").glob("*")):
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (killed / "summary.json").exists()

    status, _, errors = run("train", *flags, f"--workdir={killed}")
    assert status == 1
    assert "an unfinished run (--resume goes on with it)" in errors
    status, output, errors = run("train", f"--workdir={killed}", "--resume")
    assert status == 0, errors
    assert "step 50/" not in output
    assert (killed / "samples.txt").read_bytes() == (whole / "samples.txt").read_bytes()

    def rows(folder):
        lines = (folder / "metrics.jsonl").read_text().splitlines()
        return [{name: value for name, value in json.loads(line).items() if name != "wall_seconds"} for line in lines]

    assert rows(killed) == rows(whole)


@pytest.mark.parametrize(
    ("door", "flags", "message"),
    [
        ("train", ("--workdir={tmp}/run", "--config.batch_sise=3"), "error: the config has no setting 'batch_sise'"),
        ("train", ("--workdir={tmp}/run", "--config.batch_size=many"), "error: "),
        ("train", (), "error: flag --workdir"),
        ("train", ("--workdir={tmp}/run", "--config.platform=tpu"), "error: config.platform must name a device"),
        ("train", ("--workdir={tmp}/run", "--config.platform=gpu"), "error: config.platform must name a device"),
        ("train", ("--workdir={tmp}/file/run",), "error: --workdir must be a folder"),
        ("train", ("--workdir={tmp}/run", "--config.batch_size=9999"), "error: config.batch_size must be at most"),
        ("train", ("--workdir={tmp}/run", "seed=3"), "error: arguments must be flags"),
        ("sample", ("--workdir={tmp}/run",), "error: --workdir must hold a run"),
        ("sample", ("--workdir={tmp}/run", "--num=0"), "error: flag --num=0"),
        ("sample", ("--workdir={tmp}/run", "--temperature=0"), "error: --temperature must be a finite number > 0"),
        ("evaluate", ("--workdir={tmp}/run",), "error: --workdir must hold a run"),
    ],
)
def test_bad_input_is_one_line_and_status_one(door, flags, message, tmp_path):
    (tmp_path / "file").write_text("")
    status, output, errors = run(door, *(flag.format(tmp=tmp_path) for flag in flags))
    assert status == 1
    assert errors.startswith(message)
    assert errors.count("\n") == 1
    assert output == ""
    assert not (tmp_path / "run").exists()


def test_help_names_what_matters():
    for door, words in (
        ("train", ("--workdir", "--config", "--config.KEY=VALUE", "--[no]overwrite", "--[no]resume")),
        ("sample", ("--num", "--seed", "--temperature", "--index")),
        ("evaluate", ("--workdir",)),
    ):
        _, output, _ = run(door, "--help")
        assert all(word in output for word in words)


def test_a_folder_that_may_not_be_made_is_named():
    status, _, errors = run("train", *TINY, "--workdir=/proc/run")
    assert status == 1
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
