"""The interface of all training methods."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax

from gumbel_gan.data import Batch
from gumbel_gan.model import SequenceModel
from gumbel_gan.networks import Params

State = Any
Metrics = dict[str, jax.Array]


class ParamsOf(Protocol):
    """Reads the generator's parameters from a state."""

    def __call__(self, state: State, *, averaged: bool = True) -> Params:
        """Returns the exponential moving average (EMA) of the parameters, or the newest if `averaged` is false."""
        ...


class DiscriminatorLogits(Protocol):
    """Computes the logits of a state's discriminator for sequences."""

    def __call__(self, state: State, tokens: jax.Array, *, condition: Any = None) -> jax.Array:
        """Returns `[N]` float32 logits of `[N, T]` tokens, large for sequences that look real; dropout is off.

        A discriminator of prefixes returns the logit of the last prefix, the whole sequence. A discriminator of
        behaviors reads the generator's hidden states along the sequence.
        """
        ...


class Algorithm(NamedTuple):
    """A training method for sequence models, as pure functions; callers jit, vmap and donate.

    A state is a NamedTuple of arrays with a field or property `step`, the number of updates made. Temperatures and
    rates come from `state.step`. Callers also derive the key of a step from `state.step`, as `training.train` does, so
    that a resumed run is the same run.

    Attributes:
      init: key -> state.
      step: (key, state, batch) -> (state, metrics). The batch is a `data.Batch`; the metrics are scalars by name.
      params: (state, averaged=True) -> the generator's parameters, to pass to the functions of `model`.
      model: the model that is trained.
      batches_per_step: number of batches that a step consumes, more than 1 if the discriminator is updated more often
        than the generator. The batch passed to `step` is the concatenation of these batches.
      discriminator_logits: (state, tokens `[N, T]`, condition=None) -> `[N]` logits; None without a discriminator.
      reads_in_order: whether row b of a batch must continue row b of the batch before it, as in a long text that is
        read window by window, instead of being drawn at random.
    """

    init: Callable[[jax.Array], State]
    step: Callable[[jax.Array, State, Batch], tuple[State, Metrics]]
    params: ParamsOf
    model: SequenceModel
    batches_per_step: int = 1
    discriminator_logits: DiscriminatorLogits | None = None
    reads_in_order: bool = False
