"""What the README shows is run."""

import re
from pathlib import Path

import numpy as np

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_five_minutes_of_the_library_run(capsys):
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    scope = {}
    exec(program.replace("1_000", "20"), scope)
    assert scope["metrics"]["generator_loss"].shape == (20,)
    assert int(scope["state"].step) == 20
    output = capsys.readouterr().out
    assert "validity" in output
    assert all(np.isfinite(np.asarray(value)).all() for value in scope["metrics"].values())


def test_every_config_that_the_readme_lists_is_there():
    folder = Path(__file__).parent.parent / "experiments" / "configs"
    listed = set(re.findall(r"^\| `(\w+\.py)` \|", README, re.MULTILINE))
    assert listed == {path.name for path in folder.glob("*.py")} - {"__init__.py"}
