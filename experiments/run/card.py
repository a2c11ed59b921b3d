"""The model card of an exported generator: a page of Markdown that describes the generator and its limits."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

from experiments.run.texts import Row
from gumbel_gan.metrics import METRICS
from gumbel_gan.tasks import Task
from gumbel_gan.version import __version__

TITLE = "# Model card of "


def model_card(file: Path, task: Task, known: Row, *, num_params: int, has_latent: bool, strings: Sequence[str]) -> str:
    """Returns the model card as Markdown.

    Args:
      file: the exported file, NAME.zip.
      task: the task.
      known: the result of `provenance.of_replica`.
      num_params: number of parameters of the generator.
      has_latent: whether the generator has a latent, so that likelihoods are estimates.
      strings: some samples, each on one line.
    """
    name = file.stem
    best = known.get("best")
    chosen = f" (the best {best['metric']}, {best['value']:.6g})" if best else ""
    sizes = known["sizes"]
    sections = [
        f"{TITLE}{name}",
        f"A generator of sequences of {task.num_symbols} symbols, at most {task.length} of them, padding included"
        f"{_from_sources(task)}. It has {num_params:,} parameters, and was trained by `{known['algorithm']}` on the "
        f"task `{known['task']}`.",
        "## Where it comes from",
        _table(
            ("what", "value"),
            [
                ("step", f"{known['step']:,}"),
                ("checkpoint", f"{known['checkpoint']}{chosen}"),
                ("seed", known["seed"]),
                ("swept settings", ", ".join(f"{each}={value}" for each, value in known["sweep"].items()) or "none"),
                ("diverged at step", "no" if known["diverged"] is None else known["diverged"]),
                ("sequences", ", ".join(f"{size:,} {split}" for split, size in sizes.items())),
                ("SHA-256 of the data", f"`{known['data_digest']}`"),
                ("measured", f"{known['date']}, {known['hardware']}"),
                ("versions", ", ".join(f"{each} {version}" for each, version in known["versions"].items())),
                ("exported with", f"gumbel_gan {__version__}"),
            ],
        ),
        "## Metrics",
        _metrics(known),
        "## Some samples",
        "```text\n" + "\n".join(strings) + "\n```",
        "## Limits",
        _limits(task, known, has_latent),
        "## How to load it",
        f"With jax, numpy and flatbuffers alone, and `load_{name}.py` beside `{file.name}`:",
        f"```python\nimport jax\nimport load_{name}\n\nmodel = load_{name}.load()\n{_example(task)}\n```",
        f"With gumbel_gan, from the weights in `{name}.safetensors`:",
        f'```python\nimport gumbel_gan as gg\n\ntask, model, params, about = gg.load("{name}.safetensors")\n```',
        "## Settings",
        f"```json\n{json.dumps(known['settings'], indent=2)}\n```",
    ]
    return "\n\n".join(sections) + "\n"


def _from_sources(task: Task) -> str:
    if task.source is None:
        return ""
    return f", from sources of {task.source.size} symbols, at most {task.train.condition.shape[1]} of them"


def _example(task: Task) -> str:
    """Returns the lines of Python that use a loaded model."""
    if task.source is None:
        return "print(model.decode(model.sample(jax.random.key(0), 5)))"
    source = task.source.decode(task.train.condition[:1])
    lines = (f"sources = {source!r}", "print(model.decode(model.greedy(sources)))")
    return "\n".join([*lines, "print(model.decode(model.sample(jax.random.key(0), sources=sources)))"])


def _metrics(known: Row) -> str:
    rows = []
    for name, value in known["metrics"].items():
        if name in METRICS:
            metric = METRICS[name]
            shown = "not known" if value is None or not math.isfinite(value) else f"{value:.6g}"
            rows.append((metric.title, shown, metric.better, metric.meaning))
    if not rows:
        return (
            "The run did not measure these states: it measured the last states, and these are the best, or the reverse."
        )
    return _table(("metric", "value", "better", "what it is"), rows)


def _limits(task: Task, known: Row, has_latent: bool) -> str:
    """Returns the limits of the model, as a list in Markdown."""
    sentences = [
        "It generates only symbols and lengths that occur in its training sequences.",
        f"All metrics are of one task and one seed; {known['sizes']['train']:,} sequences were trained on.",
        "Samples may repeat training sequences word for word, with any biased or private content in them.",
        "`log_prob` is a Monte-Carlo estimate, low in the mean, as the generator has a latent."
        if has_latent
        else "`log_prob` is exact, at temperature 1.",
        "JAX promises to read exported programs for six months after the version that wrote them. The weights stay "
        "readable.",
    ]
    if task.oracle is None:
        sentences.append("No metric here tells whether a sample is correct, since the true distribution is not known.")
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
