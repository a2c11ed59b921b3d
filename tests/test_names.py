import sys
from pathlib import Path

import pytest

from gumbel_gan.tasks import files_digest, names_task

KANTROWITZ = [Path(__file__).parents[2] / "shared" / "data" / "names" / f"{sex}.txt" for sex in ("female", "male")]


def strings_of(task):
    return [task.decode(split.tokens) for split in (task.train, task.validation, task.test)]


def num_names(task):
    train, validation, test = strings_of(task)
    assert len({*train, *validation, *test}) == len(train) + len(validation) + len(test)
    return len(train) + len(validation) + len(test)


def test_the_package_holds_the_names_of_the_census():
    task = names_task()
    assert task.name == "names"
    assert task.symbols == ("", *"abcdefghijklmnopqrstuvwxyz")
    assert (*task.vocabulary[1:], task.length) == (0, True, False, "", "", "none", None, 10)
    assert task.validation.tokens.shape == task.test.tokens.shape == (500, 10)
    assert num_names(task) == 5_105
    assert "Lines of more than 9 symbols (max_length), dropped: 59." in task.notes
    everyone = names_task(max_length=20)
    assert num_names(everyone) == 5_163
    assert {"mary", "christopher"} <= {name for names in strings_of(everyone) for name in names}


@pytest.mark.skipif(
    not all(path.is_file() for path in KANTROWITZ), reason="Kantrowitz's names are not in ../shared/data/names"
)
def test_other_lists_have_the_same_vocabulary():
    task = names_task(KANTROWITZ)
    assert task.name == "names female.txt, male.txt"
    assert num_names(task) == 7_401
    assert "Lines read: 7,944; blank, left out: 0." in task.notes
    assert task.symbols == names_task().symbols
    repeated = names_task(KANTROWITZ, deduplicate=False)
    train, validation, test = strings_of(repeated)
    assert len(train) + len(validation) + len(test) == 7_401 + 368
    assert set(train).isdisjoint({*validation, *test})


def test_names_that_are_not_letters_or_too_long_are_dropped_and_counted(tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("Ann\nANN\nJean-Luc\nMary Ann\nZoë\nMaximilian\nBo\n\nCy\n", encoding="utf-8")
    task = names_task(str(file), num_heldout=1)
    assert sorted(name for names in strings_of(task) for name in names) == ["ann", "bo", "cy"]
    assert task.notes[:4] == (
        "Lines read: 9; blank, left out: 1.",
        "Names with anything but the letters a to z, dropped: 3.",
        "Lines of more than 9 symbols (max_length), dropped: 1.",
        "Repeated lines, left out: 1.",
    )


def test_the_split_is_seeded():
    first, again, other = (strings_of(names_task(seed=seed)) for seed in (3, 3, 4))
    assert first == again
    assert first[2] != other[2]


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "names", None)
    with pytest.raises(ImportError, match=r"package 'names' is not installed \(pip install 'gumbel_gan\[data\]'\)"):
        names_task()


def test_bad_arguments_are_named(tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("Ann\nBo\nCy\n")
    assert names_task(file, num_heldout=1, digest=files_digest(file)).train.tokens.shape == (1, 10)
    for settings, message in [
        ({"max_length": 0}, "max_length must be at least 1, got 0"),
        ({"num_heldout": 0}, "num_heldout must be at least 1, got 0"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"digest": "0" * 64}, "files must be those of digest 0000"),
        ({"max_length": 1}, r"files must hold a usable line, got none\. Lines read: 3"),
        ({"num_heldout": 2}, "num_heldout must be less than half of the distinct sequences, which are 3; got 2"),
    ]:
        with pytest.raises(ValueError, match=message):
            names_task(file, **({"num_heldout": 1} | settings))
