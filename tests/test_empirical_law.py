import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan.empirical_law import empirical_log_prob


def test_each_sequence_has_its_share_of_the_data():
    log_prob = jax.jit(empirical_log_prob(np.array([[1, 2], [0, 0], [1, 2], [2, 1]])))
    probs = np.exp(log_prob(jnp.array([[1, 2], [2, 1], [0, 0], [2, 2]])))
    np.testing.assert_allclose(probs, [0.5, 0.25, 0.25, 0.0])


def test_many_sequences_agree_with_a_count():
    rng = np.random.default_rng(0)
    data = rng.integers(0, 3, (5_000, 7))
    probe = rng.integers(0, 3, (500, 7))
    expected = np.array([(data == row).all(axis=1).mean() for row in probe])
    assert (expected == 0).any()
    assert len(np.unique(expected)) > 4
    np.testing.assert_allclose(np.exp(empirical_log_prob(data)(jnp.asarray(probe))), expected, rtol=1e-6)


def test_sequences_that_share_a_hash_are_told_apart():
    # Among 300,000 random sequences about ten pairs do.
    data = np.random.default_rng(0).integers(0, 1_000, (300_000, 6))
    probs = np.exp(jax.jit(empirical_log_prob(data))(jnp.asarray(data)))
    np.testing.assert_allclose(probs, 1 / 300_000, rtol=1e-5)


def test_data_of_no_sequences_is_refused():
    with pytest.raises(ValueError, match=r"data must be \[N, T\] with N at least 1, got shape \(0, 3\)"):
        empirical_log_prob(np.zeros((0, 3), int))
