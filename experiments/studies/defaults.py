"""Compares the defaults of maximum likelihood with the best n-gram model, on data of several kinds.

python -m experiments.study defaults --workdir=DIR [--only=names_200,commands,dna,names] [--files=TEXT]

Each run is the unchanged config `text.py:maximum_likelihood` on a file that this study writes, or `molecules.py`. The
order of the n-gram model is the one with the best likelihood of the validation set.
An interrupted study is resumed.
"""

import filecmp
import functools
import importlib.util
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.config import build
from experiments.config.choices import choose_several
from experiments.configs import molecules, text
from experiments.reports.runs import FinishedRun
from experiments.run.directory import RunDirectory
from experiments.run.texts import PARTIAL, write_lines, write_text
from experiments.studies import study, tables
from experiments.studies.study import Flag, Part
from gumbel_gan import Batch, evaluation, saving
from gumbel_gan.metrics import ngram_model
from gumbel_gan.tasks import Task

FLAGS = (
    Flag("only", "", "Names of the data, separated by commas; '' takes all that are available."),
    Flag("files", "", "A text whose lines are the sequences of the data 'text'; '' leaves 'text' out."),
    Flag("commands", "/usr/bin", "A folder whose file names are the data 'commands'."),
)
_ORDERS = range(1, 13)
_MOST_TESTED, _NUM_DRAWN = 2_000, 1_000
_BACKGROUND_SEED = 0


class Score(NamedTuple):
    """Test results of an n-gram model and of our model.

    Attributes:
      num_train: number of training sequences.
      order: order of the n-gram model.
      ngram: `[N]` negative log-likelihood of each test sequence under the n-gram model, in nats.
      ours: `[N]` negative log-likelihood of each test sequence under our model, in nats.
      ngram_validity: share of valid samples of the n-gram model; None if the task has no validity.
      validity: share of valid samples of our model; None if the task has no validity.
    """

    num_train: int
    order: int
    ngram: np.ndarray
    ours: np.ndarray
    ngram_validity: float | None
    validity: float | None


def first_names() -> list[str]:
    """Returns the first names of the package `names`, in lower case, sorted."""
    import names

    files = (names.FILES[name] for name in ("first:female", "first:male"))
    return sorted({line.split()[0].lower() for file in files for line in Path(file).read_text().splitlines()})


def some_names() -> list[str]:
    """Returns 200 of the first names, drawn at random."""
    names = first_names()
    return [names[index] for index in np.random.default_rng(0).permutation(len(names))[:200]]


def dna() -> list[str]:
    """Returns 1,000 promoter-like strings of 60 letters: up to two motifs at random places of an order-2 background."""
    rng = np.random.default_rng(_BACKGROUND_SEED)
    background = rng.dirichlet([2] * 4, size=(4, 4))
    found = []
    for _ in range(1_000):
        bases = [0, 1]
        while len(bases) < 62:
            bases.append(rng.choice(4, p=background[bases[-2], bases[-1]]))
        letters = ["ACGT"[base] for base in bases[2:]]
        start = int(rng.integers(10, 20))
        letters[start : start + 6] = "TATAAT"
        if rng.random() < 0.8:
            letters[start + 23 : start + 29] = "AGGAGG"
        found.append("".join(letters))
    return found


DATA = MappingProxyType(
    {
        "names_200": "200 first names",
        "commands": "names of commands",
        "dna": "strings of 60 bases",
        "names": "first names",
        "text": "lines of a text",
        "molecules": "molecules of up to 25 characters",
    }
)


def measure(workdir: Path, *, only: str, files: str, commands: str) -> Path:
    """Trains the runs that are not trained yet, writes and prints the table, and returns its path.

    Args:
      workdir: the folder of the study.
      only: names of `DATA`, separated by commas; '' for all that are available.
      files: path of a text; '' for none.
      commands: path of a folder of commands.

    Raises:
      ValueError: `only` has an unknown name, or `files` or `commands` cannot be read.
    """
    study_parts = parts(workdir, only=only, files=files, commands=commands)
    runs = study.run(study_parts, workdir)
    return tables.write(table({name: (run, score(name, workdir / name)) for name, run in runs.items()}), workdir)


def parts(workdir: Path, *, only: str, files: str, commands: str) -> dict[str, Part]:
    """Writes the data files, and returns the runs by the names of their data; the arguments are those of `measure`.

    Raises:
      ValueError: `only` has an unknown name, `files` or `commands` does not exist, or the study has other data.
    """
    is_there = {"text": bool(files), "molecules": importlib.util.find_spec("moses") is not None}
    available = [name for name in DATA if is_there.get(name, True)]
    chosen = choose_several(only, DATA, "--only") if only else available
    if "text" in chosen:
        _copy_text(workdir / "data" / "text.txt", files)
    if "commands" in chosen:
        _write_commands(workdir / "data" / "commands.txt", commands)
    sources: dict[str, Callable[[], Sequence[str]]] = {"names_200": some_names, "dna": dna, "names": first_names}
    found = {}
    for name in chosen:
        if name == "molecules":
            found[name] = Part(DATA[name], name, "experiments/configs/molecules.py", molecules.get_config(), ())
            continue
        file = workdir / "data" / f"{name}.txt"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_lines(file, sources[name]())
        config = text.get_config("maximum_likelihood")
        config.task.files = str(file)
        found[name] = Part(DATA[name], name, "experiments/configs/text.py:maximum_likelihood", config, ("task.files",))
    return found


def _copy_text(file: Path, text: str) -> None:
    """Copies the text of --files, unless it is copied already."""
    if not Path(text).is_file():
        raise ValueError(f"--files must name a text for the data 'text', got {text!r}")
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(file.name + PARTIAL)
        shutil.copyfile(text, partial)
        partial.replace(file)
    elif not filecmp.cmp(text, file, shallow=False):
        raise ValueError(f"--files must be the text that this study was begun with, a copy of which is {file}")


def _write_commands(file: Path, folder: str) -> None:
    """Writes the path of the folder of --commands and the file names in it, unless they are written already."""
    if not Path(folder).is_dir():
        raise ValueError(f"--commands must be a folder, got {folder!r}")
    source, resolved = file.with_name("commands_folder.txt"), str(Path(folder).resolve())
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(source, resolved)
        write_lines(file, sorted(path.name for path in Path(folder).iterdir()))
    # A study of an older version did not write the path.
    elif source.exists() and (before := source.read_text(encoding="utf-8")) != resolved:
        raise ValueError(f"--commands must be the folder that this study was begun with, {before!r}, got {folder!r}")


def score(name: str, folder: Path) -> Score:
    """Scores the model of a finished run, and the best n-gram model of its training set, on the same sequences.

    Args:
      name: name of the data. The test sequences of 'names_200' are up to 2,000 other first names that the model can
        generate.
      folder: folder of the run.
    """
    run = RunDirectory(folder)
    task = build.make_task(run.with_kept(run.read_config()))
    tested = task.test.tokens[:_MOST_TESTED]
    if name == "names_200":
        others = _writable(task, set(first_names()) - set(some_names()))
        chosen = np.random.default_rng(0).permutation(len(others))[:_MOST_TESTED]
        tested = task.encode([others[index] for index in chosen])
    train, validation, test = map(task.sequences, (task.train.tokens, task.validation.tokens, tested))
    order, model = best_ngram(train, validation, task.num_symbols)
    ngram = ngram_model.negative_log_likelihood(model, test)
    _, ours, params, _ = saving.load(run.best_model)
    nll = jax.jit(evaluation.negative_log_likelihoods(ours, Batch(tested)))(params)
    found = Score(len(train), order, ngram, np.asarray(nll), None, None)
    if task.is_valid is None:
        return found
    symbols = task.symbols
    drawn = ["".join(symbols[token] for token in each) for each in draw(model, _NUM_DRAWN, len(symbols), task.length)]
    return found._replace(
        ngram_validity=float(np.mean([task.is_valid(string) for string in drawn])),
        validity=float(run.read_summary()["sampled_validity"][0]),
    )


def best_ngram(
    train: Sequence[tuple[int, ...]], validation: Sequence[tuple[int, ...]], num_symbols: int
) -> tuple[int, Any]:
    """Returns the order and the n-gram model with the best likelihood of the validation sequences."""
    models = {}
    nll: dict[int, float] = {}
    for order in _ORDERS:
        models[order] = ngram_model.fit_ngram_model(train, order, num_symbols)
        nll[order] = float(ngram_model.negative_log_likelihood(models[order], validation).mean())
        if nll[order] > min(nll.values()):
            break
    best = min(nll, key=nll.__getitem__)
    return best, models[best]


def draw(model: Any, num: int, num_symbols: int, length: int) -> list[tuple[int, ...]]:
    """Draws sequences from an n-gram model of `fit_ngram_model`; longer sequences are cut to `length` symbols.

    Args:
      model: the n-gram model.
      num: number of sequences.
      num_symbols: K, the size of the vocabulary.
      length: the largest number of symbols of a sequence.
    """
    rng = np.random.default_rng(0)
    words = [*map(str, range(num_symbols)), ngram_model.END]

    @functools.cache
    def cumulated(context: tuple[str, ...]) -> np.ndarray:
        return np.cumsum([model.unmasked_score(word, context) for word in words])

    found = []
    for _ in range(num):
        written: list[int] = []
        past = (ngram_model.START,) * (model.order - 1)
        while len(written) < length:
            sums = cumulated(past[len(past) - model.order + 1 :])
            chosen = min(int(np.searchsorted(sums, rng.random() * sums[-1], side="right")), num_symbols)
            if chosen == num_symbols:
                break
            written.append(chosen)
            past = (*past, words[chosen])
        found.append(tuple(written))
    return found


def table(scores: Mapping[str, tuple[FinishedRun, Score]]) -> str:
    """Returns the table in Markdown.

    Args:
      scores: the runs with their scores, by the names of their data.
    """
    first, _ = next(iter(scores.values()))
    lines = [
        "Negative log-likelihood of test sequences in nats: of the best n-gram model, its order chosen by the "
        "validation set, and of the default of likelihood, with the mean difference and its standard error; and the "
        f"share of valid samples where it is known. {tables.measured(first.summary)}",
        "",
        "| data | for training | n-gram | default | n-gram less default | valid, n-gram | valid, default | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, (run, found) in scores.items():
        less = found.ngram - found.ours
        error = np.std(less, ddof=1) / np.sqrt(len(less))
        shares = ["" if share is None else f"{share:.3f}" for share in (found.ngram_validity, found.validity)]
        lines.append(
            f"| {DATA[name]} | {found.num_train:,} | {found.ngram.mean():.2f} (n = {found.order}) | "
            f"{found.ours.mean():.2f} | {less.mean():+.2f} ± {error:.2f} | {shares[0]} | {shares[1]} | "
            f"{run.summary.wall_seconds:.0f} |"
        )
    return "\n".join(lines) + "\n"


def _writable(task: Task, strings: Iterable[str]) -> list[str]:
    """Returns the strings that a task can represent, sorted."""
    return sorted(each for each in strings if len(each) < task.length and set(each) <= set(task.symbols))
