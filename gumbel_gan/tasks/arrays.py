"""Sequences from an array of tokens, with or without a condition for each sequence."""

from collections.abc import Hashable, Sequence
from typing import Any

import jax
import numpy as np

from gumbel_gan.arguments import require_at_least
from gumbel_gan.data import Batch, as_batch, take
from gumbel_gan.tasks.interface import Task
from gumbel_gan.tasks.splits import describe_repeats, describe_sizes, split_rows
from gumbel_gan.tasks.vocabulary import Vocabulary


def array_task(
    tokens: Any,
    *,
    symbols: Sequence[str] | None = None,
    num_symbols: int | None = None,
    padding: int | None = None,
    padding_ends: bool | None = None,
    condition: Any = None,
    validation: Any = None,
    test: Any = None,
    num_heldout: int | None = None,
    deduplicate: bool = False,
    seed: int = 0,
    name: str = "array",
) -> Task:
    """Builds a task from an array of sequences.

    Equal sequences are put in the same split, so that no test sequence is a training sequence. With a condition, equal
    pairs of a sequence and its condition are put in the same split: a test sequence may then be a training sequence
    with another condition.

    Args:
      tokens: `[N, T]` integers in [0, K).
      symbols: the K symbols, as a sequence of strings or a string of characters. None takes the numbers 0 to K - 1.
        If all `symbols` are single characters, decoded strings join them; otherwise decoded strings have a blank
        between two symbols, and no symbol may contain a blank.
      num_symbols: K; None takes the number of `symbols` or, without `symbols`, one more than the largest token, padding
        included.
      padding: the token that fills sequences up to T; None if every sequence is T symbols long.
      padding_ends: whether a sequence ends at its first padding; None: whether all sequences of the data do.
      condition: the condition of each sequence, a pytree of numeric arrays with a leading axis of N.
      validation: your own validation set, as `[N', T]` tokens or as a `Batch` with a condition. It must be given
        together with `test`. All `tokens` are then for training, in their order, and nothing is split.
      test: your own test set, in the same form as `validation`.
      num_heldout: number of distinct sequences for validation, and the same number for the test; None takes a tenth
        for each, from 1 to 1,000. Unused with your own sets.
      deduplicate: whether repeated sequences are left out; if not, all copies are in the same split. Unused with your
        own sets.
      seed: seed of the split.
      name: name of the task, for reports.

    Returns:
      A `Task` without an oracle. Its `chosen` holds the value of `num_heldout` if that was None and was used.

    Raises:
      TypeError: tokens are not integers, a condition is not numeric, or `symbols` does not hold strings.
      ValueError: an array is empty or has the wrong shape; a token is not in [0, K); a condition is not finite;
        `symbols` are not K different strings, or contain blanks; a symbol follows the padding although `padding_ends`
        is true; only one of `validation` and `test` is given; the conditions of the sets differ in structure, shape or
        dtype; or too few distinct sequences are left for the split.

    >>> import numpy as np
    >>> task = array_task(np.arange(30).reshape(10, 3))
    >>> task.train.tokens.shape, task.test.tokens.shape, task.decode(np.array([[0, 1, 2]]))
    ((8, 3), (1, 3), ['0 1 2'])
    """
    require_at_least(0, seed=seed)
    if num_heldout is not None:
        require_at_least(1, num_heldout=num_heldout)
    if (validation is None) != (test is None):
        raise ValueError("validation and test must be given together, got one of them")
    data = _checked("tokens", Batch(tokens, condition))
    sets = [data] if validation is None else [data, _checked("validation", validation), _checked("test", test)]
    _check_alike(sets)
    vocabulary = _vocabulary([each.tokens for each in sets], symbols, num_symbols, padding, padding_ends)
    chosen: dict[str, int] = {}
    if len(sets) == 1:
        keys = _row_keys(data)
        rows = split_rows(keys, deduplicate=deduplicate, num_heldout=num_heldout, seed=seed, name="tokens")
        sets = [take(data, each) for each in rows]
        note = describe_repeats("sequence", len(keys) - len(set(keys)), deduplicate=deduplicate)
        if num_heldout is None:
            chosen["num_heldout"] = len({keys[row] for row in rows[1]})
    else:
        known = set(_row_keys(data))
        repeated = [sum(key in known for key in _row_keys(each)) for each in sets[1:]]
        note = (
            f"Sequences that are training sequences, too, kept: {repeated[0]:,} of the validation set, "
            f"{repeated[1]:,} of the test set."
        )
    train, validation, test = sets
    notes = (note, describe_sizes(vocabulary.size, len(train.tokens), len(validation.tokens), len(test.tokens)))
    return Task(name, vocabulary, train, validation, test, notes=notes, chosen=chosen)


def _checked(name: str, data: Any) -> Batch:
    """Returns a set as NumPy arrays, with int32 tokens, after the checks that need no vocabulary."""
    data = as_batch(data)
    if data.weights is not None:
        raise ValueError(f"{name} must have no weights, which are for training batches")
    try:
        tokens = np.asarray(data.tokens)
    except ValueError as error:
        raise ValueError(f"{name} must be [N, T], got sequences of several lengths") from error
    if not np.issubdtype(tokens.dtype, np.integer):
        raise TypeError(f"{name} must be integers, got {tokens.dtype}")
    if tokens.ndim != 2 or not tokens.size:
        raise ValueError(f"{name} must be [N, T] with N and T at least 1, got shape {tokens.shape}")
    if tokens.min() < 0 or tokens.max() > np.iinfo(np.int32).max:
        raise ValueError(f"{name} must be in [0, 2**31), got {tokens.min()} to {tokens.max()}")
    condition = jax.tree.map(np.asarray, data.condition)
    for leaf in jax.tree.leaves(condition):
        if not (np.issubdtype(leaf.dtype, np.number) or leaf.dtype == np.bool_):
            raise TypeError(f"condition must hold numbers, got {leaf.dtype}")
        if leaf.shape[:1] != tokens.shape[:1]:
            raise ValueError(f"condition must have a leading axis of {len(tokens)}, got shape {leaf.shape}")
        if not np.isfinite(leaf).all():
            raise ValueError("condition must be finite, got NaN or infinity")
    return Batch(tokens.astype(np.int32), condition)


def _check_alike(sets: Sequence[Batch]) -> None:
    train = sets[0]

    def form(batch: Batch) -> tuple:
        leaves, structure = jax.tree.flatten(batch.condition)
        return structure, [(leaf.shape[1:], leaf.dtype) for leaf in leaves]

    for name, other in zip(("validation", "test"), sets[1:], strict=False):
        if other.tokens.shape[1] != train.tokens.shape[1]:
            raise ValueError(f"{name} must be [N, {train.tokens.shape[1]}] as tokens, got shape {other.tokens.shape}")
        if form(other) != form(train):
            raise ValueError(f"{name} must have a condition like that of tokens, got {form(other)} and {form(train)}")


def _vocabulary(
    arrays: Sequence[np.ndarray],
    symbols: Sequence[str] | None,
    num_symbols: int | None,
    padding: int | None,
    padding_ends: bool | None,
) -> Vocabulary:
    if num_symbols is not None:
        require_at_least(1, num_symbols=num_symbols)
    if symbols is not None:
        if not isinstance(symbols, Sequence) or not all(isinstance(symbol, str) for symbol in symbols):
            raise TypeError(f"symbols must be strings, got {symbols!r}")
        if num_symbols not in (None, len(symbols)):
            raise ValueError(f"num_symbols must be the number of symbols, {len(symbols)}, got {num_symbols}")
        if len(set(symbols)) < len(symbols):
            raise ValueError(f"symbols must differ, got {len(symbols)} of which {len(set(symbols))} are different")
    if padding is not None:
        require_at_least(0, padding=padding)
    largest = max(int(tokens.max()) for tokens in arrays)
    if symbols is not None:
        size = len(symbols)
    else:
        size = max(largest, -1 if padding is None else padding) + 1 if num_symbols is None else num_symbols
    if largest >= size:
        raise ValueError(f"tokens must be in [0, {size}), got {largest}")
    if padding is not None and padding >= size:
        raise ValueError(f"padding must be a token in [0, {size}), got {padding}")
    is_single = symbols is not None and all(len(symbol) <= 1 for symbol in symbols)
    if symbols is not None and not is_single and (with_blank := [symbol for symbol in symbols if " " in symbol]):
        raise ValueError(f"symbols must have no blank unless all are single characters, got {with_blank[0]!r}")
    vocabulary = Vocabulary(
        symbols=tuple(map(str, range(size))) if symbols is None else tuple(symbols),
        padding=padding,
        padding_ends=padding is not None,
        separator="" if is_single else " ",
    )
    return _with_padding_facts(vocabulary, arrays, padding_ends)


def _with_padding_facts(vocabulary: Vocabulary, arrays: Sequence[np.ndarray], padding_ends: bool | None) -> Vocabulary:
    """Sets `padding_ends` and `allow_empty` of a vocabulary from the data and the argument `padding_ends`."""
    if vocabulary.padding is None:
        if padding_ends:
            raise ValueError("padding must be a token where padding_ends is true, got None")
        return vocabulary
    stripped = vocabulary._replace(padding_ends=False)
    data_end = all((vocabulary.lengths(tokens) == stripped.lengths(tokens)).all() for tokens in arrays)
    if padding_ends and not data_end:
        raise ValueError("tokens must hold only padding after the first padding if padding_ends is true")
    ends = data_end if padding_ends is None else padding_ends
    return vocabulary._replace(
        padding_ends=ends,
        allow_empty=any((tokens[:, 0] == vocabulary.padding).any() for tokens in arrays),
    )


def _row_keys(data: Batch) -> list[Hashable]:
    """Returns a key for each row; two keys are equal if both the tokens and the conditions are."""
    leaves = (data.tokens, *jax.tree.leaves(data.condition))
    return list(zip(*([row.tobytes() for row in leaf] for leaf in leaves), strict=True))
