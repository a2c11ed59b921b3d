"""Reports of finished runs and of studies, as a user writes them and as a browser shows them."""

import csv
import dataclasses
import json
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

from experiments import cli, study
from experiments.config import build, files, run_config, schedule_text
from experiments.configs import arithmetic, paper, professor_forcing
from experiments.configs.professor_forcing_long import METHODS
from experiments.reports import curves, figures, page, report, tables, terminal
from experiments.reports.runs import differing_settings, read_runs
from experiments.run.directory import RunDirectory
from experiments.run.texts import write_json
from experiments.studies import lamb2016
from experiments.studies.kusner2016 import parts, verdict
from experiments.studies.study import command
from tests.commands import ROOT, run

STUDY = ("a", "mle", "b", "c", "d", "constant", "recipe")


def write_run(folder, *, algorithm, losses, validity, kl, sweep=({},), seeds=2):
    """Writes the files of a finished run."""
    folder.mkdir(parents=True)
    config = parts(num_seeds=2, num_variant_seeds=2, num_steps=60)["a"].config
    config = files.self_contained(run_config.parse(config)).to_dict() | {"algorithm": {"name": algorithm, "width": 3}}
    write_json(folder / "config.json", config)
    replicas = seeds * len(sweep)
    rows = [{"step": step, "validity": [step / 100] * replicas} | losses(step, replicas) for step in range(10, 101, 10)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    metrics = {
        "validity": validity,
        "kl_data_model": kl,
        "total_variation": [0.25] * replicas,
        "distinct_strings": [7.0] * replicas,
    }
    baseline = {"num_strings": 5.0, "validity": 1.0, "kl_data_model": None, "total_variation": 0.1}
    summary = metrics | {
        "seeds": list(range(seeds)) * len(sweep),
        "points": [point for point in range(len(sweep)) for _ in range(seeds)],
        "sweep": list(sweep),
        "steps": 100,
        "task": "grammar arithmetic",
        "algorithm": algorithm,
        "validity_method": "enumeration",
        "latent_draws": 0,
        "num_samples": 3,
        "num_compared": 0,
        "heldout": "test",
        "image_shape": None,
        "training_set": baseline,
        "sampling_floor": baseline,
        "wall_seconds": 12.3,
        "backend": "cpu",
        "hardware": "cpu, 2 cores",
        "date": "2026-11-23",
        "versions": {"jax": "1"},
        "samples_valid": [[True, False, True]] * len(sweep),
    }
    write_json(folder / "summary.json", summary)
    (folder / "samples.txt").write_text("".join(f"{sample}\n" for sample in ["x", "<b>x", "x+x"] * replicas))
    return folder


def with_summary(run, **changes):
    return run._replace(summary=dataclasses.replace(run.summary, **changes))


def with_metrics(run, **metrics):
    return with_summary(run, metrics=run.summary.metrics | metrics)


def crossing(step, replicas):
    return {"generator_loss": [1 - step / 100] * replicas, "discriminator_loss": [step / 100] * replicas}


@pytest.fixture
def runs(tmp_path):
    gan = write_run(tmp_path / "gan", algorithm="gan", losses=crossing, validity=[0.9, 0.3], kl=[1.0, 3.0])
    other = write_run(
        tmp_path / "other",
        algorithm="other",
        losses=lambda step, replicas: {"some_loss": [1.0] * replicas},
        validity=[0.9, 0.8, 0.7, 0.6],
        kl=[None, 0.5, 0.25, 0.125],
        sweep=({"algorithm.rate": "constant(1.0)"}, {"algorithm.rate": "constant(2.0)"}),
    )
    return read_runs([gan, other], num_samples=2)


def test_a_sweep_is_read_as_a_run_a_point(runs):
    assert [each.label for each in runs] == ["gan", "other, rate=constant(1.0)", "other, rate=constant(2.0)"]
    assert [each.replicas for each in runs] == [[0, 1], [0, 1], [2, 3]]
    np.testing.assert_array_equal(runs[1].final("kl_data_model"), [np.inf, 0.5])
    np.testing.assert_array_equal(runs[2].final("validity"), [0.7, 0.6])
    assert runs[0].curve("generator_loss").shape == (10, 2)
    assert (runs[2].samples, runs[2].valid) == (["x", "<b>x"], [True, False])
    differing = differing_settings(runs)
    assert schedule_text.canonical("cosine(1e-3,5e-5)") == schedule_text.canonical("cosine(0.001, 5e-05)")
    assert [schedule_text.canonical(value) for value in ("S -> 'x'", "none", 3)] == ["S -> 'x'", "none", 3]
    assert differing == {
        "algorithm.name": ["gan", "other", "other"],
        "algorithm.rate": [None, "constant(1.0)", "constant(2.0)"],
    }


def test_the_table_holds_bands_failures_and_baselines(runs):
    headers, rows = tables.results_table(runs)
    cells = [dict(zip(headers, row["cells"], strict=True)) for row in rows]
    assert cells[0]["validity"] == ("0.6000", "0.3000–0.9000", "0.6")
    assert [each["failure rate"].text for each in cells[:3]] == ["50%", "0%", "0%"]
    assert cells[1]["KL(data || model) (nats)"] == ("∞", "0.5000–∞", "Infinity")
    assert [row["is_baseline"] for row in rows] == [False] * 3 + [True] * 2
    assert cells[3]["run"].text == "training set of grammar arithmetic, 5 strings"
    assert cells[3]["KL(data || model) (nats)"].text == "∞"


def test_tasks_apart_have_baselines_apart_and_unknown_metrics_are_not_made_up(runs):
    other_task = runs[0]._replace(settings=runs[0].settings | {"task.length_distribution": "grammar"})
    rows = tables.results_table([runs[0], other_task])[1]
    assert [row["cells"][0].text for row in rows[2:]] == [
        f"{label} of grammar arithmetic, length_distribution {distribution}, 5 strings"
        for distribution in ("uniform", "grammar")
        for label in ("training set", "draws from the true distribution")
    ]
    parsed = with_metrics(runs[0], kl_data_model=[None, None], sampled_validity=[0.5, 0.25])
    parsed = with_summary(parsed, validity_method="parser")
    headers, rows = tables.results_table([parsed])
    cells = dict(zip(headers, rows[0]["cells"], strict=True))
    assert cells["validity"].text == "0.3750"
    assert cells["KL(data || model) (nats)"].text == "–"
    blind = with_summary(with_metrics(runs[0], validity=[None, None]), validity_method=None)
    headers, rows = tables.results_table([blind, runs[0]])
    cells = dict(zip(headers, rows[0]["cells"], strict=True))
    assert (cells["validity"].text, cells["failure rate"].text) == ("–", "–")
    headers, rows = tables.results_table([blind])
    assert headers == ["run", "seeds", "steps", "distinct strings", "seconds"]
    assert [len(row["cells"]) for row in rows] == [len(headers)] * 3
    assert rows[2]["cells"][0].text == "held-out set of grammar arithmetic, 5 strings"


class Page(HTMLParser):
    """Collects the sources and links of a page, and checks that tags are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.sources, self.links = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)
        for name, value in attributes:
            {"src": self.sources, "href": self.links}.get(name, []).append(value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.slow
def test_the_page_needs_no_other_file_and_escapes_what_was_sampled(runs, tmp_path):
    output = tmp_path / "report"
    text = page.write(report.compare(runs, title="A < B"), output).read_text()
    parsed = Page(text)
    assert parsed.open == []
    assert len(parsed.sources) == 2
    assert all(source.startswith("data:image/webp;base64,") for source in parsed.sources)
    assert parsed.links == ["data:,"]
    assert "<title>A &lt; B</title>" in text
    assert "&lt;b&gt;x" in text
    assert "<b>x" not in text
    rows = list(csv.DictReader((output / "results.csv").read_text().splitlines()))
    assert [(row["run"], row["seed"], row["validity"]) for row in rows[:2]] == [
        ("gan", "0", "0.9"),
        ("gan", "1", "0.3"),
    ]
    assert (output / "samples.txt").read_text().split("\n")[1:3] == [
        "✓ x     ✓ x                        ✓ x",
        "✗ <b>x  ✗ <b>x                     ✗ <b>x",
    ]
    for name in ("curves.png", "samples.png"):
        assert (output / name).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def measured(page, tmp_path, width, expression):
    """Returns the value of a JavaScript function body in a browser window, after the page's own script has run."""
    probe = f"""<script>window.addEventListener("load", () => {{
      const found = (() => {{ {expression} }})();
      document.body.textContent = "PROBE" + JSON.stringify(found) + "END";
    }});</script>"""
    probed = tmp_path / "probed.html"
    probed.write_text(page.read_text().replace("</body>", probe + "</body>"))
    chromium = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"]
    arguments = [f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},800", "--dump-dom"]
    shown = subprocess.run([*chromium, *arguments, f"file://{probed}"], capture_output=True, text=True, timeout=120)
    assert shown.returncode == 0
    assert "CONSOLE" not in shown.stderr
    return json.loads(shown.stdout.split("PROBE")[1].split("END")[0])


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
def test_a_browser_shows_the_page_without_complaint(runs, tmp_path):
    file = page.write(report.compare(runs, title="Runs"), tmp_path)
    # A click on a header sorts the rows.
    expression = """
      const headers = [...document.querySelectorAll("thead button")];
      const column = headers.findIndex((header) => header.textContent.startsWith("KL"));
      headers[column].click();
      const images = [...document.images].map((image) => image.naturalWidth > 100);
      const rows = [...document.querySelectorAll("table.sortable tbody tr")];
      const values = rows.map((row) => row.cells[column].dataset.value);
      const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
      return {images, values, wide};"""
    found = measured(file, tmp_path, 390, expression)
    assert found["images"] == [True, True]
    assert found["values"] == ["0.1875", "2.0", "Infinity", "Infinity", "Infinity"]
    assert found["wide"] == 0


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
def test_no_table_is_cut_off_at_1200_pixels(runs, tmp_path):
    """Tables of six runs with long labels, in a window of 1,200 pixels."""
    names = ["uniqueness", "novelty", "ngram_divergence_3", "heldout_nll", "heldout_nll_by_samples"]
    estimate = {"value": 12_345.6, "low": 12_000.0, "high": 13_000.0}
    wide = [
        with_metrics(
            with_summary(
                runs[0]._replace(label=f"professor forcing of characters {number}", caption="a caption of the run"),
                num_compared=1_000,
                intervals={name: [(12_000.0, 13_000.0)] * 2 for name in names},
                training_sample={name: estimate for name in names},
                heldout_sample={name: estimate for name in names},
            ),
            **{name: [12_345.6, 1e31] for name in [*names, "length_total_variation"]},
        )
        for number in range(6)
    ]
    file = page.write(report.compare(wide, title="Runs"), tmp_path)
    expression = """return [...document.querySelectorAll("div.scroll")].filter((each) => each.querySelector("table"))
        .map((each) => each.scrollWidth - each.clientWidth);"""
    assert set(measured(file, tmp_path, 1_200, expression)) == {0}


def test_a_page_is_small_and_its_figures_stand_beside_it_in_full(runs, tmp_path):
    rng = np.random.default_rng(0)

    def draw(path):
        figure = figures.new_figure(20, 8)
        figure.add_subplot().scatter(*rng.normal(size=(2, 5_000)), c=rng.uniform(size=5_000), s=9)
        figure.savefig(path, dpi=120)

    drawn = [report.Figure(f"cloud_{number}", "cloud", "A cloud.", draw) for number in range(4)]
    file = page.write(report.Report("Clouds", [], runs, drawn), tmp_path)
    assert file.stat().st_size < 500_000
    for number in range(4):
        assert (tmp_path / f"cloud_{number}.png").stat().st_size > 100_000
        assert f"cloud_{number}.png" in file.read_text()


def test_seeds_that_diverged_are_named(runs, tmp_path):
    found = [with_summary(run, diverged=[None, None, 7, None]) for run in runs[1:]]
    text = page.write(report.compare(found, title="Runs"), tmp_path).read_text()
    assert text.count("that diverged") == 1
    named = (
        "Seeds of other, rate=constant(2.0) that diverged, whose figures are of their last finite state: 0 at step 7."
    )
    assert named in text
    console = Console(width=100)
    with console.capture() as capture:
        terminal.print_summary(console, found[0].summary, found[0].samples)
    assert "Seed 0, rate=constant(2.0) diverged at step 7" in capture.get()


def test_a_diverged_seed_does_not_widen_the_terminal_s_table(runs):
    diverged = with_metrics(runs[0], kl_data_model=[1e31, 3.0], total_variation=[0.25, None])
    console = Console(width=100)
    with console.capture() as capture:
        terminal.print_summary(console, diverged.summary, diverged.samples)
    lines = capture.get().split("\n")
    (kl,) = [line for line in lines if "KL(data || model) (nats)" in line]
    assert "3.0000–1e+31" in kl
    assert "…" not in capture.get()
    assert "  ✗ <b>x" in lines


def test_a_run_without_rows_of_metrics_has_no_curves(runs, tmp_path):
    curves.draw_run([], runs[0].summary, tmp_path / "curves.png")
    assert not (tmp_path / "curves.png").exists()
    curves.draw_comparison([runs[0]._replace(rows=[]), runs[1]], tmp_path / "compared.png")
    assert (tmp_path / "compared.png").exists()


def test_the_terminal_shows_strings_that_look_like_markup_or_emoji_as_they_are(runs, capsys):
    strings = ["[C][/C]", "[nH]:o:"]
    summary = dataclasses.replace(runs[0].summary, task="mine [/x]", samples_valid=[[True, False]])
    terminal.print_summary(cli.screen(), summary, strings)
    output = capsys.readouterr().out
    assert "mine [/x]: " in output
    assert "    [C][/C]\n  ✗ [nH]:o:\n" in output


@pytest.mark.parametrize(
    ("losses", "outcome"),
    [(crossing, "holds"), (lambda step, replicas: {n: [1.0] * replicas for n in crossing(1, 1)}, "does not hold")],
)
def test_the_verdict_is_that_of_the_numbers(tmp_path, losses, outcome):
    same = {"losses": losses, "validity": [0.9] * 4, "kl": [1.0] * 4, "seeds": 4}
    folders = [write_run(tmp_path / name, algorithm="gan", **same) for name in STUDY]
    runs = dict(zip(STUDY, read_runs(folders, num_samples=1), strict=True))
    statements = verdict(runs)
    assert statements[0].outcome == outcome
    assert {each.outcome for each in statements[1:]} == {"no difference seen"}

    def compared(a, b):
        """Returns the statement on (b) against (a) for the given total variations."""
        changed = {
            name: with_metrics(runs[name]._replace(replicas=list(range(len(values)))), total_variation=values)
            for name, values in (("a", a), ("b", b))
        }
        return verdict(runs | changed)[2]

    worse = compared([0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, None])
    assert worse.outcome == "worse"
    assert "total variation 0.6500 (0.5000–∞) against 0.2500 (0.1000–0.4000)" in worse.evidence
    assert compared([0.5, 0.6, 0.7, 0.8], [0.1, 0.2, 0.3, 0.4]).outcome == "better"
    assert compared([0.95, 0.96, 0.97, 0.98], [1.0, 1.0, 1.0, 1.0]).outcome == "both fail"
    assert compared([0.1, 0.2, 0.3], [0.4, 0.5, 0.6]).outcome == "too few seeds to tell"


def test_the_paper_s_variants_differ_as_the_paper_says():
    plain = paper.get_config("a").algorithm.to_dict()
    differences = {
        name: {key: value for key, value in paper.get_config(name).algorithm.to_dict().items() if value != plain[key]}
        for name in ("b", "c", "d", "constant")
    }
    assert differences == {
        "b": {"num_generated": 1_000},
        "c": {"temperature": "constant(1.0)", "feedback": {"gradient": True, "temperature": "linear(5.0, 1.0)"}},
        "d": {"generator": plain["generator"] | {"latent": "hidden"}},
        "constant": {"temperature": "constant(1.0)"},
    }
    for name in paper.VARIANTS:
        build.build(run_config.parse(paper.get_config(name)))
    config = paper.get_config("a")
    config.algorithm.discriminator_optimizer.learning_rate = "constant(1e-4)"
    assert config.algorithm.generator_optimizer.learning_rate == "constant(1e-3)"
    with pytest.raises(ValueError, match="variant must be one of a, b, c, d, constant, mle; got 'e'"):
        paper.get_config("e")


def test_reports_of_bad_folders_are_one_line(tmp_path):
    old = write_run(tmp_path / "old", algorithm="gan", losses=crossing, validity=[1.0] * 2, kl=[1.0] * 2)
    summary = json.loads((old / "summary.json").read_text())
    del summary["training_set"]
    write_json(old / "summary.json", summary)
    for flags, message in (
        ((f"--workdirs={tmp_path}/none", f"--output={tmp_path}/out"), "error: --workdirs must hold a run, got"),
        (
            (f"--workdirs={old}", f"--output={tmp_path}/out"),
            f"error: {str(old)!r}: summary.json must hold 'training_set'",
        ),
        ((f"--workdirs={old}", f"--output={old}"), "error: --output must not be the folder of a run, got"),
        (("--workdirs=", f"--output={tmp_path}/out"), "error: --workdirs must name at least one folder, got none"),
        (("--workdirs=a/run,b/run", f"--output={tmp_path}/out"), "error: --workdirs must end in different names"),
        (("--workdirs=a", "--output=/proc/report"), "error: "),
    ):
        status, _, errors = run("report", *flags)
        assert (status, errors.count("\n")) == (1, 1)
        assert errors.startswith(message)
    assert not (tmp_path / "out").exists()


def test_a_sweep_is_reported_by_its_points(tmp_path):
    folder = ROOT / "tests" / "fixtures" / "run"
    status, output, errors = run("report", f"--workdirs={folder}", f"--output={tmp_path / 'out'}")
    assert status == 0, errors
    assert output.split() == ["the", "report", "is", "in", str(tmp_path / "out" / "report.html")]
    text = (tmp_path / "out" / "report.html").read_text()
    assert all(f"run, temperature={value}" in text for value in ("0.5", "linear(2.0, 1.0)"))


def test_pictures_are_drawn_as_such(runs, tmp_path):
    pictures = ["0120", "2001", "0000", "1111", "2222"]
    sheet = figures._contact_sheet(pictures, (2, 2))
    assert sheet.shape == (6, 12)
    np.testing.assert_array_equal(sheet[:2, :5], [[0, 1, 0, 2, 0], [2, 0, 0, 0, 1]])
    np.testing.assert_array_equal(sheet[3:5, :2], 2)
    run = with_summary(runs[0]._replace(samples=pictures, valid=None), image_shape=[2, 2])
    figures.draw_samples([run, runs[1]], tmp_path / "samples.png")
    assert (tmp_path / "samples.png").stat().st_size > 1_000


def test_the_study_trains_what_is_missing_goes_on_and_skips_what_is_there(tmp_path):
    part = parts(num_seeds=2, num_variant_seeds=3, num_steps=60)["b"]
    folder = RunDirectory(tmp_path / "b")
    fresh = command(folder, part)
    assert fresh[1:4] == ["-m", "experiments.train", f"--workdir={tmp_path / 'b'}"]
    assert fresh[4:] == [
        "--config=experiments/configs/paper.py:b",
        "--config.num_seeds=3",
        "--config.num_steps=60",
    ]
    folder.start(files.self_contained(run_config.parse(part.config)), overwrite=False)
    assert command(folder, part)[4:] == ["--resume"]
    folder.summary.write_text("{}")
    assert command(folder, part) == []
    other = parts(num_seeds=2, num_variant_seeds=4, num_steps=60)["b"]
    with pytest.raises(ValueError, match=r"--workdir must be empty or hold this very study.* another num_seeds, 3"):
        command(folder, other)
    old = folder.read_config().to_dict()
    del old["algorithm"]["score_weight"]
    write_json(folder.config, old)
    with pytest.raises(ValueError, match=r"has another algorithm\.score_weight, None"):
        command(folder, part)


def test_the_study_s_parts_have_their_seeds_and_steps():
    found = parts(num_seeds=8, num_variant_seeds=4, num_steps=20_000)
    assert {name: part.config.num_seeds for name, part in found.items()} == {
        "a": 8, "mle": 8, "recipe": 8, "b": 4, "c": 4, "d": 4, "constant": 4
    }  # fmt: skip
    steps = {part.config.num_steps for name, part in found.items() if name != "recipe"}
    assert steps == {20_000}
    assert found["recipe"].config.to_dict() == arithmetic.get_config("wide").to_dict() | {"num_seeds": 8}


def test_professor_forcing_s_study_gives_likelihood_as_many_steps_or_as_much_time():
    tasks = "digits,characters,words"
    found = lamb2016.parts(tasks=tasks, num_seeds=8, num_text_seeds=4, num_steps=60, files="a.txt")
    assert {part.config.num_seeds for name, part in found.items() if name.startswith("digits")} == {8}
    assert {part.config.num_seeds for name, part in found.items() if not name.startswith("digits")} == {4}
    assert {part.config.num_steps for name, part in found.items() if not name.endswith("longer")} == {60}
    assert found["characters_longer"].config.num_steps == 5 * 60
    assert found["digits_longer"].config.num_steps == 8 * 60
    assert found["words_likelihood"].changes == ("num_seeds", "num_steps", "task.files")
    digits = lamb2016.parts(tasks=tasks, num_seeds=8, num_text_seeds=4, num_steps=60, files="")
    assert {name.partition("_")[0] for name in digits} == {"digits"}
    for part in digits.values():
        build.build(run_config.parse(part.config))


def test_professor_forcing_s_study_on_little_data_reports_the_best_state_of_every_method():
    given = {"num_seeds": 8, "num_text_seeds": 4, "num_steps": 2_000}
    found = lamb2016.parts(tasks="pixels,chorales", files="", **given)
    assert list(found) == [f"{task}_{name}" for task in ("pixels", "chorales") for name in METHODS]
    for name, part in found.items():
        assert part.config.num_steps == (8_000 if name.endswith("longer") else 1_000)
        assert (part.config.summarized, part.config.patience) == ("best", part.config.num_steps // 5)
        run_config.parse(part.config)
    shorter = lamb2016.parts(tasks="pixels", files="", **(given | {"num_steps": 1_000}))["pixels_weak"]
    assert (shorter.config.num_steps, shorter.config.patience) == (500, 100)
    assert shorter.changes == ("num_seeds", "num_steps", "patience")
    assert found["chorales_weak"].file == "experiments/configs/professor_forcing_long.py:weak,chorales"
    algorithms = [found[f"{task}_weak"].config.algorithm for task in ("pixels", "chorales")]
    assert algorithms == [professor_forcing.get_config("weak,digits").algorithm] * 2  # not tuned anew
    with pytest.raises(ValueError, match=r"^--tasks must be one of .*did you mean 'pixels'"):
        lamb2016.parts(tasks="pixel", files="", **given)
    with pytest.raises(ValueError, match=r"^--files must name a text for --tasks=words, got ''"):
        lamb2016.parts(tasks="words", files="", **given)


def test_professor_forcing_s_study_of_a_short_text_has_all_seeds_and_reads_the_text_in_order():
    found = lamb2016.parts(tasks="text", files="a.txt", num_seeds=8, num_text_seeds=4, num_steps=2_000)
    assert list(found) == [f"text_{name}" for name in METHODS]
    for part in found.values():
        assert (part.config.num_seeds, part.config.task.files, part.config.task.in_order) == (8, "a.txt", True)
        assert part.changes == ("num_seeds", "num_steps", "patience", "task.files")


def test_the_time_of_a_step_leaves_out_compilation(runs):
    def timed(*seconds):
        rows = [{"step": 10 * number, "wall_seconds": each} for number, each in enumerate(seconds, 1)]
        return runs[0]._replace(rows=rows).seconds_per_step()

    # Chunks of 1, 3 and 2 seconds follow the first chunk.
    assert timed(30.0, 31.0, 34.0, 36.0) == pytest.approx(0.2)
    assert timed(30.0) == 3.0


def test_professor_forcing_s_verdict_compares_what_was_measured(runs):
    def run_of(nll, accuracy, heldout):
        changed = runs[0]._replace(
            rows=[{"step": step, "wall_seconds": step / 10} for step in (10, 20)], label="it", replicas=[0, 1, 2, 3]
        )
        return with_metrics(
            changed,
            heldout_nll=nll,
            bits_per_symbol=nll,
            dynamics_accuracy=[accuracy] * 4,
            dynamics_excess=[accuracy - each for each in heldout],
        )

    # The accuracies are equal. The outcome depends on the accuracy minus the accuracy between two held-out sets.
    ours = run_of([1.0, 1.1, 1.2, 1.3], 0.6, [0.60, 0.59, 0.58, 0.57])
    theirs = run_of([2.0, 2.1, 2.2, 2.3], 0.6, [0.50, 0.49, 0.48, 0.47])
    likelihood, dynamics = lamb2016.verdict({"digits_professor": ours, "digits_likelihood": theirs})
    assert (likelihood.claim, dynamics.claim) == tuple(
        f"{what}: it, against likelihood" for what in ("Likelihood", "Dynamics")
    )
    assert (likelihood.outcome, dynamics.outcome) == ("better", "better")
    assert "training took 2 s against 2 s" in likelihood.evidence
    assert "difference of means -1 (95 % -1.2" in likelihood.evidence
    at_the_floor = run_of([1.0] * 4, 0.5, [0.5] * 4)
    nearby = run_of([1.0] * 4, 0.5, [0.49, 0.5, 0.5, 0.51])
    (_, hopeless) = lamb2016.verdict({"digits_professor": nearby, "digits_scheduled": at_the_floor})
    assert hopeless.outcome == "nothing left to gain"
    (_, harmful) = lamb2016.verdict({"digits_professor": theirs, "digits_scheduled": at_the_floor})
    assert harmful.outcome == "worse"
    assert "would be seen with a probability of 0.8" in harmful.evidence


def test_professor_forcing_s_report_has_the_command_and_the_figures_of_its_tasks(runs):
    rows = [row | {"wall_seconds": row["step"] / 10} for row in runs[0].rows]
    timed = with_metrics(runs[0]._replace(rows=rows), heldout_nll=[1.0, 2.0], bits_per_symbol=[1.0, 2.0])
    report = lamb2016.report({"chorales_weak": timed, "chorales_likelihood": timed})
    assert report.introduction[-1] == "python -m experiments.study lamb2016 --workdir=DIR --tasks=chorales"
    assert {figure.name.rpartition("_")[2] for figure in report.figures} == {"chorales"}
    padded = with_metrics(timed, heldout_nll=[1.0, 2.0])
    del padded.summary.metrics["bits_per_symbol"]
    assert lamb2016.verdict({"melodies_weak": padded, "melodies_likelihood": padded})
    report = lamb2016.report({"digits_weak": timed, "words_professor": timed})
    assert report.introduction[-1].endswith(" --files=TEXT --tasks=digits,words")


def test_a_study_names_a_missing_file_before_it_trains(tmp_path):
    status, _, errors = run("study", "lamb2016", f"--workdir={tmp_path}/study", f"--files={tmp_path}/none.txt")
    assert (status, errors.count("\n")) == (1, 1)
    assert "none.txt" in errors
    assert not (tmp_path / "study").exists()


def test_studies_are_listed_and_a_misspelt_one_is_named(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["study"])
    study.main()
    output = capsys.readouterr().out
    assert all(f"  {name} " in output for name in ("gradients", "kusner2016", "lamb2016", "networks", "toth2021"))
    monkeypatch.setattr(sys, "argv", ["study", "kusner2015"])
    with pytest.raises(SystemExit):
        study.main()
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert "did you mean 'kusner2016'?" in errors


def test_the_help_of_a_study_describes_its_flags():
    _, output, _ = run("study", "kusner2016", "--help")
    for words in ("--workdir", "--num_seeds", "--num_variant_seeds", "--num_steps", "Hernández-Lobato", "default: '8'"):
        assert words in output
