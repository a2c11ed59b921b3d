"""Beam search for the most probable sequences of a model."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gumbel_gan import unroll
from gumbel_gan.arguments import require_at_least, require_kind
from gumbel_gan.model import SequenceModel, inputs, token_step
from gumbel_gan.networks import Params
from gumbel_gan.networks.masks import possible

PyTree = Any


class Beams(NamedTuple):
    """Result of a beam search.

    Attributes:
      tokens: `[N, W, T]` int32, the sequences, the most probable first.
      log_probs: `[N, W]` log-probabilities in nats, padding included; -inf for beams beyond the number of possible
        sequences.
    """

    tokens: jax.Array
    log_probs: jax.Array


def beam_search(
    model: SequenceModel,
    params: Params,
    num: int,
    *,
    beam_size: int,
    condition: PyTree = None,
    key: jax.Array | None = None,
) -> Beams:
    """Searches for the most probable sequences, keeping the W most probable prefixes at each step.

    W = 1 is greedy decoding. If W is the number of possible sequences, the search is exhaustive. Log-probabilities are
    not normalized by length: a sequence that has ended continues with padding of probability 1. Jit with `num` and
    `beam_size` static.

    Args:
      model: the model. Each array of its generator's carry has at most one axis of sequences. This axis is found from
        the shapes: it is the one whose size changes with the number of sequences.
      params: the generator's parameters.
      num: N, number of searches.
      beam_size: W, at least 1.
      condition: a pytree with a leading axis of N, the condition of each search; None for unconditional generation.
      key: typed PRNG key for the latent; consumed. All W sequences of a search share one latent. None if the generator
        has no latent.

    Returns:
      A `Beams`.

    Raises:
      TypeError: `model` is not a `SequenceModel`, `key` is not a typed PRNG key, or `num` or `beam_size` is not an
        integer.
      ValueError: `num` is negative, `beam_size` is less than 1, a leaf of `condition` has no leading axis of N, `key`
        is None for a generator with a latent, or an array of the generator's carry has more than one axis of sequences.

    References:
      Sutskever et al. 2014, section 3.2, https://arxiv.org/abs/1409.3215.
    """
    require_kind(SequenceModel, model=model)
    require_at_least(0, num=num)
    require_at_least(1, beam_size=beam_size)
    if key is None and model.generator.sample_latent is not None:
        raise ValueError("key must be given for a generator with a latent, got None")
    generator, length = model.generator, model.length
    num_symbols, num_rows = generator.num_symbols, num * beam_size
    given = jax.tree.map(lambda leaf: jnp.repeat(leaf, beam_size, axis=0), inputs(model, key, num, condition))
    carry = generator.initial_carry(params, num_rows, length, **given)
    axes = _row_axes(model, params, given)
    step = token_step(model, params)

    def body(state, time):
        carry, token_R, log_prob_NW, tokens_NWT = state
        carry, logits_RK = step(carry, token_R)
        token_log_prob_NWK = jax.nn.log_softmax(logits_RK).reshape(num, beam_size, num_symbols)
        total_NC = (log_prob_NW[..., None] + token_log_prob_NWK).reshape(num, beam_size * num_symbols)
        log_prob_NW, choice_NW = jax.lax.top_k(total_NC, beam_size)
        parent_NW, token_NW = choice_NW // num_symbols, (choice_NW % num_symbols).astype(jnp.int32)
        row_R = (jnp.arange(num, dtype=parent_NW.dtype)[:, None] * beam_size + parent_NW).reshape(num_rows)

        def follow(leaf: jax.Array, axis: int) -> jax.Array:
            return leaf if axis < 0 else jnp.take(leaf, row_R, axis=axis)

        tokens_NWT = jnp.take_along_axis(tokens_NWT, parent_NW[..., None], axis=1).at[:, :, time].set(token_NW)
        return (jax.tree.map(follow, carry, axes), token_NW.reshape(num_rows), log_prob_NW, tokens_NWT), None

    # All prefixes are empty at first, so all but one get probability 0.
    first_NW = jnp.full((num, beam_size), -jnp.inf, jnp.float32).at[:, 0].set(0.0)
    tokens_NWT = jnp.zeros((num, beam_size, length), jnp.int32)
    state = (carry, unroll.start_tokens(num_rows, num_symbols), first_NW, tokens_NWT)
    (_, _, log_prob_NW, tokens_NWT), _ = jax.lax.scan(body, state, jnp.arange(length, dtype=jnp.int32))
    return Beams(tokens_NWT, possible(log_prob_NW))


def _row_axes(model: SequenceModel, params: Params, given: dict[str, Any]) -> PyTree:
    """Returns the axis of sequences of each leaf of the generator's carry; -1 if a leaf has no such axis."""

    def shapes(num: int) -> PyTree:
        def resized(leaf: jax.Array) -> jax.ShapeDtypeStruct:
            return jax.ShapeDtypeStruct((num, *leaf.shape[1:]), leaf.dtype)

        def carry(params: Params, given: dict[str, Any]) -> PyTree:
            return model.generator.initial_carry(params, num, model.length, **given)

        return jax.eval_shape(carry, params, jax.tree.map(resized, given))

    def axis(few: jax.ShapeDtypeStruct, more: jax.ShapeDtypeStruct) -> int:
        differ = [index for index, size in enumerate(few.shape) if size != more.shape[index]]
        if len(differ) > 1 or any((few.shape[index], more.shape[index]) != (2, 3) for index in differ):
            raise ValueError(
                "model must have a generator whose carry has at most one axis of sequences in each array, as long as "
                f"there are sequences; got shapes {few.shape} for 2 and {more.shape} for 3"
            )
        return differ[0] if differ else -1

    return jax.tree.map(axis, shapes(2), shapes(3))
