"""What adversarial algorithms share: their state, the discriminator's loss, and the two updates of a step."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from gumbel_gan.algorithms import averaging
from gumbel_gan.algorithms.interface import Metrics
from gumbel_gan.networks import Discriminator, Generator, Params, PrefixDiscriminator
from gumbel_gan.losses.penalties import logits_and_gradients, zero_centred_gradient_penalty
from gumbel_gan.sharding import mean_over


class AdversarialState(NamedTuple):
    """State of an adversarial algorithm; arrays only.

    Attributes:
      step: int32 scalar, number of updates made.
      generator: parameters of the generator.
      discriminator: parameters of the discriminator.
      average: exponential moving average of `generator`, which is sampled and scored.
      generator_optimizer: state of the generator's optimiser.
      discriminator_optimizer: state of the discriminator's optimiser.
    """

    step: jax.Array
    generator: Params
    discriminator: Params
    average: Params
    generator_optimizer: optax.OptState
    discriminator_optimizer: optax.OptState


class DiscriminatorLoss(Protocol):
    """A loss of a discriminator's parameters, with what is worth logging about it."""

    def __call__(
        self, params: Params, step: jax.Array, real: jax.Array, generated: jax.Array, /
    ) -> tuple[jax.Array, Metrics]:
        """Gives the scalar loss at a step on real `[B, T, K]` and generated `[N, T, K]` sequences, and metrics."""
        ...


def init(
    key: jax.Array,
    generator: Generator,
    discriminator: Discriminator | PrefixDiscriminator,
    generator_optimizer: optax.GradientTransformation,
    discriminator_optimizer: optax.GradientTransformation,
) -> AdversarialState:
    """Makes the state before the first step; consumes the key."""
    generator_key, discriminator_key = jax.random.split(key)
    generator_params = generator.init(generator_key)
    discriminator_params = discriminator.init(discriminator_key)
    return AdversarialState(
        step=jnp.zeros((), jnp.int32),
        generator=generator_params,
        discriminator=discriminator_params,
        average=averaging.init(generator_params),
        generator_optimizer=generator_optimizer.init(generator_params),
        discriminator_optimizer=discriminator_optimizer.init(discriminator_params),
    )


def update_discriminator(
    state: AdversarialState,
    real: jax.Array,
    generated: jax.Array,
    *,
    loss: DiscriminatorLoss,
    optimizer: optax.GradientTransformation,
    shard_axis: str | None,
) -> tuple[AdversarialState, Metrics]:
    """Takes the discriminator's half of a step.

    Args:
      state: the state.
      real: `[B, T, K]` real sequences.
      generated: `[N, T, K]` generated sequences.
      loss: the discriminator's loss.
      optimizer: its optimiser.
      shard_axis: name of the mapped axis that gradients are averaged over; None where there is none.

    Returns:
      The state with the new discriminator, and the metrics of the loss.
    """
    gradient, metrics = jax.grad(loss, has_aux=True)(state.discriminator, state.step, real, generated)
    updates, optimizer_state = optimizer.update(
        mean_over(shard_axis, gradient), state.discriminator_optimizer, state.discriminator
    )
    params = optax.apply_updates(state.discriminator, updates)
    return state._replace(discriminator=params, discriminator_optimizer=optimizer_state), metrics


def update_generator(
    state: AdversarialState, gradient: Params, *, optimizer: optax.GradientTransformation, average_decay: ArrayLike
) -> AdversarialState:
    """Takes the generator's half of a step, which ends the step.

    Args:
      state: the state.
      gradient: the gradient of the generator's loss, of all shards.
      optimizer: the generator's optimiser.
      average_decay: decay of the moving average of its weights, in [0, 1).

    Returns:
      The state of the next step.
    """
    updates, optimizer_state = optimizer.update(gradient, state.generator_optimizer, state.generator)
    params = optax.apply_updates(state.generator, updates)
    return state._replace(
        step=state.step + 1,
        generator=params,
        average=averaging.update(params, state.average, average_decay, state.step),
        generator_optimizer=optimizer_state,
    )


def penalised_loss(
    discriminator: Discriminator | PrefixDiscriminator,
    loss: Callable[[jax.Array, jax.Array], jax.Array],
    *,
    real_penalty: optax.Schedule | None,
    generated_penalty: optax.Schedule | None,
    penalised_fraction: float,
) -> DiscriminatorLoss:
    """Makes the discriminator's loss with gradient penalties, L(d(x), d(y)) + w_real R1(x) + w_generated R2(y).

    Args:
      discriminator: the discriminator; of prefixes only where there are no penalties.
      loss: L, of the logits of real `[B]` and of generated `[N]` sequences, or, `[B, T]` and `[N, T]`, of their
        prefixes.
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
