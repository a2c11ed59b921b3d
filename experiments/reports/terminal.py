"""Prints the final summary of a run on the terminal."""

from collections.abc import Iterator, Sequence

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.reports.bands import FAILURE_VALIDITY, band, failure_rate, final, numbers, state_accuracies
from experiments.reports.formats import format_band, format_metric, format_point, format_range, half_width
from experiments.run.summary import NUM_SHOWN, Summary
from experiments.run.texts import Row, one_line
from gumbel_gan.metrics import METRICS, Metric

_DRIFT = "ngram_divergence_3"


def print_summary(console: Console, summary: Summary, strings: Sequence[str]) -> None:
    """Prints the metrics beside their baselines, and some samples with the invalid ones marked.

    Args:
      console: where to print.
      summary: the summary.
      strings: samples of the first replica, of which the first `NUM_SHOWN` are printed.
    """
    for point, settings in enumerate(summary.sweep):
        replicas = summary.replicas_at(point)
        title = f"{summary.task}: {summary.algorithm}, {summary.steps:,} steps, "
        title += ", ".join([f"{summary.wall_seconds:.0f} s on {summary.backend}", *format_point(settings)])
        console.print(_distances(summary, replicas, title))
        if summary.num_compared:
            console.print(_comparison(summary, replicas))
        if summary.long_samples is not None:
            console.print(_long_samples(summary, replicas), highlight=False)
        if summary.dynamics is not None:
            console.print(_dynamics(summary, replicas), highlight=False)
        if summary.validity_method is not None and len(replicas) > 1:
            failed = failure_rate([summary.metrics["validity"][index] for index in replicas]) * len(replicas)
            console.print(f"{failed:.0f} of {len(replicas)} seeds failed (validity below {FAILURE_VALIDITY})\n")
    for replica, step in enumerate(summary.diverged):
        if step is not None:
            name = ", ".join([f"Seed {summary.seeds[replica]}", *format_point(summary.sweep[summary.points[replica]])])
            console.print(f"{name} diverged at step {step:,}: its figures are of its last finite state.")
    if summary.best is not None:
        console.print(_best(summary, summary.best))
    if summary.validity_method == "parser":
        console.print("There are too many valid strings to list: a chart parser tells the valid samples.")
    if summary.latent_draws:
        console.print(f"Likelihoods are Monte-Carlo means over {summary.latent_draws} draws of the latent.")
    console.print("samples:" if summary.samples_valid is None else "samples (✗ marks an invalid one):")
    valid = [True] * NUM_SHOWN if summary.samples_valid is None else summary.samples_valid[0]
    for string, is_valid in zip(strings[:NUM_SHOWN], valid, strict=False):
        console.print(Text.assemble("  ", " " if is_valid else ("✗", "red"), " ", one_line(string)))


def _best(summary: Summary, kept: Row) -> str:
    """Describes the best states that training kept."""
    metric = METRICS[kept["metric"]]
    value = format_metric(kept["metric"], float(np.median(numbers(kept["values"], kept["metric"]))))
    step = int(np.quantile(kept["steps"], 0.5, method="lower"))
    measured = "measured here" if summary.summarized == "best" else "which --checkpoint=best samples and evaluates"
    return f"The best {metric.title} was {value}, at step {step:,}, {measured}."


def _known(summary: Summary, applies: str) -> Iterator[tuple[str, Metric]]:
    """Yields the metrics of a kind that a summary holds, in the order of the table."""
    return ((name, each) for name, each in METRICS.items() if each.applies == applies and name in summary.metrics)


def _distances(summary: Summary, replicas: Sequence[int], title: str) -> Table:
    """Builds the table of some replicas' exact metrics and metrics of samples, beside the baselines."""
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    headers = [f"seed {summary.seeds[replicas[0]]}"]
    if len(replicas) > 1:
        headers = [f"median of\n{len(replicas)} seeds", "quartiles", "least–\ngreatest"]
    floor = "held-out" if summary.validity_method is None else "true dist."
    baselines = {"train set": summary.training_set, floor: summary.sampling_floor}
    headers += [f"{label}\n({known['num_strings']:,.0f})" for label, known in baselines.items()]
    table.add_column("", no_wrap=True)
    for header in headers:
        table.add_column(header, justify="right", no_wrap=True)
    groups = {"exact": "exact", f"of {summary.num_samples:,} samples": "samples"}
    if summary.validity_method != "enumeration":
        del groups["exact"]
    if any(_known(summary, "pairs")):
        groups["of decoded sources"] = "pairs"
    for group, applies in groups.items():
        table.add_section()
        table.add_row(Text(group, style="bold"))
        for name, metric in _known(summary, applies):
            over_seeds = band(final(summary, name, replicas))
            cells = [format_metric(name, over_seeds.median)]
            if len(replicas) > 1:
                cells.append(format_range(name, over_seeds.lower, over_seeds.upper))
                cells.append(format_range(name, over_seeds.least, over_seeds.greatest))
            for known in baselines.values():
                cells.append(format_metric(name, numbers([known[name]], name)[0]) if name in known else "-")
            # The heading of the section states that the metrics are of samples.
            shown = METRICS[metric.estimates] if metric.estimates else metric
            table.add_row("  " + shown.title, *cells)
    return table


def _comparison(summary: Summary, replicas: Sequence[int]) -> Table:
    """Builds the table of some replicas' metrics against held-out sequences, beside the metrics of data."""
    table = Table(
        title=f"{summary.num_compared:,} samples a seed, against as many held-out sequences",
        box=box.SIMPLE_HEAD,
        title_justify="left",
    )
    several = len(replicas) > 1
    headers = ["median", "least–\ngreatest"] if several else [f"seed {summary.seeds[replicas[0]]}"]
    for header in ("", *headers, "95 %", "train", "held-out", "better"):
        table.add_column(header, justify="right" if header else "left", no_wrap=True)
    for name, metric in _known(summary, "heldout"):
        over_seeds = band(final(summary, name, replicas))
        cells = [format_metric(name, over_seeds.median)]
        if several:
            cells.append(format_range(name, over_seeds.least, over_seeds.greatest))
        cells.append(f"± {format_metric(name, half_width(summary, name, replicas))}")
        for known in (summary.training_sample, summary.heldout_sample):
            cells.append(format_metric(name, numbers([known[name]["value"]], name)[0]) if name in known else "-")
        table.add_row(metric.title, *cells, metric.better)
    return table


def _long_samples(summary: Summary, replicas: Sequence[int]) -> str:
    """Describes the divergence of the first and last parts of some replicas' long samples."""
    known = summary.long_samples or {}
    parts = np.array([known[_DRIFT][replica] for replica in replicas], float)
    window = known["starts"][1]
    first, last = (format_band(_DRIFT, parts[:, index]) for index in (0, -1))
    heldout = format_metric(_DRIFT, summary.heldout_sample[_DRIFT]["value"])
    return (
        f"Samples of {known['length']} symbols, {METRICS[_DRIFT].title}: the first {window} {first}, the last {window} "
        f"{last}, held-out {heldout}\n"
    )


def _dynamics(summary: Summary, replicas: Sequence[int]) -> str:
    """Describes how well teacher-forced and free-running states are told apart at the last step, for some replicas."""
    before, after, heldout = (
        format_band("dynamics_accuracy", state_accuracies(summary, stage, replicas))
        for stage in ("before", "after", "heldout")
    )
    return (
        f"States of {summary.num_states:,} teacher-forced and as many drawn sequences are told apart with accuracy "
        f"{after}; before training {before}; teacher-forced states of two held-out sets {heldout}; chance is 0.5\n"
    )
