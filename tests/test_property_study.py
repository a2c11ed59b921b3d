"""The study of a property: its parts use the task and the generator of a run; its report is of made-up runs."""

import json

import numpy as np
import pytest

from experiments.config import files, run_config
from experiments.configs import molecules
from experiments.reports.runs import read_runs
from experiments.run.directory import RunDirectory
from experiments.run.texts import write_json
from experiments.studies import property as study
from tests.test_report import crossing, write_run

SMILES = [f"{'C' * carbons}{end}" for carbons in range(1, 9) for end in ("O", "N", "F", "c1ccccc1")]


@pytest.fixture
def source(tmp_path):
    """The folder of a maximum-likelihood run before its first step."""
    (tmp_path / "mine.smi").write_text("".join(f"{smiles}\n" for smiles in SMILES))
    config = molecules.get_config()
    config.algorithm.generator.hidden_size = 24
    config.task.files = str(tmp_path / "mine.smi")
    parsed = files.self_contained(run_config.parse(config))
    run = RunDirectory(tmp_path / "molecules")
    run.start(parsed, overwrite=False)
    run.keep_files(parsed)
    return run


def test_all_methods_start_from_one_run_and_have_equal_calls(source):
    parts = study.parts(init_from=str(source.path), function="mine:score", max_calls=700, num_seeds=3)
    configs = {name: run_config.parse(part.config) for name, part in parts.items()}
    assert list(configs) == ["policy_gradient", "feedback", "hill_climbing", "rejection"]
    for name, config in configs.items():
        assert config.init_from == str(source.path.resolve())
        assert config.algorithm.settings["generator"]["hidden_size"] == 24
        assert config.task.settings["files"] == source.kept_files()[0]
        assert (config.property["function"], config.property["max_calls"], config.num_seeds) == ("mine:score", 700, 3)
        known = run_config.flatten(run_config.parse(parts[name].config).to_dict())
        assert set(parts[name].changes) <= set(known)
    with pytest.raises(ValueError, match="--init_from must name the folder of a likelihood run"):
        study.parts(init_from="", function="qed", max_calls=10, num_seeds=1)


def test_the_report_compares_at_equal_calls(source, tmp_path, monkeypatch):
    monkeypatch.setattr(study, "_NUM_WORKERS", 1)
    parts = study.parts(init_from=str(source.path), function="tests.troublesome:score", max_calls=120, num_seeds=2)
    runs = {}
    for number, (name, part) in enumerate(parts.items()):
        folder = write_run(tmp_path / name, algorithm=name, losses=crossing, validity=[1.0, 1.0], kl=[1.0, 1.0])
        write_json(folder / "config.json", files.self_contained(run_config.parse(part.config)).to_dict())
        # The score is the number of carbons: 5 for the first method, and one more from call 110 on.
        strings = [f"{'C' * (5 + number + (call >= 110))}" for call in range(130)]
        calls = [
            [10, replica, f"{string}#{call}", len(string), "", ""]
            for replica in range(2)
            for call, string in enumerate(strings)
        ]
        (folder / "calls.jsonl").write_text("".join(json.dumps(call) + "\n" for call in calls))
        rows = [
            {"step": step, "property_calls": [step, step], "property": [step / 10, step / 5]}
            for step in (40, 80, 120, 130)
        ]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (folder / "samples.txt").write_text("CCO\nC1\nCCN\n" * 2)
        summary = json.loads((folder / "summary.json").read_text())
        write_json(folder / "summary.json", summary | {"calls": {"function": "score", "calls": [130, 130]}})
        runs[name] = read_runs([folder], labels=[part.label], captions=[part.caption])[0]
    grid = np.array([40.0, 100.0, 120.0])
    asked = study._scores(RunDirectory(tmp_path / "policy_gradient"), 0)
    assert len(asked) == 120
    np.testing.assert_allclose(study._best_so_far(asked, grid), [np.nan, 5.0, 5.1])
    fresh = study._of_samples(runs["policy_gradient"], np.append(grid, 140.0))
    np.testing.assert_allclose(fresh, [[4, 8], [12, 24], [12, 24], [np.nan, np.nan]])

    path = study.write(runs, tmp_path)
    assert (tmp_path / "property.png").stat().st_size > 10_000
    header, *_ = lines = path.read_text().split("\n")
    # Only the first max_calls, 120, of the 130 calls count.
    assert " 120 calls of score each;" in header
    lines = lines[4:-1]
    assert [line.split(" | ")[1] for line in lines] == ["best", "samples"] * 4
    # Two of three samples are valid and have three symbols each. Invalid samples have the worst score, 0.
    assert "| 2.000 (2.000 … 2.000) | 0.667 (0.667 … 0.667) | 1.000" in lines[1]
