"""The importance-weighted discrete GAN (Toth 2021): a generator trained on real sequences only, without relaxation."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.typing import ArrayLike

from gumbel_gan.algorithms import adversary, averaging, likelihood
from gumbel_gan.algorithms.adversary import AdversarialState
from gumbel_gan.algorithms.interface import Algorithm, Metrics
from gumbel_gan.empirical_law import empirical_log_prob
from gumbel_gan.networks import Discriminator, Generator
from gumbel_gan.losses.objectives import cross_entropy
from gumbel_gan.sharding import mean_over

# Below this logit, log softplus(d) is d to float precision, and softplus(d) itself underflows.
_LINEAR_BELOW = -15.0


class WeightedLikelihood(NamedTuple):
    """The generator's loss on a batch of real sequences, and what is behind it.

    Attributes:
      loss: scalar, -log(-L).
      weights: `[B]` shares w that the sequences have in the gradient, of sum 1 over all shards.
      effective_sample_size: scalar from 1 to the size of the batch of all shards, Kish's 1 / sum w^2.
    """

    loss: jax.Array
    weights: jax.Array
    effective_sample_size: jax.Array


def importance_gan(
    generator: Generator,
    discriminator: Discriminator,
    *,
    data: np.ndarray,
    generator_optimizer: optax.GradientTransformation,
    discriminator_optimizer: optax.GradientTransformation,
    data_weights: bool = True,
    temper: float = 1.0,
    adversarial: bool = True,
    real_penalty: optax.Schedule | None = None,
    generated_penalty: optax.Schedule | None = None,
    penalised_fraction: float = 1.0,
    average_decay: ArrayLike = 0.0,
    num_latent_draws: int = 256,
    shard_axis: str | None = None,
) -> Algorithm:
    """Makes Toth's training method: the generator never sees its own samples, only how likely it finds real ones.

    The minimax loss of the generator, E_{y ~ p_G}[log(1 - D(y))], is an expectation under the law that is learnt. Moved
    to the data by importance weights, it needs no gradient through a sample:

        L = E_{x ~ p_data}[ log(1 - D(x)) p_G(x) / p_data(x) ],        the generator minimises -log(-L),

    with p_data the empirical law of the data, all in log space. The discriminator minimises the usual cross-entropy on
    real and on freely generated sequences. The gradient of -log(-L) on a batch x_1 ... x_B is that of a weighted
    likelihood, -sum_b w_b grad log p_G(x_b), with

        w_b = f_b (p_G(x_b) / p_data(x_b))^a / sum_c f_c (p_G(x_c) / p_data(x_c))^a,    f_b = -log(1 - D(x_b)),

    and a = 1.

    Such a loss is won by the mode. A mean of likelihoods, unlike one of log-likelihoods, asks for the total mass on the
    data and not for its spread, and w feeds what is likely already. What resists, and how far:

    - The division by p_data (`data_weights`). Without it, as in the original's code, the sum of p_data p_G f is
      greatest where the likeliest sequence has all the mass. With it, all sequences of the data count alike, and at
      f = 1 any law on them is as good as any other. Where no sequence repeats the two are the same.
    - The discriminator, which lowers f where the generator writes too much; but f changes by a factor of a few where
      p_G changes by e^10.
    - The logarithm of a batch's mean, weakly. By Jensen's inequality E[-log mean p_G / p_data] is least at
      p_G = p_data, but what pulls there is a chi-square divergence over twice the size of the batch, which fades
      towards the mode. With a batch of one, the loss is maximum likelihood itself.

    In practice, with batches of 128, the generator ends on 'x' in the grammar, with or without the division and the
    discriminator; of names, each of them rare, some hundred short ones win, fewer without the discriminator.

    All of it is measured by `experiments.toth`.

    The exponent a, `temper`, is the correction: with a < 1 likely sequences are favoured less. At a = 0 the weights are
    the discriminator's alone, and p_G = p_data is a fixed point that attracts: against the optimal discriminator,
    f = log(1 + p_data / p_G) is large just where the generator falls short. In between, a trades the bias of the
    estimate, which is no longer the gradient of L, for its variance.

    Args:
      generator: the generator, without a latent.
      discriminator: the discriminator.
      data: `[N, T]` integers, the training sequences, whose empirical law is p_data.
      generator_optimizer: the generator's optimiser.
      discriminator_optimizer: the discriminator's optimiser.
      data_weights: whether the likelihoods are divided by p_data; if not, they are by 1 / N, as in the original's code.
      temper: a in [0, 1]; 1 is Toth's loss.
      adversarial: whether f is the discriminator's word; if not, it is 1, to see what the discriminator adds.
      real_penalty: schedule of the weight of the discriminator's penalty R1; None computes none, as Toth.
      generated_penalty: schedule of the weight of R2; None computes none, as Toth.
      penalised_fraction: share of the sequences of a step, in (0, 1], at which the penalties are measured.
      average_decay: decay of the moving average of the generator's weights, in [0, 1).
      num_latent_draws: unused, since there is no latent; every algorithm has it.
      shard_axis: name of the mapped axis of shards; None where there is none. The weights are those of the whole batch.

    Returns:
      An `Algorithm`.

    Raises:
      ValueError: `temper`, `average_decay` or `penalised_fraction` is out of its range, or the generator has a latent.

    References:
      Toth 2021, equations 4 and 5, https://github.com/tarnag57/particle_filter_gan; Goodfellow et al. 2014, for
      the minimax loss, https://arxiv.org/abs/1406.2661; Kish 1965, for the effective sample size.
    """
    if not 0 <= temper <= 1:
        raise ValueError(f"temper must be in [0, 1], got {temper}")
    likelihood.require_exact(generator)
    averaging.check_decay(average_decay)
    length = data.shape[1]
    observers = likelihood.of_average(generator, length, num_latent_draws)
    data_log_prob = empirical_log_prob(data)
    discriminator_loss = adversary.penalised_loss(
        discriminator,
        cross_entropy,
        real_penalty=real_penalty,
        generated_penalty=generated_penalty,
        penalised_fraction=penalised_fraction,
    )

    def init(key: jax.Array) -> AdversarialState:
        return adversary.init(key, generator, discriminator, generator_optimizer, discriminator_optimizer)

    def step(key: jax.Array, state: AdversarialState, batch: jax.Array) -> tuple[AdversarialState, Metrics]:
        real_BTK = jax.nn.one_hot(batch, generator.num_symbols)
        generated_BT = likelihood.sample(key, generator, state.generator, len(batch), length)
        generated_BTK = jax.nn.one_hot(generated_BT, generator.num_symbols)
        state, metrics = adversary.update_discriminator(
            state,
            real_BTK,
            generated_BTK,
            loss=discriminator_loss,
            optimizer=discriminator_optimizer,
            shard_axis=shard_axis,
        )

        log_prob_B, pull_back = jax.vjp(
            lambda params: likelihood.log_prob(generator, params, batch, num_latent_draws=1), state.generator
        )
        logit_B = discriminator.logits(state.discriminator, real_BTK) if adversarial else None
        data_log_prob_B = data_log_prob(batch) if data_weights else jnp.full(len(batch), -jnp.log(len(data)))
        weighted = weighted_likelihood(log_prob_B, data_log_prob_B, logit_B, temper=temper, shard_axis=shard_axis)
        num_shards = 1 if shard_axis is None else jax.lax.axis_size(shard_axis)
        # Weights are shares of the whole batch, gradients are averaged over shards.
        gradient = mean_over(shard_axis, pull_back(-num_shards * weighted.weights)[0])
        metrics |= {
            "generator_loss": weighted.loss,
            "effective_sample_size": weighted.effective_sample_size,
            "negative_log_likelihood": -jnp.mean(log_prob_B),
            "generator_gradient_norm": optax.tree.norm(gradient),
        }
        state = adversary.update_generator(state, gradient, optimizer=generator_optimizer, average_decay=average_decay)
        return state, metrics

    return Algorithm(init, step, *observers)


def weighted_likelihood(
    log_prob: jax.Array,
    data_log_prob: jax.Array,
    logit: jax.Array | None,
    *,
    temper: float = 1.0,
    shard_axis: str | None = None,
) -> WeightedLikelihood:
    """Computes Toth's generator loss and the weights of its gradient, in log space.

    Args:
      log_prob: `[B]` log p_G(x) of real sequences, in nats.
      data_log_prob: `[B]` log p_data(x).
      logit: `[B]` the discriminator's logits d, with -log(1 - D) = softplus(d); None for a constant 1 in its place.
      temper: a in [0, 1], the exponent of p_G / p_data in the weights; the loss is always Toth's, that of a = 1.
      shard_axis: name of the mapped axis over which the batch is spread; None where it is whole.

    Returns:
      A `WeightedLikelihood`.

    References:
      Toth 2021, equations 4 and 5, https://github.com/tarnag57/particle_filter_gan.
    """
    log_f_B = jnp.zeros_like(log_prob) if logit is None else log_softplus(logit)
    log_ratio_B = log_prob - data_log_prob
    num_shards = 1 if shard_axis is None else jax.lax.axis_size(shard_axis)
    log_mean = _log_sum(log_f_B + log_ratio_B, shard_axis) - jnp.log(num_shards * len(log_prob))
    tempered_B = log_f_B + temper * log_ratio_B
    log_weights_B = tempered_B - _log_sum(tempered_B, shard_axis)
    size = jnp.exp(-_log_sum(2.0 * log_weights_B, shard_axis))
    return WeightedLikelihood(-log_mean, jnp.exp(log_weights_B), size)


def log_softplus(logit: jax.Array) -> jax.Array:
    """Computes log(softplus(d)) = log(-log(1 - D)) without underflow at any logit d."""
    kept = jnp.maximum(logit, _LINEAR_BELOW)
    return jnp.where(logit < _LINEAR_BELOW, logit, jnp.log(jax.nn.softplus(kept)))


def _log_sum(log_values: jax.Array, shard_axis: str | None) -> jax.Array:
    """Gives the logarithm of the sum of exponentials, over the batch and its shards."""
    total = jax.nn.logsumexp(log_values)
    return total if shard_axis is None else jax.nn.logsumexp(jax.lax.all_gather(total, shard_axis))
