"""The commands of the README, run as a user runs them."""

import dataclasses
import hashlib
import json
import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest
from absl import flags
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from experiments import cli, devices, interrupts
from experiments.config import build, files, run_config
from experiments.configs import arithmetic_mle, quicktest
from experiments.reports.runs import read_runs
from experiments.run import divergence, evaluation, lock, loop
from experiments.run.directory import RunDirectory
from experiments.run.restore import restore
from gumbel_gan.checkpoints import Checkpoints
from tests.commands import ROOT, run, start

# ml_collections loads config files with `load_module`, which is deprecated.
LOADS_CONFIG_FILES = pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")
TINY = ("--config=experiments/configs/quicktest.py", "--config.algorithm.generator.hidden_size=4")
# A run of `train` with a smaller quicktest.py and a sweep of two temperatures.
FINISHED = Path(__file__).parent / "fixtures" / "run"


def fingerprint(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Trains a run with two seeds; returns its folder and the output of the command."""
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
    assert summary["training_set"]["kl_data_model"] is None  # infinite: the training set lacks some strings

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
    config = RunDirectory(folder).read_config()
    for changes, options, message in (
        ({}, {}, "holds a finished run; choose another folder, or --overwrite to delete it"),
        ({}, {"resume": True, "overwrite": True}, "--overwrite and --resume exclude each other"),
        ({"seed": 5}, {"resume": True}, "config.seed differs"),
        ({"batch_size": 999}, {"overwrite": True}, "config.batch_size must be at most"),
    ):
        with pytest.raises(ValueError, match=message):
            loop.prepare(dataclasses.replace(config, **changes), RunDirectory(folder), **options)
    assert fingerprint(folder) == before


@pytest.mark.slow
def test_overwriting_replaces_the_run_and_spares_other_files(finished, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished[0], folder)
    for name in ("notes.md", "data/mine.txt", "checkpoints.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("mine")
    status, output, errors = run("train", *TINY, f"--workdir={folder}", "--overwrite", "--config.seed=7")
    assert status == 0, errors
    assert "W1" not in errors
    assert output.startswith(f"deleting of the run in {folder}: summary.json, ")
    for name in ("notes.md", "data/mine.txt", "checkpoints.txt"):
        assert (folder / name).read_text() == "mine"
    assert json.loads((folder / "summary.json").read_text())["seeds"] == [7]


def until(process, condition):
    while not condition():
        assert process.poll() is None
        time.sleep(0.02)


def stopped(process, kind):
    os.kill(process.pid, kind)
    _, errors = process.communicate(timeout=240)
    return process.returncode, errors


@pytest.mark.slow
def test_a_signal_stops_a_run_in_one_line_wherever_it_is(tmp_path):
    # Resets SIGINT. Background processes of a shell ignore it, and their child processes would inherit this.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments = (*TINY, "--config.num_steps=100000", "--config.chunks_per_checkpoint=1000", f"--workdir={tmp_path}/run")
    run, status = RunDirectory(tmp_path / "run"), interrupts.STOPPED
    process = start("train", *arguments)
    # During the imports: JAX is already mapped into memory, but the run has not begun.
    until(process, lambda: "jax" in Path(f"/proc/{process.pid}/maps").read_text())
    assert stopped(process, signal.SIGTERM) == (status, "interrupted\n")
    assert not run.path.exists()

    # During compilation, in which Python does not run signal handlers.
    process = start("train", *arguments)
    until(process, lambda: run.config.exists() and run.checkpoints.exists())
    assert stopped(process, signal.SIGTERM) == (status, "stopped at step 0; go on with --resume\n")

    process = start("train", "--resume", f"--workdir={run.path}")
    until(process, lambda: run.metrics.exists() and run.metrics.read_text())
    # Another process gets an error at once, because the run is in use.
    for options in ({"resume": True}, {"overwrite": True}):
        with pytest.raises(ValueError, match=f"is in use by process {process.pid} on"):
            loop.prepare(run.read_config(), RunDirectory(run.path), **options)
    found, errors = stopped(process, signal.SIGINT)
    signal.signal(signal.SIGINT, handler)
    with Checkpoints(run.checkpoints) as checkpoints:
        step = checkpoints.latest_step()
    assert step
    assert (found, errors) == (status, f"stopped at step {step}; go on with --resume\n")
    assert run.read_metrics()[-1]["step"] == step
    assert not (run.path / lock.NAME).exists()


@pytest.mark.slow
def test_a_signal_to_a_study_stops_the_training_that_it_started(tmp_path):
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    sweep = ("sweep", f"--workdir={tmp_path}", "--config.sweep=algorithm.ema_decay=[0.5, 0.9]")
    settings = ("--config.num_steps=100000", "--config.chunks_per_checkpoint=1000")
    part = RunDirectory(tmp_path / "points_0000")
    step = 0
    # Ctrl-C sends SIGINT to both processes, and the study also passes it on.
    for kind, to_both in ((signal.SIGTERM, False), (signal.SIGINT, True)):
        study = start("study", *sweep[:2], *TINY, *settings, *sweep[2:])
        until(study, lambda step=step: any(row["step"] > step for row in part.read_metrics()))
        (trained,) = re.findall(r"^pid=(\d+)", (part.path / lock.NAME).read_text(), re.MULTILINE)
        if to_both:
            os.kill(int(trained), kind)
        status, errors = stopped(study, kind)
        with Checkpoints(part.checkpoints) as checkpoints:
            before, step = step, checkpoints.latest_step()
        assert step > before
        assert status == interrupts.STOPPED
        assert errors == (
            f"stopped at step {step}; go on with --resume\nthe study is stopped; the same command goes on with it\n"
        )
        assert not Path(f"/proc/{trained}").exists()
        assert not (part.path / lock.NAME).exists()
    signal.signal(signal.SIGINT, handler)


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_bits(tmp_path):
    # Two seeds, each on its own simulated device if there are at least two cores.
    arguments = (*TINY, "--config.num_steps=1000", "--config.steps_per_chunk=50", "--config.num_seeds=2")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run("train", *arguments, f"--workdir={whole}")[0] == 0
    process = start("train", *arguments, f"--workdir={killed}")
    # Waits for a complete checkpoint: an incomplete one has a longer name. The killed process leaves a stale lock.
    while not any(path.name.isdigit() for path in (killed / "checkpoints").glob("*")):
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (killed / "summary.json").exists()

    with pytest.raises(ValueError, match=r"holds an unfinished run \(--resume goes on with it\)"):
        loop.prepare(RunDirectory(killed).read_config(), RunDirectory(killed))
    status, output, errors = run("train", f"--workdir={killed}", "--resume")
    assert status == 0, errors
    assert "step 50/" not in output
    assert (killed / "samples.txt").read_bytes() == (whole / "samples.txt").read_bytes()

    def rows(folder):
        lines = (folder / "metrics.jsonl").read_text().splitlines()
        return [{name: value for name, value in json.loads(line).items() if name != "wall_seconds"} for line in lines]

    assert rows(killed) == rows(whole)

    def checksums(folder):
        metadata = json.loads((folder / "checkpoints" / "1000" / "_CHECKPOINT_METADATA").read_text())
        return metadata["custom_metadata"]["checksum"]

    assert checksums(killed) == checksums(whole)


@pytest.mark.parametrize(
    ("door", "arguments", "message"),
    [
        ("train", (), "error: flag --workdir"),
        ("train", ("--workdir={tmp}/run", "--config={tmp}/broken.py"), "error: --config: the file raised NameError: "),
        ("train", ("--workdir={tmp}/run", "--config.platform=tpu"), "error: config.platform must name a device"),
        ("sample", ("--workdir={tmp}/run", "--temperature=0"), "error: --temperature must be a finite number > 0"),
    ],
)
def test_bad_input_is_one_line_and_status_one(door, arguments, message, tmp_path):
    (tmp_path / "broken.py").write_text("def get_config():\n    return unknown\n")
    status, output, errors = run(door, *(argument.format(tmp=tmp_path) for argument in arguments))
    assert status == 1
    assert errors.startswith(message)
    assert errors.count("\n") == 1
    assert output == ""
    assert not (tmp_path / "run").exists()


def parse(*arguments):
    """Parses the flags of training in this process; returns the config."""
    # ml_collections reuses the module of the config file that was loaded before.
    sys.modules.pop("config_config", None)
    values = flags.FlagValues()
    argv = ["train", *arguments]
    config = cli.define_config(str(ROOT / "experiments" / "configs" / "quicktest.py"), "", values=values, argv=argv)
    with cli.one_line_flag_errors():
        for name in ("workdir", "output"):
            flags.DEFINE_string(name, None, "A folder.", flag_values=values)
        flags.DEFINE_list("workdirs", None, "Folders.", flag_values=values)
        rest = values(argv)
        cli.check_arguments(rest[1:], values, argv=argv)
        return config.value


def built(*arguments):
    """Builds the experiment of the flags of training; returns the parsed config."""
    config = run_config.parse(parse(*arguments))
    build.build(files.self_contained(config))
    return config


@LOADS_CONFIG_FILES
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--config.num_steps.name=gru",), "the config has no setting "),
        (("--config.batch_size=many",), ""),
        (("--config.beam_size", "2"), "arguments must be flags such as --config.beam_size=2, got '2'"),
        (("--config.chosen=num_steps",), "--config.chosen must not be given: runs record it themselves"),
        (("--config.init_symbols", "a"), "--config.init_symbols must not be given"),
        (("--flagfile={tmp}/flags",), "--config.schema_version must not be given"),
        (("--workdir=",), "--workdir must name a folder or a file, got an empty text"),
        (("--output= ",), "--output must name a folder or a file, got an empty text"),
        (("--workdirs=a,,b",), "--workdirs must name a folder or a file, got an empty text"),
        (("seed=3",), "arguments must be flags such as --workdir=DIR, got 'seed=3'"),
        (("--config={tmp}/empty.py",), "--config must name a file with a function get_config"),
        (("--config={tmp}/syntax.py",), "--config: the file raised SyntaxError: invalid syntax"),
        (("--config={tmp}/raises.py",), "my own reason"),
        (("--config={tmp}/key.py",), "--config: the file raised KeyError: 'a' ("),
        (("--config={tmp}/module.py",), "--config: the file raised ModuleNotFoundError: "),
        (("--config={tmp}/none.py",), "--config: get_config of {tmp}/none.py must return a ConfigDict, got None"),
    ],
)
def test_wrong_flags_are_one_line(arguments, message, tmp_path, capsys):
    for name, body in {
        "empty": "x = 1",
        "syntax": "def f(:",
        "raises": "def get_config():\n    raise ValueError('my own reason')",
        "key": "def get_config():\n    return {}['a']",
        "module": "import no_such_module",
        "none": "def get_config():\n    return None",
    }.items():
        (tmp_path / f"{name}.py").write_text(body)
    (tmp_path / "flags").write_text("--config.schema_version=2\n")
    with pytest.raises(SystemExit) as error:
        parse(*(argument.format(tmp=tmp_path) for argument in arguments))
    assert error.value.code == 1
    errors = capsys.readouterr().err
    assert errors.startswith(f"error: {message.format(tmp=tmp_path)}")
    assert errors.count("\n") == 1


@LOADS_CONFIG_FILES
def test_a_flag_sets_an_argument_of_a_network_that_the_config_leaves_out_and_a_misspelt_one_is_named():
    config = built("--config.algorithm.generator.num_layers=2")
    assert config.algorithm.settings["generator"]["num_layers"] == 2
    with pytest.raises(ValueError, match=r"config has no setting 'batch_sise' .did you mean 'batch_size'"):
        run_config.parse(parse("--config.batch_sise=3"))
    with pytest.raises(ValueError, match=r"config\.algorithm\.generator has no setting 'num_layer' .did you mean"):
        built("--config.algorithm.generator.num_layer=2")


@LOADS_CONFIG_FILES
def test_a_flag_sets_a_setting_of_a_section_that_the_config_leaves_out_and_a_misspelt_one_is_named():
    config = run_config.parse(parse("--config.property.function=qed", "--config.algorithm.decoder.name=lstm"))
    assert config.property == {"function": "qed"}
    assert config.algorithm.settings["decoder"] == {"name": "lstm"}
    with pytest.raises(ValueError, match=r"config has no setting 'algoritm' .did you mean 'algorithm'"):
        run_config.parse(parse("--config.algoritm.name=gru"))
    with pytest.raises(ValueError, match=r"config\.algorithm has no setting 'feed_back'; its settings are"):
        built("--config.algorithm.feed_back.gradient=False")


@LOADS_CONFIG_FILES
def test_a_flag_makes_a_schedule_of_a_number():
    for arguments, value in (
        (("--config.algorithm.score_weight=linear(0.5, 0.0)",), "linear(0.5, 0.0)"),
        (("--config.algorithm.score_weight", "linear(0.5, 0.0)"), "linear(0.5, 0.0)"),
        (("--config.algorithm.score_weight=0.25",), 0.25),
    ):
        assert built(*arguments).algorithm.settings["score_weight"] == value
    for setting in ("score_weight", "generator.hidden_size"):
        with pytest.raises(ValueError, match=rf"config\.algorithm\.{setting}.* got 'many'"):
            built(f"--config.algorithm.{setting}=many")


@LOADS_CONFIG_FILES
def test_a_sweep_is_a_flag_or_a_line_of_a_config(tmp_path):
    sweep = "algorithm.temperature=[0.5, 'linear(2.0, 1.0)']; algorithm.ema_decay=[0.5, 0.9]"
    (tmp_path / "mine.py").write_text(
        "from experiments.configs import quicktest\n\ndef get_config():\n    config = quicktest.get_config()\n"
        "    config.sweep = {'algorithm.temperature': [0.5, 'linear(2.0, 1.0)'], 'algorithm.ema_decay': [0.5, 0.9]}\n"
        "    return config\n"
    )
    given = [run_config.parse(parse(flag)) for flag in (f"--config.sweep={sweep}", f"--config={tmp_path}/mine.py")]
    assert given[0] == given[1]
    assert given[0].sweep == {
        "algorithm.temperature": (0.5, "linear(2.0, 1.0)"),
        "algorithm.ema_decay": (0.5, 0.9),
    }
    assert run_config.parse(parse()).sweep == {}
    (tmp_path / "plain.py").write_text(
        "from ml_collections import ConfigDict\nfrom experiments.configs import quicktest\n\ndef get_config():\n"
        "    config = quicktest.get_config().to_dict()\n"
        "    return ConfigDict({**config, 'sweep': {'algorithm': {'ema_decay': [0.9]}}})\n"
    )
    plain = f"--config={tmp_path}/plain.py"
    assert run_config.parse(parse(plain)).sweep == {"algorithm.ema_decay": (0.9,)}
    for text in ("{'algorithm.temperature': [0.5, 1.0]}", "algorithm.temperature=[0.5, 1.0]"):
        given = run_config.parse(parse(plain, f"--config.sweep={text}"))
        assert given.sweep == {"algorithm.temperature": (0.5, 1.0)}


def test_a_resumed_run_takes_the_settings_of_all_flags_for_its_own_config(tmp_path):
    config = run_config.parse(arithmetic_mle.get_config())
    RunDirectory(tmp_path / "run").start(files.self_contained(config), overwrite=False)
    (tmp_path / "flags").write_text("--config.seed=5\n")
    for argument, setting in (
        (f"--flagfile={tmp_path}/flags", "seed"),
        ("--noconfig.task.mine", "task.mine"),
        ("--config.algorithm.optimizer.learning_rate=0.5", "algorithm.optimizer.learning_rate"),
    ):
        status, _, errors = run("train", f"--workdir={tmp_path}/run", "--resume", argument)
        assert (status, errors.count("\n")) == (1, 1), errors
        assert f"config.{setting} differs: without --config flags, the run's own is used" in errors


def test_a_missing_run_a_missing_device_and_an_unusable_folder_are_named(tmp_path):
    with pytest.raises(ValueError, match="--workdir must hold a run, got"):
        restore(tmp_path / "run")
    with pytest.raises(ValueError, match=r"config\.platform must name a device of this machine, got 'gpu'"):
        devices.select("gpu")
    shutil.copytree(FINISHED, tmp_path / "finished")
    with pytest.raises(ValueError, match=r"--platform must be one of .*; got 'foo'"):
        restore(tmp_path / "finished", platform="foo")
    config = run_config.parse(quicktest.get_config())
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="--workdir must be a folder, got"):
        loop.prepare(config, RunDirectory(tmp_path / "file" / "run"))
    with pytest.raises(OSError, match="/proc/run"):
        loop.prepare(config, RunDirectory("/proc/run"))


def test_help_names_what_matters():
    _, output, _ = run("train", "--help")
    for words in ("--workdir", "--config", "--config.KEY=VALUE", "--[no]overwrite", "--[no]resume"):
        assert words in output
    _, output, _ = run("sample", "--help")
    words = (
        "--workdir",
        "--index",
        "--checkpoint: <last|best>",
        "those that the run's summary describes",
        "--platform",
    )
    for each in words:
        assert each in " ".join(output.split())


def test_a_run_of_this_version_is_loaded_sampled_and_evaluated(tmp_path):
    shutil.copytree(FINISHED, tmp_path / "run")
    restored = restore(tmp_path / "run")
    assert restored.config.sweep == {"algorithm.temperature": (0.5, "linear(2.0, 1.0)")}
    before = json.loads((tmp_path / "run" / "summary.json").read_text())
    params = restored.experiment.algorithm.params(jax.tree.map(lambda leaf: leaf[1], restored.state))
    drawn = restored.experiment.model.sample(jax.random.key(0), params, 5)
    assert np.asarray(drawn).shape == (5, 6)
    _, config, experiment, state, step, _ = restored
    after, strings = evaluation.summarize(config, experiment, state, None, steps=step)
    assert [len(each) for each in strings] == [20, 20]
    for name in ("validity", "total_variation", "sampled_validity", "heldout_nll", "novelty"):
        assert after.metrics[name] == pytest.approx(before[name], rel=1e-3)


def test_evaluation_shows_what_it_measured_where_nothing_can_be_written(tmp_path):
    shutil.copytree(FINISHED, tmp_path / "run")
    # A folder with the name of the file to write, so that no user, not even root, can write the file.
    (tmp_path / "run" / "summary.json.partial").mkdir()
    before = fingerprint(tmp_path / "run")
    status, output, errors = run("evaluate", f"--workdir={tmp_path / 'run'}")
    assert (status, errors) == (0, "")
    assert "validity" in output
    assert f"warning: the summary in {tmp_path / 'run'} stays as it was: [Errno 21] Is a directory" in output
    assert fingerprint(tmp_path / "run") == before


def test_states_older_than_the_summary_neither_replace_nor_take_its_metrics(tmp_path):
    shutil.copytree(FINISHED, tmp_path / "run")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    # As if the newest checkpoint, of step 6, had been deleted.
    (tmp_path / "run" / "summary.json").write_text(json.dumps(summary | {"steps": 6}))
    before = fingerprint(tmp_path / "run")
    status, output, _ = run("evaluate", f"--workdir={tmp_path / 'run'}")
    assert status == 0
    assert ", 4 steps, " in output
    assert "stays as it was: it is of step 6, these states are of step 4" in output
    status, _, errors = run("export", f"--workdir={tmp_path / 'run'}", f"--output={tmp_path / 'own.zip'}")
    assert status == 1
    assert "must hold the checkpoint of step 6, which its summary describes, but its newest is of step 4" in errors
    assert fingerprint(tmp_path) == {f"run/{name}": value for name, value in before.items()}


def test_a_finished_run_without_its_metrics_is_resumed_and_keeps_its_duration(tmp_path):
    shutil.copytree(FINISHED, tmp_path / "run")
    before = json.loads((tmp_path / "run" / "summary.json").read_text())
    (tmp_path / "run" / "metrics.jsonl").unlink()
    status, _, errors = run("train", "--resume", f"--workdir={tmp_path / 'run'}")
    assert status == 0, errors
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["wall_seconds"] == before["wall_seconds"]


def test_scores_end_without_an_error_where_their_reader_ends(tmp_path):
    shutil.copytree(FINISHED, tmp_path / "run")
    (tmp_path / "lines.txt").write_text("x\n" * 3)
    process = start("score", f"--workdir={tmp_path / 'run'}", f"--input={tmp_path / 'lines.txt'}")
    process.stdout.close()
    assert (process.wait(), process.stderr.read()) == (0, "")
    process.stderr.close()


def test_a_run_that_diverges_has_a_status_of_its_own(tmp_path):
    arguments = ("--config=experiments/configs/arithmetic_mle.py", "--config.algorithm.generator.hidden_size=2")
    small = ("--config.num_steps=2", "--config.task.max_length=4", "--config.num_shards=1", "--config.batch_size=8")
    rate = "--config.algorithm.optimizer.learning_rate=1e30"
    status, output, errors = run("train", f"--workdir={tmp_path / 'run'}", *arguments, *small, rate)
    assert status == divergence.STATUS == 3
    assert errors.startswith("error: seed 0 diverged at step 1: ")
    assert errors.count("\n") == 1
    assert "seed 0 diverged at step 1: " in output
    with pytest.raises(ValueError, match=r"--workdirs must hold a finished run, but .* holds an unfinished one"):
        read_runs([tmp_path / "run"])
