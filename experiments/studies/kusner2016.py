"""Compares the GAN variants of Kusner and Hernández-Lobato (2016) and maximum likelihood over seeds.

python -m experiments.study kusner2016 --workdir=DIR [--num_seeds=8] [--num_variant_seeds=4] [--num_steps=20000]

An interrupted study is resumed. Kusner & Hernández-Lobato 2016, https://arxiv.org/abs/1611.04051.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from experiments.configs import arithmetic, paper
from experiments.reports import page
from experiments.reports.report import Report, Statement, losses_figure, samples_figure
from experiments.reports.runs import FinishedRun
from experiments.studies import rank_test
from experiments.studies.study import Flag, Part
from gumbel_gan.metrics import describe

FLAGS = (
    Flag("num_seeds", 8, "Number of seeds of (a), of maximum likelihood and of arithmetic.py:wide."),
    Flag("num_variant_seeds", 4, "Number of seeds of (b), (c), (d) and of the control."),
    Flag("num_steps", 20_000, "Number of training steps; arithmetic.py:wide takes at most its own 3,000."),
)
# A total variation above which more than half of the generator's probability mass is misplaced.
_FAILED = 0.5


def parts(*, num_seeds: int, num_variant_seeds: int, num_steps: int) -> dict[str, Part]:
    """Returns the parts of the study by folder name, in the order of training.

    Args:
      num_seeds: seeds of (a), of maximum likelihood and of our recipe.
      num_variant_seeds: seeds of the other parts.
      num_steps: training steps; our recipe takes at most its own number of steps.
    """
    found = {}
    for name in ("a", "mle", "b", "c", "d", "constant"):
        label = {"mle": "maximum likelihood", "constant": "(a), not annealed"}.get(name, f"({name})")
        file = f"experiments/configs/paper.py:{name}"
        found[name] = Part(label, paper.VARIANTS[name], file, paper.get_config(name))
    recipe = arithmetic.get_config("wide")
    found["recipe"] = Part("our recipe", "configs/arithmetic.py:wide", "experiments/configs/arithmetic.py:wide", recipe)
    for name, part in found.items():
        part.config.num_seeds = num_seeds if name in ("a", "mle", "recipe") else num_variant_seeds
        part.config.num_steps = min(num_steps, part.config.num_steps) if name == "recipe" else num_steps
    return found


def write(runs: Mapping[str, FinishedRun], workdir: Path) -> Path:
    """Writes the report of the finished runs, and returns its path."""
    return page.write(report(runs), workdir)


def report(runs: Mapping[str, FinishedRun]) -> Report:
    """Builds the report of the study.

    Args:
      runs: the runs, by folder name.
    """
    variants = [runs[name] for name in "abcd"]
    figure3 = losses_figure(
        variants,
        "figure3",
        "The paper's Figure 3 with bands over seeds; below it, not in the paper, the exact probability of a valid "
        "string, and the total variation to the true distribution, which is large for a generator of only a "
        "few strings.",
    )
    figure4 = samples_figure(
        [runs["mle"], *variants, runs["recipe"]],
        "figure4",
        "The paper's Figure 4: samples of maximum likelihood and of the four variants; to the right, our recipe.",
    )
    introduction = [
        "The paper's four variants of the Gumbel-softmax GAN, its maximum-likelihood baseline, a control without "
        "annealing, and our recipe, on the paper's grammar (Kusner & Hernández-Lobato 2016, arXiv 1611.04051).",
        "All distances are to the true distribution, over all of its strings; the likelihoods of a generator with a "
        "latent are Monte-Carlo means over draws that all strings share. Seeds were not selected; the weights are the "
        "final ones. The rank tests of the verdict are not corrected for their number.",
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
    counts = [f"{run.label} {len(run.replicas)}" for run in runs.values()]
    return f"seeds: {', '.join(counts)}"


def verdict(runs: Mapping[str, FinishedRun]) -> list[Statement]:
    """Returns which of the paper's claims hold in these runs, with the numbers.

    Args:
      runs: the runs, by folder name.
    """

    def compared(claim: str, run: FinishedRun, other: FinishedRun) -> Statement:
        # By total variation, which is finite for every generator.
        shown = ("validity", "distinct_strings")
        return rank_test.compared(claim, run, other, "total_variation", shown=shown, failed_beyond=_FAILED)

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
    """Compares the losses of the first tenth of training with those of the last tenth, seed by seed."""
    changes, texts = {}, []
    for name in ("discriminator_loss", "generator_loss"):
        curve = run.curve(name)
        tenth = max(1, len(curve) // 10)
        first, last = curve[:tenth].mean(axis=0), curve[-tenth:].mean(axis=0)
        changes[name] = last - first
        texts.append(
            f"{describe(name).label}, median over seeds: {np.nanmedian(first):.3g} to {np.nanmedian(last):.3g}"
        )
    holds = (changes["discriminator_loss"] > 0) & (changes["generator_loss"] < 0)
    outcome = "holds" if holds.all() else "does not hold" if not holds.any() else "holds on some seeds"
    evidence = f"on {holds.sum()} of {len(holds)} seeds, last tenth of training against the first; {'; '.join(texts)}"
    return Statement("In (a) the discriminator's loss rises while the generator's falls", outcome, evidence)
