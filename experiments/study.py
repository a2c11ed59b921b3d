"""Trains the runs of a study that are not trained yet, and writes its report.

python -m experiments.study NAME --workdir=DIR [--help]
"""

from experiments import interrupts

with interrupts.imports(__name__):
    import importlib
    import pkgutil
    import sys
    from collections.abc import Mapping
    from pathlib import Path
    from types import ModuleType
    from typing import Any

    from absl import flags
    from ml_collections import config_flags

    from experiments import cli, studies
    from experiments.config.choices import choose
    from experiments.run.directory import check_holds_no_run
    from experiments.studies import study


def find_studies() -> dict[str, ModuleType]:
    """Returns the modules of the folder `studies` that define `FLAGS`, by name."""
    names = [module.name for module in pkgutil.iter_modules(studies.__path__)]
    modules = {name: importlib.import_module(f"{studies.__name__}.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "FLAGS")}


def main() -> None:
    """Runs the study named by the first argument; lists the studies if there is no argument."""
    known = find_studies()
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(f"{__doc__}\nstudies:")
        width = 2 + max(map(len, known))
        for name, module in known.items():
            print(f"  {name:{width}}{(module.__doc__ or '').splitlines()[0]}")
        return
    with cli.one_line_errors():
        chosen = known[choose(sys.argv[1], known, "the study")]
    del sys.argv[1]
    # `--help` prints this text above the flags.
    globals()["__doc__"] = chosen.__doc__
    flags.DEFINE_string("workdir", None, "Folder for the runs and their report; created if necessary.", required=True)
    for flag in chosen.FLAGS:
        if isinstance(flag.default, int):
            flags.DEFINE_integer(flag.name, flag.default, flag.help, lower_bound=1)
        else:
            flags.DEFINE_string(flag.name, flag.default, flag.help)
    config = None
    if hasattr(chosen, "CONFIG_HELP"):
        config = cli.define_config(None, chosen.CONFIG_HELP)
        flags.mark_flag_as_required("config")

    def run() -> None:
        values: dict[str, Any] = {flag.name: flags.FLAGS[flag.name].value for flag in chosen.FLAGS}
        if config is not None:
            values["config"] = cli.given_config(config)
            values["file"] = config_flags.get_config_filename(flags.FLAGS["config"])
            values["changes"] = cli.given_changes()
        workdir = Path(flags.FLAGS.workdir)
        with cli.one_line_errors():
            check_holds_no_run(workdir, "--workdir")
        written = _report(chosen, workdir, values)
        cli.screen().print(f"the report is in {written}", soft_wrap=True)

    cli.run(run)


def _report(chosen: ModuleType, workdir: Path, values: Mapping[str, Any]) -> Path:
    """Runs a study, and returns the path of its report."""
    if not hasattr(chosen, "measure"):
        with cli.one_line_errors():
            parts = chosen.parts(**values)
        written: Path = chosen.write(study.run(parts, workdir), workdir)
        return written
    with cli.one_line_errors():
        measured: Path = chosen.measure(workdir, **values)
    return measured


if __name__ == "__main__":
    main()
