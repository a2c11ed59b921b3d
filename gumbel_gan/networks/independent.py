"""Builds generators of all symbols in one pass, from a function that returns the logits of all positions."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gumbel_gan.arguments import require_at_least, require_callable
from gumbel_gan.networks.interface import Generator, Latent, Params


class IndependentCarry(NamedTuple):
    """The carry of a generator with independent symbols, used when they are generated one at a time.

    Attributes:
      position: int32 scalar, the number of steps taken.
      logits: `[B, T, K]` of all positions.
    """

    position: jax.Array
    logits: jax.Array


def independent_generator(
    init: Callable[[jax.Array], Params],
    independent_logits: Callable[..., jax.Array],
    num_symbols: int,
    *,
    sample_latent: Callable[[jax.Array, int], Latent] | None = None,
    uses_dropout: bool = False,
) -> Generator:
    """Builds a generator from a network that returns the logits of all positions at once.

    The symbols are independent given the latent and the condition. One call of the network is therefore enough to
    sample, and p(tokens | latent) is exactly the product over the positions. Without a latent and a condition, the
    generator is one distribution for each position.

    Args:
      init: key -> params.
      independent_logits: (params, batch_size, length) -> `[B, T, K]` logits, with the keyword arguments `latent`,
        `condition` and `dropout_key` if they exist (see `Generator`).
      num_symbols: K, at least 1.
      sample_latent: (key, batch_size) -> a pytree of arrays with a leading axis of B; None: no latent.
      uses_dropout: whether the network takes a `dropout_key` in training.

    Returns:
      A `Generator`.

    Raises:
      TypeError: `init` or `independent_logits` is not callable, or `num_symbols` is not an integer.
      ValueError: `num_symbols` is less than 1.
    """
    require_callable(init=init, independent_logits=independent_logits)
    require_at_least(1, num_symbols=num_symbols)

    def initial_carry(params: Params, batch_size: int, length: int, **inputs: Any) -> IndependentCarry:
        logits = independent_logits(params, batch_size, length, **inputs)
        return IndependentCarry(jnp.zeros((), jnp.int32), logits)

    def step(params: Params, carry: IndependentCarry, x: jax.Array) -> tuple[IndependentCarry, jax.Array]:
        del params, x
        logits_BK = jnp.take(carry.logits, carry.position, axis=1, mode="fill", fill_value=jnp.nan)
        return carry._replace(position=carry.position + 1), logits_BK

    def logits(params: Params, tokens: jax.Array, **inputs: Any) -> jax.Array:
        return independent_logits(params, *tokens.shape, **inputs)

    return Generator(
        init=init,
        initial_carry=initial_carry,
        step=step,
        num_symbols=num_symbols,
        token_step=step,
        logits=logits,
        sample_latent=sample_latent,
        uses_dropout=uses_dropout,
        independent_logits=independent_logits,
    )
