"""The policy gradient's step against the exact gradient, by enumeration, and its rewards by hand."""

import itertools
from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gumbel_gan import schedules, unroll
from gumbel_gan.algorithms import maximum_likelihood, policy_gradient
from gumbel_gan.losses.advantages import per_prefix, roll_outs, terminal
from gumbel_gan.networks import lstm_discriminator, lstm_generator, lstm_prefix_discriminator
from gumbel_gan.losses.rewards import REWARDS

K, T, N = 3, 3, 40_000
EVERY = jnp.array(list(itertools.product(range(K), repeat=T)))
PER_PREFIX = per_prefix(discount=0.0, baseline_decay=0.25)


def make(credit, **settings):
    discriminator = lstm_prefix_discriminator(K, 4) if credit.of_prefixes else lstm_discriminator(K, 4)
    settings = {
        "length": T,
        "generator_optimizer": optax.sgd(1.0),
        "discriminator_optimizer": optax.sgd(0.0),
        "reward": REWARDS["logit"],
        "credit": credit,
    } | settings
    return policy_gradient(settings.pop("generator", lstm_generator(K, 4)), discriminator, **settings), discriminator


def loud_state(algorithm):
    state = algorithm.init(jax.random.key(0))
    louder = jax.tree.map(lambda leaf: 4 * leaf, (state.generator, state.discriminator))
    return state._replace(generator=louder[0], discriminator=louder[1])


def test_rewards_by_hand():
    belief = np.array([0.1, 0.5, 0.8])
    logits = jnp.log(belief / (1 - belief))
    for name, expected in (
        ("logit", np.log(belief / (1 - belief))),
        ("twice_belief_minus_one", 2 * belief - 1),
        ("log_belief", np.log(belief)),
    ):
        np.testing.assert_allclose(REWARDS[name](logits), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "credit"),
    [
        *((name, terminal()) for name in sorted(REWARDS)),
        ("logit", roll_outs(num_roll_outs=2)),
        # Without a discount, what prefixes are paid in all is what the gradient raises.
        ("twice_belief_minus_one", per_prefix(discount=1.0, baseline_decay=0.08)),
    ],
)
def test_a_step_follows_the_exact_gradient_of_the_expected_reward(name, credit):
    generator = lstm_generator(K, 4)
    algorithm, discriminator = make(credit, generator=generator, reward=REWARDS[name])
    state = loud_state(algorithm)

    def expected_reward(params):
        carry = generator.initial_carry(jax.random.key(0), len(EVERY))
        start = unroll.start_symbols(len(EVERY), K)
        logits = unroll.teacher_forced(partial(generator.step, params), carry, start, EVERY)
        probs = jnp.exp(unroll.token_log_probs(logits, EVERY).sum(axis=1))
        rewards = REWARDS[name](discriminator.logits(state.discriminator, jax.nn.one_hot(EVERY, K)))
        return jnp.sum(probs * rewards.reshape(len(EVERY), -1).sum(axis=1))

    exact = jax.grad(expected_reward)(state.generator)
    batch = jnp.zeros((N, T), jnp.int32)
    moved, metrics = jax.jit(algorithm.step)(jax.random.key(1), state, batch)
    change = jax.tree.map(jnp.subtract, moved.generator, state.generator)
    scale = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(exact))
    assert scale > 0.01
    for found, wanted in zip(jax.tree.leaves(change), jax.tree.leaves(exact), strict=True):
        np.testing.assert_allclose(found, wanted, atol=0.1 * scale)
    num_paid = T if credit.of_prefixes else 1
    np.testing.assert_allclose(-num_paid * metrics["generator_loss"], expected_reward(state.generator), atol=0.02)


def test_the_discriminator_of_prefixes_has_the_cross_entropy_of_all_of_them():
    algorithm, discriminator = make(PER_PREFIX, discriminator_optimizer=optax.sgd(1.0))
    state = loud_state(algorithm)
    batch = EVERY[:9]
    tokens = algorithm.sample(jax.random.key(1), state._replace(average=state.generator), len(batch))

    def loss(params):
        real, generated = (discriminator.logits(params, jax.nn.one_hot(each, K)) for each in (batch, tokens))
        return -jnp.mean(jnp.log(jax.nn.sigmoid(real))) - jnp.mean(jnp.log(1 - jax.nn.sigmoid(generated)))

    moved, metrics = jax.jit(algorithm.step)(jax.random.key(1), state, batch)
    expected = jax.tree.map(jnp.subtract, state.discriminator, jax.grad(loss)(state.discriminator))
    chex.assert_trees_all_close(moved.discriminator, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(metrics["discriminator_loss"], loss(state.discriminator), rtol=1e-4)


def test_the_warm_up_is_maximum_likelihood_and_then_is_over():
    (cold, _), (warm, _) = make(terminal()), make(terminal(), warm_up_steps=5)
    likelihood = maximum_likelihood(lstm_generator(K, 4), length=T, optimizer=optax.sgd(1.0))
    batch = EVERY[::2]
    # Seeds at different steps, in one program.
    first = loud_state(warm)
    states = [first._replace(step=jnp.asarray(step)) for step in (4, 5)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
    moved, metrics = jax.jit(jax.vmap(warm.step, in_axes=(None, 0, None)))(jax.random.key(1), stacked, batch)

    start = likelihood.init(jax.random.key(0))._replace(generator=first.generator)
    wanted, wanted_metrics = likelihood.step(jax.random.key(1), start, batch)
    found = jax.tree.map(lambda leaf: leaf[0], moved.generator)
    chex.assert_trees_all_close(found, wanted.generator, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(metrics["generator_loss"][0], wanted_metrics["generator_loss"], rtol=1e-5)

    wanted, wanted_metrics = cold.step(jax.random.key(1), states[1], batch)
    chex.assert_trees_all_close(jax.tree.map(lambda leaf: leaf[1], moved), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(metrics["generator_loss"][1], wanted_metrics["generator_loss"], rtol=1e-4)


def test_shards_end_with_one_baseline():
    algorithm, _ = make(PER_PREFIX, shard_axis="shards")
    state = loud_state(algorithm)._replace(baseline=jnp.asarray(2.0))
    step = jax.jit(jax.vmap(algorithm.step, in_axes=(0, None, 0), axis_name="shards"))
    moved, metrics = step(jax.random.split(jax.random.key(1)), state, EVERY[:26].reshape(2, 13, T))
    # With a discount of 0 a return is a reward, whose mean over a shard is minus its loss.
    assert metrics["generator_loss"][0] != metrics["generator_loss"][1]
    expected = 0.25 * 2 - 0.75 * jnp.mean(metrics["generator_loss"])
    np.testing.assert_allclose(moved.baseline, [expected, expected], rtol=1e-5)
    for leaf in jax.tree.leaves(moved):
        np.testing.assert_array_equal(leaf[0], leaf[1])


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="generator must have no latent"):
        make(terminal(), generator=lstm_generator(K, 4, latent="hidden"))
    with pytest.raises(ValueError, match="warm_up_steps must be at least 0, got -1"):
        make(terminal(), warm_up_steps=-1)
    for name in ("real_penalty", "generated_penalty"):
        with pytest.raises(ValueError, match=f"{name} must be None where prefixes are paid, got a schedule"):
            make(PER_PREFIX, **{name: schedules.constant(1.0)})
    for credit, wanted, got in (
        (terminal(), "Discriminator", lstm_prefix_discriminator(K, 4)),
        (PER_PREFIX, "PrefixDiscriminator", lstm_discriminator(K, 4)),
    ):
        with pytest.raises(ValueError, match=f"must be a {wanted} for this credit, got a {type(got).__name__}"):
            policy_gradient(
                lstm_generator(K, 4),
                got,
                length=T,
                generator_optimizer=optax.sgd(1.0),
                discriminator_optimizer=optax.sgd(1.0),
                reward=REWARDS["logit"],
                credit=credit,
            )
