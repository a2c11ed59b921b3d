"""Professor Forcing (Lamb et al. 2016): maximum likelihood with a GAN on hidden states and outputs."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

from gumbel_gan import carried, unroll
from gumbel_gan.algorithms import _adversarial, _ema, _rows
from gumbel_gan.algorithms._adversarial import AdversarialState, Sequences
from gumbel_gan.algorithms._batch import check_batch
from gumbel_gan.algorithms.interface import Algorithm, Metrics
from gumbel_gan.arguments import Scalar, at_step, require_one_of, require_scalar
from gumbel_gan.carried import Position
from gumbel_gan.data import Batch
from gumbel_gan.losses.objectives import cross_entropy
from gumbel_gan.model import (
    SequenceModel,
    hidden_states_and_logits,
    hidden_step,
    inputs,
    require_exact,
    require_hidden_states,
    sample,
)
from gumbel_gan.networks import Discriminator, Params
from gumbel_gan.sharding import mean_over

PyTree = Any

BEHAVIORS = ("states_and_outputs", "states", "outputs")


def professor_forcing(
    model: SequenceModel,
    discriminator: Discriminator,
    *,
    generator_optimizer: optax.GradientTransformation,
    discriminator_optimizer: optax.GradientTransformation,
    free_running_weight: Scalar = 1.0,
    teacher_forced_weight: Scalar | None = None,
    generator_threshold: Scalar | None = 0.75,
    discriminator_threshold: Scalar | None = 0.99,
    behavior: str = "states_and_outputs",
    restart_rate: Scalar | None = None,
    batch_size: int | None = None,
    ema_decay: Scalar = 0.0,
    shard_axis: str | None = None,
) -> Algorithm:
    """Builds Professor Forcing: maximum likelihood with a discriminator of teacher-forced and free-running behavior.

    The behavior B(x) of the generator along a sequence x consists of its hidden states and its softmax outputs,
    `[T, H + K]`. A step draws as many sequences y as there are real ones, x. The discriminator learns by cross-entropy
    to tell B(x), teacher-forced, from B(y), free-running. The generator minimizes

        -log p(x) - w_f log D(B(y)) - w_t log(1 - D(B(x)))

    per sequence, with the discriminator before its update. The paper has w_f = 1 and w_t = 0 or 1.

    Symbols are discrete. The gradient of -log D(B(y)) flows through the softmax outputs and the hidden states, from
    each time to all times before, while the symbols of y are constants. So the generator learns to change its hidden
    states on the sequences that it draws, but not to draw other sequences. In `policy_gradient` and `relaxed_gan` it
    learns to draw other sequences. Without the last term, only the gradient of the likelihood flows through B(x).

    Two gates depend on the discriminator's accuracy on the teacher-forced and free-running behaviors of the step. The
    adversarial terms reach the generator only if the accuracy is above `generator_threshold`. The discriminator is
    updated only if the accuracy is below `discriminator_threshold`.

    With a `restart_rate`, sequences are windows of a long text, and row b of a batch must continue row b of the batch
    before (`reads_in_order`). Both behaviors then start from the state after the text before the window, as in
    `truncated_likelihood`. No gradient flows into that state.

    Hyperparameters of type `Scalar` are numbers, traced numbers or schedules.

    Args:
      model: the model; its generator has hidden states and no latent.
      discriminator: the discriminator of behaviors `[B, T, H + K]`, such as `networks.behavior_discriminator(H + K)`.
      generator_optimizer: the generator's optimizer.
      discriminator_optimizer: the discriminator's optimizer.
      free_running_weight: w_f >= 0, in nats per sequence.
      teacher_forced_weight: w_t >= 0, in nats per sequence; None leaves out the last term.
      generator_threshold: the accuracy in [0, 1] above which the adversarial terms reach the generator; None: always.
      discriminator_threshold: the accuracy in [0, 1] below which the discriminator is updated; None: always. Without an
        update, its parameters and the moments of its optimizer stay the same, and schedules advance.
      behavior: input of the discriminator, 'states_and_outputs', 'states' or 'outputs'; static. The part of B that is
        left out is 0 and has no gradient.
      restart_rate: for windows of a long text, the probability in [0, 1] that a row restarts at a window, with the
        initial state and the start symbol; None: every sequence starts so, and batches need no order.
      batch_size: B, batch size over all shards, at least 1; unused without a `restart_rate`.
      ema_decay: decay of the moving average of the generator's parameters, in [0, 1). After t updates the decay is at
        most (1 + t) / (10 + t).
      shard_axis: name of the mapped axis of data shards; None if there is none. The accuracy is that of all shards.

    Returns:
      An `Algorithm`. Its metrics are `generator_loss`, the sum of all terms that reach the generator;
      `negative_log_likelihood`, in nats per sequence; `fooling_loss`, -log D(B(y)) without weight or gate;
      `discriminator_loss` and `discriminator_accuracy`; `generator_gate` and `discriminator_gate`, 1 if a gate is open,
      else 0; and `generator_gradient_norm`.

    Raises:
      TypeError: an argument has the wrong type.
      ValueError: a weight, a threshold, `restart_rate` or `ema_decay` is out of range, `behavior` is not one of
        `BEHAVIORS`, or the generator has a latent or no hidden states; or, with a `restart_rate`, `batch_size` is None
        or less than 1, or the generator has no `hidden_step` or a state that `carried.require_carried` refuses.

    References:
      Lamb et al. 2016, section 2, https://arxiv.org/abs/1610.09038.
    """
    _adversarial.check_parts(model, discriminator, Discriminator, generator_optimizer, discriminator_optimizer)
    require_exact(model)
    require_hidden_states(model)
    _ema.check_decay(ema_decay)
    require_one_of(BEHAVIORS, behavior=behavior)
    require_scalar("free_running_weight", free_running_weight, low=0)
    if teacher_forced_weight is not None:
        require_scalar("teacher_forced_weight", teacher_forced_weight, low=0)
    thresholds = {"generator_threshold": generator_threshold, "discriminator_threshold": discriminator_threshold}
    for name, threshold in thresholds.items():
        if threshold is not None:
            require_scalar(name, threshold, low=0, high=1)
    if restart_rate is not None:
        if batch_size is None:
            raise ValueError("batch_size must be an integer with a restart_rate, got None")
        _rows.check_arguments(model, batch_size, restart_rate)
        hidden_step(model, None)  # Raises ValueError if the generator has none.

    def init(key: jax.Array) -> AdversarialState:
        state = _adversarial.init(key, model, discriminator, generator_optimizer, discriminator_optimizer)
        if restart_rate is None or batch_size is None:
            return state
        return state._replace(position=carried.beginning(model, state.generator_params, batch_size))

    def behavior_of(hidden_NTH: jax.Array, logits_NTK: jax.Array) -> jax.Array:
        states = jnp.zeros_like(hidden_NTH) if behavior == "outputs" else hidden_NTH
        outputs = jnp.zeros_like(logits_NTK) if behavior == "states" else jax.nn.softmax(logits_NTK)
        return jnp.concatenate([states, outputs], axis=-1)

    def logits(params: Params, forced: Sequences, free: Sequences, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Computes the logits of teacher-forced and free-running behaviors in one pass."""
        both = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), forced, free)
        logits_N = _adversarial.discriminator_logits(discriminator, params, both, key)
        return logits_N[: len(forced.x)], logits_N[len(forced.x) :]

    def discriminator_loss(
        params: Params, step: jax.Array, forced: Sequences, free: Sequences, key: jax.Array
    ) -> tuple[jax.Array, Metrics]:
        del step
        forced_B, free_B = logits(params, forced, free, key)
        loss = cross_entropy(forced_B, free_B)
        accuracy = (jnp.mean(forced_B > 0) + jnp.mean(free_B < 0)) / 2
        return loss, {"discriminator_loss": loss, "discriminator_accuracy": accuracy}

    def adversarial_loss(
        behaviors: tuple[jax.Array, jax.Array], params: Params, step: jax.Array, condition: PyTree, key: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        forced, free = (Sequences(behavior, condition) for behavior in behaviors)
        free_weight = at_step(free_running_weight, step)
        if teacher_forced_weight is None:
            free_B = _adversarial.discriminator_logits(discriminator, params, free, key)
            fooling_loss = jnp.mean(jax.nn.softplus(-free_B))
            return free_weight * fooling_loss, fooling_loss
        forced_B, free_B = logits(params, forced, free, key)
        fooling_loss = jnp.mean(jax.nn.softplus(-free_B))
        reverse_loss = jnp.mean(jax.nn.softplus(forced_B))
        return free_weight * fooling_loss + at_step(teacher_forced_weight, step) * reverse_loss, fooling_loss

    def step(key: jax.Array, state: AdversarialState, batch: Batch) -> tuple[AdversarialState, Metrics]:
        batch = check_batch(batch, model)
        if state.position is not None:
            _rows.check_windows(batch, state.position, shard_axis)
        dropout_key, update_key, loss_key = (jax.random.fold_in(key, number) for number in (2, 3, 4))
        num, params = len(batch.tokens), state.generator_params
        latent_key, noise_key = jax.random.split(key)
        given = inputs(model, latent_key, num, batch.condition)
        start = None
        if state.position is None or restart_rate is None:
            drawn_BT = sample(noise_key, model, params, num, given, length=model.length)
        else:
            restart_key, rate = jax.random.fold_in(key, 5), at_step(restart_rate, state.step)
            start = _rows.start(restart_key, state.position, num, restart_rate=rate, shard_axis=shard_axis)
            drawn_BT = carried.write(noise_key, model, params, _rows.begun(model, params, start, given))

        def behave(params: Params) -> tuple[tuple[tuple[jax.Array, jax.Array], jax.Array], Position | None]:
            # One pass over real and drawn sequences, which have the same conditions and the same text before them.
            tokens_NT = jnp.concatenate([batch.tokens, drawn_BT])
            given = inputs(model, dropout_key, 2 * num, _twice(batch.condition), training=True)
            after = None
            if start is None:
                hidden_NTH, logits_NTK = hidden_states_and_logits(model, params, tokens_NT, given)
            else:
                begun = _rows.begun(model, params, _twice(start), given)
                ended, hidden_NTH, logits_NTK = carried.read_with_states(model, params, begun, tokens_NT)
                after = jax.tree.map(lambda leaf: leaf[:num], _rows.without_dropout(ended, start))
            behavior_NTF = behavior_of(hidden_NTH, logits_NTK)
            log_prob_B = jnp.sum(unroll.token_log_probs(logits_NTK[:num], batch.tokens), axis=1)
            return ((behavior_NTF[:num], behavior_NTF[num:]), jnp.mean(log_prob_B)), after

        (behaviors, log_prob), pull_back, after = jax.vjp(behave, params, has_aux=True)
        updated, metrics = _adversarial.update_discriminator(
            state,
            Sequences(behaviors[0], batch.condition),
            Sequences(behaviors[1], batch.condition),
            update_key,
            loss=discriminator_loss,
            optimizer=discriminator_optimizer,
            shard_axis=shard_axis,
        )
        accuracy = mean_over(shard_axis, metrics["discriminator_accuracy"])
        generator_gate = discriminator_gate = jnp.ones((), bool)
        if generator_threshold is not None:
            generator_gate = accuracy > at_step(generator_threshold, state.step)
        if discriminator_threshold is not None:
            discriminator_gate = accuracy < at_step(discriminator_threshold, state.step)

        (adversarial, fooling_loss), by_behavior = jax.value_and_grad(adversarial_loss, has_aux=True)(
            behaviors, state.discriminator_params, state.step, batch.condition, loss_key
        )
        # Not a product, because the gradient behind a closed gate may be NaN.
        adversarial, by_behavior = jax.tree.map(
            lambda term: jnp.where(generator_gate, term, jnp.zeros_like(term)), (adversarial, by_behavior)
        )
        gradient = mean_over(shard_axis, pull_back((by_behavior, -jnp.ones_like(log_prob)))[0])

        metrics |= {
            "generator_loss": adversarial - log_prob,
            "negative_log_likelihood": -log_prob,
            "fooling_loss": fooling_loss,
            "generator_gradient_norm": optax.tree.norm(gradient),
            "generator_gate": generator_gate.astype(jnp.float32),
            "discriminator_gate": discriminator_gate.astype(jnp.float32),
        }
        state = jax.tree.map(partial(_where_open, discriminator_gate), updated, state)
        state = _adversarial.update_generator(state, gradient, optimizer=generator_optimizer, ema_decay=ema_decay)
        if after is not None:
            state = state._replace(position=_rows.of_all(after, shard_axis))
        return state, metrics

    def discriminator_logits(state: AdversarialState, tokens: jax.Array, *, condition: PyTree = None) -> jax.Array:
        given = inputs(model, None, tokens.shape[0], condition)
        behavior_NTF = behavior_of(*hidden_states_and_logits(model, state.generator_params, tokens, given))
        sequences = Sequences(behavior_NTF, condition)
        return _adversarial.discriminator_logits(discriminator, state.discriminator_params, sequences)

    return Algorithm(
        init,
        step,
        _adversarial.params,
        model,
        discriminator_logits=discriminator_logits,
        reads_in_order=restart_rate is not None,
    )


def _twice(tree: PyTree) -> PyTree:
    """Returns arrays `[N, ...]` as `[2 N, ...]`, repeated."""
    return jax.tree.map(lambda leaf: jnp.concatenate([leaf, leaf]), tree)


def _where_open(gate: jax.Array, new: jax.Array, old: jax.Array) -> jax.Array:
    """Selects the new leaf of a state if a gate is open, else the old one.

    Integer counts always advance, because schedules count all steps.
    """
    return new if jnp.issubdtype(new.dtype, jnp.integer) else jnp.where(gate, new, old)
