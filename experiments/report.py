"""Writes an HTML page that compares finished runs of any algorithms and tasks, with tables, figures and samples.

python -m experiments.report --workdirs=DIR1,DIR2,... --output=OUT
"""

from experiments import interrupts

with interrupts.imports(__name__):
    from absl import flags

    from experiments import cli
    from experiments.reports import page, report
    from experiments.reports.runs import read_runs
    from experiments.run.directory import check_holds_no_run

_WORKDIRS = flags.DEFINE_list("workdirs", None, "Folders of finished runs, separated by commas.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Folder for the report; created if necessary.", required=True)
_TITLE = flags.DEFINE_string("title", "Runs compared", "Title of the report.")


def main() -> None:
    """Writes the report."""
    with cli.one_line_errors():
        if not _WORKDIRS.value:
            raise ValueError("--workdirs must name at least one folder, got none")
        check_holds_no_run(_OUTPUT.value, "--output")
        runs = read_runs(_WORKDIRS.value)
        written = page.write(report.compare(runs, title=_TITLE.value), _OUTPUT.value)
    cli.screen().print(f"the report is in {written}", soft_wrap=True)


if __name__ == "__main__":
    cli.run(main)
