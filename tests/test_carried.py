"""The likelihood of a long text that is read window by window, with a carried state."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gumbel_gan as gg
from gumbel_gan import carried, networks
from gumbel_gan.model import token_log_probs

NUM_SYMBOLS, LENGTH = 3, 2
MODEL = gg.sequence_model(gg.gru_generator(NUM_SYMBOLS, 4), length=LENGTH)
PARAMS = jax.tree.map(lambda leaf: 3 * leaf, MODEL.init(jax.random.key(0)))


def text_of(num):
    return np.random.default_rng(0).integers(0, NUM_SYMBOLS, (num, LENGTH)).astype(np.uint8)


@jax.jit
def of_one_pass(text):
    """Returns negative log-likelihoods `[W]` of windows `[W, T]` given the windows before, from one pass over all."""
    log_probs = token_log_probs(MODEL, PARAMS, text.reshape(1, -1), {})
    return -jnp.sum(log_probs.reshape(text.shape), axis=1)


def test_carried_likelihoods_are_those_of_one_long_pass():
    text = text_of(3)
    found = jax.jit(carried.negative_log_likelihoods(MODEL, text))(PARAMS)
    np.testing.assert_allclose(found, of_one_pass(text), rtol=1e-4, atol=1e-5)


def test_many_windows_are_read_in_rows_and_all_of_them_are_measured():
    # The windows are read in three rows: two of 17 windows and one of 16.
    text = text_of(50)
    found = jax.jit(carried.negative_log_likelihoods(MODEL, gg.Batch(text)))(PARAMS)
    assert found.shape == (50,)
    rows = [of_one_pass(row) for row in np.concatenate([text, text[:1]]).reshape(3, 17, LENGTH)]
    np.testing.assert_allclose(found, np.concatenate(rows)[:50], rtol=1e-4, atol=1e-5)


def test_bad_data_is_named():
    with pytest.raises(ValueError, match="condition must be None where a state is carried, got one"):
        carried.negative_log_likelihoods(MODEL, gg.Batch(text_of(3), condition=np.zeros(3)))
    with pytest.raises(ValueError, match=r"tokens must be \[N, 2\], got shape \(3, 1\)"):
        carried.negative_log_likelihoods(MODEL, text_of(3)[:, :1])
    position = carried.beginning(MODEL, PARAMS, 3)
    with pytest.raises(ValueError, match=r"tokens must be in \[0, 3\), got 3 to 3"):
        carried.read(MODEL, PARAMS, position, np.full((3, 1), 3))
    with pytest.raises(TypeError, match="model must be a SequenceModel, got a Generator"):
        carried.require_carried(MODEL.generator)


def test_a_state_that_needs_a_condition_is_not_carried():
    generator = gg.lstm_generator(3, 2, condition=networks.Labels(2))
    assert not carried.is_carried(gg.sequence_model(generator, length=2))
