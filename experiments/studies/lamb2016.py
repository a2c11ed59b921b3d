"""Compares Professor Forcing (Lamb et al. 2016) with likelihood, at equal steps and time, and scheduled sampling.

python -m experiments.study lamb2016 --workdir=DIR --files=TEXT [--num_seeds=8] [--num_text_seeds=4]
python -m experiments.study lamb2016 --workdir=DIR --tasks=pixels,handwriting,chorales,melodies
python -m experiments.study lamb2016 --workdir=DIR --tasks=text,carried --files=SHORT_TEXT

An interrupted study is resumed. Lamb et al. 2016, https://arxiv.org/abs/1610.09038.
"""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np

from experiments.configs import professor_forcing, professor_forcing_long
from experiments.reports import page
from experiments.reports.report import Report, Statement
from experiments.reports.runs import FinishedRun
from experiments.studies import by_task
from experiments.studies.rank_test import compared
from experiments.studies.study import Flag, Part

_TASKS = {
    "digits": ("likelihood", "longer", "scheduled", "professor", "weak"),
    "characters": ("likelihood", "longer", "scheduled", "professor", "weak"),
    "words": ("likelihood", "professor"),
} | dict.fromkeys(professor_forcing_long.DATA, professor_forcing_long.METHODS)
_SLOW = ("characters", "words")
_OF_TEXT = (*_SLOW, "text", "carried")

FLAGS = (
    Flag("files", "", f"One or more long texts, separated by commas; '' leaves out {', '.join(_OF_TEXT)}."),
    Flag("tasks", "digits,characters,words", f"Tasks, separated by commas: {', '.join(_TASKS)}."),
    Flag("num_seeds", 8, "Number of seeds, except on characters and on words."),
    Flag("num_text_seeds", 4, "Number of seeds on characters and on words."),
    Flag(
        "num_steps",
        professor_forcing.NUM_STEPS,
        "Number of training steps of every method except 'longer', which is longer by the factor of its config; "
        f"half of it on {', '.join(professor_forcing_long.DATA)}.",
    ),
)


def parts(*, tasks: str, num_seeds: int, num_text_seeds: int, num_steps: int, files: str) -> dict[str, Part]:
    """Returns the parts of the study by folder name, in the order of training.

    Args:
      tasks: names of the tasks, separated by commas.
      num_seeds: seeds of each method, except on characters and words.
      num_text_seeds: seeds on characters and words.
      num_steps: training steps of every method but 'longer', which trains for as much time as Professor Forcing; half
        of it on the data of `professor_forcing_long`.
      files: a long text, or several, separated by commas; '' leaves out the tasks of text.

    Raises:
      ValueError: `tasks` names an unknown task, or only tasks of text while there are no files.
    """

    def config_of(task: str, method: str) -> tuple[ModuleType, str]:
        module = professor_forcing_long if task in professor_forcing_long.DATA else professor_forcing
        return module, f"{method},{task}"

    return by_task.parts(
        _TASKS,
        config_of,
        professor_forcing.METHODS,
        tasks=tasks,
        files=files,
        of_text=_OF_TEXT,
        slow=_SLOW,
        num_seeds=num_seeds,
        num_slow_seeds=num_text_seeds,
        num_steps=num_steps,
        usual_steps=professor_forcing.NUM_STEPS,
    )


def write(runs: Mapping[str, FinishedRun], workdir: Path) -> Path:
    """Writes the report of the finished runs, and returns its path."""
    return page.write(report(runs), workdir)


def report(runs: Mapping[str, FinishedRun]) -> Report:
    """Builds the report of the study.

    Args:
      runs: the runs, by folder name.
    """
    tasks = by_task.trained(runs, _TASKS)
    introduction = [
        "Professor Forcing (Lamb et al. 2016, arXiv 1610.09038) beside teacher forcing at equal steps ('likelihood') "
        "and for at most as much time ('longer'), and beside scheduled sampling: GRUs of the same sizes, data, rates "
        "and batches.",
        f"On {', '.join(professor_forcing_long.DATA)} the data is small, and every method reports its state of the "
        "best validation likelihood; on the other tasks, the last state.",
        "Seeds were not selected; the weights are averages over the last steps, for every method. Only the weight of "
        "the adversarial term and the discriminator's learning rate were tuned, on validation sequences and another "
        "seed.",
        "The rank tests of the verdict are not corrected for their number. 'nothing left to gain' means that the "
        "teacher-forced and free-running states of the baseline are told apart no better than two held-out sets: the "
        "paper's claim is then not testable at this number of steps.",
        by_task.command("lamb2016", tasks, of_text=_OF_TEXT),
    ]
    title, drawn = "Professor Forcing and maximum likelihood", by_task.figures(runs, tasks)
    return Report(title, introduction, list(runs.values()), drawn, verdict(runs))


def verdict(runs: Mapping[str, FinishedRun]) -> list[Statement]:
    """Returns whether these runs support the paper's claims, with the numbers.

    Args:
      runs: the runs, by folder name.
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
    """Compares two methods by likelihood, hidden states and long samples, which the paper claims to improve."""

    def measured(name: str) -> bool:
        return ours.has(name) and theirs.has(name)

    seconds = [run.seconds_per_step() * run.rows[-1]["step"] for run in (ours, theirs)]
    training = f"training took {seconds[0]:,.0f} s against {seconds[1]:,.0f} s"
    # A task with padding has no bits per symbol.
    shown = ("bits_per_symbol",) if measured("bits_per_symbol") else ()
    likelihood = compared(f"Likelihood: {pair}", ours, theirs, "heldout_nll", shown=shown, with_power=True)
    statements = [likelihood._replace(evidence=f"{likelihood.evidence}; {training}")]
    if measured("carried_nll"):
        claim, shown = f"Likelihood given the text before: {pair}", ("carried_bits_per_symbol",)
        statements.append(compared(claim, ours, theirs, "carried_nll", shown=shown, with_power=True))
    if measured("dynamics_excess"):
        shown = ("dynamics_accuracy",)
        statement = compared(f"Dynamics: {pair}", ours, theirs, "dynamics_excess", shown=shown, with_power=True)
        if statement.outcome != "worse" and np.median(theirs.final("dynamics_excess")) <= 0:
            # The baseline is already at the noise floor, so that the test cannot show an improvement.
            statement = statement._replace(outcome="nothing left to gain")
        statements.append(statement)
    if measured("long_ngram_divergence_3"):
        claim = f"Samples longer than trained: {pair}"
        statements.append(compared(claim, ours, theirs, "long_ngram_divergence_3", with_power=True))
    return statements
