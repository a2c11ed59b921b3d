"""The final summary of a run on the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from experiments.config.members import members_at
from experiments.reports.bands import FAILURE_VALIDITY, band, failure_rate, numbers, told_apart
from experiments.reports.labels import LABELS, format_metric, half_width, spread
from experiments.run.directory import one_line
from gumbel_gan.evaluation import EXACT_METRICS
from gumbel_gan.metrics import METRICS

SHOWN_SAMPLES = 20
_DRIFT = "ngram_divergence_3"


def print_summary(console: Console, summary: Mapping[str, Any], strings: Sequence[str], valid: Sequence[bool]) -> None:
    """Prints the metrics beside their baselines, and some samples with the invalid ones marked.

    Args:
      console: where to print.
      summary: what `summary.json` holds.
      strings: samples of the first member, of which the first twenty are shown.
      valid: whether each is valid.
    """
    for point, settings in enumerate(summary["sweep"]):
        members = members_at(point, summary["points"])
        title = f"{summary['task']}: {summary['algorithm']}, {summary['steps']:,} steps, "
        title += ", ".join([f"{summary['wall_seconds']:.0f} s on {summary['backend']}", *settings.values()])
        console.print(_table(summary, members, title))
        if summary["num_compared"]:
            console.print(_comparison(summary, members))
        if "long_samples" in summary:
            console.print(_long_samples(summary, members), highlight=False)
        if "dynamics" in summary:
            console.print(_dynamics(summary, members), highlight=False)
        if summary["validity_method"] is not None and len(members) > 1:
            failed = failure_rate([summary["validity"][index] for index in members]) * len(members)
            console.print(f"{failed:.0f} of {len(members)} seeds failed (validity below {FAILURE_VALIDITY})\n")
    if summary["validity_method"] == "parser":
        console.print("The support is too large to list: validity is that of the samples, by a chart parser.")
    if summary["latent_draws"]:
        console.print(f"Likelihoods are Monte-Carlo means over {summary['latent_draws']} draws of the latent.")
    console.print("samples:" if summary["validity_method"] is None else "samples (✗ marks an invalid one):")
    for string, is_valid in list(zip(strings, valid, strict=True))[:SHOWN_SAMPLES]:
        console.print(f"  {' ' if is_valid else '[red]✗[/red]'} {escape(one_line(string))}", highlight=False)


def _table(summary: Mapping[str, Any], members: Sequence[int], title: str) -> Table:
    """Makes the table of some members' metrics, of one point of a sweep."""
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    headers = [f"seed {summary['seeds'][members[0]]}"]
    if len(members) > 1:
        headers = [f"median of\n{len(members)} seeds", "quartiles", "least–\ngreatest"]
    known_law = summary["validity_method"] is not None
    for name, baseline in (
        ("train set", "training_set"),
        ("true law" if known_law else "held-out", "sampling_floor"),
    ):
        headers.append(f"{name}\n({summary[baseline]['num_strings']:,.0f})")
    table.add_column("", no_wrap=True)
    for header in headers:
        table.add_column(header, justify="right", no_wrap=True)
    sampled = [name for name in LABELS if name.startswith("sampled_") or name == "distinct_strings"]
    groups = {
        "exact": list(EXACT_METRICS),
        f"of {summary['num_samples']:,} samples": sampled,
    }
    if summary["validity_method"] != "enumeration":
        del groups["exact"]
    for group, names in groups.items():
        table.add_section()
        table.add_row(f"[bold]{group}[/bold]")
        for name in names:
            if name not in summary:
                continue
            middle = band(numbers([summary[name][index] for index in members], name))
            cells = [format_metric(name, middle.median)]
            if len(members) > 1:
                cells.append(f"{format_metric(name, middle.lower)}–{format_metric(name, middle.upper)}")
                cells.append(f"{format_metric(name, middle.least)}–{format_metric(name, middle.greatest)}")
            for baseline in ("training_set", "sampling_floor"):
                known = summary[baseline]
                cells.append(format_metric(name, numbers([known[name]], name)[0]) if name in known else "-")
            table.add_row("  " + LABELS[name], *cells)
    return table


def _comparison(summary: Mapping[str, Any], members: Sequence[int]) -> Table:
    """Makes the table of what some members score against held-out sequences, beside what data scores."""
    table = Table(
        title=f"{summary['num_compared']:,} samples a seed, against as many held-out sequences",
        box=box.SIMPLE_HEAD,
        title_justify="left",
    )
    several = len(members) > 1
    headers = ["median", "least–\ngreatest"] if several else [f"seed {summary['seeds'][members[0]]}"]
    for header in ("", *headers, "95 %", "train", "held-out", "better"):
        table.add_column(header, justify="right" if header else "left", no_wrap=True)
    for name, metric in METRICS.items():
        if name not in summary:
            continue
        middle = band(numbers([summary[name][index] for index in members], name))
        cells = [format_metric(name, middle.median)]
        if several:
            cells.append(f"{format_metric(name, middle.least)}–{format_metric(name, middle.greatest)}")
        cells.append(f"± {format_metric(name, half_width(summary, name, members))}")
        for baseline in ("training_sample", "heldout_sample"):
            known = summary[baseline]
            cells.append(format_metric(name, known[name]["value"]) if name in known else "-")
        table.add_row(metric.label, *cells, metric.better)
    return table


def _long_samples(summary: Mapping[str, Any], members: Sequence[int]) -> str:
    """Says how far some members' long samples drift."""
    known = summary["long_samples"]
    parts = np.array([known[_DRIFT][member] for member in members], float)
    window = known["starts"][1]
    first, last = (_spread(_DRIFT, parts[:, index]) for index in (0, -1))
    mark = format_metric(_DRIFT, summary["heldout_sample"][_DRIFT]["value"])
    return (
        f"Samples of {known['length']} symbols, {METRICS[_DRIFT].label}: the first {window} {first}, the last {window} "
        f"{last}, held-out {mark}\n"
    )


def _dynamics(summary: Mapping[str, Any], members: Sequence[int]) -> str:
    """Says how well states read are told from states drawn, at the last step, by some members."""
    before, after, heldout = (
        _spread("dynamics_accuracy", told_apart(summary, stage, members)) for stage in ("before", "after", "heldout")
    )
    return (
        f"States of {summary['num_states']:,} sequences read and drawn are told apart with accuracy {after}; before "
        f"training {before}; of other held-out sequences, both read, {heldout}; chance is 0.5\n"
    )


def _spread(name: str, values: np.ndarray) -> str:
    """Writes the median of a metric over members and, where they are several, the least and the greatest."""
    return spread(name, values) if len(values) > 1 else format_metric(name, values[0])
