"""Scores each line of a file by its log-likelihood and, if the run has a discriminator, the discriminator's logit.

python -m experiments.score --workdir=DIR --input=FILE [--output=FILE] [--index=I] [--checkpoint=last|best]

For a run on pairs, a line holds a source, a tab and a target, and is scored by the likelihood of the target given the
source.
"""

from experiments import interrupts

with interrupts.imports(__name__):
    import itertools
    import sys
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TextIO

    import jax
    import numpy as np
    from absl import flags

    from experiments import cli
    from experiments.run import restore_flags
    from experiments.run.pair_lines import pair_reader
    from experiments.run.restore import Restored, replica_state, restore
    from experiments.run.strings import LineReader
    from experiments.run.texts import PARTIAL
    from gumbel_gan.data import Batch, num_sequences

    Read = Callable[[list[str]], tuple[Batch, dict[int, str]]]
    Score = Callable[[Batch], list[np.ndarray]]

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run.", required=True)
_INPUT = flags.DEFINE_string(
    "input",
    None,
    "File of strings in UTF-8, one per line; for a run on pairs, each line is a source, a tab and a target.",
    required=True,
)
_OUTPUT = flags.DEFINE_string(
    "output", None, "File for the scores, one per line; without it, they are written to stdout."
)
_ESCAPED = flags.DEFINE_bool(
    "escaped", False, r"Whether '\n', '\r' and '\\' in a line are escaped as in the output of `sample`."
)
_INDEX = restore_flags.define_index()
_CHECKPOINT = restore_flags.define_checkpoint()
_PLATFORM = restore_flags.define_platform()

# Lines that are scored in one batch.
_NUM = 512
_MOST_NAMED = 10


def main() -> None:
    """Scores the lines; a line that cannot be scored is written without scores, and reported on stderr."""
    with cli.one_line_errors():
        lines = _lines(Path(_INPUT.value))
        if _OUTPUT.value:
            cli.check_output_file(_OUTPUT.value, "--output")
        restored = restore(_WORKDIR.value, platform=_PLATFORM.value, checkpoint=_CHECKPOINT.value)
        state = replica_state(restored, _INDEX.value)
    score, names = _scorer(restored, state)
    read, columns = _reader(restored)
    with cli.one_line_errors(), cli.reader_may_stop():
        if not _OUTPUT.value:
            written = _write(lines, read, score, names, columns, sys.stdout)
        else:
            path = Path(_OUTPUT.value)
            partial = path.with_name(path.name + PARTIAL)
            with partial.open("w", encoding="utf-8") as file:
                written = _write(lines, read, score, names, columns, file)
            partial.replace(path)
        _print_statistics(*written)


def _print_statistics(num_lines: int, total: float, problems: dict[int, str]) -> None:
    """Prints the result of `_write` on stderr."""
    num = num_lines - len(problems)
    for number, problem in list(problems.items())[:_MOST_NAMED]:
        print(f"line {number} has no score: {problem}", file=sys.stderr)
    if len(problems) > _MOST_NAMED:
        print(f"and {len(problems) - _MOST_NAMED:,} more lines have none", file=sys.stderr)
    mean = f", {total / num:.4f} nats in the mean" if num else ""
    print(f"{num:,} of {num_lines:,} lines have a score{mean}", file=sys.stderr)


def _lines(path: Path) -> Iterator[str]:
    """Yields the lines of a file without line ends; the file is opened at the call, so that errors are raised there."""
    try:
        file = path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise ValueError(f"--input must be a file that can be read, got {str(path)!r}: {error.strerror}") from error

    def read() -> Iterator[str]:
        with file:
            try:
                for line in file:
                    yield line.rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise ValueError(f"--input must be in UTF-8, got byte 0x{error.object[error.start]:02x}") from error

    return read()


def _reader(restored: Restored) -> tuple[Read, list[str]]:
    """Returns a function from lines to a batch and the problems of the other lines, and the column names of a line."""
    task = restored.experiment.task
    if task.source is not None:
        return pair_reader(restored.config, task, _ESCAPED.value).pairs, ["source", "target"]
    reader = LineReader(restored.config, task, _ESCAPED.value)

    def read(lines: list[str]) -> tuple[Batch, dict[int, str]]:
        tokens, problems = reader.tokens(lines)
        return Batch(tokens), problems

    return read, ["string"]


def _scorer(restored: Restored, state: object) -> tuple[Score, list[str]]:
    """Returns a compiled function from M <= `_NUM` sequences to arrays of `[M]` scores, and the names of the scores."""
    algorithm = restored.experiment.algorithm
    params = algorithm.params(state)
    names = ["log_prob"] + ["discriminator_logit"] * (algorithm.discriminator_logits is not None)

    @jax.jit
    def compute(data: Batch) -> list[jax.Array]:
        scores = [restored.experiment.model.log_prob(params, data.tokens, condition=data.condition)]
        if algorithm.discriminator_logits is not None:
            scores.append(algorithm.discriminator_logits(state, data.tokens, condition=data.condition))
        return scores

    def score(data: Batch) -> list[np.ndarray]:
        # The number of sequences is fixed, so that only one program is compiled.
        padded = jax.tree.map(lambda leaf: np.resize(leaf, (_NUM, *leaf.shape[1:])), data)
        return [np.asarray(values)[: num_sequences(data)] for values in compute(padded)]

    return score, names


def _write(
    lines: Iterator[str], read: Read, score: Score, names: list[str], columns: list[str], file: TextIO
) -> tuple[int, float, dict[int, str]]:
    """Writes the scores; returns the number of lines, the sum of log-likelihoods, and the problems by line number."""
    print(*names, *columns, sep="\t", file=file)
    num_lines, total, problems = 0, 0.0, {}
    while block := list(itertools.islice(lines, _NUM)):
        data, wrong = read(block)
        rows = zip(*score(data), strict=True) if num_sequences(data) else iter(())
        for index, line in enumerate(block):
            if index in wrong:
                problems[num_lines + index + 1] = wrong[index]
                print(*[""] * len(names), line, sep="\t", file=file)
            else:
                values = next(rows)
                total += float(values[0])
                print(*[f"{value:.6g}" for value in values], line, sep="\t", file=file)
        num_lines += len(block)
    file.flush()
    return num_lines, total, problems


if __name__ == "__main__":
    cli.run(main)
