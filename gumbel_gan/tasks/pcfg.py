"""Probabilistic context-free grammars over characters: parsing, and their exact distribution up to a length.

The probabilities of strings are computed by dynamic programming over (nonterminal, length). Rules of any right-hand
side are allowed: the mass of the empty string is found by Newton's method, and cycles of unit rules by a linear system.
"""

import itertools
import math
import re
from collections.abc import Iterator

import nltk
import numpy as np

from gumbel_gan.tasks.empty_strings import Rule, Symbol, each_and_others, empty_masses, reachable, surely_empty


def parse_grammar(text: str) -> nltk.PCFG:
    """Parses a PCFG in NLTK's notation, whose terminals are single characters.

    Args:
      text: the productions. Where none of them states a probability, those of a nonterminal are equally likely. The
        start symbol is the first left-hand side, or that of a line `%start X`.

    Returns:
      The grammar.

    Raises:
      ValueError: the text is not such a grammar; the message starts with "grammar".
    """
    try:
        if re.search(r"\[[\d.]+\]", re.sub(r"'[^']*'|\"[^\"]*\"", "", text)):
            grammar = nltk.PCFG.fromstring(text)
        else:
            plain = nltk.CFG.fromstring(text)
            grammar = nltk.PCFG(
                plain.start(),
                [
                    nltk.ProbabilisticProduction(
                        rule.lhs(), rule.rhs(), prob=1 / len(plain.productions(lhs=rule.lhs()))
                    )
                    for rule in plain.productions()
                ],
            )
    except ValueError as error:
        raise ValueError(f"grammar must be a PCFG in NLTK's notation: {' '.join(str(error).split())}") from error
    defined = {rule.lhs() for rule in grammar.productions()}
    if grammar.start() not in defined:
        raise ValueError(f"grammar must have a production for its start symbol, got none for {grammar.start()}")
    for rule in grammar.productions():
        for symbol in rule.rhs():
            if isinstance(symbol, nltk.Nonterminal) and symbol not in defined:
                raise ValueError(f"grammar must have a production for every nonterminal, got none for {symbol}")
            if isinstance(symbol, str) and len(symbol) != 1:
                raise ValueError(f"grammar must have terminals of a single character, got {symbol!r}")
    return grammar


def terminals(grammar: nltk.PCFG) -> tuple[str, ...]:
    """Returns the terminals of a grammar, sorted."""
    return tuple(sorted({s for rule in grammar.productions() for s in rule.rhs() if isinstance(s, str)}))


class BoundedDistribution:
    """The distribution of a grammar over strings up to a length: mass by length, samples given a length, all strings.

    The masses sum to the probability that the grammar derives a string of at most that length.
    """

    def __init__(self, grammar: nltk.PCFG, max_length: int):
        """Computes the probability that each nonterminal derives a string of each length.

        Args:
          grammar: the grammar.
          max_length: the largest length considered, in characters.
        """
        self._start = grammar.start()
        self._rules = _productive(_normalized(grammar))
        self._rules_of: dict[nltk.Nonterminal, list[Rule]] = {}
        for rule in self._rules:
            self._rules_of.setdefault(rule.left, []).append(rule)
        self._nonterminals = list(self._rules_of)
        self._max_length = max_length
        self._expansions: dict[tuple[nltk.Nonterminal, int], tuple[list, np.ndarray]] = {}

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
          rng: the source of randomness.
          length: a length of mass > 0, in characters.

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
            choice = int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
            pending.extend(reversed(children[choice]))
        return "".join(characters)

    def strings(self, limit: int) -> list[dict[str, float]] | None:
        """Returns all strings that the start symbol derives.

        Args:
          limit: the largest number of strings of one nonterminal.

        Returns:
          The strings of each length from 0 to `max_length` with their probabilities; None where there are more than
          `limit`.
        """
        table: dict[nltk.Nonterminal, list[dict[str, float]]] = {
            left: [{"": self._mass[left][0]} if self._mass[left][0] > 0 else {}] for left in self._nonterminals
        }
        for length in range(1, self._max_length + 1):
            direct: dict[nltk.Nonterminal, dict[str, float]] = {left: {} for left in self._nonterminals}
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

    def _unit_closure(self, empty: dict[nltk.Nonterminal, float], only_empty: set[nltk.Nonterminal]) -> np.ndarray:
        """Computes (I - U)^-1, with U[a, b] the mass of the rules by which a derives b and nothing else.

        Nonterminals that derive the empty string only are left out of U.
        """
        index = {left: i for i, left in enumerate(self._nonterminals)}
        unit = np.zeros((len(index), len(index)))
        for rule in self._rules:
            for symbol, others in each_and_others(rule.right):
                if symbol in index and not only_empty & {rule.left, symbol}:
                    mass = math.prod(empty.get(other, 0.0) for other in others)
                    unit[index[rule.left], index[symbol]] += rule.probability * mass
        # Every nonterminal left derives a string, so that the sum of the powers of U converges. What can't be reached
        # must stay exactly 0: after a rounding error a length would count as derivable.
        return np.where(reachable(unit), np.linalg.inv(np.eye(len(index)) - unit), 0.0)

    def _splits(self, right: tuple[Symbol, ...], length: int, *, shorter: bool = False) -> Iterator[tuple[int, ...]]:
        """Yields the ways to divide `length` among the symbols of a right-hand side, each of mass > 0.

        With `shorter`, a nonterminal must derive less than the whole length.
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
                # The rest has less than the whole length only where this part is not empty.
                for parts in self._splits(rest, length - part, shorter=shorter and part == 0):
                    yield part, *parts

    def _mass_of(self, symbols: tuple[Symbol, ...], lengths: tuple[int, ...]) -> float:
        return math.prod(
            float(length == 1) if isinstance(symbol, str) else self._mass[symbol][length]
            for symbol, length in zip(symbols, lengths, strict=True)
        )

    def _expansions_of(self, left: nltk.Nonterminal, length: int) -> tuple[list[list[tuple[Symbol, int]]], np.ndarray]:
        """Returns the ways to expand a nonterminal into a given length, and their cumulative masses."""
        if (left, length) not in self._expansions:
            children, masses = [], []
            for rule in self._rules_of[left]:
                for lengths in self._splits(rule.right, length):
                    children.append(list(zip(rule.right, lengths, strict=True)))
                    masses.append(rule.probability * self._mass_of(rule.right, lengths))
            self._expansions[left, length] = children, np.cumsum(masses)
        return self._expansions[left, length]


def _normalized(grammar: nltk.PCFG) -> list[Rule]:
    """Returns the rules of a grammar; NLTK lets the probabilities of a nonterminal's rules sum to 0.99 to 1.01."""
    total: dict[nltk.Nonterminal, float] = {}
    for rule in grammar.productions():
        total[rule.lhs()] = total.get(rule.lhs(), 0.0) + rule.prob()
    return [Rule(rule.lhs(), rule.rhs(), rule.prob() / total[rule.lhs()]) for rule in grammar.productions()]


def _productive(rules: list[Rule]) -> list[Rule]:
    """Returns the rules all of whose symbols derive some string."""
    productive: set[Symbol] = set()
    while True:
        kept = [rule for rule in rules if all(isinstance(s, str) or s in productive for s in rule.right)]
        found = {rule.left for rule in kept}
        if found == productive:
            return kept
        productive = found
