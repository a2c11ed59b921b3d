"""Measures the generators of a run anew, from its newest checkpoint.

python -m experiments.evaluate --workdir=DIR
"""

from absl import flags

from experiments import cli
from experiments.reports import terminal
from experiments.run import evaluation
from experiments.run.restore import restore
from experiments.run.summary import write_summary

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run.", required=True)
_PLATFORM = flags.DEFINE_string("platform", "", "Backend: 'cpu', 'gpu', 'tpu', or '' for JAX's own choice.")


def main() -> None:
    """Evaluates; rewrites the summary of a finished run, and only prints that of another."""
    with cli.one_line_errors():
        restored = restore(_WORKDIR.value, platform=_PLATFORM.value)
    run, config, experiment, state = restored
    observed = evaluation.observe(config, experiment, state)
    summary, strings = evaluation.summarize(config, experiment, state, observed, wall_seconds=run.wall_seconds())
    if run.summary.exists():
        write_summary(run, summary)
    terminal.print_summary(cli.screen(), summary, strings[0])


if __name__ == "__main__":
    cli.run(main)
