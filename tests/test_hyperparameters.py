"""Every scalar hyperparameter as a number, as a schedule, and as a traced number with an axis of its own."""

from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import optax
import pytest

import gumbel_gan as gg

NUM_SYMBOLS, LENGTH = 3, 4
MODEL = gg.sequence_model(gg.lstm_generator(NUM_SYMBOLS, 3), length=LENGTH)
DISCRIMINATOR = gg.lstm_discriminator(NUM_SYMBOLS, 3)
BATCH = gg.Batch(jax.random.randint(jax.random.key(9), (8, LENGTH), 0, NUM_SYMBOLS), weights=None)
SGD = {"generator_optimizer": optax.sgd(0.1), "discriminator_optimizer": optax.sgd(0.1)}


def relaxed_gan(**settings):
    settings = {"objective": gg.non_saturating, "estimator": gg.straight_through, "temperature": 0.7} | settings
    return gg.relaxed_gan(MODEL, DISCRIMINATOR, **SGD, **settings)


def importance_gan(**settings):
    return gg.importance_gan(MODEL, DISCRIMINATOR, **SGD, **settings)


def policy_gradient(discriminator=DISCRIMINATOR, **settings):
    settings = {"reward": gg.logit, "advantages": gg.reinforce()} | settings
    return gg.policy_gradient(MODEL, discriminator, **SGD, **settings)


def per_prefix(**settings):
    settings = {"discount": 0.5, "baseline_decay": 0.5} | settings
    return policy_gradient(gg.lstm_prefix_discriminator(NUM_SYMBOLS, 3), advantages=gg.per_prefix(**settings))


def professor_forcing(**settings):
    discriminator = gg.behavior_discriminator(3 + NUM_SYMBOLS, 3)
    settings = {"generator_threshold": None, "discriminator_threshold": None} | settings
    return gg.professor_forcing(MODEL, discriminator, **SGD, **settings)


def maximum_likelihood(**settings):
    return gg.maximum_likelihood(MODEL, optimizer=optax.sgd(0.1), **settings)


class Case(NamedTuple):
    """A hyperparameter: how an algorithm is made with it, and values that differ in what they lead to.

    Those that share their code with another, or that are never a schedule, are not tried as one.
    """

    make: Callable[[Any], gg.Algorithm]
    values: tuple[float, float, float]
    as_schedule: bool = True


CASES = {
    "relaxed_gan temperature": Case(lambda x: relaxed_gan(temperature=x), (0.5, 1.0, 2.0)),
    "relaxed_gan feedback.temperature": Case(
        lambda x: relaxed_gan(estimator=gg.soft, feedback=gg.Feedback(temperature=x)), (0.5, 1.0, 2.0)
    ),
    "relaxed_gan score_weight": Case(lambda x: relaxed_gan(score_weight=x), (0.0, 0.5, 1.0)),
    "relaxed_gan instance_noise": Case(lambda x: relaxed_gan(instance_noise=x), (0.0, 0.5, 1.0)),
    "relaxed_gan ema_decay": Case(lambda x: relaxed_gan(ema_decay=x), (0.0, 0.02, 0.05)),
    "relaxed_gan real_weight": Case(lambda x: relaxed_gan(penalty=gg.GradientPenalty(x, 1.0)), (0.0, 1.0, 3.0)),
    "relaxed_gan generated_weight": Case(lambda x: relaxed_gan(penalty=gg.GradientPenalty(1.0, x)), (0.0, 1.0, 3.0)),
    "importance_gan weight_exponent": Case(lambda x: importance_gan(weight_exponent=x), (0.0, 0.5, 1.0)),
    "importance_gan real_weight": Case(
        lambda x: importance_gan(penalty=gg.GradientPenalty(x, x)), (0.0, 1.0, 3.0), False
    ),
    "importance_gan ema_decay": Case(lambda x: importance_gan(ema_decay=x), (0.0, 0.02, 0.05), False),
    "policy_gradient warm_up_steps": Case(lambda x: policy_gradient(warm_up_steps=x), (0.0, 1.0, 3.0), False),
    "policy_gradient real_weight": Case(
        lambda x: policy_gradient(penalty=gg.GradientPenalty(x, x)), (0.0, 1.0, 3.0), False
    ),
    "policy_gradient ema_decay": Case(lambda x: policy_gradient(ema_decay=x), (0.0, 0.02, 0.05), False),
    "per_prefix discount": Case(lambda x: per_prefix(discount=x), (0.0, 0.5, 1.0)),
    "per_prefix baseline_decay": Case(lambda x: per_prefix(baseline_decay=x), (0.0, 0.5, 0.9)),
    "professor_forcing free_running_weight": Case(lambda x: professor_forcing(free_running_weight=x), (0.0, 1.0, 3.0)),
    "professor_forcing teacher_forced_weight": Case(
        lambda x: professor_forcing(teacher_forced_weight=x), (0.0, 1.0, 3.0)
    ),
    "professor_forcing generator_threshold": Case(
        lambda x: professor_forcing(generator_threshold=x, free_running_weight=30.0), (0.0, 0.2, 1.0)
    ),
    "professor_forcing discriminator_threshold": Case(
        lambda x: professor_forcing(discriminator_threshold=x), (0.0, 0.8, 1.0)
    ),
    "professor_forcing ema_decay": Case(lambda x: professor_forcing(ema_decay=x), (0.0, 0.02, 0.05), False),
    "maximum_likelihood sampling_rate": Case(lambda x: maximum_likelihood(sampling_rate=x), (0.0, 0.5, 1.0)),
    "maximum_likelihood ema_decay": Case(lambda x: maximum_likelihood(ema_decay=x), (0.0, 0.02, 0.05)),
    "learning rate": Case(lambda x: gg.maximum_likelihood(MODEL, optimizer=optax.adam(x)), (0.0, 0.01, 0.1), False),
}


def loud_state(algorithm, step=0):
    """Returns a state at a step, its parameters doubled, so that the discriminator tells something."""
    state = algorithm.init(jax.random.key(0))
    state = jax.tree.map(lambda leaf: 2 * leaf if leaf.ndim else leaf, state)
    if hasattr(state, "adversarial"):
        return state._replace(adversarial=state.adversarial._replace(step=jnp.int32(step)))
    return state._replace(step=jnp.int32(step))


def one_step(algorithm, step=0):
    return algorithm.step(jax.random.key(1), loud_state(algorithm, step), BATCH)


@pytest.mark.parametrize("name", sorted(CASES))
def test_vmap_over_a_hyperparameter_equals_the_loop_over_its_values(name):
    case = CASES[name]
    states, metrics = jax.jit(jax.vmap(lambda value: one_step(case.make(value))))(jnp.array(case.values))
    one = jax.jit(lambda value: one_step(case.make(value)))
    for index, value in enumerate(case.values):
        at_index = jax.tree.map(lambda leaf, index=index: leaf[index], (states, metrics))
        chex.assert_trees_all_close(at_index, one(value), rtol=1e-3, atol=1e-4)
    spread = jax.tree.map(lambda leaf: float(jnp.abs(leaf[0] - leaf[2]).max()), states)
    assert max(jax.tree.leaves(spread)) > 1e-5


@pytest.mark.parametrize("name", sorted(name for name, case in CASES.items() if case.as_schedule))
def test_a_schedule_takes_the_value_of_its_step(name):
    case = CASES[name]
    low, high = case.values[:2]
    scheduled = jax.jit(lambda: one_step(case.make(lambda step: jnp.where(step < 1, low, high)), step=1)[0])()
    constant = jax.jit(lambda value: one_step(case.make(value), step=1)[0])(high)
    chex.assert_trees_all_close(scheduled, constant, rtol=1e-3, atol=1e-4)
