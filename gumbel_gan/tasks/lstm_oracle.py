"""Sequences from a random LSTM with exact likelihoods: the synthetic task of SeqGAN."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import jax
import jax.numpy as jnp
import numpy as np

from gumbel_gan.arguments import require_at_least
from gumbel_gan.data import Batch
from gumbel_gan.model import SequenceModel, sequence_model
from gumbel_gan.networks import Params, lstm_generator, lstm_generator_params
from gumbel_gan.tasks.interface import Oracle, Task
from gumbel_gan.tasks.vocabulary import Vocabulary

# Bounds the memory: an array of all logits takes 100 MB for 5,000 symbols and 20 steps.
_ROWS_AT_ONCE = 250


def oracle_task(
    *,
    num_symbols: int = 5_000,
    length: int = 20,
    hidden_size: int = 32,
    num_train: int = 10_000,
    num_heldout: int = 1_000,
    seed: int = 0,
) -> Task:
    """Builds a task of sequences drawn from an LSTM whose parameters are all drawn from N(0, 1).

    The true distribution is that of `networks.lstm_generator`, in which each symbol has its own weights into the gates.
    SeqGAN's LSTM reads an embedding of the symbol instead. Likelihoods can therefore be compared between methods on
    this task, but not with the numbers in that paper.

    Args:
      num_symbols: K, at least 2.
      length: T, number of symbols of every sequence.
      hidden_size: width of the LSTM.
      num_train: number of training sequences.
      num_heldout: number of validation sequences, and of test sequences.
      seed: seed of the parameters and of the draw of sequences, less than 2**32.

    Returns:
      A `Task` without padding. Its symbols are numbers, and its oracle has the exact `log_prob` of sequences.

    Raises:
      TypeError: an argument is not an integer.
      ValueError: an argument is out of range.

    References:
      Yu et al. 2017, section 5.1, https://arxiv.org/abs/1609.05473.
    """
    require_at_least(2, num_symbols=num_symbols)
    require_at_least(1, length=length, hidden_size=hidden_size, num_train=num_train, num_heldout=num_heldout)
    require_at_least(0, seed=seed)
    if seed >= 2**32:
        raise ValueError(f"seed must be less than 2**32, got {seed}")
    model = sequence_model(lstm_generator(num_symbols, hidden_size), length=length)
    params_key, sample_key = jax.random.split(jax.random.key(seed))
    params = _normal_params(params_key, num_symbols, hidden_size)
    tokens = _sample(sample_key, model, params, num_train + 2 * num_heldout)
    vocabulary = Vocabulary(tuple(map(str, range(num_symbols))), separator=" ")
    train, validation, test = map(Batch, np.split(tokens, [num_train, num_train + num_heldout]))
    note = f"The true distribution is an LSTM of {hidden_size} units, its parameters drawn from N(0, 1) by seed {seed}."
    return Task(
        name="LSTM oracle",
        vocabulary=vocabulary,
        train=train,
        validation=validation,
        test=test,
        oracle=Oracle(log_prob=_log_prob(model, params, vocabulary), length_probs=np.eye(length + 1)[length]),
        notes=(note,),
    )


def _normal_params(key: jax.Array, num_symbols: int, hidden_size: int) -> Params:
    """Draws weights from N(0, 1), one key per gate in a fixed order.

    A seed therefore gives the same distribution for any layout of the network's parameters.
    """
    keys = iter(jax.random.split(key, 14))

    def normal(*shape: int) -> jax.Array:
        return jax.random.normal(next(keys), shape, jnp.float32)

    head_bias, head_kernel = normal(num_symbols), normal(hidden_size, num_symbols)
    biases, of_state = {}, {}
    for gate in "fgio":
        biases[gate], of_state[gate] = normal(hidden_size), normal(hidden_size, hidden_size)
    of_input = {gate: normal(num_symbols + 1, hidden_size) for gate in "fgio"}
    kernel = jnp.block([[gates[gate] for gate in "ifog"] for gates in (of_input, of_state)])
    return lstm_generator_params(kernel, jnp.concatenate([biases[gate] for gate in "ifog"]), head_kernel, head_bias)


def _sample(key: jax.Array, model: SequenceModel, params: Params, num: int) -> np.ndarray:
    draw = jax.jit(lambda key, params: model.sample(key, params, _ROWS_AT_ONCE))
    keys = jax.random.split(key, -(-num // _ROWS_AT_ONCE))
    with _exact_products():
        return np.concatenate([np.asarray(draw(key, params)) for key in keys])[:num]


def _log_prob(model: SequenceModel, params: Params, vocabulary: Vocabulary) -> Callable[[np.ndarray], np.ndarray]:
    of_block = jax.jit(model.log_prob)

    def log_prob(tokens: np.ndarray) -> np.ndarray:
        tokens = vocabulary.check_tokens(tokens)
        if tokens.shape[1] != model.length:
            raise ValueError(f"tokens must be [N, {model.length}], got shape {tokens.shape}")
        # The last block is padded, so that every block runs the same compiled program.
        filled = np.zeros((-(-len(tokens) // _ROWS_AT_ONCE) * _ROWS_AT_ONCE, model.length), np.int32)
        filled[: len(tokens)] = tokens
        with _exact_products():
            blocks = [
                of_block(params, filled[row : row + _ROWS_AT_ONCE]) for row in range(0, len(filled), _ROWS_AT_ONCE)
            ]
        return np.array(blocks, np.float64).reshape(-1)[: len(tokens)]

    return log_prob


def _exact_products() -> AbstractContextManager:
    """Returns a context of full precision; a lower one, the default on some platforms, changes probabilities."""
    return jax.default_matmul_precision("highest")
