"""The studies of the GAN against maximum likelihood: their runs, and their tables for made-up runs."""

import sys
from pathlib import Path

import pytest
from absl import flags
from ml_collections import config_flags

from experiments import cli
from experiments.config import files, run_config
from experiments.configs import quicktest, text
from experiments.reports.runs import read_runs
from experiments.run.directory import RunDirectory
from experiments.studies import (
    combinations,
    defaults,
    distilled,
    draws,
    ladder,
    one_pass,
    professor_forcing_terms,
    rank_test,
    search,
    study,
    sweep,
)
from experiments.studies.study import Part, command
from tests import commands
from tests.test_report import crossing, with_metrics, write_run


def parsed(parts):
    return {name: run_config.parse(part.config) for name, part in parts.items()}


def made_up(tmp_path, names, labels):
    for name in names:
        write_run(tmp_path / name, algorithm="gan", losses=crossing, validity=[0.9, 1.0], kl=[1.0, 3.0])
    runs = [read_runs([tmp_path / name], labels=[label])[0] for name, label in zip(names, labels, strict=True)]
    return dict(zip(names, runs, strict=True))


def test_the_autoencoder_s_study_gives_all_methods_steps_in_the_ratio_of_their_configs():
    given = {"num_seeds": 8, "num_text_seeds": 4, "num_steps": 150}
    found = distilled.parts(files="a.txt", tasks="arithmetic,text", **given)
    assert list(found) == [
        *("arithmetic_one_pass", "arithmetic_recurrent", "arithmetic_soft", "arithmetic_hard"),
        *("text_one_pass", "text_soft", "text_hard"),
    ]
    steps = {name: part.config.num_steps for name, part in found.items()}
    assert [steps[f"arithmetic_{name}"] for name in ("one_pass", "recurrent", "soft")] == [150, 100, 750]
    assert {part.config.num_seeds for name, part in found.items() if name.startswith("text")} == {4}
    assert {part.config.batch_size for part in found.values()} == {64}
    assert "text_soft" not in distilled.parts(files="", tasks="names,text", **given)
    with pytest.raises(ValueError, match=r"^--files must name a text for --tasks=text, got ''"):
        distilled.parts(files="", tasks="text", **given)
    with pytest.raises(ValueError, match=r"^--tasks must be one of .*did you mean 'names'"):
        distilled.parts(files="", tasks="name", **given)


def test_the_autoencoder_s_report_compares_it_with_each_baseline(tmp_path):
    names = ["arithmetic_one_pass", "arithmetic_soft", "arithmetic_hard"]
    found = distilled.report(made_up(tmp_path, names, ["one_pass, arithmetic", "soft", "hard"]))
    assert [statement.claim for statement in found.statements] == [
        f"one_pass, arithmetic, is closer to the data than {name}" for name in ("soft", "hard")
    ]
    assert found.introduction[-1].endswith("--workdir=DIR --tasks=arithmetic")


@pytest.mark.parametrize("task", ["uniform", "grammar", "names"])
def test_methods_are_searched_alike_and_reported_on_other_draws(task):
    searched = search.parts(task=task, num_seeds=4)
    methods = [part.label for part in searched.values()]
    assert methods.count("GAN") == methods.count("maximum likelihood") == len(search.WIDTHS[task]) * len(search.STEPS)
    reported = draws.parts(task=task, num_draws=2, num_seeds=3)
    assert [part.label.split(",")[0] for part in reported.values()] == ["maximum likelihood", "GAN"] * 2
    configs = [parsed(each).values() for each in (searched, reported)]
    assert not {each.task.settings["seed"] for each in configs[0]} & {each.task.settings["seed"] for each in configs[1]}
    assert {each.heldout for each in configs[0]} == {"validation"}
    assert {len(next(iter(each.sweep.values()))) for each in configs[0]} == {2}


def test_an_unknown_task_is_named():
    with pytest.raises(ValueError, match="--task must be one of"):
        draws.parts(task="unifrom", num_draws=1, num_seeds=1)


def test_the_best_setting_of_each_method_is_marked(tmp_path):
    runs = made_up(tmp_path, "abc", ["GAN", "GAN", "maximum likelihood"])
    rates = {searched.rate: "constant(1.0)" for searched in search.SEARCHED.values()}
    for (name, run), nll in zip(runs.items(), (2.0, 1.0, 3.0), strict=True):
        measured = with_metrics(run, heldout_nll=[nll - 0.5, nll + 0.5])
        runs[name] = measured._replace(caption=f"width {name}", settings=rates)
    lines = search.table(runs).split("\n")[4:-1]
    assert ["**" in line for line in lines] == [False, True, True]
    assert lines[1] == "| GAN | width b | `constant(1.0)` | **1.0000 (0.5000 … 1.5000)** |"


def test_the_table_of_draws_holds_all_of_them_and_each(tmp_path):
    names = [f"{method}_{draw}" for draw in range(2) for method in ("mle", "gan")]
    labels = [f"{method}, draw {draw}" for draw in range(2) for method in ("maximum likelihood", "GAN")]
    lines = draws.table(made_up(tmp_path, names, labels)).split("\n")[4:-1]
    assert [line.split(" | ")[:2] for line in lines] == [
        [f"| {method}", draw] for method in ("maximum likelihood", "GAN") for draw in ("all", "0", "1")
    ]
    assert "0.9500 (0.9000 … 1.0000)" in lines[0]


def test_a_rung_has_the_changes_of_those_below_it_that_are_kept(tmp_path):
    kept, *_ = flat = [
        run_config.flatten(config.to_dict()) for config in parsed(ladder.parts(num_seeds=2, num_steps=60)).values()
    ]
    for rung, settings in zip(list(ladder.RUNGS.values())[1:], flat[1:], strict=True):
        assert {name for name, value in settings.items() if value != kept[name]} == set(rung.settings)
        kept = settings if rung.is_kept else kept


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")
def test_the_runs_of_a_sweep_have_the_file_and_the_settings_of_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def parsed_flags(*arguments):
        # All config files are loaded into one module; the contents of the last file must not remain in it.
        sys.modules.pop("config_config", None)
        values, argv = flags.FlagValues(), ["study", *arguments]
        cli.define_config(None, "", values=values, argv=argv)
        values(argv)
        return values

    rates = "algorithm.temperature=[0.5, 'linear(2.0, 1.0)', 1.0]"
    settings = (
        *("-config.num_seeds=2", "--config.algorithm.ema_decay", "0.5", f"--config.sweep={rates}"),
        "--config.algorithm.feedback={'temperature': '0.5', 'gradient': False}",
        "--config.property.function='0'",
        "--config.algorithm.score_weight=linear(0.5, 0.0)",
        "--noconfig.algorithm.discriminator.bidirectional",
    )
    (tmp_path / "mine.py").write_text(
        "from experiments.configs import quicktest\n\ndef get_config():\n    config = quicktest.get_config()\n"
        "    del config.algorithm['feedback']\n    return config\n"
    )
    values = parsed_flags("--config", "mine.py", *settings)
    file, changes = config_flags.get_config_filename(values["config"]), cli.given_changes(values)
    parts = sweep.parts(config=values.config, file=file, changes=changes, max_replicas=4)
    sweeps = {"points_0000": (0.5, "linear(2.0, 1.0)"), "points_0002": (1.0,)}
    assert list(parts) == list(sweeps)
    for name, part in parts.items():
        arguments = command(RunDirectory(tmp_path / name), part)[4:]
        trained = run_config.parse(parsed_flags(*arguments).config)
        assert trained == run_config.parse(part.config)
        assert (trained.num_seeds, trained.algorithm.settings["ema_decay"]) == (2, 0.5)
        assert trained.algorithm.settings["feedback"] == {"temperature": "0.5", "gradient": False}
        assert trained.property == {"function": "0"}
        assert trained.sweep == {"algorithm.temperature": sweeps[name]}


def test_a_part_may_leave_out_settings_with_defaults(tmp_path, monkeypatch, capsys):
    config = quicktest.get_config()
    del config["num_steps"], config["num_seeds"]
    monkeypatch.setattr(study, "_status", lambda command: 1)
    with pytest.raises(SystemExit):
        study.run({"run": Part("GAN", "as it is", "quicktest.py", config, ())}, tmp_path)
    assert "GAN, as it is; 1 seeds, 3,000 steps" in capsys.readouterr().out


def test_a_part_that_starts_from_another_run_is_resumed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus.txt").write_text("a\nb\n")
    config = text.get_config("maximum_likelihood")
    config.task.files, config.init_from = "corpus.txt", "base"
    part, folder = Part("text", "", "text.py:maximum_likelihood", config, ()), RunDirectory(tmp_path / "run")
    recorded = {
        "init_from": str(tmp_path / "base"),
        "init_symbols": ("", "a"),
        "algorithm.generator.hidden_size": 8,
        "batch_size": 2,
        "chosen": ("batch_size",),
    }
    stored = run_config.changed(files.self_contained(run_config.parse(config)), recorded)
    folder.start(stored, overwrite=False)
    assert command(folder, part)[4:] == ["--resume"]
    config.init_from = "other"
    with pytest.raises(ValueError, match=r"must be empty or hold this very study, but .* has another init_from"):
        command(folder, part)


def test_the_config_of_a_sweep_is_found_from_any_folder(tmp_path):
    arguments = ("study", "sweep", "--workdir=runs", "--max_replicas=1", "--config.num_seeds=2")
    given = ("--config.sweep=algorithm.ema_decay=[0.5, 0.9]",)
    for config, message in (
        (("--config", "quicktest.py"), "--max_replicas must be at least config.num_seeds, 2"),
        (("--config=none.py",), "Configuration is not available because of an earlier failure to load"),
    ):
        status, output, errors = commands.run(*arguments[:2], *config, *arguments[2:], *given, cwd=tmp_path)
        assert (status, output, errors.count("\n")) == (1, "", 1), errors
        assert errors.startswith(f"error: {message}")


def test_the_data_of_the_defaults_are_those_of_the_flags(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}_command").touch()
        (tmp_path / f"{name}.txt").write_text(f"{name}\n")
    given = {"only": "text,commands", "files": str(tmp_path / "one.txt"), "commands": str(tmp_path / "one")}
    for _ in range(2):
        parts = defaults.parts(tmp_path / "study", **given)
    assert {name: Path(part.config.task.files).read_text() for name, part in parts.items()} == {
        "text": "one\n",
        "commands": "one_command\n",
    }
    for changes, message in (
        ({"files": ""}, "--files must name a text for the data 'text', got ''"),
        ({"files": str(tmp_path / "other.txt")}, "--files must be the text that this study was begun with"),
        ({"commands": str(tmp_path / "none")}, "--commands must be a folder, got"),
        ({"commands": str(tmp_path / "other")}, "--commands must be the folder that this study was begun with"),
    ):
        with pytest.raises(ValueError, match=message):
            defaults.parts(tmp_path / "study", **given | changes)


def test_the_ladder_s_table_counts_the_seeds_that_work(tmp_path):
    runs = made_up(tmp_path, ["paper", "straight_through"], ["0", "1"])
    assert "| 1 of 2 |" in ladder.table(runs)
    ladder.draw(runs, tmp_path / "ladder.png")
    assert (tmp_path / "ladder.png").stat().st_size > 1_000


def test_combinations_are_all_pairs_and_the_table_counts_failures(tmp_path):
    given = {"num_seeds": 2, "max_length": 4, "num_steps": 8}
    every = combinations.parts(**given, only="")
    assert len(every) == len(combinations.ESTIMATORS) * len(combinations.OBJECTIVES) * 2
    assert {len(next(iter(config.sweep.values()))) for config in parsed(every).values()} == {2}
    few = combinations.parts(**given, only="soft-hinge-through,reinmax-log_odds-stopped")
    assert list(few) == ["soft-hinge-through", "reinmax-log_odds-stopped"]
    with pytest.raises(ValueError, match=r"--only must be one of .* 'soft-hinge'"):
        combinations.parts(**given, only="soft-hinge")
    runs = made_up(tmp_path, few, few)
    settings = [
        {
            "algorithm.estimator": estimator,
            "algorithm.objective": objective,
            "algorithm.feedback.gradient": through,
            "algorithm.penalty.real_weight": "constant(3.0)",
        }
        for estimator, objective, through in (("soft", "hinge", True), ("reinmax", "log_odds", False))
    ]
    runs = {
        name: with_metrics(run._replace(settings=run.settings | each), total_variation=values)
        for (name, run), each, values in zip(runs.items(), settings, ([0.1, 0.6], [0.1, 0.2]), strict=True)
    }
    lines = combinations.table(runs).splitlines()
    assert "| estimator | soft | 50% of 2 | 0.100 |" in lines
    assert "| penalty | constant(3.0) | 25% of 4 | 0.100 |" in lines
    assert [line.split(" | ")[-1] for line in lines[-2:]] == ["0 of 2 |", "1 of 2 |"]


def test_professor_forcing_s_terms_are_compared_with_likelihood_and_the_power_is_stated(tmp_path):
    parts = professor_forcing_terms.parts(num_seeds=2, num_steps=60)
    settings = {name: config.algorithm.settings for name, config in parsed(parts).items()}
    terms = {
        name: (each.get("free_running_weight"), each.get("teacher_forced_weight")) for name, each in settings.items()
    }
    assert terms["professor"] == ("constant(1.0)", "none")
    assert terms["second"] == ("constant(0.0)", "constant(1.0)")
    assert {terms[name] for name in ("both", "states", "outputs", "ungated")} == {("constant(1.0)",) * 2}
    seen = [settings[name]["behavior"] for name in ("both", "states", "outputs")]
    assert seen == ["states_and_outputs", "states", "outputs"]
    assert settings["ungated"]["generator_threshold"] == settings["ungated"]["discriminator_threshold"] == "none"
    runs = made_up(tmp_path, ["likelihood", "both"], ["likelihood", "both"])
    for (name, run), shift in zip(runs.items(), (0.0, 1.0), strict=True):
        metrics = {metric: [shift, shift + 0.1] for metric in ("heldout_nll", "dynamics_accuracy", "dynamics_excess")}
        gates = {"generator_gate": [0.25, 0.75], "discriminator_gate": [0.25, 0.75]} if shift else {}
        runs[name] = with_metrics(run._replace(rows=[row | gates for row in run.rows]), **metrics)
    text = professor_forcing_terms.table(runs)
    assert "| 0.050 (0.000 … 0.100) |" in text
    assert "| 0.50, 0.50 |" in text
    assert text.count("too few seeds to tell") == text.count("no difference is certain with so few seeds") == 2
    assert rank_test.least_shift(8, 8) == pytest.approx(1.5, abs=0.15)


@pytest.mark.parametrize("data", ["arithmetic", "names"])
def test_one_pass_generators_have_as_many_settings_by_each_method(data):
    parts = one_pass.parts(data=data, num_seeds=2, num_steps=8, only="")
    methods = [part.label.split(" ")[0] for part in parts.values()]
    assert methods.count("gan") == methods.count("vae") == 12
    configs = parsed(parts)
    assert {(each.heldout, each.task.settings["seed"], each.seed) for each in configs.values()} == {
        ("validation", 100, 100)
    }
    settings = [str(each.to_dict()) for each in configs.values()]
    assert len(set(settings)) == len(settings)
    only = one_pass.parts(data=data, num_seeds=2, num_steps=8, only="vae_half_slow_small,gan_half_an_update")
    assert list(only) == ["vae_half_slow_small", "gan_half_an_update"]
    with pytest.raises(ValueError, match=r"--only must be one of .*did you mean 'gan_relaxed'"):
        one_pass.parts(data=data, num_seeds=2, num_steps=8, only="gan_relax")
    with pytest.raises(ValueError, match="--data must be one of"):
        one_pass.parts(data="name", num_seeds=2, num_steps=8, only="")


def test_the_best_setting_of_each_one_pass_method_has_the_least_sum(tmp_path):
    runs = made_up(tmp_path, ["gan_a", "gan_b", "vae_a"], ["gan a", "gan b", "vae a"])
    measured = {"gan_a": (0.1, 0.3), "gan_b": (0.2, 0.1), "vae_a": (0.5, 0.5)}
    runs = {
        name: with_metrics(run, ngram_divergence_4=[first] * 2, length_distance=[second] * 2)
        for (name, run), (first, second) in zip(runs.items(), measured.values(), strict=True)
    }
    lines = one_pass.table(runs).splitlines()[4:]
    assert ["**" in line for line in lines] == [False, True, True]
    assert lines[1].endswith("| 0.950 (0.900 … 1.000) | 0.200 (0.200 … 0.200) | 0.100 (0.100 … 0.100) |")
