"""Samples, likelihoods and behaviours of a recurrent generator, which every algorithm with one shares."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gumbel_gan import unroll
from gumbel_gan.algorithms.interface import Sampler, State
from gumbel_gan.networks import Behavior, Carry, Generator, Params, never


class Observers(NamedTuple):
    """What an algorithm tells of a state: the last functions of an `Algorithm`, where they are explained."""

    sample: Sampler
    log_prob: Callable[[State, jax.Array], jax.Array]
    activations: Callable[[State, jax.Array], jax.Array]


def of_average(generator: Generator, length: int, num_latent_draws: int) -> Observers:
    """Makes the observers of an algorithm whose states hold an averaged generator, `average`.

    Args:
      generator: the generator.
      length: T of its sequences.
      num_latent_draws: draws of the latent in `log_prob`, where the generator has one.

    Returns:
      The observers. Activations of a generator with a latent are those at one draw a sequence, always the same.

    Raises:
      ValueError: `num_latent_draws` is less than 1.
    """
    if num_latent_draws < 1:
        raise ValueError(f"num_latent_draws must be at least 1, got {num_latent_draws}")
    usual_length = length

    def sample_average(
        key: jax.Array, state: State, num: int, *, temperature: ArrayLike = 1.0, length: int | None = None
    ) -> jax.Array:
        if length is None:
            return sample(key, generator, state.average, num, usual_length, temperature=temperature)
        return sample(key, generator, state.average, num, length, temperature=temperature, padded=False)

    def log_prob_of_average(state: State, tokens: jax.Array) -> jax.Array:
        return log_prob(generator, state.average, tokens, num_latent_draws=num_latent_draws)

    def activations_of_average(state: State, tokens: jax.Array) -> jax.Array:
        carry = generator.initial_carry(jax.random.key(0), len(tokens))
        return behavior(generator, state.average, carry, tokens).activations

    return Observers(sample_average, log_prob_of_average, activations_of_average)


def sample(
    key: jax.Array,
    generator: Generator,
    params: Params,
    num: int,
    length: int,
    *,
    temperature: ArrayLike = 1.0,
    padded: bool = True,
) -> jax.Array:
    """Draws sequences from a generator.

    Args:
      key: typed PRNG key; consumed.
      generator: the generator.
      params: its parameters.
      num: N, number of sequences.
      length: T.
      temperature: scalar > 0 by which logits are divided.
      padded: whether padding may be drawn; if not, each symbol has the generator's law given that it is no padding.

    Returns:
      `[N, T]` int32 tokens.
    """
    latent_key, noise_key = jax.random.split(key)

    def step(carry: Carry, x_BK: jax.Array) -> tuple[Carry, jax.Array]:
        carry, logits_BK = generator.step(params, carry, x_BK)
        if not padded and generator.padding is not None:
            logits_BK = never(logits_BK, generator.padding)
        return carry, logits_BK

    start = unroll.start_symbols(num, generator.num_symbols)
    carry = generator.initial_carry(latent_key, num)
    return unroll.hard(noise_key, step, carry, start, length, temperature=temperature).tokens


def conditional_log_prob(generator: Generator, params: Params, carry: Carry, tokens: jax.Array) -> jax.Array:
    """Computes log p(tokens | z) at temperature 1.

    Args:
      generator: the generator.
      params: its parameters.
      carry: the carry before the first symbol of each sequence, which holds the latent z where there is one.
      tokens: `[N, T]` int32 sequences.

    Returns:
      `[N]` log-probabilities in nats; the log-likelihood itself where the generator has no latents.
    """
    return jnp.sum(token_log_probs(generator, params, carry, tokens), axis=1)


def token_log_probs(generator: Generator, params: Params, carry: Carry, tokens: jax.Array) -> jax.Array:
    """Computes the summands of `conditional_log_prob`, from the same arguments: `[N, T]`, a symbol each."""
    start = unroll.start_symbols(tokens.shape[0], generator.num_symbols)
    logits_NTK = unroll.teacher_forced(partial(generator.step, params), carry, start, tokens)
    return unroll.token_log_probs(logits_NTK, tokens)


def behavior(generator: Generator, params: Params, carry: Carry, tokens: jax.Array) -> Behavior:
    """Observes a generator that reads sequences.

    Of sequences that it has drawn itself this is its free-running behaviour, of others the teacher-forced one.

    Args:
      generator: the generator.
      params: its parameters.
      carry: the carry before the first symbol of each sequence.
      tokens: `[N, T]` int32 sequences.

    Returns:
      `[N, T, H]` activations and `[N, T, K]` logits, those at t given the tokens before t.
    """
    start = unroll.start_symbols(tokens.shape[0], generator.num_symbols)
    return unroll.teacher_forced(partial(generator.observed_step, params), carry, start, tokens)


def require_exact(generator: Generator) -> None:
    """Raises ValueError unless the likelihood of a generator's sequences is exact, as it is without a latent."""
    if generator.has_latent:
        raise ValueError("generator must have no latent, for its likelihood to be exact, got one with a latent")


def log_prob(generator: Generator, params: Params, tokens: jax.Array, *, num_latent_draws: int) -> jax.Array:
    """Computes log p(tokens) at temperature 1.

    Exact where the generator has no latents. Where it has, the Monte-Carlo estimate log 1/n sum_i p(tokens | z_i) with
    n = `num_latent_draws`: unbiased for p, low for log p. All sequences, and all calls, share the same draws, so that
    the estimates are a law, of sum 1 over all sequences.

    Args:
      generator: the generator.
      params: its parameters.
      tokens: `[N, T]` int32 sequences.
      num_latent_draws: number of latent draws, at least 1; unused where the generator has no latents.

    Returns:
      `[N]` log-probabilities in nats.
    """

    def given_draw(key: jax.Array) -> jax.Array:
        carry = jax.tree.map(lambda leaf: jnp.repeat(leaf, len(tokens), axis=0), generator.initial_carry(key, 1))
        return conditional_log_prob(generator, params, carry, tokens)

    def add_draw(total_N: jax.Array, key: jax.Array) -> tuple[jax.Array, None]:
        return jnp.logaddexp(total_N, given_draw(key)), None

    key = jax.random.key(0)
    if not generator.has_latent:
        return given_draw(key)
    empty_N = jnp.full(len(tokens), -jnp.inf)
    total_N, _ = jax.lax.scan(add_draw, empty_N, jax.random.split(key, num_latent_draws))
    return total_N - jnp.log(num_latent_draws)
