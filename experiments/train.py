"""Trains a generator, and writes all files of the run to a folder.

python -m experiments.train --workdir=DIR [--config=FILE] [--config.KEY=VALUE ...] [--overwrite | --resume]
    [--distributed]
"""

from experiments import interrupts

with interrupts.imports(__name__):
    import sys
    from typing import Any

    from absl import flags
    from ml_collections import config_flags

    from experiments import cli, processes
    from experiments.config import locate, run_config
    from experiments.reports import curves, terminal
    from experiments.run import divergence, loop
    from experiments.run.directory import RunDirectory
    from experiments.run.summary import write_summary

_CONFIG = cli.define_config(
    locate.DEFAULT,
    "The experiment, a file of experiments/configs or your own. --config.KEY=VALUE changes a setting, "
    "for example --config.seed=3 --config.num_seeds=8 --config.num_steps=2000 --config.platform=cpu "
    "--config.task.length_distribution=grammar; the config file lists them all.",
)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder for the run's files; created if necessary.", required=True)
_OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Delete the files of the run in --workdir and start again; other files are kept."
)
_RESUME = flags.DEFINE_bool(
    "resume",
    False,
    "Continue the run in --workdir, with its stored config; --config.num_steps=N makes it longer.",
)
_DISTRIBUTED = flags.DEFINE_bool(
    "distributed",
    None,
    "Train one run on all processes that Slurm, Open MPI, a TPU or a JobSet has started; --nodistributed trains one in "
    "each.",
)
_HEARTBEAT_SECONDS = flags.DEFINE_integer(
    "heartbeat_seconds",
    processes.HEARTBEAT_SECONDS,
    "With --distributed: seconds without a heartbeat after which a process counts as dead and all processes end.",
    lower_bound=1,
)


def main() -> None:
    """Trains the generator as set by the flags."""
    with cli.one_line_errors():
        processes.start(_DISTRIBUTED.value, heartbeat_seconds=_HEARTBEAT_SECONDS.value)
    with processes.ending_all(divergence.STATUS):
        _train()


def _train() -> None:
    run = RunDirectory(_WORKDIR.value)
    interrupts.describe(lambda: "stopped before training began", run.lock.release)
    with run.lock:
        with cli.one_line_errors():
            config = _stored_config(run) if _RESUME.value else run_config.parse(cli.given_config(_CONFIG))
            prepared = loop.prepare(config, run, overwrite=_OVERWRITE.value, resume=_RESUME.value)
        with cli.one_line_disk_errors("what is trained so far stays in --workdir, and --resume goes on with it"):
            try:
                summary, strings = loop.train(prepared)
            except divergence.DivergedError as error:
                print(f"error: {error}", file=sys.stderr)
                sys.exit(divergence.STATUS)
            if processes.is_first():
                curves.draw_run(run.read_metrics(), summary, run.curves)
                write_summary(run, summary)
    terminal.print_summary(cli.screen(), summary, strings[0])
    cli.screen().print(f"everything is in {run.path}", soft_wrap=True)
    if any(summary.diverged):
        sys.exit(divergence.STATUS)


def _stored_config(run: RunDirectory) -> Any:
    """Returns the config of the resumed run: its own with the settings that flags change, or that of --config."""
    stored = run.read_config()
    given, flag = cli.given_config(_CONFIG), flags.FLAGS[_CONFIG.name]
    if not flag.using_default_value:
        return run_config.parse(given)
    return run_config.changed(stored, config_flags.get_override_values(flag))


if __name__ == "__main__":
    cli.run(main)
