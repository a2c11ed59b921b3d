"""Test cases for networks and sequence models."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

import gumbel_gan as gg
from tests.properties import strategies as s
from tests.properties.case import Case, arguments, is_a, joined

NUM_SYMBOLS = 3
LENGTH = 2
MODEL = gg.sequence_model(gg.lstm_generator(NUM_SYMBOLS, 2), length=LENGTH)
DISCRIMINATOR = gg.lstm_discriminator(NUM_SYMBOLS, 2)


def check_network(result, given):
    params = jax.eval_shape(result.init, jax.random.key(0))
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(params))


def _network(function, sizes, others=None):
    """Returns the test case of a network.

    `sizes` holds the least value of each size. `others` holds strategies for valid and invalid values of the other
    arguments.
    """
    others = {} if others is None else others
    return Case(
        function,
        arguments(**{name: s.integers(least, least + 1) for name, least in sizes.items()})
        if not others
        else joined(
            arguments(**{name: s.integers(least, least + 1) for name, least in sizes.items()}),
            arguments(**{name: valid for name, (valid, _) in others.items()}),
        ),
        {name: s.integers_below(least) for name, least in sizes.items()}
        | {name: invalid for name, (_, invalid) in others.items()},
        check_network,
        num_examples=8,
    )


_RATE = (st.sampled_from((0, 0.0, 0.5, np.float32(0.25))), s.NOT_SHARES | st.just(1.0))
_CONDITION = (st.sampled_from((None, gg.Labels(2), gg.Vectors(1))), st.sampled_from((2, "labels", (1,), np.ones(2))))
_SIZES = {"num_symbols": 2, "hidden_size": 1, "num_layers": 1}
_HEADS = {"num_symbols": 2, "num_layers": 1, "mlp_ratio": 1}
_WIDTH = (st.sampled_from((2, 4)), s.integers_below(1) | st.just(3))
_NUM_HEADS = (st.just(2), s.integers_below(1) | st.just(3))
CASES = {
    **{
        name: _network(
            getattr(gg, name),
            _SIZES,
            {"dropout_rate": _RATE, "recurrent_dropout_rate": _RATE, "condition": _CONDITION},
        )
        for name in ("recurrent_generator", "lstm_generator")
    },
    **{
        name: _network(getattr(gg, name), _SIZES, {"dropout_rate": _RATE, "condition": _CONDITION})
        for name in (
            "gru_generator",
            "recurrent_discriminator",
            "lstm_discriminator",
            "gru_discriminator",
            "lstm_prefix_discriminator",
            "gru_prefix_discriminator",
        )
    },
    "behavior_discriminator": _network(
        gg.behavior_discriminator, {"num_features": 2, "hidden_size": 1, "num_layers": 0}
    ),
    "convolutional_discriminator": _network(
        gg.convolutional_discriminator,
        {"num_symbols": 2, "width": 1, "num_blocks": 0, "kernel_size": 1},
        {"dropout_rate": _RATE, "condition": _CONDITION},
    ),
    "transformer_generator": _network(
        gg.transformer_generator,
        _HEADS | {"latent_size": 0},
        {"width": _WIDTH, "num_heads": _NUM_HEADS, "dropout_rate": _RATE, "condition": _CONDITION},
    ),
    "one_pass_generator": _network(
        gg.one_pass_generator,
        _HEADS | {"length": 1, "latent_size": 0},
        {
            "width": _WIDTH,
            "num_heads": _NUM_HEADS,
            "dropout_rate": _RATE,
            "condition": _CONDITION,
            "self_conditioning": (st.booleans(), st.sampled_from((None, 1, "yes"))),
        },
    ),
    "convolutional_one_pass_generator": _network(
        gg.convolutional_one_pass_generator,
        {"num_symbols": 2, "length": 1, "width": 1, "num_blocks": 0, "kernel_size": 1, "latent_size": 0},
        {"dropout_rate": _RATE, "condition": _CONDITION},
    ),
    "recurrent_encoder": _network(
        gg.recurrent_encoder,
        {"num_symbols": 2, "hidden_size": 1, "latent_size": 1},
        {"dropout_rate": _RATE, "condition": _CONDITION},
    ),
    "transformer_discriminator": _network(
        gg.transformer_discriminator,
        _HEADS,
        {
            "width": _WIDTH,
            "num_heads": _NUM_HEADS,
            "dropout_rate": _RATE,
            "condition": _CONDITION,
            "pooling": (st.sampled_from(("mean",)), s.not_one_of("mean")),
        },
    ),
    "sequence_model": Case(
        gg.sequence_model,
        arguments(
            generator=st.just(MODEL.generator),
            length=s.integers(1, 4),
            padding=st.none() | s.integers(0, NUM_SYMBOLS - 1),
            num_latent_draws=s.integers(1, 3),
        ),
        {
            "generator": st.sampled_from((None, 3, "lstm", DISCRIMINATOR)),
            "length": s.integers_below(1),
            "padding": s.integers_below(0).filter(lambda padding: padding is not None) | st.just(NUM_SYMBOLS),
            "num_latent_draws": s.integers_below(1),
        },
        is_a(gg.SequenceModel),
    ),
}
