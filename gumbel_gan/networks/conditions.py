"""Conditions of networks: specifications of their kind and size, checks, and an embedding."""

from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gumbel_gan.arguments import require_at_least


@dataclass(frozen=True)
class Labels:
    """A condition that is a label: integers `[B]` in [0, num).

    Attributes:
      num: the number of labels, at least 1.
    """

    num: int

    def __post_init__(self) -> None:
        require_at_least(1, num=self.num)


@dataclass(frozen=True)
class Vectors:
    """A condition that is a vector of numbers: floating `[B, size]`.

    Attributes:
      size: the length of a vector, at least 1.
    """

    size: int

    def __post_init__(self) -> None:
        require_at_least(1, size=self.size)


@dataclass(frozen=True)
class Sequences:
    """A condition that is another sequence: integers `[B, T']` in [0, num_symbols), for any T' of at least 1.

    Attributes:
      num_symbols: the size of the condition's vocabulary, padding included, at least 1.
      padding: the padding symbol, which attention ignores; None: no padding.
    """

    num_symbols: int
    padding: int | None = None

    def __post_init__(self) -> None:
        require_at_least(1, num_symbols=self.num_symbols)
        if self.padding is not None:
            require_at_least(0, padding=self.padding)
            if self.padding >= self.num_symbols:
                raise ValueError(f"padding must be None or in [0, {self.num_symbols}), got {self.padding}")


ConditionSpec = Labels | Vectors | Sequences


def example_condition(spec: ConditionSpec | None, batch_size: int = 1) -> jax.Array | None:
    """Returns a condition of zeros to initialize a network with, sequences with one symbol; None if `spec` is None."""
    if isinstance(spec, Labels):
        return jnp.zeros(batch_size, jnp.int32)
    if isinstance(spec, Vectors):
        return jnp.zeros((batch_size, spec.size), jnp.float32)
    return None if spec is None else jnp.zeros((batch_size, 1), jnp.int32)


def check_condition(spec: ConditionSpec | None, value: Any, batch_size: int) -> None:
    """Checks the presence, dtype and shape of the condition that a network is called with.

    Args:
      spec: the condition that the network was built with; None: no condition.
      value: the condition; its entries are not checked.
      batch_size: B.

    Raises:
      TypeError: `value` does not have the dtype that `spec` requires.
      ValueError: `value` is missing, is given to a network without a condition, or has the wrong shape.
    """
    if spec is None:
        if value is not None:
            raise ValueError("condition must be None for a network that was built without one")
        return
    if value is None:
        raise ValueError(f"condition must be given to a network that was built with {spec}, got None")
    kind, name = (jnp.floating, "floating") if isinstance(spec, Vectors) else (jnp.integer, "integers")
    if not jnp.issubdtype(jnp.result_type(value), kind):
        raise TypeError(f"condition must be {name} for {spec}, got {jnp.result_type(value)}")
    shape = jnp.shape(value)
    if isinstance(spec, Sequences):
        if len(shape) != 2 or shape[0] != batch_size or shape[1] < 1:
            raise ValueError(f"condition must be [{batch_size}, T'] with T' at least 1 for {spec}, got shape {shape}")
    elif shape != (wanted := (batch_size,) if isinstance(spec, Labels) else (batch_size, spec.size)):
        raise ValueError(f"condition must have shape {wanted} for {spec}, got shape {shape}")


def require_labels_or_vectors(condition: Any) -> None:
    """Raises TypeError unless a network's condition is `Labels`, `Vectors` or None."""
    if not isinstance(condition, Labels | Vectors | None):
        raise TypeError(
            f"condition must be Labels, Vectors or None for this network, got {condition!r}; networks with attention "
            "take Sequences"
        )


def require_condition_spec(condition: Any) -> None:
    """Raises TypeError unless a network's condition is `Labels`, `Vectors`, `Sequences` or None."""
    if not isinstance(condition, ConditionSpec | None):
        raise TypeError(f"condition must be Labels, Vectors, Sequences or None, got {condition!r}")


class ConditionEmbedding(nn.Module):
    """A learned linear map of labels or vectors to `[B, features]`: a table for labels, a dense layer for vectors.

    Attributes:
      spec: the specification of the condition.
      features: E, the size of the embedding.
      dtype: the dtype of the computation; parameters are float32.
    """

    spec: Labels | Vectors
    features: int
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, value: jax.Array) -> jax.Array:
        """Computes the embedding `[B, E]` of labels `[B]` or vectors `[B, N]`."""
        if isinstance(self.spec, Labels):
            return nn.Embed(self.spec.num, self.features, dtype=self.dtype)(value)
        return nn.Dense(self.features, dtype=self.dtype)(value)
