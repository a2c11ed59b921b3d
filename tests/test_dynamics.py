"""Hidden states under teacher forcing and in free running: observation, two-sample accuracies and embeddings."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.config import build, run_config
from experiments.configs import quicktest
from experiments.run import dynamics
from gumbel_gan import training

NUM = 24


@pytest.fixture(scope="module")
def observed():
    """Returns an untrained run of two seeds, and its observed hidden states."""
    config = quicktest.get_config()
    config.num_seeds = 2
    config.num_states = NUM
    config = run_config.parse(config)
    experiment = build.build(config)
    keys = training.seeds_axis([0, 1])
    state = jax.lax.map(experiment.algorithm.init, keys.init)
    return experiment, keys, state, dynamics.observe(config, experiment, state)


@pytest.mark.slow
def test_each_replica_reads_held_out_sequences_and_its_own(observed):
    experiment, keys, state, found = observed
    task, model, params = experiment.task, experiment.model, experiment.algorithm.params(state)
    assert found.times == (2, 4, 6, 8)
    steps = np.array(found.times) - 1
    for replica in range(2):
        one, key = jax.tree.map(lambda leaf, replica=replica: leaf[replica], (params, keys.sample))
        drawn = model.sample(key, one, NUM)
        for states, tokens in (
            (found.after.read, task.test.tokens[:NUM]),
            (found.others, task.validation.tokens[:NUM]),
            (found.after.drawn, drawn),
        ):
            expected = model.hidden_states(one, jnp.asarray(tokens))[:, steps]
            np.testing.assert_allclose(states[replica], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_the_states_before_training_are_those_of_the_run_s_own_beginning(observed):
    *_, found = observed
    for before, after in zip(found.before, found.after, strict=True):
        np.testing.assert_allclose(before, after, rtol=1e-4, atol=1e-6)


def test_states_are_told_apart_where_they_differ(observed):
    *_, found = observed
    far = found._replace(after=found.after._replace(drawn=found.after.drawn + 10.0))
    known = dynamics.accuracies(far)
    assert known["times"] == (2, 4, 6, 8)
    assert known["after"]["accuracy"] == [[1.0] * 4] * 2
    assert known["after"]["p_value"] == [[pytest.approx(0.5**NUM)] * 4] * 2
    for name in ("before", "heldout"):
        low, value, high = (np.array(known[name][part]) for part in ("low", "accuracy", "high"))
        assert value.shape == (2, 4)
        assert (low <= value).all()
        assert (value <= high).all()


def test_a_generator_that_broke_down_leaves_the_others_alone(observed):
    *_, found = observed
    broken = found.after.drawn.copy()
    broken[0] = np.nan
    found = found._replace(after=found.after._replace(drawn=broken))
    accuracy = np.array(dynamics.accuracies(found)["after"]["accuracy"])
    assert np.isnan(accuracy[0]).all()
    assert np.isfinite(accuracy[1]).all()
    first, second = dynamics.embeddings(found, [0, 1])
    assert (len(first["after"]["read"]), len(second["after"]["read"])) == (0, NUM)


def test_the_first_replica_of_each_point_is_embedded(observed):
    *_, found = observed
    (alone,) = dynamics.embeddings(found, [0, 0])
    first, second = dynamics.embeddings(found, [0, 1])
    assert set(alone) == {"before", "after"}
    for stage in dynamics.STAGES:
        for side in ("read", "drawn"):
            assert alone[stage][side].shape == (NUM, 2)
            np.testing.assert_array_equal(alone[stage][side], first[stage][side])
    assert not np.array_equal(first["after"]["read"], second["after"]["read"])
