"""The leave-one-out baseline against values by hand, and its gradient against the exact one by enumeration."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan.losses.score_function import leave_one_out


def test_each_value_is_compared_with_the_mean_of_the_others():
    values = np.array([0.5, -2.0, 3.0, 7.0, 0.0])
    expected = [value - np.delete(values, index).mean() for index, value in enumerate(values)]
    found = jax.jit(leave_one_out)(jnp.asarray(values, jnp.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.sum(), 0, atol=1e-5)


def test_the_gradient_estimate_has_no_bias():
    # All results of 3 draws from 3 symbols, weighted by their probabilities, so that the mean is exact.
    losses, theta = jnp.array([1.0, -2.0, 0.5]), jnp.array([0.2, -0.4, 0.7])
    samples = jnp.array(list(itertools.product(range(3), repeat=3)))

    def estimate(sample):
        log_probs, pull_back = jax.vjp(lambda theta: jax.nn.log_softmax(theta)[sample], theta)
        return jnp.exp(log_probs.sum()), pull_back(leave_one_out(losses[sample]) / 3)[0]

    probs, estimates = jax.jit(jax.vmap(estimate))(samples)
    exact = jax.grad(lambda theta: jnp.sum(jax.nn.softmax(theta) * losses))(theta)
    np.testing.assert_allclose(probs.sum(), 1, rtol=1e-5)
    np.testing.assert_allclose(probs @ estimates, exact, rtol=1e-4, atol=1e-6)


def test_the_dtype_is_kept():
    assert leave_one_out(jnp.ones(3, jnp.bfloat16)).dtype == jnp.bfloat16


def test_bad_values_are_named():
    for shape in ((), (0,), (1,), (3, 2)):
        with pytest.raises(ValueError, match=r"values must be \[N\] with N at least 2, got shape"):
            leave_one_out(jnp.ones(shape))
    with pytest.raises(TypeError, match="values must be floating, got int32"):
        leave_one_out(jnp.arange(3, dtype=jnp.int32))
    with pytest.raises(TypeError, match="values must be an array, got list"):
        leave_one_out([1.0, 2.0])
