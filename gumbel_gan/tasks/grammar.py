"""Sequences from a probabilistic context-free grammar, with the grammar as an exact oracle."""

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType

import nltk
import numpy as np

from gumbel_gan.arguments import require_at_least, require_one_of
from gumbel_gan.tasks import pcfg, vocabulary
from gumbel_gan.tasks.interface import Oracle, Task

GRAMMARS = MappingProxyType(
    {
        # The paper's grammar: x, x+x, x*x-x, ...
        "arithmetic": "S -> 'x' | S '+' S | S '-' S | S '*' S | S '/' S",
        # Arithmetic that nests: (x+x)*x, ((x)), ...
        "parentheses": "S -> 'x' | S O S | '(' S ')'\nO -> '+' | '-' | '*' | '/'",
        # Balanced brackets of two kinds: ([])[], ...
        "brackets": "S -> B | B S\nB -> '(' ')' | '[' ']' | '(' S ')' | '[' S ']'",
    }
)
LENGTH_LAWS = ("uniform", "grammar")


def grammar_task(
    grammar: str = "arithmetic",
    *,
    max_length: int = 12,
    length_law: str = "uniform",
    num_train: int = 5_000,
    num_heldout: int = 1_000,
    padding: str = " ",
    support_limit: int = 100_000,
    seed: int = 0,
) -> Task:
    """Makes a task of strings drawn from a grammar.

    The law over strings is explicit. With `length_law='uniform'` every length that the grammar can derive is equally
    likely, and given its length a string has the grammar's own conditional law. With `length_law='grammar'` it is the
    grammar's own law, conditioned on fitting.

    Args:
      grammar: a PCFG in NLTK's notation over single characters: the name of one of `GRAMMARS`, the path of a file, or
        the productions themselves. Without probabilities, the rules of a nonterminal are equally likely.
      max_length: T, the largest length in characters; shorter strings are padded to it.
      length_law: 'uniform' or 'grammar'.
      num_train: number of training strings.
      num_heldout: number of validation strings, and of test strings.
      padding: the character that pads, which must not be a terminal.
      support_limit: the oracle lists every string where there are at most so many, and only parses above.
      seed: of the draw of strings.

    Returns:
      A `Task` with an oracle.

    Raises:
      ValueError: an argument is out of its range, or the grammar derives nothing within the length.
    """
    require_at_least(1, max_length=max_length, num_train=num_train, num_heldout=num_heldout)
    require_at_least(0, seed=seed)
    require_one_of(LENGTH_LAWS, length_law=length_law)
    if len(padding) != 1:
        raise ValueError(f"padding must be a single character, got {padding!r}")
    parsed = pcfg.parse_grammar(GRAMMARS.get(grammar) or productions(grammar))
    terminals = pcfg.terminals(parsed)
    if padding in terminals:
        raise ValueError(f"padding must not be a terminal of the grammar, got {padding!r}")

    law = pcfg.BoundedLaw(parsed, max_length)
    mass_by_length = law.of_start()
    if not mass_by_length.any():
        raise ValueError(f"grammar must derive a string of at most max_length={max_length} characters, got none")
    length_probs = mass_by_length if length_law == "grammar" else (mass_by_length > 0).astype(float)
    length_probs = length_probs / length_probs.sum()

    symbols = (padding, *terminals)
    rng = np.random.default_rng(seed)
    lengths = rng.choice(max_length + 1, size=num_train + 2 * num_heldout, p=length_probs)
    tokens = vocabulary.encode([law.sample(rng, length) for length in lengths], symbols, max_length)
    train, validation, test = np.split(tokens, [num_train, num_train + num_heldout])
    return Task(
        name=f"grammar {grammar}" if grammar in GRAMMARS else "grammar",
        symbols=symbols,
        padding=0,
        train=train,
        validation=validation,
        test=test,
        decode=partial(vocabulary.decode, symbols=symbols),
        oracle=_oracle(parsed, law, length_probs, symbols, max_length, support_limit),
    )


def parser_validity(grammar: nltk.CFG, max_length: int) -> Callable[[str], bool]:
    """Makes a validity test out of NLTK's chart parser.

    Args:
      grammar: the grammar.
      max_length: strings that are longer are not valid.

    Returns:
      A function that tells whether the grammar derives a string.
    """
    parser = nltk.ChartParser(grammar)
    known = set(pcfg.terminals(grammar))

    @lru_cache(maxsize=100_000)
    def is_valid(string: str) -> bool:
        if len(string) > max_length or not set(string) <= known:
            return False
        # The chart alone tells; listing its parse trees would take for ever on an ambiguous grammar.
        spans = parser.chart_parse(list(string)).select(is_complete=True, span=(0, len(string)), lhs=grammar.start())
        return next(iter(spans), None) is not None

    return is_valid


def _oracle(
    grammar: nltk.PCFG,
    law: pcfg.BoundedLaw,
    length_probs: np.ndarray,
    symbols: tuple[str, ...],
    max_length: int,
    support_limit: int,
) -> Oracle:
    by_length = law.strings(support_limit)
    if by_length is None:
        return Oracle(parser_validity(grammar, max_length), "parser", None, None, None, length_probs)
    strings, probs = [], []
    for length_prob, found in zip(length_probs, by_length, strict=True):
        total = sum(found.values())
        for string, mass in sorted(found.items()):
            strings.append(string)
            probs.append(length_prob * mass / total)
    support = vocabulary.encode(strings, symbols, max_length)
    known = dict(zip(strings, probs, strict=True))
    return Oracle(known.__contains__, "enumeration", support, np.log(probs), known, length_probs)


def productions(grammar: str) -> str:
    """Gives the productions of a grammar, or its name where it is one of `GRAMMARS`.

    Args:
      grammar: as in `grammar_task`.

    Returns:
      What needs no file to be understood.

    Raises:
      ValueError: it is no name, no file that can be read, and no productions.
    """
    if grammar in GRAMMARS or "->" in grammar:
        return grammar
    try:
        return Path(grammar).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"grammar must be one of {', '.join(GRAMMARS)}, a readable file, or productions with '->'; "
            f"got {grammar!r} ({error})"
        ) from error
