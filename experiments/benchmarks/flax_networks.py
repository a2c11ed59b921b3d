"""The paper's networks as they are quickest to write: of Flax's own LSTM cell."""

from typing import Any, cast

import flax.linen as nn
import jax
import jax.numpy as jnp

from experiments.benchmarks.timing import Sizes
from gumbel_gan.networks import Behavior, Discriminator, Generator, Params


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
    """Makes the generator, whose initial state is noise, and the discriminator, which looks at its last state."""
    num_symbols, hidden_size = sizes.num_symbols, sizes.hidden_size
    step = _Step(num_symbols, hidden_size)
    reader = _Reader(hidden_size)

    def initial_carry(key: jax.Array, batch_size: int) -> Any:
        return tuple(jax.random.normal(each, (batch_size, hidden_size)) for each in jax.random.split(key))

    def init(key: jax.Array) -> Params:
        carry_key, params_key = jax.random.split(key)
        return step.init(params_key, initial_carry(carry_key, 1), jnp.zeros((1, num_symbols + 1)))

    def observed_step(params: Params, carry: Any, x: jax.Array) -> tuple[Any, Behavior]:
        carry, logits = cast(Any, step.apply)(params, carry, x)
        return carry, Behavior(carry[0], logits)

    return (
        Generator(
            init,
            initial_carry,
            cast(Any, step.apply),
            observed_step,
            num_symbols,
            hidden_size,
            has_latent=True,
            padding=None,
        ),
        Discriminator(
            lambda key: reader.init(key, jnp.zeros((1, 1, num_symbols))),
            cast(Any, reader.apply),
        ),
    )
