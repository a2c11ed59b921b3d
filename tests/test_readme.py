"""The documents: programs run, and commands, flags, settings, configs, links and files exist."""

import ast
import importlib
import importlib.util
import inspect
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from absl import flags
from ml_collections import config_flags

import gumbel_gan as gg
from experiments import study

ROOT = Path(__file__).parent.parent
EXPERIMENTS = ROOT / "experiments"
RESULTS = EXPERIMENTS / "results"
CONFIGS = sorted(path for path in (EXPERIMENTS / "configs").glob("*.py") if path.stem != "__init__")
README = ROOT / "README.md"
DOCUMENTS = (README, ROOT / "BUILD_NOTES.md", EXPERIMENTS / "README.md", *sorted(RESULTS.rglob("*.md")))
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]

COMMAND = re.compile(r"python -m (experiments\.[\w.]+)([^`\n]*)")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PYTHON_FILE = re.compile(r"`([\w/]+\.py)\b[^`]*`")
# Words such as DIR and NAME, which the reader fills in.
PLACEHOLDER = re.compile(r"(\b|_)[A-Z]{2,}\d?\b")


def text_of(path):
    return path.read_text(encoding="utf-8").replace("\\\n", " ")


def blocks(path, language):
    return [body for name, body in BLOCK.findall(text_of(path)) if name == language]


def docstrings():
    return [ast.get_docstring(ast.parse(text_of(path))) for path in CONFIGS]


def commands():
    """Returns the module and the arguments of every command in a document or a config's docstring."""
    texts = [text_of(path) for path in DOCUMENTS] + docstrings()
    return [(module, shlex.split(rest, comments=True)) for text in texts for module, rest in COMMAND.findall(text)]


def flags_in(tree):
    """Returns the flags that a syntax tree defines: a dictionary from names to whether the flag is required."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in SHARED_FLAGS:
            found |= SHARED_FLAGS[node.func.attr]
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        if getattr(node.func, "id", "") == "Flag":
            found[node.args[0].value] = False
        elif getattr(node.func, "attr", "").startswith("DEFINE_"):
            required = any(keyword.arg == "required" and keyword.value.value for keyword in node.keywords)
            found[node.args[0].value] = required
    return found


# The flags that functions define for several commands, by the name of the function.
SHARED_FLAGS = {}
SHARED_FLAGS |= {
    node.name: flags_in(node)
    for path in (EXPERIMENTS / "cli.py", EXPERIMENTS / "run" / "restore_flags.py")
    for node in ast.parse(text_of(path)).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("define_")
}


def defined_flags(module):
    """Returns the flags that a module's source defines, as `flags_in` does."""
    return flags_in(ast.parse(text_of(ROOT / f"{module.replace('.', '/')}.py")))


def flags_of(module, arguments):
    """Returns the flags of a command, as `flags_in` does; for a study, its own flags are included."""
    if module == "experiments.study" and not arguments[0].startswith("-") and not PLACEHOLDER.search(arguments[0]):
        module = f"experiments.studies.{arguments[0]}"
        config = {"config": True} if hasattr(importlib.import_module(module), "CONFIG_HELP") else {}
        return {"workdir": True} | config | defined_flags(module)
    return {"workdir": True} if module == "experiments.study" else defined_flags(module)


def given_flags(arguments):
    return {argument[2:].partition("=")[0].partition(".")[0] for argument in arguments if argument.startswith("--")}


def train_commands():
    """Returns the `--config` arguments of every training command in which they have no placeholder."""
    found = []
    for module, arguments in commands():
        settings = [argument for argument in arguments if argument.startswith("--config")]
        if module == "experiments.train" and not any(PLACEHOLDER.search(argument) for argument in settings):
            found.append(settings)
    return found


def slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_the_program_of_the_readme_runs(capsys):
    (program,) = blocks(README, "python")
    scope = {}
    exec(program.replace("1_000", "20"), scope)
    assert scope["metrics"]["generator_loss"].shape == (20,)
    assert int(scope["state"].step) == 20
    assert "validity" in capsys.readouterr().out
    assert all(np.isfinite(np.asarray(value)).all() for value in scope["metrics"].values())


def test_the_readme_is_short_and_in_order():
    assert README.stat().st_size <= 7_000
    headings = re.findall(r"^## (.*)$", text_of(README), re.MULTILINE)
    assert headings == [
        "Run it",
        "Test it",
        "Use the library",
        "Train on your own sequences",
        "Results",
        "When to use it, and when not",
        "Links",
    ]
    assert text_of(README).count("![") == 1


def test_the_readme_has_one_command_that_sets_up_and_tests():
    section = text_of(README).split("## Test it\n")[1].split("\n## ")[0]
    ((language, command),) = BLOCK.findall(section)
    assert language == "bash"
    assert re.fullmatch(
        r"python3 -m venv \.venv && \.venv/bin/pip install -e '\.\[test\]' && .* -m pytest .*\n", command
    )


def test_the_data_of_the_readme_is_made(tmp_path):
    (block,) = [body for body in blocks(README, "bash") if "> surnames.txt" in body]
    command = block.splitlines()[0].replace(".venv/bin/python", shlex.quote(sys.executable))
    subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=tmp_path, check=True, timeout=60)
    lines = text_of(tmp_path / "surnames.txt").splitlines()
    assert lines[:3] == ["SMITH", "BROWN", "MOORE"]
    assert len(set(lines)) == 5_000


def test_every_config_is_listed_once():
    listed = re.findall(r"^\| `(\w+\.py)` \|", text_of(EXPERIMENTS / "README.md"), re.MULTILINE)
    assert sorted(listed) == [path.name for path in CONFIGS]


def test_every_study_is_listed_once():
    section = text_of(EXPERIMENTS / "README.md").split("### Studies\n")[1].split("\n#")[0]
    listed = {}
    for name, cell in re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", section, re.MULTILINE):
        assert name not in listed
        listed[name] = re.findall(r"`--([\w.]+)`", cell)
    known = study.find_studies()
    assert listed.keys() == known.keys()
    for name, module in known.items():
        config = ["config", "config.KEY"] if hasattr(module, "CONFIG_HELP") else []
        assert sorted(listed[name]) == sorted([*config, *(flag.name for flag in module.FLAGS)]), name


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_says_how_it_is_run(path):
    docstring = ast.get_docstring(ast.parse(text_of(path)))
    trained = [rest for module, rest in COMMAND.findall(docstring) if module == "experiments.train"]
    assert trained
    named = [rest for rest in trained if f"--config=experiments/configs/{path.name}" in rest]
    assert named or path.stem == "arithmetic"  # the default


def test_every_command_exists_and_has_the_flags_that_are_given():
    found = commands()
    assert len(found) > 60
    for module, arguments in found:
        assert importlib.util.find_spec(module) is not None, module
        unknown = given_flags(arguments) - flags_of(module, arguments).keys() - {"help"}
        assert not unknown, (module, arguments)


@pytest.mark.parametrize("path", DOCUMENTS[:3], ids=NAMES[:3])
def test_every_flag_that_is_named_alone_exists(path):
    modules = [
        *(EXPERIMENTS.glob("*.py")),
        *(EXPERIMENTS / "studies").glob("*.py"),
        *EXPERIMENTS.rglob("benchmarks/*.py"),
    ]
    known = {"help"}.union(*(defined_flags(str(each.relative_to(ROOT))[:-3].replace("/", ".")) for each in modules))
    for name in re.findall(r"`--(\w+)", text_of(path)):
        # Absl defines --noNAME for every boolean flag --NAME.
        assert name in known | {f"no{each}" for each in known} | {"xla_force_host_platform_device_count"}


@pytest.mark.parametrize("path", [README, EXPERIMENTS / "README.md"], ids=["README.md", "experiments/README.md"])
def test_commands_in_blocks_are_complete(path):
    lines = [line for block in blocks(path, "bash") for line in block.splitlines() if "-m experiments" in line]
    assert lines
    for line in lines:
        ((module, rest),) = COMMAND.findall(line)
        assert f".venv/bin/python -m {module}" in line
        arguments = shlex.split(rest, comments=True)
        required = {name for name, is_required in flags_of(module, arguments).items() if is_required}
        assert required <= given_flags(arguments), line
        assert not any(PLACEHOLDER.search(argument) for argument in arguments), line


ARGUMENTS = tuple(inspect.signature(gg.recurrent_generator).parameters)


def loaded_config(settings):
    """Loads a config; raises if the file or a setting does not exist, or if a value has the wrong type."""
    values, argv = flags.FlagValues(), ["train", *settings]
    default = "experiments/configs/arithmetic.py"
    config = config_flags.DEFINE_config_file("config", default, flag_values=values, sys_argv=argv)
    values(argv)
    return config.value


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")
def test_every_setting_of_a_command_exists(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = train_commands()
    assert len(found) > 30
    for settings in found:
        generator = loaded_config([each for each in settings if each.startswith("--config=")]).algorithm.generator
        # An argument of the generator that the config file leaves out may be set.
        left_out = tuple(f"--config.algorithm.generator.{name}=" for name in ARGUMENTS if name not in generator)
        config = loaded_config([each for each in settings if not each.startswith(left_out)])
        assert config.num_seeds > 0


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_every_link_leads_somewhere(path):
    for link in LINK.findall(text_of(path)):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        headings = re.findall(r"^#+ (.*)$", text_of(target), re.MULTILINE) if anchor else []
        assert not anchor or anchor in map(slug, headings), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_every_module_that_is_named_exists(path):
    folders = (ROOT, ROOT / "gumbel_gan", EXPERIMENTS, EXPERIMENTS / "configs", EXPERIMENTS / "config")
    for name in PYTHON_FILE.findall(text_of(path)):
        assert PLACEHOLDER.search(name) or any((folder / name).exists() for folder in folders), name


def test_every_result_is_in_the_index_and_no_figure_stands_twice():
    index = text_of(RESULTS / "README.md")
    listed = {line.split("`")[1] for line in index.splitlines() if line.startswith("| `")}
    for path in RESULTS.rglob("config.json"):
        name = str(path.parent.relative_to(RESULTS))
        assert name in listed or re.sub(r"/\w+$", "/METHOD", name) in listed
    linked = set(LINK.findall(index))
    files = [path for path in RESULTS.rglob("*") if path.is_file()]
    for path in files:
        if path.suffix in (".png", ".csv", ".txt", ".md") and path.name != "README.md":
            assert str(path.relative_to(RESULTS)) in linked
    assert not [path for path in files if path.suffix == ".html"]
    figures = [path.read_bytes() for path in files if path.suffix == ".png"]
    assert len(set(figures)) == len(figures)
    assert sum(path.stat().st_size for path in files) < 2_000_000
