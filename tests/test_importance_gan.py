"""The loss of Toth's section 3 against the same loss in plain probabilities, and what it learns."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gumbel_gan as gg
from gumbel_gan import training
from gumbel_gan.algorithms.importance_gan import log_softplus, weighted_likelihood

LOG_PROB = jnp.log(jnp.array([0.5, 0.1, 0.02]))
DATA_LOG_PROB = jnp.log(jnp.array([0.25, 0.25, 0.5]))
LOGIT = jnp.array([-1.0, 0.0, 2.0])


def plain_loss(log_prob):
    """Computes -log(-L) as the report does. This underflows for long sequences, but not for these."""
    likelihood_ratio = jnp.exp(log_prob) / jnp.exp(DATA_LOG_PROB)
    return -jnp.log(-jnp.mean(jnp.log(1 - jax.nn.sigmoid(LOGIT)) * likelihood_ratio))


def test_the_loss_and_its_gradient_are_the_report_s():
    weighted = weighted_likelihood(LOG_PROB, DATA_LOG_PROB, LOGIT)
    np.testing.assert_allclose(weighted.loss, plain_loss(LOG_PROB), rtol=1e-5)
    np.testing.assert_allclose(-weighted.weights, jax.grad(plain_loss)(LOG_PROB), rtol=1e-5)
    np.testing.assert_allclose(jnp.sum(weighted.weights), 1.0, rtol=1e-6)


def test_hand_worked_weights():
    # With f = 1 and p_G / p_data = 2, 0.4 and 0.04.
    weighted = weighted_likelihood(LOG_PROB, DATA_LOG_PROB, None)
    np.testing.assert_allclose(weighted.weights, np.array([2, 0.4, 0.04]) / 2.44, rtol=1e-5)
    np.testing.assert_allclose(weighted.loss, -np.log(2.44 / 3), rtol=1e-5)
    np.testing.assert_allclose(weighted.effective_sample_size, 2.44**2 / (4 + 0.16 + 0.0016), rtol=1e-5)
    tempered = weighted_likelihood(LOG_PROB, DATA_LOG_PROB, None, weight_exponent=0.5)
    np.testing.assert_allclose(tempered.weights, np.sqrt([2, 0.4, 0.04]) / np.sqrt([2, 0.4, 0.04]).sum(), rtol=1e-5)
    np.testing.assert_allclose(tempered.loss, weighted.loss)
    flat = weighted_likelihood(LOG_PROB, DATA_LOG_PROB, None, weight_exponent=0.0)
    np.testing.assert_allclose(flat.effective_sample_size, 3.0, rtol=1e-5)


def test_products_of_many_probabilities_do_not_underflow():
    weighted = weighted_likelihood(
        jnp.array([-500.0, -510.0]), jnp.log(jnp.array([0.5, 0.5])), jnp.array([-50.0, -50.0])
    )
    np.testing.assert_allclose(weighted.loss, 550 + np.log(1 / (1 + np.exp(-10.0))), rtol=1e-6)
    assert np.isfinite(weighted.weights).all()


@pytest.mark.parametrize("logit", [-100.0, -20.0, -15.0, -14.9, -3.0, 0.0, 5.0, 80.0])
def test_log_softplus(logit):
    np.testing.assert_allclose(log_softplus(jnp.float32(logit)), np.log(np.log1p(np.exp(np.float64(logit)))), rtol=1e-5)
    assert np.isfinite(jax.grad(log_softplus)(jnp.float32(logit)))


def test_shards_weigh_the_whole_batch():
    rng = np.random.default_rng(0)
    log_prob, data_log_prob, logit = (jnp.asarray(rng.normal(size=8), jnp.float32) for _ in range(3))
    whole = weighted_likelihood(log_prob, data_log_prob, logit, weight_exponent=0.7)
    sharded = jax.vmap(
        functools.partial(weighted_likelihood, weight_exponent=0.7, shard_axis="shards"), axis_name="shards"
    )(*(x.reshape(2, 4) for x in (log_prob, data_log_prob, logit)))
    np.testing.assert_allclose(sharded.weights.reshape(-1), whole.weights, rtol=1e-5)
    np.testing.assert_allclose(sharded.loss, jnp.full(2, whole.loss), rtol=1e-5)
    np.testing.assert_allclose(sharded.effective_sample_size, jnp.full(2, whole.effective_sample_size), rtol=1e-5)


STRINGS = np.array([[0, 0], [1, 0], [1, 1]])
PROBS = np.array([0.8, 0.15, 0.05])


@functools.cache
def trained_on_an_uneven_distribution(weighted=True, **settings):
    """Trains on three strings with shares `PROBS`; returns their learned probabilities and the metrics."""
    tokens = np.repeat(STRINGS, [80, 15, 5], axis=0)
    data = gg.Batch(jnp.asarray(tokens), weights=gg.inverse_frequency_weights(tokens) if weighted else None)
    model = gg.sequence_model(gg.lstm_generator(2, 8), length=2)
    algorithm = gg.importance_gan(
        model,
        gg.lstm_discriminator(2, 8),
        generator_optimizer=optax.adam(1e-2),
        discriminator_optimizer=optax.adam(1e-2),
        ema_decay=0.99,
        **settings,
    )
    keys = training.run_keys(0)
    train = jax.jit(functools.partial(training.train, algorithm, batch_size=64, num_steps=1_500))
    state, metrics = train(keys.train, algorithm.init(keys.init), data)
    return np.exp(model.log_prob(algorithm.params(state), jnp.asarray(STRINGS))), metrics


@pytest.mark.slow
def test_without_the_division_by_the_data_s_distribution_the_mode_wins():
    training_loss, _ = trained_on_an_uneven_distribution(weighted=False)
    assert training_loss[0] > 0.97
    divided, _ = trained_on_an_uneven_distribution()
    np.testing.assert_allclose(divided, PROBS, atol=0.06)


@pytest.mark.slow
def test_the_correction_finds_the_distribution():
    corrected, _ = trained_on_an_uneven_distribution(weight_exponent=0.0)
    np.testing.assert_allclose(corrected, PROBS, atol=0.01)


@pytest.mark.slow
def test_the_effective_sample_size_is_logged():
    _, metrics = trained_on_an_uneven_distribution()
    sizes = np.asarray(metrics["effective_sample_size"])
    # Equal weights give the batch size, up to rounding.
    assert ((sizes >= 1) & (sizes <= 64 * (1 + 1e-6))).all()


@pytest.mark.slow
def test_several_discriminator_updates_take_batches_of_their_own():
    model = gg.sequence_model(gg.lstm_generator(2, 3), length=2)
    algorithm = gg.importance_gan(
        model,
        gg.lstm_discriminator(2, 3),
        generator_optimizer=optax.sgd(0.1),
        discriminator_optimizer=optax.adam(0.1),
        discriminator_updates=3,
    )
    assert algorithm.batches_per_step == 3
    keys = training.run_keys(0)
    data = jnp.asarray(STRINGS, jnp.int32)
    state, _ = training.train(algorithm, keys.train, algorithm.init(keys.init), data, batch_size=2, num_steps=2)
    assert int(state.step) == 2
    assert int(state.discriminator_opt_state[0].count) == 6


def test_bad_arguments_are_named():
    settings = {"generator_optimizer": optax.sgd(1), "discriminator_optimizer": optax.sgd(1)}
    model, discriminator = gg.sequence_model(gg.lstm_generator(2, 3), length=2), gg.lstm_discriminator(2, 3)
    with pytest.raises(ValueError, match=r"weight_exponent must be .* in \[0, 1\], got 1\.5"):
        gg.importance_gan(model, discriminator, weight_exponent=1.5, **settings)
    with pytest.raises(ValueError, match="discriminator_updates must be at least 1, got 0"):
        gg.importance_gan(model, discriminator, discriminator_updates=0, **settings)
    latent = gg.sequence_model(gg.lstm_generator(2, 3, latent="hidden"), length=2)
    with pytest.raises(ValueError, match="generator must have no latent"):
        gg.importance_gan(latent, discriminator, **settings)
