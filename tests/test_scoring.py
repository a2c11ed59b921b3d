"""Scores of strings on the host: failing calls, the cache, the workers, and the reward in a compiled step."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gumbel_gan as gg
from gumbel_gan import training
from gumbel_gan.metrics import molecules
from gumbel_gan.networks import lstm_discriminator, lstm_generator
from gumbel_gan.scoring.host_reward import _numbers
from tests import troublesome

TROUBLE = {
    "raise": "KeyError: 'no such\\nstring'",
    "nan": "nan was returned",
    "inf": "inf was returned",
    "text": "ValueError: could not convert string to float: '?'",
    "hang": "no answer in 0.3 s",
    "die": "the process ended",
}


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_string_that_makes_trouble_has_the_worst_score_and_is_named(num_workers):
    trouble = {name: why for name, why in TROUBLE.items() if num_workers or name not in ("hang", "die")}
    scorer = gg.Scorer(troublesome.score, worst=-7.0, num_workers=num_workers, timeout_seconds=0.3)
    scorer.start()
    strings = ["abc", *trouble, "ab", "abc", "a"]
    np.testing.assert_array_equal(scorer(strings), [3.0, *[-7.0] * len(trouble), 2.0, 3.0, 1.0])
    assert {each: score.problem for each, score in scorer.scores.items() if score.problem} == trouble
    # After the failures, the scorer returns the known score of a string and scores a new one.
    np.testing.assert_array_equal(scorer(["hang" if num_workers else "nan", "abcd"]), [-7.0, 4.0])
    scorer.close()


def test_a_score_that_float32_cannot_hold_is_not_finite():
    scorer = gg.Scorer(lambda string: 1e39 if string == "b" else 1.0, worst=-7.0, num_workers=0)
    np.testing.assert_array_equal(scorer(["a", "b"]), [1.0, -7.0])
    assert scorer.scores["b"].problem == "1e+39 was returned"
    with pytest.raises(ValueError, match="function must return finite numbers, got inf"):
        _numbers([1.0, 1e39], 2)


def test_each_distinct_valid_string_is_one_call():
    calls = []

    def function(string):
        calls.append(string)
        return len(string)

    scorer = gg.Scorer(function, worst=-1, is_valid=lambda string: "x" not in string, num_workers=0)
    scorer.record("old", gg.Score(9.0))
    for _ in range(2):
        np.testing.assert_array_equal(scorer(["b", "ab", "x", "b", "old"]), [1, 2, -1, 1, 9])
    assert calls == ["b", "ab"]
    assert list(scorer.scores) == ["old", "b", "ab"]


def test_a_function_that_workers_can_t_import_is_named():
    for function, message in (
        (lambda string: 0.0, "function must be of a module, or its name"),
        ("nowhere", "function must be of a module, or its name"),
        ("tests.troublesome:nothing", "AttributeError: module 'tests.troublesome' has no attribute 'nothing'"),
        ("no_such_module:score", "ModuleNotFoundError: No module named 'no_such_module'"),
    ):
        with pytest.raises(ValueError, match=message):
            gg.Scorer(function).start()
    with pytest.raises(ValueError, match="function must name a function of a module, got 'math:pi', which is a float"):
        gg.Scorer("math:pi", num_workers=0)(["a"])
    with pytest.raises(TypeError, match="function must be callable or a text"):
        gg.Scorer(3)


def test_a_host_reward_is_that_of_each_string_under_jit_scan_and_vmap():
    asked = []

    def function(strings, tag):
        asked.append((tuple(strings), tag))
        return [10 * tag + len(each) for each in strings]

    def decode(tokens):
        return ["".join("ab"[token] for token in row) for row in tokens]

    def both(tokens, tag):
        reward = gg.host_reward(function, decode, tag=tag)
        return jax.lax.scan(lambda carry, _: (carry + 1, reward((tokens + carry) % 2)), 0, length=2)[1]

    tokens = jnp.array([[[0, 1], [1, 1], [0, 0]], [[1, 0], [0, 0], [0, 1]]])
    found = jax.jit(jax.vmap(both))(tokens, jnp.arange(2))
    np.testing.assert_array_equal(found, [np.full((2, 3), 2.0), np.full((2, 3), 12.0)])
    assert set(asked) == {
        (("ab", "bb", "aa"), 0),
        (("ba", "aa", "bb"), 0),
        (("ba", "aa", "ab"), 1),
        (("ab", "bb", "ba"), 1),
    }
    tokens = tokens[0]
    found = jax.vmap(lambda tag: gg.host_reward(function, decode, tag=tag)(tokens))(jnp.arange(3))
    np.testing.assert_array_equal(found, [np.full(3, 10.0 * tag + 2) for tag in range(3)])
    with pytest.raises(TypeError, match="tokens must be integers, got float32"):
        gg.host_reward(len, decode)(jnp.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"tokens must be \[N, T\]"):
        gg.host_reward(len, decode)(jnp.zeros(2, jnp.int32))


K, T, N = 3, 2, 32


def policy(**settings):
    model = gg.sequence_model(lstm_generator(K, 4), length=T)
    return gg.policy_gradient(
        model,
        lstm_discriminator(K, 4),
        generator_optimizer=optax.sgd(1.0),
        discriminator_optimizer=optax.sgd(0.0),
        **({"reward": gg.tanh_half_logit, "advantages": gg.reinforce()} | settings),
    )


def share_of_symbol_2(tokens):
    """Returns the share of symbol 2 in each sequence."""
    return jnp.mean(tokens == 2, axis=1)


def test_the_reward_is_the_mix_by_the_schedule():
    """The adversarial reward is 0 at probability 0.5, so that the loss is minus the property times its weight."""
    algorithm = policy(property_reward=share_of_symbol_2, adversarial_weight=lambda step: 0.75 - 0.5 * step)
    plain = policy(reward=lambda logits: 0 * logits)
    state = algorithm.init(jax.random.key(0))
    adversarial = state.adversarial._replace(
        discriminator_params=jax.tree.map(jnp.zeros_like, state.adversarial.discriminator_params)
    )
    batch = gg.Batch(jnp.zeros((N, T), jnp.int32))
    step = jax.jit(algorithm.step)
    for number, share in ((0, 0.25), (1, 0.75)):
        at = state._replace(adversarial=adversarial._replace(step=jnp.int32(number)))
        moved, metrics = step(jax.random.key(1), at, batch)
        assert 0 < metrics["property"] < 1
        np.testing.assert_allclose(metrics["generator_loss"], -share * metrics["property"], rtol=1e-5)
    # The update is linear in the rewards: proportional to the weight of the property, and zero without a reward.
    still, _ = jax.jit(plain.step)(jax.random.key(1), at, batch)
    whole, _ = jax.jit(policy(property_reward=share_of_symbol_2, adversarial_weight=0.0).step)(
        jax.random.key(1), at, batch
    )
    for before, none, mixed, all_of_it in zip(
        *(jax.tree.leaves(each.adversarial.generator_params) for each in (at, still, moved, whole)),
        strict=True,
    ):
        np.testing.assert_allclose(none, before, atol=1e-7)
        np.testing.assert_allclose(mixed - before, 0.75 * (all_of_it - before), rtol=1e-3, atol=1e-6)


@pytest.mark.slow
def test_a_property_on_the_host_raises_the_share_of_what_it_rewards():
    def decode(tokens):
        return ["".join(map(str, row)) for row in tokens]

    scorer = gg.Scorer(lambda string: string.count("2") / T, num_workers=0)
    algorithm = policy(property_reward=gg.host_reward(scorer, decode), adversarial_weight=0.0)
    keys = training.seeds_axis([0, 1])
    state = jax.vmap(algorithm.init)(keys.init)
    data = jnp.zeros((N, T), jnp.int32)

    def train(key, state):
        return training.train(algorithm, key, state, data, batch_size=N, num_steps=40)

    _, metrics = jax.jit(jax.vmap(train))(keys.train, state)
    assert (metrics["property"][:, -1] > 0.9).all()
    assert (metrics["property"][:, 0] < 0.6).all()
    assert 1 < len(scorer.scores) <= K**T


def test_bad_settings_of_the_mix_are_named():
    with pytest.raises(ValueError, match=r"adversarial_weight must be 1 without a property_reward, got 0\.5"):
        policy(adversarial_weight=0.5)
    with pytest.raises(ValueError, match="adversarial_weight must be"):
        policy(adversarial_weight=1.5, property_reward=share_of_symbol_2)
    with pytest.raises(TypeError, match="property_reward must be"):
        policy(property_reward=3, adversarial_weight=0.5)
    with pytest.raises(ValueError, match="property_reward must be None with advantages of prefixes"):
        gg.policy_gradient(
            gg.sequence_model(lstm_generator(K, 4), length=T),
            gg.lstm_prefix_discriminator(K, 4),
            generator_optimizer=optax.sgd(1.0),
            discriminator_optimizer=optax.sgd(0.0),
            reward=gg.logit,
            advantages=gg.per_prefix(discount=0.5, baseline_decay=0.5),
            property_reward=share_of_symbol_2,
        )


def test_properties_of_molecules():
    # Aspirin has a QED of 0.550 according to RDKit's documentation.
    assert molecules.qed("CC(=O)Oc1ccccc1C(=O)O") == pytest.approx(0.550, abs=1e-3)
    small, large = "C1CCCCC1", "C1CCCCCCCC1"
    values = {smiles: molecules.penalized_log_p(smiles) for smiles in (small, large)}
    # logP is 2.3406, SA is 1, and no ring has more than six atoms. The constants are from the paper's code.
    assert values[small] == pytest.approx((2.3406 - 2.45709) / 1.43432 + (3.05258 - 1.0) / 0.83352 + 0.16981, abs=0.01)
    assert values[large] < values[small] - 5
    with pytest.raises(ValueError, match="smiles must be a valid molecule, got 'C1'"):
        molecules.qed("C1")
