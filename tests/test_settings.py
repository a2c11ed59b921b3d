"""Wrong types and values of every setting: either a config builds, or a ValueError names the setting in one line."""

import importlib
import importlib.util
import itertools
import json
import math
import pkgutil
from pathlib import Path

import pytest
from ml_collections import ConfigDict, FieldReference

from experiments import configs
from experiments.config import build, run_config
from experiments.configs import (
    arithmetic,
    arithmetic_networks,
    arithmetic_policy_gradient,
    chorales,
    distilled,
    handwriting,
    molecule_property,
    molecules,
    one_pass,
    oracle,
    pairs,
    paper,
    pixels,
    professor_forcing,
    professor_forcing_long,
    pronunciation,
    quicktest,
    text,
    toth,
)
from tests.slow import slow_but

ROOT = Path(__file__).parent.parent
COMMITTED = sorted((ROOT / "experiments" / "results").rglob("config.json"))
VALUES = (
    *(None, 5, "x", math.nan, 1e12, 10**12, 1.5, -1, True, [], {}),
    *("-" * 3_000, "constant([])", "none"),
)


def joined(*options):
    return [",".join(each) for each in itertools.product(*options)]


# What may follow the name of each config that has options.
OPTIONS = {
    "arithmetic": arithmetic.RECIPES,
    "arithmetic_networks": joined(arithmetic_networks.GENERATORS, arithmetic_networks.DISCRIMINATORS),
    "arithmetic_policy_gradient": arithmetic_policy_gradient.ADVANTAGES,
    "chorales": molecules.METHODS,
    "distilled": joined(distilled.TASKS, distilled.METHODS),
    "handwriting": joined(pixels.METHODS, handwriting.DATA),
    "melodies": molecules.METHODS,
    "molecule_property": molecule_property.METHODS,
    "molecules": [*molecules.METHODS, *joined(molecules.METHODS, ("second",))],
    "one_pass": joined(one_pass.METHODS, one_pass.DATA),
    "oracle": oracle.METHODS,
    "pairs": pronunciation.METHODS,
    "paper": paper.VARIANTS,
    "pixels": pixels.METHODS,
    "professor_forcing": joined(professor_forcing.METHODS, professor_forcing.TASKS),
    "professor_forcing_long": joined(professor_forcing_long.METHODS, professor_forcing_long.DATA),
    "pronunciation": pronunciation.METHODS,
    "text": text.METHODS,
    "toth": joined(toth.VARIANTS, toth.TASKS),
}


def tiny(config):
    config.update({"batch_size": 4, "num_shards": 1, "num_samples": 20, "num_compared": 0, "temperatures": ()})
    config.num_states = 0
    return config.to_dict()


def grammar(config):
    sizes = {"max_length": 4, "num_train": 60, "num_heldout": 20}
    return tiny(config) | {"task": quicktest.get_config().task.to_dict() | sizes}


def small_text(folder):
    file = folder / "mine.txt"
    file.write_text("".join(f"{number}\n" for number in range(300)))
    config = text.get_config("maximum_likelihood")
    config.task.update({"files": str(file), "num_heldout": 50})
    return tiny(config)


CONFIGS = {
    "relaxed_gan": lambda _: grammar(quicktest.get_config()),
    "policy_gradient": lambda _: grammar(arithmetic_policy_gradient.get_config("per_prefix")),
    "importance_gan": lambda _: grammar(toth.get_config()),
    "professor_forcing": lambda _: grammar(professor_forcing.get_config()),
    "text": small_text,
}
NEVER = {
    "hidden_size": (math.nan, 1.5, 1e12, 10**12, True, "x", "none"),
    "b1": (math.nan, "x", 1.5, -1, True, None, [], "none"),
    "ema_decay": (math.nan, "x", 1.5, -1, True, [], "none"),
    "bidirectional": (None, 5, "x", 1.5, [], {}, "none"),
    "num_seeds": (math.nan, 1e12, 10**12, 1.5, True, None),
}


def paths_of(section, prefix=()):
    for name, value in section.items():
        yield (*prefix, name)
        if isinstance(value, dict):
            yield from paths_of(value, (*prefix, name))


def changed(section, path, value):
    name, *rest = path
    return section | {name: changed(section[name], rest, value) if rest else value}


@pytest.mark.parametrize("name", slow_but(sorted(CONFIGS), "relaxed_gan", "text"))
def test_a_wrong_value_of_any_setting_is_one_line(name, tmp_path):
    config = CONFIGS[name](tmp_path)
    build.build(run_config.parse(config))
    wrong = []
    for path in paths_of(config):
        for value in VALUES:
            try:
                build.build(run_config.parse(changed(config, path, value)))
            except ValueError as error:
                message = str(error)
                named = path[-1] in message or (len(path) > 1 and path[-2] in message)
                if not (named and message.startswith("config") and "\n" not in message and len(message) < 1_000):
                    wrong.append((path, str(value)[:20], message[:300]))
            else:
                if any(value is each for each in NEVER.get(path[-1], ())):
                    wrong.append((path, value, "accepted"))
    assert not wrong, wrong


def shipped():
    """Yields the name and the config of every file of `experiments/configs` with each of its options."""
    for module in pkgutil.iter_modules(configs.__path__):
        make = importlib.import_module(f"{configs.__name__}.{module.name}").get_config
        yield module.name, make()
        for options in OPTIONS.get(module.name, ()):
            yield f"{module.name}:{options}", make(options)


def objects_of(section, prefix=""):
    """Yields the paths and the objects of the sections and the placeholders of a ConfigDict."""
    for name, value in section.items(preserve_field_references=True):
        if isinstance(value, ConfigDict | FieldReference):
            yield f"{prefix}{name}", value
        if isinstance(value, ConfigDict):
            yield from objects_of(value, f"{prefix}{name}.")


def test_no_setting_of_a_config_changes_with_another():
    found, shared = 0, []
    for config_name, config in shipped():
        found, paths = found + 1, {}
        for path, value in objects_of(config):
            if id(value) in paths:
                shared.append((config_name, path, paths[id(value)]))
            paths[id(value)] = path
    assert found > 100
    assert not shared


@pytest.mark.parametrize("value", [None, 5, "x", [], True])
def test_what_is_no_config_is_named(value):
    with pytest.raises(ValueError, match="the config must be a mapping such as a ConfigDict, got"):
        run_config.parse(value)


def test_a_size_beyond_the_limit_is_named():
    config = changed(grammar(quicktest.get_config()), ("algorithm", "generator", "hidden_size"), 10**12)
    with pytest.raises(ValueError, match=r"generator\.hidden_size must be at most 16,777,216, got 1000"):
        build.build(run_config.parse(config))


@pytest.mark.parametrize("file", COMMITTED, ids=lambda file: "/".join(file.parts[-3:-1]))
def test_every_committed_config_is_read_and_builds(file):
    config = run_config.parse_stored(json.loads(file.read_text(encoding="utf-8")))
    assert run_config.parse(json.loads(json.dumps(config.to_dict()))) == config
    # molsets is not in the extra `test`, because it only installs without its dependencies.
    if config.task.name == "molecules" and importlib.util.find_spec("moses") is None:
        pytest.skip("the package molsets is not installed")
    if config.task.name == "oracle":
        # Fewer sequences, because drawing and scoring all of them takes seconds.
        config = config.with_task(num_train=500, num_heldout=500)
    build.build(config)
    assert "ema_decay" in config.algorithm.settings


def test_a_sweep_of_an_older_version_is_a_section():
    old = grammar(quicktest.get_config())
    del old["sweep"]
    old["algorithm"].pop("ema_decay")
    old["algorithm"] |= {"temperature": "linear(5.0, [0.5, 1.0])", "average_decay": 0.5}
    config = run_config.parse_stored(old)
    assert config.sweep == {"algorithm.temperature": ("linear(5.0, 0.5)", "linear(5.0, 1.0)")}
    assert config.algorithm.settings["ema_decay"] == 0.5
    build.build(config)


def test_a_newer_version_is_named():
    with pytest.raises(ValueError, match=r"config\.schema_version must be 1 for this version, got 99"):
        run_config.parse(grammar(quicktest.get_config()) | {"schema_version": 99})


def test_a_run_of_before_normalization_keeps_its_text():
    stored = run_config.parse(text.get_config()).to_dict()
    assert stored["task"]["normalize"] == "NFC"
    assert run_config.parse_stored(stored).task.settings["normalize"] == "NFC"
    del stored["task"]["normalize"]
    assert run_config.parse_stored(stored).task.settings["normalize"] == "none"
    del stored["schema_version"]
    assert run_config.parse_stored(stored).task.settings["normalize"] == "none"


@pytest.mark.parametrize("task", [pairs, molecules])
def test_a_run_that_held_out_a_tenth_by_0_still_does(task):
    stored = run_config.parse(task.get_config()).to_dict()
    assert stored["task"]["num_heldout"] is None
    stored["task"]["num_heldout"] = 0
    assert run_config.parse_stored(stored).task.settings["num_heldout"] is None
    stored["task"]["num_heldout"] = 1
    assert run_config.parse_stored(stored).task.settings["num_heldout"] == 1


def test_a_run_in_british_spelling_is_read():
    stored = run_config.parse(chorales.get_config()).to_dict()
    stored["task"]["metre"] = stored["task"].pop("meter").replace("4/4", "3/4")
    config = run_config.parse_stored(stored)
    assert config.task.settings["meter"] == "3/4"
    assert "metre" not in config.task.settings
