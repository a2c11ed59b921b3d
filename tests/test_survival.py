"""Runs that are interrupted, diverge or are damaged, in this process and with real files."""

import contextlib
import dataclasses
import hashlib
import json
import os
import resource
import shutil
import sys
import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gumbel_gan as gg
from experiments import cli
from experiments.config import run_config
from experiments.configs import arithmetic_policy_gradient, text
from experiments.run import best, checks, divergence, lock, loop
from experiments.run.directory import RunDirectory
from experiments.run.restore import restore
from experiments.run.summary import read_summary, write_summary
from experiments.run.texts import write_json
from gumbel_gan import training
from gumbel_gan.checkpoints import Checkpoints
from gumbel_gan.model import teacher_forced_logits
from tests.commands import run as run_command

STEPS = 6
# Background reads that fail because of damage may raise after the error that names the damage.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def config_of(folder, strings="abcd", **changes):
    """Returns the config of a tiny run of maximum likelihood with three checkpoints."""
    corpus = folder / "corpus.txt"
    corpus.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    corpus.write_text("".join("".join(rng.choice(list(strings), 5)) + "\n" for _ in range(200)))
    config = text.get_config("maximum_likelihood")
    config.update({"num_steps": STEPS, "steps_per_chunk": 2, "chunks_per_checkpoint": 1, "batch_size": 8})
    config.update({"num_samples": 20, "num_compared": 0, "temperatures": (), "num_shards": 1, "num_seeds": 2})
    config.task.update({"files": str(corpus), "num_heldout": 20})
    config.algorithm.generator.hidden_size = 4
    config.update(changes)
    return run_config.parse(config)


class Snapshots:
    """Copies a folder before each file operation, as a process that is killed at this point leaves it."""

    def __init__(self, folder, into):
        self.folder, self.into, self.taken, self.on = folder, into, {}, False
        self._busy = threading.Lock()
        sys.addaudithook(self._hook)

    def _hook(self, event, arguments):
        changes = event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.copyfile")
        changes |= event == "open" and isinstance(arguments[1], str) and arguments[1][:1] in "wax"
        if self.on and changes and self._busy.acquire(blocking=False):
            try:
                self.on = False
                self._take()
                self.on = True
            finally:
                self._busy.release()

    def _take(self):
        folder = self.into / str(len(self.taken))
        shutil.rmtree(folder, ignore_errors=True)
        # Files that orbax writes in the background may disappear while they are copied.
        with contextlib.suppress(shutil.Error, FileNotFoundError):
            shutil.copytree(self.folder, folder, symlinks=True, ignore=shutil.ignore_patterns(".lock*", "events"))
        self.taken.setdefault(self._signature(folder), folder)

    def _signature(self, folder):
        """Returns a hash of the names of files, and of the contents of all files outside the checkpoints."""
        names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
        names = [name for name in names if name.count(os.sep) < 2 or not name.startswith("checkpoints")]
        plain = [
            path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "checkpoints" not in path.parts
        ]
        return hashlib.sha256(repr((names, plain)).encode()).hexdigest()


@pytest.fixture(scope="module", autouse=True)
def keys_of_a_run():
    """Disables the check for reused keys: a run uses its keys in every chunk, each time with another state."""
    with jax.debug_key_reuse(False):
        yield


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A prepared run, its uninterrupted result, and copies of its folder during training."""
    folder = tmp_path_factory.mktemp("survival")
    prepared = loop.prepare(config_of(folder), RunDirectory(folder / "run"))
    snapshots = Snapshots(folder / "run", folder / "taken")
    snapshots.on = True
    trained = loop.train_steps(prepared)
    snapshots.on = False
    prepared.run.lock.release()
    return prepared, trained, list(snapshots.taken.values())


def rows(folder):
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "wall_seconds"} for row in found]


def leaves(trained):
    return [np.asarray(leaf) for leaf in jax.tree.leaves((trained.state, trained.best))]


def copy_of(folder, target):
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("events", ".lock"))
    return RunDirectory(target)


@pytest.mark.slow
def test_killed_before_any_file_operation_of_training_it_ends_with_the_same_bits(base):
    prepared, trained, taken = base
    assert len(taken) > 8
    for folder in taken:
        again = loop.train_steps(prepared._replace(run=RunDirectory(folder)))
        for one, other in zip(leaves(trained), leaves(again), strict=True):
            np.testing.assert_array_equal(one, other)
        assert rows(folder) == rows(prepared.run.path)


def test_killed_before_any_file_operation_of_its_start_a_run_is_the_old_one_or_the_new_one(tmp_path):
    old = config_of(tmp_path / "old")
    new = dataclasses.replace(config_of(tmp_path / "new", "efgh"), seed=5)
    run = RunDirectory(tmp_path / "run")
    run.start(old, overwrite=False)
    run.keep_files(old)
    for name in ("summary.json", "metrics.jsonl", "samples.txt"):
        (run.path / name).write_text("of the old run")
    (run.checkpoints / "6").mkdir(parents=True)
    before = {str(path.relative_to(run.path)) for path in run.path.rglob("*")}
    snapshots = Snapshots(run.path, tmp_path / "taken")
    snapshots.on = True
    run.start(new, overwrite=True)
    run.keep_files(new)
    snapshots.on = False
    whole = {str(path.relative_to(run.path)): path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    assert len(snapshots.taken) > 8
    seeds = set()
    for folder in snapshots.taken.values():
        left = RunDirectory(folder)
        seeds.add(left.read_config().seed)
        if left.read_config().seed == old.seed:
            assert before <= {str(path.relative_to(folder)) for path in folder.rglob("*")}
            assert left.kept_files()
            continue
        left.finish_start()
        left.keep_files(new)
        found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert found == whole
        # The files that are left do not prevent another run.
        assert left.check_start(old, overwrite=True)
    assert seeds == {old.seed, new.seed}


def test_copies_of_many_files_sort_as_they_count(tmp_path):
    names = [str(tmp_path / f"{number}.txt") for number in range(1_001)]
    config = config_of(tmp_path).with_task(files=",".join(names))
    copies = [str(path) for path in RunDirectory(tmp_path / "run")._copies(config)]
    assert copies == sorted(copies)


@pytest.mark.slow
def test_a_resumed_run_learns_from_its_copies_and_may_go_further(base, tmp_path):
    prepared, _, _ = base
    run = copy_of(prepared.run.path, tmp_path / "run")
    corpus = tmp_path / "corpus.txt"
    shutil.move(prepared.config.task.settings["files"], corpus)
    try:
        longer = dataclasses.replace(run.read_config(), num_steps=STEPS + 2)
        resumed = loop.prepare(longer, run, resume=True)
        assert loop.train_steps(resumed).step == STEPS + 2
        with pytest.raises(ValueError, match=r"config\.batch_size differs"):
            loop.prepare(dataclasses.replace(longer, batch_size=9), run, resume=True)
    finally:
        run.lock.release()
        shutil.move(corpus, prepared.config.task.settings["files"])


def test_damage_says_what_it_is(base, tmp_path, capfd):
    prepared, _, _ = base
    whole = prepared.run.path
    like = jax.eval_shape(lambda: jax.tree.map(jnp.zeros_like, base[1].state))

    def damaged(name, change):
        folder = tmp_path / name
        copy_of(whole, folder)
        change(folder)
        with pytest.raises(ValueError, match="checkpoint") as error, Checkpoints(folder / "checkpoints") as checkpoints:
            checkpoints.restore(like)
        return str(error.value)

    def flip(pattern):
        def change(folder):
            (file,) = (folder / step).glob(pattern)
            raw = bytearray(file.read_bytes())
            raw[len(raw) // 2] ^= 0xD5
            file.write_bytes(raw)

        return change

    step = "checkpoints/6"
    # The other files of an item belong to parts that were merged into these files, and are not read.
    files = ("default/d/*", "default/manifest.ocdbt", "default/_METADATA", "default/_sharding", "_CHECKPOINT_METADATA")
    for name, change in {
        **{f"flipped {number}": flip(file) for number, file in enumerate(files)},
        "empty": lambda folder: (folder / step / "default" / "_METADATA").write_text(""),
        "gone": lambda folder: shutil.rmtree(folder / step / "default" / "d"),
        "noted": lambda folder: (folder / step / "_CHECKPOINT_METADATA").write_text("{"),
    }.items():
        message = damaged(name, change)
        assert "is damaged" in message
        assert str(tmp_path / name / step) in message
        assert message.endswith("; to go back to step 4, delete that folder")
        assert "\n" not in message
    renamed = damaged("renamed", lambda folder: (folder / step).rename(folder / "checkpoints" / "8"))
    assert "must hold the checkpoint of step 8, got that of step 6: it was renamed; rename it back; to go" in renamed
    assert renamed.endswith("; to go back to step 4, delete that folder")
    assert "Traceback" not in capfd.readouterr().err


def test_other_bits_in_an_array_are_noticed(tmp_path):
    """The bytes on disk are valid for orbax, but differ from the bytes that were saved."""
    state = {"weights": jnp.arange(4.0)}
    for name, saved in (("one", state), ("other", {"weights": jnp.arange(4.0) + 1})):
        with Checkpoints(tmp_path / name) as checkpoints:
            checkpoints.save(1, saved)
    shutil.rmtree(tmp_path / "one" / "1" / "default")
    shutil.copytree(tmp_path / "other" / "1" / "default", tmp_path / "one" / "1" / "default")
    with Checkpoints(tmp_path / "one") as checkpoints, pytest.raises(ValueError, match="not those that were saved"):
        checkpoints.restore(state)


def test_what_was_deleted_or_edited_is_noticed(base, tmp_path, capsys):
    prepared, _, _ = base
    run = copy_of(prepared.run.path, tmp_path / "run")
    lines = run.metrics.read_text().splitlines(keepends=True)
    run.metrics.write_text("".join([lines[0], *lines[2:]]))
    with Checkpoints(run.checkpoints) as checkpoints:
        (said,) = checks.check_kept(run, prepared.config, checkpoints)
    assert "metrics.jsonl lacks 1 rows that were written, the first of step 4" in said
    run.metrics.write_text("".join([*lines[:2], "{", "\n"]))
    with pytest.raises(ValueError, match=r"metrics\.jsonl, line 3, is no row of metrics: it is damaged"):
        run.read_metrics()
    run.metrics.write_text("".join(lines))
    record = json.loads(run.config.read_text())
    run.config.write_text(json.dumps(record | {"batch_size": 9}))
    with pytest.raises(ValueError, match=r"config\.batch_size was 8 and is 9 now: it was edited"):
        restore(run.path)
    run.config.write_text(json.dumps(record))
    run.summary.write_text(json.dumps({"steps": 6}))
    shutil.rmtree(run.checkpoints / "6")
    assert restore(run.path).step == 4
    assert f"warning: {run.checkpoints} lacks the checkpoint of step 6: this is step 4" in capsys.readouterr().err
    with Checkpoints(run.checkpoints) as checkpoints:
        (said,) = checks.check_kept(run, prepared.config, checkpoints)
    assert "holds one checkpoint, of step 4, where the newest two are kept: one was deleted or renamed" in said
    shutil.rmtree(run.checkpoints)
    with pytest.raises(ValueError, match=r"must hold a checkpoint, got .* or they were deleted"):
        restore(run.path)
    with pytest.raises(SystemExit):
        loop.train_steps(prepared._replace(run=run))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("at step 6, got none: they were deleted; --overwrite begins anew")


def test_the_best_state_of_each_replica_is_kept(base, tmp_path):
    prepared, trained, _ = base
    found = rows(prepared.run.path)
    values = np.array([row["validation_nll"] for row in found])
    np.testing.assert_allclose(trained.best.value, values.min(axis=0), rtol=1e-6)
    steps = np.array([row["step"] for row in found])[values.argmin(axis=0)]
    np.testing.assert_array_equal(trained.best.step, steps)
    np.testing.assert_array_equal(trained.best.state.step, steps)
    restored = restore(prepared.run.path, checkpoint="best")
    assert restored.step == STEPS
    for one, other in zip(jax.tree.leaves(restored.state), jax.tree.leaves(trained.best.state), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def finished(base, tmp_path_factory):
    """The finished run, changed as if its best states were two steps older than its last states."""
    prepared, trained, _ = base
    run = copy_of(prepared.run.path, tmp_path_factory.mktemp("finished") / "run")
    state = trained.state._replace(step=trained.state.step - 2)
    kept = trained.best._replace(state=state, step=trained.best.step * 0 + STEPS - 2)
    with Checkpoints(run.checkpoints, items=[best.ITEM]) as checkpoints:
        note = checkpoints.note()
    shutil.rmtree(run.checkpoints / str(STEPS))
    with Checkpoints(run.checkpoints, items=[best.ITEM]) as checkpoints:
        checkpoints.save(STEPS, trained.state, note=note, **{best.ITEM: kept})
    summary, _ = loop.finish(prepared._replace(run=run), trained._replace(best=kept))
    write_summary(run, summary)
    return run


def test_the_summary_of_the_best_states_says_how_long_was_trained(finished):
    assert (read_summary(finished).summarized, read_summary(finished).steps) == ("best", STEPS)
    assert gg.load(finished.model).about["steps"] == [STEPS, STEPS]
    assert gg.load(finished.best_model).about["steps"] == [STEPS - 2, STEPS - 2]


def test_commands_take_the_states_that_the_summary_is_of(finished, tmp_path):
    before = json.loads(finished.summary.read_text())
    write_json(finished.summary, before | {"distinct_strings": [0.0, 0.0], "diverged": [None, 3]})
    status, output, errors = run_command("evaluate", f"--workdir={finished.path}", "--checkpoint=last")
    assert (status, errors) == (0, "")
    assert f", {STEPS} steps, " in output
    assert read_summary(finished).metrics["distinct_strings"] == [0.0, 0.0]
    assert run_command("evaluate", f"--workdir={finished.path}")[0] == 0
    after = read_summary(finished)
    assert after.metrics["distinct_strings"] == before["distinct_strings"]
    assert (after.steps, after.diverged, after.best) == (STEPS, [None, 3], before["best"])
    for checkpoint, step in ((None, STEPS - 2), ("best", STEPS - 2), ("last", STEPS)):
        restored = restore(finished.path, platform=None, checkpoint=checkpoint)
        assert restored.checkpoint == (checkpoint or "best")
        assert list(restored.state.step) == [step, step]


def test_a_run_without_best_states_yet_gives_its_last(finished, tmp_path):
    run = copy_of(finished.path, tmp_path / "run")
    with Checkpoints(run.checkpoints, items=[best.ITEM]) as checkpoints:
        note = checkpoints.note()
    state = restore(run.path, platform=None).state
    shutil.rmtree(run.checkpoints / str(STEPS))
    with Checkpoints(run.checkpoints) as checkpoints:
        checkpoints.save(STEPS, state, note=note)
    with pytest.raises(ValueError, match=r"--checkpoint must be last for .* which keeps no best states"):
        restore(run.path, platform=None, checkpoint=None)
    run.summary.unlink()
    assert restore(run.path, platform=None, checkpoint=None).checkpoint == "last"
    with pytest.raises(ValueError, match="--checkpoint must be last for"):
        restore(run.path, platform=None, checkpoint="best")


def test_patience_ends_training_and_a_metric_that_turns_is_named(base, tmp_path, capsys):
    prepared, _, _ = base
    worse = iter([3.0, 1.0, 2.0, 2.0, 2.0])
    config = dataclasses.replace(prepared.config, num_steps=100, patience=4)
    run = copy_of(prepared.run.path, tmp_path / "run")
    run.start(config, overwrite=True)
    measured = prepared._replace(
        config=config, run=run, monitor=lambda keys, state: {"validation_nll": [next(worse)] * 2}
    )
    trained = loop.train_steps(measured)
    assert trained.step == 8
    np.testing.assert_array_equal(trained.best.step, [4, 4])
    output = capsys.readouterr().out
    assert "warning: validation NLL was best at step 4, 1, and is 2 now: it gets worse" in output
    assert output.count("it gets worse") == 1
    assert "no better validation_nll in 4 steps: training ends at step 8" in output


@pytest.mark.slow
def test_a_replica_that_diverges_is_frozen_and_the_others_go_on(tmp_path, capsys):
    config = config_of(tmp_path, sweep={"algorithm.optimizer.learning_rate": [1e-2, 1e25]})
    alone = dataclasses.replace(config, sweep={}, num_seeds=2)
    prepared = loop.prepare(config, RunDirectory(tmp_path / "run"))
    found = loop.train_steps(prepared)
    assert divergence.steps(found.state, STEPS) == [None, None, 1, 1]
    assert not any(jax.vmap(training.has_diverged)(found.state))
    output = capsys.readouterr().out
    assert (
        "seed 0 at point 1 of the sweep diverged at step 1: a weight would be NaN, infinite or beyond 1e18; it stays"
        in output
    )
    assert output.count("diverged at step") == 2
    plain = loop.prepare(_with_rate(alone, 1e-2), RunDirectory(tmp_path / "alone"))
    others = loop.train_steps(plain)
    for one, other in zip(jax.tree.leaves(found.state), jax.tree.leaves(others.state), strict=True):
        np.testing.assert_allclose(one[:2], other, rtol=1e-4, atol=1e-5)
    summary, _ = loop.finish(prepared, found)
    assert summary.diverged == [None, None, 1, 1]
    assert all(np.isfinite(summary.metrics["distinct_strings"]))

    bad = loop.prepare(_with_rate(alone, 1e25), RunDirectory(tmp_path / "bad"))
    with pytest.raises(divergence.DivergedError, match=r"diverged at step 1: .*--config\.init_from=") as error:
        loop.train_steps(bad)
    assert "max_norm" in str(error.value)


def _with_rate(config, rate):
    settings = dict(config.algorithm.settings)
    settings["optimizer"] = settings["optimizer"] | {"learning_rate": rate}
    return dataclasses.replace(config, algorithm=config.algorithm._replace(settings=settings))


@pytest.mark.slow
def test_training_starts_from_another_run_and_keeps_its_vocabulary(base, tmp_path):
    prepared, trained, _ = base
    # The new data lacks 'a' and adds 'e' and 'f'. Three replicas start from the networks of two.
    config = config_of(tmp_path, "bcdef", init_from=str(prepared.run.path), num_seeds=3)
    started = loop.prepare(config, RunDirectory(tmp_path / "run"))
    task = started.experiment.task
    assert task.symbols == ("", "a", "b", "c", "d", "e", "f")
    assert set("".join(task.decode(task.train.tokens))) == set("bcdef")
    assert started.config.init_symbols == ("", "a", "b", "c", "d")
    state = loop._initial(started, _Empty()).state
    model, old = started.experiment.model, prepared.experiment.model
    tokens = prepared.experiment.task.validation.tokens
    new_params = started.experiment.algorithm.params(state)
    old_params = prepared.experiment.algorithm.params(trained.state)
    for replica in range(3):
        new_logits = _logits(model, new_params, replica, tokens)[..., :5]
        np.testing.assert_allclose(new_logits, _logits(old, old_params, replica % 2, tokens), rtol=1e-4, atol=1e-5)
    other = dataclasses.replace(config, init_from=str(tmp_path / "none"))
    with pytest.raises(ValueError, match=r"config\.init_from must hold a run, got"):
        loop.prepare(other, RunDirectory(tmp_path / "other"))


@pytest.mark.slow
def test_a_discriminator_starts_from_the_generator(base, tmp_path):
    prepared, _, _ = base
    likelihood = config_of(tmp_path, "bcdef", init_from=str(prepared.run.path), init_discriminator="generator")
    settings = arithmetic_policy_gradient.get_config("per_symbol").algorithm.to_dict()
    del settings["name"]
    settings["generator"]["hidden_size"], settings["discriminator"]["hidden_size"] = 4, None
    config = dataclasses.replace(likelihood, algorithm=run_config.Section("policy_gradient", settings))
    started = loop.prepare(config, RunDirectory(tmp_path / "run"))
    networks = loop._initial(started, _Empty()).state.adversarial
    of_generator = networks.generator_params["params"]["LSTMCell_0"]
    of_discriminator = networks.discriminator_params["params"]["LSTMCell_0"]
    # Seven symbols, the start symbol, which only the generator reads, and the hidden state.
    without_start = np.delete(of_generator["kernel"], 7, axis=1)
    np.testing.assert_array_equal(of_discriminator["kernel"], without_start)
    np.testing.assert_array_equal(of_discriminator["bias"], of_generator["bias"])
    assert networks.discriminator_params["params"]["Dense_0"]["kernel"].shape == (2, 4, 1)

    settings["discriminator"] = {"name": "transformer", "width": 4, "num_layers": 1, "num_heads": 1}
    other = dataclasses.replace(config, algorithm=run_config.Section("policy_gradient", settings))
    with pytest.raises(ValueError, match=r"config\.init_discriminator must be 'run' with this discriminator: none"):
        loop.prepare(other, RunDirectory(tmp_path / "other"))
    with pytest.raises(ValueError, match=r"config\.init_discriminator must be 'run' for maximum_likelihood"):
        loop.prepare(likelihood, RunDirectory(tmp_path / "likelihood"))


def _logits(model, params, replica, tokens):
    params = jax.tree.map(lambda leaf: leaf[replica], params)
    return np.asarray(teacher_forced_logits(model, params, jnp.asarray(tokens), {}))


class _Empty:
    def latest_step(self):
        return None


def test_a_full_disk_is_one_line_and_the_run_goes_on_later(base, tmp_path, capsys):
    prepared, trained, _ = base
    run = copy_of(prepared.run.path, tmp_path / "run")
    run.start(prepared.config, overwrite=True)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limits[1]))
    try:
        with pytest.raises(SystemExit), cli.one_line_disk_errors("--resume goes on"):
            loop.train_steps(prepared._replace(run=run))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert "File too large" in errors
    again = loop.train_steps(prepared._replace(run=RunDirectory(run.path)))
    for one, other in zip(leaves(trained), leaves(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_lock_of_another_machine_is_taken_over_when_no_one_touches_it(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "_DURATION", 0.3)
    monkeypatch.setattr(lock, "_HEARTBEAT", 0.1)
    first, second = lock.RunLock(tmp_path), lock.RunLock(tmp_path)
    with first:
        first.acquire()
        with pytest.raises(ValueError, match=rf"is in use by process {os.getpid()} on"):
            second.acquire()
        marker = (tmp_path / lock.NAME).read_text()
    lines = ["host=elsewhere" if line.startswith("host=") else line for line in marker.split("\n")]
    (tmp_path / lock.NAME).write_text("\n".join(lines))
    with second:
        second.acquire()
        assert f"pid={os.getpid()}" in (tmp_path / lock.NAME).read_text()
        os.remove(tmp_path / lock.NAME)
        with first:
            first.acquire()
            deadline = time.monotonic() + 30
            while second._lease.compromise is None and time.monotonic() < deadline:
                time.sleep(0.05)
            with pytest.raises(ValueError, match="taken over by another process"):
                second.check()


def test_another_random_generator_is_refused_for_several_replicas():
    checks.check_random(2)
    with jax.default_prng_impl("rbg"):
        checks.check_random(1)
        with pytest.raises(
            ValueError, match=r"JAX_DEFAULT_PRNG_IMPL must be threefry2x32 for a run of 2 replicas, got"
        ):
            checks.check_random(2)
