"""Chorales: four-voice music, by Bach from the corpus of music21, or from MusicXML files."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gumbel_gan.arguments import require_at_least
from gumbel_gan.data import Batch
from gumbel_gan.package_files import package_files
from gumbel_gan.tasks.chorale_excerpts import score_excerpts
from gumbel_gan.tasks.chorale_symbols import (
    VOICES,
    bar_steps,
    excerpt_symbols,
    read_chorale,
    sorted_symbols,
    voice_bars,
)
from gumbel_gan.tasks.files import Files, file_names, file_paths, read_contents
from gumbel_gan.tasks.interface import Oracle, Picture, Task
from gumbel_gan.tasks.musicxml import Score, read_scores
from gumbel_gan.tasks.piano_roll import piano_roll
from gumbel_gan.tasks.pitches import shift_to_naturals
from gumbel_gan.tasks.splits import describe_repeats, describe_sizes, split_rows
from gumbel_gan.tasks.unreadable import Unreadable
from gumbel_gan.tasks.vocabulary import Vocabulary

_INSTALL = "pip install 'gumbel_gan[music]'"

_STEPS = {2: "eighth", 4: "sixteenth"}
_Excerpt = tuple[str, ...]


def chorales_task(
    files: Files = (),
    *,
    num_bars: int = 2,
    steps_per_quarter: int = 4,
    meter: str = "4/4",
    transpose: bool = True,
    num_heldout: int | None = None,
    deduplicate: bool = True,
    digest: str = "",
    seed: int = 0,
) -> Task:
    """Builds a task of excerpts of four-voice music, all of the same length.

    Each time step has four symbols, for the soprano, the alto, the tenor and the bass: a pitch such as `F#4` if a note
    begins, `-` if a note is held, or `rest`. A score is cut into consecutive excerpts of whole bars. A note that is
    held at the beginning of an excerpt begins there. Upbeats and other incomplete bars are left out and counted, except
    that two incomplete bars in a row that together fill one bar, as when a repeat divides a bar, count as one bar. A
    sequence is valid if it has the length of an excerpt and no voice has a `-` at its first step or after a rest. All
    the data is valid. Voices may cross, as they do in 15% of the excerpts of Bach's chorales.

    The split is by score: all excerpts of a score are in the same split, and so are scores that share an excerpt.

    Args:
      files: a path or a sequence of paths of scores in MusicXML, zipped (.mxl) or not, or of zip archives of such
        scores. Without files, the task takes 408 files of chorales by Bach from the corpus of the package `music21`,
        which is read but not imported.
      num_bars: number of bars per excerpt.
      steps_per_quarter: number of steps per quarter note, 2 or 4. Scores with notes off these steps are left out.
      meter: the meter of the scores; scores with another meter are left out.
      transpose: whether each score is transposed, by at most six semitones, such that its first key signature becomes
        the one without sharps and flats.
      num_heldout: number of scores for validation, and the same number for the test, where scores that share an excerpt
        count as one; None takes a tenth for each, from 1 to 1,000.
      deduplicate: whether repeated excerpts are left out; if not, all copies of an excerpt are in the same split.
      digest: expected result of `files_digest(files)`; '' accepts any files.
      seed: seed of the split and of the order of excerpts within each set.

    Returns:
      A `Task` with an oracle of valid strings, in which blanks separate symbols, and without padding: T is 4 times the
      number of steps of an excerpt. Its `notes` state what was read and left out. Its `chosen` holds the value of
      `num_heldout` if that was None.

    Raises:
      ImportError: there are no files, and the package `music21` is not installed.
      TypeError: `files` is not a path or a sequence of paths, or a number is not an integer.
      ValueError: an argument is out of range, a file cannot be read, the files do not match `digest`, or too few scores
        are left for the split.

    References:
      Hadjeres, Pachet and Nielsen 2017, DeepBach, https://arxiv.org/abs/1612.01010, which also has a symbol for held
      notes; https://www.w3.org/2021/06/musicxml40/.
    """
    require_at_least(1, num_bars=num_bars)
    require_at_least(0, seed=seed)
    if num_heldout is not None:
        require_at_least(1, num_heldout=num_heldout)
    steps_per_bar = bar_steps(meter, steps_per_quarter)
    paths = file_paths(files) if files else bach_files()
    found = list(read_scores([path.name for path in paths], read_contents(paths, digest), num_parts=len(VOICES)))
    scores, notes = _usable(found, meter, steps_per_quarter)
    excerpts, note = _excerpts(scores, num_bars, steps_per_bar, steps_per_quarter, transpose=transpose)
    notes.append(note)
    if not excerpts:
        raise ValueError(f"files must hold a usable excerpt of {num_bars} bars (num_bars), got none. {' '.join(notes)}")
    groups = _groups(excerpts)
    rows = split_rows(
        groups,
        deduplicate=False,
        num_heldout=num_heldout,
        seed=seed,
        name="files",
        noun="groups of scores without a common excerpt",
        notes=notes,
    )
    of_split = [list(chain.from_iterable(excerpts[row] for row in each)) for each in rows]
    num_read = sum(map(len, of_split))
    num_distinct = sum(len(set(each)) for each in of_split)
    if deduplicate:
        of_split = [list(dict.fromkeys(each)) for each in of_split]
    length = num_bars * steps_per_bar * len(VOICES)
    symbols = sorted_symbols(chain.from_iterable(chain.from_iterable(of_split)))
    vocabulary = Vocabulary(symbols, separator=" ")
    rng = np.random.default_rng(seed)
    train, validation, test = (Batch(rng.permutation(vocabulary.encode(each, length))) for each in of_split)
    notes += [
        describe_repeats("excerpt", num_read - num_distinct, deduplicate=deduplicate),
        f"Scores for training: {len(rows[0]):,}; for validation: {len(rows[1]):,}; for the test: {len(rows[2]):,}. "
        f"Those that share an excerpt are in the same split, which leaves {len(set(groups)):,} to be split.",
        describe_sizes(vocabulary.size, *map(len, of_split)),
    ]
    return Task(
        f"chorales {file_names(files)}" if files else "chorales",
        vocabulary,
        train,
        validation,
        test,
        oracle=Oracle(
            is_valid=lambda string: read_chorale(string, num_steps=length // len(VOICES)).reason is None,
            validity_method="voices",
        ),
        notes=tuple(notes),
        chosen={} if num_heldout else {"num_heldout": len({groups[row] for row in rows[1]})},
    )


def chorale_picture(string: str, *, num_bars: int = 2, steps_per_quarter: int = 4, meter: str = "4/4") -> Picture:
    """Draws a string of `chorales_task` as a piano roll: pitch from bottom to top, each voice in its own color.

    Args:
      string: the symbols, separated by blanks, of any length.
      num_bars: as in `chorales_task`.
      steps_per_quarter: as in `chorales_task`.
      meter: as in `chorales_task`.

    Raises:
      ValueError: an argument is out of range.
    """
    require_at_least(1, num_bars=num_bars)
    steps_per_bar = bar_steps(meter, steps_per_quarter)
    chorale = read_chorale(string, num_steps=num_bars * steps_per_bar)
    voices = [voice_bars(voice, steps_per_quarter, steps_per_bar=steps_per_bar) for voice in chorale.voices]
    num_begun = sum(step.begins for voice in chorale.voices for step in voice)
    svg = piano_roll(*voices) if voices[0] else None
    return Picture(svg, f"{num_begun} notes, {len(voices[0])} bars", chorale.reason)


def bach_files() -> list[Path]:
    """Returns the files of chorales in the package `music21`; raises ImportError if the package is not installed."""
    return package_files("music21", "music21/corpus/bach", "*.mxl", content="chorales", install=_INSTALL)


def _usable(found: Sequence[Score | Unreadable], meter: str, steps_per_quarter: int) -> tuple[list[Score], list[str]]:
    """Returns the scores of a meter whose notes fall on the steps, and notes on the scores read and left out."""
    kept, left_out = list[Score](), dict[str, list[str]]()
    for score in found:
        if isinstance(score, Unreadable):
            reason = score.reason
        elif score.meters != (meter,):
            reason = f"another meter than {meter}"
        elif not _is_on_steps(score, steps_per_quarter):
            reason = f"a note that does not last for whole {_STEPS[steps_per_quarter]} notes"
        else:
            kept.append(score)
            continue
        left_out.setdefault(reason, []).append(score.place)
    num_grace = sum(score.num_grace for score in kept)
    notes = [f"Scores read: {len(found):,}; kept: {len(kept):,}. Grace notes in these, left out: {num_grace:,}."]
    notes += [
        f"Scores left out: {len(places):,}, such as {places[0]}: {reason}."
        for reason, places in sorted(left_out.items(), key=lambda item: -len(item[1]))
    ]
    return kept, notes


def _is_on_steps(score: Score, steps_per_quarter: int) -> bool:
    notes = chain.from_iterable(chain.from_iterable(score.parts))
    return all((note.duration * steps_per_quarter).denominator == 1 for note in notes)


def _excerpts(
    scores: Sequence[Score], num_bars: int, steps_per_bar: int, steps_per_quarter: int, *, transpose: bool
) -> tuple[list[list[_Excerpt]], str]:
    """Returns the excerpts of each score that has any, and a note on the excerpts and the bars left out."""
    excerpts, num_whole, num_incomplete = list[list[_Excerpt]](), 0, 0
    for score in scores:
        cut = score_excerpts(score, num_bars=num_bars, steps_per_bar=steps_per_bar, steps_per_quarter=steps_per_quarter)
        num_whole += cut.num_whole
        num_incomplete += cut.num_incomplete
        shift = shift_to_naturals(score.sharps) if transpose else 0
        excerpts.append([excerpt_symbols(voices, shift=shift) for voices in cut.voices])
    kept = [each for each in excerpts if each]
    num_excerpts = sum(map(len, kept))
    note = (
        f"Excerpts of {num_bars} bars: {num_excerpts:,}, of {len(kept):,} scores. Bars left out: {num_incomplete:,} "
        f"that are incomplete, such as upbeats, and {num_whole - num_bars * num_excerpts:,} that are too few in a row."
    )
    return kept, note


def _groups(excerpts: Sequence[Sequence[_Excerpt]]) -> list[int]:
    """Returns a number for each score, equal for scores that share an excerpt, directly or through other scores."""
    first: dict[_Excerpt, int] = {}
    pairs = np.array([(row, first.setdefault(excerpt, row)) for row, each in enumerate(excerpts) for excerpt in each])
    graph = coo_array((np.ones(len(pairs)), tuple(pairs.T)), shape=(len(excerpts), len(excerpts)))
    return connected_components(graph, directed=False)[1].tolist()
