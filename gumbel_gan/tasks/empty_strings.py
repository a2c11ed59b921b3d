"""The probability that a nonterminal of a probabilistic grammar derives the empty string, at critical grammars too."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from gumbel_gan.tasks.rules import Nonterminal, Rule, Symbol

_ROUNDING = 1e-12
_MOST_NEWTON_STEPS = 100


def surely_empty(rules: Sequence[Rule]) -> set[Nonterminal]:
    """Returns the nonterminals that derive the empty string with probability 1.

    Those are the nonterminals from which no terminal can be reached, nor a nonterminal whose rules don't sum to 1, and
    from which derivations end. A derivation is a branching process. It ends with probability 1 where, for each class
    of nonterminals that can reach one another, the matrix of the mean numbers of children has no eigenvalue above 1.

    Args:
      rules: rules all of whose symbols derive some string.

    References:
      Etessami & Yannakakis 2009, https://doi.org/10.1145/1462153.1462154.
    """
    total: dict[Nonterminal, float] = {}
    for rule in rules:
        total[rule.left] = total.get(rule.left, 0.0) + rule.probability
    found = {left for left, probability in total.items() if math.isclose(probability, 1.0, rel_tol=_ROUNDING)}
    while others := {rule.left for rule in rules if rule.left in found and not found.issuperset(rule.right)}:
        found -= others
    index = {left: row for row, left in enumerate(sorted(found, key=str))}
    means = np.zeros((len(index), len(index)))
    for rule in rules:
        for symbol in rule.right if rule.left in found else ():
            means[index[rule.left], index[symbol]] += rule.probability
    reached = reachable(means)
    classes = reached & reached.T
    growth = np.array([np.abs(np.linalg.eigvals(means[np.ix_(each, each)])).max() for each in classes])
    return {left for left, row in index.items() if (growth[reached[row]] <= 1 + _ROUNDING).all()}


def empty_masses(rules: Sequence[Rule]) -> dict[Nonterminal, float]:
    """Computes the probability that each nonterminal derives the empty string, the least solution of q = f(q).

    Newton's method rises to it from 0. It would be slow, and stop at half of the digits, where the solution is 1 at a
    critical grammar, such as S -> S S [0.5] | [0.5]; so `surely_empty` decides about these.

    Args:
      rules: rules all of whose symbols derive some string, and of which those of a nonterminal sum to at most 1.

    References:
      Etessami & Yannakakis 2009, https://doi.org/10.1145/1462153.1462154.
    """
    certain = surely_empty(rules)
    nullable = set(certain)
    while more := {rule.left for rule in rules if rule.left not in nullable and nullable.issuperset(rule.right)}:
        nullable |= more
    mass: dict[Symbol, float] = {rule.left: float(rule.left in certain) for rule in rules}
    index = {left: row for row, left in enumerate(sorted(nullable - certain, key=str))}
    rules = [rule for rule in rules if rule.left in index and nullable.issuperset(rule.right)]
    for _ in range(_MOST_NEWTON_STEPS if index else 0):
        old = np.array([mass[left] for left in index])
        values, slopes = np.zeros(len(index)), np.zeros((len(index), len(index)))
        for rule in rules:
            row = index[rule.left]
            values[row] += rule.probability * math.prod(mass[symbol] for symbol in rule.right)
            for symbol, others in each_and_others(rule.right):
                if symbol in index:
                    slopes[row, index[symbol]] += rule.probability * math.prod(mass[other] for other in others)
        new = old + np.linalg.solve(np.eye(len(index)) - slopes, values - old)
        mass.update(zip(index, new.tolist(), strict=True))
        if np.allclose(new, old, rtol=_ROUNDING, atol=0):
            break
    return mass


def each_and_others(symbols: tuple[Symbol, ...]) -> Iterator[tuple[Symbol, tuple[Symbol, ...]]]:
    """Yields each symbol with those beside it."""
    for position, symbol in enumerate(symbols):
        yield symbol, symbols[:position] + symbols[position + 1 :]


def reachable(edges: np.ndarray) -> np.ndarray:
    """Returns which node can be reached from which, in any number of steps, given a matrix that is > 0 at edges."""
    steps = np.eye(len(edges), dtype=bool) | (edges > 0)
    for _ in range(len(edges).bit_length()):
        steps = steps @ steps
    return steps
