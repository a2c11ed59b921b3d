"""Configs are built into objects, and mistakes in a config are reported before anything is written."""

import dataclasses
import json
import re
from pathlib import Path

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from ml_collections import ConfigDict

from experiments.config import build, choices, files, registries, run_config, schedule_text
from experiments.config.sections import Reader
from experiments.configs import (
    arithmetic,
    arithmetic_mle,
    arithmetic_policy_gradient,
    arithmetic_relaxed,
    brackets,
    digits,
    distilled,
    names,
    names_importance,
    names_mle,
    one_pass,
    oracle,
    professor_forcing,
    quicktest,
    text,
    toth,
)
from experiments.run import loop
from experiments.run.directory import RunDirectory
from gumbel_gan.arguments import at_step
from gumbel_gan.data import take

FIXTURES = Path(__file__).parent / "fixtures"
CONFIGS = {
    "arithmetic": arithmetic,
    "arithmetic_mle": arithmetic_mle,
    "arithmetic_policy_gradient": arithmetic_policy_gradient,
    "arithmetic_relaxed": arithmetic_relaxed,
    "brackets": brackets,
    "digits": digits,
    "names": names,
    "names_importance": names_importance,
    "names_mle": names_mle,
    "professor_forcing": professor_forcing,
    "quicktest": quicktest,
    "toth": toth,
}


def built(config):
    return build.build(run_config.parse(config))


def self_contained(config):
    return files.self_contained(run_config.parse(config))


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_every_config_builds_and_its_step_keeps_the_state(name):
    config = CONFIGS[name].get_config()
    config.num_shards = 1
    experiment = built(config)
    algorithm = experiment.algorithm
    assert experiment.shard_axis is None
    state = jax.eval_shape(algorithm.init, jax.random.key(0))
    batch = take(experiment.data, slice(config.batch_size))
    new_state, _ = jax.eval_shape(algorithm.step, jax.random.key(0), state, batch)
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), state) == jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype), new_state
    )
    assert experiment.latent_draws == 0


def one_pass_config(choice):
    config = one_pass.get_config(choice)
    if choice.endswith("molecules"):
        config.task.files = str(FIXTURES / "molecules.smi")
        config.task.num_heldout = 4
        config.batch_size = 8
    return config


@pytest.mark.parametrize("choice", [*one_pass.METHODS, "gan,names", "vae,molecules"])
def test_every_one_pass_method_builds_and_its_step_keeps_the_state(choice):
    config = one_pass_config(choice)
    experiment = built(config)
    algorithm = experiment.algorithm
    assert algorithm.model.generator.independent_logits is not None
    assert (experiment.latent_draws == 0) == (choice == "independent")
    state = jax.eval_shape(algorithm.init, jax.random.key(0))
    batch = take(experiment.data, slice(config.batch_size))
    new_state, _ = jax.eval_shape(algorithm.step, jax.random.key(0), state, batch)
    chex.assert_trees_all_equal_shapes_and_dtypes(state, new_state)


def test_one_pass_methods_take_data_after_a_comma():
    lengths = {"vae,names": 10, "independent,names": 10, "gan,molecules": 22, "independent,molecules": 22}
    for choice, length in lengths.items():
        assert built(one_pass_config(choice)).task.length == length
    assert one_pass.get_config("gan,molecules").task.max_length == 25
    assert one_pass.get_config("vae,arithmetic").to_dict() == one_pass.get_config("vae").to_dict()
    with pytest.raises(ValueError, match="data must be one of arithmetic, names, molecules; got 'music'"):
        one_pass.get_config("gan,music")
    config = one_pass.get_config()
    config.algorithm.generator.self_conditioning = True
    assert built(config).algorithm.model.generator.uses_dropout


def test_missing_options_of_a_config_are_the_first_known_ones_except_the_first():
    known = {"method": ("gan", "vae"), "data": ("names", "text"), "phase": ("first", "second")}
    assert choices.options("vae", **known) == ["vae", "names", "first"]
    assert choices.options("gan,,second", **known) == ["gan", "names", "second"]
    with pytest.raises(ValueError, match=r"^method must be one of gan, vae; got ''$"):
        choices.options("", **known)
    with pytest.raises(ValueError, match=r"^phase must be one of first, second; got 'first,third'$"):
        choices.options("gan,text,first,third", **known)


@pytest.mark.parametrize("task", distilled.TASKS[:2])
@pytest.mark.parametrize("method", ["soft", "hard"])
def test_the_baselines_of_the_distilled_gan_build(task, method):
    assert built(distilled.get_config(f"{task},{method}")).algorithm.batches_per_step == 1


@pytest.mark.parametrize("variant", ["arithmetic", "names,one_pass", "arithmetic,recurrent"])
def test_the_distilled_gan_builds_and_its_step_keeps_the_state(variant):
    experiment = built(distilled.get_config(variant))
    algorithm = experiment.algorithm
    assert algorithm.batches_per_step == 5
    state = jax.eval_shape(algorithm.init, jax.random.key(0))
    new_state, metrics = jax.eval_shape(algorithm.step, jax.random.key(0), state, take(experiment.data, slice(320)))
    chex.assert_trees_all_equal_shapes_and_dtypes(state, new_state)
    assert {"reconstruction_entropy", "generated_entropy", "interpolated_penalty"} <= metrics.keys()


def test_an_encoder_needs_a_latent():
    config = distilled.get_config()
    config.algorithm.decoder.latent = "none"
    with pytest.raises(ValueError, match=r"config\.algorithm\.decoder must have a latent"):
        built(config)
    config = one_pass.get_config("vae")
    config.algorithm.generator.latent_size = 0
    with pytest.raises(ValueError, match=r"config\.algorithm\.generator must have a latent"):
        built(config)


def test_a_config_survives_its_json():
    config = run_config.parse(arithmetic.get_config())
    assert run_config.parse(json.loads(json.dumps(config.to_dict()))) == config
    assert run_config.parse_stored(config.to_dict()) == config


def test_the_file_of_a_grammar_is_not_needed_again(tmp_path):
    file = tmp_path / "mine.pcfg"
    file.write_text("S -> 'a' S 'b' | 'c'")
    config = quicktest.get_config()
    config.task.grammar = str(file)
    config = self_contained(config)
    file.unlink()
    assert build.build(config).task.symbols == (" ", "a", "b", "c")
    assert self_contained(quicktest.get_config()).task.settings["grammar"] == "arithmetic"


def test_files_of_sequences_are_known_again(tmp_path, monkeypatch):
    (tmp_path / "mine.txt").write_text("".join(f"{number}\n" for number in range(1_000)))
    monkeypatch.chdir(tmp_path)
    config = text.get_config()
    config.task.files = "mine.txt"
    config = self_contained(config)
    monkeypatch.chdir("/")
    assert len(build.make_task(config).train.tokens) == 800
    assert files.self_contained(config) == config
    (tmp_path / "mine.txt").write_text("changed\n" * 1_000)
    with pytest.raises(ValueError, match=r"config\.task: files must"):
        build.make_task(config)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"long_length": 12}, "config.long_length must be 0 for a task with padding, got 12"),
        (
            {"task.window": 5, "long_length": 5},
            "config.long_length must be 0, or a multiple of .* 5, and longer; got 5",
        ),
        ({"task.window": 5, "long_length": 12}, "config.long_length must be 0, or a multiple of .* 5, and .*; got 12"),
        ({"long_length": -5}, "config.long_length must be an integer of at least 0, got -5"),
        ({"num_states": 9}, "config.num_states must be 0, or at least 10, got 9"),
        ({"task.window": 1, "num_states": 10}, "config.num_states must be 0 for sequences of one symbol"),
        (
            {"init_discriminator": "generator"},
            "config.init_from must be the folder of a run with .*'generator', got ''",
        ),
        ({"init_from": "runs/other", "init_discriminator": "none"}, "config.init_discriminator must be one of"),
        ({"num_states": 10, "init_from": "runs/other"}, "config.num_states must be 0 with config.init_from"),
        (
            {"num_states": 10, "algorithm.generator": {"name": "one_pass", "width": 4, "num_layers": 1}},
            "config.num_states must be 0 for a generator without hidden states",
        ),
        (
            {"num_states": 10, "algorithm.generator.latent": "hidden"},
            "config.num_states must be 0 for a generator with a latent, got 10",
        ),
        (
            {
                "task.window": 5,
                "long_length": 10,
                "algorithm.generator": {"name": "one_pass", "width": 4, "num_layers": 1, "num_heads": 1},
            },
            "config.long_length must be 0 for a generator that writes all symbols in one pass, got 10",
        ),
    ],
)
def test_what_cannot_be_measured_is_named(changes, message, tmp_path):
    (tmp_path / "mine.txt").write_text("".join(f"{number}\n" for number in range(1_000)))
    config = text.get_config("maximum_likelihood")
    config.update_from_flattened_dict({"task.files": str(tmp_path / "mine.txt"), "task.max_length": 0} | changes)
    with pytest.raises(ValueError, match=message):
        built(config)


@pytest.mark.parametrize("method", sorted({*text.METHODS} - {"truncated"}))
def test_methods_take_a_text_of_the_user(method, tmp_path):
    (tmp_path / "mine.txt").write_text("".join(f"{number}\n" for number in range(1_000)))
    config = text.get_config(method)
    config.task.files = str(tmp_path / "mine.txt")
    experiment = built(config)
    assert experiment.task.symbols == ("", *"0123456789")
    state = jax.eval_shape(experiment.algorithm.init, jax.random.key(0))
    assert experiment.shard_axis is not None
    assert sum(leaf.size for leaf in jax.tree.leaves(experiment.algorithm.params(state))) > 0


def test_a_text_without_files_and_an_unknown_method_are_named():
    with pytest.raises(ValueError, match=r"config\.task: files must"):
        built(text.get_config())
    with pytest.raises(
        ValueError, match="method must be one of relaxed_gan, policy_gradient, one_pass, maximum_likelihood"
    ):
        text.get_config("mle")


def test_files_may_be_a_sequence_and_have_no_comma(tmp_path):
    config = text.get_config()
    (tmp_path / "a,b").mkdir()
    (tmp_path / "a,b" / "mine.txt").write_text("a\n")
    (tmp_path / "mine.txt").write_text("a\n")
    with config.ignore_type():
        config.task.files = (str(tmp_path / "mine.txt"),)
    assert self_contained(config).task.settings["files"] == str(tmp_path / "mine.txt")
    with config.ignore_type():
        config.task.files = (str(tmp_path / "a,b" / "mine.txt"),)
    with pytest.raises(ValueError, match=r"config\.task: files must have no comma in their paths"):
        self_contained(config)


def test_a_gru_stands_where_an_lstm_can():
    config = quicktest.get_config()
    config.algorithm.generator.name = config.algorithm.discriminator.name = "gru"
    state = jax.eval_shape(built(config).algorithm.init, jax.random.key(0))
    assert "GRUCell_0" in state.generator_params["params"]
    assert any("GRUCell" in name for name in state.discriminator_params["params"])


def test_a_sampling_rate_is_a_share():
    config = arithmetic_mle.get_config()
    config.algorithm.sampling_rate = "linear(0.1, 1.5)"
    with pytest.raises(ValueError, match=r"config.algorithm.sampling_rate must stay in \[0, 1\], got 0.1 to 1.5"):
        built(config)


def test_gradients_are_clipped():
    config = quicktest.get_config()
    with config.unlocked():
        config.algorithm.generator_optimizer.update({"name": "clipped_adam", "max_norm": "1e-3", "max_skipped": 3})
        config.algorithm.discriminator_optimizer.update({"name": "optimistic_adam", "max_norm": "1e-3"})
    built(config)
    section = {"name": "adam", "learning_rate": "1.0", "b1": 0.0, "b2": 0.0, "max_norm": 0.5}
    # With b1 = b2 = 0, Adam normalizes the gradient. Its first moment is the clipped gradient itself.
    optimizer = Reader(10).named(section, "config.algorithm.optimizer", registries.OPTIMIZERS)
    _, state = optimizer.update({"w": jnp.array([3.0, 4.0])}, optimizer.init({"w": jnp.zeros(2)}))
    np.testing.assert_allclose(optax.tree.get(state, "mu")["w"], [0.3, 0.4], rtol=1e-5)
    with pytest.raises(ValueError, match=r"config.algorithm.optimizer: max_norm must be a finite number > 0, got 0.0"):
        Reader(10).named(section | {"max_norm": 0.0}, "config.algorithm.optimizer", registries.OPTIMIZERS)


def test_several_steps_make_one_update_and_the_learning_rate_follows_the_steps():
    config = quicktest.get_config()
    config.algorithm.discriminator_optimizer.steps_per_update = 2
    built(config)
    section = {"learning_rate": "piecewise_constant(1.0, 0.5, 0.3)", "b1": 0.0, "b2": 0.0}
    for name in ("adam", "optimistic_adam"):
        settings = section | {"name": name, "steps_per_update": 2}
        optimizer = Reader(10).named(dict(settings), "config.algorithm.optimizer", registries.OPTIMIZERS)
        state, found = optimizer.init(jnp.zeros(())), []
        for gradient in (3.0, 5.0, -1.0, -3.0, 2.0, 8.0):
            update, state = optimizer.update(jnp.array(gradient), state)
            found.append(float(update))
        # With b1 = b2 = 0, Adam keeps the sign of the mean gradient; the rate is 0.5 from step 3 of 10 on. After the
        # first, the optimistic update of direction u is 2 u minus the direction before it.
        expected = {"adam": [0, -1, 0, 1, 0, -0.5], "optimistic_adam": [0, -1, 0, 3, 0, -1.5]}
        np.testing.assert_allclose(found, expected[name], rtol=1e-4)
    with pytest.raises(ValueError, match=r"config.algorithm.optimizer: steps_per_update must be at least 1, got 0"):
        Reader(10).named(
            section | {"name": "adam", "steps_per_update": 0}, "config.algorithm.optimizer", registries.OPTIMIZERS
        )


@pytest.mark.parametrize("method", oracle.METHODS)
def test_every_method_takes_the_oracle_s_task(method):
    config = oracle.get_config(method)
    config.task.update({"num_symbols": 5, "num_train": 600, "num_heldout": 500})
    assert built(config).task.oracle.log_prob is not None
    warm_up_steps = config.algorithm.warm_up_steps if method.endswith("_warm") else 0
    assert config.num_steps - warm_up_steps == oracle.get_config().num_steps


@pytest.mark.parametrize("advantages", arithmetic_policy_gradient.ADVANTAGES)
def test_every_advantage_estimator_builds_and_names_its_mistakes(advantages):
    config = arithmetic_policy_gradient.get_config(advantages)
    assert config.algorithm.advantages.name == advantages
    built(config)
    config.algorithm.advantages.name = "per_word"
    message = (
        r"config\.algorithm\.advantages\.name must be one of 'monte_carlo', 'per_prefix', 'per_symbol', 'reinforce'"
    )
    with pytest.raises(ValueError, match=message):
        built(config)


def test_settings_of_advantages_and_their_discriminator_are_named():
    config = arithmetic_policy_gradient.get_config("per_prefix")
    config.algorithm.advantages.discount = 2.0
    with pytest.raises(ValueError, match=r"config\.algorithm\.advantages: discount must be .* in \[0, 1\], got 2.0"):
        built(config)
    config = arithmetic_policy_gradient.get_config()
    config.algorithm.advantages = ConfigDict({"name": "per_prefix", "discount": 0.5, "baseline_decay": 0.5})
    with pytest.raises(ValueError, match=r"config\.algorithm\.discriminator has no setting '(bidirectional|pooling)'"):
        built(config)
    with pytest.raises(
        ValueError, match="advantages must be one of reinforce, per_prefix, per_symbol, monte_carlo; got 'all'"
    ):
        arithmetic_policy_gradient.get_config("all")
    with pytest.raises(ValueError, match="method must be one of maximum_likelihood, relaxed_gan, policy_gradient"):
        oracle.get_config("seqgan")


def test_settings_of_the_optimizers_are_not_shared():
    config = toth.get_config()
    config.algorithm.generator_optimizer.b1 = 0.5
    assert config.algorithm.discriminator_optimizer.b1 == 0.9


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        (
            "section33",
            "variant must be one of section3, training_loss, constant, tempered, likelihood; got 'section33'",
        ),
        ("section3,nams", "task must be one of names, grammar, molecules; got 'nams'"),
        ("", "variant must be one of section3, .*; got ''"),
    ],
)
def test_an_unknown_variant_is_named(variant, message):
    with pytest.raises(ValueError, match=message):
        toth.get_config(variant)


def test_latents_are_estimated_with_a_stated_number_of_draws():
    config = quicktest.get_config()
    config.algorithm.generator.latent = "hidden_and_cell"
    config.algorithm.num_latent_draws = 17
    assert built(config).latent_draws == 17


@pytest.mark.parametrize("name", registries.ESTIMATORS)
def test_every_estimator_builds_by_its_name(name):
    config = quicktest.get_config()
    config.algorithm.estimator = name
    config.algorithm.score_weight = 0.0
    built(config)


def test_an_estimator_takes_its_settings_in_a_call():
    config = quicktest.get_config()
    config.algorithm.estimator = "reinmax_cv(weight=0.5, num_draws=3)"
    built(config)
    for estimator, message in (
        ("gumbel_rao(num_draws=0)", "config.algorithm.estimator: num_draws must be at least 1, got 0"),
        ("gumbel_rao(draws=3)", "config.algorithm.estimator has no setting 'draws' .did you mean 'num_draws'"),
        (
            "gumbel_rao(3)",
            "estimator must be a name, or a call such as .* it is no call with name=number",
        ),
        ("gumbel_rao(num_draws='3')", "config.algorithm.estimator must be a name, or a call .* '3' is not a number"),
        ("reinmax(num_draws=3)", "config.algorithm.estimator: 'reinmax' takes no settings"),
        ("gumbel_roa(num_draws=3)", "config.algorithm.estimator must be one of .*did you mean 'gumbel_rao'"),
    ):
        config.algorithm.estimator = estimator
        with pytest.raises(ValueError, match=message):
            built(config)


@pytest.mark.parametrize(
    ("text", "step", "value"),
    [
        ("linear(5.0, 1.0)", 50, 3.0),
        ("linear(5.0, 1.0, steps=10)", 5, 3.0),
        ("linear(5.0, 1.0, 10)", 5, 3.0),
        ("constant(2)", 7, 2.0),
        ("0.5", 7, 0.5),
        ("exponential(1.0, 1e-2)", 50, 0.1),
        ("inverse_temperature_exponential(100.0)", 100, 0.01),
    ],
)
def test_schedules_are_written_as_calls(text, step, value):
    assert float(at_step(schedule_text.parse(text, "config.x", 100), step)) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("linaer(5.0, 1.0)", "'linear'.*got 'linaer'.*did you mean 'linear'"),
        ("linear(5.0, 1.0, steps=0)", "steps must be at least 1, got 0"),
        ("linear(5.0)", "missing 1 required positional argument: 'end_value'"),
        ("linear(5.0, -1.0)", "end_value must be a finite number >= 0"),
        ("constant([])", r"\[\] is not a number"),
        ("constant([1.0, 2.0])", r"\[1.0, 2.0\] is not a number"),
        ("-" * 3_000, "it has 3,000 characters"),
        ("-" * 900 + "1", "."),
        ("constant(__import__('os'))", r"__import__\('os'\) is not a number"),
        ("constant('a')", "'a' is not a number"),
        ("abc", "abc is not a number"),
        ("1.0 +", "invalid syntax"),
        ("constant(-1.0)", r"-1\.0 is not a number|value must be a finite number >= 0, got -1\.0"),
    ],
)
def test_bad_schedules_are_named(text, message):
    with pytest.raises(ValueError, match=rf"^config\.x must be a number or a schedule such as .*{message}"):
        schedule_text.parse(text, "config.x", 100)


MISTAKES = {
    "task.grammar": ("S -> 'x' S", "config.task: grammar must derive a string of at most max_length=8"),
    "task.padding": ("x", "config.task: padding must not be a terminal of the grammar, got 'x'"),
    "task.max_length": (0, "config.task: max_length must be at least 1, got 0"),
    "task.length_distribution": (
        "flat",
        "config.task: length_distribution must be one of uniform, grammar; got 'flat'",
    ),
    "task.name": (
        "gramar",
        "config.task.name must be one of 'chorales', .*'text'; got 'gramar' .did you mean 'grammar'",
    ),
    "algorithm.name": ("relaxedgan", "config.algorithm.name must be one of 'distilled_gan', 'importance_gan'"),
    "algorithm.estimator": (
        "hard",
        "estimator must be one of 'decoupled', .*'straight_through'; got 'hard'",
    ),
    "algorithm.objective": ("wasserstien", "config.algorithm.objective must be one of 'hinge', .*mean 'wasserstein'"),
    "algorithm.temperature": ("0.0", "config.algorithm: temperature must be a finite number > 0, got 0"),
    "algorithm.feedback.temperature": (
        "linear(1.0, x)",
        "config.algorithm.feedback.temperature must be .* x is not a number",
    ),
    "algorithm.generator.latent": ("cell", "config.algorithm.generator: latent must be one of"),
    "algorithm.generator.hidden_size": (0, "config.algorithm.generator: hidden_size must be at least 1, got 0"),
    "algorithm.discriminator.pooling": ("max", "config.algorithm.discriminator: pooling must be one of"),
    "algorithm.generator_optimizer.learning_rate": ("none", "learning_rate must be a number or a schedule, got 'none'"),
    "algorithm.instance_noise": ("linear(2.0, 0.5)", r"config.algorithm.instance_noise must stay in \[0, 1\], got 2"),
    "algorithm.score_weight": (-0.5, r"config.algorithm: score_weight must be .* in \[0, 1\], got -0.5"),
    "algorithm.penalty.real_weight": (
        "constant(-2.0)",
        "config.algorithm.penalty.real_weight must be a number or a schedule",
    ),
    "algorithm.penalty.generated_weight": (
        "linear(5.0, 1.0, steps=1.5)",
        "config.algorithm.penalty.generated_weight must be a number or a schedule .*steps must be an integer",
    ),
    "algorithm.ema_decay": (1.5, r"config.algorithm: ema_decay must be .* in \[0, 1\), got 1.5"),
    "algorithm.num_latent_draws": (0, "config.algorithm: num_latent_draws must be at least 1, got 0"),
    "algorithm.num_generated": (0, "config.algorithm: num_generated must be at least 1, got 0"),
    "task.seed": (-1, "config.task: seed must be at least 0, got -1"),
    "batch_size": (501, "config.batch_size must be at most the number of training sequences, 500; got 501"),
    "num_shards": (3, "config.batch_size must be a multiple of config.num_shards, 3; got 32"),
    "num_steps": (0, "config.num_steps must be an integer of at least 1, got 0"),
    "num_compared": (101, "config.num_compared must be at most the size of the smallest split, 100; got 101"),
    "num_states": (101, "config.num_states must be at most the size of the smallest split, 100; got 101"),
    "long_length": (16, "config.num_compared must be at least 4 where there is a long_length, got 0"),
    "num_samples": (0, "config.num_samples must be an integer of at least 1, got 0"),
    "heldout": ("train", "config.heldout must be one of 'test', 'validation'; got 'train'"),
    "temperatures": ((0.5, -1.0), r"config.temperatures must be a tuple of finite numbers > 0, got \(0.5, -1.0\)"),
    "num_seeds": (0, "config.num_seeds must be an integer of at least 1, got 0"),
    "seed": (-1, "config.seed must be an integer from 0 to 4294967295, got -1"),
    "dtype": ("float16", "config.dtype must be one of 'bfloat16', 'float32'; got 'float16'"),
    "platform": ("cuda", "config.platform must be one of '', 'cpu', 'gpu', 'tpu'; got 'cuda'"),
}


@pytest.mark.parametrize("name", sorted(MISTAKES))
def test_a_wrong_setting_is_named_and_nothing_is_written(name, tmp_path):
    value, message = MISTAKES[name]
    config = quicktest.get_config()
    with config.unlocked():
        config.update_from_flattened_dict({name: value})
    with pytest.raises(ValueError, match=message) as error:
        loop.prepare(run_config.parse(config), RunDirectory(tmp_path / "run"))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_num_generated_must_be_a_multiple_of_num_shards():
    config = quicktest.get_config()
    config.algorithm.num_generated = 7
    message = "config.algorithm.num_generated must be a multiple of config.num_shards, 2; got 7"
    with pytest.raises(ValueError, match=message):
        built(config)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("batchsize", "config has no setting 'batchsize' .did you mean 'batch_size'"),
        ("task.max_lenght", "config.task has no setting 'max_lenght' .did you mean 'max_length'"),
        ("algorithm.estimater", "config.algorithm has no setting 'estimater'"),
        ("algorithm.generator.width", "config.algorithm.generator has no setting 'width'"),
        ("algorithm.discriminator_optimizer.beta1", "config.algorithm.discriminator_optimizer has no setting 'beta1'"),
    ],
)
def test_a_misspelt_key_is_named(name, message):
    config = quicktest.get_config()
    with config.unlocked():
        config.update_from_flattened_dict({name: 1})
    with pytest.raises(ValueError, match=message):
        built(config)


def test_a_missing_key_takes_its_default():
    sections = quicktest.get_config().to_dict()
    for name in ("batch_size", "seed", "temperatures", "sweep"):
        sections.pop(name, None)
    for name in ("penalty", "feedback", "ema_decay", "num_latent_draws", "temperature", "score_weight"):
        del sections["algorithm"][name]
    for name in ("b1", "b2"):
        del sections["algorithm"]["generator_optimizer"][name]
    sections["task"] = {"name": "grammar", "num_train": 500, "num_heldout": 100}
    config = run_config.parse(sections)
    assert (config.batch_size, config.seed, config.temperatures, config.sweep) == (128, 0, (), {})
    build.build(config)


@pytest.mark.parametrize(
    "name",
    ["task", "algorithm", "task.name", "algorithm.objective", "algorithm.generator", "algorithm.generator_optimizer"],
)
def test_a_missing_key_is_named(name):
    sections = quicktest.get_config().to_dict()
    *path, last = name.split(".")
    section = sections
    for part in path:
        section = section[part]
    del section[last]
    with pytest.raises(ValueError, match=f"config.{name} is missing"):
        built(ConfigDict(sections))


@pytest.mark.parametrize(
    ("get_config", "variant", "left_out"),
    [
        (arithmetic.get_config, (), ()),
        # `penalty` needs a discriminator of whole sequences, `adversarial_weight` needs a property.
        (arithmetic_policy_gradient.get_config, ("per_prefix",), ("penalty", "adversarial_weight")),
        # `restart_rate` needs a text in order, `recurrent_dropout_rate` an LSTM.
        (professor_forcing.get_config, ("professor,digits",), ("restart_rate", "recurrent_dropout_rate")),
    ],
)
def test_every_scalar_setting_can_be_swept(get_config, variant, left_out):
    config = get_config(*variant)
    config.num_shards = 1
    config = run_config.parse(config)
    found = [path for path in scalar_settings(config) if not any(name in path for name in left_out)]
    assert "algorithm.ema_decay" in found
    assert "algorithm.generator_optimizer.b1" in found
    experiment = build.build(dataclasses.replace(config, sweep={path: (0.25, 0.5) for path in found}))
    states = jax.eval_shape(jax.vmap(experiment.algorithm.init), jax.random.split(jax.random.key(0), 2))
    batch = take(experiment.data, slice(config.batch_size))
    jax.eval_shape(
        jax.vmap(lambda point, state: experiment.algorithm_at(point).step(jax.random.key(0), state, batch)),
        jnp.arange(2),
        states,
    )


def scalar_settings(config):
    """Returns the paths that can be swept, from the error for a sweep of an unknown path."""
    with pytest.raises(ValueError, match=r"config\.sweep has no setting 'algorithm\.x'") as error:
        build.build(dataclasses.replace(config, sweep={"algorithm.x": (1.0,)}))
    return [path for path in re.findall(r"'([\w.]+)'", str(error.value).partition("settings are")[2])]


@pytest.mark.slow
def test_a_point_of_a_sweep_trains_as_a_run_of_its_own():
    config = quicktest.get_config()
    config.num_shards = 1
    values = ["linear(2.0, 1.0)", 0.5]
    config.sweep = {"algorithm.temperature": values, "algorithm.generator_optimizer.b1": [0.0, 0.25]}
    swept = build.build(run_config.parse(config))
    batch = take(swept.data, slice(config.batch_size))
    state = swept.algorithm.init(jax.random.key(0))
    state = state._replace(step=state.step + 30)
    step = jax.jit(lambda point: swept.algorithm_at(point).step(jax.random.key(1), state, batch))
    for point, value in enumerate(values):
        alone = quicktest.get_config()
        alone.num_shards = 1
        with alone.ignore_type():
            alone.algorithm.temperature = value
        alone.algorithm.generator_optimizer.b1 = 0.25 * point
        experiment = build.build(run_config.parse(alone))
        expected = jax.jit(experiment.algorithm.step)(jax.random.key(1), state, batch)
        found = step(point)
        assert found[1]["temperature"] == pytest.approx((1.5, 0.5)[point])
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), found, expected)


@pytest.mark.parametrize(
    ("path", "values", "message"),
    [
        ("temperatur", [1.0], "config.sweep has no setting .* .did you mean 'algorithm.temperature'"),
        ("temperature", [1.0, -1.0], "config.algorithm: temperature must be a finite number > 0, got -1.0"),
        ("temperature", [1.0, "none"], "config.algorithm.temperature must be a number or a schedule, got 'none'"),
        ("instance_noise", [0.5, "none"], "config.sweep: algorithm.instance_noise must .* got 'none' in it"),
        ("generator_optimizer.b1", ["linear(0.0, 0.5)"], "b1 must be a finite number, got 'linear"),
        ("generator.hidden_size", [8], "config.sweep has no setting 'algorithm.generator.hidden_size'"),
    ],
)
def test_a_wrong_point_of_a_sweep_is_named(path, values, message):
    config = quicktest.get_config()
    config.sweep = {f"algorithm.{path}": values}
    with pytest.raises(ValueError, match=message):
        built(config)


def test_lines_that_are_too_long_are_named_as_the_cause_of_too_few(tmp_path):
    lines = [f"a line of more than twenty characters, {number}" for number in range(900)]
    (tmp_path / "mine.txt").write_text("\n".join([*lines, *(f"short {number}" for number in range(600))]))
    config = text.get_config()
    config.task.update({"files": str(tmp_path / "mine.txt"), "max_length": 20, "num_heldout": 200})
    config.batch_size = 256
    message = r"config.batch_size must be at most .* 200; got 256\. .*more than 20 symbols .max_length., dropped: 900\."
    with pytest.raises(ValueError, match=message):
        built(config)
    config.task.num_heldout = 400
    with pytest.raises(ValueError, match=r"config.task: .*more than 20 symbols .max_length., dropped: 900\."):
        built(config)
    config.task.update({"max_length": 0, "num_heldout": 200})
    assert built(config).task.length > 40
