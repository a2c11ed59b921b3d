"""Measures the generators of a run anew, from its newest checkpoint.

python -m experiments.evaluate --workdir=DIR
"""

from absl import flags

from experiments import cli
from experiments.reports import terminal
from experiments.run import summary
from experiments.run.directory import write_json
from experiments.run.restore import restore

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run.", required=True)
_PLATFORM = flags.DEFINE_string("platform", "", "Backend: 'cpu', 'gpu', 'tpu', or '' for JAX's own choice.")


def main() -> None:
    """Evaluates; rewrites the summary of a finished run, and only prints that of another."""
    with cli.one_line_errors():
        restored = restore(_WORKDIR.value, platform=_PLATFORM.value)
    observed = summary.observe(restored.config, restored.experiment, restored.state)
    metrics, strings = summary.summarise(restored.config, restored.experiment, restored.state, observed)
    metrics["wall_seconds"] = restored.run.wall_seconds()
    if restored.run.summary.exists():
        write_json(restored.run.summary, metrics)
    is_valid, shown = restored.experiment.task.is_valid, strings[0][: terminal.SHOWN_SAMPLES]
    terminal.print_summary(cli.screen(), metrics, shown, [is_valid is None or is_valid(each) for each in shown])


if __name__ == "__main__":
    cli.run(main)
