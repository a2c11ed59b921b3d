"""Compares Professor Forcing with maximum likelihood, at equal steps and at equal time, and with scheduled sampling.

python -m experiments.professor_forcing --workdir=DIR --files=TEXT [--num_seeds=8] [--num_text_seeds=4]

Goes on where it stopped. Lamb et al. 2016, https://arxiv.org/abs/1610.09038.
"""

from collections.abc import Mapping
from pathlib import Path

from absl import flags

from experiments import console, reporting, study
from experiments.configs import professor_forcing
from experiments.reporting import Report, Statement
from experiments.runs import FinishedRun
from experiments.study import Part

_TASKS = {
    "digits": ("likelihood", "longer", "scheduled", "professor", "weak"),
    "characters": ("likelihood", "longer", "scheduled", "professor", "weak"),
    "words": ("likelihood", "professor"),
}


def parts(*, num_seeds: int, num_text_seeds: int, num_steps: int, files: str) -> dict[str, Part]:
    """Gives the parts of the study, in the order of their training, by the names of their folders.

    Args:
      num_seeds: seeds on digits.
      num_text_seeds: seeds on characters and words.
      num_steps: batches of every method but the one that has as much time as Professor Forcing.
      files: a long text, or several, separated by commas; '' leaves the tasks of text out.
    """
    found = {}
    for task, methods in _TASKS.items():
        if task != "digits" and not files:
            continue
        for name in methods:
            variant = f"{name},{task}"
            config = professor_forcing.get_config(variant)
            config.num_seeds = num_seeds if task == "digits" else num_text_seeds
            config.num_steps = num_steps * config.num_steps // professor_forcing.NUM_STEPS
            changes = ["num_seeds", "num_steps"]
            if task != "digits":
                config.task.files = files
                changes.append("task.files")
            file = f"experiments/configs/professor_forcing.py:{variant}"
            found[f"{task}_{name}"] = Part(
                f"{name}, {task}", professor_forcing.METHODS[name], file, config, tuple(changes)
            )
    return found


def define_flags() -> None:
    """Defines the flags; not at import, since another study has flags of the same names."""
    flags.DEFINE_string("workdir", None, "Folder for the runs and their report; made if need be.", required=True)
    flags.DEFINE_string("files", "", "A long text, or several, separated by commas; '' for digits alone.")
    flags.DEFINE_integer("num_seeds", 8, "Seeds on digits.", lower_bound=1)
    flags.DEFINE_integer("num_text_seeds", 4, "Seeds on characters and on words.", lower_bound=1)
    flags.DEFINE_integer(
        "num_steps", professor_forcing.NUM_STEPS, "Batches; likelihood at equal time takes as many times more.", 1
    )


def main() -> None:
    """Trains what is not trained yet, and writes the report."""
    values = flags.FLAGS
    workdir = Path(values.workdir)
    runs = study.run(
        parts(
            num_seeds=values.num_seeds,
            num_text_seeds=values.num_text_seeds,
            num_steps=values.num_steps,
            files=values.files,
        ),
        workdir,
    )
    reporting.write(report(runs), workdir)


def report(runs: Mapping[str, FinishedRun]) -> Report:
    """Makes the report of the study.

    Args:
      runs: the runs, by the names of their folders.
    """
    introduction = [
        "Professor Forcing (Lamb et al. 2016, arXiv 1610.09038) beside teacher forcing at equal steps ('likelihood') "
        "and at equal time ('longer'), and beside scheduled sampling: GRUs of the same sizes, data, rates and batches.",
        "Seeds were not selected; weights are averages over the last steps, for every method. The rank tests of the "
        "verdict are not corrected for their number.",
        "python -m experiments.professor_forcing --workdir=DIR --files=TEXT",
    ]
    drawn = []
    for task in _TASKS:
        if of_task := [run for name, run in runs.items() if name.startswith(f"{task}_")]:
            drawn += [
                figure._replace(name=f"{figure.name}_{task}", title=f"{task}: {figure.title}")
                for figure in reporting.compare(of_task, title=task).figures
            ]
    return Report("Professor Forcing and maximum likelihood", introduction, list(runs.values()), drawn, verdict(runs))


def verdict(runs: Mapping[str, FinishedRun]) -> list[Statement]:
    """Says which of the paper's claims hold in these runs, with the numbers.

    Args:
      runs: the runs, by the names of their folders.
    """
    nll, dynamics, long = "heldout_nll", "dynamics_accuracy", "long_ngram_divergence_3"
    claims = (
        ("A regulariser: held-out likelihood of {task}, against likelihood at equal steps", "likelihood", nll),
        ("The same of {task}, at equal time", "longer", nll),
        ("The same of {task}, against scheduled sampling", "scheduled", nll),
        ("Closer dynamics: telling states on {task}, against likelihood at equal steps", "likelihood", dynamics),
        ("Better samples, longer than trained: {task}, against likelihood at equal steps", "likelihood", long),
        ("The same of {task}, at equal time", "longer", long),
        ("The same of {task}, against scheduled sampling", "scheduled", long),
    )
    statements = []
    for task in _TASKS:
        for claim, other, metric in claims:
            ours, theirs = runs.get(f"{task}_professor"), runs.get(f"{task}_{other}")
            if ours is not None and theirs is not None and metric in ours.summary:
                shown = ("bits_per_symbol",) if metric == nll else ()
                statements.append(study.compared(claim.format(task=task), ours, theirs, metric, shown=shown))
    return statements


if __name__ == "__main__":
    define_flags()
    console.run(main)
