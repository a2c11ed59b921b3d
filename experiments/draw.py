"""Draws strings of a run's task, one per line of FILE, as in its report: FOLDER/1.svg, FOLDER/2.svg and so on.

python -m experiments.draw FILE --workdir=RUN --output=FOLDER [--num=100]
"""

from experiments import interrupts

with interrupts.imports(__name__):
    from pathlib import Path

    from absl import flags

    from experiments import cli
    from experiments.config.run_config import flatten
    from experiments.reports.pictures import picture_function
    from experiments.run.directory import RunDirectory
    from experiments.run.numbered_files import read_strings, write_numbered

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Folder for the files; created if necessary.", required=True)
_NUM = flags.DEFINE_integer("num", 100, "Maximum number of strings to draw.", lower_bound=1)


def main(*paths: str) -> None:
    """Writes the files."""
    with cli.one_line_errors():
        strings = read_strings(paths, _NUM.value)
        settings = flatten(RunDirectory(_WORKDIR.value, "--workdir").read_config().to_dict())
        draw = picture_function(settings)
        if draw is None:
            raise ValueError(
                f"--workdir must be of a run whose strings can be drawn, got the task {settings['task.name']}"
            )
        try:
            drawings = [draw(string).svg for string in strings]
        except ImportError as error:
            raise ValueError(str(error)) from error
    folder = Path(_OUTPUT.value)
    num_drawn = write_numbered(folder, "svg", [None if svg is None else svg.encode() for svg in drawings])
    cli.screen().print(f"{num_drawn} of {len(drawings)} strings are drawn in {folder}", soft_wrap=True, highlight=False)


if __name__ == "__main__":
    cli.run(main, files=True)
