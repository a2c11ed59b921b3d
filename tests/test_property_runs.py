"""Runs that increase a property, by the reward or by renewed data: interruption, and the limit of calls."""

import json
import shutil
import time

import jax
import numpy as np
import pytest

from experiments.config import property_calls, run_config
from experiments.configs import molecule_property, text
from experiments.run import calls, loop, renewal
from experiments.run.directory import RunDirectory
from experiments.run.texts import as_json

STEPS = 6
METHODS = {
    "policy_gradient": {"renewal": "never"},
    "replace_worst": {"renewal": "replace_worst", "num_samples": 16, "num_kept": 8},
    "best_samples": {"renewal": "best_samples", "num_samples": 16, "num_kept": 8},
}


@pytest.fixture(scope="module", autouse=True)
def keys_of_a_run():
    """Disables the check for reused keys: a run uses its keys in every chunk, each time with another state."""
    with jax.debug_key_reuse(False):
        yield


def config_of(folder, method, **changes):
    """Returns the config of a tiny run on strings of 'a', 'b' and 'n'; the property is the length, NaN for 'nan'."""
    corpus = folder / "corpus.txt"
    if not corpus.exists():
        rng = np.random.default_rng(0)
        corpus.write_text("".join("".join(rng.choice(list("abn"), rng.integers(1, 6))) + "\n" for _ in range(200)))
    config = text.get_config("maximum_likelihood")
    if method == "policy_gradient":
        config.algorithm = molecule_property.get_config().algorithm
        config.algorithm.discriminator.update({"hidden_size": 4, "bidirectional": False})
        # The second derivatives of the penalties take most of the compilation time.
        config.algorithm.penalty.update({"real_weight": "none", "generated_weight": "none"})
    config.algorithm.generator.update({"hidden_size": 4, "dropout_rate": 0.0})
    config.update({"num_steps": STEPS, "steps_per_chunk": 2, "chunks_per_checkpoint": 2, "batch_size": 8})
    config.update({"num_samples": 20, "num_compared": 0, "temperatures": (), "num_shards": 1, "num_seeds": 2})
    config.task.update({"files": str(corpus), "num_heldout": 10, "max_length": 6})
    config.update({"best_metric": "none", "patience": 0, "summarized": "last"})
    plain = config.to_dict() | {"property": {"function": "tests.troublesome:score", **METHODS[method], **changes}}
    return run_config.parse(plain)


def read(run):
    rows = run.read_metrics()
    for row in rows:
        del row["wall_seconds"]
    return rows, run.calls.read_text()


def train(config, run, **options):
    prepared = loop.prepare(config, run, **options)
    try:
        return prepared, loop.train_steps(prepared)
    finally:
        prepared.run.lock.release()
        prepared.experiment.property.close()


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_killed_between_its_checkpoints_a_run_ends_with_the_same_bits_and_calls(method, tmp_path, monkeypatch):
    config, folder = config_of(tmp_path, method), tmp_path / "whole"
    write = calls.CallsLog.write

    def write_and_copy(log, step):
        found = write(log, step)
        if step == STEPS:
            while not (folder / "checkpoints" / "4").exists():
                time.sleep(0.01)
            shutil.copytree(folder, tmp_path / "cut", ignore=shutil.ignore_patterns(".lock*", "events"))
        return found

    with monkeypatch.context() as patch:
        patch.setattr(calls.CallsLog, "write", write_and_copy)
        whole, ended = train(config, RunDirectory(folder))
    cut = RunDirectory(tmp_path / "cut")
    assert json.loads(cut.calls.read_text().splitlines()[-1])[0] == STEPS
    assert cut.newest_step() == 4
    resumed, ended_later = train(config, cut, resume=True)
    for one, other in zip(*(jax.tree.leaves((each.state, each.pool)) for each in (ended, ended_later)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert read(whole.run) == read(resumed.run)
    rows = whole.run.read_metrics()
    assert rows[-1]["property_calls"] == whole.experiment.property.num_calls
    assert rows[0]["property_calls"] < rows[-1]["property_calls"]

    found = calls.section(whole.experiment.property)
    assert as_json(found) == as_json(calls.section(resumed.experiment.property))
    logged = calls.read_calls(whole.run)
    for replica, num in enumerate(found["calls"]):
        strings = [call.string for call in logged if call.replica == replica]
        assert len(strings) == len(set(strings)) == num
    if ended.pool is not None:
        _check_pool(ended.pool, whole, logged, method)


def _check_pool(pool, prepared, logged, method):
    """Checks that the pool of each replica holds the strings with the best scores of its calls, and these scores."""
    task = prepared.experiment.task
    train_strings = set(task.decode(task.train.tokens))
    for replica, (tokens, scores) in enumerate(zip(*pool, strict=True)):
        asked = [call for call in logged if call.replica == replica]
        best = sorted((call.score.value for call in asked), reverse=True)[: len(scores)]
        np.testing.assert_array_equal(scores, best)
        np.testing.assert_array_equal([len(string) for string in task.decode(tokens)], scores)
        from_data = [call.string in train_strings for call in asked[: len(scores)]]
        assert all(from_data) == (method == "replace_worst")


@pytest.mark.slow
def test_training_ends_with_its_calls_and_says_which_strings_have_no_property(tmp_path, capsys, monkeypatch):
    config = config_of(
        tmp_path, "best_samples", function=f"{__name__}:none_of_vowels", max_calls=20, worst=-1.0, num_workers=0
    )
    prepared, trained = train(config, RunDirectory(tmp_path / "run"))
    assert trained.step < STEPS
    assert prepared.experiment.property.num_calls == [20, 20]
    problems = calls.section(prepared.experiment.property)["problems"]
    assert sum(problems["raised"]) == sum("a" in call.string for call in calls.read_calls(prepared.run)) > 0
    said = capsys.readouterr()
    line = "which gets the worst score, -1: ValueError: a vowel"
    assert 1 <= (said.out + said.err).count(line) <= 10


def none_of_vowels(string):
    if "a" in string:
        raise ValueError("a vowel")
    return len(string)


def test_an_empty_pool_trains_on_data_and_a_small_one_on_what_it_has():
    tokens = np.arange(6).reshape(2, 3, 1)
    scores = np.array([[-np.inf, -np.inf, -np.inf], [2.0, 1.0, -np.inf]], np.float32)
    filled = renewal._filled(renewal.Pool(tokens, scores))
    np.testing.assert_array_equal(filled[..., 0], [[0, 1, 2], [3, 4, 3]])


def test_mean_of_the_best():
    assert property_calls.mean_of_best([1.0, 5.0, 3.0], 2) == 4.0
    assert np.isnan(property_calls.mean_of_best([1.0], 2))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"function": "qde"}, "config.property: function must be one of.*qed"),
        ({"function": "tests.troublesome:scor"}, "config.property: function must name a function"),
        ({"functoin": "qed"}, "config.property has no setting 'functoin'"),
        ({"num_kept": 7}, "config.property.num_kept must be from config.batch_size, 8"),
        ({"renewal": "always"}, "config.property: renewal must be one of"),
        ({"renewal": "replace_worst", "max_calls": 8}, "config.property: max_calls must be more than num_kept"),
        ({"timeout_seconds": 0.0}, "config.property: timeout_seconds must be"),
        ({"renewal": "never"}, "config.property.renewal must be 'replace_worst' or 'best_samples' without"),
    ],
)
def test_bad_settings_are_named(changes, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        loop.prepare(config_of(tmp_path, "best_samples", **changes), RunDirectory(tmp_path / "run"))
    assert not (tmp_path / "run" / "config.json").exists()


def test_shards_and_a_reward_of_the_host_are_refused(tmp_path):
    config = run_config.changed(config_of(tmp_path, "policy_gradient"), {"num_shards": 2})
    with pytest.raises(ValueError, match=r"config\.num_shards must be 1 where a property is a part of the reward"):
        loop.prepare(config, RunDirectory(tmp_path / "run"))
