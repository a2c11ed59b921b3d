import itertools

import nltk
import numpy as np
import pytest

from gumbel_gan.tasks import GRAMMARS, pcfg
from gumbel_gan.tasks.rules import Grammar, Nonterminal, Rule, parse_grammar

# The named grammars in NLTK's notation.
TEXTS = {
    "arithmetic": "S -> 'x' | S '+' S | S '-' S | S '*' S | S '/' S",
    "parentheses": "S -> 'x' | S O S | '(' S ')'\nO -> '+' | '-' | '*' | '/'",
    "brackets": "S -> B | B S\nB -> '(' ')' | '[' ']' | '(' S ')' | '[' S ']'",
}

AWKWARD = {
    "ambiguous": "S -> S S [0.4] | 'a' [0.6]",
    "empty": "S -> 'a' S 'b' [0.5] | [0.2] | B [0.3]\nB -> 'c' B [0.5] | [0.5]",
    "unit cycle": "S -> T [0.5] | 'a' [0.5]\nT -> S [0.5] | 'b' T [0.5]",
    "empty and cyclic": "S -> S S [0.1] | 'a' [0.7] | [0.2]",
    "unused": "S -> 'a' [1.0]\nU -> 'b' U [0.5] | 'b' [0.5]",
}


def enumerate_by_expansion(grammar, max_length, floor):
    """Sums all leftmost derivations with a probability of at least `floor`; slow, without dynamic programming."""
    found: dict[str, float] = {}
    pending = [((grammar.start,), 1.0)]
    while pending:
        form, prob = pending.pop()
        position = next((i for i, symbol in enumerate(form) if isinstance(symbol, Nonterminal)), None)
        if sum(isinstance(symbol, str) for symbol in form) > max_length or prob < floor:
            continue
        if position is None:
            found["".join(form)] = found.get("".join(form), 0.0) + prob
            continue
        for rule in grammar.rules:
            if rule.left == form[position]:
                pending.append((form[:position] + rule.right + form[position + 1 :], prob * rule.probability))
    return found


@pytest.mark.parametrize("name", sorted(AWKWARD))
def test_strings_and_masses_equal_the_sum_over_derivations(name):
    grammar = parse_grammar(AWKWARD[name])
    bounded = pcfg.BoundedDistribution(grammar, 4)
    by_length = bounded.strings(10_000)
    exact = {string: prob for found in by_length for string, prob in found.items()}
    summed = enumerate_by_expansion(grammar, 4, 3e-8)
    assert set(summed) == set(exact)
    for string, prob in summed.items():
        assert prob == pytest.approx(exact[string], rel=1e-2)
        assert prob <= exact[string] * (1 + 1e-9)
    np.testing.assert_allclose(
        bounded.mass_by_length(), [sum(found.values()) for found in by_length], rtol=1e-12, atol=1e-15
    )


def test_the_paper_grammar_by_hand():
    # With equally likely rules: p(x) = 1/5, p(x op x) = 1/125 for each operator; x op x op x has two derivations.
    bounded = pcfg.BoundedDistribution(GRAMMARS["arithmetic"], 12)
    by_length = bounded.strings(2_000)
    assert [len(found) for found in by_length] == [0, 1, 0, 4, 0, 16, 0, 64, 0, 256, 0, 1024, 0]
    assert by_length[1]["x"] == pytest.approx(1 / 5)
    assert by_length[3]["x+x"] == pytest.approx(1 / 125)
    assert by_length[5]["x+x*x"] == pytest.approx(2 / 5**5)


@pytest.mark.parametrize("name", sorted(AWKWARD))
def test_samples_have_the_conditional_distribution(name):
    bounded = pcfg.BoundedDistribution(parse_grammar(AWKWARD[name]), 4)
    rng = np.random.default_rng(0)
    by_length = bounded.strings(10_000)
    np.testing.assert_array_equal(bounded.mass_by_length() > 0, [bool(found) for found in by_length])
    for length, found in ((length, found) for length, found in enumerate(by_length) if found):
        probs = np.array(list(found.values())) / sum(found.values())
        num = 4_000
        drawn = [bounded.sample(rng, length) for _ in range(num)]
        shares = np.array([drawn.count(string) for string in found]) / num
        np.testing.assert_array_less(np.abs(shares - probs), 5 * np.sqrt(probs * (1 - probs) / num) + 1e-12)


def test_too_many_strings_are_not_listed():
    bounded = pcfg.BoundedDistribution(GRAMMARS["arithmetic"], 12)
    assert bounded.strings(1_365) is not None
    assert bounded.strings(1_364) is None


@pytest.mark.parametrize("name", sorted(GRAMMARS))
def test_named_grammars_agree_with_a_chart_parser_on_all_short_strings(name):
    grammar = GRAMMARS[name]
    parser = nltk.ChartParser(nltk.CFG.fromstring(TEXTS[name]))
    by_length = pcfg.BoundedDistribution(grammar, 4).strings(10_000)
    for length, found in enumerate(by_length):
        for string in map("".join, itertools.product(grammar.terminals, repeat=length)):
            assert (string in found) == (next(parser.parse(list(string)), None) is not None)


@pytest.mark.parametrize("name", sorted(GRAMMARS))
def test_named_grammars_are_those_of_their_texts(name):
    assert parse_grammar(TEXTS[name]) == GRAMMARS[name]
    assert GRAMMARS[name].to_nltk().productions() == nltk.CFG.fromstring(TEXTS[name]).productions()


def test_probabilities_that_sum_to_nearly_one_are_normalized():
    start = Nonterminal("S")
    assert parse_grammar("S -> 'a' [0.504] | 'b' [0.504]") == Grammar(
        start, (Rule(start, ("a",), 0.5), Rule(start, ("b",), 0.5))
    )


def test_equal_rules_unless_probabilities_are_stated():
    plain = parse_grammar("S -> 'x' | S '+' S")
    stated = parse_grammar("S -> 'x' [0.5] | S '+' S [0.5]")
    assert plain == stated
    # Brackets and digits inside quotes are terminals, not probabilities.
    assert parse_grammar("S -> '[' S ']' | '1'").terminals == ("1", "[", "]")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("S -> 'ab'", "terminals of a single character, got 'ab'"),
        ("%start E\nS -> 'a'", "production for its start symbol, got none for E"),
        ("S -> 'a' T", "production for every nonterminal, got none for T"),
        ("S -> 'a' [0.5] | 'b' [0.3]", "PCFG in NLTK's notation"),
        ("S => 'a'", "PCFG in NLTK's notation"),
        ("", "PCFG in NLTK's notation"),
    ],
)
def test_bad_grammars_are_named(text, message):
    with pytest.raises(ValueError, match=f"^grammar must .*{message}"):
        parse_grammar(text)


def test_rules_that_derive_nothing_count_for_nothing():
    bounded = pcfg.BoundedDistribution(parse_grammar("S -> 'a' | T\nT -> T"), 3)
    np.testing.assert_allclose(bounded.mass_by_length(), [0, 0.5, 0, 0])
    assert bounded.strings(10)[1] == {"a": 0.5}
    np.testing.assert_array_equal(pcfg.BoundedDistribution(parse_grammar("S -> S"), 3).mass_by_length(), np.zeros(4))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("S -> S S [0.5] | [0.5]", 1),
        ("S -> T T [0.5] | [0.5]\nT -> S [1.0]", 1),
        ("S -> S S [0.5] | T [0.5]\nT -> T T [0.5] | [0.5]", 1),
        ("S -> S S S [0.25] | S [0.25] | [0.5]", 1),
        ("S -> S S [0.4] | [0.6]", 1),
        ("S -> S S [0.75] | [0.25]", 1 / 3),
        ("S -> S S [0.504] | [0.504]", 1),
        ("S -> S S [0.5] | [0.25] | 'a' [0.25]", 1 - np.sqrt(0.5)),
        ("S -> S S [0.5] | [0.4999999] | 'a' [0.0000001]", 1 - np.sqrt(2e-7)),
        ("S -> S S [0.5] | 'a' [0.5]", 0),
        ("S -> T S [0.5] | 'a' [0.5]\nT -> T T [0.5] | [0.5]", 0),
        ("S -> T U [0.5] | [0.5]\nT -> T T [0.5] | [0.5]\nU -> U U [0.75] | [0.25]", 2 / 3),
        ("S -> S [0.5] | T [0.25] | [0.25]\nT -> T [1.0]", 0.5),
    ],
)
def test_the_mass_of_the_empty_string_is_the_closed_form_at_and_off_the_critical_point(text, expected):
    bounded = pcfg.BoundedDistribution(parse_grammar(text), 3)
    assert bounded.mass_by_length()[0] == pytest.approx(expected, rel=1e-9, abs=0)


def test_a_critical_grammar_has_the_masses_of_its_trees():
    # Catalan numbers count the trees with n leaves. The masses sum to 1, and E derives only the empty string.
    grammar = parse_grammar("S -> S S E [0.5] | 'a' [0.5]\nE -> E E [0.5] | [0.5]")
    masses = pcfg.BoundedDistribution(grammar, 8).mass_by_length()
    catalan = np.array([1, 1, 2, 5, 14, 42, 132, 429])
    np.testing.assert_allclose(masses, [0, *(catalan / 2.0 ** np.arange(1, 16, 2))], rtol=1e-12)
    nothing = pcfg.BoundedDistribution(parse_grammar("S -> S S [0.5] | [0.5]"), 3)
    np.testing.assert_array_equal(nothing.mass_by_length(), [1, 0, 0, 0])
    assert nothing.strings(10) == [{"": 1.0}, {}, {}, {}]


def test_lengths_that_cannot_be_derived_have_no_mass_at_all():
    # For these cycles of unit rules, the matrix inverse has rounding errors.
    grammar = parse_grammar("S -> A | B | 'x' S 'x'\nA -> B | C | 'a'\nB -> C | A\nC -> A | B | 'c' C 'c'")
    assert (pcfg.BoundedDistribution(grammar, 9).mass_by_length()[::2] == 0).all()
