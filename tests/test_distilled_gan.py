"""TextKD-GAN: a step against the paper's algorithm, learning of a small distribution, and the documented errors."""

from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gumbel_gan as gg
from gumbel_gan import training
from gumbel_gan.losses.penalties import interpolate, logits_and_gradients, one_centered_gradient_penalty

NUM_SYMBOLS, LENGTH = 3, 4
DATA = jnp.array([[1, 2, 0, 0], [2, 2, 1, 0], [1, 1, 2, 1]], jnp.int32)
GENERATOR = gg.convolutional_one_pass_generator(NUM_SYMBOLS, LENGTH, 8, num_blocks=1, kernel_size=3, latent_size=4)
MODEL = gg.sequence_model(GENERATOR, length=LENGTH, padding=0, padding_ends=True, num_latent_draws=64)
DISCRIMINATOR = gg.convolutional_discriminator(NUM_SYMBOLS, 8, num_blocks=1, kernel_size=3)
ENCODER = gg.recurrent_encoder(NUM_SYMBOLS, 4, 3)
DECODER = gg.lstm_generator(NUM_SYMBOLS, 3, latent="hidden")
SGD = optax.sgd(0.1)


def make(model=MODEL, encoder=ENCODER, decoder=DECODER, rate=SGD, **settings):
    names = ("generator_optimizer", "discriminator_optimizer", "autoencoder_optimizer")
    return gg.distilled_gan(model, DISCRIMINATOR, encoder, decoder, **dict.fromkeys(names, rate) | settings)


def test_a_step_is_the_paper_s_algorithm():
    algorithm = make(discriminator_updates=1)
    assert algorithm.batches_per_step == 1
    state = algorithm.init(jax.random.key(0))
    key, real = jax.random.key(1), jax.nn.one_hot(DATA, NUM_SYMBOLS)

    def reconstruct(both):
        code, _ = ENCODER.moments(both[0], real)
        return jax.nn.softmax(DECODER.logits(both[1], DATA, latent=code))

    def reconstruction_loss(both):
        return jnp.mean(jnp.sum((reconstruct(both) - real) ** 2, axis=(1, 2)))

    def generate(params):
        latent = GENERATOR.sample_latent(jax.random.split(jax.random.fold_in(key, 1))[0], len(DATA))
        return jax.nn.softmax(GENERATOR.independent_logits(params, len(DATA), LENGTH, latent=latent))

    def descend(params, gradient):
        return jax.tree.map(lambda leaf, slope: leaf - 0.1 * slope, params, gradient)

    @jax.jit
    def by_hand(state):
        both = (state.encoder_params, state.decoder_params)
        loss, gradient = jax.value_and_grad(reconstruction_loss)(both)
        both = descend(both, gradient)
        soft, fixed = reconstruct(both), generate(state.adversarial.generator_params)
        between = interpolate(jax.random.fold_in(jax.random.fold_in(key, 2), 2), soft, fixed)

        def discriminator_loss(params):
            critic = partial(DISCRIMINATOR.logits, params)
            penalty = one_centered_gradient_penalty(logits_and_gradients(critic, between)[1])
            return jnp.mean(critic(fixed)) - jnp.mean(critic(soft)) + 10 * penalty

        critic_params = state.adversarial.discriminator_params
        critic_params = descend(critic_params, jax.grad(discriminator_loss)(critic_params))

        def generator_loss(params):
            return -jnp.mean(DISCRIMINATOR.logits(critic_params, generate(params)))

        generator_params = state.adversarial.generator_params
        generator_params = descend(generator_params, jax.grad(generator_loss)(generator_params))
        entropies = [-jnp.mean(jnp.sum(probs * jnp.log(probs), axis=-1)) for probs in (soft, fixed)]
        return both, critic_params, generator_params, loss, entropies

    new, metrics = jax.jit(algorithm.step)(key, state, gg.Batch(DATA))
    ours = (
        (new.encoder_params, new.decoder_params),
        new.adversarial.discriminator_params,
        new.adversarial.generator_params,
        metrics["reconstruction_loss"],
        [metrics["reconstruction_entropy"], metrics["generated_entropy"]],
    )
    chex.assert_trees_all_close(ours, by_hand(state), rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_only_its_reconstruction_trains_the_autoencoder_and_each_step_has_several_critics():
    algorithm = make(rate=optax.adam(0.01), discriminator_updates=3)
    state = algorithm.init(jax.random.key(0))
    other = jax.tree.map(lambda leaf: 2 * leaf, state.adversarial.generator_params)
    changed = state._replace(adversarial=state.adversarial._replace(generator_params=other))
    batch = gg.Batch(jnp.tile(DATA, (3, 1)))
    step = jax.jit(algorithm.step)
    new, of_changed = (step(jax.random.key(1), each, batch)[0] for each in (state, changed))
    chex.assert_trees_all_equal(new.encoder_params, of_changed.encoder_params)
    chex.assert_trees_all_equal(new.decoder_params, of_changed.decoder_params)
    counts = [
        int(each[0].count)
        for each in (
            new.autoencoder_opt_state,
            new.adversarial.discriminator_opt_state,
            new.adversarial.generator_opt_state,
        )
    ]
    assert counts == [1, 3, 1]


def test_after_padding_reconstructions_are_one_hot_as_relaxed_samples_are():
    generator = gg.lstm_generator(NUM_SYMBOLS, 4)
    model = gg.sequence_model(generator, length=LENGTH, padding=0, padding_ends=True)
    algorithm = make(model=model, estimator=gg.soft, discriminator_updates=1)
    state = algorithm.init(jax.random.key(0))
    tokens = jnp.array([[1, 0, 0, 0], [2, 2, 1, 1]], jnp.int32)
    _, metrics = jax.jit(algorithm.step)(jax.random.key(1), state, gg.Batch(tokens))
    real = jax.nn.one_hot(tokens, NUM_SYMBOLS)
    code, _ = ENCODER.moments(state.encoder_params, real)
    errors = (jax.nn.softmax(DECODER.logits(state.decoder_params, tokens, latent=code)) - real) ** 2
    is_exact = jnp.array([[False, False, True, True], [False] * LENGTH])
    expected = jnp.sum(jnp.where(is_exact[..., None], 0.0, errors)) / 2
    np.testing.assert_allclose(metrics["reconstruction_loss"], expected, rtol=1e-5)


@pytest.mark.slow
def test_it_finds_a_small_distribution():
    data = jnp.array([[1, 2, 0, 0], [2, 1, 1, 0]] * 16, jnp.int32)
    decoder = gg.convolutional_one_pass_generator(NUM_SYMBOLS, LENGTH, 8, num_blocks=1, latent_size=3)
    critic = optax.adam(5e-3, b1=0.5, b2=0.9)
    algorithm = make(decoder=decoder, rate=critic, autoencoder_optimizer=optax.adam(2e-2), discriminator_updates=3)
    keys = training.run_keys(0)
    train = jax.jit(partial(training.train, algorithm, batch_size=32, num_steps=300))
    state, metrics = train(keys.train, algorithm.init(keys.init), data)
    assert metrics["reconstruction_loss"][-1] < 0.1 * metrics["reconstruction_loss"][0]
    assert metrics["reconstruction_entropy"][-1] < 0.2
    probs = np.exp(jax.jit(MODEL.log_prob)(algorithm.params(state), data[:2]))
    assert probs.sum() > 0.9
    assert probs.min() > 0.2


def test_its_errors_name_the_argument():
    autoregressive = gg.sequence_model(gg.lstm_generator(NUM_SYMBOLS, 3), length=LENGTH)
    with pytest.raises(ValueError, match="estimator must be given for a generator without independent_logits"):
        make(autoregressive)
    with pytest.raises(ValueError, match="decoder must have 3 symbols, got 4"):
        make(decoder=gg.lstm_generator(4, 3, latent="hidden"))
    with pytest.raises(ValueError, match="decoder must have a latent to encode"):
        make(decoder=gg.lstm_generator(NUM_SYMBOLS, 3))
    with pytest.raises(ValueError, match=r"decoder must have a latent that is one array \[B, Z\]"):
        make(decoder=gg.lstm_generator(NUM_SYMBOLS, 3, latent="hidden_and_cell"))
    with pytest.raises(TypeError, match="encoder must be a Encoder"):
        make(encoder=DISCRIMINATOR)
    with pytest.raises(ValueError, match="reconstruction must be one of"):
        make(reconstruction="absolute_error")
    with pytest.raises(ValueError, match="discriminator_updates must be at least 1, got 0"):
        make(discriminator_updates=0)
