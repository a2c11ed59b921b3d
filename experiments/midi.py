"""Writes strings of a music task, one per line of FILE, as MIDI files: FOLDER/1.mid, FOLDER/2.mid and so on.

python -m experiments.midi FILE --output=FOLDER [--workdir=RUN] [--tempo=100] [--num=100]

The lines are melodies or, with --workdir, strings of the task of that run, such as chorales.
"""

from experiments import interrupts

with interrupts.imports(__name__):
    from pathlib import Path

    from absl import flags

    from experiments import cli
    from experiments.config import registries, values
    from experiments.config.run_config import flatten
    from experiments.run.directory import RunDirectory
    from experiments.run.numbered_files import read_strings, write_numbered

_WORKDIR = flags.DEFINE_string(
    "workdir", None, "Folder of the run that the strings are from; without it, the strings are melodies."
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder for the files; created if necessary.", required=True)
_TEMPO = flags.DEFINE_integer("tempo", 100, "Quarter notes per minute.", lower_bound=4, upper_bound=60_000)
_NUM = flags.DEFINE_integer("num", 100, "Maximum number of strings to write.", lower_bound=1)


def main(*paths: str) -> None:
    """Writes the files."""
    with cli.one_line_errors():
        strings = read_strings(paths, _NUM.value)
        settings = {"task.name": "melodies"}
        if _WORKDIR.value is not None:
            settings = flatten(RunDirectory(_WORKDIR.value, "--workdir").read_config().to_dict())
        write = values.task_function(registries.MIDI_FILES, settings)
        if write is None:
            raise ValueError(f"--workdir must be of a run on music, got the task {settings['task.name']}")
        contents = [write(string, tempo=_TEMPO.value) for string in strings]
    folder = Path(_OUTPUT.value)
    num_written = write_numbered(folder, "mid", contents)
    without = len(contents) - num_written
    note = f"; strings without notes of this task: {without}" if without else ""
    cli.screen().print(f"{num_written} MIDI files are in {folder}{note}", soft_wrap=True, highlight=False)


if __name__ == "__main__":
    cli.run(main, files=True)
