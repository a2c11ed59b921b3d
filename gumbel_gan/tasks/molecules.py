"""Molecules as strings, from the benchmark MOSES or from files of SMILES."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from gumbel_gan.arguments import require_at_least, require_one_of
from gumbel_gan.data import Batch
from gumbel_gan.metrics import molecules as chemistry
from gumbel_gan.metrics.molecules.moses_files import REFERENCES
from gumbel_gan.metrics.molecules.parsing import INSTALL, require_rdkit
from gumbel_gan.tasks.files import Files, file_names, read_texts
from gumbel_gan.tasks.interface import Oracle, Picture, Task
from gumbel_gan.tasks.lines import Source, split_lines_task, usual_length
from gumbel_gan.tasks.smiles_files import SmilesLine, smiles_lines
from gumbel_gan.tasks.splits import describe_sizes, usual_heldout
from gumbel_gan.tasks.units import Unit
from gumbel_gan.tasks.vocabulary import Vocabulary

# The atoms, bonds and ring numbers of SMILES, as in Schwaller et al. 2018, https://arxiv.org/abs/1711.04810.
_ATOMS = r"\[[^\]]+]|Br?|Cl?|N|O|S|P|F|I|b|c|n|o|s|p|\(|\)|\.|=|#|-|\+|\\|\/|:|~|@|\?|>|\*|\$|\%[0-9]{2}|[0-9]"
TOKENS: Mapping[str, Unit] = MappingProxyType(
    {
        "characters": Unit("characters", "", "", "\ufffd"),
        "atoms": Unit("atoms and bonds", "", _ATOMS, "\ufffd"),
        "selfies": Unit("SELFIES symbols", "", r"\[[^\]]*\]", "\ufffd"),
    }
)
_MOSES_LENGTH = 25
_MOST_SYMBOLS = 1_000
_TRAITS = ("of several parts", "charged", "with stereo marks", "aromatic")


class _Molecules(NamedTuple):
    """The strings of a data set, and notes on what happened to them."""

    strings: list[str]
    notes: list[str]


def molecules_task(
    files: Files = (),
    *,
    tokens: str = "characters",
    max_length: int | None = 25,
    test: str = "test",
    num_heldout: int | None = None,
    digest: str = "",
    seed: int = 0,
) -> Task:
    """Builds a task of molecules, as SMILES or SELFIES, whose validity RDKit checks.

    Without files, the molecules are those of MOSES. The training and validation sets are then drawn from its training
    set, and the test set is its test set or its scaffold test set. With files, each molecule is converted to its
    canonical SMILES, and the split is by distinct molecule. Lines that cannot be parsed are left out and counted, with
    the reason. Salts, charges, stereo marks and aromatic rings are counted and kept.

    Args:
      files: a path or a sequence of paths of SMILES; see `smiles_lines`. Without files, the task takes MOSES from the
        package `molsets`.
      tokens: the unit of a symbol: 'characters'; 'atoms' for atoms, bonds and ring numbers, so that Cl, Br and [nH] are
        one symbol each; or 'selfies' for strings in SELFIES (Krenn et al. 2020, https://arxiv.org/abs/1905.13741), in
        which every string is a valid molecule.
      max_length: the largest length of a molecule in characters of its SMILES, for any `tokens`; longer molecules are
        left out. 0 means no limit. In MOSES' training set, 15,997 molecules have up to 25 characters, 387,884 up to 32,
        and all 1,584,663 up to 57. None takes 25 for MOSES and, for files, a length chosen as in `text_task`.
      test: the test set of MOSES, 'test' or 'test_scaffolds'; unused with files.
      num_heldout: number of molecules for validation and, with files, the same number for the test; None takes a tenth
        of the molecules, from 1 to 1,000.
      digest: expected result of `files_digest(files)`; '' accepts any files.
      seed: seed of the split.

    Returns:
      A `Task` with an oracle of valid strings. Its `notes` state what was read and left out. Its `chosen` holds the
      chosen value for each of `max_length` and `num_heldout` that was None.

    Raises:
      ImportError: RDKit is not installed; there are no files and `molsets` is not installed; or `tokens` is 'selfies'
        and `selfies` is not installed.
      TypeError: `files` is not a path or a sequence of paths, or a number is not an integer.
      ValueError: an argument is out of range; a file cannot be read, is not in UTF-8, is empty, is a FASTA file, or is
        a table with SELFIES but no SMILES; the files do not match `digest`, or have more than 1,000 symbols; or too few
        molecules are left for the split.
    """
    require_one_of(TOKENS, tokens=tokens)
    require_one_of(REFERENCES, test=test)
    require_at_least(0, max_length=max_length or 0, seed=seed)
    require_at_least(1, num_heldout=1 if num_heldout is None else num_heldout)
    require_rdkit()
    if tokens == "selfies":
        _require_selfies()
    task, limit = (
        _of_files(files, tokens, max_length, num_heldout, digest, seed)
        if files
        else _of_moses(tokens, _MOSES_LENGTH if max_length is None else max_length, test, num_heldout, seed)
    )
    chosen = {} if max_length is not None else {"max_length": limit}
    if num_heldout is None:
        chosen["num_heldout"] = len(task.validation.tokens)
    return task._replace(chosen=chosen)


def selfies_to_smiles(string: str) -> str:
    """Returns the SMILES of a SELFIES string, or '' if the string cannot be read.

    Raises:
      ImportError: the package `selfies` is not installed.
    """
    _require_selfies()
    import selfies

    try:
        return selfies.decoder(string)
    except selfies.DecoderError:
        return ""


def molecule_picture(string: str, *, tokens: str = "characters") -> Picture:
    """Draws a string of `molecules_task`, with its SMILES as the caption.

    Args:
      string: the string, without padding.
      tokens: as in `molecules_task`.

    Raises:
      ImportError: RDKit is not installed, or `tokens` is 'selfies' and `selfies` is not installed.
      ValueError: `tokens` is not one of `TOKENS`.
    """
    require_one_of(TOKENS, tokens=tokens)
    smiles = _smiles_of(string, tokens)
    drawing, reason = chemistry.draw(smiles)
    return Picture(drawing, smiles, reason)


def _smiles_of(string: str, tokens: str) -> str:
    return selfies_to_smiles(string) if tokens == "selfies" else string


def _of_moses(tokens: str, max_length: int, test: str, num_heldout: int | None, seed: int) -> tuple[Task, int]:
    """Builds the task of MOSES; also returns the limit on the length."""

    def short(split: str) -> list[str]:
        return [smiles for smiles in chemistry.moses_smiles(split) if not max_length or len(smiles) <= max_length]

    data, tests = (_as_tokens(short(split), tokens) for split in ("train", test))
    num = num_heldout or usual_heldout(len(data.strings))
    if not 0 < num < len(data.strings) or not tests.strings:
        raise ValueError(
            f"num_heldout must be less than the number of molecules, {len(data.strings):,} for training and validation "
            f"and {len(tests.strings):,} for the test; got {num:,} with max_length {max_length}"
        )
    rng = np.random.default_rng(seed)
    rows, test_rows = rng.permutation(len(data.strings)), rng.permutation(len(tests.strings))
    unit = TOKENS[tokens]
    all_strings = [*data.strings, *tests.strings]
    symbols = _symbols(map(unit.split, all_strings), tokens)
    length = max(len(unit.split(string)) for string in all_strings) + 1
    vocabulary = Vocabulary(("", *symbols), padding=0, padding_ends=True, allow_empty=False, pattern=unit.pattern)
    train, validation, tested = (
        Batch(vocabulary.encode([unit.split(strings[row]) for row in chosen], length))
        for strings, chosen in ((data.strings, rows[num:]), (data.strings, rows[:num]), (tests.strings, test_rows))
    )
    notes = [
        f"Molecules of MOSES{f' of up to {max_length} characters' if max_length else ''}: for training and validation "
        f"{len(data.strings):,}, of its split {test!r} {len(tests.strings):,}.",
        *data.notes,
        describe_sizes(vocabulary.size, *(len(each.tokens) for each in (train, validation, tested))),
    ]
    task = Task("molecules", vocabulary, train, validation, tested, notes=tuple(notes))
    return _judged(task, tokens, all_strings), max_length


def _of_files(
    files: Files, tokens: str, max_length: int | None, num_heldout: int | None, digest: str, seed: int
) -> tuple[Task, int]:
    """Builds the task of files; also returns the limit on the length."""
    lines, notes = smiles_lines(files, read_texts(files, digest))
    found = _parsed(lines)
    notes = [
        f"Lines read: {len(lines):,}; blank, left out: {sum(not each.smiles for each in lines):,}.",
        *notes,
        *found.notes,
    ]
    if max_length is None:
        max_length = usual_length([len(smiles) for smiles in found.strings] or [0])
    short = [smiles for smiles in found.strings if not max_length or len(smiles) <= max_length]
    if max_length:
        notes.append(
            f"Molecules of more than {max_length} characters (max_length), left out: "
            f"{len(found.strings) - len(short):,}."
        )
    data = _as_tokens(short, tokens)
    unit = TOKENS[tokens]
    split_lines = [unit.split(string) for string in data.strings]
    task = split_lines_task(
        f"molecules {file_names(files)}",
        split_lines,
        _symbols(split_lines, tokens),
        Source("files", "molecule"),
        max_length=None,
        unit=unit,
        deduplicate=True,
        num_heldout=num_heldout,
        seed=seed,
        notes=[*notes, *data.notes],
    )
    return _judged(task, tokens, data.strings), max_length


def _judged(task: Task, tokens: str, known: Sequence[str]) -> Task:
    """Adds the oracle to a task. The strings in `known` are valid, so they are not parsed again."""
    valid = frozenset(known)

    def is_valid(string: str) -> bool:
        return string in valid or chemistry.is_valid(_smiles_of(string, tokens))

    return task._replace(oracle=Oracle(is_valid=is_valid, validity_method="RDKit"))


def _parsed(lines: Sequence[SmilesLine]) -> _Molecules:
    """Returns the canonical SMILES of the lines that hold a molecule, and notes on the other lines by reason."""
    strings, traits = list[str](), Counter[str]()
    places: dict[str, list[SmilesLine]] = {}
    for line in lines:
        molecule = chemistry.parse(line.smiles)
        if molecule is not None:
            strings.append(chemistry.canonical(molecule))
            traits.update(_traits(molecule, strings[-1]))
        elif line.smiles:
            places.setdefault(chemistry.why_invalid(line.smiles) or "", []).append(line)
    reasons = "; ".join(
        f"{reason}: {len(each):,}, such as {each[0].smiles[:40]!r} in {each[0].place}"
        for reason, each in places.items()
    )
    num_left_out = sum(map(len, places.values()))
    kept = "; ".join(f"{trait} {traits[trait]:,}" for trait in _TRAITS)
    notes = [
        f"Lines that are not a molecule, left out: {num_left_out:,}{f' ({reasons})' if reasons else ''}.",
        f"Molecules, all kept: {kept}.",
    ]
    return _Molecules(strings, notes)


def _traits(molecule: Any, smiles: str) -> list[str]:
    """Returns the entries of `_TRAITS` that a molecule has."""
    has = (
        "." in smiles,
        any(atom.GetFormalCharge() for atom in molecule.GetAtoms()),
        any(mark in smiles for mark in "@/\\"),
        any(atom.GetIsAromatic() for atom in molecule.GetAtoms()),
    )
    return [trait for trait, is_there in zip(_TRAITS, has, strict=True) if is_there]


def _as_tokens(smiles: list[str], tokens: str) -> _Molecules:
    """Returns SMILES as the strings of a task, and a note that counts the SMILES without SELFIES."""
    if tokens != "selfies":
        return _Molecules(smiles, [])
    import selfies

    strings = []
    for each in smiles:
        try:
            strings.append(selfies.encoder(each))
        except selfies.EncoderError:
            continue
    return _Molecules(strings, [f"Molecules that SELFIES can't write, left out: {len(smiles) - len(strings):,}."])


def _symbols(strings: Iterable[Sequence[str]], tokens: str) -> list[str]:
    """Returns the distinct symbols of molecules, sorted."""
    symbols = sorted(set(chain.from_iterable(strings)))
    if len(symbols) > _MOST_SYMBOLS:
        raise ValueError(
            f"files must have at most {_MOST_SYMBOLS:,} different {TOKENS[tokens].plural} with tokens {tokens!r}, "
            f"got {len(symbols):,}"
        )
    return symbols


def _require_selfies() -> None:
    try:
        import selfies  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"tokens must not be 'selfies' where the package 'selfies' is not installed ({INSTALL})"
        ) from error
