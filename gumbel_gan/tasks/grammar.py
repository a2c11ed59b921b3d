"""Sequences from a probabilistic context-free grammar, with the grammar as an exact oracle."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from gumbel_gan.arguments import require_at_least, require_one_of
from gumbel_gan.data import Batch
from gumbel_gan.tasks import pcfg
from gumbel_gan.tasks.interface import Oracle, Support, Task
from gumbel_gan.tasks.rules import Grammar, parse_grammar, uniform_grammar
from gumbel_gan.tasks.vocabulary import Vocabulary

GRAMMARS = MappingProxyType(
    {
        # The paper's grammar: x, x+x, x*x-x, ...
        "arithmetic": uniform_grammar({"S": ["x", "S+S", "S-S", "S*S", "S/S"]}),
        # Arithmetic that nests: (x+x)*x, ((x)), ...
        "parentheses": uniform_grammar({"S": ["x", "SOS", "(S)"], "O": ["+", "-", "*", "/"]}),
        # Balanced brackets of two kinds: ([])[], ...
        "brackets": uniform_grammar({"S": ["B", "BS"], "B": ["()", "[]", "(S)", "[S]"]}),
    }
)
LENGTH_DISTRIBUTIONS = ("uniform", "grammar")


def grammar_task(
    grammar: str = "arithmetic",
    *,
    max_length: int = 12,
    length_distribution: str = "uniform",
    num_train: int = 5_000,
    num_heldout: int = 1_000,
    padding: str = " ",
    support_limit: int = 100_000,
    seed: int = 0,
) -> Task:
    """Builds a task of strings drawn from a probabilistic context-free grammar (PCFG).

    p(s) = p(length of s) p_grammar(s | length of s). With `length_distribution='uniform'`, every length that the
    grammar can derive is equally likely. With `length_distribution='grammar'`, p(s) is the grammar's own distribution,
    conditioned on a length of at most `max_length`.

    Args:
      grammar: a PCFG in NLTK's notation over single characters: a name in `GRAMMARS`, the path of a file, or the
        productions themselves. Without probabilities, the rules of a nonterminal are equally likely. Rules of
        probability 0 are left out.
      max_length: T, the largest length in characters; shorter strings are padded to it.
      length_distribution: 'uniform' or 'grammar'.
      num_train: number of training strings.
      num_heldout: number of validation strings, and of test strings.
      padding: the padding character, which must not be a terminal.
      support_limit: the oracle lists all strings if no nonterminal derives more than this many strings of at most
        `max_length` characters; otherwise it only parses.
      seed: seed of the draws.

    Returns:
      A `Task` with an oracle. Its splits are independent draws: a test string may also be a training string.

    Raises:
      TypeError: `grammar` is not a string, or a number is not an integer.
      ValueError: an argument is out of range, or the grammar derives no string of at most `max_length` characters.
    """
    require_at_least(1, max_length=max_length, num_train=num_train, num_heldout=num_heldout)
    require_at_least(0, support_limit=support_limit, seed=seed)
    require_one_of(LENGTH_DISTRIBUTIONS, length_distribution=length_distribution)
    if not isinstance(padding, str) or len(padding) != 1:
        raise ValueError(f"padding must be a single character, got {padding!r}")
    text = productions(grammar)
    parsed = GRAMMARS[text] if text in GRAMMARS else parse_grammar(text)
    terminals = parsed.terminals
    if padding in terminals:
        raise ValueError(f"padding must not be a terminal of the grammar, got {padding!r}")

    distribution = pcfg.BoundedDistribution(parsed, max_length)
    mass_by_length = distribution.mass_by_length()
    if not mass_by_length.any():
        raise ValueError(f"grammar must derive a string of at most max_length={max_length} characters, got none")
    length_probs = mass_by_length if length_distribution == "grammar" else (mass_by_length > 0).astype(float)
    length_probs = length_probs / length_probs.sum()

    vocabulary = Vocabulary((padding, *terminals), padding=0, allow_empty=bool(length_probs[0] > 0))
    rng = np.random.default_rng(seed)
    lengths = rng.choice(max_length + 1, size=num_train + 2 * num_heldout, p=length_probs)
    tokens = vocabulary.encode([distribution.sample(rng, length) for length in lengths], max_length)
    train, validation, test = map(Batch, np.split(tokens, [num_train, num_train + num_heldout]))
    return Task(
        name=f"grammar {grammar}" if grammar in GRAMMARS else "grammar",
        vocabulary=vocabulary,
        train=train,
        validation=validation,
        test=test,
        oracle=_oracle(parsed, distribution, length_probs, vocabulary, max_length, support_limit),
    )


def parser_validity(grammar: Grammar, max_length: int) -> Callable[[str], bool]:
    """Builds a validity check from NLTK's chart parser.

    Args:
      grammar: the grammar.
      max_length: longer strings are not valid.

    Returns:
      A function (string) -> bool that tells whether the grammar derives the string.
    """
    import nltk

    parsed = grammar.to_nltk()
    parser = nltk.ChartParser(parsed)
    known = set(grammar.terminals)

    @lru_cache(maxsize=100_000)
    def is_valid(string: str) -> bool:
        if len(string) > max_length or not set(string) <= known:
            return False
        # The chart suffices; the number of parse trees of an ambiguous grammar grows exponentially with the length.
        spans = parser.chart_parse(list(string)).select(is_complete=True, span=(0, len(string)), lhs=parsed.start())
        return next(iter(spans), None) is not None

    return is_valid


def _oracle(
    grammar: Grammar,
    distribution: pcfg.BoundedDistribution,
    length_probs: np.ndarray,
    vocabulary: Vocabulary,
    max_length: int,
    support_limit: int,
) -> Oracle:
    by_length = distribution.strings(support_limit)
    if by_length is None:
        return Oracle(
            is_valid=parser_validity(grammar, max_length), validity_method="parser", length_probs=length_probs
        )
    probs: dict[str, float] = {}
    for length_prob, found in zip(length_probs, by_length, strict=True):
        total = sum(found.values())
        probs |= {string: length_prob * mass / total for string, mass in sorted(found.items())}
    support = Support(vocabulary.encode(list(probs), max_length), np.log(list(probs.values())), probs)
    return Oracle(support, probs.__contains__, "enumeration", length_probs=length_probs)


def productions(grammar: str) -> str:
    """Returns the productions of a grammar, or its name if that is one of `GRAMMARS`.

    Args:
      grammar: as in `grammar_task`.

    Returns:
      The contents of the file if `grammar` is a path; otherwise `grammar`.

    Raises:
      TypeError: `grammar` is not a string.
      ValueError: `grammar` is not a name, a file that can be read, or productions.
    """
    if not isinstance(grammar, str):
        raise TypeError(f"grammar must be a string, got {grammar!r}")
    if grammar in GRAMMARS or "->" in grammar:
        return grammar
    try:
        return Path(grammar).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ValueError(
            f"grammar must be one of {', '.join(GRAMMARS)}, a readable file, or productions with '->'; "
            f"got {grammar!r} ({error})"
        ) from error
