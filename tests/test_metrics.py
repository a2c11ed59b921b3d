import jax
import numpy as np
import pytest
import scipy.special

from gumbel_gan import evaluation
from gumbel_gan.metrics import exact_distances, sampled_distances
from gumbel_gan.model import sequence_model
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


def test_exact_distances_of_equal_and_of_disjoint_distributions():
    p = np.array([0.5, 0.3, 0.2])
    same = exact_distances(np.log(p), np.log(p), np.array([1, 2, 3]))
    assert [round(float(same[name]), 6) for name in evaluation.EXACT_METRICS] == [1, 0, 0, 0]
    apart = exact_distances(np.full(3, -np.inf), np.log(p), np.array([1, 2, 3]))
    assert [float(apart[name]) for name in evaluation.EXACT_METRICS] == [0, 1, np.inf, 1]


DISTANCES = {"model_log_probs": np.log([0.4, 0.6]), "true_log_probs": np.log([0.5, 0.5]), "lengths": np.array([1, 2])}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_log_probs": np.zeros((2, 1))}, r"model_log_probs must be \[M\] with M at least 1, got shape \(2, 1\)"),
        ({"model_log_probs": np.zeros(0)}, r"model_log_probs must be \[M\] with M at least 1, got shape \(0,\)"),
        ({"model_log_probs": np.float32(-1)}, r"model_log_probs must be \[M\] with M at least 1, got shape \(\)"),
        ({"model_log_probs": np.log([0.5])}, r"model_log_probs must have the shape of lengths, \(2,\), got \(1,\)"),
        ({"true_log_probs": np.log([0.2, 0.3, 0.5])}, r"true_log_probs must have the shape of lengths, \(2,\), got"),
        (
            {"model_log_probs": np.array([np.nan, -1.0])},
            "model_log_probs must be log-probabilities, at most 0, got NaN",
        ),
        ({"model_log_probs": np.array([0.4, 0.6])}, "model_log_probs must be log-probabilities, at most 0, .* of 0.6"),
        ({"true_log_probs": np.array([0.0, -np.inf])}, "true_log_probs must be finite, as p is positive"),
        ({"true_log_probs": np.log([0.5, 0.4])}, "true_log_probs must sum to 1 as probabilities, got 0.9"),
        ({"lengths": np.array([1, -2])}, "lengths must be at least 0, got -2"),
    ],
)
def test_arrays_of_no_distribution_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        exact_distances(**(DISTANCES | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_log_probs": np.array([-1, -2])}, "model_log_probs must be floating, got int64"),
        ({"true_log_probs": np.array([-1, -2])}, "true_log_probs must be floating, got int64"),
        ({"lengths": np.array([1.0, 2.0])}, "lengths must be integers, got float64"),
    ],
)
def test_arrays_of_other_types_are_named(changes, message):
    with pytest.raises(TypeError, match=message):
        exact_distances(**(DISTANCES | changes))


def test_a_probability_that_underflows_does_not_make_the_divergence_nan():
    true_log_probs = np.array([0.0, -200.0], np.float32)
    found = exact_distances(np.array([-0.5, -np.inf], np.float32), true_log_probs, np.array([1, 2]))
    assert float(found["kl_data_model"]) == np.inf
    found = exact_distances(np.array([-0.5, -3.0], np.float32), true_log_probs, np.array([1, 2]))
    assert float(found["kl_data_model"]) == pytest.approx(0.5)


def test_traced_distances_are_those_of_concrete_arrays():
    expected = exact_distances(**DISTANCES)
    found = jax.jit(lambda q, p: exact_distances(q, p, DISTANCES["lengths"]))(
        DISTANCES["model_log_probs"], DISTANCES["true_log_probs"]
    )
    assert {name: float(value) for name, value in found.items()} == pytest.approx(
        {name: float(value) for name, value in expected.items()}
    )


def test_distances_have_the_precision_of_their_arguments():
    with jax.enable_x64(True):
        found = exact_distances(**DISTANCES)
    assert {value.dtype.name for value in found.values()} == {"float64"}
    assert float(found["kl_data_model"]) == pytest.approx(0.5 * np.log(0.25 / 0.24), rel=1e-12)


def test_sampled_distances_by_hand():
    probs = {"a": 0.5, "b": 0.25, "cc": 0.25}
    settings = {"is_valid": probs.__contains__, "length_probs": np.array([0, 0.75, 0.25]), "probs": probs}
    strings = ["a", "a", "cc", "a", "zz"]
    expected = {
        "sampled_validity": 0.8,
        "sampled_total_variation": 0.5 * (0.1 + 0.25 + 0.05 + 0.2),
        "sampled_length_total_variation": 0.5 * (0.15 + 0.05 + 0.2),
    }
    assert sampled_distances(strings, **settings) == pytest.approx(expected)
    # An invalid string may have any length.
    assert sampled_distances([*strings[:4], "zzzz"], **settings) == pytest.approx(expected)
    # All lengths are 2, so that the share of length 1 is 0.
    of_words = sampled_distances(strings, lengths=[2] * 5, **settings)
    assert of_words["sampled_length_total_variation"] == pytest.approx(0.5 * (0.75 + 0.55 + 0.2))


def test_sampled_distances_that_nothing_is_known_for_are_left_out():
    assert sampled_distances(["a"], is_valid=lambda string: True, length_probs=np.array([0.0, 1.0])) == {
        "sampled_validity": 1.0,
        "sampled_length_total_variation": 0.0,
    }
    assert sampled_distances(["a", "b"], is_valid="a".__contains__) == {"sampled_validity": 0.5}


@pytest.mark.parametrize(
    ("strings", "settings", "message"),
    [
        ([], {}, "strings must hold at least one string, got none"),
        (["a"], {"lengths": [1, 2]}, "lengths must be as many as strings, 1, got 2"),
        (["a", "bb"], {"length_probs": np.array([0.0, 1.0])}, "strings must be from 0 to 1, .* got 2 of 'bb'"),
    ],
)
def test_bad_strings_are_named(strings, settings, message):
    with pytest.raises(ValueError, match=message):
        sampled_distances(strings, is_valid=lambda string: True, **settings)


def test_what_is_not_strings_is_named():
    with pytest.raises(TypeError, match="strings must be a sequence of strings, got 'ab'"):
        sampled_distances("ab", is_valid=lambda string: True)
    with pytest.raises(TypeError, match=r"strings must hold strings, got \(1, 2\)"):
        sampled_distances([(1, 2)], is_valid=lambda string: True)


def test_baselines_score_the_data_and_the_noise_of_a_draw():
    task = grammar_task(max_length=6, num_train=300)
    baselines = evaluation.baselines(task, num_samples=2_000)
    training_set = baselines["training_set"]
    support = task.oracle.support
    strings = task.decode(support.tokens)
    drawn = task.decode(task.train.tokens)
    shares = np.array([drawn.count(string) for string in strings]) / len(drawn)
    expected = 0.5 * np.abs(shares - np.exp(support.log_probs)).sum()
    assert training_set["validity"] == pytest.approx(1.0)
    assert training_set["total_variation"] == pytest.approx(expected, rel=1e-4)
    assert training_set["sampled_total_variation"] == pytest.approx(expected, rel=1e-4)
    assert training_set["distinct_strings"] == len(set(drawn))
    # E|share - p| of n draws is about sqrt(2 p (1 - p) / (pi n)).
    probs = np.exp(support.log_probs)
    floor = 0.5 * np.sqrt(2 * probs * (1 - probs) / (np.pi * 2_000)).sum()
    assert baselines["sampling_floor"]["total_variation"] == pytest.approx(floor, rel=0.1)


def test_exact_metrics_sum_over_the_whole_support_in_blocks(monkeypatch):
    task = grammar_task(max_length=6, num_train=300)
    support = task.oracle.support
    model = sequence_model(lstm_generator(task.num_symbols, 3), length=task.length)
    params = model.init(jax.random.key(0))
    whole = evaluation.exact_metrics(model, task)(params)
    monkeypatch.setattr(evaluation, "_ROWS_AT_ONCE", 8)
    blocks = evaluation.exact_metrics(model, task)(params)
    for name in evaluation.EXACT_METRICS:
        assert float(blocks[name]) == pytest.approx(float(whole[name]), rel=1e-5)
    log_probs = np.asarray(model.log_prob(params, support.tokens), np.float64)
    assert float(whole["validity"]) == pytest.approx(np.exp(log_probs).sum(), rel=1e-4)
    kl = np.sum(np.exp(support.log_probs) * (support.log_probs - log_probs))
    assert float(whole["kl_data_model"]) == pytest.approx(kl, rel=1e-4)


def test_tasks_without_a_listed_support_are_named():
    task = grammar_task(max_length=6, num_train=10, support_limit=3)
    with pytest.raises(ValueError, match="task must have an oracle that lists its support, got grammar arithmetic"):
        evaluation.exact_metrics(None, task)
    floor = evaluation.baselines(task, num_samples=10)["sampling_floor"]
    assert "total_variation" not in floor
    assert floor["num_strings"] == len(task.test.tokens)
    assert evaluation.sample_metrics(task.encode(["x", "xx"]), task)["sampled_validity"] == 0.5
    assert evaluation.sample_metrics(task.encode(["x", "xx"]), task._replace(oracle=None)) == {"distinct_strings": 2.0}
