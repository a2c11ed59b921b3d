"""Metrics of a trained model, of the data and of the true distribution, for any model and task."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gumbel_gan.arguments import require_at_least, require_integer, require_integers, require_kind, require_one_of
from gumbel_gan.data import Batch, check_data, num_sequences, take
from gumbel_gan.metrics import (
    DIVERGENCE_ORDERS,
    METRICS,
    MODEL_ORDER,
    Estimate,
    Metric,
    bootstrap,
    compare,
    fit_ngram_model,
    ngram_divergence,
    quality_and_diversity,
)
from gumbel_gan.metrics.exact import EXACT, exact_distances
from gumbel_gan.metrics.samples import sampled_distances
from gumbel_gan.model import SequenceModel
from gumbel_gan.networks import Params
from gumbel_gan.tasks import Task

Metrics = dict[str, jax.Array]

SPLITS = ("validation", "test")
EXACT_METRICS = tuple(EXACT)

_ROWS_AT_ONCE = 8_192
_LIKELIHOODS_AT_ONCE = 250
_FLOOR_REPEATS = 10


def exact_metrics(model: SequenceModel, task: Task) -> Callable[[Params], Metrics]:
    """Builds a function that computes the exact distances of a model to the true distribution, at temperature 1.

    Args:
      model: the model.
      task: a task whose oracle lists its support.

    Returns:
      A pure function of parameters, to jit and vmap, that computes the metrics of `exact_distances`.

    Raises:
      TypeError: `task` is not a `Task`, or `model` is not a `SequenceModel`.
      ValueError: the task has no oracle, its oracle lists no support, or the length or number of symbols of the model
        is not that of the task.
    """
    require_kind(Task, task=task)
    if task.oracle is None or task.oracle.support is None:
        raise ValueError(f"task must have an oracle that lists its support, got {task.name}")
    require_kind(SequenceModel, model=model)
    wanted, got = (task.length, task.num_symbols), (model.length, model.generator.num_symbols)
    if got != wanted:
        raise ValueError(f"model must have the length and the number of symbols of the task, {wanted}, got {got}")
    support = task.oracle.support
    true_log_probs = support.log_probs.astype(np.float32)
    lengths = task.vocabulary.lengths(support.tokens)
    log_probs = _log_probs(model, Batch(support.tokens), _ROWS_AT_ONCE)

    def metrics(params: Params) -> Metrics:
        return exact_distances(log_probs(params), true_log_probs, lengths)

    return metrics


def sample_metrics(tokens: np.ndarray, task: Task) -> dict[str, float]:
    """Computes the metrics of drawn sequences as strings.

    Args:
      tokens: `[N, T]` integers in [0, K).
      task: the task of the sequences.

    Returns:
      `distinct_strings`, the number of distinct strings, and, if the oracle has `is_valid`, the metrics of
      `sampled_distances`.

    Raises:
      TypeError: `task` is not a `Task`, or `tokens` does not hold integers.
      ValueError: `tokens` is not `[N, T]` or not in [0, K), or there are no sequences.
    """
    require_kind(Task, task=task)
    strings = task.decode(tokens)
    if not strings:
        raise ValueError("tokens must hold at least one sequence, got none")
    metrics = {"distinct_strings": float(len(set(strings)))}
    oracle = task.oracle
    if oracle is not None and oracle.is_valid is not None:
        probs = None if oracle.support is None else oracle.support.probs
        metrics |= sampled_distances(
            strings,
            is_valid=oracle.is_valid,
            length_probs=oracle.length_probs,
            probs=probs,
            lengths=task.vocabulary.lengths(tokens),
        )
    return metrics


def baselines(task: Task, *, num_samples: int, seed: int = 0) -> dict[str, dict[str, float]]:
    """Computes the metrics of the training data and of draws from the true distribution, as empirical distributions.

    Args:
      task: the task.
      num_samples: number of strings in a draw from the true distribution, to be equal to the number of model samples.
      seed: seed of the draws.

    Returns:
      'training_set': the metrics of the training strings. 'sampling_floor': the mean metrics of ten draws of
      `num_samples` strings from the true distribution, or the metrics of the test strings if no oracle lists this
      distribution. Both include `num_strings`.

    Raises:
      TypeError: `task` is not a `Task`, or `num_samples` or `seed` is not an integer.
      ValueError: `num_samples` is less than 1, or `seed` is negative.
    """
    require_kind(Task, task=task)
    require_at_least(1, num_samples=num_samples)
    require_at_least(0, seed=seed)
    draws = [task.test.tokens]
    if task.oracle is not None and task.oracle.support is not None:
        rng = np.random.default_rng(seed)
        probs = np.exp(task.oracle.support.log_probs)
        rows = rng.choice(len(probs), (_FLOOR_REPEATS, num_samples), p=probs / probs.sum())
        draws = [task.oracle.support.tokens[each] for each in rows]
    floor = [_empirical_metrics(tokens, task) for tokens in draws]
    return {
        "training_set": _empirical_metrics(task.train.tokens, task),
        "sampling_floor": {name: float(np.mean([metrics[name] for metrics in floor])) for name in floor[0]},
    }


def negative_log_likelihoods(model: SequenceModel, data: Batch | np.ndarray) -> Callable[[Params], jax.Array]:
    """Builds a function that computes the negative log-likelihoods of given sequences under a model, at temperature 1.

    Args:
      model: the model.
      data: a `Batch` of N sequences, with their condition if there is one, or their tokens `[N, T]`.

    Returns:
      A pure function of parameters, to jit and vmap, that computes `[N]` negative log-likelihoods in nats.

    Raises:
      TypeError: `model` is not a `SequenceModel`, or as in `data.check_data`.
      ValueError: as in `data.check_data`, for the symbols and the length of the model.
    """
    require_kind(SequenceModel, model=model)
    log_probs = _log_probs(model, data, _LIKELIHOODS_AT_ONCE)
    return lambda params: -log_probs(params)


def hidden_states_at(model: SequenceModel, times: Sequence[int]) -> Callable[[Params, Batch], jax.Array]:
    """Builds a function that computes the hidden states of a model at given steps of sequences.

    Args:
      model: the model.
      times: Q steps, from 1 to T. The t-th symbol is drawn from the hidden state at step t. The hidden states are
        free-running for sequences that the model has drawn, and teacher-forced for other sequences.

    Returns:
      A pure function of parameters and a `Batch` of N sequences, to jit and vmap, that computes `[N, Q, H]` hidden
      states. This function raises the errors of `data.check_data`.

    Raises:
      TypeError: `model` is not a `SequenceModel`, or `times` does not hold integers.
      ValueError: `times` is not a sequence, is empty, or holds a step that is not in [1, T]; or the generator has a
        latent, because the latent that a sequence was drawn with is not known.
    """
    require_kind(SequenceModel, model=model)
    if model.generator.sample_latent is not None:
        raise ValueError("model must have a generator without a latent, for its hidden states to be compared")
    steps = np.array(_require_times(times, model.length)) - 1

    def states(params: Params, data: Batch) -> jax.Array:
        def of_block(block: Batch) -> jax.Array:
            return model.hidden_states(params, block.tokens, condition=block.condition)[:, steps]

        return _in_blocks(of_block, _checked(model, data), _LIKELIHOODS_AT_ONCE)

    return states


def _require_times(times: Sequence[int], length: int) -> Sequence[int]:
    if isinstance(times, str) or not np.iterable(times) or not len(times):
        raise ValueError(f"times must be a sequence of steps, got {times!r}")
    for time in times:
        require_at_least(1, times=time)
        if time > length:
            raise ValueError(f"times must be at most T, {length}, got {time}")
    return times


def quarters(length: int) -> tuple[int, ...]:
    """Returns the ends of the four quarters of T steps, rounded up, without duplicates; the last one is T.

    Raises:
      TypeError: `length` is not an integer.
      ValueError: `length` is less than 1.
    """
    require_at_least(1, length=length)
    return tuple(sorted({-(-length * quarter // 4) for quarter in range(1, 5)}))


def window_divergences(tokens: np.ndarray, references: np.ndarray) -> dict[str, list[float]]:
    """Compares each part of long samples with held-out sequences, to see whether samples drift.

    Each sample is cut into consecutive windows of T symbols. The windows of all samples at the same position are
    compared with the references. For the divergences of perfect samples, pass N other held-out sequences as `tokens`.

    Args:
      tokens: `[N, L]` samples without padding, L a multiple of T.
      references: `[M, T]` held-out sequences without padding.

    Returns:
      For each n from 1 to 4 the metric `ngram_divergence_n` of the windows at 0, T, 2 T, ..., in order.

    Raises:
      TypeError: `tokens` or `references` is not an array of integers.
      ValueError: `tokens` is not `[N, L]` or `references` is not `[M, T]`, with all sizes at least 1; L is not a
        multiple of T; or a token is negative.
    """
    for name, array in (("tokens", tokens), ("references", references)):
        _check_windows(name, array)
    window = references.shape[1]
    if tokens.shape[1] % window:
        raise ValueError(
            f"tokens must have a length that is a multiple of {window}, that of references, got {tokens.shape[1]}"
        )
    parts = [_as_sequences(part) for part in np.split(tokens, tokens.shape[1] // window, axis=1)]
    held_out_sequences = _as_sequences(references)
    return {
        f"ngram_divergence_{order}": [ngram_divergence(part, held_out_sequences, order) for part in parts]
        for order in DIVERGENCE_ORDERS
    }


def _check_windows(name: str, tokens: np.ndarray) -> None:
    require_integers(**{name: tokens})
    if tokens.ndim != 2 or not tokens.size:
        raise ValueError(f"{name} must be [N, L] with N and L at least 1, got shape {tokens.shape}")
    if tokens.min() < 0:
        raise ValueError(f"{name} must be at least 0, got {tokens.min()}")


def _as_sequences(tokens: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(row) for row in tokens.tolist()]


def _checked(model: SequenceModel, data: Batch | np.ndarray) -> Batch:
    """Returns data as a checked batch. Its values are checked here, because blocks of it are traced later."""
    return check_data(data, num_symbols=model.generator.num_symbols, length=model.length)


def _log_probs(model: SequenceModel, data: Batch | np.ndarray, rows_at_once: int) -> Callable[[Params], jax.Array]:
    """Builds a function that computes the log-likelihoods of given sequences."""
    checked = _checked(model, data)

    def log_probs(params: Params) -> jax.Array:
        def of_block(block: Batch) -> jax.Array:
            return model.log_prob(params, block.tokens, condition=block.condition)

        return _in_blocks(of_block, checked, rows_at_once)

    return log_probs


def _in_blocks(function: Callable[[Batch], jax.Array], data: Batch, rows_at_once: int) -> jax.Array:
    """Applies a function to blocks of sequences, one after the other, to bound the memory."""
    num = num_sequences(data)
    rows = min(rows_at_once, num)

    def blocks(leaf: jax.Array) -> jax.Array:
        # The last block is padded with rows whose results are dropped.
        leaf = jnp.asarray(leaf)
        return jnp.concatenate([leaf, leaf[: -num % rows]]).reshape(-1, rows, *leaf.shape[1:])

    found = jax.lax.map(function, jax.tree.map(blocks, data))
    return found.reshape(-1, *found.shape[2:])[:num]


class HeldOut(NamedTuple):
    """Comparison of N generated sequences with N held-out ones, and the metrics of N sequences of the data.

    Attributes:
      num: N, number of sequences on each side of the comparison.
      references: N sequences of the chosen split.
      compare: maps `[N, T]` drawn tokens to the metrics of `metrics.compare` by name, and to `oracle_nll` if it is
        among the metrics and the oracle has `log_prob`.
      trade_off: maps `[N, T]` drawn tokens to the metrics of `metrics.quality_and_diversity`.
      training_sample: metrics of N training sequences.
      heldout_sample: metrics of N sequences of the other held-out split, which estimate those of perfect samples.
    """

    num: int
    references: Batch
    compare: Callable[[np.ndarray], dict[str, Estimate]]
    trade_off: Callable[[np.ndarray], dict[str, float]]
    training_sample: dict[str, Estimate]
    heldout_sample: dict[str, Estimate]


def most_compared(task: Task) -> int:
    """Returns the largest number of samples that can be compared with any split: the size of the smallest split.

    Raises:
      TypeError: `task` is not a `Task`.
    """
    require_kind(Task, task=task)
    return min(map(num_sequences, (task.train, task.validation, task.test)))


def heldout_and_others(task: Task, split: str) -> tuple[Batch, Batch]:
    """Returns the held-out sequences to compare with, and those of the other held-out split.

    Args:
      task: the task.
      split: 'validation' for model selection, 'test' for reporting.

    Raises:
      TypeError: `task` is not a `Task`.
      ValueError: `split` is not one of `SPLITS`.
    """
    require_kind(Task, task=task)
    require_one_of(SPLITS, split=split)
    return (task.validation, task.test) if split == "validation" else (task.test, task.validation)


def held_out(task: Task, *, split: str, num: int, metrics: Mapping[str, Metric] = METRICS) -> HeldOut:
    """Builds the comparison of samples with held-out sequences.

    Args:
      task: the task.
      split: 'validation' for model selection, 'test' for reporting. The other one of these splits gives the
        `heldout_sample`.
      num: N, number of sequences on each side of the comparison, from 4 to the size of the smallest split.
      metrics: metrics by name; `METRICS | {"mine": Metric(...)}` adds your own metric.

    Returns:
      A `HeldOut`.

    Raises:
      TypeError: `task` is not a `Task`, `num` is not an integer, `metrics` is not a mapping, or a metric is not a
        `Metric` or does not return an `Estimate`.
      ValueError: `split` is not one of `SPLITS`, or `num` is out of range.
    """
    references, others = heldout_and_others(task, split)
    require_integer(num=num)
    require_kind(Mapping, metrics=metrics)
    largest = most_compared(task)
    if not 4 <= num <= largest:
        raise ValueError(f"num must be from 4 to {largest}, the size of the smallest split, got {num}")
    references = take(references, some_rows(task, len(references.tokens), num))
    reference_sequences, train = task.sequences(references.tokens), task.sequences(task.train.tokens)
    num_symbols = task.num_symbols
    model = fit_ngram_model(reference_sequences, MODEL_ORDER, num_symbols)

    def compare_tokens(tokens: np.ndarray) -> dict[str, Estimate]:
        estimates = compare(
            task.sequences(tokens), reference_sequences, train, num_symbols=num_symbols, model=model, metrics=metrics
        )
        if "oracle_nll" in metrics and task.oracle is not None and task.oracle.log_prob is not None:
            estimates["oracle_nll"] = mean_estimate(-task.oracle.log_prob(tokens))
        return estimates

    def trade_off(tokens: np.ndarray) -> dict[str, float]:
        return quality_and_diversity(task.sequences(tokens), reference_sequences, num_symbols=num_symbols, model=model)

    return HeldOut(
        num,
        references,
        compare_tokens,
        trade_off,
        compare_tokens(task.train.tokens[some_rows(task, len(task.train.tokens), num)]),
        compare_tokens(others.tokens[some_rows(task, len(others.tokens), num)]),
    )


def some_rows(task: Task, num_rows: int, num: int) -> np.ndarray:
    """Returns the indices of rows of a split that represent it: the first ones, or random ones if `task.in_order`.

    Args:
      task: the task.
      num_rows: number of rows of the split, at least 1.
      num: number of indices, from 1 to `num_rows`.

    Returns:
      `[num]` distinct integers in [0, `num_rows`), the same in each call.

    Raises:
      TypeError: `task` is not a `Task`, or a number is not an integer.
      ValueError: a number is out of range.
    """
    require_kind(Task, task=task)
    require_at_least(1, num_rows=num_rows, num=num)
    if num > num_rows:
        raise ValueError(f"num must be at most num_rows, {num_rows}, got {num}")
    return np.random.default_rng(0).permutation(num_rows)[:num] if task.in_order else np.arange(num)


def mean_estimate(values: np.ndarray) -> Estimate:
    """Computes the mean of `[N]` values and its bootstrap interval.

    Raises:
      TypeError: `values` is not an array of real numbers.
      ValueError: `values` is not `[N]` with N at least 2.
    """
    return _mean("values", values)


def _mean(name: str, values: np.ndarray) -> Estimate:
    if not isinstance(values, jax.Array | np.ndarray) or not any(
        jnp.issubdtype(values.dtype, kind) for kind in (jnp.floating, jnp.integer)
    ):
        raise TypeError(f"{name} must be an array of numbers, got {getattr(values, 'dtype', type(values).__name__)}")
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"{name} must be [N] with N at least 2, got shape {values.shape}")
    # In float64, because a sum of many numbers can overflow or lose precision in narrower dtypes.
    exact = np.asarray(values, np.float64)
    return bootstrap(lambda rows: float(np.mean(exact[rows])), len(exact))


def likelihood_estimates(negative_log_likelihoods: np.ndarray, task: Task) -> dict[str, Estimate]:
    """Computes the mean of `[N]` negative log-likelihoods in nats and its bootstrap interval.

    Returns:
      `heldout_nll`, and, for a task without padding, `bits_per_symbol`.

    Raises:
      TypeError: `negative_log_likelihoods` is not an array of real numbers, or `task` is not a `Task`.
      ValueError: `negative_log_likelihoods` is not `[N]` with N at least 2.
    """
    require_kind(Task, task=task)
    estimates = {"heldout_nll": _mean("negative_log_likelihoods", negative_log_likelihoods)}
    if task.vocabulary.padding is None:
        estimates["bits_per_symbol"] = mean_estimate(negative_log_likelihoods / (task.length * np.log(2)))
    return estimates


def length_distribution(task: Task, tokens: np.ndarray) -> np.ndarray:
    """Computes the shares of the lengths 0 to T among sequences `[N, T]`, as `[T + 1]`.

    Raises:
      TypeError: `task` is not a `Task`, or `tokens` does not hold integers.
      ValueError: `tokens` is not `[N, T]` or not in [0, K), or there are no sequences.
    """
    require_kind(Task, task=task)
    tokens = task.vocabulary.check_tokens(tokens)
    if not len(tokens):
        raise ValueError("tokens must hold at least one sequence, got none")
    lengths = task.vocabulary.lengths(tokens)
    return np.bincount(lengths, minlength=tokens.shape[1] + 1) / len(lengths)


def _empirical_metrics(tokens: np.ndarray, task: Task) -> dict[str, float]:
    strings = task.decode(tokens)
    metrics = {"num_strings": float(len(strings))} | sample_metrics(tokens, task)
    if task.oracle is not None and task.oracle.support is not None:
        probs, counts = task.oracle.support.probs, Counter(strings)
        with np.errstate(divide="ignore"):
            log_shares = np.log(np.array([counts[string] for string in probs]) / len(strings))
        lengths = task.vocabulary.lengths(task.oracle.support.tokens)
        exact = exact_distances(log_shares, np.log(list(probs.values())), lengths)
        metrics |= {name: float(value) for name, value in exact.items()}
    return metrics
