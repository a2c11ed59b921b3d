"""Maximum likelihood by teacher forcing: the baseline of every adversarial method."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from gumbel_gan import unroll
from gumbel_gan.algorithms import averaging, likelihood
from gumbel_gan.algorithms.interface import Algorithm, Metrics
from gumbel_gan.networks import Generator, Params
from gumbel_gan.sharding import mean_over


class MaximumLikelihoodState(NamedTuple):
    """State of maximum likelihood; arrays only.

    Attributes:
      step: int32 scalar, number of updates made.
      generator: parameters of the generator.
      average: exponential moving average of `generator`, which is sampled and scored.
      optimizer: state of the optimiser.
    """

    step: jax.Array
    generator: Params
    average: Params
    optimizer: optax.OptState


def maximum_likelihood(
    generator: Generator,
    *,
    length: int,
    optimizer: optax.GradientTransformation,
    sampling_rate: optax.Schedule | None = None,
    average_decay: ArrayLike = 0.0,
    num_latent_draws: int = 256,
    shard_axis: str | None = None,
) -> Algorithm:
    """Makes the paper's LSTM baseline: minimise -mean log p(x) over whole sequences, padding included.

    With a generator that has latents, the loss is -mean log p(x | z) with z drawn afresh for each sequence.

    Args:
      generator: the generator.
      length: T, number of symbols of a sequence, padding included.
      optimizer: the optimiser.
      sampling_rate: schedule of the share of symbols that the generator draws itself during training (scheduled
        sampling), in [0, 1]; None trains by teacher forcing. With it, the loss is no likelihood, and its minimum not
        the law of the data; `log_prob` stays the likelihood.
      average_decay: decay of the moving average of the weights, in [0, 1).
      num_latent_draws: draws of the latent in `log_prob`, where the generator has one.
      shard_axis: name of the mapped axis that gradients are averaged over; None where there is none.

    Returns:
      An `Algorithm`.

    Raises:
      ValueError: `average_decay` or `num_latent_draws` is a Python number out of its range.
    """
    averaging.check_decay(average_decay)
    observers = likelihood.of_average(generator, length, num_latent_draws)

    def init(key: jax.Array) -> MaximumLikelihoodState:
        params = generator.init(key)
        return MaximumLikelihoodState(jnp.zeros((), jnp.int32), params, averaging.init(params), optimizer.init(params))

    def negative_log_likelihood(params: Params, key: jax.Array, step: jax.Array, batch: jax.Array) -> jax.Array:
        if sampling_rate is None:
            carry = generator.initial_carry(key, len(batch))
            return -jnp.mean(likelihood.conditional_log_prob(generator, params, carry, batch))
        latent_key, sampling_key = jax.random.split(key)
        logits_BTK = unroll.scheduled(
            sampling_key,
            partial(generator.step, params),
            generator.initial_carry(latent_key, len(batch)),
            unroll.start_symbols(len(batch), generator.num_symbols),
            batch,
            sampling_rate=sampling_rate(step),
            padding=generator.padding,
        )
        return -jnp.mean(jnp.sum(unroll.token_log_probs(logits_BTK, batch), axis=1))

    def step(key: jax.Array, state: MaximumLikelihoodState, batch: jax.Array) -> tuple[MaximumLikelihoodState, Metrics]:
        loss, gradient = jax.value_and_grad(negative_log_likelihood)(state.generator, key, state.step, batch)
        gradient = mean_over(shard_axis, gradient)
        updates, optimizer_state = optimizer.update(gradient, state.optimizer, state.generator)
        params = optax.apply_updates(state.generator, updates)
        metrics = {"generator_loss": loss, "generator_gradient_norm": optax.tree.norm(gradient)}
        average = averaging.update(params, state.average, average_decay, state.step)
        return MaximumLikelihoodState(state.step + 1, params, average, optimizer_state), metrics

    return Algorithm(init, step, *observers)
