"""Runs on a long text that is read in order, and their metrics."""

import json
import shutil

import chex
import jax
import numpy as np
import pytest

from experiments.config import build, data_defaults, run_config
from experiments.configs import text
from experiments.run import loop
from experiments.run.directory import RunDirectory
from experiments.run.summary import write_summary
from gumbel_gan import carried

STEPS, WINDOW = 4, 6
KEPT = {"function": "tests.troublesome:score", "renewal": "replace_worst", "num_kept": 9, "num_samples": 9}
MEASURED = ("heldout_nll", "bits_per_symbol", "carried_nll", "carried_bits_per_symbol")


@pytest.fixture(scope="module", autouse=True)
def keys_of_a_run():
    """Disables the check for reused keys: a run uses its keys in every chunk, each time with another state."""
    with jax.debug_key_reuse(False):
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    file = tmp_path_factory.mktemp("corpus") / "mine.txt"
    file.write_text("".join(np.random.default_rng(0).choice(list("abc \n"), 100 * WINDOW + 1)))
    return file


def config_of(corpus, method="truncated", property=(), **changes):
    config = text.get_config(method)
    config.update({"num_steps": STEPS, "steps_per_chunk": 2, "chunks_per_checkpoint": 1, "num_shards": 1})
    config.update({"num_samples": 5, "num_compared": 0, "temperatures": (), "batch_size": 4})
    config.algorithm.generator.hidden_size = 4
    flat = {"task.files": str(corpus), "task.window": WINDOW, "task.in_order": True, "task.num_heldout": 20}
    with config.ignore_type():
        config.update_from_flattened_dict(flat | changes)
    return run_config.parse(config.to_dict() | {"property": dict(property)})


@pytest.mark.slow
def test_a_run_carries_its_state_over_windows_resumes_to_the_same_bits_and_is_measured(corpus, tmp_path):
    prepared = loop.prepare(config_of(corpus), RunDirectory(tmp_path / "run"))
    trained = loop.train_steps(prepared)
    task = prepared.experiment.task
    assert prepared.best_metric == "carried_validation_nll"
    assert task.decode(task.train.tokens.reshape(1, -1))[0] == corpus.read_text()[: 60 * WINDOW]
    last = task.train.tokens[np.arange(4) * (60 // 4) + STEPS - 1, -1]
    assert np.asarray(trained.state.position.last_tokens).tolist() == [last.tolist()]

    shutil.rmtree(prepared.run.checkpoints / str(STEPS))
    again = loop.train_steps(prepared)
    chex.assert_trees_all_equal(jax.device_get(again.state), jax.device_get(trained.state))

    summary, _ = loop.finish(prepared, trained)
    write_summary(prepared.run, summary)
    prepared.run.lock.release()
    stored = json.loads(prepared.run.summary.read_text())
    for name in MEASURED:
        for value, (low, high) in zip(stored[name], stored["intervals"][name], strict=True):
            assert low <= value <= high
    params = prepared.experiment.algorithm.params(trained.best.state)
    nll = jax.jit(jax.vmap(carried.negative_log_likelihoods(prepared.experiment.model, task.test)))(params)
    np.testing.assert_allclose(stored["carried_nll"], np.mean(nll, axis=1), rtol=1e-5)
    np.testing.assert_allclose(stored["carried_bits_per_symbol"], np.mean(nll, axis=1) / WINDOW / np.log(2), rtol=1e-5)
    rows = [json.loads(line) for line in prepared.run.metrics.read_text().splitlines()]
    assert [len(row["carried_validation_nll"]) for row in rows] == [1, 1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"task.in_order": False},
            r"config\.task\.in_order must be True for the algorithm truncated_likelihood, got F",
        ),
        ({"task.in_order": False, "task.window": 0}, r"config\.algorithm: model must have .* got a model with padding"),
        ({"task.window": 0}, r"config\.task: in_order must be False without a window, got True"),
        ({"task.stream": "always"}, r"config\.task: in_order must be False for a text that streams"),
        ({"property": KEPT}, r"config\.property\.renewal must be 'never' for data that streams, is read in order"),
        ({"algorithm.restart_rate": "linear(0.0, 2.0)"}, r"config\.algorithm\.restart_rate must stay in \[0, 1\]"),
    ],
)
def test_what_a_text_in_order_needs_is_named(corpus, changes, message):
    with pytest.raises(ValueError, match=message):
        build.build(config_of(corpus, **changes))


@pytest.mark.slow
def test_professor_forcing_carries_its_state_over_windows_too(corpus, tmp_path):
    changes = {"algorithm.restart_rate": 0.0, "best_metric": "carried_validation_nll"}
    prepared = loop.prepare(config_of(corpus, "professor_forcing", **changes), RunDirectory(tmp_path / "run"))
    trained = loop.train_steps(prepared)
    tokens = prepared.experiment.task.train.tokens
    last = tokens[np.arange(4) * (60 // 4) + STEPS - 1, -1]
    assert np.asarray(trained.state.position.last_tokens).tolist() == [last.tolist()]
    shutil.rmtree(prepared.run.checkpoints / str(STEPS))
    again = loop.train_steps(prepared)
    chex.assert_trees_all_equal(jax.device_get(again.state), jax.device_get(trained.state))
    prepared.run.lock.release()
    with pytest.raises(ValueError, match=r"config\.task\.in_order must be True for the algorithm professor_forcing"):
        build.build(config_of(corpus, "professor_forcing", **changes | {"task.in_order": False, "task.window": 5}))


def test_maximum_likelihood_takes_a_text_in_order_too(corpus):
    experiment = build.build(config_of(corpus, "maximum_likelihood"))
    assert experiment.task.in_order
    assert not experiment.algorithm.reads_in_order


@pytest.mark.slow
def test_the_width_of_the_network_and_the_rest_follow_a_text(corpus):
    config = text.get_config("truncated")
    config.task.files = str(corpus)
    config.task.window = WINDOW
    parsed = run_config.parse(config)
    task = build.make_task(parsed)
    chosen = data_defaults.resolve(parsed, task)
    width, batch_size = chosen.algorithm.settings["generator"]["hidden_size"], chosen.batch_size
    state = jax.eval_shape(build.build(parsed, task).algorithm.init, jax.random.key(0))
    assert state.position.last_tokens.shape == (batch_size,)
    assert {leaf.shape for leaf in jax.tree.leaves(state.position.carry.layers)} == {(batch_size, width)}
