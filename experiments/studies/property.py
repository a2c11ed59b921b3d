"""Compares four ways to raise a property of molecules, from one likelihood run and with equal calls of the property.

python -m experiments.study property --workdir=DIR --init_from=runs/molecules [--function=qed] [--max_calls=10000]
    [--num_seeds=4]

The methods are those of `configs/molecule_property.py`. `init_from` is the folder of a run of `configs/molecules.py`,
whose task and generator all methods use. An interrupted study is resumed.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from experiments.config import build, property_calls
from experiments.config.property_calls import NUM_BEST, mean_of_best
from experiments.config.run_config import RunConfig, flatten
from experiments.config.values import paths
from experiments.configs import molecule_property
from experiments.reports import property_figure
from experiments.reports.runs import FinishedRun
from experiments.run.calls import read_calls
from experiments.run.directory import RunDirectory
from experiments.studies import tables
from experiments.studies.study import Flag, Part
from gumbel_gan.metrics.molecules import moses_metrics
from gumbel_gan.scoring import Score, Scorer

FLAGS = (
    Flag("init_from", "", "Folder of the likelihood run that all methods start from."),
    Flag("function", "qed", "The property: qed, penalized_log_p, or module:function, a function of one string."),
    Flag("max_calls", 10_000, "Maximum number of calls of the property, for each seed."),
    Flag("num_seeds", 4, "Number of seeds of each method."),
)
_FILE = "experiments/configs/molecule_property.py"
_LABELS = {
    "policy_gradient": "policy gradient",
    "feedback": "feedback (FBGAN)",
    "hill_climbing": "likelihood, hill climbing",
    "rejection": "likelihood, rejection",
}
_NUM_POINTS = 60
_MOST_JUDGED = 1_000
_NUM_WORKERS = 2
# Titles of the columns of the table; all but the first are metrics of `moses_metrics`.
_COLUMNS = {
    "property": "property",
    "valid": "valid",
    "unique@1000": "unique",
    "novelty": "novel",
    "internal_diversity_1": "diversity",
}


def parts(*, init_from: str, function: str, max_calls: int, num_seeds: int) -> dict[str, Part]:
    """Returns the runs, one for each method, by folder name.

    Raises:
      ValueError: `init_from` is not the folder of a run.
    """
    if not init_from:
        raise ValueError("--init_from must name the folder of a likelihood run of experiments/configs/molecules.py")
    source = RunDirectory(init_from, "--init_from")
    stored = source.with_kept(source.read_config())
    found = {}
    for method, label in _LABELS.items():
        config = molecule_property.get_config(method)
        known = flatten(config.to_dict())
        settings: dict[str, object] = {
            "num_seeds": num_seeds,
            "init_from": str(Path(init_from).resolve()),
            "property.function": function,
            "property.max_calls": max_calls,
            **_of_source(stored, known),
        }
        if config.property.renewal == "replace_worst":
            # Sequences that are scored first: a tenth of the calls.
            settings["property.num_kept"] = max(config.batch_size, max_calls // 10)
        config.update_from_flattened_dict(settings)
        file = f"{_FILE}:{method}"
        found[method] = Part(label, f"{max_calls:,} calls of {function}", file, config, tuple(settings))
    return found


def _of_source(stored: RunConfig, known: Mapping[str, object]) -> dict[str, object]:
    """Returns the settings of a run's task and generator that differ from those of a config."""
    flat = flatten(stored.to_dict())
    if "files" in stored.task.settings:
        flat["task.files"] = ",".join(paths(stored.task.settings["files"], "config.task.files"))
    ours = ("task.", "algorithm.generator.")
    return {
        name: value for name, value in flat.items() if name.startswith(ours) and name in known and known[name] != value
    }


def write(runs: Mapping[str, FinishedRun], workdir: Path) -> Path:
    """Draws the figure, writes and prints the table of the finished runs, and returns the table's path."""
    best, fresh, rows = {}, {}, {}
    config = RunDirectory(workdir / next(iter(runs))).read_config()
    task = build.make_task(RunDirectory(workdir / next(iter(runs))).with_kept(config))
    train = frozenset(task.decode(task.train.tokens))
    grid = np.linspace(0, config.property["max_calls"], _NUM_POINTS + 1)[1:]
    for name, run in runs.items():
        directory = RunDirectory(workdir / name)
        asked = [_scores(directory, replica) for replica in run.replicas]
        best[run.label] = np.stack([_best_so_far(each, grid) for each in asked], axis=1)
        fresh[run.label] = _of_samples(run, grid)
        samples = directory.read_samples()
        num = run.summary.num_samples
        drawn = [samples[replica * num :][: min(num, _MOST_JUDGED)] for replica in run.replicas]
        scorer = _scorer(directory.read_config(), task.is_valid, asked)
        found = [list(_top(each)) for each in asked]
        rows[run.label] = [_judge(sets, scorer, train) for sets in (found, drawn)]
        scorer.close()
    panels = {f"mean of the best {NUM_BEST} so far": best, "mean of the samples scored at the time": fresh}
    property_figure.draw_property(grid, panels, workdir / "property.png")
    return tables.write(table(runs, rows, max_calls=config.property["max_calls"]), workdir)


def table(
    runs: Mapping[str, FinishedRun], rows: Mapping[str, Sequence[Mapping[str, np.ndarray]]], *, max_calls: int
) -> str:
    """Returns the table in Markdown.

    Args:
      runs: the runs.
      rows: by label of the method, the results of its best molecules and those of its samples: for each of `_COLUMNS`,
        the values of the seeds.
      max_calls: number of property calls to which each seed of each method is cut.
    """
    summary = next(iter(runs.values())).summary
    function = (summary.calls or {})["function"]
    lines = [
        f"{tables.seeds(summary)}, {max_calls:,} calls of {function} each; median (least … "
        f"greatest). Best: the {_MOST_JUDGED:,} best strings that a method asked the property of. Samples: "
        f"{_MOST_JUDGED:,} of its last generator, whose scores do not count as calls; strings that are not valid count "
        "as the worst. Unique and novel are shares of valid molecules; diversity is 1 - the mean similarity of two. "
        f"{tables.measured(summary)}",
        "",
        f"| method | of | {' | '.join(_COLUMNS.values())} | seconds |",
        f"|---|---|{'---|' * (len(_COLUMNS) + 1)}",
    ]
    for run in runs.values():
        for kind, found in zip(("best", "samples"), rows[run.label], strict=True):
            cells = " | ".join(tables.spread(found[name], 3) for name in _COLUMNS)
            lines.append(f"| {run.label} | {kind} | {cells} | {run.summary.wall_seconds:.0f} |")
    return "\n".join(lines) + "\n"


def _scores(directory: RunDirectory, replica: int) -> dict[str, Score]:
    """Returns the scores of a seed's calls by string, in order, up to the number that all methods share."""
    most = directory.read_config().property["max_calls"]
    own = [call for call in read_calls(directory) if call.replica == replica]
    return {call.string: call.score for call in own[:most]}


def _best_so_far(asked: Mapping[str, Score], grid: np.ndarray) -> np.ndarray:
    """Returns the mean of the best scores after each number of calls; NaN after the last call."""
    values = [score.value for score in asked.values()]
    return np.array([mean_of_best(values[: int(num)]) if num <= len(values) else np.nan for num in grid])


def _of_samples(run: FinishedRun, grid: np.ndarray) -> np.ndarray:
    """Returns `[P, S]` mean scores: of the samples of the chunk in which each number of calls was reached."""
    calls, means = run.curve("property_calls"), run.curve("property")
    columns = []
    for own_calls, own in zip(calls.T, means.T, strict=True):
        rows = np.searchsorted(own_calls, grid)
        reached = rows < len(own)
        columns.append(np.where(reached, own[np.minimum(rows, len(own) - 1)], np.nan))
    return np.stack(columns, axis=1)


def _top(asked: Mapping[str, Score]) -> Sequence[str]:
    """Returns the strings with the best scores."""
    return sorted(asked, key=lambda string: -asked[string].value)[:_MOST_JUDGED]


def _scorer(config: RunConfig, is_valid: Callable[[str], bool] | None, asked: Sequence[Mapping[str, Score]]) -> Scorer:
    """Returns the scorer of a run, with the scores that the run has computed."""
    settings = property_calls.settings(**config.property)
    assert settings is not None
    scorer = property_calls.scorer(settings._replace(num_workers=max(settings.num_workers, 1)), is_valid)
    for each in asked:
        for string, score in each.items():
            scorer.record(string, score)
    return scorer


def _judge(sets: Sequence[Sequence[str]], scorer: Scorer, train: frozenset[str]) -> dict[str, np.ndarray]:
    """Returns for each of `_COLUMNS` the values of all seeds; NaN if there are fewer than two valid molecules."""
    rows = [
        {
            "property": float(np.mean(scorer(strings))),
            **moses_metrics(strings, train=train, with_filters=False, num_workers=_NUM_WORKERS),
        }
        for strings in sets
    ]
    return {name: np.array([row.get(name, np.nan) for row in rows]) for name in _COLUMNS}
