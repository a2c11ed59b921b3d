"""The policy gradient's step against the exact gradient, by enumeration, and its rewards by hand."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gumbel_gan import unroll
from gumbel_gan.algorithms import policy_gradient
from gumbel_gan.credit import terminal
from gumbel_gan.networks import lstm_discriminator, lstm_generator
from gumbel_gan.rewards import REWARDS

K, T, N = 3, 3, 40_000
EVERY = jnp.array(list(itertools.product(range(K), repeat=T)))


def test_rewards_by_hand():
    belief = np.array([0.1, 0.5, 0.8])
    logits = jnp.log(belief / (1 - belief))
    for name, expected in (
        ("logit", np.log(belief / (1 - belief))),
        ("twice_belief_minus_one", 2 * belief - 1),
        ("log_belief", np.log(belief)),
    ):
        np.testing.assert_allclose(REWARDS[name](logits), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", sorted(REWARDS))
def test_a_step_follows_the_exact_gradient_of_the_expected_reward(name):
    generator, discriminator = lstm_generator(K, 4), lstm_discriminator(K, 4)
    algorithm = policy_gradient(
        generator,
        discriminator,
        length=T,
        generator_optimizer=optax.sgd(1.0),
        discriminator_optimizer=optax.sgd(0.0),
        reward=REWARDS[name],
        credit=terminal(),
    )
    state = algorithm.init(jax.random.key(0))
    louder = jax.tree.map(lambda leaf: 4 * leaf, (state.generator, state.discriminator))
    state = state._replace(generator=louder[0], discriminator=louder[1])

    def expected_reward(params):
        carry = generator.initial_carry(jax.random.key(0), len(EVERY))
        start = unroll.start_symbols(len(EVERY), K)
        logits = unroll.teacher_forced(partial(generator.step, params), carry, start, EVERY)
        probs = jnp.exp(unroll.token_log_probs(logits, EVERY).sum(axis=1))
        return jnp.sum(probs * REWARDS[name](discriminator.logits(state.discriminator, jax.nn.one_hot(EVERY, K))))

    exact = jax.grad(expected_reward)(state.generator)
    batch = jnp.zeros((N, T), jnp.int32)
    moved, metrics = jax.jit(algorithm.step)(jax.random.key(1), state, batch)
    change = jax.tree.map(jnp.subtract, moved.generator, state.generator)
    scale = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(exact))
    assert scale > 0.01
    for found, wanted in zip(jax.tree.leaves(change), jax.tree.leaves(exact), strict=True):
        np.testing.assert_allclose(found, wanted, atol=0.1 * scale)
    np.testing.assert_allclose(-metrics["generator_loss"], expected_reward(state.generator), atol=0.02)


def test_a_latent_is_refused():
    with pytest.raises(ValueError, match="generator must have no latent"):
        policy_gradient(
            lstm_generator(K, 4, latent="hidden"),
            lstm_discriminator(K, 4),
            length=T,
            generator_optimizer=optax.sgd(1.0),
            discriminator_optimizer=optax.sgd(1.0),
            reward=REWARDS["logit"],
            credit=terminal(),
        )
