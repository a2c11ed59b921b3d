"""Writes melodies, one a line, as MIDI files: FOLDER/1.mid, FOLDER/2.mid and so on.

python -m experiments.midi FILE --output=FOLDER [--tempo=100] [--num=20]
"""

from experiments import interrupts

with interrupts.imports(__name__):
    from itertools import islice
    from pathlib import Path

    from absl import flags

    from experiments import cli
    from gumbel_gan.tasks import melody_midi
    from gumbel_gan.tasks.files import read_texts

_OUTPUT = flags.DEFINE_string("output", None, "Folder for the files; made if need be.", required=True)
_TEMPO = flags.DEFINE_integer("tempo", 100, "Quarter notes a minute.", lower_bound=4, upper_bound=60_000)
_NUM = flags.DEFINE_integer("num", 100, "Writes only the first so many melodies.", lower_bound=1)


def main(*paths: str) -> None:
    """Writes the files."""
    with cli.one_line_errors():
        if len(paths) != 1:
            raise ValueError(f"the command takes one file of melodies, got {len(paths)}")
        lines = [line for text in read_texts(paths[0]) for line in text.splitlines() if line.strip()]
        melodies = [melody_midi(line, tempo=_TEMPO.value) for line in islice(lines, _NUM.value)]
    folder = Path(_OUTPUT.value)
    with cli.one_line_disk_errors(f"the files in {folder} are not all written"):
        folder.mkdir(parents=True, exist_ok=True)
        for number, melody in enumerate(melodies, 1):
            (folder / f"{number}.mid").write_bytes(melody)
    cli.screen().print(f"{len(melodies)} melodies are in {folder}", soft_wrap=True, highlight=False)


if __name__ == "__main__":
    cli.run(main, files=True)
