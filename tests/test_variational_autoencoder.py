"""The variational autoencoder: its bound against quadrature, and the errors that it documents."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gumbel_gan as gg
from gumbel_gan import model as model_lib
from gumbel_gan.algorithms.variational_autoencoder import normal_kl
from tests.parameters import random_params

NUM_SYMBOLS, LENGTH = 3, 4
TOKENS = jnp.array([[1, 2, 0, 0], [2, 2, 1, 0], [1, 1, 2, 1]], jnp.int32)
GENERATOR = gg.one_pass_generator(NUM_SYMBOLS, LENGTH, 4, num_layers=1, num_heads=2, latent_size=1)
ENCODER = gg.recurrent_encoder(NUM_SYMBOLS, 3, 1)
MODEL = gg.sequence_model(GENERATOR, length=LENGTH, padding=0, padding_ends=True)


def expectations(function):
    """Computes the means of a function of `[Q, 1]` numbers from N(0, 1), by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    return np.tensordot(weights / weights.sum(), function(nodes.astype(np.float32)[:, None]), axes=1)


def test_the_divergence_of_normal_distributions_is_that_by_quadrature():
    mean, log_deviation = np.array([0.0, 0.7, -2.0]), np.array([0.0, -1.0, 0.4])

    def log_ratio(noise):
        z = mean + np.exp(log_deviation) * noise
        return -log_deviation - noise**2 / 2 + z**2 / 2

    by_quadrature = expectations(log_ratio)
    np.testing.assert_allclose(normal_kl(jnp.array(mean), jnp.array(log_deviation)), by_quadrature, atol=1e-5)


def test_the_loss_is_the_bound_and_the_bound_is_above_the_likelihood():
    algorithm = gg.variational_autoencoder(MODEL, ENCODER, optimizer=optax.sgd(0.0), kl_weight=0.3)
    state = random_params(algorithm.init)._replace(step=jnp.zeros((), jnp.int32))

    @jax.jit
    def measured(state):
        mean, log_deviation = ENCODER.moments(state.encoder_params, jax.nn.one_hot(TOKENS, NUM_SYMBOLS))

        def log_prob(latent):
            return jnp.sum(model_lib.token_log_probs(MODEL, state.generator_params, TOKENS, {"latent": latent}), axis=1)

        nodes = jnp.asarray(np.polynomial.hermite_e.hermegauss(60)[0], jnp.float32)
        encoded = jax.vmap(lambda node: log_prob(mean + jnp.exp(log_deviation) * node))(nodes)
        prior = jax.vmap(lambda node: log_prob(jnp.full((len(TOKENS), 1), node)))(nodes)
        keys = jax.random.split(jax.random.key(0), 2_000)
        _, metrics = jax.vmap(algorithm.step, in_axes=(0, None, None))(keys, state, gg.Batch(TOKENS))
        return encoded, prior, normal_kl(mean, log_deviation), metrics

    encoded, prior, kl, metrics = jax.tree.map(np.asarray, measured(state))
    reconstruction = -expectations(lambda _: encoded).mean()
    for name, weight in (("negative_elbo", 1.0), ("generator_loss", 0.3)):
        wanted = reconstruction + weight * kl.sum(axis=1).mean()
        error = metrics[name].std() / np.sqrt(len(metrics[name]))
        assert abs(metrics[name].mean() - wanted) < 5 * error + 1e-4
    likelihood = np.log(expectations(lambda _: np.exp(prior.astype(np.float64)))).mean()
    assert reconstruction + kl.sum(axis=1).mean() > -likelihood


def test_its_errors_name_the_argument():
    settings = {"optimizer": optax.sgd(0.1)}
    without = gg.sequence_model(gg.lstm_generator(NUM_SYMBOLS, 3), length=LENGTH)
    with pytest.raises(ValueError, match="generator must have a latent to encode"):
        gg.variational_autoencoder(without, ENCODER, **settings)
    pair = gg.sequence_model(gg.lstm_generator(NUM_SYMBOLS, 3, latent="hidden_and_cell"), length=LENGTH)
    with pytest.raises(ValueError, match=r"generator must have a latent that is one array \[B, Z\], got shapes"):
        gg.variational_autoencoder(pair, ENCODER, **settings)
    with pytest.raises(TypeError, match="encoder must be a Encoder"):
        gg.variational_autoencoder(MODEL, gg.lstm_discriminator(NUM_SYMBOLS, 3), **settings)
    with pytest.raises(ValueError, match="kl_weight must be a finite number"):
        gg.variational_autoencoder(MODEL, ENCODER, kl_weight=-1.0, **settings)
    with pytest.raises(ValueError, match="latent_size must be at least 1, got 0"):
        gg.recurrent_encoder(NUM_SYMBOLS, 3, 0)
