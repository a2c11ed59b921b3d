"""Compares Professor Forcing with maximum likelihood, at equal steps and at equal time, and with scheduled sampling.

python -m experiments.study lamb2016 --workdir=DIR --files=TEXT [--num_seeds=8] [--num_text_seeds=4]

Goes on where it stopped. Lamb et al. 2016, https://arxiv.org/abs/1610.09038.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from absl import flags

from experiments.configs import professor_forcing
from experiments.reports import reporting
from experiments.reports.bands import told_apart
from experiments.reports.reporting import Report, Statement
from experiments.reports.runs import FinishedRun
from experiments.studies import study
from experiments.studies.study import Part

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
        "Seeds were not selected; weights are averages over the last steps, for every method. Only the weight of the "
        "adversarial term and the discriminator's rate were tuned, on validation sequences and another seed.",
        "The rank tests of the verdict are not corrected for their number; 'nothing left to gain' says that the "
        "baseline's states are told apart no better than those of two held-out sets.",
        "python -m experiments.study lamb2016 --workdir=DIR --files=TEXT",
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
    """Says what became of the paper's claims in these runs, with the numbers.

    Args:
      runs: the runs, by the names of their folders.
    """
    statements = []
    for task in _TASKS:
        for name in ("professor", "weak"):
            ours = runs.get(f"{task}_{name}")
            for other in ("likelihood", "longer", "scheduled"):
                theirs = runs.get(f"{task}_{other}")
                if ours is not None and theirs is not None:
                    statements += _compared(f"{ours.label}, against {other}", ours, theirs)
    return statements


def _compared(pair: str, ours: FinishedRun, theirs: FinishedRun) -> list[Statement]:
    """Compares two methods by what the paper claims of its own: likelihood, dynamics, samples longer than trained."""
    training = f"training took {_seconds(ours):,.0f} s against {_seconds(theirs):,.0f} s"
    likelihood = study.compared(f"Likelihood: {pair}", ours, theirs, "heldout_nll", shown=("bits_per_symbol",))
    statements = [likelihood._replace(evidence=f"{likelihood.evidence}; {training}")]
    if "dynamics" in ours.summary and "dynamics" in theirs.summary:
        statements.append(_compared_dynamics(f"Dynamics: {pair}", *(_with_excess(run) for run in (ours, theirs))))
    if (drift := "long_ngram_divergence_3") in ours.summary and drift in theirs.summary:
        statements.append(study.compared(f"Samples longer than trained: {pair}", ours, theirs, drift))
    return statements


def _compared_dynamics(claim: str, ours: FinishedRun, theirs: FinishedRun) -> Statement:
    statement = study.compared(claim, ours, theirs, "dynamics_excess", shown=("dynamics_accuracy",))
    if np.median(theirs.final("dynamics_excess")) <= 0:
        # No better than what no method can do better than: nothing can be said for or against the other one.
        return statement._replace(outcome="nothing left to gain")
    return statement


def _with_excess(run: FinishedRun) -> FinishedRun:
    """Adds how far the states read and drawn are told apart above those of two held-out sets, which is no one's fault.

    The same generator reads all of them, so that the two accuracies of a seed belong together.
    """
    after, heldout = (told_apart(run.summary, stage, run.members) for stage in ("after", "heldout"))
    excess = np.zeros(len(run.summary["dynamics"]["after"]["accuracy"]))
    excess[run.members] = after - heldout
    return run._replace(summary=run.summary | {"dynamics_excess": excess.tolist()})


def _seconds(run: FinishedRun) -> float:
    """Gives the seconds of all chunks of steps but the first, which holds the compilation, as of all of them."""
    first, last = run.rows[0], run.rows[-1]
    if last["step"] == first["step"]:
        return last["wall_seconds"]
    return (last["wall_seconds"] - first["wall_seconds"]) * last["step"] / (last["step"] - first["step"])
