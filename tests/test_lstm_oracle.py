import itertools
import subprocess
import sys
from functools import cache

import chex
import jax
import numpy as np
import pytest
import scipy.stats

from gumbel_gan.model import sequence_model
from gumbel_gan.networks import lstm_generator
from gumbel_gan.tasks import lstm_oracle, oracle_task

EVERY_SEQUENCE = np.array(list(itertools.product(range(3), repeat=3)), np.int32)


@cache
def tiny_task(seed=0):
    return oracle_task(num_symbols=3, length=3, hidden_size=4, num_train=20_000, num_heldout=300, seed=seed)


def test_the_task_says_what_it_is():
    task = tiny_task()
    assert task.symbols == ("0", "1", "2")
    assert task.vocabulary[1:5] == (None, False, True, " ")
    assert (task.name, task.length, task.num_symbols) == ("LSTM oracle", 3, 3)
    assert task.train.tokens.shape == (20_000, 3)
    assert task.validation.tokens.shape == task.test.tokens.shape == (300, 3)
    assert task.train.tokens.dtype == np.int32
    assert task.decode(np.array([[2, 0, 1]])) == ["2 0 1"]
    oracle = task.oracle
    assert (oracle.support, oracle.is_valid, oracle.validity_method) == (None, None, None)
    np.testing.assert_array_equal(oracle.length_probs, [0, 0, 0, 1])


@pytest.mark.parametrize("seed", [0, 1])
def test_probabilities_sum_to_one(seed):
    log_probs = tiny_task(seed).oracle.log_prob(EVERY_SEQUENCE)
    assert log_probs.dtype == np.float64
    np.testing.assert_allclose(np.exp(log_probs).sum(), 1.0, rtol=1e-5)


def test_sequences_have_the_distribution_of_the_oracle():
    task = tiny_task()
    probs = np.exp(task.oracle.log_prob(EVERY_SEQUENCE))
    drawn = np.concatenate([split.tokens for split in (task.train, task.validation, task.test)])
    counts = np.bincount(drawn @ [9, 3, 1], minlength=27)
    expected = probs / probs.sum() * len(drawn)
    errors = np.sqrt(expected * (1 - probs))
    assert (np.abs(counts - expected) < 5 * errors).all()
    assert scipy.stats.chisquare(counts, expected).pvalue > 0.001


def test_blocks_do_not_repeat_each_other():
    rows = lstm_oracle._ROWS_AT_ONCE
    train = tiny_task().train.tokens[: 2 * rows].reshape(2, rows, 3)
    assert (train[0] != train[1]).any(axis=1).mean() > 0.3


def test_log_prob_is_the_likelihood_of_the_lstm_in_any_number_of_rows():
    task = oracle_task(num_symbols=7, length=5, hidden_size=4, num_train=600, num_heldout=1)
    model = sequence_model(lstm_generator(7, 4), length=5)
    params_key, _ = jax.random.split(jax.random.key(0))
    params = lstm_oracle._normal_params(params_key, 7, 4)
    tokens = task.train.tokens
    np.testing.assert_allclose(task.oracle.log_prob(tokens), model.log_prob(params, tokens), rtol=1e-4)
    np.testing.assert_array_equal(task.oracle.log_prob(tokens[501:503]), task.oracle.log_prob(tokens)[501:503])
    assert task.oracle.log_prob(tokens[:0]).shape == (0,)


def test_every_parameter_is_standard_normal():
    params = lstm_oracle._normal_params(jax.random.key(0), 50, 32)
    expected = jax.eval_shape(lstm_generator(50, 32).init, jax.random.key(0))
    chex.assert_trees_all_equal_shapes_and_dtypes(params, expected)
    values = np.concatenate([np.asarray(leaf).ravel() for leaf in jax.tree.leaves(params)])
    assert scipy.stats.kstest(values, "norm").pvalue > 0.001
    # No two gates have the same random values.
    assert len(np.unique(values)) > 0.99 * len(values)


def test_the_distribution_of_a_seed_stays_what_it_was():
    # Computed at commit 085b1a3, where the LSTM had one array per gate.
    tokens = np.array([[0, 1, 2], [2, 2, 1], [1, 0, 0]], np.int32)
    np.testing.assert_allclose(tiny_task().oracle.log_prob(tokens), [-5.5364, -3.59724, -5.24093], rtol=1e-4)


def test_the_task_is_seeded():
    settings = {"num_symbols": 11, "length": 4, "hidden_size": 3, "num_train": 50, "num_heldout": 10}
    first, again, other = (oracle_task(**settings, seed=seed) for seed in (5, 5, 6))
    tokens = first.test.tokens
    np.testing.assert_array_equal(first.train.tokens, again.train.tokens)
    np.testing.assert_array_equal(first.oracle.log_prob(tokens), again.oracle.log_prob(tokens))
    assert (first.train.tokens != other.train.tokens).any()
    assert (first.oracle.log_prob(tokens) != other.oracle.log_prob(tokens)).any()


def test_another_process_draws_the_same_task():
    settings = "num_symbols=11, length=4, hidden_size=3, num_train=5, num_heldout=1, seed=5"
    program = f"from gumbel_gan.tasks import oracle_task; print(oracle_task({settings}).train.tokens.tolist())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    expected = oracle_task(num_symbols=11, length=4, hidden_size=3, num_train=5, num_heldout=1, seed=5)
    assert done.stdout.strip() == str(expected.train.tokens.tolist())


@pytest.mark.parametrize("name", ["length", "hidden_size", "num_train", "num_heldout"])
def test_sizes_are_at_least_one(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        oracle_task(**{name: 0})


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="num_symbols must be at least 2, got 1"):
        oracle_task(num_symbols=1)
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        oracle_task(seed=-1)
    with pytest.raises(ValueError, match=r"seed must be less than 2\*\*32, got 4294967296"):
        oracle_task(seed=2**32)
    with pytest.raises(TypeError, match=r"length must be an integer, got 3\.0"):
        oracle_task(length=3.0)


def test_bad_tokens_are_named():
    log_prob = tiny_task().oracle.log_prob
    with pytest.raises(TypeError, match="tokens must be integers, got float32"):
        log_prob(np.zeros((2, 3), np.float32))
    with pytest.raises(ValueError, match=r"tokens must be \[N, 3\], got shape \(2, 4\)"):
        log_prob(np.zeros((2, 4), int))
    with pytest.raises(ValueError, match=r"tokens must be in \[0, 3\), got 0 to 3"):
        log_prob(np.array([[0, 3, 1]]))
