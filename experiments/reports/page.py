"""Writes the HTML page of a report, and the files beside it."""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.reports.bands import FAILURE_VALIDITY
from experiments.reports.pictures import drawn_samples
from experiments.reports.report import Report
from experiments.reports.runs import FinishedRun, differing_settings
from experiments.reports.tables import comparison_tables, dynamics_tables, results_csv, results_table
from experiments.run.texts import write_text
from gumbel_gan.metrics import METRICS

TEMPLATE = Path(__file__).parent / "templates" / "report.html.j2"
MAX_BYTES = 500_000
"""Size that a page stays below, unless its text alone is larger."""

# Widths of embedded figures in pixels, of which the first that fits is used. The files have full resolution.
_WIDTHS = (1_600, 1_200, 1_000, 800, 600, 400)
_QUALITY = 65
_MEASURED = {"enumeration": "exact, over all strings", "parser": "of samples, by a chart parser", None: "unknown"}


def write(report: Report, output: str | Path) -> Path:
    """Writes a report: `report.html`, which needs no other file, its figures in full resolution, and `results.csv`.

    Args:
      report: the report.
      output: the folder; created if it does not exist.

    Returns:
      The path of the page.
    """
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    shown = [_shown(run) for run in report.runs]
    for figure in report.figures:
        figure.draw(folder / f"{figure.name}.png")
        if figure.text is not None:
            write_text(folder / f"{figure.name}.txt", figure.text)
    write_text(folder / "results.csv", results_csv(report.runs))
    left = MAX_BYTES - len(_page(report, shown, [""] * len(report.figures)).encode())
    images = _embedded([folder / f"{figure.name}.png" for figure in report.figures], left)
    write_text(folder / "report.html", _page(report, shown, images))
    return folder / "report.html"


def _page(report: Report, shown: Sequence[Mapping[str, Any]], images: Sequence[str]) -> str:
    """Returns the page.

    Args:
      report: the report.
      shown: the results of `_shown` for the runs of the report.
      images: the figures, as the `src` of an `img`.
    """
    from jinja2 import Environment

    headers, rows = results_table(report.runs)
    compared = comparison_tables(report.runs)
    settings = differing_settings(report.runs)
    figures = [
        {"name": figure.name, "title": figure.title, "caption": figure.caption, "source": image}
        for figure, image in zip(report.figures, images, strict=True)
    ]
    return (
        Environment(autoescape=True, trim_blocks=False)
        .from_string(TEMPLATE.read_text(encoding="utf-8"))
        .render(
            title=report.title,
            introduction=[*report.introduction, *_diverged(report.runs)],
            statements=report.statements,
            failure_validity=FAILURE_VALIDITY,
            table={"headers": headers, "rows": rows},
            comparisons=compared,
            dynamics=dynamics_tables(report.runs),
            metrics=[
                metric
                for name, metric in METRICS.items()
                if metric.applies == "heldout"
                or (metric.applies == "pairs" and any(run.has(name) for run in report.runs))
            ],
            figures=figures,
            runs=shown,
            settings={
                "headers": ["setting", *(run.label for run in report.runs)],
                "rows": [
                    [name, *("–" if value is None else value for value in values)] for name, values in settings.items()
                ],
            },
            shared={name: value for name, value in report.runs[0].settings.items() if name not in settings},
        )
    )


def _embedded(paths: Sequence[Path], max_bytes: int) -> list[str]:
    """Returns images as data URLs, at the greatest of `_WIDTHS` at which they fit into `max_bytes` together."""
    sources: list[str] = []
    for width in _WIDTHS:
        sources = [_data_url(path, width) for path in paths]
        if sum(map(len, sources)) <= max_bytes:
            break
    return sources


def _data_url(path: Path, width: int) -> str:
    """Returns an image as a data URL, reduced to at most `width` pixels."""
    from PIL import Image

    with Image.open(path) as original:
        image = original.convert("RGB")
    if image.width > width:
        image = image.resize((width, max(1, round(image.height * width / image.width))), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=_QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _diverged(runs: Sequence[FinishedRun]) -> list[str]:
    """Returns a sentence for each run with diverged seeds."""
    sentences = []
    for run in runs:
        steps = {replica: step for replica, step in enumerate(run.summary.diverged) if step is not None}
        found = [f"{run.summary.seeds[each]} at step {steps[each]:,}" for each in run.replicas if each in steps]
        if found:
            sentences.append(
                f"Seeds of {run.label} that diverged, whose figures are of their last finite state: {', '.join(found)}."
            )
    return sentences


def _shown(run: FinishedRun) -> dict[str, Any]:
    """Returns the parts of the page that describe a run."""
    summary = run.summary
    versions = ", ".join(f"{name} {version}" for name, version in summary.versions.items())
    draws = summary.latent_draws
    environment = [
        f"{summary.date}, {summary.wall_seconds:,.0f} s on {summary.hardware}",
        versions,
        f"validity: {_MEASURED.get(summary.validity_method, summary.validity_method)}",
        *([f"likelihoods: Monte-Carlo means over {draws} draws of the latent"] if draws else []),
    ]
    pictures, no_pictures = drawn_samples(run)
    return {
        "label": run.label,
        "caption": run.caption,
        "marked": run.marked(),
        "pictures": pictures,
        "is_judged": run.valid is not None,
        "no_pictures": no_pictures,
        "environment": "; ".join(environment),
    }
