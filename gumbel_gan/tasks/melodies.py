"""Melodies: the folk songs of the Essen collection from the corpus of music21, or tunes from files in ABC notation."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from gumbel_gan.arguments import require_at_least
from gumbel_gan.package_files import package_files
from gumbel_gan.tasks.abc_tunes import Tune, bar_length, read_tunes
from gumbel_gan.tasks.files import UTF_8, Files, file_names, file_paths, read_texts
from gumbel_gan.tasks.interface import Oracle, Picture, Task
from gumbel_gan.tasks.lines import Line, Source, limit_lengths, split_lines_task
from gumbel_gan.tasks.melody_symbols import melody_symbols, read_melody
from gumbel_gan.tasks.piano_roll import piano_roll
from gumbel_gan.tasks.pitches import shift_to_naturals
from gumbel_gan.tasks.units import Unit
from gumbel_gan.tasks.unreadable import Unreadable

_UNIT = Unit("notes", " ", "", "")
_INSTALL = "pip install 'gumbel_gan[music]'"


def melodies_task(
    files: Files = (),
    *,
    transpose: bool = True,
    max_length: int = 64,
    min_count: int = 5,
    num_heldout: int | None = None,
    deduplicate: bool = True,
    digest: str = "",
    encoding: str = UTF_8,
    seed: int = 0,
) -> Task:
    """Builds a task of melodies, with an oracle that checks whether every inner bar fills the meter.

    A melody is its meter, such as `3/4`, followed by notes, rests and bar lines. A note, such as `F#4:3/8`, is a pitch
    and a duration in whole notes; a rest is such as `rest:1/4`; a bar line is `|`. A tie over a bar line is a `~` after
    the first of its two notes. A valid sequence begins with its only meter. Its inner bars fill the meter; its first
    and last bars, which may be incomplete, do not exceed the meter. No bar is empty, and every tie joins two notes of
    the same pitch. All training melodies are valid: tunes without a meter, and tunes with bars of other lengths, as
    when the meter changes, are left out and counted.

    Args:
      files: a path or a sequence of paths of tunes of one voice in ABC notation. Without files, the task takes the
        8,514 folk songs of the Essen collection from the corpus of the package `music21`, which is read but not
        imported.
      transpose: whether each tune is transposed, by at most six semitones, to the key without sharps and flats.
      max_length: the largest length of a melody in symbols; longer melodies are left out. 0 means no limit. T is one
        more.
      min_count: melodies with a symbol that occurs in fewer melodies than this are left out.
      num_heldout: number of distinct melodies for validation, and the same number for the test; None takes a tenth for
        each, from 1 to 1,000.
      deduplicate: whether repeated melodies are left out; if not, all copies of a melody are in the same split.
      digest: expected result of `files_digest(files)`; '' accepts any files.
      encoding: name of the files' Python text encoding.
      seed: seed of the split.

    Returns:
      A `Task` with an oracle of valid strings, in which blanks separate symbols. Its `notes` state what was read and
      left out. Its `chosen` holds the value of `num_heldout` if that was None.

    Raises:
      ImportError: there are no files, and the package `music21` is not installed.
      TypeError: `files` is not a path or a sequence of paths, or a number is not an integer.
      ValueError: an argument is out of range; a file cannot be read, is not in `encoding` or is empty; the files do not
        match `digest`; or too few melodies are left for the split.

    References:
      Schaffrath 1995, The Essen folksong collection; https://abcnotation.com/wiki/abc:standard:v2.1.
    """
    require_at_least(0, max_length=max_length, seed=seed)
    require_at_least(1, min_count=min_count)
    if num_heldout is not None:
        require_at_least(1, num_heldout=num_heldout)
    paths = file_paths(files) if files else essen_files()
    tunes = list(read_tunes([path.name for path in paths], read_texts(paths, digest, encoding)))
    kept, notes = _usable(tunes)
    lines: Sequence[Line] = [
        melody_symbols(tune.meter or "", tune.bars, shift=shift_to_naturals(tune.sharps) if transpose else 0)
        for tune in kept
    ]
    if max_length:
        lines, note = limit_lengths(lines, max_length, "drop", noun="tune")
        notes.append(note)
    counts = Counter(chain.from_iterable(map(set, lines)))
    common = [line for line in lines if min(counts[symbol] for symbol in line) >= min_count]
    notes.append(
        f"Tunes with a symbol that fewer than {min_count} of them have, left out: {len(lines) - len(common):,}."
    )
    task = split_lines_task(
        f"melodies {file_names(files)}" if files else "melodies",
        common,
        sorted(set(chain.from_iterable(common))),
        Source("files", "tune"),
        max_length=None,
        unit=_UNIT,
        deduplicate=deduplicate,
        num_heldout=num_heldout,
        seed=seed,
        notes=notes,
    )
    return task._replace(oracle=Oracle(is_valid=_is_valid, validity_method="bars"))


def melody_picture(string: str) -> Picture:
    """Draws a string of `melodies_task` as a piano roll: time from left to right, pitch from bottom to top.

    Args:
      string: the symbols, separated by blanks.
    """
    melody = read_melody(string)
    num_notes = sum(map(len, melody.bars))
    svg = piano_roll(melody.bars) if num_notes else None
    return Picture(svg, f"{melody.meter or 'no meter'}, {num_notes} notes, {len(melody.bars)} bars", melody.reason)


def _is_valid(string: str) -> bool:
    return read_melody(string).reason is None


def _usable(tunes: Sequence[Tune | Unreadable]) -> tuple[list[Tune], list[str]]:
    """Returns the tunes whose bars fill their meter, and notes on the tunes read and left out."""
    unreadable = [tune for tune in tunes if isinstance(tune, Unreadable)]
    kept, without_meter, irregular = list[Tune](), 0, list[Tune]()
    for tune in tunes:
        if isinstance(tune, Unreadable):
            continue
        if tune.meter is None:
            without_meter += 1
        elif _fills(tune, bar_length(tune.meter)):
            kept.append(tune)
        else:
            irregular.append(tune)
    such_as = f", such as {irregular[0].place}" if irregular else ""
    notes = [
        f"Tunes read: {len(tunes):,}; of one meter that their bars fill, kept: {len(kept):,}; without a meter, left "
        f"out: {without_meter:,}; with bars of other lengths, as where the meter changes, left out: "
        f"{len(irregular):,}{such_as}."
    ]
    if unreadable:
        first = unreadable[0]
        notes.append(f"Tunes that can't be read: {len(unreadable):,}, such as {first.place}: {first.reason}.")
    return kept, notes


def _fills(tune: Tune, full: int) -> bool:
    lengths = [sum(note.duration for note in bar) for bar in tune.bars]
    return all(length == full for length in lengths[1:-1]) and max(lengths[0], lengths[-1]) <= full


def essen_files() -> list[Path]:
    """Returns the files of the Essen collection in `music21`; raises ImportError if the package is not installed."""
    folder = "music21/corpus/essenFolksong"
    return package_files("music21", folder, "*.abc", content="the Essen collection", install=_INSTALL)
