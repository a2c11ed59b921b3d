import jax
import numpy as np
import optax
import pytest
import scipy.special

from gumbel_gan import evaluation
from gumbel_gan.algorithms import maximum_likelihood
from gumbel_gan.metrics import distance_to_law, exact_distances
from gumbel_gan.networks import lstm_generator
from gumbel_gan.tasks import grammar_task


def test_exact_distances_by_hand():
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.1, 0.3])
    metrics = exact_distances(np.log(q), np.log(p), np.array([1, 3, 3]))
    expected = {
        "validity": 0.8,
        "total_variation": 0.5 * (0.1 + 0.2 + 0.1 + 0.2),
        "kl_data_model": scipy.special.rel_entr(p, q).sum(),
        "length_total_variation": 0.5 * (0.1 + 0.1 + 0.2),
    }
    assert set(metrics) == set(expected)
    for name, value in expected.items():
        assert float(metrics[name]) == pytest.approx(value, rel=1e-5)


def test_exact_distances_of_equal_and_of_disjoint_laws():
    p = np.array([0.5, 0.3, 0.2])
    same = exact_distances(np.log(p), np.log(p), np.array([1, 2, 3]))
    assert [round(float(same[name]), 6) for name in evaluation.EXACT_METRICS] == [1, 0, 0, 0]
    apart = exact_distances(np.full(3, -np.inf), np.log(p), np.array([1, 2, 3]))
    assert [float(apart[name]) for name in evaluation.EXACT_METRICS] == [0, 1, np.inf, 1]


def test_distance_to_law_by_hand():
    law = {"a": 0.5, "b": 0.25, "cc": 0.25}
    metrics = distance_to_law(
        ["a", "a", "cc", "a", "zz"], is_valid=law.__contains__, length_probs=np.array([0, 0.75, 0.25]), law=law
    )
    assert metrics == pytest.approx(
        {
            "sampled_validity": 0.8,
            "sampled_total_variation": 0.5 * (0.1 + 0.25 + 0.05 + 0.2),
            "sampled_length_total_variation": 0.5 * (0.15 + 0.05 + 0.2),
        }
    )


def test_distance_to_law_without_a_law_and_without_strings():
    metrics = distance_to_law(["a"], is_valid=lambda string: True, length_probs=np.array([0.0, 1.0]))
    assert metrics == {"sampled_validity": 1.0, "sampled_length_total_variation": 0.0}
    with pytest.raises(ValueError, match="strings must not be empty"):
        distance_to_law([], is_valid=lambda string: True, length_probs=np.array([1.0]))


def test_baselines_score_the_data_and_the_noise_of_a_draw():
    task = grammar_task(max_length=6, num_train=300)
    baselines = evaluation.baselines(task, num_samples=2_000)
    training_set = baselines["training_set"]
    strings = task.decode(task.oracle.support)
    drawn = task.decode(task.train)
    shares = np.array([drawn.count(string) for string in strings]) / len(drawn)
    expected = 0.5 * np.abs(shares - np.exp(task.oracle.log_probs)).sum()
    assert training_set["validity"] == pytest.approx(1.0)
    assert training_set["total_variation"] == pytest.approx(expected, rel=1e-4)
    assert training_set["sampled_total_variation"] == pytest.approx(expected, rel=1e-4)
    assert training_set["distinct_strings"] == len(set(drawn))
    # E|share - p| of n draws is about sqrt(2 p (1 - p) / (pi n)).
    probs = np.exp(task.oracle.log_probs)
    floor = 0.5 * np.sqrt(2 * probs * (1 - probs) / (np.pi * 2_000)).sum()
    assert baselines["sampling_floor"]["total_variation"] == pytest.approx(floor, rel=0.1)


def test_law_metrics_sum_over_the_whole_support_in_blocks(monkeypatch):
    task = grammar_task(max_length=6, num_train=300)
    algorithm = maximum_likelihood(lstm_generator(len(task.symbols), 3), length=task.length, optimizer=optax.identity())
    state = algorithm.init(jax.random.key(0))
    whole = evaluation.law_metrics(algorithm, task)(state)
    monkeypatch.setattr(evaluation, "_ROWS_AT_ONCE", 8)
    blocks = evaluation.law_metrics(algorithm, task)(state)
    for name in evaluation.EXACT_METRICS:
        assert float(blocks[name]) == pytest.approx(float(whole[name]), rel=1e-5)
    log_probs = np.asarray(algorithm.log_prob(state, task.oracle.support), np.float64)
    assert float(whole["validity"]) == pytest.approx(np.exp(log_probs).sum(), rel=1e-4)
    kl = np.sum(np.exp(task.oracle.log_probs) * (task.oracle.log_probs - log_probs))
    assert float(whole["kl_data_model"]) == pytest.approx(kl, rel=1e-4)


def test_tasks_without_a_listed_support_are_named():
    task = grammar_task(max_length=6, num_train=10, support_limit=3)
    with pytest.raises(ValueError, match="task must have an oracle that lists its support, got grammar arithmetic"):
        evaluation.law_metrics(None, task)
    floor = evaluation.baselines(task, num_samples=10)["sampling_floor"]
    assert "total_variation" not in floor
    assert floor["num_strings"] == len(task.test)
    assert evaluation.string_metrics(["x", "xx"], task)["sampled_validity"] == 0.5
    assert evaluation.string_metrics(["x", "xx"], task._replace(oracle=None)) == {"distinct_strings": 2.0}
