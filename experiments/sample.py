"""Draws strings from a trained generator, one per line, or completes prefixes.

python -m experiments.sample --workdir=DIR --num=1000 [--seed=N] [--temperature=T] [--length=L] [--index=I]
    [--checkpoint=last|best] [--output=FILE]
python -m experiments.sample --workdir=DIR --num=10 --prefix=TEXT | --prefix_file=FILE
python -m experiments.sample --workdir=DIR --source=FILE [--beam=N]

For a run on pairs, `--source` names a file of sources, one per line. For each source, a target is written: a draw from
the generator, or the most probable target found by beam search. Strings are drawn and written in blocks, so that memory
does not depend on their number. A long draw begins with the strings of a short one.
"""

from experiments import interrupts

with interrupts.imports(__name__):
    import sys
    from collections import Counter
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import Any

    import jax
    import numpy as np
    from absl import flags
    from rich.console import Console
    from rich.progress import track

    from experiments import cli
    from experiments.run import drawing, restore_flags
    from experiments.run.pair_lines import source_symbols
    from experiments.run.restore import Restored, replica_state, restore
    from experiments.run.strings import LineReader
    from experiments.run.texts import one_line, write_lines
    from gumbel_gan.tasks import Vocabulary

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run.", required=True)
_NUM = flags.DEFINE_integer(
    "num",
    None,
    "Number of strings to draw, for each prefix or source if there are any; by default 1,000, or 1 per source.",
    lower_bound=1,
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the draw.", lower_bound=0, upper_bound=2**32 - 1)
_TEMPERATURE = flags.DEFINE_float("temperature", 1.0, "Divides the logits; less than 1 is sharper.")
_LENGTH = flags.DEFINE_integer(
    "length", None, "Number of symbols of every string; padding is then not drawn.", lower_bound=1
)
_PREFIX = flags.DEFINE_string("prefix", None, "The prefix of all strings.")
_PREFIX_FILE = flags.DEFINE_string("prefix_file", None, "File of prefixes in UTF-8, one per line.")
_SOURCE = flags.DEFINE_string("source", None, "File of sources in UTF-8, one per line, for a run on pairs.")
_BEAM = flags.DEFINE_integer(
    "beam",
    0,
    "Width of the beam in a search for the most probable targets of sources; 1 is greedy, 0 draws samples.",
    lower_bound=0,
)
_INDEX = restore_flags.define_index()
_CHECKPOINT = restore_flags.define_checkpoint()
_OUTPUT = flags.DEFINE_string("output", None, "File for the strings, instead of stdout; written once all are drawn.")
_PLATFORM = restore_flags.define_platform()


_MOST_NAMED = 5
# Completions, or targets of sources, that are drawn in one batch.
_AT_ONCE = 512


def main() -> None:
    """Draws samples as set by the flags."""
    with cli.one_line_errors():
        if not 0 < _TEMPERATURE.value < float("inf"):
            raise ValueError(f"--temperature must be a finite number > 0, got {_TEMPERATURE.value}")
        if _OUTPUT.value is not None:
            cli.check_output_file(_OUTPUT.value, "--output")
        prefixes, sources = _prefixes(), _sources()
        restored = restore(_WORKDIR.value, platform=_PLATFORM.value, checkpoint=_CHECKPOINT.value)
        params = restored.experiment.algorithm.params(replica_state(restored, _INDEX.value))
        task = restored.experiment.task
        if (sources is None) != (task.source is None):
            wanted = "name a file of sources" if sources is None else "be left out"
            raise ValueError(f"--source must {wanted} for a run on {task.name}")
        if (_LENGTH.value or 0) > task.length and restored.experiment.model.generator.independent_logits is not None:
            raise ValueError(f"--length must be at most {task.length} for this generator, got {_LENGTH.value}")
        given = None if prefixes is None else _encoded(prefixes, restored)
    if sources is not None:
        num = _NUM.value or 1
        found, total = _targets(sources, params, restored, num=num, beam_size=_BEAM.value), num * len(sources)
    else:
        num = _NUM.value or 1_000
        blocks = _sampled(params, restored, num) if given is None else _completed(params, given, restored, num)
        found = (string for block in blocks for string in task.decode(block))
        total = num * (1 if prefixes is None else len(prefixes))
    strings = _shown(map(one_line, found), total)
    if _OUTPUT.value is not None:
        with cli.one_line_disk_errors(f"{_OUTPUT.value} is not written"):
            num_drawn = write_lines(Path(_OUTPUT.value), strings)
        cli.screen().print(f"{num_drawn:,} strings are in {_OUTPUT.value}", soft_wrap=True, highlight=False)
        return
    with cli.reader_may_stop():
        for string in strings:
            print(string)
        sys.stdout.flush()


def _prefixes() -> list[str] | None:
    """Returns the prefixes given by the flags; None if there are none."""
    prefix, path = _PREFIX.value, _PREFIX_FILE.value
    if prefix is not None and path is not None:
        raise ValueError("--prefix and --prefix_file exclude each other, got both")
    if _LENGTH.value is not None and (prefix, path) != (None, None):
        raise ValueError("--length must be left out where there are prefixes")
    if path is None:
        return None if prefix is None else [prefix]
    return _lines(path, "--prefix_file", "a prefix")


def _sources() -> list[str] | None:
    """Returns the sources given by the flags; None if there are none."""
    if _SOURCE.value is None:
        if _BEAM.value:
            raise ValueError("--beam must be left out without --source")
        return None
    for name, flag in {"prefix": _PREFIX, "prefix_file": _PREFIX_FILE, "length": _LENGTH}.items():
        if flag.value is not None:
            raise ValueError(f"--{name} must be left out where there are sources")
    if _BEAM.value and _TEMPERATURE.value != 1:
        raise ValueError(f"--temperature must be left out with --beam, which does not sample; got {_TEMPERATURE.value}")
    if _BEAM.value and (_NUM.value or 1) > _BEAM.value:
        raise ValueError(f"--num must be at most --beam, {_BEAM.value}, the targets that are found; got {_NUM.value}")
    return _lines(_SOURCE.value, "--source", "a source")


def _lines(path: str, flag: str, what: str) -> list[str]:
    """Returns the lines of a file."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{flag} must be in UTF-8, got {path!r}") from error
    except OSError as error:
        raise ValueError(f"{flag} must be a file that can be read, got {path!r}: {error.strerror}") from error
    if not text:
        raise ValueError(f"{flag} must hold {what} a line, got {path!r}, which is empty")
    return text.removesuffix("\n").split("\n")


def _encoded(prefixes: list[str], restored: Restored) -> tuple[np.ndarray, np.ndarray]:
    """Returns the tokens of prefixes, and the number of symbols of each prefix."""
    task = restored.experiment.task
    sequences = LineReader(restored.config, task).symbols(prefixes)
    try:
        return task.vocabulary.encode_prefixes(sequences, task.length)
    except ValueError as error:
        flag = "--prefix" if _PREFIX_FILE.value is None else "--prefix_file"
        raise ValueError(f"{flag} must be the beginning of a sequence of the model: {error}") from error


def _sampled(params: Any, restored: Restored, num: int) -> Iterator[np.ndarray]:
    """Draws sequences in blocks."""
    # Adds the replica axis, of size 1.
    params = jax.tree.map(lambda leaf: leaf[None], params)
    draw = drawing.blocks(restored.experiment.model, 1, num, _LENGTH.value)
    for block in draw(jax.random.key(_SEED.value)[None], params, _TEMPERATURE.value):
        yield block[0]


def _completed(params: Any, given: tuple[np.ndarray, np.ndarray], restored: Restored, num: int) -> Iterator[np.ndarray]:
    """Draws the completions of each prefix in turn, in blocks."""
    total = num * len(given[0])
    size = min(_AT_ONCE, total)

    @jax.jit
    def complete(key: jax.Array, tokens: jax.Array, lengths: jax.Array) -> jax.Array:
        return restored.experiment.model.complete(key, params, tokens, lengths, temperature=_TEMPERATURE.value)

    for first in range(0, total, size):
        # All blocks have one shape, so that only one program is compiled.
        rows = np.minimum(np.arange(first, first + size), total - 1) // num
        key = jax.random.fold_in(jax.random.key(_SEED.value), first // size)
        yield np.asarray(complete(key, *(each[rows] for each in given)))[: total - first]


def _targets(sources: list[str], params: Any, restored: Restored, *, num: int, beam_size: int) -> Iterator[str]:
    """Yields the targets of each source in turn; empty targets for a blank line.

    Warnings on stderr count the blank lines and the symbols that do not occur in training.
    """
    task = restored.experiment.task
    assert task.source is not None
    reader = LineReader(restored.config, task)
    lines = [source_symbols(reader, line) for line in sources]
    _warn(lines, task.source)
    found = drawing.targets(
        restored.experiment.model,
        jax.random.key(_SEED.value),
        params,
        task.encode_sources(lines),
        num,
        beam_size=beam_size,
        temperature=_TEMPERATURE.value,
        at_once=_AT_ONCE,
    )
    for index, tokens in found:
        yield from task.decode(tokens) if lines[index] else [""] * len(tokens)


def _warn(sources: list[Sequence[str]], vocabulary: Vocabulary) -> None:
    """Warns on stderr of blank sources and of symbols that do not occur in training."""
    num_blank = sum(not line for line in sources)
    if num_blank:
        print(f"warning: blank sources, whose targets are blank too: {num_blank:,}", file=sys.stderr)
    known, unknown = set(vocabulary.symbols), Counter[str]()
    for line in sources:
        unknown.update(set(line) - known)
    if unknown:
        named = ", ".join(repr(symbol) for symbol, _ in unknown.most_common(_MOST_NAMED))
        print(
            f"warning: training never saw {len(unknown):,} of the symbols in the sources, which are read as "
            f"{vocabulary.unknown!r}: {named}",
            file=sys.stderr,
        )


def _shown(strings: Iterator[str], total: int) -> Iterable[str]:
    """Yields strings, with a progress bar on stderr if it is a terminal and the strings are not printed to one."""
    return track(
        strings,
        description="",
        total=total,
        console=Console(stderr=True, markup=False, emoji=False),
        transient=True,
        disable=not sys.stderr.isatty() or (_OUTPUT.value is None and sys.stdout.isatty()),
    )


if __name__ == "__main__":
    cli.run(main)
