"""Discriminators of packs (PacGAN, Lin et al. 2018)."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gumbel_gan as gg
from gumbel_gan.algorithms._adversarial import Sequences, packed, penalized_loss
from gumbel_gan.losses import GradientPenalty, log_odds
from gumbel_gan.networks import Discriminator, Labels, lstm_discriminator

K, T, M = 2, 1, 2
SGD = optax.sgd(1.0)


def pair_discriminator():
    """Returns a discriminator of packs of two. Its logit is a fixed, non-additive function of both first symbols."""
    table = jnp.array([[0.3, -1.0], [0.8, 2.0]])

    def logits(params, x):
        first, second = x[:, 0, :K], x[:, 0, K:]
        return params * jnp.einsum("pa,ab,pb->p", first, table, second)

    return Discriminator(lambda key: jnp.ones(()), logits, pack_size=M)


def one_symbol_generator():
    return gg.one_pass_generator(K, T, 4, num_layers=1, num_heads=1, latent_size=0)


def make_gan(discriminator, **settings):
    defaults = {
        "generator_optimizer": SGD,
        "discriminator_optimizer": optax.sgd(0.0),
        "objective": log_odds,
        "estimator": gg.straight_through,
    }
    return gg.relaxed_gan(gg.sequence_model(one_symbol_generator(), length=T), discriminator, **defaults | settings)


def test_a_pack_has_the_symbols_of_its_sequences_side_by_side():
    x = jnp.arange(4 * 3 * 2.0).reshape(4, 3, 2)
    packs = packed(Sequences(x), 2).x
    assert packs.shape == (2, 3, 4)
    np.testing.assert_array_equal(packs[1], jnp.concatenate([x[2], x[3]], axis=-1))
    assert packed(Sequences(x), 1).x is x


@pytest.mark.slow
def test_the_score_function_gradient_is_that_of_the_mean_loss_of_packs():
    """The mean over many steps from one state is within 5 standard errors of the exact gradient."""
    gan = make_gan(pair_discriminator(), score_weight=1.0)
    state = gan.init(jax.random.key(0))
    batch = gg.Batch(jnp.zeros((8, T), jnp.int32))
    num = 4_000
    keys = jax.random.split(jax.random.key(1), num)
    after = jax.jit(jax.vmap(lambda key: gan.step(key, state, batch)[0].generator_params))(keys)
    model = gg.sequence_model(one_symbol_generator(), length=T)

    def mean_loss(params):
        probs = jnp.exp(model.log_prob(params, jnp.arange(K)[:, None]))
        both = jnp.eye(K)
        pairs = jnp.stack([jnp.concatenate([both[a], both[b]])[None] for a in range(K) for b in range(K)])
        losses = -pair_discriminator().logits(jnp.ones(()), pairs)
        return jnp.sum(jnp.outer(probs, probs).ravel() * losses)

    exact = jax.grad(mean_loss)(state.generator_params)
    estimates = jax.tree.map(lambda new, old: np.asarray(old)[None] - np.asarray(new), after, state.generator_params)
    for estimate, right in zip(jax.tree.leaves(estimates), jax.tree.leaves(exact), strict=True):
        error = estimate.std(axis=0) / np.sqrt(num)
        assert (np.abs(estimate.mean(axis=0) - right) <= 5 * error + 1e-6).all()


def test_penalties_are_those_of_packs_and_no_pack_mixes_real_and_generated():
    """The penalty by hand: the mean over packs of half the squared norm of a pack's centered gradient."""
    discriminator = pair_discriminator()
    loss = penalized_loss(discriminator, log_odds.discriminator_loss, GradientPenalty(1.0, 1.0, fraction=0.25))
    real, generated = (jax.random.uniform(jax.random.key(seed), (20, T, K)) for seed in (1, 2))
    packs = packed(Sequences(real), M), packed(Sequences(generated), M)
    _, metrics = loss(jnp.ones(()), jnp.zeros((), jnp.int32), *packs, jax.random.key(2))
    for name, each, sequences in zip(("real", "generated"), packs, (real, generated), strict=True):
        expected = [
            discriminator.logits(jnp.ones(()), jnp.concatenate([sequences[i], sequences[i + 1]], axis=-1)[None])[0]
            for i in range(0, 20, M)
        ]
        np.testing.assert_allclose(metrics[f"{name}_logit"], np.mean(expected), rtol=1e-5)
        first = each.x[: round(0.25 * 10)]
        gradient = jax.vmap(jax.grad(lambda x: discriminator.logits(jnp.ones(()), x[None])[0]))(first)
        by_symbol = np.asarray(gradient).reshape(len(first), M * T, K)
        tangent = by_symbol - by_symbol.mean(axis=-1, keepdims=True)
        np.testing.assert_allclose(metrics[f"{name}_penalty"], 0.5 * np.mean(np.sum(tangent**2, (1, 2))), rtol=1e-5)


def test_the_lstm_reads_packs_and_training_keeps_its_state():
    discriminator = lstm_discriminator(K, 3, pack_size=M, dropout_rate=0.2)
    assert (discriminator.pack_size, discriminator.uses_dropout) == (M, True)
    gan = make_gan(
        discriminator, score_weight=0.5, penalty=GradientPenalty(1.0, 1.0), instance_noise=0.1, discriminator_updates=2
    )
    state = gan.init(jax.random.key(0))
    after, metrics = jax.jit(gan.step)(jax.random.key(2), state, gg.Batch(jnp.zeros((16, T), jnp.int32)))
    assert jax.tree.map(jnp.shape, after) == jax.tree.map(jnp.shape, state)
    assert all(np.isfinite(value) for value in metrics.values())
    assert gan.discriminator_logits is None


def test_wrong_packs_are_named():
    gan = make_gan(pair_discriminator())
    with pytest.raises(ValueError, match="multiple of the discriminator's pack_size, 2, got 3 sequences"):
        gan.step(jax.random.key(2), gan.init(jax.random.key(0)), gg.Batch(jnp.zeros((3, T), jnp.int32)))
    with pytest.raises(ValueError, match="pack_size must be 1 with a condition, got 2"):
        lstm_discriminator(K, 5, pack_size=2, condition=Labels(2))
    with pytest.raises(ValueError, match="single sequences with a condition, got packs of 2"):
        packed(Sequences(jnp.ones((4, T, K)), jnp.zeros((4,))), 2)
    with pytest.raises(ValueError, match="pack_size must be at least 1, got 0"):
        lstm_discriminator(K, 5, pack_size=0)
    with pytest.raises(ValueError, match="num_symbols must be at least 2, got 1"):
        lstm_discriminator(1, 5, pack_size=2)
    with pytest.raises(ValueError, match="discriminator must judge single sequences, got packs of 2"):
        gg.importance_gan(
            gg.sequence_model(one_symbol_generator(), length=T),
            lstm_discriminator(K, 3, pack_size=2),
            generator_optimizer=SGD,
            discriminator_optimizer=SGD,
        )
