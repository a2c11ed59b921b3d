"""No dtype is left to the default: with 64-bit types enabled, every scan keeps the dtypes of its carry."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import optax
import pytest

import gumbel_gan as gg
from gumbel_gan import schedules, training
from tests.test_algorithms import ALGORITHMS

PROGRAM = """
import jax, jax.numpy as jnp, optax
import gumbel_gan as gg
from gumbel_gan import training
assert jnp.zeros(1).dtype == jnp.float64
task = gg.strings_task(["ab", "ba", "abb", "bab", "aa", "bb", "b", "aab", "bba", "aba"], num_heldout=1)
model = task.model(gg.lstm_generator(task.num_symbols, 3, dropout_rate=0.1))
algorithm = gg.relaxed_gan(
    model, gg.lstm_discriminator(task.num_symbols, 3), generator_optimizer=optax.adam(1e-2),
    discriminator_optimizer=optax.adam(1e-2), objective=gg.log_odds, estimator=gg.straight_through, score_weight=0.5,
    penalty=gg.GradientPenalty(1.0, 1.0), instance_noise=0.1, discriminator_updates=2, ema_decay=0.9)
keys = training.run_keys(0)
state, _ = jax.jit(lambda state: training.train(algorithm, keys.train, state, task.train, batch_size=4, num_steps=2))(
    algorithm.init(keys.init))
params = algorithm.params(state)
assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}
tokens = model.sample(keys.sample, params, 5)
assert tokens.dtype == jnp.int32
print(float(model.log_prob(params, tokens).sum()))
"""


@pytest.mark.parametrize("name", sorted(ALGORITHMS))
def test_a_step_of_every_algorithm_keeps_its_types(name):
    with jax.enable_x64(True):
        algorithm = ALGORITHMS[name]()
        state = jax.eval_shape(algorithm.init, jax.random.key(0))
        batch = gg.Batch(jax.ShapeDtypeStruct((9, algorithm.model.length), jnp.int32))
        new_state, _ = jax.eval_shape(algorithm.step, jax.random.key(1), state, batch)
        types = (jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), each) for each in (state, new_state))
        assert next(types) == next(types)


@pytest.mark.parametrize(
    "generator",
    [
        gg.gru_generator(3, 4, num_layers=2, embedding_size=2),
        gg.lstm_generator(3, 4, latent="hidden", condition=gg.Vectors(2)),
        gg.transformer_generator(3, 4, latent_size=2),
    ],
    ids=["gru", "conditional lstm", "transformer"],
)
def test_models_of_every_kind_of_network_keep_their_types(generator):
    with jax.enable_x64(True):
        model = gg.sequence_model(generator, length=4, padding=0, padding_ends=True, allow_empty=False)
        params = jax.eval_shape(model.init, jax.random.key(0))
        given = {"condition": jax.ShapeDtypeStruct((5, 2), jnp.float32)} if "condition" in str(params) else {}
        tokens = jax.eval_shape(
            lambda params, given: model.sample(jax.random.key(1), params, 5, **given), params, given
        )
        assert tokens.dtype == jnp.int32
        log_prob = jax.eval_shape(
            lambda params, given: model.log_prob(params, tokens_of(tokens), **given), params, given
        )
        assert log_prob.dtype == jnp.float32


def test_schedules_and_training_run_with_64_bit_types_enabled():
    with jax.enable_x64(True):
        model = gg.sequence_model(gg.lstm_generator(3, 3), length=4)
        rate = schedules.cosine(1e-2, 1e-3, 10)
        algorithm = gg.maximum_likelihood(model, optimizer=optax.adam(rate), sampling_rate=schedules.linear(0, 0.5, 10))
        state = jax.eval_shape(algorithm.init, jax.random.key(0))
        data = jax.ShapeDtypeStruct((8, 4), jnp.int64)

        def train(state, data):
            return training.train(algorithm, jax.random.key(1), state, data, batch_size=4, num_steps=3)

        new_state, _ = jax.eval_shape(train, state, data)
        assert {leaf.dtype for leaf in jax.tree.leaves(new_state)} == {jnp.dtype("float32"), jnp.dtype("int32")}


@pytest.mark.slow
def test_a_process_with_64_bit_types_enabled_trains_and_samples():
    environment = {**os.environ, "JAX_ENABLE_X64": "1"}
    run = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) < 0


def tokens_of(shape):
    return jnp.zeros(shape.shape, shape.dtype)
