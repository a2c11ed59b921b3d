"""Discriminators that judge packs of several sequences together."""

import jax
import jax.numpy as jnp

from gumbel_gan.arguments import require_at_least, require_kind
from gumbel_gan.networks.interface import Discriminator, Params


def packed_discriminator(discriminator: Discriminator, pack_size: int) -> Discriminator:
    """Builds a discriminator that judges packs of m sequences, of which all are real or all are generated.

    A generator that writes few different sequences is given away by packs that are too much alike. Sequences i, i + 1,
    ..., i + m - 1 of a batch are a pack; at each position it has the symbols of all m side by side. The logit of a pack
    is that of each of its sequences, so that the gradient of all logits by a sequence, as penalties have it, is m times
    that of its pack's. A batch, and the share of it at which a penalty is measured, must be multiples of m, so that no
    pack has both real and generated sequences.

    Args:
      discriminator: reads a pack as a sequence of m K symbols, such as `lstm_discriminator(m * num_symbols, 32)`;
        without a condition.
      pack_size: m, at least 1; 1: the discriminator itself.

    Returns:
      A `Discriminator` of single sequences, x `[B, T, K]`.

    Raises:
      TypeError: an argument is not of its type.
      ValueError: `pack_size` is less than 1.

    References:
      Lin et al. 2018, https://arxiv.org/abs/1712.04086.
    """
    require_kind(Discriminator, discriminator=discriminator)
    require_at_least(1, pack_size=pack_size)
    if pack_size == 1:
        return discriminator

    def logits(params: Params, x_BTK: jax.Array, *, dropout_key: jax.Array | None = None) -> jax.Array:
        if jnp.ndim(x_BTK) != 3 or len(x_BTK) % pack_size:
            raise ValueError(f"x must be [B, T, K] with B a multiple of {pack_size}, got shape {jnp.shape(x_BTK)}")
        size, length, num_symbols = x_BTK.shape
        packs_PMTK = x_BTK.reshape(size // pack_size, pack_size, length, num_symbols)
        packs_PTN = jnp.swapaxes(packs_PMTK, 1, 2).reshape(size // pack_size, length, pack_size * num_symbols)
        given = {} if dropout_key is None else {"dropout_key": dropout_key}
        return jnp.repeat(discriminator.logits(params, packs_PTN, **given), pack_size)

    return Discriminator(discriminator.init, logits, discriminator.uses_dropout)
