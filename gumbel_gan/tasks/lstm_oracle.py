"""Sequences from a random LSTM, whose likelihoods are exact: the synthetic task of SeqGAN."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from gumbel_gan import unroll
from gumbel_gan.arguments import require_at_least
from gumbel_gan.networks import Carry, Generator, Params, lstm_generator, lstm_generator_params
from gumbel_gan.data import Batch
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

    The true distribution is that of `networks.lstm_generator`, where each symbol has its own weights into the gates.
    SeqGAN's LSTM reads an embedding of the symbol instead, so that likelihoods can be compared between systems on this
    task, but not with the numbers of that paper.

    Args:
      num_symbols: K, at least 2.
      length: T, number of symbols of every sequence.
      hidden_size: width of the LSTM.
      num_train: number of training sequences.
      num_heldout: number of validation sequences, and of test sequences.
      seed: of the parameters and of the draw of sequences.

    Returns:
      A `Task` without padding, whose symbols are numbers, and whose oracle has the exact `log_prob` of sequences.

    Raises:
      TypeError: an argument is not an integer.
      ValueError: an argument is out of its range.

    References:
      Yu et al. 2017, section 5.1, https://arxiv.org/abs/1609.05473.
    """
    require_at_least(2, num_symbols=num_symbols)
    require_at_least(1, length=length, hidden_size=hidden_size, num_train=num_train, num_heldout=num_heldout)
    require_at_least(0, seed=seed)
    generator = lstm_generator(num_symbols, hidden_size)
    params_key, sample_key = jax.random.split(jax.random.key(seed))
    params = _normal_params(params_key, num_symbols, hidden_size)
    tokens = _sample(sample_key, generator, params, num_train + 2 * num_heldout, length)
    train, validation, test = map(Batch, np.split(tokens, [num_train, num_train + num_heldout]))
    note = f"The true distribution is an LSTM of {hidden_size} units, its parameters drawn from N(0, 1) by seed {seed}."
    return Task(
        name="LSTM oracle",
        vocabulary=Vocabulary(tuple(map(str, range(num_symbols))), separator=" "),
        train=train,
        validation=validation,
        test=test,
        oracle=Oracle(
            log_prob=_log_prob(generator, params, length), length_probs=np.eye(length + 1, dtype=np.float64)[length]
        ),
        notes=(note,),
    )


def _normal_params(key: jax.Array, num_symbols: int, hidden_size: int) -> Params:
    """Draws weights from N(0, 1), one key per gate in a fixed order.

    A seed has the same distribution whatever the layout of the network's parameters is.
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


def _sample(key: jax.Array, generator: Generator, params: Params, num: int, length: int) -> np.ndarray:
    @jax.jit
    def draw(key: jax.Array, params: Params) -> jax.Array:
        carry, start = _beginning(generator)
        return unroll.hard(key, partial(generator.step, params), carry, start, length).tokens

    keys = jax.random.split(key, -(-num // _ROWS_AT_ONCE))
    # Some platforms multiply in lower precision by default, which would change the distribution.
    with jax.default_matmul_precision("highest"):
        return np.concatenate([np.asarray(draw(key, params)) for key in keys])[:num]


def _log_prob(generator: Generator, params: Params, length: int) -> Callable[[np.ndarray], np.ndarray]:
    @jax.jit
    def of_block(params: Params, tokens_BT: jax.Array) -> jax.Array:
        carry, start = _beginning(generator)
        logits_BTK = unroll.teacher_forced(partial(generator.step, params), carry, start, tokens_BT)
        return unroll.token_log_probs(logits_BTK, tokens_BT)

    def log_prob(tokens: np.ndarray) -> np.ndarray:
        tokens = np.asarray(tokens)
        if not np.issubdtype(tokens.dtype, np.integer):
            raise TypeError(f"tokens must be integers, got {tokens.dtype}")
        if tokens.ndim != 2 or tokens.shape[1] != length:
            raise ValueError(f"tokens must be [N, {length}], got shape {tokens.shape}")
        if ((tokens < 0) | (tokens >= generator.num_symbols)).any():
            raise ValueError(
                f"tokens must be from 0 to {generator.num_symbols - 1}, got {tokens.min()} to {tokens.max()}"
            )
        # The last block is filled up, so that every block runs the same program.
        filled = np.zeros((-(-len(tokens) // _ROWS_AT_ONCE) * _ROWS_AT_ONCE, length), np.int32)
        filled[: len(tokens)] = tokens
        log_probs = np.zeros(len(filled))
        with jax.default_matmul_precision("highest"):
            for first in range(0, len(filled), _ROWS_AT_ONCE):
                block = slice(first, first + _ROWS_AT_ONCE)
                log_probs[block] = np.asarray(of_block(params, jnp.asarray(filled[block])), np.float64).sum(axis=1)
        return log_probs[: len(tokens)]

    return log_prob


def _beginning(generator: Generator) -> tuple[Carry, jax.Array]:
    """Returns the carry and the symbols that a block begins with."""
    carry = generator.initial_carry(jax.random.key(0), _ROWS_AT_ONCE)
    return carry, unroll.start_symbols(_ROWS_AT_ONCE, generator.num_symbols)
