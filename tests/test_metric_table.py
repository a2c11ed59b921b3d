"""A metric that is added to `METRICS` is measured, printed, tabulated, drawn and tested."""

import csv
from dataclasses import replace

import jax
import numpy as np
import pytest
from rich.console import Console

from experiments.config import build, run_config
from experiments.configs import quicktest
from experiments.reports import curves, page, report, tables, terminal
from experiments.reports.bands import numbers
from experiments.reports.runs import read_runs
from experiments.run import evaluation
from experiments.run.directory import RunDirectory
from experiments.run.summary import write_summary
from experiments.run.texts import write_json
from experiments.studies.rank_test import compared
from gumbel_gan import training
from gumbel_gan.metrics import METRICS, Metric, describe

NAME = "begins_with_digit"
MINE = Metric(
    "begins with symbol 0",
    "higher",
    "Share of the samples that begin with symbol 0.",
    lambda comparison: comparison.mean(np.array([sample[:1] == (0,) for sample in comparison.samples], float)),
    panel="first symbols",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Writes a run of zero training steps; yields its folder and the values expected of an added metric."""
    config = quicktest.get_config()
    config.num_seeds, config.num_samples, config.num_compared = 2, 100, 60
    config = run_config.parse(config)
    experiment = build.build(config)
    run = RunDirectory(tmp_path_factory.mktemp("runs") / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(METRICS, NAME, MINE)
        state = jax.lax.map(experiment.algorithm.init, training.seeds_axis([0, 1]).init)
        summary, strings = evaluation.summarize(config, experiment, state, None, steps=0)
        run.path.mkdir()
        write_json(run.config, config.to_dict())
        evaluation.write_samples_and_states(run, config, strings, None)
        run.metrics.write_text("".join(f'{{"step": {step}, "{NAME}": [0.5, 0.25]}}\n' for step in (1, 2)))
        write_summary(run, summary)
        first = experiment.task.vocabulary.symbols[0]
        shares = [np.mean([string.startswith(first) for string in each[:60]]) for each in strings]
        yield run.path, shares


def test_a_metric_that_is_added_to_the_table_is_shown_everywhere(folder, tmp_path):
    path, shares = folder
    (run,) = read_runs([path])
    assert run.summary.metrics[NAME] == pytest.approx(shares)

    console = Console(width=100)
    with console.capture() as capture:
        terminal.print_summary(console, run.summary, run.samples)
    assert MINE.label in capture.get()

    (table,) = tables.comparison_tables([run])
    (cells,) = [row for row in table["rows"] if row[0].text == MINE.title]
    assert float(cells[1].text) == pytest.approx(np.median(shares), abs=1e-4)
    assert cells[0].small == "higher"

    text = page.write(report.compare([run], title="Mine"), tmp_path).read_text()
    assert MINE.meaning in text
    rows = list(csv.DictReader((tmp_path / "results.csv").read_text().splitlines()))
    assert [float(row[NAME]) for row in rows] == pytest.approx(shares)

    assert curves.panels_of(run.rows) == {"first symbols": [NAME]}
    assert compared("Mine", run, run, NAME).evidence.startswith(MINE.title)


def test_the_direction_of_a_comparison_is_that_of_the_metric(folder):
    (run,) = read_runs([folder[0]])

    def with_level(level, name):
        values = [10.0 * level + seed for seed in range(4)]
        return run._replace(replicas=[0, 1, 2, 3], summary=replace(run.summary, metrics={name: values}))

    outcomes = {
        name: compared("", with_level(2, name), with_level(1, name), name).outcome for name in (NAME, "heldout_nll")
    }
    assert outcomes == {NAME: "better", "heldout_nll": "worse"}
    with pytest.raises(ValueError, match="name must be a metric of which higher or lower is better, got 'uniqueness'"):
        compared("", run, run, "uniqueness")


def test_the_worst_value_stands_for_one_that_is_not_finite():
    assert numbers([None], "unknown_metric").tolist() == [np.inf]
    worst = {name: numbers([None], name)[0] for name in ("bleu_4", "heldout_nll", "dynamics_accuracy")}
    assert worst == {"bleu_4": -np.inf, "heldout_nll": np.inf, "dynamics_accuracy": 1.0}


def test_metrics_of_a_user_s_own_method_have_panels():
    rows = [{"step": 1, "wall_seconds": 0.1, "my_loss": [1.0], "my_norm": [2.0], "generator_gradient_norm": [1.0]}]
    assert curves.panels_of(rows) == {"losses": ["my_loss"], "my norm": ["my_norm"]}
    assert describe("my_loss").in_progress
    assert not describe("my_norm").in_progress


def test_every_metric_of_training_is_described():
    for name in ("generator_loss", "discriminator_loss", "temperature", "validity", "validation_nll"):
        assert METRICS[name].panel is not None
        assert METRICS[name].in_progress
    assert all(name in METRICS for metric in METRICS.values() if (name := metric.estimates))
