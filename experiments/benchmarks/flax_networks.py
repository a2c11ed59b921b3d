"""The paper's networks as they are quickest to write: of Flax's own LSTM cell."""

from typing import Any, cast

import flax.linen as nn
import jax
import jax.numpy as jnp

from experiments.benchmarks.timing import Sizes
from gumbel_gan.networks import (
    Behavior,
    Carry,
    Discriminator,
    Generator,
    Params,
    lstm_discriminator,
    lstm_generator,
)


class _Step(nn.Module):
    num_symbols: int
    hidden_size: int

    @nn.compact
    def __call__(self, carry: Any, x: jax.Array) -> tuple[Any, jax.Array]:
        carry, h = cast(Any, nn.OptimizedLSTMCell(self.hidden_size))(carry, x)
        return carry, nn.Dense(self.num_symbols)(h)


class _Reader(nn.Module):
    hidden_size: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        h: Any = nn.RNN(nn.OptimizedLSTMCell(self.hidden_size))(x)
        return nn.Dense(1)(h[:, -1])[:, 0]


def make(sizes: Sizes) -> tuple[Generator, Discriminator]:
    """Makes the paper's networks of this library, with Flax's cell in the place of its own."""
    generator = lstm_generator(sizes.num_symbols, sizes.hidden_size, latent="hidden_and_cell")
    discriminator = lstm_discriminator(sizes.num_symbols, sizes.hidden_size, pooling="last")
    step: Any = _Step(sizes.num_symbols, sizes.hidden_size)
    reader: Any = _Reader(sizes.hidden_size)

    def init(key: jax.Array) -> Params:
        carry_key, params_key = jax.random.split(key)
        return step.init(params_key, generator.initial_carry(carry_key, 1), jnp.zeros((1, sizes.num_symbols + 1)))

    def observed_step(params: Params, carry: Carry, x: jax.Array) -> tuple[Carry, Behavior]:
        carry, logits = step.apply(params, carry, x)
        return carry, Behavior(carry[0], logits)

    return (
        generator._replace(init=init, step=step.apply, observed_step=observed_step),
        discriminator._replace(
            init=lambda key: reader.init(key, jnp.zeros((1, 1, sizes.num_symbols))), logits=reader.apply
        ),
    )
