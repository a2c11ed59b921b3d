"""The typed summary: written and read back, and read from the files of older versions."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.run.directory import RunDirectory
from experiments.run.summary import SCHEMA_VERSION, Summary, read_summary, write_summary
from experiments.run.texts import as_json
from gumbel_gan.metrics import METRICS

COMMITTED = sorted((Path(__file__).parent.parent / "experiments" / "results").rglob("summary.json"))
STORED = {
    "validity": [0.5, None],
    "seeds": [3, 4],
    "steps": 10,
    "task": "names",
    "algorithm": "relaxed_gan",
    "validity_method": None,
    "num_samples": 7,
    "training_set": {"num_strings": 5.0},
    "sampling_floor": {"num_strings": 5.0},
    "wall_seconds": 2,
    "backend": "cpu",
    "length_law": {"train": [0.5, 0.5]},
    "num_train": 500,
}


def test_every_committed_summary_is_read():
    assert COMMITTED
    for file in COMMITTED:
        stored = json.loads(file.read_text())
        summary = Summary.from_json(stored)
        assert {name for name in METRICS if name in stored} == set(summary.metrics)
        assert summary.seeds == stored["seeds"]
        replicas = [summary.replicas_at(point) for point in range(len(summary.sweep))]
        assert sorted(replica for each in replicas for replica in each) == list(range(len(summary.seeds)))
        assert all(replicas)
        assert Summary.from_json(summary.to_json()) == summary


def test_what_an_older_version_lacks_takes_its_default():
    summary = Summary.from_json(STORED)
    assert summary.metrics == {"validity": [0.5, None]}
    assert (summary.points, summary.sweep, summary.num_compared, summary.samples_valid) == ([0, 0], [{}], 0, None)
    assert summary.length_distribution == {"train": [0.5, 0.5]}
    assert summary.replicas_at(0) == [0, 1]


def test_a_summary_is_written_and_read_back(tmp_path):
    summary = replace(Summary.from_json(STORED), samples_valid=[[True, False]], sweep=[{"algorithm.rate": 0.5}])
    run = RunDirectory(tmp_path)
    write_summary(run, summary)
    stored = json.loads(run.summary.read_text())
    assert stored["schema_version"] == SCHEMA_VERSION
    assert stored["validity"] == [0.5, None]
    assert "trade_off" not in stored
    assert read_summary(run) == summary
    assert as_json(summary.to_json()) == stored


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema_version": 99}, "must have a schema_version of at most 2, which this version reads, got 99"),
        ({"schema_version": "2"}, "must have a schema_version of at most 2, which this version reads, got '2'"),
        ({"steps": None}, "'steps' in summary.json, of version 1, must be <class 'int'>, got None"),
        ({"sweep": {}}, "'sweep' in summary.json, of version 1, must be list"),
        ({"num_states": True}, "'num_states' in summary.json, of version 1, must be"),
    ],
)
def test_what_can_not_be_read_is_named(tmp_path, changes, message):
    run = RunDirectory(tmp_path)
    run.summary.write_text(json.dumps(STORED | changes))
    with pytest.raises(ValueError, match=r"summary\.json") as error:
        read_summary(run)
    assert str(error.value).startswith(repr(str(tmp_path)))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_field_is_named_with_the_version():
    lacking = {name: value for name, value in STORED.items() if name != "training_set"}
    with pytest.raises(ValueError, match="must hold 'training_set', but this one, of version 1, lacks it"):
        Summary.from_json(lacking)
