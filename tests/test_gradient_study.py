"""The study of gradient estimators with its smallest settings."""

import functools
import json

import pytest

from experiments.studies import gradients

pytestmark = pytest.mark.slow

SMALL = {"num_sequences": 640, "num_steps": 1}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gradients")
    with pytest.MonkeyPatch.context() as patch:
        # The cache makes `stages` train the run only once.
        patch.setattr(gradients, "stages", functools.cache(gradients.stages))
        gradients.measure(folder, **SMALL, estimators="reinforce_leave_one_out,plain_straight_through")
        yield folder


def test_unbiased_estimators_are_found_unbiased(measured):
    cells = json.loads((measured / "results.json").read_text())["cells"]
    unbiased = {key: cell for key, cell in cells.items() if "/reinforce" in key}
    assert len(unbiased) == 6
    assert all(abs(cell["z"]) < 5 for cell in unbiased.values())
    for cell in cells.values():
        assert cell["bias"][1] <= cell["bias"][0] <= cell["bias"][2]
        assert cell["deviation"][0] > 0
        assert -1 <= cell["cosine"][0] <= 1


def test_every_stage_has_a_table_and_both_figures_are_drawn(measured):
    table = (measured / "table.md").read_text()
    for words in ("## random", "## step 0", "## step 20", "## independent", "| `plain_straight_through` | "):
        assert words in table
    for name in ("bias_variance.png", "limits.png"):
        assert (measured / name).read_bytes()[:4] == b"\x89PNG"


def test_what_is_measured_is_not_measured_again(measured, monkeypatch):
    before = (measured / "results.json").read_text()
    monkeypatch.setattr(gradients.estimates, "compiled", lambda *_: pytest.fail("measured again"))
    for name in ("draw_trade_off", "draw_limits"):
        monkeypatch.setattr(gradients.gradient_figures, name, lambda *_: None)
    gradients.measure(measured, **SMALL, estimators="reinforce_leave_one_out")
    assert (measured / "results.json").read_text() == before
    with pytest.raises(ValueError, match="--workdir must be empty or hold this very study"):
        gradients.measure(measured, num_sequences=80, num_steps=20, estimators="all")
    with pytest.raises(ValueError, match=r"--estimators must be all, or some of .*; got 'reinmx'"):
        gradients.measure(measured, **SMALL, estimators="reinmx")
