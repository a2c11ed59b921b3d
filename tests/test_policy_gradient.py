"""The policy gradient's step against the exact gradient, by enumeration, and its rewards by hand."""

import itertools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gumbel_gan as gg
from gumbel_gan import training
from gumbel_gan.networks import lstm_discriminator, lstm_generator, lstm_prefix_discriminator

K, T, N = 3, 3, 40_000
EVERY = jnp.array(list(itertools.product(range(K), repeat=T)), jnp.int32)
REWARDS = {"logit": gg.logit, "tanh_half_logit": gg.tanh_half_logit, "log_sigmoid": gg.log_sigmoid}
PER_PREFIX = gg.per_prefix(discount=0.0, baseline_decay=0.25)


def make(advantages, **settings):
    discriminator = lstm_prefix_discriminator(K, 4) if advantages.of_prefixes else lstm_discriminator(K, 4)
    settings = {
        "generator_optimizer": optax.sgd(1.0),
        "discriminator_optimizer": optax.sgd(0.0),
        "reward": gg.logit,
        "advantages": advantages,
    } | settings
    model = gg.sequence_model(settings.pop("generator", lstm_generator(K, 4)), length=T)
    return gg.policy_gradient(model, discriminator, **settings), discriminator


def loud_state(algorithm):
    state = algorithm.init(jax.random.key(0))
    return state._replace(adversarial=with_params(state.adversarial, lambda leaf: 4 * leaf))


def with_params(state, change):
    """Returns a state in which `change` is applied to the parameters of both networks."""
    generator, discriminator = jax.tree.map(change, (state.generator_params, state.discriminator_params))
    return state._replace(generator_params=generator, discriminator_params=discriminator)


def test_rewards_by_hand():
    belief = np.array([0.1, 0.5, 0.8])
    logits = jnp.log(belief / (1 - belief))
    for name, expected in (
        ("logit", np.log(belief / (1 - belief))),
        ("tanh_half_logit", 2 * belief - 1),
        ("log_sigmoid", np.log(belief)),
    ):
        np.testing.assert_allclose(REWARDS[name](logits), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "advantages"),
    [
        *((name, gg.reinforce()) for name in sorted(REWARDS)),
        ("logit", gg.monte_carlo(num_roll_outs=2)),
        # With a discount of 1, the gradient is that of the sum of the rewards of all prefixes.
        ("tanh_half_logit", gg.per_prefix(discount=1.0, baseline_decay=0.08)),
    ],
)
def test_a_step_follows_the_exact_gradient_of_the_expected_reward(name, advantages):
    algorithm, discriminator = make(advantages, reward=REWARDS[name])
    state = loud_state(algorithm)
    before = state.adversarial

    def expected_reward(params):
        probs = jnp.exp(algorithm.model.log_prob(params, EVERY))
        rewards = REWARDS[name](discriminator.logits(before.discriminator_params, jax.nn.one_hot(EVERY, K)))
        return jnp.sum(probs * rewards.reshape(len(EVERY), -1).sum(axis=1))

    exact = jax.grad(expected_reward)(before.generator_params)
    batch = gg.Batch(jnp.zeros((N, T), jnp.int32))
    moved, metrics = jax.jit(algorithm.step)(jax.random.key(1), state, batch)
    change = jax.tree.map(jnp.subtract, moved.adversarial.generator_params, before.generator_params)
    scale = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(exact))
    assert scale > 0.01
    for found, wanted in zip(jax.tree.leaves(change), jax.tree.leaves(exact), strict=True):
        np.testing.assert_allclose(found, wanted, atol=0.1 * scale)
    num_rewards = T if advantages.of_prefixes else 1
    expected = expected_reward(before.generator_params)
    np.testing.assert_allclose(-num_rewards * metrics["generator_loss"], expected, atol=0.02)


@pytest.mark.slow
def test_the_discriminator_of_prefixes_has_the_cross_entropy_of_all_of_them():
    algorithm, discriminator = make(PER_PREFIX, discriminator_optimizer=optax.sgd(1.0))
    state = loud_state(algorithm)
    batch, before = EVERY[:9], state.adversarial
    tokens = algorithm.model.sample(jax.random.key(1), before.generator_params, len(batch))

    def loss(params):
        real, generated = (discriminator.logits(params, jax.nn.one_hot(each, K)) for each in (batch, tokens))
        return -jnp.mean(jnp.log(jax.nn.sigmoid(real))) - jnp.mean(jnp.log(1 - jax.nn.sigmoid(generated)))

    moved, metrics = jax.jit(algorithm.step)(jax.random.key(1), state, gg.Batch(batch))
    gradient = jax.grad(loss)(before.discriminator_params)
    expected = jax.tree.map(jnp.subtract, before.discriminator_params, gradient)
    chex.assert_trees_all_close(moved.adversarial.discriminator_params, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(metrics["discriminator_loss"], loss(before.discriminator_params), rtol=1e-4)


@pytest.mark.slow
def test_the_warm_up_is_maximum_likelihood_and_then_is_over():
    (cold, _), (warm, _) = make(gg.reinforce()), make(gg.reinforce(), warm_up_steps=5)
    likelihood = gg.maximum_likelihood(warm.model, optimizer=optax.sgd(1.0))
    batch = gg.Batch(EVERY[::2])
    # Two replicas at different steps, in one program.
    first = loud_state(warm)
    states = [
        first._replace(adversarial=first.adversarial._replace(step=jnp.asarray(step, jnp.int32))) for step in (4, 5)
    ]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
    moved, metrics = jax.jit(jax.vmap(warm.step, in_axes=(None, 0, None)))(jax.random.key(1), stacked, batch)

    start = likelihood.init(jax.random.key(0))._replace(generator_params=first.adversarial.generator_params)
    wanted, wanted_metrics = likelihood.step(jax.random.key(1), start, batch)
    found = jax.tree.map(lambda leaf: leaf[0], moved.adversarial.generator_params)
    chex.assert_trees_all_close(found, wanted.generator_params, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(metrics["generator_loss"][0], wanted_metrics["generator_loss"], rtol=1e-5)

    wanted, wanted_metrics = cold.step(jax.random.key(1), states[1], batch)
    chex.assert_trees_all_close(jax.tree.map(lambda leaf: leaf[1], moved), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(metrics["generator_loss"][1], wanted_metrics["generator_loss"], rtol=1e-4)


@pytest.mark.slow
def test_shards_end_with_one_baseline():
    algorithm, _ = make(PER_PREFIX, shard_axis="shards")
    state = loud_state(algorithm)._replace(baseline=jnp.asarray(2.0))
    step = jax.jit(jax.vmap(algorithm.step, in_axes=(0, None, 0), axis_name="shards"))
    moved, metrics = step(jax.random.split(jax.random.key(1)), state, gg.Batch(EVERY[:26].reshape(2, 13, T)))
    # With a discount of 0, returns are rewards, and their mean over a shard is minus the loss of the shard.
    assert metrics["generator_loss"][0] != metrics["generator_loss"][1]
    expected = 0.25 * 2 - 0.75 * jnp.mean(metrics["generator_loss"])
    np.testing.assert_allclose(moved.baseline, [expected, expected], rtol=1e-5)
    for leaf in jax.tree.leaves(moved):
        np.testing.assert_array_equal(leaf[0], leaf[1])


@pytest.mark.slow
def test_a_generator_with_a_latent_follows_the_gradient_of_its_expected_reward():
    generator = lstm_generator(K, 4, latent="hidden_and_cell")
    algorithm, discriminator = make(gg.reinforce(), generator=generator)
    state = loud_state(algorithm)
    before = state.adversarial

    def expected_reward(params):
        # The mean over latents of the sum over all sequences.
        def given_latent(latent):
            repeated = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf[None], (len(EVERY), *leaf.shape)), latent)
            logits = generator.logits(params, EVERY, latent=repeated)
            log_probs = jnp.take_along_axis(jax.nn.log_softmax(logits), EVERY[..., None], axis=-1)[..., 0].sum(axis=1)
            return jnp.sum(jnp.exp(log_probs) * rewards)

        rewards = discriminator.logits(before.discriminator_params, jax.nn.one_hot(EVERY, K))
        return jnp.mean(jax.vmap(given_latent)(generator.sample_latent(jax.random.key(5), 4_000)))

    exact = jax.jit(jax.grad(expected_reward))(before.generator_params)
    batch = gg.Batch(jnp.zeros((N, T), jnp.int32))
    moved, _ = jax.jit(algorithm.step)(jax.random.key(1), state, batch)
    change = jax.tree.map(jnp.subtract, moved.adversarial.generator_params, before.generator_params)
    scale = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(exact))
    assert scale > 0.01
    chex.assert_trees_all_close(change, exact, atol=0.1 * scale)


@pytest.mark.slow
def test_several_discriminator_updates_take_batches_of_their_own():
    algorithm, _ = make(PER_PREFIX, discriminator_optimizer=optax.adam(0.1), discriminator_updates=2)
    keys = training.run_keys(0)
    state = algorithm.init(keys.init)
    state, _ = training.train(algorithm, keys.train, state, EVERY, batch_size=4, num_steps=3)
    assert int(state.step) == 3
    assert int(state.adversarial.discriminator_opt_state[0].count) == 6
    with pytest.raises(ValueError, match="tokens must hold a multiple of discriminator_updates, 2, sequences; got 5"):
        algorithm.step(jax.random.key(0), state, gg.Batch(EVERY[:5]))


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"warm_up_steps must be a finite number >= 0, got -1"):
        make(gg.reinforce(), warm_up_steps=-1)
    for penalty in (gg.GradientPenalty(1.0, None), gg.GradientPenalty(None, 1.0)):
        with pytest.raises(ValueError, match="penalty must have no weights with a PrefixDiscriminator"):
            make(PER_PREFIX, penalty=penalty)
    for advantages, wanted, got in (
        (gg.reinforce(), "Discriminator", lstm_prefix_discriminator(K, 4)),
        (PER_PREFIX, "PrefixDiscriminator", lstm_discriminator(K, 4)),
    ):
        with pytest.raises(TypeError, match=f"discriminator must be a {wanted}, got a {type(got).__name__}"):
            gg.policy_gradient(
                gg.sequence_model(lstm_generator(K, 4), length=T),
                got,
                generator_optimizer=optax.sgd(1.0),
                discriminator_optimizer=optax.sgd(1.0),
                reward=gg.logit,
                advantages=advantages,
            )
