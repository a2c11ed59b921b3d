"""Recurrent networks that attend to a sequence."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gumbel_gan as gg
from tests.slow import slow

K, H, SPEC = 4, 5, gg.Sequences(6, padding=0)
SOURCES = jnp.array([[1, 2, 3, 0], [4, 0, 0, 0], [5, 1, 5, 2]])
TOKENS = jnp.array([[1, 2, 0], [3, 3, 1], [2, 0, 0]])


@pytest.fixture(scope="module", params=slow(["lstm", "gru", "two layers"], "gru", "two layers"))
def generator(request):
    if request.param == "two layers":
        return gg.lstm_generator(K, H, num_layers=2, embedding_size=3, condition=SPEC)
    return {"lstm": gg.lstm_generator, "gru": gg.gru_generator}[request.param](K, H, condition=SPEC)


def test_steps_are_teacher_forcing_and_padding_of_the_source_changes_nothing(generator):
    @jax.jit
    def compute(params, sources):
        carry = generator.initial_carry(params, 3, 3, condition=sources)
        relaxed_carry, previous, both = carry, jnp.full(3, K), []
        for time in range(3):
            carry, logits = generator.token_step(params, carry, previous)
            relaxed_carry, relaxed = generator.step(params, relaxed_carry, jax.nn.one_hot(previous, K + 1))
            both.append((logits, relaxed))
            previous = TOKENS[:, time]
        return [jnp.stack(each, axis=1) for each in zip(*both, strict=True)], generator.hidden_states(
            params, TOKENS, condition=sources
        )

    params = jax.jit(generator.init)(jax.random.key(0))
    (by_token, by_relaxed), (hidden, logits) = compute(params, SOURCES)
    np.testing.assert_allclose(by_token, logits, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(by_relaxed, logits, rtol=1e-5, atol=1e-6)
    assert hidden.shape == (3, 3, H)
    longer = jnp.pad(SOURCES, ((0, 0), (0, 2)))
    np.testing.assert_allclose(compute(params, longer)[1][1], logits, rtol=1e-5, atol=1e-6)
    for column, token in ((0, 2), (1, 4), (3, 1)):
        # The third source has no padding, so that each of its symbols affects the logits.
        changed = compute(params, SOURCES.at[2, column].set(token))[1][1]
        np.testing.assert_allclose(changed[:2], logits[:2], rtol=1e-5, atol=1e-6)
        assert not np.allclose(changed[2], logits[2], atol=1e-4)


@pytest.mark.parametrize(
    ("spec", "sources"),
    [(gg.Sequences(6), SOURCES), (SPEC, jnp.zeros_like(SOURCES))],
    ids=["no padding", "all padding"],
)
def test_an_empty_source_and_one_without_padding_have_logits(spec, sources):
    generator = gg.lstm_generator(K, H, condition=spec)
    logits = jax.jit(lambda key: generator.logits(generator.init(key), TOKENS, condition=sources))
    assert np.isfinite(logits(jax.random.key(0))).all()


@pytest.mark.parametrize(
    ("discriminator", "conditions"),
    [
        (gg.lstm_discriminator(K, H, condition=SPEC), SOURCES),
        (gg.gru_discriminator(K, H, bidirectional=True, num_layers=2, pooling="last", condition=SPEC), SOURCES),
        (gg.lstm_prefix_discriminator(K, H, condition=SPEC), SOURCES),
        (gg.behavior_discriminator(K, H, num_layers=1, condition=SPEC), SOURCES),
        (gg.behavior_discriminator(K, H, num_layers=1, condition=gg.Labels(6)), SOURCES[:, 0]),
    ],
    ids=["lstm", "bidirectional", "prefixes", "behavior", "behavior of labels"],
)
def test_discriminators_read_both_sides(discriminator, conditions):
    params, x = jax.jit(discriminator.init)(jax.random.key(1)), jax.nn.one_hot(TOKENS, K)
    logits_of = jax.jit(lambda x, conditions: discriminator.logits(params, x, condition=conditions))
    logits = logits_of(x, conditions)
    assert logits.shape[0] == 3
    assert not np.allclose(logits_of(x, conditions[::-1]), logits, atol=1e-5)
    assert not np.allclose(logits_of(x[::-1], conditions), logits, atol=1e-5)


OPTIMIZERS = {"generator_optimizer": optax.adam(0.01), "discriminator_optimizer": optax.adam(0.01)}


def algorithms():
    recurrent = gg.sequence_model(gg.gru_generator(K, H, condition=SPEC), length=3, padding=0, padding_ends=True)
    one_pass = gg.one_pass_generator(K, 3, 4, num_layers=1, num_heads=1, latent_size=2, condition=SPEC)
    one_pass = gg.sequence_model(one_pass, length=3, padding=0, padding_ends=True)
    discriminator = gg.gru_discriminator(K, H, condition=SPEC)
    adversarial = {"objective": gg.log_odds, "estimator": gg.straight_through, "score_weight": 0.5, **OPTIMIZERS}
    yield gg.maximum_likelihood(recurrent, optimizer=optax.adam(0.01), sampling_rate=0.5)
    yield gg.professor_forcing(
        recurrent, gg.behavior_discriminator(K + H, 3, num_layers=1, condition=SPEC), **OPTIMIZERS
    )
    yield gg.policy_gradient(recurrent, discriminator, reward=gg.logit, advantages=gg.reinforce(), **OPTIMIZERS)
    yield gg.relaxed_gan(
        recurrent, discriminator, penalty=gg.GradientPenalty(real_weight=1.0, generated_weight=1.0), **adversarial
    )
    yield gg.relaxed_gan(one_pass, gg.transformer_discriminator(K, 4, num_layers=1, condition=SPEC), **adversarial)


@pytest.mark.slow
@pytest.mark.parametrize("index", range(5), ids=["scheduled", "professor", "policy", "relaxed", "one pass"])
def test_all_algorithms_train_on_pairs(index):
    algorithm = list(algorithms())[index]
    state = jax.jit(algorithm.init)(jax.random.key(0))
    new_state, metrics = jax.jit(algorithm.step)(jax.random.key(1), state, gg.Batch(TOKENS, SOURCES))
    assert all(np.isfinite(value).all() for value in metrics.values())
    assert metrics["generator_gradient_norm"] > 0
    before, after = (algorithm.params(each, averaged=False) for each in (state, new_state))
    names = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(before)]
    moved = jax.tree.leaves(jax.tree.map(lambda a, b: bool(jnp.any(a != b)), before, after))
    assert any("ncoder" in name for name in names)
    assert all(
        has_moved for name, has_moved in zip(names, moved, strict=True) if "ncoder" in name and "bias" not in name
    )
