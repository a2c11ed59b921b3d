"""Shared parts of adversarial algorithms: the state, the discriminator's loss, and the updates of a step."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import optax

from gumbel_gan.algorithms import _ema
from gumbel_gan.algorithms._batch import one_hot
from gumbel_gan.algorithms.interface import Algorithm, DiscriminatorLogits, Metrics, State
from gumbel_gan.arguments import Scalar, at_step, is_zero, require_kind
from gumbel_gan.carried import Position
from gumbel_gan.data import Batch
from gumbel_gan.losses.penalties import (
    GradientPenalty,
    check_penalty,
    interpolate,
    logits_and_gradients,
    one_centered_gradient_penalty,
    zero_centered_gradient_penalty,
)
from gumbel_gan.model import SequenceModel
from gumbel_gan.networks import Discriminator, Params, PrefixDiscriminator
from gumbel_gan.sharding import mean_over

PyTree = Any


class AdversarialState(NamedTuple):
    """State of an adversarial algorithm; arrays only.

    Attributes:
      step: int32 scalar, number of updates of the generator.
      generator_params: parameters of the generator.
      discriminator_params: parameters of the discriminator.
      ema_params: exponential moving average of `generator_params`.
      generator_opt_state: state of the generator's optimizer.
      discriminator_opt_state: state of the discriminator's optimizer.
      discriminator_ema_params: exponential moving average of `discriminator_params`; None if the generator is trained
        against the newest parameters.
      position: position of the generator in the long text of each of the B rows, over all shards; None if the sequences
        of a batch do not continue those of the batch before.
    """

    step: jax.Array
    generator_params: Params
    discriminator_params: Params
    ema_params: Params
    generator_opt_state: optax.OptState
    discriminator_opt_state: optax.OptState
    discriminator_ema_params: Params | None = None
    position: Position | None = None


class Sequences(NamedTuple):
    """Sequences that a discriminator reads.

    Attributes:
      x: `[N, T, K]` one-hot or relaxed symbols.
      condition: a pytree with a leading axis of N, or None.
    """

    x: jax.Array
    condition: PyTree = None


class DiscriminatorLoss(Protocol):
    """A loss function of a discriminator's parameters."""

    def __call__(
        self, params: Params, step: jax.Array, real: Sequences, generated: Sequences, key: jax.Array, /
    ) -> tuple[jax.Array, Metrics]:
        """Returns the scalar loss at a step on real and generated sequences, and metrics; `key` is for dropout."""
        ...


def init(
    key: jax.Array,
    model: SequenceModel,
    discriminator: Discriminator | PrefixDiscriminator,
    generator_optimizer: optax.GradientTransformation,
    discriminator_optimizer: optax.GradientTransformation,
) -> AdversarialState:
    """Returns the state before the first step; consumes the key."""
    generator_key, discriminator_key = jax.random.split(key)
    generator_params = model.init(generator_key)
    discriminator_params = discriminator.init(discriminator_key)
    return AdversarialState(
        step=jnp.zeros((), jnp.int32),
        generator_params=generator_params,
        discriminator_params=discriminator_params,
        ema_params=_ema.init(generator_params),
        generator_opt_state=generator_optimizer.init(generator_params),
        discriminator_opt_state=discriminator_optimizer.init(discriminator_params),
    )


def params(state: AdversarialState, *, averaged: bool = True) -> Params:
    """Returns the EMA of the generator's parameters, or the newest parameters if `averaged` is false."""
    return state.ema_params if averaged else state.generator_params


def discriminator_logits(
    discriminator: Discriminator | PrefixDiscriminator,
    params: Params,
    sequences: Sequences,
    key: jax.Array | None = None,
) -> jax.Array:
    """Computes a discriminator's logits, in float32.

    With a key, which is consumed, dropout is on if the network uses it.
    """
    given: dict[str, Any] = {}
    if sequences.condition is not None:
        given["condition"] = sequences.condition
    if key is not None and discriminator.uses_dropout:
        given["dropout_key"] = key
    return discriminator.logits(params, sequences.x, **given).astype(jnp.float32)


def packed(sequences: Sequences, pack_size: int) -> Sequences:
    """Returns packs of m sequences, x `[N / m, T, m K]`, with m the `pack_size` of a discriminator.

    Raises:
      ValueError: m is more than 1, and there is a condition or N is not a multiple of m.
    """
    if pack_size == 1:
        return sequences
    num, length, num_symbols = sequences.x.shape
    if sequences.condition is not None:
        raise ValueError(f"discriminator must judge single sequences with a condition, got packs of {pack_size}")
    if num % pack_size:
        raise ValueError(f"batch must be a multiple of the discriminator's pack_size, {pack_size}, got {num} sequences")
    packs_PMTK = sequences.x.reshape(num // pack_size, pack_size, length, num_symbols)
    return Sequences(jnp.swapaxes(packs_PMTK, 1, 2).reshape(num // pack_size, length, pack_size * num_symbols))


def update_discriminator(
    state: AdversarialState,
    real: Sequences,
    generated: Sequences,
    key: jax.Array,
    *,
    loss: DiscriminatorLoss,
    optimizer: optax.GradientTransformation,
    shard_axis: str | None,
) -> tuple[AdversarialState, Metrics]:
    """Updates the discriminator.

    Args:
      state: the state.
      real: real sequences.
      generated: generated sequences.
      key: typed PRNG key for dropout; consumed.
      loss: the discriminator's loss.
      optimizer: the discriminator's optimizer.
      shard_axis: name of the mapped axis that gradients are averaged over; None if there is none.

    Returns:
      The state with the new discriminator, and the metrics of the loss.
    """
    gradient, metrics = jax.grad(loss, has_aux=True)(state.discriminator_params, state.step, real, generated, key)
    updates, opt_state = optimizer.update(
        mean_over(shard_axis, gradient), state.discriminator_opt_state, state.discriminator_params
    )
    params = optax.apply_updates(state.discriminator_params, updates)
    return state._replace(discriminator_params=params, discriminator_opt_state=opt_state), metrics


def first_updates(
    key: jax.Array,
    state: AdversarialState,
    batch: Batch,
    num_updates: int,
    update: Callable[[jax.Array, AdversarialState, Batch], AdversarialState],
) -> tuple[AdversarialState, Batch]:
    """Updates the discriminator on all batches of a step but the last.

    Args:
      key: typed PRNG key; consumed if there is more than one update.
      state: the state.
      batch: the concatenated batches of `num_updates` updates.
      num_updates: number of discriminator updates in a step, at least 1.
      update: (key, state, batch) -> state, one update on fresh generated sequences.

    Returns:
      The state, and the last batch, on which the discriminator and then the generator are to be updated.
    """
    if num_updates == 1:
        return state, batch
    batches = jax.tree.map(lambda leaf: leaf.reshape(num_updates, -1, *leaf.shape[1:]), batch)

    def body(state: AdversarialState, number_and_batch: tuple[jax.Array, Batch]) -> tuple[AdversarialState, None]:
        number, batch = number_and_batch
        return update(jax.random.fold_in(key, number), state, batch), None

    numbers = jnp.arange(num_updates - 1, dtype=jnp.int32)
    state, _ = jax.lax.scan(body, state, (numbers, jax.tree.map(lambda leaf: leaf[:-1], batches)))
    return state, jax.tree.map(lambda leaf: leaf[-1], batches)


def update_generator(
    state: AdversarialState, gradient: Params, *, optimizer: optax.GradientTransformation, ema_decay: Scalar
) -> AdversarialState:
    """Updates the generator, as the last part of a step.

    Args:
      state: the state.
      gradient: the gradient of the generator's loss, averaged over all data shards.
      optimizer: the generator's optimizer.
      ema_decay: decay of the moving average of the generator's parameters, in [0, 1).

    Returns:
      The state for the next step.
    """
    updates, opt_state = optimizer.update(gradient, state.generator_opt_state, state.generator_params)
    params = optax.apply_updates(state.generator_params, updates)
    return state._replace(
        step=state.step + 1,
        generator_params=params,
        ema_params=_ema.update(params, state.ema_params, ema_decay, state.step),
        generator_opt_state=opt_state,
    )


def penalized_loss(
    discriminator: Discriminator | PrefixDiscriminator,
    loss: Callable[[jax.Array, jax.Array], jax.Array],
    penalty: GradientPenalty,
) -> DiscriminatorLoss:
    """Builds the discriminator's loss, L(d(x), d(y)) + w_real R1(x) + w_generated R2(y) + w_interpolated G(x, y).

    Args:
      discriminator: the discriminator; a `PrefixDiscriminator` only without penalties.
      loss: L, a function of the logits of real and generated sequences, `[B]` and `[N]`, or of the logits of their
        prefixes, `[B, T]` and `[N, T]`.
      penalty: the weights of the penalties, and the share of the sequences at which they are computed.

    Returns:
      A `DiscriminatorLoss`.

    Raises:
      TypeError: `penalty` is not a `GradientPenalty`, or one of its fields has the wrong type.
      ValueError: a field of `penalty` is out of range.
    """
    check_penalty(penalty)
    weights: dict[str, Scalar] = {
        name: weight
        for name, weight in (
            ("real_penalty", penalty.real_weight),
            ("generated_penalty", penalty.generated_weight),
            ("interpolated_penalty", penalty.interpolated_weight),
        )
        if weight is not None and not is_zero(weight)
    }
    interpolated_weight = weights.pop("interpolated_penalty", None)
    pack_size = _pack_size(discriminator)

    def by_symbol(gradient_NTK: jax.Array) -> jax.Array:
        """Returns gradients with a row for each symbol; a pack has several symbols at each position."""
        num, length, size = gradient_NTK.shape
        return gradient_NTK.reshape(num, pack_size * length, size // pack_size)

    def penalized(
        params: Params, step: jax.Array, real: Sequences, generated: Sequences, key: jax.Array
    ) -> tuple[jax.Array, Metrics]:
        def logits(sequences: Sequences, key: jax.Array) -> jax.Array:
            return discriminator_logits(discriminator, params, sequences, key)

        gradients: dict[str, jax.Array] = {}
        if weights:
            real_B, generated_N, *pair = _logits_and_some_gradients(logits, real, generated, penalty.fraction, key)
            gradients = dict(zip(("real_penalty", "generated_penalty"), pair, strict=True))
        else:
            real_B, generated_N = jnp.split(logits(_concatenate(real, generated), key), [len(real.x)])
        total = loss(real_B, generated_N)
        metrics = {
            "discriminator_loss": total,
            "real_logit": jnp.mean(real_B),
            "generated_logit": jnp.mean(generated_N),
        }
        for name, weight in weights.items():
            metrics[name] = zero_centered_gradient_penalty(by_symbol(gradients[name]))
            total = total + at_step(weight, step) * metrics[name]
        if interpolated_weight is not None:
            num = max(1, round(penalty.fraction * min(len(real.x), len(generated.x))))
            point_key, dropout_key = (jax.random.fold_in(key, number) for number in (2, 3))
            first = _rows(real, slice(num))
            between = interpolate(point_key, first.x, generated.x[:num])
            _, gradient = logits_and_gradients(lambda x: logits(first._replace(x=x), dropout_key), between)
            metrics["interpolated_penalty"] = one_centered_gradient_penalty(by_symbol(gradient))
            total = total + at_step(interpolated_weight, step) * metrics["interpolated_penalty"]
        return total, metrics

    return penalized


def check_parts(
    model: Any,
    discriminator: Any,
    kind: type,
    generator_optimizer: Any,
    discriminator_optimizer: Any,
    *,
    takes_packs: bool = False,
) -> None:
    """Checks the parts of an algorithm; errors name the argument.

    Args:
      model: a `SequenceModel`.
      discriminator: an instance of `kind`.
      kind: `Discriminator` or `PrefixDiscriminator`.
      generator_optimizer: an `optax.GradientTransformation`.
      discriminator_optimizer: an `optax.GradientTransformation`.
      takes_packs: whether the discriminator may judge packs.

    Raises:
      TypeError: a part has the wrong type.
      ValueError: the discriminator judges packs, and `takes_packs` is false.
    """
    require_kind(SequenceModel, model=model)
    require_kind(kind, discriminator=discriminator)
    require_kind(
        optax.GradientTransformation,
        generator_optimizer=generator_optimizer,
        discriminator_optimizer=discriminator_optimizer,
    )
    if not takes_packs and _pack_size(discriminator) > 1:
        raise ValueError(f"discriminator must judge single sequences, got packs of {_pack_size(discriminator)}")


def algorithm(
    init: Callable[[jax.Array], State],
    step: Callable[[jax.Array, State, Batch], tuple[State, Metrics]],
    model: SequenceModel,
    discriminator: Discriminator,
    num_updates: int = 1,
) -> Algorithm:
    """Builds the `Algorithm` of an `AdversarialState` and a discriminator of symbols, or of packs of sequences."""
    logits = logits_of_tokens(discriminator, model) if discriminator.pack_size == 1 else None
    return Algorithm(init, step, params, model, num_updates, logits)


def logits_of_tokens(discriminator: Discriminator | PrefixDiscriminator, model: SequenceModel) -> DiscriminatorLogits:
    """Builds the `Algorithm.discriminator_logits` for an `AdversarialState` and a discriminator of symbols."""

    def logits(state: AdversarialState, tokens: jax.Array, *, condition: PyTree = None) -> jax.Array:
        sequences = Sequences(one_hot(tokens, model), condition)
        logits_N = discriminator_logits(discriminator, state.discriminator_params, sequences)
        return logits_N[:, -1] if isinstance(discriminator, PrefixDiscriminator) else logits_N

    return logits


def _pack_size(discriminator: Discriminator | PrefixDiscriminator) -> int:
    return discriminator.pack_size if isinstance(discriminator, Discriminator) else 1


def _logits_and_some_gradients(
    logits: Callable[[Sequences, jax.Array], jax.Array],
    real: Sequences,
    generated: Sequences,
    fraction: float,
    key: jax.Array,
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Computes all logits, and their gradients with respect to the first `fraction` of real and generated sequences."""
    num_real, num_generated = (max(1, round(fraction * len(sequences.x))) for sequences in (real, generated))
    some = _concatenate(_rows(real, slice(num_real)), _rows(generated, slice(num_generated)))
    some_key, rest_key = jax.random.split(key)
    some_logits, gradients = logits_and_gradients(lambda x: logits(some._replace(x=x), some_key), some.x)
    real_logits, generated_logits = [some_logits[:num_real]], [some_logits[num_real:]]
    if num_real < len(real.x) or num_generated < len(generated.x):
        rest = _concatenate(_rows(real, slice(num_real, None)), _rows(generated, slice(num_generated, None)))
        rest_logits = logits(rest, rest_key)
        real_logits.append(rest_logits[: len(real.x) - num_real])
        generated_logits.append(rest_logits[len(real.x) - num_real :])
    return (
        jnp.concatenate(real_logits),
        jnp.concatenate(generated_logits),
        gradients[:num_real],
        gradients[num_real:],
    )


def _concatenate(first: Sequences, second: Sequences) -> Sequences:
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), first, second)


def _rows(sequences: Sequences, rows: slice) -> Sequences:
    return jax.tree.map(lambda leaf: leaf[rows], sequences)
