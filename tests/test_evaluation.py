"""The evaluation of samples against held-out data. The metrics have tests of their own."""

import jax
import numpy as np
import pytest

from gumbel_gan import evaluation
from gumbel_gan.data import Batch
from gumbel_gan.metrics import METRICS, ngram_divergence, novelty
from gumbel_gan.model import sequence_model
from gumbel_gan.networks import lstm_generator
from gumbel_gan.tasks import digits_task, grammar_task, oracle_task

TASK = grammar_task("brackets", max_length=8, num_train=200, num_heldout=60)
MODEL = sequence_model(lstm_generator(TASK.num_symbols, 4), length=TASK.length)


@pytest.fixture(scope="module")
def held_out():
    return evaluation.held_out(TASK, split="test", num=50)


def test_samples_are_compared_with_the_chosen_split(held_out):
    found = held_out.compare(TASK.train.tokens[:50])
    assert found == held_out.training_sample
    assert set(found) <= set(METRICS)
    samples, references = TASK.sequences(TASK.validation.tokens[:50]), TASK.sequences(TASK.test.tokens[:50])
    mark = held_out.heldout_sample
    assert mark["ngram_divergence_2"].value == pytest.approx(ngram_divergence(samples, references, 2))
    assert mark["novelty"].value == pytest.approx(novelty(samples, TASK.sequences(TASK.train.tokens)))
    assert found["novelty"].value == 0
    for estimate in found.values():
        assert estimate.low <= estimate.value <= estimate.high


def test_the_other_split_takes_the_other_part():
    swapped = evaluation.held_out(TASK, split="validation", num=50)
    np.testing.assert_array_equal(swapped.references.tokens, TASK.validation.tokens[:50])
    assert swapped.heldout_sample == swapped.compare(TASK.test.tokens[:50])


def test_the_trade_off_is_part_of_the_comparison(held_out):
    found = held_out.compare(TASK.train.tokens[:50])
    for name, value in held_out.trade_off(TASK.train.tokens[:50]).items():
        assert value == pytest.approx(found[name].value)


def test_a_distribution_that_can_be_computed_scores_the_samples():
    task = oracle_task(num_symbols=4, length=5, hidden_size=4, num_train=100, num_heldout=50)
    found = evaluation.held_out(task, split="test", num=50).compare(task.train.tokens[:50])
    assert found["oracle_nll"].value == pytest.approx(-task.oracle.log_prob(task.train.tokens[:50]).mean())


def test_a_table_of_metrics_is_passed_through():
    task = oracle_task(num_symbols=4, length=5, hidden_size=4, num_train=100, num_heldout=50)
    for names in (["novelty"], ["novelty", "oracle_nll"]):
        held_out = evaluation.held_out(task, split="test", num=50, metrics={name: METRICS[name] for name in names})
        assert list(held_out.compare(task.train.tokens[:50])) == names
        assert list(held_out.heldout_sample) == names


def test_likelihoods_of_given_sequences():
    params = MODEL.init(jax.random.key(0))
    rows = TASK.test.tokens[:7]
    found = jax.jit(evaluation.negative_log_likelihoods(MODEL, rows))(params)
    np.testing.assert_allclose(found, -MODEL.log_prob(params, rows), rtol=1e-5)


def test_bits_per_symbol_are_those_of_sequences_without_padding():
    coins = digits_task()
    estimates = evaluation.likelihood_estimates(np.full(7, 64 * np.log(2)), coins)
    assert estimates["bits_per_symbol"].value == pytest.approx(1.0)
    assert estimates["heldout_nll"].value == pytest.approx(64 * np.log(2))
    padded = grammar_task("S -> 'x' | S '+' S", max_length=4)
    assert list(evaluation.likelihood_estimates(np.ones(7), padded)) == ["heldout_nll"]


def test_states_at_some_steps_in_blocks(monkeypatch):
    params = MODEL.init(jax.random.key(0))
    monkeypatch.setattr(evaluation, "_LIKELIHOODS_AT_ONCE", 3)
    found = jax.jit(evaluation.hidden_states_at(MODEL, (2, 8)))(params, Batch(TASK.test.tokens[:7]))
    expected = MODEL.hidden_states(params, TASK.test.tokens[:7])
    assert found.shape == (7, 2, 4)
    np.testing.assert_allclose(found[:, 0], expected[:, 1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[:, 1], expected[:, 7], rtol=1e-5, atol=1e-6)


def test_states_of_a_generator_with_a_latent_are_refused():
    model = TASK.model(lstm_generator(TASK.num_symbols, 4, latent="hidden"))
    with pytest.raises(ValueError, match="model must have a generator without a latent"):
        evaluation.hidden_states_at(model, (2,))


def test_the_ends_of_the_quarters():
    assert evaluation.quarters(32) == (8, 16, 24, 32)
    assert evaluation.quarters(10) == (3, 5, 8, 10)
    assert evaluation.quarters(2) == (1, 2)


def test_long_samples_are_compared_part_by_part():
    references = np.array([[0, 1], [1, 0], [0, 1], [1, 0]])
    tokens = np.array([[0, 1, 0, 1, 2, 2], [1, 0, 0, 1, 2, 2]])
    found = evaluation.window_divergences(tokens, references)
    assert set(found) == {f"ngram_divergence_{order}" for order in range(1, 5)}
    # A third of the 1-grams are end marks, which distributions without a common symbol share: the divergence is 2 / 3.
    np.testing.assert_allclose(found["ngram_divergence_1"], [0, 0, 2 / 3], atol=1e-12)
    # In the second part, p = (1/2, 1/2) and q = (1, 0) over the strings 01 and 10: JS = H(3/4) - 1/2.
    entropy = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))
    np.testing.assert_allclose(found["ngram_divergence_4"], [0, entropy - 0.5, 1], atol=1e-12)
    with pytest.raises(
        ValueError, match="tokens must have a length that is a multiple of 2, that of references, got 5"
    ):
        evaluation.window_divergences(tokens[:, :5], references)
    with pytest.raises(ValueError, match=r"tokens must be \[N, L\] with N and L at least 1, got shape \(0, 6\)"):
        evaluation.window_divergences(tokens[:0], references)


def test_the_distribution_of_the_length():
    shares = evaluation.length_distribution(TASK, np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 2, 0]]))
    np.testing.assert_allclose(shares, [0.25, 0.25, 0.5, 0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": "train", "num": 50}, "split must be one of validation, test; got 'train'"),
        ({"split": "test", "num": 3}, "num must be from 4 to 60, the size of the smallest split, got 3"),
        ({"split": "test", "num": 61}, "num must be from 4 to 60"),
    ],
)
def test_nonsense_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        evaluation.held_out(TASK, **settings)
