"""Professor Forcing: a GAN on what a recurrent net does, so that it does the same whoever chose the symbols."""

from functools import partial

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from gumbel_gan import unroll
from gumbel_gan.algorithms import adversary, averaging, likelihood
from gumbel_gan.algorithms.adversary import AdversarialState
from gumbel_gan.algorithms.interface import Algorithm, Metrics
from gumbel_gan.networks import Behavior, Discriminator, Generator, Params
from gumbel_gan.losses.objectives import cross_entropy
from gumbel_gan.sharding import mean_over


def professor_forcing(
    generator: Generator,
    discriminator: Discriminator,
    *,
    length: int,
    generator_optimizer: optax.GradientTransformation,
    discriminator_optimizer: optax.GradientTransformation,
    free_running_weight: optax.Schedule,
    teacher_forced_weight: optax.Schedule | None = None,
    generator_threshold: float | None = 0.75,
    discriminator_threshold: float | None = 0.99,
    average_decay: ArrayLike = 0.0,
    num_latent_draws: int = 256,
    shard_axis: str | None = None,
) -> Algorithm:
    """Makes Professor Forcing: maximum likelihood, with a discriminator of teacher-forced and free-running behaviour.

    The behaviour B(x) of the generator along a sequence x is what its recurrent state's tanh is taken of and its
    softmax outputs, `[T, H + K]`. A step draws as many sequences y as there are real ones, x. The discriminator learns
    by cross-entropy to tell B(x), teacher-forced, from B(y), free-running; the generator minimises

        -log p(x) - w_f log D(B(y)) - w_t log(1 - D(B(x)))

    per sequence, at the discriminator before its update. The paper has w_f = 1 beside a likelihood, and w_t = 0 or 1.

    Symbols are discrete. The gradient of -log D(B(y)) flows through the softmax outputs and along the recurrent state,
    from each time to all times before; it does not flow through which symbols y holds, which are constants to it. So
    the generator learns to behave well on the sequences that it draws, and not to draw others: for that there are
    `policy_gradient` and `relaxed_gan`. Without the last term, no gradient but that of the likelihood flows through
    B(x).

    Two gates, decided anew at each step by the discriminator's accuracy on the step's behaviours, both halves counted:
    its gradient reaches the generator only while the accuracy is above one threshold, and it trains only while the
    accuracy is below another.

    Args:
      generator: the generator, without a latent.
      discriminator: the discriminator of behaviours, such as `networks.behavior_discriminator(H + K, ...)`.
      length: T, number of symbols of a sequence, padding included.
      generator_optimizer: the generator's optimiser.
      discriminator_optimizer: the discriminator's optimiser.
      free_running_weight: schedule of w_f, in nats a sequence.
      teacher_forced_weight: schedule of w_t, in nats a sequence; None leaves that term out.
      generator_threshold: the accuracy, in [0, 1], above which the adversarial terms reach the generator; None has no
        such gate.
      discriminator_threshold: the accuracy, in [0, 1], below which the discriminator trains; None has no such gate. A
        shut gate keeps its weights and the moments of its optimiser; schedules go on.
      average_decay: decay of the moving average of the generator's weights, in [0, 1).
      num_latent_draws: unused, since there is no latent; every algorithm has it.
      shard_axis: name of the mapped axis of shards; None where there is none. The accuracy is that of all shards.

    Returns:
      An `Algorithm`. Its metrics are `generator_loss`, all terms that reach the generator; of these
      `negative_log_likelihood`, in nats a sequence, and `fooling_loss`, -log D(B(y)) without its weight or gate;
      `discriminator_loss` and `discriminator_accuracy`; `generator_gate` and `discriminator_gate`, 1 where a gate is
      open, else 0; and `generator_gradient_norm`. Its step raises ValueError for a batch that is not `[B, length]`.

    Raises:
      ValueError: a threshold, `average_decay` or `num_latent_draws` is out of its range, the generator has a latent, or
        the discriminator is none of whole sequences.

    References:
      Lamb et al. 2016, section 2, https://arxiv.org/abs/1610.09038.
    """
    likelihood.require_exact(generator)
    averaging.check_decay(average_decay)
    for name, threshold in (
        ("generator_threshold", generator_threshold),
        ("discriminator_threshold", discriminator_threshold),
    ):
        if threshold is not None and not 0 <= threshold <= 1:
            raise ValueError(f"{name} must be None or in [0, 1], got {threshold}")
    if not isinstance(discriminator, Discriminator):
        raise ValueError(f"discriminator must be a Discriminator, got a {type(discriminator).__name__}")
    observers = likelihood.of_average(generator, length, num_latent_draws)

    def init(key: jax.Array) -> AdversarialState:
        return adversary.init(key, generator, discriminator, generator_optimizer, discriminator_optimizer)

    def discriminator_loss(
        params: Params, step: jax.Array, teacher_forced: jax.Array, free_running: jax.Array
    ) -> tuple[jax.Array, Metrics]:
        del step
        forced_B, free_B = _logits(discriminator, params, teacher_forced, free_running)
        loss = cross_entropy(forced_B, free_B)
        return loss, {
            "discriminator_loss": loss,
            "discriminator_accuracy": (jnp.mean(forced_B > 0) + jnp.mean(free_B < 0)) / 2,
        }

    def adversarial_loss(
        behaviors: tuple[jax.Array, jax.Array], params: Params, step: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        forced_BTF, free_BTF = behaviors
        if teacher_forced_weight is None:
            fooled = jnp.mean(jax.nn.softplus(-discriminator.logits(params, free_BTF)))
            return free_running_weight(step) * fooled, fooled
        forced_B, free_B = _logits(discriminator, params, forced_BTF, free_BTF)
        fooled = jnp.mean(jax.nn.softplus(-free_B))
        fooled_back = jnp.mean(jax.nn.softplus(forced_B))
        return free_running_weight(step) * fooled + teacher_forced_weight(step) * fooled_back, fooled

    def step(key: jax.Array, state: AdversarialState, batch: jax.Array) -> tuple[AdversarialState, Metrics]:
        if batch.ndim != 2 or batch.shape[1] != length:
            raise ValueError(f"batch must be [B, {length}], got shape {batch.shape}")
        num = len(batch)
        drawn_BT = likelihood.sample(key, generator, state.generator, num, length)

        def behave(params: Params) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
            # Without a latent it is no draw.
            carry = generator.initial_carry(jax.random.key(0), 2 * num)
            both = likelihood.behavior(generator, params, carry, jnp.concatenate([batch, drawn_BT]))
            forced_BTF, free_BTF = jnp.split(_features(both), 2)
            log_prob_B = jnp.sum(unroll.token_log_probs(both.logits[:num], batch), axis=1)
            return (forced_BTF, free_BTF), jnp.mean(log_prob_B)

        (behaviors, log_prob), pull_back = jax.vjp(behave, state.generator)
        updated, metrics = adversary.update_discriminator(
            state, *behaviors, loss=discriminator_loss, optimizer=discriminator_optimizer, shard_axis=shard_axis
        )
        accuracy = mean_over(shard_axis, metrics["discriminator_accuracy"])
        generator_gate = jnp.asarray(generator_threshold is None or accuracy > generator_threshold)
        discriminator_gate = jnp.asarray(discriminator_threshold is None or accuracy < discriminator_threshold)

        (adversarial, fooled), by_behavior = jax.value_and_grad(adversarial_loss, has_aux=True)(
            behaviors, state.discriminator, state.step
        )
        # Not a product: what a shut gate keeps out may be no number.
        adversarial, by_behavior = jax.tree.map(
            lambda term: jnp.where(generator_gate, term, jnp.zeros_like(term)), (adversarial, by_behavior)
        )
        gradient = mean_over(shard_axis, pull_back((by_behavior, -jnp.ones_like(log_prob)))[0])

        metrics |= {
            "generator_loss": adversarial - log_prob,
            "negative_log_likelihood": -log_prob,
            "fooling_loss": fooled,
            "generator_gradient_norm": optax.tree.norm(gradient),
            "generator_gate": generator_gate.astype(jnp.float32),
            "discriminator_gate": discriminator_gate.astype(jnp.float32),
        }
        state = jax.tree.map(partial(_pass, discriminator_gate), updated, state)
        state = adversary.update_generator(state, gradient, optimizer=generator_optimizer, average_decay=average_decay)
        return state, metrics

    return Algorithm(init, step, *observers)


def _pass(gate: jax.Array, new: jax.Array, old: jax.Array) -> jax.Array:
    """Lets a new leaf of a state through an open gate. Counts always pass: schedules are of all steps."""
    return new if jnp.issubdtype(new.dtype, jnp.integer) else jnp.where(gate, new, old)


def _features(behavior: Behavior) -> jax.Array:
    """Writes behaviours `[..., H]` and `[..., K]` as one array `[..., H + K]`, with probabilities for the logits."""
    return jnp.concatenate([behavior.activations, jax.nn.softmax(behavior.logits)], axis=-1)


def _logits(
    discriminator: Discriminator, params: Params, first: jax.Array, second: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Gives the logits of two sets of behaviours, in one pass."""
    first_B, second_B = jnp.split(discriminator.logits(params, jnp.concatenate([first, second])), [len(first)])
    return first_B, second_B
