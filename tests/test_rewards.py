"""Rewards against values by hand, and the divergences that their policy gradients descend, by enumeration."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan.losses.rewards import (
    exp_half_logit,
    exp_logit,
    exp_twice_logit,
    log_sigmoid,
    logit,
    softplus_logit,
    tanh_half_logit,
)

DATA = jnp.array([0.5, 0.3, 0.15, 0.05])
GENERATOR_LOGITS = jnp.array([0.3, -0.6, 0.9, 0.1])
REWARDS = (logit, tanh_half_logit, log_sigmoid, softplus_logit, exp_logit, exp_twice_logit, exp_half_logit)


def kl(p, q):
    return jnp.sum(p * jnp.log(p / q))


def js(p, q):
    return 0.5 * kl(p, (p + q) / 2) + 0.5 * kl(q, (p + q) / 2)


def test_rewards_by_hand():
    probability = np.array([0.1, 0.5, 0.8])
    logits = jnp.asarray(np.log(probability / (1 - probability)), jnp.float32)
    np.testing.assert_allclose(logit(logits), logits)
    np.testing.assert_allclose(tanh_half_logit(logits), 2 * probability - 1, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(log_sigmoid(logits), np.log(probability), rtol=1e-5)
    odds = probability / (1 - probability)
    np.testing.assert_allclose(softplus_logit(logits), -np.log(1 - probability), rtol=1e-5)
    np.testing.assert_allclose(exp_logit(logits), odds, rtol=1e-5)
    np.testing.assert_allclose(exp_twice_logit(logits), odds**2, rtol=1e-5)
    np.testing.assert_allclose(exp_half_logit(logits), np.sqrt(odds), rtol=1e-5)


@pytest.mark.parametrize("reward", REWARDS)
def test_rewards_are_finite_and_increasing_at_huge_logits(reward):
    rewards = reward(jnp.array([-1e4, -1.0, 0.0, 1.0, 1e4]))
    assert np.isfinite(rewards).all()
    assert (np.diff(rewards) > 0).all()
    assert np.isfinite(jax.vmap(jax.grad(reward))(jnp.array([-1e4, 1e4]))).all()


@pytest.mark.parametrize(
    ("reward", "divergence"),
    [
        (logit, lambda q: kl(q, DATA)),
        (tanh_half_logit, lambda q: 2 * kl(DATA, (DATA + q) / 2)),
        (log_sigmoid, lambda q: kl(q, DATA) - 2 * js(q, DATA)),
        (softplus_logit, lambda q: 2 * js(q, DATA)),
        (exp_logit, lambda q: kl(DATA, q)),
        (exp_twice_logit, lambda q: jnp.sum(jnp.square(DATA - q) / q)),
        (exp_half_logit, lambda q: jnp.sum(jnp.square(jnp.sqrt(DATA) - jnp.sqrt(q)))),
    ],
)
def test_the_policy_gradient_of_the_optimal_discriminator_descends_the_documented_divergence(reward, divergence):
    rewards = reward(jnp.log(DATA / jax.nn.softmax(GENERATOR_LOGITS)))
    ascent = jax.grad(lambda theta: jnp.sum(jax.nn.softmax(theta) * rewards))(GENERATOR_LOGITS)
    descent = jax.grad(lambda theta: -divergence(jax.nn.softmax(theta)))(GENERATOR_LOGITS)
    assert jnp.abs(descent).max() > 0.05
    np.testing.assert_allclose(ascent, descent, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("reward", REWARDS)
def test_rewards_have_the_shape_and_dtype_of_logits(reward):
    for shape in ((), (0,), (2, 3)):
        rewards = reward(jnp.ones(shape, jnp.bfloat16))
        assert rewards.shape == shape
        assert rewards.dtype == jnp.bfloat16


@pytest.mark.parametrize("reward", REWARDS)
def test_bad_logits_are_named(reward):
    with pytest.raises(TypeError, match="logits must be floating, got int32"):
        reward(jnp.array([1, 2], jnp.int32))
    with pytest.raises(TypeError, match="logits must be an array, got float"):
        reward(1.0)
