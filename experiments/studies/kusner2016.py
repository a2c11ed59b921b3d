"""Redraws the paper's figures with bands over seeds: trains its variants and its baseline, and compares them.

python -m experiments.study kusner2016 --workdir=DIR [--num_seeds=8] [--num_variant_seeds=4] [--num_steps=20000]

Goes on where it stopped. Kusner & Hernández-Lobato 2016, https://arxiv.org/abs/1611.04051.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from absl import flags

from experiments.configs import arithmetic, paper
from experiments.reports import reporting
from experiments.reports.reporting import Report, Statement
from experiments.reports.runs import FinishedRun
from experiments.studies import study
from experiments.studies.study import Part

# A generator farther than this from the true law in total variation misplaces more than half of its mass.
_LOST = 0.5


def parts(*, num_seeds: int, num_variant_seeds: int, num_steps: int) -> dict[str, Part]:
    """Gives the parts of the study, in the order of their training, by the names of their folders.

    Args:
      num_seeds: seeds of (a), of maximum likelihood and of our recipe.
      num_variant_seeds: seeds of the others.
      num_steps: mini-batches; our recipe takes its own number at most.
    """
    found = {}
    for name in ("a", "mle", "b", "c", "d", "constant"):
        label = {"mle": "maximum likelihood", "constant": "(a), not annealed"}.get(name, f"({name})")
        file = f"experiments/configs/paper.py:{name}"
        found[name] = Part(label, paper.VARIANTS[name], file, paper.get_config(name))
    recipe = arithmetic.get_config()
    found["recipe"] = Part("our recipe", "configs/arithmetic.py", "experiments/configs/arithmetic.py", recipe)
    for name, part in found.items():
        part.config.num_seeds = num_seeds if name in ("a", "mle", "recipe") else num_variant_seeds
        part.config.num_steps = min(num_steps, part.config.num_steps) if name == "recipe" else num_steps
    return found


def define_flags() -> None:
    """Defines the flags; not at import, since another study has flags of the same names."""
    flags.DEFINE_string("workdir", None, "Folder for the runs and their report; made if need be.", required=True)
    flags.DEFINE_integer("num_seeds", 8, "Seeds of (a), of maximum likelihood and of our recipe.", lower_bound=1)
    flags.DEFINE_integer("num_variant_seeds", 4, "Seeds of (b), (c), (d) and of the control.", lower_bound=1)
    flags.DEFINE_integer("num_steps", 20_000, "Mini-batches; our recipe takes its own 3,000 at most.", lower_bound=1)


def main() -> None:
    """Trains what is not trained yet, and writes the report."""
    values = flags.FLAGS
    workdir = Path(values.workdir)
    runs = study.run(
        parts(num_seeds=values.num_seeds, num_variant_seeds=values.num_variant_seeds, num_steps=values.num_steps),
        workdir,
    )
    reporting.write(report(runs), workdir)


def report(runs: Mapping[str, FinishedRun]) -> Report:
    """Makes the report of the study.

    Args:
      runs: the runs, by the names of their folders.
    """
    variants = [runs[name] for name in "abcd"]
    figure3 = reporting.losses_figure(
        variants,
        "figure3",
        "The paper's Figure 3 with bands over seeds, and below it what it does not show: the exact probability that a "
        "generated string is valid, and the total variation to the true law, which tells a generator of few strings.",
    )
    figure4 = reporting.samples_figure(
        [runs["mle"], *variants, runs["recipe"]],
        "figure4",
        "The paper's Figure 4: samples of maximum likelihood and of the four variants; to the right, our recipe.",
    )
    introduction = [
        "The paper's four variants of the Gumbel-softmax GAN, its maximum-likelihood baseline, a control without "
        "annealing, and our recipe, on the paper's grammar (Kusner & Hernández-Lobato 2016, arXiv 1611.04051).",
        "All distances are to the true law, over all of its strings; where a generator has a latent, its likelihoods "
        "are Monte-Carlo means over draws that all strings share. Seeds were not selected; weights are the final ones. "
        "The rank tests of the verdict are not corrected for their number.",
        f"python -m experiments.study kusner2016 --workdir=DIR; {_seeds(runs)}.",
    ]
    return Report(
        "The paper's figures, with bands over seeds",
        introduction,
        list(runs.values()),
        [figure3, figure4],
        verdict(runs),
    )


def _seeds(runs: Mapping[str, FinishedRun]) -> str:
    counts = [f"{run.label} {len(run.members)}" for run in runs.values()]
    return f"seeds: {', '.join(counts)}"


def verdict(runs: Mapping[str, FinishedRun]) -> list[Statement]:
    """Says which of the paper's statements hold in these runs, with the numbers.

    Args:
      runs: the runs, by the names of their folders.
    """

    def compared(claim: str, run: FinishedRun, other: FinishedRun) -> Statement:
        # Total variation, since even a dead generator has one.
        return study.compared(
            claim, run, other, "total_variation", shown=("validity", "distinct_strings"), hopeless=_LOST
        )

    return [
        _losses_cross(runs["a"]),
        compared("Annealing the temperature: (a) against temperature 1 throughout", runs["a"], runs["constant"]),
        compared("(b), 1,000 generated sequences a step, against (a)", runs["b"], runs["a"]),
        compared("(c), annealing only what is fed back, against (a)", runs["c"], runs["a"]),
        compared("(d), noise in the hidden state only, against (a)", runs["d"], runs["a"]),
        compared("The GAN (a) against maximum likelihood", runs["a"], runs["mle"]),
        compared("Our recipe against the GAN (a)", runs["recipe"], runs["a"]),
    ]


def _losses_cross(run: FinishedRun) -> Statement:
    """Compares the losses of the first tenth of training with those of the last, seed by seed."""
    changes, words = {}, []
    for name in ("discriminator_loss", "generator_loss"):
        curve = run.curve(name)
        tenth = max(1, len(curve) // 10)
        first, last = curve[:tenth].mean(axis=0), curve[-tenth:].mean(axis=0)
        changes[name] = last - first
        words.append(
            f"{name.replace('_', ' ')}, median over seeds: {np.nanmedian(first):.3g} to {np.nanmedian(last):.3g}"
        )
    holds = (changes["discriminator_loss"] > 0) & (changes["generator_loss"] < 0)
    outcome = "holds" if holds.all() else "does not hold" if not holds.any() else "holds on some seeds"
    evidence = f"on {holds.sum()} of {len(holds)} seeds, last tenth of training against the first; {'; '.join(words)}"
    return Statement("In (a) the discriminator's loss rises while the generator's falls", outcome, evidence)
