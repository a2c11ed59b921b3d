"""Evaluates the generators of a run again: those that its summary describes, the last ones, or the best ones.

python -m experiments.evaluate --workdir=DIR [--checkpoint=last|best]
"""

from experiments import interrupts

with interrupts.imports(__name__):
    import dataclasses

    from absl import flags

    from experiments import cli
    from experiments.reports import terminal
    from experiments.run import evaluation, restore_flags
    from experiments.run.directory import RunDirectory
    from experiments.run.restore import restore
    from experiments.run.summary import read_summary, write_summary

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run.", required=True)
_CHECKPOINT = restore_flags.define_checkpoint()
_PLATFORM = restore_flags.define_platform()


def main() -> None:
    """Evaluates; rewrites the summary of a finished run if it describes the same states and can be written."""
    with cli.one_line_errors():
        restored = restore(_WORKDIR.value, platform=_PLATFORM.value, checkpoint=_CHECKPOINT.value)
    run, config, experiment, state, step, checkpoint = restored
    with cli.one_line_errors():
        before = read_summary(run) if run.summary.exists() else None
    observed = evaluation.observe(config, experiment, state)
    summary, strings = evaluation.summarize(
        config, experiment, state, observed, steps=step, wall_seconds=run.wall_seconds(step)
    )
    terminal.print_summary(cli.screen(), summary, strings[0])
    if before is None or config.summarized != checkpoint:
        return
    # The newest checkpoint of a finished run may have been deleted.
    if step != before.steps:
        _print_kept(run, f"it is of step {before.steps}, these states are of step {step}")
        return
    with cli.one_line_errors():
        try:
            with run.lock:
                run.lock.acquire()
                write_summary(
                    run,
                    dataclasses.replace(summary, diverged=before.diverged, best=before.best, calls=before.calls),
                )
        except OSError as error:
            _print_kept(run, error)


def _print_kept(run: RunDirectory, reason: object) -> None:
    """Prints that the summary of a run is not rewritten, and why."""
    cli.screen().print(f"warning: the summary in {run.path} stays as it was: {reason}", soft_wrap=True, highlight=False)


if __name__ == "__main__":
    cli.run(main)
