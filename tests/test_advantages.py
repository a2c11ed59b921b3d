"""Advantages by hand, and the values of prefixes by enumeration."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan import unroll
from gumbel_gan.losses.advantages import Drawn, discounted_returns, per_prefix, prefix_values, roll_outs, terminal
from gumbel_gan.networks import lstm_generator

K, T = 3, 3
EVERY = jnp.array(list(itertools.product(range(K), repeat=T)))
GENERATOR = lstm_generator(K, 4)
PLACES = K ** jnp.arange(T)[::-1]


def draw(tokens, rewards, table=None):
    params = jax.tree.map(lambda leaf: 4 * leaf, GENERATOR.init(jax.random.key(0)))
    return Drawn(tokens, rewards, lambda tokens: table[tokens @ PLACES], GENERATOR, params)


def test_a_terminal_reward_is_that_of_every_symbol():
    credit = terminal()
    drawn = draw(jnp.zeros((3, 4), jnp.int32), jnp.array([1.0, 2.0, 6.0]))
    advantages, baseline = credit.advantages(jax.random.key(0), credit.init(), drawn)
    np.testing.assert_allclose(advantages, np.repeat([[-3.0], [-1.5], [4.5]], 4, axis=1))
    assert baseline == credit.init() == ()


@pytest.mark.parametrize("discount", [0.0, 0.23, 1.0])
def test_returns_are_the_sum_that_their_docstring_says(discount):
    rewards = jax.random.normal(jax.random.key(0), (4, 6))
    expected = [[sum(discount ** (s - t) * row[s] for s in range(t, 6)) for t in range(6)] for row in rewards]
    np.testing.assert_allclose(discounted_returns(rewards, discount), expected, rtol=1e-5, atol=1e-6)


def test_prefixes_are_paid_above_the_mean_return_so_far():
    credit = per_prefix(discount=0.5, baseline_decay=0.2)
    drawn = draw(jnp.zeros((2, 3), jnp.int32), jnp.array([[1.0, 2.0, 4.0], [0.0, 0.0, 8.0]]))
    advantages, baseline = credit.advantages(jax.random.key(0), jnp.asarray(10.0), drawn)
    np.testing.assert_allclose(advantages, [[-7.0, -6.0, -6.0], [-8.0, -6.0, -2.0]])
    np.testing.assert_allclose(baseline, 0.2 * 10 + 0.8 * 25 / 6, rtol=1e-6)
    assert float(credit.init()) == 0


def test_values_of_prefixes_by_enumeration():
    table = jax.random.normal(jax.random.key(1), (len(EVERY),))
    num_roll_outs = 4_000
    drawn = draw(EVERY, table, table)
    values = jax.jit(lambda key: prefix_values(key, drawn, num_roll_outs))(jax.random.key(2))
    carry = GENERATOR.initial_carry(jax.random.key(0), len(EVERY))
    step = partial(GENERATOR.step, drawn.params)
    logits = unroll.teacher_forced(step, carry, unroll.start_symbols(len(EVERY), K), EVERY)
    probs = np.exp(unroll.token_log_probs(logits, EVERY).sum(axis=1)).astype(float)
    for t in range(1, T + 1):
        same = (np.asarray(EVERY)[:, None, :t] == np.asarray(EVERY)[None, :, :t]).all(axis=2)
        law = same * probs / (same * probs).sum(axis=1, keepdims=True)
        mean = law @ table
        deviation = np.sqrt(law @ np.square(table) - np.square(mean) + 1e-9)
        np.testing.assert_array_less(np.abs(values[:, t - 1] - mean), 5 * deviation / np.sqrt(num_roll_outs) + 1e-5)


def test_roll_outs_compare_prefixes_of_one_length():
    credit = roll_outs(num_roll_outs=2)
    table = jax.random.normal(jax.random.key(1), (len(EVERY),))
    advantages, baseline = credit.advantages(jax.random.key(2), credit.init(), draw(EVERY, table, table))
    assert advantages.shape == EVERY.shape
    np.testing.assert_allclose(advantages.sum(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(advantages[:, -1], (table - table.mean()) * 27 / 26, rtol=1e-4, atol=1e-5)
    assert baseline == ()


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"discount must be in \[0, 1\], got 1.1"):
        per_prefix(discount=1.1, baseline_decay=0.08)
    with pytest.raises(ValueError, match=r"baseline_decay must be in \[0, 1\), got 1.0"):
        per_prefix(discount=0.23, baseline_decay=1.0)
    with pytest.raises(ValueError, match="num_roll_outs must be at least 1, got 0"):
        roll_outs(num_roll_outs=0)
