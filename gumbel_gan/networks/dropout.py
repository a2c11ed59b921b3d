"""Dropout whose factors are drawn before the first step, so that a roll-out and a single pass use the same factors."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan.arguments import is_zero, require_number


@dataclass(frozen=True)
class Dropout:
    """Dropout of a network's layers, with the same factors at all positions of a sequence.

    Attributes:
      rate: scalar in [0, 1), the probability that a feature is dropped; may be traced. 0: no dropout.
      num: the number of layers, each with its own factors.
      width: H, the number of features of a layer.
      name: name of the rate in errors.

    Raises:
      TypeError: `rate` is not a real scalar.
      ValueError: `rate` is not in [0, 1).

    References:
      Gal & Ghahramani 2016, section 4, https://arxiv.org/abs/1512.05287.
    """

    rate: ArrayLike
    num: int
    width: int
    name: str = "dropout_rate"

    def __post_init__(self) -> None:
        require_number(self.name, self.rate, low=0, high=1, open_high=True)

    @property
    def is_used(self) -> bool:
        """Whether dropout is used in training."""
        return not is_zero(self.rate) and self.num > 0

    def factors(self, key: jax.Array | None, batch_size: int) -> jax.Array | None:
        """Draws the factors of the layers' features: 0 with probability `rate`, otherwise 1 / (1 - rate).

        Args:
          key: typed PRNG key, consumed; None outside training.
          batch_size: B.

        Returns:
          `[num, B, 1, H]` float32 factors; None without a key or without dropout.
        """
        if key is None or not self.is_used:
            return None
        keep = jnp.asarray(1 - self.rate, jnp.float32)
        kept = jax.random.bernoulli(key, keep, (self.num, batch_size, 1, self.width))
        return kept.astype(jnp.float32) / keep
