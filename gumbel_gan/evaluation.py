"""Metrics of a trained generator beside those of the data and of the true law, for any algorithm and task."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gumbel_gan.algorithms.interface import Algorithm, Metrics, State
from gumbel_gan.arguments import require_one_of
from gumbel_gan.metrics import (
    DIVERGENCE_ORDERS,
    MODEL_ORDER,
    Estimate,
    bootstrap,
    compare,
    fit_ngram_model,
    ngram_divergence,
    quality_and_diversity,
)
from gumbel_gan.metrics.exact import exact_distances
from gumbel_gan.metrics.samples import distance_to_law
from gumbel_gan.tasks.interface import Task, sequence_lengths

SPLITS = ("validation", "test")
EXACT_METRICS = ("validity", "total_variation", "kl_data_model", "length_total_variation")

_ROWS_AT_ONCE = 8_192
_LIKELIHOODS_AT_ONCE = 250
_FLOOR_REPEATS = 10


def law_metrics(algorithm: Algorithm, task: Task) -> Callable[[State], Metrics]:
    """Makes the exact distances of a state's generator to the true law, at temperature 1.

    Args:
      algorithm: the training method.
      task: a task whose oracle lists its support.

    Returns:
      A pure function of one state, to jit and vmap, that gives the metrics of `exact_distances`.

    Raises:
      ValueError: the task has no oracle, or its oracle lists no support.
    """
    oracle = task.oracle
    if oracle is None or oracle.support is None or oracle.log_probs is None:
        raise ValueError(f"task must have an oracle that lists its support, got {task.name}")
    support, true_log_probs = oracle.support, oracle.log_probs.astype(np.float32)
    lengths = np.array([len(string) for string in task.decode(support)])
    log_probs = _log_probs(algorithm, support, _ROWS_AT_ONCE)

    def metrics(state: State) -> Metrics:
        return exact_distances(log_probs(state), true_log_probs, lengths)

    return metrics


def string_metrics(strings: Sequence[str], task: Task) -> dict[str, float]:
    """Measures drawn strings.

    Args:
      strings: N strings, padding stripped.
      task: what they should be like.

    Returns:
      `distinct_strings`, how many differ, and, where an oracle tells valid strings, the metrics of `distance_to_law`.

    Raises:
      ValueError: there are no strings.
    """
    metrics = {"distinct_strings": float(len(set(strings)))}
    oracle = task.oracle
    if oracle is not None and oracle.is_valid is not None:
        metrics |= distance_to_law(strings, is_valid=oracle.is_valid, length_probs=oracle.length_probs, law=oracle.law)
    return metrics


def baselines(task: Task, *, num_samples: int, seed: int = 0) -> dict[str, dict[str, float]]:
    """Gives the metrics that the data itself and draws of the true law would score, as empirical laws.

    Args:
      task: the task.
      num_samples: size of a draw of the true law, that of the generator's samples.
      seed: of the draws.

    Returns:
      'training_set': the metrics of the training strings. 'sampling_floor': the mean metrics of ten draws of
      `num_samples` strings from the true law, or, where no oracle lists it, those of the test strings. Each states its
      `num_strings`.
    """
    draws = [task.test]
    if task.oracle is not None and task.oracle.support is not None and task.oracle.log_probs is not None:
        rng = np.random.default_rng(seed)
        probs = np.exp(task.oracle.log_probs)
        rows = rng.choice(len(probs), (_FLOOR_REPEATS, num_samples), p=probs / probs.sum())
        draws = [task.oracle.support[each] for each in rows]
    floor = [_empirical_metrics(tokens, task) for tokens in draws]
    return {
        "training_set": _empirical_metrics(task.train, task),
        "sampling_floor": {name: float(np.mean([metrics[name] for metrics in floor])) for name in floor[0]},
    }


def negative_log_likelihoods(algorithm: Algorithm, tokens: np.ndarray) -> Callable[[State], jax.Array]:
    """Makes the likelihoods of given sequences under a state's generator, at temperature 1.

    Args:
      algorithm: the training method.
      tokens: `[N, T]` integers.

    Returns:
      A pure function of one state, to jit and vmap, that gives `[N]` negative log-likelihoods in nats.
    """
    log_probs = _log_probs(algorithm, tokens, _LIKELIHOODS_AT_ONCE)
    return lambda state: -log_probs(state)


def states_at(algorithm: Algorithm, times: Sequence[int]) -> Callable[[State, jax.Array], jax.Array]:
    """Makes the recurrent states of a generator at some steps of sequences.

    Args:
      algorithm: the training method.
      times: Q steps, from 1 to T. The state at step t is the one that the t-th symbol is drawn from: of sequences that
        the generator has drawn it is its free-running state there, of others the teacher-forced one.

    Returns:
      A pure function of one state and `[N, T]` tokens, to jit and vmap, that gives `[N, Q, H]` activations.
    """
    steps = np.asarray(times) - 1

    def states(state: State, tokens: jax.Array) -> jax.Array:
        return _in_blocks(lambda block: algorithm.activations(state, block)[:, steps], tokens, _LIKELIHOODS_AT_ONCE)

    return states


def quarters(length: int) -> tuple[int, ...]:
    """Gives the steps at the ends of the quarters of T steps, rounded up: up to four, the last of them T."""
    return tuple(sorted({-(-length * quarter // 4) for quarter in range(1, 5)}))


def window_divergences(tokens: np.ndarray, references: np.ndarray) -> dict[str, list[float]]:
    """Compares every part of long samples with held-out sequences, to see whether samples drift on their way.

    Each sample is cut into consecutive windows of T symbols; those of all samples at one place are compared with the
    references. Held-out sequences of the same number, that are not among the references, score the mark to reach.

    Args:
      tokens: `[N, L]` samples without padding, L a multiple of T.
      references: `[M, T]` held-out sequences without padding.

    Returns:
      For each n from 1 to 4 the metric `ngram_divergence_n` of the windows at 0, T, 2 T, ..., in order.

    Raises:
      ValueError: L is no multiple of T, or there are no samples or references.
    """
    window = references.shape[1]
    if tokens.shape[1] % window:
        raise ValueError(f"tokens must be a multiple of {window}, the length of references, got {tokens.shape[1]}")
    parts = [_as_sequences(part) for part in np.split(tokens, tokens.shape[1] // window, axis=1)]
    held_out_sequences = _as_sequences(references)
    return {
        f"ngram_divergence_{order}": [ngram_divergence(part, held_out_sequences, order) for part in parts]
        for order in DIVERGENCE_ORDERS
    }


def _as_sequences(tokens: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(row) for row in tokens.tolist()]


def _log_probs(algorithm: Algorithm, tokens: np.ndarray, rows_at_once: int) -> Callable[[State], jax.Array]:
    """Makes the log-likelihoods of given sequences under a state's generator."""
    return lambda state: _in_blocks(lambda block: algorithm.log_prob(state, block), jnp.asarray(tokens), rows_at_once)


def _in_blocks(function: Callable[[jax.Array], jax.Array], tokens: jax.Array, rows_at_once: int) -> jax.Array:
    """Applies a function of sequences to blocks of them, one after the other, which bounds the memory."""
    rows = min(rows_at_once, len(tokens))
    # The last block is filled up with rows whose results are dropped.
    filled = jnp.concatenate([tokens, tokens[: -len(tokens) % rows]]).reshape(-1, rows, tokens.shape[1])
    found = jax.lax.map(function, filled)
    return found.reshape(-1, *found.shape[2:])[: len(tokens)]


class HeldOut(NamedTuple):
    """What generated sequences are compared with, all of one size, and what data of that size scores itself.

    Attributes:
      num: N, sequences on each side of the comparison.
      references: `[N, T]`, of the chosen split.
      compare: maps `[N, T]` drawn tokens to the metrics of `metrics.compare` by name, and `oracle_nll` where there is a
        true law to compute.
      trade_off: maps `[N, T]` drawn tokens to the metrics of `metrics.quality_and_diversity`.
      training_sample: what N training sequences score.
      heldout_sample: what N held-out sequences score that are not among the references: the mark to reach.
    """

    num: int
    references: np.ndarray
    compare: Callable[[np.ndarray], dict[str, Estimate]]
    trade_off: Callable[[np.ndarray], dict[str, float]]
    training_sample: dict[str, Estimate]
    heldout_sample: dict[str, Estimate]


def most_compared(task: Task) -> int:
    """Gives how many samples can be compared with as many sequences of any split: the size of the smallest."""
    return min(len(task.train), len(task.validation), len(task.test))


def heldout_and_others(task: Task, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Gives the held-out sequences to compare with, and the others, which say what held-out sequences score.

    Args:
      task: the task.
      split: 'validation' to choose by, 'test' to report on.

    Raises:
      ValueError: `split` is no split.
    """
    require_one_of(SPLITS, split=split)
    return (task.validation, task.test) if split == "validation" else (task.test, task.validation)


def held_out(task: Task, *, split: str, num: int) -> HeldOut:
    """Makes the comparison of samples with held-out sequences.

    Args:
      task: the task.
      split: 'validation' to choose by, 'test' to report on. The other one is the `heldout_sample`.
      num: N, sequences on each side of the comparison, at least 4 and no more than a split holds.

    Returns:
      A `HeldOut`.

    Raises:
      ValueError: `split` is no split, or `num` is out of its range.
    """
    references, others = heldout_and_others(task, split)
    largest = most_compared(task)
    if not 4 <= num <= largest:
        raise ValueError(f"num must be from 4 to {largest}, the size of the smallest split, got {num}")
    reference_sequences, train = task.sequences(references[:num]), task.sequences(task.train)
    num_symbols = len(task.symbols)
    model = fit_ngram_model(reference_sequences, MODEL_ORDER, num_symbols)

    def compare_tokens(tokens: np.ndarray) -> dict[str, Estimate]:
        estimates = compare(task.sequences(tokens), reference_sequences, train, num_symbols=num_symbols, model=model)
        if task.oracle is not None and task.oracle.log_prob is not None:
            estimates["oracle_nll"] = mean_estimate(-task.oracle.log_prob(tokens))
        return estimates

    def trade_off(tokens: np.ndarray) -> dict[str, float]:
        return quality_and_diversity(task.sequences(tokens), reference_sequences, num_symbols=num_symbols, model=model)

    return HeldOut(
        num,
        references[:num],
        compare_tokens,
        trade_off,
        compare_tokens(task.train[:num]),
        compare_tokens(others[:num]),
    )


def mean_estimate(values: np.ndarray) -> Estimate:
    """Gives the mean of `[N]` values, with its bootstrap interval."""
    return bootstrap(lambda rows: float(np.mean(values[rows])), len(values))


def likelihood_estimates(negative_log_likelihoods: np.ndarray, task: Task) -> dict[str, Estimate]:
    """Gives the means of `[N]` negative log-likelihoods in nats, with their bootstrap intervals.

    Returns:
      `heldout_nll`, and, of a task without padding, `bits_per_symbol`.
    """
    estimates = {"heldout_nll": mean_estimate(negative_log_likelihoods)}
    if task.padding is None:
        estimates["bits_per_symbol"] = mean_estimate(negative_log_likelihoods / (task.length * np.log(2)))
    return estimates


def length_law(task: Task, tokens: np.ndarray) -> np.ndarray:
    """Gives the shares of the lengths 0 to T among sequences `[N, T]`, as `[T + 1]`."""
    lengths = sequence_lengths(tokens, task.padding, ends=task.ends)
    return np.bincount(lengths, minlength=tokens.shape[1] + 1) / len(lengths)


def _empirical_metrics(tokens: np.ndarray, task: Task) -> dict[str, float]:
    strings = task.decode(tokens)
    metrics = {"num_strings": float(len(strings))} | string_metrics(strings, task)
    if task.oracle is not None and task.oracle.law is not None:
        law, counts = task.oracle.law, Counter(strings)
        with np.errstate(divide="ignore"):
            log_shares = np.log(np.array([counts[string] for string in law]) / len(strings))
        lengths = np.array([len(string) for string in law])
        exact = exact_distances(log_shares, np.log(list(law.values())), lengths)
        metrics |= {name: float(value) for name, value in exact.items()}
    return metrics
