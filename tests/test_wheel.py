"""The wheel and the sdist, built here: their contents, and the wheel used without the repository."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import gumbel_gan as gg

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "gumbel_gan"


def python(*arguments, cwd, path):
    environment = os.environ | {"PYTHONPATH": str(path)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The paths of the wheel and the sdist, which are built here."""
    pytest.importorskip("hatchling")
    from hatchling.builders.sdist import SdistBuilder
    from hatchling.builders.wheel import WheelBuilder

    folder = tmp_path_factory.mktemp("dist")
    return [
        Path(next(builder(str(ROOT)).build(directory=str(folder), versions=["standard"])))
        for builder in (WheelBuilder, SdistBuilder)
    ]


def test_the_wheel_holds_the_library_and_nothing_else(built):
    wheel, _ = built
    assert wheel.name == f"gumbel_gan-{gg.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(f"gumbel_gan-{gg.__version__}.dist-info/METADATA").decode()
    assert {name.split("/")[0] for name in names} == {"gumbel_gan", f"gumbel_gan-{gg.__version__}.dist-info"}
    sources = {str(path.relative_to(ROOT)) for path in PACKAGE.rglob("*.py")}
    assert sources == {name for name in names if name.endswith(".py")}
    for line in (f"Version: {gg.__version__}", "Requires-Dist: safetensors>=0.5", "Provides-Extra: export"):
        assert line in metadata.splitlines()
    assert "# gumbel_gan" in metadata


def test_the_sdist_holds_what_is_needed_to_build_and_test(built):
    _, sdist = built
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for name in ("pyproject.toml", "README.md", "LICENSE", "gumbel_gan/__init__.py", "experiments/train.py"):
        assert name in names
    assert "tests/test_wheel.py" in names


def test_the_wheel_alone_says_what_it_holds(built, tmp_path):
    wheel, _ = built
    done = python("-m", "gumbel_gan", cwd=tmp_path, path=wheel)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"gumbel_gan {gg.__version__}: ")
    for name in (*gg.__all__, "evaluation", "training", "exact_metrics", "Read on"):
        assert name in done.stdout or name == "__version__"
    where = python("-c", "import gumbel_gan; print(gumbel_gan.__file__)", cwd=tmp_path, path=wheel)
    assert where.stdout.startswith(str(wheel))


def test_the_change_list_has_this_version():
    notes = (ROOT / "BUILD_NOTES.md").read_text(encoding="utf-8")
    assert f"\n### {gg.__version__}" in notes.split("\n## Changes\n")[1]
