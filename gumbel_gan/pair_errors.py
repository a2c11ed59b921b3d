"""What a model decodes from the sources of a task of pairs, and its errors."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from gumbel_gan.beam_search import beam_search
from gumbel_gan.data import Batch
from gumbel_gan.metrics import Estimate, error_rates
from gumbel_gan.model import SequenceModel
from gumbel_gan.networks import Params
from gumbel_gan.tasks import Task, targets_by_source

_ROWS_AT_ONCE = 1_024


def decode_sources(model: SequenceModel, sources: np.ndarray, *, beam_size: int = 1) -> Callable[[Params], jax.Array]:
    """Builds the decoding of sources: the most probable sequence that a beam search finds for each.

    Args:
      model: the model. Where its generator has a latent, draws of a fixed key are decoded.
      sources: `[M, S]` integers, the conditions.
      beam_size: as in `beam_search`; 1 is greedy.

    Returns:
      A pure function of parameters, to jit and vmap, that computes `[M, T]` tokens.
    """
    num = len(sources)
    rows = max(1, min(num, _ROWS_AT_ONCE // beam_size))
    # The last block is filled up with rows whose results are dropped.
    blocks = np.concatenate([sources, np.resize(sources, (-num % rows, sources.shape[1]))])
    blocks = blocks.reshape(-1, rows, sources.shape[1])
    has_latent = model.generator.sample_latent is not None

    def decode(params: Params) -> jax.Array:
        def of_block(block: jax.Array) -> jax.Array:
            key = jax.random.key(0) if has_latent else None
            found = beam_search(model, params, rows, beam_size=beam_size, condition=block, key=key)
            return found.tokens[:, 0]

        return jax.lax.map(of_block, jnp.asarray(blocks)).reshape(-1, model.length)[:num]

    return decode


def decoded_errors(
    model: SequenceModel, task: Task, data: Batch, *, beam_size: int = 1
) -> tuple[Callable[[Params], jax.Array], Callable[[np.ndarray], dict[str, Estimate]]]:
    """Builds the decoding of the distinct sources of some pairs, and the errors of what is decoded.

    Args:
      model: the model.
      task: a task of pairs.
      data: some of its pairs; all targets of a source count as right.
      beam_size: as in `beam_search`; 1 is greedy.

    Returns:
      The function of parameters, to jit and vmap, that computes `[M, T]` tokens; and the function of those that returns
      the error rates of `metrics.error_rates`.

    Raises:
      ImportError: rapidfuzz is not installed, when the errors are computed.
      ValueError: the data has fewer than two sources, likewise.
    """
    sources, targets = targets_by_source(task, data)
    decode = decode_sources(model, sources, beam_size=beam_size)
    return decode, lambda tokens: error_rates(task.sequences(tokens), targets)
