"""Training in two processes together, and on many devices of one process."""

import json
import os
import runpy
import shutil
import socket
import sys
from pathlib import Path

import chex
import jax
import numpy as np
import optax
import pytest

from experiments import processes
from experiments.config import run_config
from experiments.configs import text
from experiments.run import loop
from experiments.run.directory import RunDirectory
from gumbel_gan import sharding, training
from gumbel_gan.algorithms import maximum_likelihood
from gumbel_gan.model import sequence_model
from gumbel_gan.networks import lstm_generator
from tests.commands import CONTEXT, ENVIRONMENT, ROOT, TIMEOUT

SETTINGS = {
    "num_steps": 6, "steps_per_chunk": 2, "chunks_per_checkpoint": 1, "batch_size": 8, "num_samples": 20,
    "num_compared": 0, "temperatures": (), "summarized": "best",
}  # fmt: skip
TASK = {"num_heldout": 20, "stream": "always"}


def in_two_processes(folder, *arguments):
    """Runs `experiments.train` in two processes; returns their exit statuses and outputs."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    given = (str(folder), address, arguments)
    started = [CONTEXT.Process(target=_rank, args=(rank, *given)) for rank in range(2)]
    for each in started:
        each.start()
    for each in started:
        each.join(TIMEOUT)
        if each.exitcode is None:
            each.kill()
            each.join()
    texts = [(folder / f"rank{rank}.txt").read_text() for rank in range(2)]
    return [each.exitcode for each in started], texts


def _rank(rank, folder, address, arguments):
    os.chdir(ROOT)
    own = {"JAX_COORDINATOR_ADDRESS": address, "JAX_NUM_PROCESSES": "2", "JAX_PROCESS_ID": str(rank)}
    os.environ.update(ENVIRONMENT | own)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        with (Path(folder) / f"rank{rank}.txt").open("a", encoding="utf-8") as file:
            os.dup2(file.fileno(), stream.fileno())
    sys.argv = ["train", *arguments]
    runpy.run_module("experiments.train", run_name="__main__", alter_sys=True)


def config_of(folder, **changes):
    corpus = folder / "corpus.txt"
    corpus.write_text("".join(f"{number:b}\n" for number in range(300)))
    config = text.get_config("maximum_likelihood")
    config.update(SETTINGS | changes)
    config.task.update(TASK | {"files": str(corpus)})
    config.algorithm.generator.hidden_size = 4
    return config


def flags_of(config, *names):
    given = {name: config[name] for name in (*SETTINGS, *names)} | {
        f"task.{name}": config.task[name] for name in (*TASK, "files")
    }
    file = "--config=experiments/configs/text.py:maximum_likelihood"
    return [file, "--config.algorithm.generator.hidden_size=4", *(f"--config.{n}={v}" for n, v in given.items())]


def rows_of(run):
    return {row["step"]: row for row in map(json.loads, (run / "metrics.jsonl").read_text().splitlines())}


def assert_same_rows(one, other):
    assert one.keys() == other.keys() == {2, 4, 6}
    for step, row in one.items():
        for name, values in row.items():
            if name != "wall_seconds":
                np.testing.assert_allclose(values, other[step][name], rtol=1e-4, atol=1e-5, err_msg=name)


def without_the_last_checkpoint(run, target):
    shutil.copytree(run, target, ignore=shutil.ignore_patterns(".lock", "summary.json"))
    shutil.rmtree(target / "checkpoints" / "6")
    return target


@pytest.fixture(autouse=True)
def keys_of_a_run():
    with jax.debug_key_reuse(False):
        yield


@pytest.mark.slow
def test_two_processes_train_seeds_and_one_goes_on(tmp_path):
    config = config_of(tmp_path, num_seeds=2, num_shards=1)
    flags = flags_of(config, "num_seeds", "num_shards")
    statuses, texts = in_two_processes(tmp_path, f"--workdir={tmp_path / 'run'}", *flags, "--distributed")
    assert statuses == [0, 0], texts
    assert "everything is in" in texts[0]
    assert "step" not in texts[1]
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["seeds"] == [0, 1]
    assert len((tmp_path / "run" / "samples.txt").read_text().splitlines()) == 40

    run = RunDirectory(without_the_last_checkpoint(tmp_path / "run", tmp_path / "alone"))
    prepared = loop.prepare(run.read_config(), run, resume=True)
    assert prepared.mesh.size == 2
    assert all(device.process_index == 0 for device in prepared.mesh.devices.flat)
    loop.train_steps(prepared)
    run.lock.release()
    assert_same_rows(rows_of(run.path), rows_of(tmp_path / "run"))


@pytest.mark.slow
def test_one_process_trains_shards_and_two_go_on(tmp_path):
    config = config_of(tmp_path, num_seeds=1, num_shards=2)
    run = RunDirectory(tmp_path / "run")
    loop.train_steps(loop.prepare(run_config.parse(config), run))
    run.lock.release()
    folder = without_the_last_checkpoint(run.path, tmp_path / "together")
    statuses, texts = in_two_processes(tmp_path, f"--workdir={folder}", "--resume", "--distributed")
    assert statuses == [0, 0], texts
    assert_same_rows(rows_of(folder), rows_of(run.path))


def test_what_one_process_alone_finds_ends_all(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "samples.txt").write_text("of the user")
    flags = flags_of(config_of(tmp_path, num_seeds=3, num_shards=1), "num_seeds", "num_shards")
    # With a streamed text, the processes would already exchange errors after its tokenization.
    flags += ["--config.task.stream=never"]
    statuses, texts = in_two_processes(tmp_path, f"--workdir={tmp_path / 'run'}", *flags, "--distributed")
    assert statuses == [1, 1]
    assert "--workdir must not hold files of yours" in texts[0]
    assert "error: config.num_seeds, points of the sweep and config.num_shards must spread over all 2" in texts[1]


@pytest.mark.parametrize("name", ["SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE", "JAX_NUM_PROCESSES"])
def test_several_processes_by_mistake_are_named(monkeypatch, name):
    for each in ("SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE", "JAX_NUM_PROCESSES"):
        monkeypatch.delenv(each, raising=False)
    processes.start(None)
    monkeypatch.setenv(name, "1")
    processes.start(None)
    monkeypatch.setenv(name, "4")
    processes.start(False)
    with pytest.raises(ValueError, match=f"--distributed must be given where .* got {name}=4 without it") as error:
        processes.start(None)
    assert "--nodistributed a run in each" in str(error.value)


def test_a_program_of_several_processes_needs_their_addresses(monkeypatch):
    for each in ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID"):
        monkeypatch.delenv(each, raising=False)
    with pytest.raises(ValueError, match="--distributed needs the variables of Slurm, Open MPI or a TPU, or JAX_COORD"):
        processes.start(True)
    monkeypatch.setenv("JAX_COORDINATOR_ADDRESS", "localhost:1")
    monkeypatch.setenv("JAX_NUM_PROCESSES", "two")
    monkeypatch.setenv("JAX_PROCESS_ID", "0")
    with pytest.raises(ValueError, match="JAX_NUM_PROCESSES and JAX_PROCESS_ID must be integers, got"):
        processes.start(True)


def test_alone_nothing_is_agreed_on():
    assert processes.is_first()
    assert list(processes.any_of(True, False)) == [True, False]
    processes.check_all(None)
    with pytest.raises(OSError, match="own"):
        processes.check_all(OSError("own"))


def test_64_seeds_on_eight_devices_are_those_on_one():
    process = CONTEXT.Process(target=_many_seeds)
    process.start()
    process.join(TIMEOUT)
    assert process.exitcode == 0


def _many_seeds():
    os.environ.update(ENVIRONMENT | {"JAX_PLATFORMS": "cpu"})
    os.environ["XLA_FLAGS"] += " --xla_force_host_platform_device_count=8"
    assert len(jax.devices()) == 8
    model = sequence_model(lstm_generator(3, 4), length=4, padding=0)
    algorithm = maximum_likelihood(model, optimizer=optax.sgd(0.1), ema_decay=0.9)
    data = np.random.default_rng(0).integers(0, 3, (20, 4)).astype(np.int32)

    def train(key, state):
        return training.train(algorithm, key, state, data, batch_size=4, num_steps=3)

    found = []
    for devices in (jax.devices(), jax.devices()[:1]):
        mesh = sharding.seeds_mesh(64, devices=devices)
        assert mesh.size == len(devices)
        keys = sharding.place(training.seeds_axis(range(64)), sharding.seeds_sharding(mesh))
        state = sharding.init_seeds(algorithm.init, keys.init, mesh)
        found.append(sharding.gather(jax.jit(sharding.vmap_seeds(train, mesh, in_axes=(0, 0)))(keys.train, state)))
    chex.assert_trees_all_close(*found, rtol=1e-4, atol=1e-5)
    assert len(np.unique(found[0][1]["generator_loss"][:, -1])) == 64
