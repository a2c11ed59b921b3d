import nltk
import numpy as np
import pytest
import scipy.stats

from gumbel_gan.tasks import GRAMMARS, grammar, grammar_task
from tests.test_pcfg import TEXTS


def test_the_default_is_the_paper_task():
    task = grammar_task()
    assert task.symbols == (" ", "*", "+", "-", "/", "x")
    assert task.train.tokens.shape == (5_000, 12)
    assert task.validation.tokens.shape == task.test.tokens.shape == (1_000, 12)
    assert task.train.tokens.dtype == np.int32
    assert task.oracle.support.tokens.shape == (1_365, 12)
    assert task.oracle.validity_method == "enumeration"
    assert task.vocabulary[1:5] == (0, False, False, "")
    np.testing.assert_allclose(np.exp(task.oracle.support.log_probs).sum(), 1.0)


def test_uniform_lengths_have_the_same_share_each():
    task = grammar_task()
    np.testing.assert_allclose(task.oracle.length_probs, [0, 1 / 6] * 6 + [0])
    lengths = np.bincount([len(string) for string in task.decode(task.train.tokens)], minlength=13)
    assert (lengths[0::2] == 0).all()
    assert scipy.stats.chisquare(lengths[1::2]).pvalue > 0.001


def test_the_grammar_s_own_distribution_is_conditioned_on_the_length():
    task = grammar_task(length_distribution="grammar")
    strings = task.decode(task.oracle.support.tokens)
    prob = dict(zip(strings, np.exp(task.oracle.support.log_probs), strict=True))
    assert prob["x"] == pytest.approx(0.80, abs=0.01)
    assert prob["x+x"] / prob["x"] == pytest.approx((1 / 125) / (1 / 5))
    share = np.mean([string == "x" for string in task.decode(task.train.tokens)])
    assert abs(share - prob["x"]) < 5 * np.sqrt(prob["x"] * (1 - prob["x"]) / 5_000)


def test_drawn_strings_have_the_distribution_of_the_oracle():
    task = grammar_task("brackets", max_length=6, num_train=20_000)
    strings = task.decode(task.oracle.support.tokens)
    drawn = task.decode(task.train.tokens)
    counts = [drawn.count(string) for string in strings]
    assert sum(counts) == len(drawn)
    assert scipy.stats.chisquare(counts, np.exp(task.oracle.support.log_probs) * len(drawn)).pvalue > 0.001


def test_a_sequence_may_be_empty_where_the_grammar_derives_the_empty_string():
    assert grammar_task("S -> 'x' S | ", max_length=3).vocabulary.allow_empty


def test_the_draw_is_seeded():
    np.testing.assert_array_equal(grammar_task(seed=3).train.tokens, grammar_task(seed=3).train.tokens)
    assert (grammar_task(seed=3).train.tokens != grammar_task(seed=4).train.tokens).any()


@pytest.mark.parametrize("name", sorted(GRAMMARS))
def test_validity_agrees_with_a_chart_parser_on_drawn_corrupted_and_random_strings(name):
    task = grammar_task(name, max_length=8, num_train=150, num_heldout=1)
    parser = nltk.ChartParser(nltk.CFG.fromstring(TEXTS[name]))
    terminals = set(task.symbols[1:])
    rng = np.random.default_rng(0)
    corrupted = task.train.tokens.copy()
    rows = np.arange(len(corrupted))
    corrupted[rows, rng.integers(0, 8, len(rows))] = rng.integers(0, len(task.symbols), len(rows))
    strings = [
        *task.decode(task.train.tokens),
        *task.decode(corrupted),
        *task.decode(rng.integers(0, len(task.symbols), (150, 8))),
    ]
    parsed = [set(string) <= terminals and next(parser.parse(list(string)), None) is not None for string in strings]
    assert [task.oracle.is_valid(string) for string in strings] == parsed
    assert 150 < sum(parsed) < len(strings) - 100  # some of the other strings are valid, and some are not
    by_parser = grammar.parser_validity(GRAMMARS[name], 8)
    assert [by_parser(string) for string in strings] == parsed


def test_the_parser_oracle_does_not_list_the_trees_of_an_ambiguous_string():
    # Fifteen operators have 9,694,845 derivations.
    is_valid = grammar.parser_validity(GRAMMARS["arithmetic"], 40)
    assert is_valid("x" + "+x" * 15)
    assert not is_valid("x" + "+x" * 15 + "+")


def test_above_the_support_limit_the_oracle_parses():
    listed = grammar_task("parentheses", max_length=5)
    parsed = grammar_task("parentheses", max_length=5, support_limit=10)
    assert (parsed.oracle.support, parsed.oracle.validity_method, parsed.oracle.log_prob) == (None, "parser", None)
    np.testing.assert_array_equal(parsed.train.tokens, listed.train.tokens)
    for string in ["(x)+x", "((x))", "x+", "x + x", "", "(x)+x*x"]:
        assert parsed.oracle.is_valid(string) == listed.oracle.is_valid(string)


@pytest.mark.parametrize("support_limit", [0, 100_000])
def test_rules_of_probability_zero_derive_nothing(support_limit):
    text = "S -> 'x' S [0.5] | 'x' [0.5] | 'y' [0.0] | 'y' T [0.0]\nT -> 'z' [1.0]"
    task = grammar_task(text, max_length=3, support_limit=support_limit)
    assert task.symbols == (" ", "x", "z")
    assert not task.oracle.is_valid("y")
    assert task.oracle.is_valid("xx")
    if task.oracle.support is not None:
        assert np.isfinite(task.oracle.support.log_probs).all()


def test_a_grammar_may_be_inline_or_in_a_file(tmp_path):
    text = "S -> 'a' S 'b' [0.5] | 'c' [0.5]"
    inline = grammar_task(text, max_length=5)
    file = tmp_path / "mine.pcfg"
    file.write_text(text)
    np.testing.assert_array_equal(inline.train.tokens, grammar_task(str(file), max_length=5).train.tokens)
    assert set(inline.decode(inline.oracle.support.tokens)) == {"c", "acb", "aacbb"}


def test_decode_strips_only_the_padding_at_the_end():
    task = grammar_task()
    assert task.decode(np.array([[5, 0, 2, 5] + [0] * 8, [0] * 12])) == ["x +x", ""]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"grammar": "S -> 'x' S"}, "grammar must derive a string of at most max_length=12 characters, got none"),
        ({"grammar": "S -> 'x' 'x' 'x'", "max_length": 2}, "grammar must derive a string of at most max_length=2"),
        ({"padding": "x"}, "padding must not be a terminal of the grammar, got 'x'"),
        ({"padding": "  "}, "padding must be a single character, got '  '"),
        ({"grammar": "arithmetics"}, "grammar must be one of arithmetic, parentheses, brackets, a readable file"),
        ({"length_distribution": "flat"}, "length_distribution must be one of uniform, grammar; got 'flat'"),
        ({"max_length": 0}, "max_length must be at least 1, got 0"),
        ({"num_train": 0}, "num_train must be at least 1, got 0"),
    ],
)
def test_bad_arguments_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        grammar_task(**settings)


def test_arguments_of_other_types_are_named():
    with pytest.raises(TypeError, match="grammar must be a string, got None"):
        grammar_task(None)
    with pytest.raises(TypeError, match=r"num_train must be an integer, got 5\.0"):
        grammar_task(num_train=5.0)


def test_the_support_has_the_probability_of_each_string():
    task = grammar_task("brackets", max_length=6)
    support = task.oracle.support
    assert list(support.probs) == task.decode(support.tokens)
    np.testing.assert_allclose(np.log(list(support.probs.values())), support.log_probs)
    assert support.log_probs.dtype == np.float64
    # Lengths 2, 4 and 6 are equally likely.
    assert sum(prob for string, prob in support.probs.items() if len(string) == 4) == pytest.approx(1 / 3)
    # By hand: `()` uses S -> B and B -> (): 1/8. `()()` uses S -> B S, S -> B and twice B -> (): 1/64.
    own = grammar_task("brackets", max_length=6, length_distribution="grammar").oracle.support.probs
    assert own["()()"] / own["()"] == pytest.approx((1 / 64) / (1 / 8))
