"""Pure functions of a network that reads sequences, built from its Flax module."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gumbel_gan.networks.conditions import ConditionSpec, Labels, Vectors, check_condition, example_condition
from gumbel_gan.networks.dropout import Dropout
from gumbel_gan.networks.interface import Params
from gumbel_gan.networks.spectral import Dense


def discriminator_functions(
    module: Any,
    num_symbols: int,
    condition: ConditionSpec | None,
    dropout: Dropout,
) -> tuple[Callable[[jax.Array], Params], Callable[..., Any]]:
    """Returns the two functions of a `Discriminator`, a `PrefixDiscriminator` or an `Encoder`.

    Args:
      module: Flax module that maps (x `[B, T, K]`, condition, dropout factors) to logits or moments.
      num_symbols: K.
      condition: the specification of the condition; None: no condition.
      dropout: the dropout of the module's layers.

    Returns:
      init: key -> params.
      logits: (params, x, condition=None, dropout_key=None) -> logits, or moments.
    """
    spec = condition

    def init(key: jax.Array) -> Params:
        return module.init(key, jnp.zeros((1, 1, num_symbols), jnp.float32), example_condition(spec), None)

    def logits(
        params: Params, x: jax.Array, *, condition: Any = None, dropout_key: jax.Array | None = None
    ) -> jax.Array:
        shape = jnp.shape(x)
        if not jnp.issubdtype(jnp.result_type(x), jnp.floating):
            raise TypeError(f"x must be floating, got {jnp.result_type(x)}")
        if len(shape) != 3 or shape[1] < 1 or shape[2] != num_symbols:
            raise ValueError(f"x must be [B, T, {num_symbols}] with T at least 1, got shape {shape}")
        check_condition(spec, condition, shape[0])
        return module.apply(params, x, condition, dropout.factors(dropout_key, shape[0]))

    return init, logits


def projected_logits(dense: Dense, features: jax.Array, spec: Labels | Vectors | None, condition: Any) -> jax.Array:
    """Computes the logits w . f + v(condition) . f of features and a condition, inside a Flax module.

    Args:
      dense: the constructor of dense layers.
      features: f, `[B, F]` of whole sequences, or `[B, T, F]` of every prefix.
      spec: the specification of the condition; None: no condition, and no second term.
      condition: the condition; v is a linear map of it.

    Returns:
      `[B]` or `[B, T]` float32 logits.

    References:
      Miyato & Koyama 2018, equation 3, https://arxiv.org/abs/1802.05637.
    """
    logits = dense(1)(features)[..., 0]
    if spec is not None:
        if isinstance(spec, Labels):
            condition = jax.nn.one_hot(condition, spec.num, dtype=features.dtype)
        projection_BF = dense(features.shape[-1], use_bias=False)(condition.astype(features.dtype))
        shape = (len(projection_BF), *(1,) * (features.ndim - 2), features.shape[-1])
        logits = logits + jnp.sum(projection_BF.reshape(shape) * features, axis=-1)
    return logits.astype(jnp.float32)
