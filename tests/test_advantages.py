"""Advantages against values by hand; prefix values and the policy gradient against enumeration."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.signal

from gumbel_gan.losses.advantages import (
    Rollout,
    discounted_returns,
    monte_carlo,
    per_prefix,
    per_symbol,
    prefix_values,
    reinforce,
)

K, T = 3, 3
EVERY = jnp.array(list(itertools.product(range(K), repeat=T)), jnp.int32)
PLACES = jnp.array([K**2, K, 1], jnp.int32)
# A generator that is a Markov chain: row K holds the logits of the first symbol.
CHAIN = jax.random.normal(jax.random.key(0), (K + 1, K), jnp.float32)
KEY = jax.random.key(7)


def unused(*_):
    raise AssertionError("only Monte Carlo estimates complete and reward sequences")


def rollout(tokens, rewards, table=None):
    if table is None:
        return Rollout(tokens, rewards, unused, unused)
    return Rollout(tokens, rewards, lambda tokens: table[tokens @ PLACES], complete)


def token_log_probs(chain, tokens):
    before = jnp.concatenate([jnp.full_like(tokens[:, :1], K), tokens[:, :-1]], axis=1)
    return jnp.take_along_axis(jax.nn.log_softmax(chain)[before], tokens[..., None], axis=-1)[..., 0]


def complete(key, tokens, num_given):
    noise_TNK = jax.random.gumbel(key, (T, len(tokens), K), jnp.float32)
    columns, before = [], jnp.full_like(tokens[:, 0], K)
    for t in range(T):
        drawn = jnp.argmax(CHAIN[before] + noise_TNK[t], axis=-1).astype(tokens.dtype)
        before = jnp.where(t < num_given, tokens[:, t], drawn)
        columns.append(before)
    return jnp.stack(columns, axis=1)


def test_reinforce_gives_all_symbols_the_advantage_of_their_sequence():
    estimator = reinforce()
    drawn = rollout(jnp.zeros((3, 4), jnp.int32), jnp.array([1.0, 2.0, 6.0]))
    advantages, baseline = estimator.advantages(KEY, 0, estimator.init(), drawn)
    np.testing.assert_allclose(advantages, np.repeat([[-3.0], [-1.5], [4.5]], 4, axis=1))
    assert baseline == estimator.init() == ()


@pytest.mark.parametrize("discount", [0.0, 0.23, 1.0])
def test_returns_are_the_documented_sum(discount):
    rewards = jax.random.normal(jax.random.key(0), (4, 6))
    expected = [[sum(discount ** (s - t) * row[s] for s in range(t, 6)) for t in range(6)] for row in rewards]
    found = discounted_returns(rewards, discount)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    filtered = scipy.signal.lfilter([1.0], [1.0, -discount], np.asarray(rewards)[:, ::-1])[:, ::-1]
    np.testing.assert_allclose(found, filtered, rtol=1e-5, atol=1e-6)


def test_returns_of_prefixes_are_compared_with_the_moving_average():
    estimator = per_prefix(discount=0.5, baseline_decay=0.2)
    drawn = rollout(jnp.zeros((2, 3), jnp.int32), jnp.array([[1.0, 2.0, 4.0], [0.0, 0.0, 8.0]]))
    advantages, baseline = estimator.advantages(KEY, 0, jnp.asarray(10.0), drawn)
    np.testing.assert_allclose(advantages, [[-7.0, -6.0, -6.0], [-8.0, -6.0, -2.0]])
    np.testing.assert_allclose(baseline, 0.2 * 10 + 0.8 * 25 / 6, rtol=1e-6)
    assert estimator.init() == 0


def test_symbols_are_rewarded_by_changes():
    drawn = rollout(jnp.zeros((2, 3), jnp.int32), jnp.array([[1.0, 2.0, 4.0], [0.0, 0.0, 8.0]]))
    estimator = per_symbol(discount=0.5)
    advantages, baseline = estimator.advantages(KEY, 0, estimator.init(), drawn)
    np.testing.assert_allclose(advantages, [[2.0, 2.0, 2.0], [2.0, 4.0, 8.0]])
    assert baseline == estimator.init() == ()


def test_a_symbol_with_discount_1_has_the_last_reward_less_the_one_before_it():
    rewards = jax.random.normal(jax.random.key(0), (4, 6))
    drawn = rollout(jnp.zeros((4, 6), jnp.int32), rewards)
    advantages, _ = per_symbol(discount=optax.linear_schedule(0.0, 1.0, 3)).advantages(KEY, 3, (), drawn)
    before = np.pad(np.asarray(rewards), ((0, 0), (1, 0)))[:, :-1]
    np.testing.assert_allclose(advantages, np.asarray(rewards)[:, -1:] - before, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("discount", [0.0, 1.0])
def test_symbols_rewarded_by_changes_have_the_documented_gradient(discount):
    """With discount 1 it is that of the last reward's mean, with discount 0 that of each reward's, given the prefix."""
    values = jax.random.normal(jax.random.key(1), (T, K, K, K))
    rewards = jnp.stack(
        [values[t][tuple(jnp.where(i <= t, EVERY[:, i], 0) for i in range(T))] for t in range(T)], axis=1
    )
    probs_E = jnp.exp(token_log_probs(CHAIN, EVERY).sum(axis=1))
    advantages, _ = per_symbol(discount=discount).advantages(KEY, 0, (), rollout(EVERY, rewards))

    def weighted(chain):
        return jnp.sum(probs_E * jnp.sum(advantages * token_log_probs(chain, EVERY), axis=1))

    def expected(chain):
        log_probs = token_log_probs(chain, EVERY)
        if discount == 1:
            return jnp.sum(jnp.exp(log_probs.sum(axis=1)) * rewards[:, -1])
        # Prefixes are those of the fixed chain, and only the choice of each symbol is differentiated.
        fixed = token_log_probs(CHAIN, EVERY)
        return jnp.sum(jnp.exp(fixed.sum(axis=1))[:, None] * jnp.exp(log_probs - fixed) * rewards)

    np.testing.assert_allclose(jax.grad(weighted)(CHAIN), jax.grad(expected)(CHAIN), rtol=1e-4, atol=1e-5)


def test_schedules_are_evaluated_at_the_step():
    drawn = rollout(jnp.zeros((2, 3), jnp.int32), jnp.array([[1.0, 2.0, 4.0], [0.0, 0.0, 8.0]]))
    scheduled = per_prefix(
        discount=optax.linear_schedule(0.0, 1.0, 4), baseline_decay=optax.linear_schedule(0.8, 0.0, 4)
    )
    old = jnp.asarray(10.0)
    for step, discount, decay in ((0, 0.0, 0.8), (1, 0.25, 0.6), (4, 1.0, 0.0)):
        found = jax.jit(lambda step: scheduled.advantages(KEY, step, old, drawn))(jnp.asarray(step, jnp.int32))
        constant = per_prefix(discount=discount, baseline_decay=decay)
        for one, other in zip(found, constant.advantages(KEY, step, old, drawn), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5)


def test_settings_can_be_vmapped():
    drawn = rollout(jnp.zeros((2, 3), jnp.int32), jnp.array([[1.0, 2.0, 4.0], [0.0, 0.0, 8.0]]))
    old = jnp.asarray(10.0)

    def run(discount, decay):
        return per_prefix(discount=discount, baseline_decay=decay).advantages(KEY, 0, old, drawn)

    settings = (jnp.array([0.0, 0.5, 1.0]), jnp.array([0.9, 0.0, 0.3]))
    vmapped = jax.vmap(run)(*settings)
    for index in range(3):
        one = run(*(float(setting[index]) for setting in settings))
        np.testing.assert_allclose(vmapped[0][index], one[0], rtol=1e-6)
        np.testing.assert_allclose(vmapped[1][index], one[1], rtol=1e-6)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize("x64", [False, True])
def test_the_baseline_keeps_its_dtype_in_a_scan(dtype, x64):
    with jax.enable_x64(x64):
        estimator = per_prefix(discount=np.float64(0.5), baseline_decay=optax.constant_schedule(np.float64(0.5)))
        drawn = rollout(jnp.zeros((2, 3), jnp.int32), jnp.ones((2, 3), dtype))

        def body(baseline, step):
            advantages, baseline = estimator.advantages(KEY, step, baseline, drawn)
            return baseline, advantages

        baseline, advantages = jax.lax.scan(body, estimator.init(), jnp.arange(3, dtype=jnp.int32))
    assert baseline.dtype == jnp.float32
    assert advantages.dtype == dtype
    # The mean return is (1.75 + 1.5 + 1) / 3. After three steps from 0, the moving average is 7 / 8 of it.
    np.testing.assert_allclose(baseline, 7 / 8 * 4.25 / 3, rtol=1e-2)


def test_values_of_prefixes_by_enumeration():
    table = jax.random.normal(jax.random.key(1), (len(EVERY),))
    num_roll_outs = 4_000
    drawn = rollout(EVERY, table, table)
    values = jax.jit(lambda key: prefix_values(key, drawn, num_roll_outs))(jax.random.key(2))
    probs = np.exp(token_log_probs(CHAIN, EVERY).sum(axis=1)).astype(float)
    np.testing.assert_allclose(probs.sum(), 1, rtol=1e-5)
    np.testing.assert_array_equal(values[:, -1], table)
    for t in range(1, T + 1):
        same = (np.asarray(EVERY)[:, None, :t] == np.asarray(EVERY)[None, :, :t]).all(axis=2)
        distribution = same * probs / (same * probs).sum(axis=1, keepdims=True)
        mean = distribution @ table
        deviation = np.sqrt(distribution @ np.square(table) - np.square(mean) + 1e-9)
        np.testing.assert_array_less(np.abs(values[:, t - 1] - mean), 5 * deviation / np.sqrt(num_roll_outs) + 1e-5)


def test_a_roll_out_has_the_key_of_its_prefix_and_number():
    table = jax.random.normal(jax.random.key(1), (len(EVERY),))
    values = jax.jit(lambda key: prefix_values(key, rollout(EVERY, table, table), 4))(jax.random.key(2))
    keys = jax.random.split(jax.random.key(2), (T - 1, 4))
    reward = jax.jit(lambda key, num_given: table[complete(key, EVERY, num_given) @ PLACES])
    for t in range(1, T):
        rewards = [reward(keys[t - 1, index], t) for index in range(4)]
        np.testing.assert_allclose(values[:, t - 1], np.mean(rewards, axis=0), rtol=1e-5, atol=1e-6)


def test_monte_carlo_compares_prefixes_of_one_length():
    estimator = monte_carlo(num_roll_outs=2)
    table = jax.random.normal(jax.random.key(1), (len(EVERY),))
    advantages, baseline = jax.jit(
        lambda key: estimator.advantages(key, 0, estimator.init(), rollout(EVERY, table, table))
    )(jax.random.key(2))
    assert advantages.shape == EVERY.shape
    np.testing.assert_allclose(advantages.sum(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(advantages[:, -1], (table - table.mean()) * 27 / 26, rtol=1e-4, atol=1e-5)
    assert baseline == ()


def test_a_sequence_of_one_symbol_has_no_prefix_to_complete():
    rewards = jnp.array([1.0, 2.0, 6.0])
    drawn = Rollout(jnp.zeros((3, 1), jnp.int32), rewards, lambda tokens: rewards, lambda key, tokens, num: tokens)
    advantages, _ = monte_carlo(num_roll_outs=2).advantages(jax.random.key(2), 0, (), drawn)
    np.testing.assert_allclose(advantages, [[-3.0], [-1.5], [4.5]])


@pytest.mark.parametrize(
    ("estimator", "of_prefixes"),
    [
        (reinforce(), False),
        (monte_carlo(num_roll_outs=2), False),
        (per_prefix(discount=1.0, baseline_decay=0.5), True),
    ],
    ids=["reinforce", "monte_carlo", "per_prefix"],
)
def test_the_policy_gradient_is_the_exact_one_by_enumeration(estimator, of_prefixes):
    table = jax.random.normal(jax.random.key(1), (len(EVERY),))
    if of_prefixes:
        # The reward of a prefix is that of the first sequence that begins with it. With discount 1, the policy gradient
        # ascends the expected sum of the rewards of all prefixes.
        table = jnp.stack([table[0::9].repeat(9), table[0::3].repeat(3), table], axis=1)
    assert estimator.of_prefixes == of_prefixes

    def expected_reward(chain):
        probs = jnp.exp(token_log_probs(chain, EVERY).sum(axis=1))
        return probs @ table.reshape(len(EVERY), -1).sum(axis=1)

    def estimate(key):
        sample_key, advantage_key = jax.random.split(key)
        tokens = complete(sample_key, jnp.zeros((4, T), jnp.int32), 0)
        drawn = rollout(tokens, table[tokens @ PLACES], table)
        # The baseline of earlier steps. The gradient is unbiased for any value.
        baseline = jax.tree.map(lambda leaf: leaf + 0.3, estimator.init())
        advantages, _ = estimator.advantages(advantage_key, 0, baseline, drawn)
        return jax.grad(lambda chain: jnp.sum(advantages * token_log_probs(chain, tokens)) / 4)(CHAIN)

    num = 4_000
    estimates = jax.jit(jax.vmap(estimate))(jax.random.split(jax.random.key(3), num))
    exact = jax.grad(expected_reward)(CHAIN)
    error = np.std(estimates, axis=0) / num**0.5
    np.testing.assert_array_less(np.abs(estimates.mean(axis=0) - exact), 5 * error + 1e-6)
    assert jnp.abs(exact).max() > 10 * error.max()


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match=r"discount must be a finite number in \[0, 1\], got 1.1"):
        per_prefix(discount=1.1, baseline_decay=0.08)
    with pytest.raises(ValueError, match=r"baseline_decay must be a finite number in \[0, 1\), got 1.0"):
        per_prefix(discount=0.23, baseline_decay=1.0)
    with pytest.raises(TypeError, match="discount must be a finite number"):
        per_prefix(discount="0.23", baseline_decay=0.08)
    with pytest.raises(TypeError, match="baseline_decay must be a finite number"):
        per_prefix(discount=0.23, baseline_decay=None)
    with pytest.raises(ValueError, match=r"discount must be .* in \[0, 1\], got -0.1"):
        per_symbol(discount=-0.1)
    for build in (monte_carlo, lambda num_roll_outs: prefix_values(KEY, rollout(EVERY, jnp.ones(27)), num_roll_outs)):
        with pytest.raises(ValueError, match="num_roll_outs must be at least 1, got 0"):
            build(num_roll_outs=0)
        with pytest.raises(TypeError, match=r"num_roll_outs must be an integer, got 2.0"):
            build(num_roll_outs=2.0)


@pytest.mark.parametrize("estimator", [reinforce(), monte_carlo(num_roll_outs=2)], ids=["reinforce", "monte_carlo"])
def test_a_single_sequence_cannot_be_compared(estimator):
    with pytest.raises(ValueError, match=r"a batch, or each data shard of it, must hold at least 2 sequences.*; got 1"):
        estimator.advantages(KEY, 0, (), rollout(EVERY[:1], jnp.ones(1)))


@pytest.mark.parametrize(
    "estimator",
    [reinforce(), monte_carlo(num_roll_outs=2), per_prefix(discount=0.5, baseline_decay=0.5), per_symbol(discount=0.5)],
    ids=["reinforce", "monte_carlo", "per_prefix", "per_symbol"],
)
def test_bad_roll_outs_are_named(estimator):
    rewards = jnp.ones(EVERY.shape if estimator.of_prefixes else len(EVERY))

    def run(tokens, rewards):
        return estimator.advantages(KEY, 0, estimator.init(), rollout(tokens, rewards))

    with pytest.raises(TypeError, match="tokens must be an array of integers, got float32"):
        run(EVERY.astype(jnp.float32), rewards)
    with pytest.raises(TypeError, match="tokens must be an array of integers, got list"):
        run(EVERY.tolist(), rewards)
    with pytest.raises(ValueError, match=r"tokens must be \[N, T\] and not empty, got shape \(27,\)"):
        run(EVERY[:, 0], rewards)
    with pytest.raises(ValueError, match=r"tokens must be \[N, T\] and not empty, got shape \(27, 0\)"):
        run(EVERY[:, :0], rewards)
    with pytest.raises(TypeError, match="rewards must be floating, got int32"):
        run(EVERY, rewards.astype(jnp.int32))
    for wrong in (rewards[None], rewards[1:], rewards[..., None]):
        with pytest.raises(ValueError, match=r"rewards must be those of .*, of shape \(27,"):
            run(EVERY, wrong)


def test_functions_that_return_wrong_shapes_are_named():
    rewards = jnp.ones(len(EVERY))
    wrong_tokens = Rollout(EVERY, rewards, lambda tokens: rewards, lambda key, tokens, num_given: tokens[:, 1:])
    wrong_rewards = Rollout(EVERY, rewards, lambda tokens: rewards[:, None], lambda key, tokens, num_given: tokens)
    with pytest.raises(ValueError, match=r"complete must return tokens of shape \(27, 3\), got shape \(27, 2\)"):
        prefix_values(jax.random.key(0), wrong_tokens, 2)
    with pytest.raises(ValueError, match=r"reward_fn must return rewards of shape \(27,\), got shape \(27, 1\)"):
        prefix_values(jax.random.key(0), wrong_rewards, 2)


def test_returns_of_bad_rewards_are_named():
    with pytest.raises(ValueError, match=r"rewards must be \[N, T\] and not empty, got shape \(3,\)"):
        discounted_returns(jnp.ones(3), 0.5)
    with pytest.raises(TypeError, match="rewards must be an array, got list"):
        discounted_returns([[1.0]], 0.5)
