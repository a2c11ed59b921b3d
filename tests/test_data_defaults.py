"""Settings that a config leaves to the data: how they are chosen, stored and reused."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

import gumbel_gan as gg
from experiments.config import build, data_defaults, files, registries, run_config
from experiments.configs import molecules, pixels, text
from experiments.run.directory import RunDirectory
from gumbel_gan.tasks.lines import usual_length

FIXTURE = Path(__file__).parent / "fixtures" / "run"


def open_config(tmp_path, lines, method="maximum_likelihood", **settings):
    (tmp_path / "mine.txt").write_text("\n".join(lines))
    config = text.get_config(method)
    config.update_from_flattened_dict({"task.files": str(tmp_path / "mine.txt")} | settings)
    return run_config.parse(config)


def strings(num, low, high, letters="abcdefghij"):
    rng = random.Random(0)
    return ["".join(rng.choices(letters, k=rng.randint(low, high))) for _ in range(num)]


def resolved(config):
    return data_defaults.resolve(config, build.make_task(config))


@pytest.mark.parametrize("method", [method for method in text.METHODS if method != "truncated"])
def test_two_hundred_lines_fit_every_method(method, tmp_path):
    config = open_config(tmp_path, strings(200, 5, 12), method)
    task = build.build(config).task
    config = resolved(config)
    assert len(task.train.tokens) == 160
    assert (config.num_compared, config.task.settings["num_heldout"], config.task.settings["max_length"]) == (
        20,
        20,
        12,
    )
    assert config.batch_size == (64 if method in ("relaxed_gan", "policy_gradient", "one_pass") else 16)
    assert config.open == ()
    assert task.notes[-1].startswith("Chosen for this data: task.max_length 12, task.num_heldout 20, ")
    assert f"batch_size {config.batch_size}, " in task.notes[-1]
    ends_early = method in ("maximum_likelihood", "importance_gan", "professor_forcing")
    assert (config.patience > 0, config.summarized == "best") == (ends_early, ends_early)


def test_a_method_that_learns_from_a_discriminator_alone_takes_larger_batches(tmp_path, monkeypatch):
    config = open_config(tmp_path, strings(200, 5, 12), "policy_gradient")
    name, entry = config.algorithm.name, registries.ALGORITHMS[config.algorithm.name]
    for is_adversarial, batch_size in ((True, 64), (False, 16)):
        monkeypatch.setitem(registries.ALGORITHMS, name, entry._replace(is_adversarial=is_adversarial))
        assert resolved(config).batch_size == batch_size
    monkeypatch.undo()
    adversarial = {name for name, entry in registries.ALGORITHMS.items() if entry.is_adversarial}
    assert adversarial == {"relaxed_gan", "policy_gradient", "distilled_gan"}


def test_long_strings_of_few_letters_are_kept(tmp_path):
    config = open_config(tmp_path, strings(300, 60, 60, "ACGT"))
    assert build.build(config).task.length == 61
    assert resolved(config).task.settings["max_length"] == 60


def test_more_data_take_larger_networks_and_a_bounded_time(tmp_path):
    config = open_config(tmp_path, strings(50, 10, 10))
    task = build.make_task(config)
    found = [
        data_defaults.resolve(config, task._replace(train=gg.Batch(np.tile(task.train.tokens, (num, 1)))))
        for num in (1, 100, 10_000)
    ]
    steps = [each.num_steps for each in found]
    assert steps == sorted(steps)
    # The time allows few epochs of the largest data, which then take small batches and a high learning rate.
    assert [each.batch_size for each in found] == [8, 64, 32]
    rates = [each.algorithm.settings["optimizer"]["learning_rate"] for each in found]
    assert rates == ["cosine(1e-2, 1e-4)", "cosine(3e-3, 3e-5)", "cosine(1e-2, 1e-4)"]
    widths = [each.algorithm.settings["generator"]["hidden_size"] for each in found]
    rates = [each.algorithm.settings["generator"]["dropout_rate"] for each in found]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]
    assert rates == sorted(rates, reverse=True)
    # For 400,000 sequences, the limit on the work leaves fewer than 10 epochs instead of 60.
    assert found[2].num_steps * found[2].batch_size < 10 * 400_000


def test_only_an_lstm_has_recurrent_dropout(tmp_path):
    rates = []
    for name in ("lstm", "gru"):
        config = open_config(tmp_path, strings(100, 3, 12), **{"algorithm.generator.name": name})
        settings = resolved(config).algorithm.settings["generator"]
        rates.append(settings["recurrent_dropout_rate"])
        build.build(resolved(config))
    assert rates == [0.3, 0.0]


@pytest.mark.parametrize("width", [0, -1])
def test_a_wrong_width_is_left_to_the_generator_to_refuse(tmp_path, width):
    config = open_config(tmp_path, strings(100, 3, 12), **{"algorithm.generator.hidden_size": width})
    with pytest.raises(ValueError, match=f"generator: hidden_size must be at least 1, got {width}"):
        build.build(resolved(config))


def test_what_is_given_is_kept_and_a_gap_in_the_data_is_named(tmp_path):
    given = {"task.max_length": 7, "batch_size": 6, "num_steps": 9, "algorithm.generator.hidden_size": 3}
    config = resolved(open_config(tmp_path, strings(100, 3, 12), **given))
    flat = run_config.flatten(config.to_dict())
    assert {name: flat[name] for name in given} == given
    assert not set(given) & set(config.chosen)
    with pytest.raises(ValueError, match=r"at least 4 sequences in each split .* got 2: more data, or a larger"):
        resolved(open_config(tmp_path, strings(20, 3, 12)))


def test_choices_are_stored_and_taken_again(tmp_path):
    config = files.self_contained(open_config(tmp_path, strings(100, 3, 12)))
    assert run_config.parse(json.loads(json.dumps(config.to_dict()))) == config
    assert "num_steps" in config.open
    found = resolved(config)
    assert data_defaults.resolve(found, build.make_task(found)) == found
    assert resolved(found).to_dict() == run_config.parse_stored(json.loads(json.dumps(found.to_dict()))).to_dict()
    run = RunDirectory(tmp_path / "run")
    run.start(found, overwrite=False)
    assert run.first_difference(data_defaults.taken(config, run.read_config())) is None
    other = run_config.changed(config, {"batch_size": 2})
    assert run.first_difference(data_defaults.taken(other, run.read_config())) == "batch_size"
    # A task built from the stored settings is the same, although it chooses nothing.
    first, second = build.make_task(config), build.make_task(found)
    assert (first.length, dict(second.chosen)) == (second.length, {})
    np.testing.assert_array_equal(first.train.tokens, second.train.tokens)


def test_a_task_of_pixels_stores_its_choice(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (30, 4, 4), np.uint8)
    header = b"".join(size.to_bytes(4, "big") for size in pictures.shape)
    (tmp_path / "mine").write_bytes(b"\0\0\x08\x03" + header + pictures.tobytes())
    config = pixels.get_config()
    config.task.update(files=str(tmp_path / "mine"), size=4)
    with config.ignore_type():
        config.task.num_heldout = None
    found = resolved(run_config.parse(config))
    assert (found.task.settings["num_heldout"], found.chosen) == (3, ("task.num_heldout",))


def test_a_run_of_before_these_choices_has_none():
    config = RunDirectory(FIXTURE).read_config()
    assert (config.chosen, config.open) == ((), ())


def test_the_widths_of_another_run_are_taken(tmp_path):
    config = open_config(tmp_path, strings(100, 3, 12))
    other = resolved(open_config(tmp_path, strings(100, 3, 12), **{"algorithm.generator.hidden_size": 5}))
    taken = data_defaults.taken_sizes(config, other)
    assert taken.algorithm.settings["generator"]["hidden_size"] == 5
    assert resolved(taken).algorithm.settings["generator"]["hidden_size"] == 5


@pytest.mark.parametrize("stream", ["never", "always"])
def test_a_text_of_windows_and_one_that_streams_choose_alike(stream, tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("\n".join([*strings(500, 8, 12), "a" * 60]))
    lines = gg.text_task(path, max_length=None, num_heldout=None, stream=stream, tokens=str(tmp_path / "lines"))
    assert dict(lines.chosen) == {"max_length": 12, "num_heldout": 50}
    assert lines.test.tokens.shape == (50, 13)
    assert "Lines of more than 12 symbols (max_length), dropped: 1." in lines.notes
    windows = gg.text_task(
        path, max_length=None, window=10, num_heldout=None, stream=stream, tokens=str(tmp_path / "windows")
    )
    assert windows.chosen["max_length"] == 0
    assert len(windows.validation.tokens) == len(windows.test.tokens) == windows.chosen["num_heldout"]


@pytest.mark.parametrize(
    ("lengths", "wanted"),
    [([3, 9], 9), ([5] * 30 + [10], 10), ([5] * 30 + [11], 5), ([5] * 18 + [11], 11), ([5] * 1_998 + [90, 99], 5)],
)
def test_few_long_lines_do_not_set_the_length(lengths, wanted):
    assert usual_length(lengths) == wanted


def test_the_headers_of_a_fasta_file_are_counted(tmp_path):
    path = tmp_path / "mine.fasta"
    path.write_text(">one\nACGT\n>two\nACGA\nCC\nGG\n")
    notes = gg.text_task(path, num_heldout=1).notes
    assert "Lines that begin with '>', like headers of a FASTA file, read as all others: 2." in notes


@pytest.mark.parametrize("method", molecules.METHODS)
def test_molecules_of_a_file_follow_it(method, tmp_path):
    pytest.importorskip("rdkit")
    (tmp_path / "mine.smi").write_text("".join(f"{'C' * num}O\n{'C' * num}N\n" for num in range(1, 41)))
    config = molecules.get_config(method)
    config.task.files = str(tmp_path / "mine.smi")
    config = run_config.parse(config)
    assert build.build(config).task.length == 42
    assert resolved(config).task.settings["max_length"] == 41
    assert resolved(config).task.settings["num_heldout"] == 8
