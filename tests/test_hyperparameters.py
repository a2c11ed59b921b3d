"""Tests every scalar hyperparameter as a traced number, as a schedule, and under vmap."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gumbel_gan as gg

NUM_SYMBOLS, LENGTH = 3, 4
MODEL = gg.sequence_model(gg.lstm_generator(NUM_SYMBOLS, 3), length=LENGTH)
DISCRIMINATOR = gg.lstm_discriminator(NUM_SYMBOLS, 3)
BATCH = gg.Batch(jax.random.randint(jax.random.key(9), (8, LENGTH), 0, NUM_SYMBOLS), weights=None)
SGD = {"generator_optimizer": optax.sgd(0.1), "discriminator_optimizer": optax.sgd(0.1)}


def relaxed_gan(*, real_weight, generated_weight, interpolated_weight, feedback_temperature, **settings):
    return gg.relaxed_gan(
        MODEL,
        DISCRIMINATOR,
        objective=gg.non_saturating,
        estimator=gg.straight_through,
        penalty=gg.GradientPenalty(real_weight, generated_weight, interpolated_weight=interpolated_weight),
        feedback=gg.Feedback(temperature=feedback_temperature),
        **SGD,
        **settings,
    )


def importance_gan(*, penalty_weight, **settings):
    penalty = gg.GradientPenalty(penalty_weight, penalty_weight)
    return gg.importance_gan(MODEL, DISCRIMINATOR, penalty=penalty, **SGD, **settings)


def policy_gradient(*, penalty_weight, **settings):
    penalty = gg.GradientPenalty(penalty_weight, penalty_weight)
    settings = {"reward": gg.logit, "advantages": gg.reinforce(), "penalty": penalty} | settings
    return gg.policy_gradient(MODEL, DISCRIMINATOR, **SGD, **settings)


def with_prefix_rewards(estimator, **settings):
    discriminator = gg.lstm_prefix_discriminator(NUM_SYMBOLS, 3)
    return gg.policy_gradient(MODEL, discriminator, reward=gg.logit, advantages=estimator(**settings), **SGD)


def professor_forcing(**settings):
    return gg.professor_forcing(MODEL, gg.behavior_discriminator(3 + NUM_SYMBOLS, 3), **SGD, **settings)


def variational_autoencoder(**settings):
    generator = gg.one_pass_generator(NUM_SYMBOLS, LENGTH, 2, num_layers=1, num_heads=1, latent_size=2)
    encoder = gg.recurrent_encoder(NUM_SYMBOLS, 3, 2)
    model = gg.sequence_model(generator, length=LENGTH)
    return gg.variational_autoencoder(model, encoder, optimizer=optax.sgd(0.1), **settings)


def distilled_gan(*, interpolated_weight, **settings):
    return gg.distilled_gan(
        MODEL,
        gg.convolutional_discriminator(NUM_SYMBOLS, 3, num_blocks=1, kernel_size=2),
        gg.recurrent_encoder(NUM_SYMBOLS, 3, 2),
        gg.convolutional_one_pass_generator(NUM_SYMBOLS, LENGTH, 2, num_blocks=1, kernel_size=2, latent_size=2),
        penalty=gg.GradientPenalty(interpolated_weight=interpolated_weight),
        estimator=gg.soft,
        discriminator_updates=1,
        autoencoder_optimizer=optax.sgd(0.1),
        **SGD,
        **settings,
    )


def maximum_likelihood(*, learning_rate, **settings):
    return gg.maximum_likelihood(MODEL, optimizer=optax.adam(learning_rate), **settings)


def truncated_likelihood(*, learning_rate, **settings):
    return within_a_text(gg.truncated_likelihood(MODEL, batch_size=8, optimizer=optax.adam(learning_rate), **settings))


def truncated_professor_forcing(**settings):
    # The gate is open, so that the weight has an effect.
    return within_a_text(professor_forcing(batch_size=8, generator_threshold=None, **settings))


def within_a_text(algorithm):
    """Returns an algorithm whose first state is not at the beginning of a text, where a restart changes nothing."""

    def init(key):
        state = algorithm.init(key)
        return state._replace(position=state.position._replace(last_tokens=jnp.zeros(8, jnp.int32)))

    return algorithm._replace(init=init)


class Case(NamedTuple):
    """An algorithm and three values of each hyperparameter. While one varies, the others keep their first value."""

    make: Callable[..., gg.Algorithm]
    values: dict[str, tuple[float, float, float]]


EMA_DECAYS = (0.02, 0.0, 0.05)
CASES = {
    "relaxed_gan": Case(
        relaxed_gan,
        {
            "temperature": (0.5, 1.0, 2.0),
            "score_weight": (0.5, 0.0, 1.0),
            "instance_noise": (0.5, 0.0, 1.0),
            "ema_decay": EMA_DECAYS,
            "real_weight": (1.0, 0.0, 3.0),
            "generated_weight": (1.0, 0.0, 3.0),
            "interpolated_weight": (1.0, 0.0, 3.0),
            "discriminator_ema_decay": EMA_DECAYS,
            "feedback_temperature": (0.5, 1.0, 2.0),
        },
    ),
    "importance_gan": Case(
        importance_gan,
        {"weight_exponent": (0.5, 0.0, 1.0), "penalty_weight": (1.0, 0.0, 3.0), "ema_decay": EMA_DECAYS},
    ),
    "policy_gradient": Case(
        policy_gradient,
        {"warm_up_steps": (1.0, 0.0, 3.0), "penalty_weight": (1.0, 0.0, 3.0), "ema_decay": EMA_DECAYS},
    ),
    "per_prefix": Case(
        partial(with_prefix_rewards, gg.per_prefix), {"discount": (0.5, 0.0, 1.0), "baseline_decay": (0.5, 0.0, 0.9)}
    ),
    "per_symbol": Case(partial(with_prefix_rewards, gg.per_symbol), {"discount": (0.5, 0.0, 1.0)}),
    "professor_forcing": Case(
        professor_forcing,
        {
            "free_running_weight": (30.0, 0.0, 1.0),
            "teacher_forced_weight": (1.0, 0.0, 3.0),
            "generator_threshold": (0.2, 0.0, 1.0),
            "discriminator_threshold": (0.8, 0.0, 1.0),
            "ema_decay": EMA_DECAYS,
        },
    ),
    "truncated_professor_forcing": Case(
        truncated_professor_forcing, {"restart_rate": (0.5, 0.0, 1.0), "free_running_weight": (30.0, 0.0, 1.0)}
    ),
    "distilled_gan": Case(
        distilled_gan,
        {"temperature": (0.5, 1.0, 2.0), "interpolated_weight": (1.0, 0.0, 3.0), "ema_decay": EMA_DECAYS},
    ),
    "variational_autoencoder": Case(variational_autoencoder, {"kl_weight": (0.5, 0.0, 2.0), "ema_decay": EMA_DECAYS}),
    "maximum_likelihood": Case(
        maximum_likelihood,
        {"sampling_rate": (0.5, 0.0, 1.0), "ema_decay": EMA_DECAYS, "learning_rate": (0.01, 0.02, 0.1)},
    ),
    "truncated_likelihood": Case(
        truncated_likelihood,
        {"restart_rate": (0.5, 0.0, 1.0), "ema_decay": EMA_DECAYS, "learning_rate": (0.01, 0.02, 0.1)},
    ),
}
NEVER_A_SCHEDULE = ("warm_up_steps", "learning_rate")


def loud_state(algorithm):
    """Returns a state at step 1 with doubled parameters, so that the logits of the discriminator are not close to 0."""
    state = algorithm.init(jax.random.key(0))
    state = jax.tree.map(lambda leaf: 2 * leaf if leaf.ndim else leaf, state)
    if hasattr(state, "adversarial"):
        return state._replace(adversarial=state.adversarial._replace(step=jnp.int32(1)))
    return state._replace(step=jnp.int32(1))


def one_step(algorithm):
    return algorithm.step(jax.random.key(1), loud_state(algorithm), BATCH)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_vmap_over_schedules_and_numbers_equals_the_loop_over_numbers(name):
    make, values = CASES[name]
    first = {each: three[0] for each, three in values.items()}
    rows = [first | {each: value} for each, three in values.items() for value in three]

    @jax.jit
    @jax.vmap
    def together(before, now):
        def schedule(each):
            return lambda step: jnp.where(step < 1, before[each], now[each])

        return one_step(make(**{each: now[each] if each in NEVER_A_SCHEDULE else schedule(each) for each in values}))

    @jax.jit
    def one(settings):
        return one_step(make(**settings))

    # Before the step that `one_step` takes, every schedule has the value of another row.
    befores, nows = (jax.tree.map(lambda *leaves: jnp.array(leaves), *each) for each in (rows[1:] + rows[:1], rows))
    results = states, _ = together(befores, nows)
    for index, row in enumerate(rows):
        at_index = jax.tree.map(lambda leaf, index=index: leaf[index], results)
        chex.assert_trees_all_close(at_index, one(row), rtol=1e-3, atol=1e-4)
    for index, hyperparameter in enumerate(values):
        three = slice(3 * index, 3 * index + 3)
        spread = jax.tree.map(lambda leaf, three=three: float(np.ptp(leaf[three], axis=0).max()), states)
        assert max(jax.tree.leaves(spread)) > 1e-5, hyperparameter
