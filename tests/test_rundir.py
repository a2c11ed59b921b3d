"""A run's folder: files are read back as they were written, and a user's own files are kept."""

import dataclasses
import json

import pytest

from experiments.config import files, run_config
from experiments.config.run_config import flatten
from experiments.configs import molecules, quicktest, text
from experiments.run import checks, loop
from experiments.run.directory import RunDirectory, check_holds_no_run
from experiments.run.texts import write_samples

CONFIG = run_config.parse(quicktest.get_config())
MODELS = ("model.safetensors", "best.safetensors")
WRITTEN = ("summary.json", "metrics.jsonl", "samples.txt", "curves.png", *MODELS)
FOLDERS = ("checkpoints", "events")


def files_in(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write_run(folder, config=CONFIG):
    """Writes the files and folders of a finished run, with dummy content."""
    run = RunDirectory(folder)
    run.start(config, overwrite=False)
    run.keep_files(config)
    for name in WRITTEN:
        (folder / name).write_text("{}")
    for name in FOLDERS:
        (folder / name).mkdir()
        (folder / name / "part").write_text("of the run")
    return run


def text_config(folder, lines=300):
    """Returns a config of a text task, and writes its corpus into a folder."""
    corpus = folder / "corpus.txt"
    corpus.parent.mkdir(parents=True, exist_ok=True)
    corpus.write_text("".join(f"{number}\n" for number in range(lines)))
    config = text.get_config()
    config.batch_size = 32
    config.task.update({"files": str(corpus), "num_heldout": 50})
    config.update({"num_compared": 0, "temperatures": ()})
    return run_config.parse(config)


def test_samples_come_back_whatever_they_hold(tmp_path):
    strings = ["x", "", "two\nlines", "\\n", "back\\slash\r", " blanks ", "é😀"]
    run = RunDirectory(tmp_path)
    write_samples(run.samples, strings)
    assert run.read_samples() == strings
    assert run.samples.read_text(encoding="utf-8").count("\n") == len(strings)


def test_the_duration_of_a_run_is_that_up_to_a_step(tmp_path):
    run = RunDirectory(tmp_path)
    assert run.wall_seconds(0) == 0
    rows = [{"step": step, "wall_seconds": step / 10} for step in (2, 4, 6)]
    run.metrics.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [run.wall_seconds(step) for step in (0, 4, 5, 6)] == [0, 0.4, 0.4, 0.6]
    run.summary.write_text(json.dumps({"steps": 6, "wall_seconds": 7.5}))
    assert [run.wall_seconds(step) for step in (4, 6)] == [0.4, 7.5]


def test_a_note_of_an_older_version_is_migrated_as_the_config_is(tmp_path):
    old = run_config.parse(molecules.get_config()).with_task(num_heldout=0)
    run, noted = RunDirectory(tmp_path), checks.note(old)
    assert noted["settings"]["task.num_heldout"] == 0
    run.start(old, overwrite=False)
    checks.check_note(run, noted)
    noted["settings"]["task.num_heldout"] = 5
    with pytest.raises(ValueError, match=r"config\.task\.num_heldout was 5 and is None now: it was edited"):
        checks.check_note(run, noted)


def test_a_run_is_not_resumed_to_a_step_before_its_newest(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.start(files.self_contained(CONFIG), overwrite=False)
    (run.checkpoints / "4").mkdir(parents=True)
    shorter = dataclasses.replace(run.read_config(), num_steps=2)
    with pytest.raises(ValueError, match=r"config\.num_steps must be at least 4, the step of .*; got 2"):
        loop.prepare(shorter, run, resume=True)
    assert run.read_config().num_steps == CONFIG.num_steps


def test_lists_of_json_are_the_tuples_they_were():
    assert flatten({"a": {"b": [1, 2]}, "c": (1, 2)}) == {"a.b": (1, 2), "c": (1, 2)}


@pytest.mark.parametrize("name", ["checkpoints", "events"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_the_user_s_own_is_no_run_and_stays(tmp_path, name, overwrite):
    (tmp_path / name).mkdir()
    (tmp_path / name / "mine.txt").write_text("years of work")
    before = files_in(tmp_path)
    message = f"--workdir must not hold files of yours where a run writes its own, but .* holds {name}; choose another"
    with pytest.raises(ValueError, match=message) as error:
        loop.prepare(CONFIG, RunDirectory(tmp_path), overwrite=overwrite)
    assert "unfinished" not in str(error.value)
    assert files_in(tmp_path) == before
    with pytest.raises(ValueError, match="--workdir must hold a run, got"):
        loop.prepare(CONFIG, RunDirectory(tmp_path), resume=True)


@pytest.mark.parametrize(
    "content",
    [
        *("{}", "[1]", "not JSON", '{"task": 5, "algorithm": 6}', '{"schema_version": 99}', "[" * 9_000),
        *('{"replaces": 5}', '{"replaces": [3]}'),
    ],
)
def test_a_config_of_something_else_marks_no_run(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "mine.txt").write_text("mine")
    before = files_in(tmp_path)
    run = RunDirectory(tmp_path)
    assert not run.holds_run()
    for overwrite in (False, True):
        with pytest.raises(ValueError, match=r"must not hold files of yours .* holds config.json, events; choose"):
            run.start(CONFIG, overwrite=overwrite)
    with pytest.raises(
        ValueError, match=r"--workdir must hold a run of this version, got .*, whose config.json is not"
    ):
        run.read_config()
    check_holds_no_run(tmp_path, "--output")
    assert files_in(tmp_path) == before


def test_data_of_the_user_stays_beside_a_run_that_keeps_no_copies(tmp_path):
    """Regression test: `--overwrite` deleted the data."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.txt").write_text("years of work")
    write_run(tmp_path)
    RunDirectory(tmp_path).start(CONFIG, overwrite=True)
    assert files_in(tmp_path).keys() == {"data/mine.txt", "config.json"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_corpus_in_the_folder_of_the_run_stays(tmp_path, overwrite):
    """Regression test: `--overwrite` deleted the corpus that the run reads."""
    config = text_config(tmp_path / "data")
    before = files_in(tmp_path)
    with pytest.raises(ValueError, match=r"must not hold files of yours where .* holds data; choose another folder"):
        loop.prepare(config, RunDirectory(tmp_path), overwrite=overwrite)
    assert files_in(tmp_path) == before
    # Elsewhere in the folder, the corpus does not conflict with runs and is kept.
    config = text_config(tmp_path / "texts")
    (tmp_path / "data" / "corpus.txt").unlink()
    write_run(tmp_path, config)
    assert (tmp_path / "data" / "000" / "corpus.txt").exists()
    RunDirectory(tmp_path).start(CONFIG, overwrite=True)
    assert files_in(tmp_path).keys() == {"texts/corpus.txt", "config.json"}
    assert not (tmp_path / "data" / "000").exists()


@pytest.mark.parametrize("name", ["samples.txt", "data/000/corpus.txt", "checkpoints/part"])
def test_a_file_that_the_new_run_reads_is_not_deleted(tmp_path, name):
    write_run(tmp_path / "run", text_config(tmp_path / "texts"))
    (tmp_path / "run" / name).write_text("".join(f"{number}\n" for number in range(300)))
    config = text_config(tmp_path / "texts").with_task(files=str(tmp_path / "run" / name))
    before = files_in(tmp_path)
    with pytest.raises(ValueError, match=r"--overwrite would delete .*, which the run reads; copy it elsewhere"):
        loop.prepare(config, RunDirectory(tmp_path / "run"), overwrite=True)
    assert files_in(tmp_path) == before


def test_the_file_of_a_grammar_is_not_deleted(tmp_path):
    write_run(tmp_path)
    (tmp_path / "events" / "mine.pcfg").write_text("S -> 'a' S 'b' | 'c'")
    config = CONFIG.with_task(grammar=str(tmp_path / "events" / "mine.pcfg"))
    with pytest.raises(ValueError, match=r"--overwrite would delete .*mine\.pcfg', which the run reads"):
        loop.prepare(config, RunDirectory(tmp_path), overwrite=True)
    assert (tmp_path / "events" / "mine.pcfg").exists()


def test_a_run_is_overwritten_only_when_asked_and_only_its_own_files(tmp_path):
    run = write_run(tmp_path)
    (tmp_path / "notes.md").write_text("mine")
    (tmp_path / "states.json").write_text("mine: this run wrote none")
    before = files_in(tmp_path)
    with pytest.raises(ValueError, match="holds a finished run; choose another folder, or --overwrite to delete it"):
        run.start(CONFIG, overwrite=False)
    assert files_in(tmp_path) == before
    deleted = run.check_start(CONFIG, overwrite=True)
    assert [path.name for path in deleted] == [*WRITTEN, *FOLDERS, "config.json"]
    with pytest.raises(ValueError, match=r"must not hold files of yours .* holds states.json"):
        run.start(dataclasses.replace(CONFIG, num_states=10), overwrite=True)
    assert files_in(tmp_path) == before
    run.start(CONFIG, overwrite=True)
    assert files_in(tmp_path).keys() == {"config.json", "notes.md", "states.json"}


def test_a_run_of_an_older_version_has_the_files_that_its_config_tells(tmp_path):
    run = write_run(tmp_path)
    record = json.loads(run.config.read_text())
    assert set(record.pop("written")) == {*WRITTEN, *FOLDERS, "config.json"}
    del record["schema_version"]
    run.config.write_text(json.dumps(record))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.txt").write_text("mine")
    for name in MODELS:
        (tmp_path / name).unlink()
    run.start(CONFIG, overwrite=True)
    assert files_in(tmp_path).keys() == {"config.json", "data/mine.txt"}


def test_an_edited_list_reaches_no_other_file(tmp_path):
    run = write_run(tmp_path / "run")
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "run" / "mine.txt").write_text("mine")
    record = json.loads(run.config.read_text())
    run.config.write_text(json.dumps(record | {"written": [*record["written"], "../mine.txt", "mine.txt"]}))
    run.start(CONFIG, overwrite=True)
    assert files_in(tmp_path).keys() == {"mine.txt", "run/mine.txt", "run/config.json"}


def test_links_of_a_run_are_deleted_and_not_what_they_point_to(tmp_path):
    run = write_run(tmp_path / "run")
    run.checkpoints.rename(tmp_path / "elsewhere")
    run.checkpoints.symlink_to(tmp_path / "elsewhere")
    run.start(CONFIG, overwrite=True)
    assert files_in(tmp_path).keys() == {"elsewhere/part", "run/config.json"}


def test_what_will_be_deleted_is_printed(tmp_path, capsys):
    write_run(tmp_path)
    loop.prepare(CONFIG, RunDirectory(tmp_path), overwrite=True)
    names = ", ".join((*WRITTEN, *FOLDERS, "config.json"))
    assert capsys.readouterr().out == f"deleting of the run in {tmp_path}: {names}\n"
    assert files_in(tmp_path).keys() == {"config.json"}
