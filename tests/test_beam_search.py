"""Beam search against exhaustive enumeration."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gumbel_gan as gg
from tests.own_decoder import decoder
from tests.parameters import random_params
from tests.slow import slow

K, T = 3, 3
SPEC = gg.Sequences(4, padding=0)
SOURCES = jnp.array([[1, 2, 0], [3, 0, 0]])
ALL = np.array(list(itertools.product(range(K), repeat=T)), np.int32)


def models():
    plain = {"length": T}
    padded = {"length": T, "padding": 0, "padding_ends": True, "allow_empty": False}
    return {
        "attention": (gg.gru_generator(K, 4, num_layers=2, condition=SPEC), padded, SOURCES),
        "transformer": (gg.transformer_generator(K, 4, num_layers=1, condition=SPEC), padded, SOURCES),
        "own cache": (decoder(K, 4, T), plain, None),
        "one pass": (gg.one_pass_generator(K, T, 4, num_layers=1, num_heads=1, latent_size=0), padded, None),
    }


@pytest.mark.parametrize("name", slow(models(), "transformer"))
def test_a_wide_beam_lists_all_sequences_in_their_order(name):
    generator, rules, condition = models()[name]
    model = gg.sequence_model(generator, **rules)
    params = random_params(model.init)
    search = jax.jit(lambda params: gg.beam_search(model, params, 2, beam_size=len(ALL), condition=condition))
    found = search(params)
    assert found.tokens.shape == (2, len(ALL), T)
    assert found.tokens.dtype == jnp.int32
    log_prob = jax.jit(model.log_prob)
    for number in range(2):
        each = None if condition is None else jnp.repeat(condition[number : number + 1], len(ALL), axis=0)
        exact = np.asarray(log_prob(params, ALL, condition=each))
        order = np.argsort(-exact)
        num = np.sum(exact > -1e8)
        np.testing.assert_allclose(found.log_probs[number][:num], exact[order][:num], rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(found.tokens[number][:num], ALL[order][:num])
        assert not np.isfinite(found.log_probs[number][num:]).any()


def test_a_beam_of_one_is_greedy():
    model = gg.sequence_model(gg.gru_generator(K, 4, condition=SPEC), length=T, padding=0, padding_ends=True)
    params = random_params(model.init)
    found = gg.beam_search(model, params, 2, beam_size=1, condition=SOURCES)
    cold = model.sample(jax.random.key(0), params, 2, temperature=1e-4, condition=SOURCES)
    np.testing.assert_array_equal(found.tokens[:, 0], cold)


def test_a_latent_needs_a_key_and_is_shared_by_a_beam():
    generator = gg.gru_generator(K, 4, latent="hidden")
    model = gg.sequence_model(generator, length=2)
    params = random_params(model.init)
    with pytest.raises(ValueError, match="key must be given for a generator with a latent, got None"):
        gg.beam_search(model, params, 2, beam_size=2)
    found = gg.beam_search(model, params, 2, beam_size=K**2, key=jax.random.key(3))
    np.testing.assert_allclose(np.exp(found.log_probs).sum(axis=1), 1.0, rtol=1e-5)


def test_a_carry_without_an_axis_of_sequences_is_named():
    generator = gg.gru_generator(K, 4)

    def initial_carry(params, batch_size, length, **given):
        return generator.initial_carry(params, 2 * batch_size, length, **given)

    model = gg.sequence_model(generator._replace(initial_carry=initial_carry), length=2)
    with pytest.raises(ValueError, match="at most one axis of sequences in each array"):
        gg.beam_search(model, random_params(generator.init), 2, beam_size=2)


@pytest.mark.parametrize(
    ("error", "change", "message"),
    [
        (TypeError, {"model": 3}, "model must be a SequenceModel"),
        (ValueError, {"num": -1}, "num must be at least 0, got -1"),
        (ValueError, {"beam_size": 0}, "beam_size must be at least 1, got 0"),
        (ValueError, {"condition": SOURCES[:1]}, "condition must have a leading axis of 2"),
    ],
)
def test_bad_arguments_are_named(error, change, message):
    model = gg.sequence_model(gg.gru_generator(K, 2, condition=SPEC), length=T)
    given = {"model": model, "params": {}, "num": 2, "beam_size": 2, "condition": SOURCES} | change
    with pytest.raises(error, match=message):
        gg.beam_search(given.pop("model"), given.pop("params"), given.pop("num"), **given)
