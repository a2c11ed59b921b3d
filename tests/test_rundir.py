from experiments.config.run_config import flatten
from experiments.run.directory import RunDirectory, write_samples


def test_samples_come_back_whatever_they_hold(tmp_path):
    strings = ["x", "", "two\nlines", "\\n", "back\\slash\r", " blanks ", "é😀"]
    run = RunDirectory(tmp_path)
    write_samples(run.samples, strings)
    assert run.read_samples() == strings
    assert run.samples.read_text(encoding="utf-8").count("\n") == len(strings)


def test_lists_of_json_are_the_tuples_they_were():
    assert flatten({"a": {"b": [1, 2]}, "c": (1, 2)}) == {"a.b": (1, 2), "c": (1, 2)}
