"""The exact distribution of a probabilistic context-free grammar over strings up to a length.

The probabilities of strings are computed by dynamic programming over (nonterminal, length). Rules may have any
right-hand side: Newton's method gives the mass of the empty string, and a linear system handles cycles of unit rules.
"""

import bisect
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from gumbel_gan.tasks.empty_strings import each_and_others, empty_masses, reachable, surely_empty
from gumbel_gan.tasks.rules import Grammar, Nonterminal, Rule, Symbol


class BoundedDistribution:
    """The distribution of a grammar over strings up to a length: masses by length, samples of a length, all strings.

    The masses sum to the probability that the grammar derives a string of at most that length.
    """

    def __init__(self, grammar: Grammar, max_length: int):
        """Computes the probability that each nonterminal derives a string of each length.

        Args:
          grammar: the grammar.
          max_length: the largest length considered, in characters.
        """
        self._start = grammar.start
        self._rules = _productive(grammar.rules)
        self._rules_of: dict[Nonterminal, list[Rule]] = {}
        for rule in self._rules:
            self._rules_of.setdefault(rule.left, []).append(rule)
        self._nonterminals = list(self._rules_of)
        self._max_length = max_length
        self._expansions: dict[tuple[Nonterminal, int], tuple[list, list[float]]] = {}

        empty = empty_masses(self._rules)
        self._closure = self._unit_closure(empty, surely_empty(self._rules))
        self._mass = {left: np.zeros(max_length + 1) for left in self._nonterminals}
        for left in self._nonterminals:
            self._mass[left][0] = empty[left]
        for length in range(1, max_length + 1):
            direct = np.zeros(len(self._nonterminals))
            for rule in self._rules:
                for lengths in self._splits(rule.right, length):
                    direct[self._nonterminals.index(rule.left)] += rule.probability * self._mass_of(rule.right, lengths)
            for left, mass in zip(self._nonterminals, self._closure @ direct, strict=True):
                self._mass[left][length] = mass

    def mass_by_length(self) -> np.ndarray:
        """Returns `[max_length + 1]`, the probability that the start symbol derives a string of each length."""
        return self._mass.get(self._start, np.zeros(self._max_length + 1))

    def sample(self, rng: np.random.Generator, length: int) -> str:
        """Draws a string from the grammar's distribution given its length, by expanding from the start symbol.

        Args:
          rng: the random number generator.
          length: the length in characters; its mass must be > 0.

        Returns:
          The string.
        """
        characters: list[str] = []
        pending: list[tuple[Symbol, int]] = [(self._start, length)]
        while pending:
            symbol, length = pending.pop()
            if isinstance(symbol, str):
                characters.append(symbol)
                continue
            children, cumulative = self._expansions_of(symbol, length)
            choice = bisect.bisect_right(cumulative, rng.random() * cumulative[-1])
            pending.extend(reversed(children[choice]))
        return "".join(characters)

    def strings(self, limit: int) -> list[dict[str, float]] | None:
        """Returns all strings that the start symbol derives.

        Args:
          limit: the largest number of strings of one nonterminal.

        Returns:
          The strings of each length from 0 to `max_length`, with their probabilities; None if a nonterminal derives
          more than `limit` strings.
        """
        table: dict[Nonterminal, list[dict[str, float]]] = {
            left: [{"": self._mass[left][0]} if self._mass[left][0] > 0 else {}] for left in self._nonterminals
        }
        for length in range(1, self._max_length + 1):
            direct: dict[Nonterminal, dict[str, float]] = {left: {} for left in self._nonterminals}
            for rule in self._rules:
                for lengths in self._splits(rule.right, length, shorter=True):
                    parts = [
                        {symbol: 1.0} if isinstance(symbol, str) else table[symbol][part]
                        for symbol, part in zip(rule.right, lengths, strict=True)
                    ]
                    if math.prod(len(part) for part in parts) > limit:
                        return None
                    found = direct[rule.left]
                    for pieces in itertools.product(*(part.items() for part in parts)):
                        string = "".join(piece for piece, _ in pieces)
                        mass = rule.probability * math.prod(mass for _, mass in pieces)
                        found[string] = found.get(string, 0.0) + mass
            for row, left in zip(self._closure, self._nonterminals, strict=True):
                total: dict[str, float] = {}
                for weight, other in zip(row, self._nonterminals, strict=True):
                    if weight > 0:
                        for string, mass in direct[other].items():
                            total[string] = total.get(string, 0.0) + weight * mass
                table[left].append(total)
                if sum(map(len, table[left])) > limit:
                    return None
        return table.get(self._start, [])

    def _unit_closure(self, empty: dict[Nonterminal, float], only_empty: set[Nonterminal]) -> np.ndarray:
        """Computes (I - U)^-1, where U[a, b] is the mass of the rules by which a derives b and all else is empty.

        Nonterminals that derive the empty string with probability 1 are left out of U.
        """
        index = {left: i for i, left in enumerate(self._nonterminals)}
        unit = np.zeros((len(index), len(index)))
        for rule in self._rules:
            for symbol, others in each_and_others(rule.right):
                if symbol in index and not only_empty & {rule.left, symbol}:
                    mass = math.prod(empty.get(other, 0.0) for other in others)
                    unit[index[rule.left], index[symbol]] += rule.probability * mass
        # Every remaining nonterminal derives the empty string with a probability below 1, so the sum of the powers of U
        # converges. Entries that cannot be reached must stay exactly 0: after a rounding error, a length would count as
        # derivable.
        return np.where(reachable(unit), np.linalg.inv(np.eye(len(index)) - unit), 0.0)

    def _splits(self, right: tuple[Symbol, ...], length: int, *, shorter: bool = False) -> Iterator[tuple[int, ...]]:
        """Yields the ways to divide `length` among the symbols of a right-hand side, each with mass > 0.

        With `shorter`, no nonterminal may derive the whole length.
        """
        if not right:
            if length == 0:
                yield ()
            return
        first, rest = right[0], right[1:]
        if isinstance(first, str):
            candidates: Iterator[int] = iter((1,) if length >= 1 else ())
        else:
            candidates = iter(range(length if shorter else length + 1))
        for part in candidates:
            if self._mass_of((first,), (part,)) > 0:
                # If this part is not empty, the rest is shorter than the whole length anyway.
                for parts in self._splits(rest, length - part, shorter=shorter and part == 0):
                    yield part, *parts

    def _mass_of(self, symbols: tuple[Symbol, ...], lengths: tuple[int, ...]) -> float:
        return math.prod(
            float(length == 1) if isinstance(symbol, str) else self._mass[symbol][length]
            for symbol, length in zip(symbols, lengths, strict=True)
        )

    def _expansions_of(self, left: Nonterminal, length: int) -> tuple[list[list[tuple[Symbol, int]]], list[float]]:
        """Returns the ways to expand a nonterminal into a given length, and their cumulative masses."""
        if (left, length) not in self._expansions:
            children, masses = [], []
            for rule in self._rules_of[left]:
                for lengths in self._splits(rule.right, length):
                    children.append(list(zip(rule.right, lengths, strict=True)))
                    masses.append(rule.probability * self._mass_of(rule.right, lengths))
            self._expansions[left, length] = children, list(itertools.accumulate(masses))
        return self._expansions[left, length]


def _productive(rules: Sequence[Rule]) -> list[Rule]:
    """Returns the rules whose symbols all derive at least one string."""
    productive: set[Symbol] = set()
    while True:
        kept = [rule for rule in rules if all(isinstance(s, str) or s in productive for s in rule.right)]
        found = {rule.left for rule in kept}
        if found == productive:
            return kept
        productive = found
