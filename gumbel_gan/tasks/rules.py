"""Probabilistic context-free grammars over characters: their rules, and a parser for their notation.

NLTK takes over a second to import, so only the functions that use it import it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import nltk


class Nonterminal(NamedTuple):
    """A symbol that rules replace."""

    name: str

    def __str__(self) -> str:
        """Returns the name."""
        return self.name


# A terminal, which is a str, or a Nonterminal.
Symbol = Any


class Rule(NamedTuple):
    """A production with its probability given its left-hand side."""

    left: Nonterminal
    right: tuple[Symbol, ...]
    probability: float


class Grammar(NamedTuple):
    """A probabilistic context-free grammar.

    Attributes:
      start: the start symbol.
      rules: the productions; the probabilities of the productions of a nonterminal are > 0 and sum to 1.
    """

    start: Nonterminal
    rules: tuple[Rule, ...]

    @property
    def terminals(self) -> tuple[str, ...]:
        """The terminals, sorted."""
        return tuple(sorted({symbol for rule in self.rules for symbol in rule.right if isinstance(symbol, str)}))

    def to_nltk(self) -> "nltk.CFG":
        """Returns the grammar without its probabilities, for NLTK's parsers."""
        import nltk

        def convert(symbol: Symbol) -> Any:
            return symbol if isinstance(symbol, str) else nltk.Nonterminal(symbol.name)

        productions = [nltk.Production(convert(rule.left), map(convert, rule.right)) for rule in self.rules]
        return nltk.CFG(convert(self.start), productions)


def uniform_grammar(rules: Mapping[str, Sequence[str]]) -> Grammar:
    """Builds a grammar in which the rules of a nonterminal are equally likely.

    Args:
      rules: right-hand sides of each nonterminal. The first nonterminal is the start symbol. Nonterminals are single
        characters; all other characters are terminals.

    >>> uniform_grammar({"S": ["x", "S+S"]}).terminals
    ('+', 'x')
    """
    symbols = {name: Nonterminal(name) for name in rules}
    return Grammar(
        next(iter(symbols.values())),
        tuple(
            Rule(symbols[left], tuple(symbols.get(character, character) for character in right), 1 / len(rights))
            for left, rights in rules.items()
            for right in rights
        ),
    )


def parse_grammar(text: str) -> Grammar:
    """Parses a PCFG in NLTK's notation, whose terminals are single characters.

    Rules of probability 0 are left out, and so are the terminals that occur in no other rule.

    Args:
      text: the productions. If no production states a probability, the productions of a nonterminal are equally likely.
        The start symbol is the first left-hand side, or the X of a line `%start X`.

    Returns:
      The grammar.

    Raises:
      ValueError: `text` is not such a grammar; the message starts with "grammar".
    """
    import nltk

    states_probabilities = re.search(r"\[[\d.]+\]", re.sub(r"'[^']*'|\"[^\"]*\"", "", text))
    try:
        parsed = (nltk.PCFG if states_probabilities else nltk.CFG).fromstring(text)
    except ValueError as error:
        raise ValueError(f"grammar must be a PCFG in NLTK's notation: {' '.join(str(error).split())}") from error

    def convert(symbol: Any) -> Symbol:
        return symbol if isinstance(symbol, str) else Nonterminal(str(symbol))

    stated = [
        Rule(convert(rule.lhs()), tuple(map(convert, rule.rhs())), rule.prob() if states_probabilities else 1.0)
        for rule in parsed.productions()
    ]
    # NLTK lets the probabilities of a nonterminal's rules sum to 0.99 to 1.01.
    totals: dict[Nonterminal, float] = {}
    for rule in stated:
        totals[rule.left] = totals.get(rule.left, 0.0) + rule.probability
    start = convert(parsed.start())
    if start not in totals:
        raise ValueError(f"grammar must have a production for its start symbol, got none for {start}")
    for symbol in (symbol for rule in stated for symbol in rule.right):
        if isinstance(symbol, Nonterminal) and symbol not in totals:
            raise ValueError(f"grammar must have a production for every nonterminal, got none for {symbol}")
        if isinstance(symbol, str) and len(symbol) != 1:
            raise ValueError(f"grammar must have terminals of a single character, got {symbol!r}")
    normalized = (rule._replace(probability=rule.probability / totals[rule.left]) for rule in stated)
    return Grammar(start, tuple(rule for rule in normalized if rule.probability > 0))
