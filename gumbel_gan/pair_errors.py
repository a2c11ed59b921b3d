"""Decoding of the sources of a task of pairs, and the error rates of the decoded targets."""

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
    """Builds a function that decodes each source to the most probable sequence that a beam search finds.

    Args:
      model: the model. If its generator has a latent, the latent is drawn with a fixed key.
      sources: `[M, S]` integers, the conditions of the model.
      beam_size: as in `beam_search`; 1 is greedy decoding.

    Returns:
      A pure function of parameters, to jit and vmap, that computes `[M, T]` tokens.
    """
    num = len(sources)
    rows = max(1, min(num, _ROWS_AT_ONCE // beam_size))
    # The last block is padded with rows whose results are dropped.
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
    """Builds two functions: one decodes the distinct sources of some pairs, the other computes the error rates.

    Args:
      model: the model.
      task: a task of pairs.
      data: some pairs of the task; all targets of a source count as correct.
      beam_size: as in `beam_search`; 1 is greedy decoding.

    Returns:
      A pure function of parameters, to jit and vmap, that computes `[M, T]` tokens; and a function of these tokens that
      returns the error rates of `metrics.error_rates`.

    Raises:
      ImportError: rapidfuzz is not installed; raised by the second function.
      ValueError: the data has fewer than two sources; raised by the second function.
    """
    sources, targets = targets_by_source(task, data)
    decode = decode_sources(model, sources, beam_size=beam_size)
    return decode, lambda tokens: error_rates(task.sequences(tokens), targets)
