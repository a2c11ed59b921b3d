"""Text that streams from files: the same sequences as in memory, in an order that depends only on the step."""

import json
import os
import shutil
from functools import partial

import chex
import jax
import numpy as np
import pytest

from experiments.config import run_config
from experiments.configs import text
from experiments.run import loop
from experiments.run.directory import RunDirectory
from experiments.run.restore import restore
from gumbel_gan import training
from gumbel_gan.streaming import Steps, Stream, shuffled_rows
from gumbel_gan.tasks import hashing, streamed_text, text_blocks, text_task
from gumbel_gan.tasks.token_rows import TokenRows
from tests.test_training import ALGORITHM, DATA

STEPS = 6


@pytest.fixture
def corpus(tmp_path):
    rng = np.random.default_rng(0)
    lines = ["".join(rng.choice(list("abcdé \u0301"), rng.integers(0, 9))) for _ in range(600)]
    files = [tmp_path / "one.txt", tmp_path / "two.txt"]
    files[0].write_bytes("\ufeff".encode() + "\r\n".join(lines[:400]).encode())
    files[1].write_bytes("\r".join(lines[400:]).encode())
    return files


def rows_in(path, num=200, length=3):
    tokens = np.arange(num * length, dtype=np.uint16).reshape(num, length)
    path.write_bytes(tokens.tobytes())
    return TokenRows(path, num, length, np.dtype(np.uint16)), tokens


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"min_count": 60, "lowercase": True},
        {"max_length": 5, "too_long": "cut", "seed": 3},
        {"max_length": 4, "normalize": "NFD"},
        {"unit": "words", "min_count": 2},
        {"unit": "regex:ab|[cd]+"},
        {"window": 7},
        {"window": 3, "unit": "words", "min_count": 2},
    ],
    ids=str,
)
def test_a_streamed_text_has_the_sequences_of_one_in_memory(corpus, tmp_path, monkeypatch, settings):
    # Small enough that the files are processed in several parts.
    monkeypatch.setattr(text_blocks, "_BYTES_AT_ONCE", 100)
    monkeypatch.setattr(hashing, "_ROWS_AT_ONCE", 16)
    monkeypatch.setattr(streamed_text, "_ROWS_AT_ONCE", 16)
    told = []
    resident = text_task(corpus, num_heldout=20, **settings)
    streamed = text_task(
        corpus, num_heldout=20, stream="always", tokens=str(tmp_path / "tokens"),
        progress=lambda *each: told.append(each), **settings,
    )  # fmt: skip
    assert streamed.vocabulary == resident.vocabulary
    assert (streamed.length, streamed.num_train) == (resident.length, resident.num_train)
    train = streamed.stream.take(np.arange(len(streamed.stream)))
    assert train.dtype == np.uint8

    def strings(task, train):
        return sorted(task.decode(np.concatenate([train, task.validation.tokens, task.test.tokens])))

    assert strings(streamed, train) == strings(resident, resident.train.tokens)
    splits = [set(streamed.decode(each)) for each in (train, streamed.validation.tokens, streamed.test.tokens)]
    if not settings.get("window"):
        assert not splits[0] & splits[1] | splits[0] & splits[2] | splits[1] & splits[2]
    assert set(resident.notes) - set(streamed.notes) == set()
    assert {doing for doing, _, _ in told} == {"counting symbols", "writing tokens"}
    assert all(done <= total for _, done, total in told)
    # The folder of tokens suffices to build the task again.
    for file in corpus:
        file.unlink()
    again = text_task(corpus, num_heldout=20, stream="always", tokens=str(tmp_path / "tokens"), **settings)
    chex.assert_trees_all_equal(again.test, streamed.test)
    np.testing.assert_array_equal(again.stream.take(np.arange(5)), train[:5])


def test_what_fits_stays_in_memory(corpus, monkeypatch):
    assert text_task(corpus, num_heldout=20, stream="auto").stream is None
    monkeypatch.setattr("gumbel_gan.tasks.text.STREAM_BYTES", 100)
    with pytest.raises(ValueError, match="tokens must name a folder for a text that streams, got ''"):
        text_task(corpus, num_heldout=20, stream="auto")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stream": "sometimes"}, "stream must be one of auto, always, never; got 'sometimes'"),
        ({"num_heldout": 10**6}, "num_heldout must be less than half of the distinct sequences, which are"),
        ({"window": 5, "num_heldout": 10**6}, "num_heldout must be less than half of the windows of 5 characters"),
        ({"max_symbols": 3}, r"max_symbols must be at least the size of the vocabulary, \d+, got 3"),
        ({"encoding": "ascii"}, "files must be in ascii, got .*one.txt.*; set encoding to that of the files"),
        ({"max_length": 2, "too_long": "fail"}, "max_length must be at least the length of every line, got 2; one has"),
        ({"digest": "0"}, "files must be those of digest 0, got"),
    ],
)
def test_bad_texts_are_named_and_leave_nothing(corpus, tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        text_task(corpus, **({"num_heldout": 20, "stream": "always", "tokens": str(tmp_path / "tokens")} | settings))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.txt", "two.txt"]


def test_no_file_is_deleted_that_is_not_of_a_tokenized_text(corpus, tmp_path):
    folder, partial_folder = tmp_path / "mine", tmp_path / "mine.partial"
    build = partial(text_task, corpus, num_heldout=20, stream="always", tokens=str(folder))
    for holder, name in ((folder, "thesis.txt"), (folder, "train.bin"), (partial_folder, "thesis.txt")):
        holder.mkdir()
        (holder / name).write_text("years of work")
        with pytest.raises(ValueError, match=f"tokens must name a new or empty folder, .* which holds '{name}'"):
            build()
        assert (holder / name).read_text() == "years of work"
        shutil.rmtree(holder)
    folder.write_text("years of work")
    with pytest.raises(ValueError, match=r"tokens must name a new or empty folder, .* which is a file"):
        build()
    folder.unlink()
    # What an interrupted call leaves.
    partial_folder.mkdir()
    for name in ("train.bin", "hashes.bin"):
        (partial_folder / name).write_bytes(b"half")
    folder.mkdir()
    assert build().num_train
    assert not partial_folder.exists()


@pytest.mark.parametrize("end", [" ", "", "\n", "\r"])
@pytest.mark.parametrize("unit", ["characters", "words"])
def test_a_line_end_separates_files_of_streamed_windows(tmp_path, monkeypatch, unit, end):
    # The first file is cut at its blanks, the last of which may be its end.
    monkeypatch.setattr(text_blocks, "_BYTES_AT_ONCE", 10)
    files = [tmp_path / "one.txt", tmp_path / "two.txt"]
    files[0].write_text("abcd efghi abcd efgh" + end, newline="")
    files[1].write_text("klmn opqrs klmn opqrs\n", newline="")
    settings = {"unit": unit, "window": 2, "num_heldout": 1}
    resident = text_task(files, in_order=True, **settings)
    streamed = text_task(files, stream="always", tokens=str(tmp_path / "tokens"), **settings)
    train = streamed.stream.take(np.arange(len(streamed.stream)))
    assert streamed.vocabulary == resident.vocabulary
    np.testing.assert_array_equal(train, resident.train.tokens)


@pytest.mark.parametrize("content", ["", " \n\n", "\ufeff"])
@pytest.mark.parametrize("window", [0, 3])
def test_an_empty_file_of_a_stream_is_named(corpus, tmp_path, content, window):
    (tmp_path / "empty.txt").write_text(content, encoding="utf-8")
    files = [corpus[0], tmp_path / "empty.txt", corpus[1]]
    with pytest.raises(ValueError, match=r"files must hold text, got only whitespace in '.*empty\.txt'"):
        text_task(files, window=window, num_heldout=20, stream="always", tokens=str(tmp_path / "tokens"))


def test_a_tokenized_text_is_used_only_for_the_same_files_and_settings(corpus, tmp_path):
    folder = tmp_path / "tokens"
    build = partial(text_task, corpus, stream="always", tokens=str(folder))
    task = build(max_length=None, num_heldout=np.int64(20))
    chosen = task.chosen["max_length"]
    assert build(max_length=None, num_heldout=20).chosen == {"max_length": chosen}
    assert build(max_length=chosen, num_heldout=20).chosen == {}
    for settings, message in (
        ({"lowercase": True}, "lowercase must be False, as for the tokenized text in .*tokens, got True"),
        ({"unit": "words", "seed": 1}, "unit must be 'characters', as for"),
        ({"max_length": 3}, f"max_length must be {chosen}, as for .*, got 3"),
        ({"num_heldout": None}, "num_heldout must be 20, as for .*, got None"),
        ({"digest": "0"}, "files must be those of the tokenized text in .*, of digest .*, got 0"),
    ):
        with pytest.raises(ValueError, match=message):
            build(**{"max_length": None, "num_heldout": 20} | settings)
    corpus[0].write_text("others")
    with pytest.raises(ValueError, match="files must be those of the tokenized text in"):
        build(max_length=None, num_heldout=20)
    corpus[0].unlink()
    about = json.loads((folder / "tokens.json").read_text())
    # A tokenized text of version 1, which does not record the files and the settings.
    old = {name: value for name, value in about.items() if name not in ("digest", "settings")} | {"version": 1}
    (folder / "tokens.json").write_text(json.dumps(old))
    chex.assert_trees_all_equal(build(max_length=None, num_heldout=20).test, task.test)
    (folder / "tokens.json").write_text(json.dumps(about | {"version": 3}))
    with pytest.raises(ValueError, match="tokens must hold a tokenized text of version 2: got version 3"):
        build(max_length=None, num_heldout=20)


@pytest.mark.parametrize("num", [1, 2, 3, 10, 64, 65, 1000])
def test_every_epoch_holds_every_row_once_in_an_order_of_its_own(num):
    epochs = shuffled_rows(np.arange(4 * num), num, seed=5).reshape(4, num)
    np.testing.assert_array_equal(np.sort(epochs, axis=1), np.tile(np.arange(num), (4, 1)))
    np.testing.assert_array_equal(shuffled_rows(np.arange(num, 3 * num), num, seed=5), epochs[1:3].ravel())
    if num >= 64:
        assert len({tuple(epoch) for epoch in epochs} | {tuple(shuffled_rows(np.arange(num), num, seed=6))}) == 5


def test_the_order_looks_random():
    rows = np.array([shuffled_rows(np.arange(1_000), 1_000, seed=seed) for seed in range(100)])
    # The first ten rows are uniform. Neighbors, orders of two seeds, and rows and positions do not correlate.
    shares = np.bincount(rows[:, :10].ravel() // 100, minlength=10) / 1_000
    np.testing.assert_allclose(shares, 0.1, atol=5 * np.sqrt(0.09 / 1_000))
    for one, other in ((rows[:, 1:], rows[:, :-1]), (rows[1:], rows[:-1]), (rows, np.arange(1_000) + 0 * rows)):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 5 / np.sqrt(one.size)


def test_a_stream_goes_on_anywhere_and_its_shards_are_parts_of_a_batch(tmp_path):
    rows, tokens = rows_in(tmp_path / "rows.bin")
    whole = Steps(rows, [3, 4, 3], 8, range(1), 1)
    begun = Stream(whole, 0, num_ahead=4)
    batches = np.concatenate([begun.take(2), begun.take(3)], axis=2)
    assert batches.shape == (3, 1, 5, 8, 3)
    np.testing.assert_array_equal(Stream(whole, 3, num_ahead=2).take(2), batches[:, :, 3:])
    np.testing.assert_array_equal(batches[0], batches[2])
    assert (batches[0] != batches[1]).any()
    np.testing.assert_array_equal(batches[0, 0].reshape(-1, 3), tokens[shuffled_rows(np.arange(40), 200, seed=3)])
    parts = [Steps(rows, [3, 4, 3], 8, range(shard, shard + 1), 2)[4] for shard in range(2)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=2), whole[4])


def test_training_on_given_batches_is_training_on_data():
    keys = training.run_keys(0)
    state = ALGORITHM.init(keys.init)
    resident = jax.jit(partial(training.train, ALGORITHM, batch_size=3, num_steps=4))(keys.train, state, DATA)

    def rows(step):
        batch_key, _ = jax.random.split(jax.random.fold_in(keys.train, step))
        return jax.random.randint(batch_key, (3 * ALGORITHM.batches_per_step,), 0, len(DATA))

    batches = np.stack([DATA[rows(np.int32(step))] for step in range(4)]).astype(np.uint8)
    given = jax.jit(partial(training.train_on, ALGORITHM))(keys.train, state, batches)
    chex.assert_trees_all_equal(given, resident)
    with pytest.raises(ValueError, match=r"batches must be \[num_steps, B, \d+\] with B a multiple of"):
        training.train_on(ALGORITHM, keys.train, state, batches[0])


@pytest.mark.slow
@pytest.mark.parametrize("num_shards", [1, 2])
def test_a_streamed_run_that_was_killed_ends_with_the_same_bits(tmp_path, num_shards):
    (tmp_path / "corpus.txt").write_text("".join(f"{number:b}\n" for number in range(300)))
    config = text.get_config("maximum_likelihood")
    config.update({"num_steps": STEPS, "steps_per_chunk": 2, "chunks_per_checkpoint": 1, "batch_size": 8})
    config.update({"num_samples": 20, "num_compared": 0, "temperatures": (), "num_shards": num_shards, "num_seeds": 2})
    config.task.update({"files": str(tmp_path / "corpus.txt"), "max_length": 20, "num_heldout": 20, "stream": "always"})
    config.algorithm.generator.hidden_size = 4
    with jax.debug_key_reuse(False):
        prepared = loop.prepare(run_config.parse(config), RunDirectory(tmp_path / "run"))
        whole = loop.train_steps(prepared)
        prepared.run.lock.release()
        shutil.copytree(tmp_path / "run", tmp_path / "other" / "run", ignore=shutil.ignore_patterns(".lock"))
        run = RunDirectory(tmp_path / "other" / "run")
        shutil.rmtree(run.checkpoints / str(STEPS))
        # Everything that the run needs is in its folder.
        (tmp_path / "corpus.txt").unlink()
        shutil.rmtree(tmp_path / ".tokens")
        again = loop.train_steps(prepared._replace(run=run))
        chex.assert_trees_all_equal(jax.device_get(again.state), jax.device_get(whole.state))
        stored = json.loads(run.config.read_text())
        assert stored["task"]["stream"] == "always"
        assert "tokens" not in stored["task"]
        restored = restore(run.path)
        assert restored.experiment.task.num_train == 260
        assert restored.experiment.task.test.tokens.shape == (20, 21)
    weighted = text.get_config("importance_gan")
    weighted.task.update(config.task.to_dict())
    weighted.task.files = str(tmp_path / "run" / "config.json")
    weighted.update({"num_compared": 0, "temperatures": (), "batch_size": 8})
    with pytest.raises(ValueError, match=r"config\.task\.stream must be 'never' for an algorithm that weights"):
        loop.prepare(run_config.parse(weighted), RunDirectory(tmp_path / "weighted"))


def test_a_file_of_another_size_is_named(tmp_path):
    rows, _ = rows_in(tmp_path / "rows.bin")
    rows.path.write_bytes(b"short")
    with pytest.raises(ValueError, match=r"rows.bin must hold 200 sequences in 1,200 bytes, got 5 bytes"):
        rows.take(np.arange(3))
    with pytest.raises(ValueError, match=r"rows must be in \[0, 200\), got 200 to 200"):
        rows.take(np.array([200]))


def test_a_file_that_was_cut_while_it_is_read_is_named(tmp_path):
    rows, tokens = rows_in(tmp_path / "rows.bin")
    np.testing.assert_array_equal(rows.take(np.array([199])), tokens[199:])
    os.truncate(rows.path, 100 * 6 + 2)
    np.testing.assert_array_equal(rows.take(np.array([99])), tokens[99:100])
    with pytest.raises(ValueError, match=r"rows.bin must hold 200 sequences of 6 bytes, got 2 bytes of sequence 100"):
        rows.take(np.array([99, 100]))
