"""The importance-weighted discrete GAN (Toth 2021): the generator is trained on real sequences only."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from gumbel_gan.algorithms import _adversarial, _ema
from gumbel_gan.algorithms._adversarial import AdversarialState, Sequences
from gumbel_gan.algorithms._batch import check_batch, one_hot
from gumbel_gan.algorithms.interface import Algorithm, Metrics
from gumbel_gan.arguments import Scalar, at_step, require_at_least, require_scalar
from gumbel_gan.data import Batch
from gumbel_gan.losses.objectives import cross_entropy
from gumbel_gan.losses.penalties import GradientPenalty
from gumbel_gan.model import SequenceModel, inputs, require_exact, sample, token_log_probs
from gumbel_gan.networks import Discriminator
from gumbel_gan.sharding import mean_over

# Below this logit, log softplus(d) equals d to float precision. Far below it, softplus(d) underflows.
_LINEAR_BELOW = -15.0


class WeightedLikelihood(NamedTuple):
    """The generator's loss on a batch of real sequences, and the weights of its gradient.

    Attributes:
      loss: scalar, -log(-L).
      weights: `[B]` normalized weights w of the sequences in the gradient; they sum to 1 over all data shards.
      effective_sample_size: Kish's 1 / sum w^2, a scalar from 1 to the batch size over all data shards.
    """

    loss: jax.Array
    weights: jax.Array
    effective_sample_size: jax.Array


def importance_gan(
    model: SequenceModel,
    discriminator: Discriminator,
    *,
    generator_optimizer: optax.GradientTransformation,
    discriminator_optimizer: optax.GradientTransformation,
    weight_exponent: Scalar = 1.0,
    adversarial: bool = True,
    penalty: GradientPenalty = GradientPenalty(),
    discriminator_updates: int = 1,
    ema_decay: Scalar = 0.0,
    shard_axis: str | None = None,
) -> Algorithm:
    """Builds Toth's training method, which trains the generator on its likelihoods of real sequences.

    The minimax loss of the generator, E_{y ~ p_G}[log(1 - D(y))], is an expectation under the generator's own
    distribution. Rewritten with importance weights as an expectation over the data, it needs no gradient through a
    sample:

        L = E_{x ~ p_data}[ log(1 - D(x)) p_G(x) / p_data(x) ],        the generator minimizes -log(-L),

    with p_data the empirical distribution of the data. All terms are computed in log space. This is the loss of section
    3 of his report; the weights of the batch are 1 / p_data(x), see `data.inverse_frequency_weights`. Toth trains with
    a loss without the division by p_data, which is the loss of a batch without weights. The discriminator minimizes the
    usual cross-entropy on real and generated sequences. The gradient of -log(-L) on a batch x_1 ... x_B is that of a
    weighted likelihood, -sum_b w_b grad log p_G(x_b), with

        w_b = f_b (p_G(x_b) / p_data(x_b))^a / sum_c f_c (p_G(x_c) / p_data(x_c))^a,    f_b = -log(1 - D(x_b)),

    and a = 1.

    This loss favors the mode. A mean of likelihoods, unlike a mean of log-likelihoods, rewards the total mass on the
    data, not its spread, and w is largest for sequences that are already likely. Three things counteract this weakly:

    - The division by p_data. Without it, the sum of p_data p_G f is largest if the likeliest sequence has all the mass.
      With it, all distinct sequences of the data count the same, and at f = 1 every distribution over them has the same
      loss. If no sequence repeats, the division makes no difference.
    - The discriminator, which lowers f for sequences that the generator draws too often. But f changes by a factor of a
      few while p_G changes by a factor of e^10.
    - The logarithm of a batch's mean. By Jensen's inequality E[-log mean p_G / p_data] is smallest at p_G = p_data, but
      the gradient toward it is that of a chi-squared divergence divided by twice the batch size. With a batch of one,
      the loss is maximum likelihood.

    With batches of 128, the generator collapses to 'x' on the grammar, with or without the division and the
    discriminator. On names, each of which is rare, it keeps short ones: 2,000 samples hold about 1,000 distinct names,
    and about 500 without the discriminator. `experiments.studies.toth2021` measures this.

    The exponent a, `weight_exponent`, is a correction: a < 1 favors likely sequences less. At a = 0 the weights depend
    only on the discriminator, and p_G = p_data is an attracting fixed point: for the optimal discriminator,
    f = log(1 + p_data / p_G) is large where p_G is too small. In practice a = 0 is maximum likelihood: the weights are
    nearly equal, with an effective sample size of 127.9 of 128 on names. Values in between reduce the variance of the
    estimate at the cost of a bias: the estimate is no longer the gradient of L.

    Hyperparameters of type `Scalar` are numbers, traced numbers or schedules; the others are static.

    Args:
      model: the model; its generator has no latent.
      discriminator: the discriminator.
      generator_optimizer: the generator's optimizer.
      discriminator_optimizer: the discriminator's optimizer.
      weight_exponent: a in [0, 1]; 1 is Toth's loss, 0 is in effect maximum likelihood.
      adversarial: whether f comes from the discriminator; if not, f is 1, to show the effect of the discriminator.
      penalty: the weights of the discriminator's gradient penalties; Toth uses none.
      discriminator_updates: number of discriminator updates in a step, each on its own batch.
      ema_decay: decay of the moving average of the generator's parameters, in [0, 1). After t updates the decay is at
        most (1 + t) / (10 + t).
      shard_axis: name of the mapped axis of data shards; None if there is none. The weights w are normalized over the
        whole batch.

    Returns:
      An `Algorithm`.

    Raises:
      TypeError: an argument has the wrong type.
      ValueError: an argument is out of range, or the generator has a latent.

    References:
      Toth 2021, section 3, https://github.com/tarnag57/particle_filter_gan; Goodfellow et al. 2014, for
      the minimax loss, https://arxiv.org/abs/1406.2661; Kish 1965, for the effective sample size.
    """
    _adversarial.check_parts(model, discriminator, Discriminator, generator_optimizer, discriminator_optimizer)
    require_scalar("weight_exponent", weight_exponent, low=0, high=1)
    require_at_least(1, discriminator_updates=discriminator_updates)
    require_exact(model)
    _ema.check_decay(ema_decay)
    discriminator_loss = _adversarial.penalized_loss(discriminator, cross_entropy, penalty)

    def init(key: jax.Array) -> AdversarialState:
        return _adversarial.init(key, model, discriminator, generator_optimizer, discriminator_optimizer)

    def update_discriminator(key: jax.Array, state: AdversarialState, batch: Batch) -> tuple[AdversarialState, Metrics]:
        dropout_key = jax.random.fold_in(key, 2)
        latent_key, noise_key = jax.random.split(key)
        num, params = len(batch.tokens), state.generator_params
        given = inputs(model, latent_key, num, batch.condition)
        generated_BT = sample(noise_key, model, params, num, given, length=model.length)
        return _adversarial.update_discriminator(
            state,
            Sequences(one_hot(batch.tokens, model), batch.condition),
            Sequences(one_hot(generated_BT, model), batch.condition),
            dropout_key,
            loss=discriminator_loss,
            optimizer=discriminator_optimizer,
            shard_axis=shard_axis,
        )

    def step(key: jax.Array, state: AdversarialState, batch: Batch) -> tuple[AdversarialState, Metrics]:
        batch = check_batch(batch, model, num_updates=discriminator_updates, weights=True)
        updates_key, likelihood_key, logit_key = (jax.random.fold_in(key, number) for number in (3, 4, 5))
        state, batch = _adversarial.first_updates(
            updates_key, state, batch, discriminator_updates, lambda *arguments: update_discriminator(*arguments)[0]
        )
        state, metrics = update_discriminator(key, state, batch)
        given = inputs(model, likelihood_key, len(batch.tokens), batch.condition, training=True)

        log_prob_B, pull_back = jax.vjp(
            lambda params: jnp.sum(token_log_probs(model, params, batch.tokens, given), axis=1), state.generator_params
        )
        logit_B = None
        if adversarial:
            real = Sequences(one_hot(batch.tokens, model), batch.condition)
            params = state.discriminator_params
            logit_B = _adversarial.discriminator_logits(discriminator, params, real, logit_key)
        data_log_prob_B = jnp.zeros_like(log_prob_B) if batch.weights is None else -jnp.log(batch.weights)
        exponent = at_step(weight_exponent, state.step)
        weighted = weighted_likelihood(
            log_prob_B, data_log_prob_B, logit_B, weight_exponent=exponent, shard_axis=shard_axis
        )
        num_shards = 1 if shard_axis is None else jax.lax.axis_size(shard_axis)
        # Weights are normalized over the whole batch, gradients are averaged over shards.
        gradient = mean_over(shard_axis, pull_back(-num_shards * weighted.weights)[0])
        metrics |= {
            "generator_loss": weighted.loss,
            "effective_sample_size": weighted.effective_sample_size,
            "negative_log_likelihood": -jnp.mean(log_prob_B),
            "generator_gradient_norm": optax.tree.norm(gradient),
        }
        state = _adversarial.update_generator(state, gradient, optimizer=generator_optimizer, ema_decay=ema_decay)
        return state, metrics

    return _adversarial.algorithm(init, step, model, discriminator, discriminator_updates)


def weighted_likelihood(
    log_prob: jax.Array,
    data_log_prob: jax.Array,
    logit: jax.Array | None,
    *,
    weight_exponent: ArrayLike = 1.0,
    shard_axis: str | None = None,
) -> WeightedLikelihood:
    """Computes Toth's generator loss and the weights of its gradient, in log space.

    Args:
      log_prob: `[B]` log p_G(x) of real sequences, in nats.
      data_log_prob: `[B]` log p_data(x).
      logit: `[B]` the discriminator's logits d, with -log(1 - D) = softplus(d); None replaces softplus(d) by 1.
      weight_exponent: a in [0, 1], the exponent of p_G / p_data in the weights; the loss is always Toth's, with a = 1.
      shard_axis: name of the mapped axis over which the batch is spread; None if it is not spread.

    Returns:
      A `WeightedLikelihood`.

    References:
      Toth 2021, section 3, https://github.com/tarnag57/particle_filter_gan.
    """
    log_f_B = jnp.zeros_like(log_prob) if logit is None else log_softplus(logit)
    log_ratio_B = log_prob - data_log_prob
    num_shards = 1 if shard_axis is None else jax.lax.axis_size(shard_axis)
    log_mean = _log_sum(log_f_B + log_ratio_B, shard_axis) - jnp.log(num_shards * len(log_prob))
    tempered_B = log_f_B + weight_exponent * log_ratio_B
    log_weights_B = tempered_B - _log_sum(tempered_B, shard_axis)
    size = jnp.exp(-_log_sum(2.0 * log_weights_B, shard_axis))
    return WeightedLikelihood(-log_mean, jnp.exp(log_weights_B), size)


def log_softplus(logit: jax.Array) -> jax.Array:
    """Computes log(softplus(d)) = log(-log(1 - D)) without underflow at any logit d."""
    kept = jnp.maximum(logit, _LINEAR_BELOW)
    return jnp.where(logit < _LINEAR_BELOW, logit, jnp.log(jax.nn.softplus(kept)))


def _log_sum(log_values: jax.Array, shard_axis: str | None) -> jax.Array:
    """Computes the logarithm of the sum of exponentials, over the batch and its shards."""
    total = jax.nn.logsumexp(log_values)
    return total if shard_axis is None else jax.nn.logsumexp(jax.lax.all_gather(total, shard_axis))
