"""Test cases for one-pass generators and for the algorithms that train them."""

import jax
import jax.numpy as jnp
import optax
from hypothesis import strategies as st

import gumbel_gan as gg
from gumbel_gan import model
from tests.properties import strategies as s
from tests.properties.case import Case, arguments, float32, has, is_a

NUM_SYMBOLS, LENGTH, BATCH = 3, 2, 2
MODEL = gg.sequence_model(
    gg.one_pass_generator(NUM_SYMBOLS, LENGTH, 2, num_layers=1, num_heads=1, latent_size=2), length=LENGTH
)
PARAMS = MODEL.init(jax.random.key(0))
GIVEN = {"latent": jnp.ones((BATCH, 2))}
ENCODER = gg.recurrent_encoder(NUM_SYMBOLS, 2, 2)

CASES = {
    "independent_generator": Case(
        gg.independent_generator,
        arguments(
            init=st.just(MODEL.generator.init),
            independent_logits=st.just(MODEL.generator.independent_logits),
            num_symbols=s.integers(1, 3),
        ),
        {
            "init": st.sampled_from((None, 3)),
            "independent_logits": st.sampled_from((None, 3)),
            "num_symbols": s.integers_below(1),
        },
        is_a(gg.Generator),
        num_examples=4,
    ),
    "variational_autoencoder": Case(
        lambda *, model, encoder, optimizer, kl_weight, ema_decay: gg.variational_autoencoder(
            model, encoder, optimizer=optimizer, kl_weight=kl_weight, ema_decay=ema_decay
        ),
        arguments(
            model=st.just(MODEL),
            encoder=st.just(ENCODER),
            optimizer=st.just(optax.sgd(0.1)),
            kl_weight=s.SHARES,
            ema_decay=st.sampled_from((0.0, 0.5)),
        ),
        {
            "model": st.sampled_from((None, 3, MODEL.generator)),
            "encoder": st.sampled_from((None, 3, MODEL)),
            "optimizer": st.sampled_from((None, 0.1)),
            "kl_weight": st.sampled_from((-1.0, "1", None)),
            "ema_decay": s.NOT_SHARES | st.just(1),
        },
        is_a(gg.Algorithm),
        num_examples=4,
    ),
    "distilled_gan": Case(
        gg.distilled_gan,
        arguments(
            model=st.just(MODEL),
            discriminator=st.just(gg.lstm_discriminator(NUM_SYMBOLS, 2)),
            encoder=st.just(ENCODER),
            decoder=st.just(MODEL.generator),
            generator_optimizer=st.just(optax.sgd(0.1)),
            discriminator_optimizer=st.just(optax.sgd(0.1)),
            autoencoder_optimizer=st.just(optax.sgd(0.1)),
            reconstruction=st.sampled_from(("squared_error", "cross_entropy")),
            estimator=st.none() | st.just(gg.soft),
            temperature=s.POSITIVE,
            discriminator_updates=s.integers(1, 2),
            ema_decay=st.sampled_from((0.0, 0.5)),
        ),
        {
            "model": st.sampled_from((None, 3, MODEL.generator)),
            "discriminator": st.sampled_from((None, "lstm", ENCODER)),
            "encoder": st.sampled_from((None, 3, MODEL)),
            "decoder": st.sampled_from((None, 3, MODEL, gg.lstm_generator(NUM_SYMBOLS, 2))),
            "autoencoder_optimizer": st.sampled_from((None, 0.1)),
            "reconstruction": st.sampled_from(("", "error")),
            "estimator": st.sampled_from(("soft", 3)),
            "temperature": s.NOT_POSITIVE,
            "discriminator_updates": s.integers_below(1),
            "ema_decay": s.NOT_SHARES | st.just(1),
        },
        is_a(gg.Algorithm),
        num_examples=4,
    ),
    "model.independent_logits": Case(
        lambda length: model.independent_logits(MODEL, PARAMS, BATCH, length, GIVEN),
        arguments(length=s.integers(1, LENGTH)),
        {"length": s.integers_below(1) | st.just(LENGTH + 1)},
        lambda result, given: has(lambda _: (BATCH, given["length"], NUM_SYMBOLS), float32)(result, given),
        num_examples=4,
    ),
    "model.relaxed_sample": Case(
        lambda key, estimator, temperature: model.relaxed_sample(
            key, MODEL, PARAMS, BATCH, GIVEN, estimator=estimator, temperature=temperature
        ),
        arguments(key=s.KEYS, estimator=st.sampled_from((gg.soft, gg.straight_through)), temperature=s.POSITIVE),
        {
            "key": s.NOT_KEYS,
            "estimator": st.sampled_from((None, "soft", 3)),
            "temperature": s.NOT_POSITIVE,
        },
        has(lambda given: (BATCH, LENGTH, NUM_SYMBOLS), float32),
        num_examples=4,
    ),
}
