import pytest
from ml_collections import ConfigDict

from experiments.config.members import member_names, members, sweep


def config(**schedules):
    return ConfigDict({"seed": 3, "num_seeds": 2, "algorithm": {"name": "any", "width": 3, "inner": schedules}})


def test_without_a_sweep_the_members_are_the_seeds():
    plain = config(rate="cosine(1e-3, 5e-5)", noise="none", weight=1.0)
    assert members(plain) == ([3, 4], [0, 0])
    assert sweep(plain) == [{}]
    assert member_names(plain) == ["seed_3", "seed_4"]


def test_a_list_is_a_sweep():
    swept = config(rate="cosine([1e-3, 2e-3, 4e-3], 5e-5)", temperature="linear(5.0, end_value=[0.5, 1, 2])")
    assert members(swept) == ([3, 4, 3, 4, 3, 4], [0, 0, 1, 1, 2, 2])
    assert sweep(swept)[1:] == [
        {"algorithm.inner.rate": "cosine(0.002, 5e-05)", "algorithm.inner.temperature": "linear(5.0, end_value=1)"},
        {"algorithm.inner.rate": "cosine(0.004, 5e-05)", "algorithm.inner.temperature": "linear(5.0, end_value=2)"},
    ]
    assert member_names(swept)[-1] == "point_2/seed_4"


@pytest.mark.parametrize("second", ["[1.0]", "[]"])
def test_lists_of_unlike_lengths_are_named(second):
    with pytest.raises(ValueError, match=r"config\.algorithm\.inner\.b must have as many values .* 2, and at least 1"):
        sweep(config(a="constant([1.0, 2.0])", b=f"constant({second})"))
