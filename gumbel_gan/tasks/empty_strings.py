"""The probability that a nonterminal of a probabilistic grammar, critical or not, derives the empty string."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from gumbel_gan.tasks.rules import Nonterminal, Rule, Symbol

_ROUNDING = 1e-12
_MOST_NEWTON_STEPS = 100


def surely_empty(rules: Sequence[Rule]) -> set[Nonterminal]:
    """Returns the nonterminals that derive the empty string with probability 1.

    From such a nonterminal, neither a terminal nor a nonterminal whose rule probabilities do not sum to 1 can be
    reached, and its derivations end. A derivation is a branching process. It ends with probability 1 if, for each class
    of nonterminals that can reach one another, the matrix of the mean numbers of children has no eigenvalue above 1.

    Args:
      rules: rules whose symbols all derive at least one string.

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

    Newton's method increases from 0 to the solution. For a nonterminal whose solution is 1 in a critical grammar, such
    as S -> S S [0.5] | [0.5], it would converge slowly and only to half of the digits, so `surely_empty` finds these
    nonterminals.

    Args:
      rules: rules whose symbols all derive at least one string. The probabilities of the rules of a nonterminal sum to
        at most 1.

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
    """Yields each symbol together with the other symbols."""
    for position, symbol in enumerate(symbols):
        yield symbol, symbols[:position] + symbols[position + 1 :]


def reachable(edges: np.ndarray) -> np.ndarray:
    """Returns `[n, n]` bools, whether node a reaches node b in 0 or more steps; `edges` `[n, n]` is > 0 at edges."""
    steps = np.eye(len(edges), dtype=bool) | (edges > 0)
    for _ in range(len(edges).bit_length()):
        steps = steps @ steps
    return steps
