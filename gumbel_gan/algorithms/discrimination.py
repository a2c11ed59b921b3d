"""The discriminator's side of adversarial training, which every algorithm with one shares."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import jax
import jax.numpy as jnp
import optax

from gumbel_gan.algorithms.interface import Metrics
from gumbel_gan.networks import Discriminator, Params
from gumbel_gan.penalties import logits_and_gradients, zero_centred_gradient_penalty


class DiscriminatorLoss(Protocol):
    """A loss of a discriminator's parameters, with what is worth logging about it."""

    def __call__(
        self, params: Params, step: jax.Array, real: jax.Array, generated: jax.Array
    ) -> tuple[jax.Array, Metrics]:
        """Gives the scalar loss at a step on real `[B, T, K]` and generated `[N, T, K]` sequences, and metrics."""
        ...


def penalised_loss(
    discriminator: Discriminator,
    loss: Callable[[jax.Array, jax.Array], jax.Array],
    *,
    real_penalty: optax.Schedule | None,
    generated_penalty: optax.Schedule | None,
    penalised_fraction: float,
) -> DiscriminatorLoss:
    """Makes the discriminator's loss with gradient penalties, L(d(x), d(y)) + w_real R1(x) + w_generated R2(y).

    Args:
      discriminator: the discriminator.
      loss: L, of the logits of real `[B]` and of generated `[N]` sequences.
      real_penalty: schedule of the weight w_real of R1; None computes none.
      generated_penalty: schedule of the weight w_generated of R2; None computes none.
      penalised_fraction: share of the sequences, in (0, 1], at which R1 and R2 are measured. Less than 1 is cheaper,
        and an unbiased estimate, since the sequences of a batch are drawn independently.

    Returns:
      A `DiscriminatorLoss`.

    Raises:
      ValueError: `penalised_fraction` is out of its range.
    """
    if not 0 < penalised_fraction <= 1:
        raise ValueError(f"penalised_fraction must be in (0, 1], got {penalised_fraction}")
    weights = {"real_penalty": real_penalty, "generated_penalty": generated_penalty}

    def penalised(params: Params, step: jax.Array, real: jax.Array, generated: jax.Array) -> tuple[jax.Array, Metrics]:
        discriminate = partial(discriminator.logits, params)
        if all(weight is None for weight in weights.values()):
            real_B, generated_N = jnp.split(discriminate(jnp.concatenate([real, generated])), [len(real)])
            gradients = {}
        else:
            real_B, generated_N, *pair = _logits_and_some_gradients(discriminate, real, generated, penalised_fraction)
            gradients = dict(zip(weights, pair, strict=True))
        total = loss(real_B, generated_N)
        metrics = {
            "discriminator_loss": total,
            "real_logit": jnp.mean(real_B),
            "generated_logit": jnp.mean(generated_N),
        }
        for name, gradient in gradients.items():
            if (weight := weights[name]) is not None:
                metrics[name] = zero_centred_gradient_penalty(gradient)
                total = total + weight(step) * metrics[name]
        return total, metrics

    return penalised


def _logits_and_some_gradients(
    discriminate: Callable[[jax.Array], jax.Array], real_BTK: jax.Array, generated_NTK: jax.Array, fraction: float
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Gives the logits of all sequences, and their gradients by the first `fraction` of the real and the generated."""
    num_real, num_generated = (max(1, round(fraction * len(x))) for x in (real_BTK, generated_NTK))
    some, gradients = logits_and_gradients(
        discriminate, jnp.concatenate([real_BTK[:num_real], generated_NTK[:num_generated]])
    )
    real, generated = [some[:num_real]], [some[num_real:]]
    if num_real < len(real_BTK) or num_generated < len(generated_NTK):
        others = discriminate(jnp.concatenate([real_BTK[num_real:], generated_NTK[num_generated:]]))
        real.append(others[: len(real_BTK) - num_real])
        generated.append(others[len(real_BTK) - num_real :])
    return jnp.concatenate(real), jnp.concatenate(generated), gradients[:num_real], gradients[num_real:]
