"""The one interface of all training methods."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
from jax.typing import ArrayLike

State = Any
Metrics = dict[str, jax.Array]


class Sampler(Protocol):
    """Draws sequences from a trained generator."""

    def __call__(
        self, key: jax.Array, state: State, num: int, *, temperature: ArrayLike = 1.0, length: int | None = None
    ) -> jax.Array:
        """Draws `[num, T]` int32 tokens from softmax(logits / temperature) at each step.

        With a `length`, which need not be the T of training, every sequence has just so many symbols and no padding.
        """
        ...


class Algorithm(NamedTuple):
    """A training method for sequence generators, as five pure functions; callers jit, vmap and donate.

    A state is a NamedTuple of arrays whose field `step` counts the updates made. Temperatures and rates come from
    `state.step`, and callers derive the key of a step from it too (`training.train` does), so that a resumed run is
    the same run.

    Attributes:
      init: key -> state.
      step: (key, state, batch of tokens `[B, T]`) -> (state, metrics), where metrics are scalars by name.
      sample: (key, state, num, temperature=1, length=None) -> tokens `[num, T]`, from the averaged generator.
      log_prob: (state, tokens `[N, T]`) -> `[N]` log-probabilities in nats of whole sequences, padding included, at
        temperature 1, under the averaged generator.
      activations: (state, tokens `[N, T]`) -> `[N, T, H]` activations of the averaged generator's recurrent state while
        it reads sequences; of sequences that it has drawn itself, those it had while it drew them.
    """

    init: Callable[[jax.Array], State]
    step: Callable[[jax.Array, State, jax.Array], tuple[State, Metrics]]
    sample: Sampler
    log_prob: Callable[[State, jax.Array], jax.Array]
    activations: Callable[[State, jax.Array], jax.Array]
