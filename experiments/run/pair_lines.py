"""Reads lines of text as pairs of a run's vocabularies, as the training of the run read them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.config.run_config import RunConfig
from experiments.run.strings import LineReader, symbols_of
from experiments.run.texts import unescaped
from gumbel_gan.data import Batch
from gumbel_gan.tasks import Task, Vocabulary, text_line


class PairReader(NamedTuple):
    """Reads lines of a source, a tab and a target as a run's training did; text after a second tab is ignored.

    Attributes:
      reader: the reader of lines of the run, whose task is one of pairs.
      source_symbols: symbols that training saw in sources; None if it saw the symbol that stands for all unknown ones.
      target_symbols: symbols that training saw in targets; None if it saw the symbol that stands for all unknown ones.
    """

    reader: LineReader
    source_symbols: frozenset[str] | None
    target_symbols: frozenset[str] | None

    def pairs(self, lines: Sequence[str]) -> tuple[Batch, dict[int, str]]:
        """Returns the pairs of lines.

        Args:
          lines: N lines.

        Returns:
          M pairs, with tokens `[M, T]` and conditions `[M, S']`, where S' is a multiple of the task's S; and a
          dictionary from the index of each other line to the reason why it is not a pair.
        """
        task, sources, targets, problems = self.reader.task, [], [], {}
        assert task.source is not None
        for index, line in enumerate(lines):
            first, tab, rest = line.partition("\t")
            source, target = source_symbols(self.reader, first), self._target(rest.partition("\t")[0])
            problem = self._problem(source, target) if tab else "there is no tab in it"
            if problem:
                problems[index] = problem
            else:
                sources.append(source)
                targets.append(target)
        length = task.train.condition.shape[1]
        # Only a few different lengths, so that few programs are compiled.
        length *= max((-(-len(source) // length) for source in sources), default=1)
        return Batch(task.encode(targets), task.source.encode(sources, length)), problems

    def _target(self, text: str) -> Sequence[str]:
        text = unescaped(text) if self.reader.escaped else text
        lowercase = self.reader.config.task.settings.get("lowercase", False)
        vocabulary = self.reader.task.vocabulary
        return symbols_of(text_line(text, lowercase=lowercase, normalize=vocabulary.normalize), vocabulary)

    def _problem(self, source: Sequence[str], target: Sequence[str]) -> str | None:
        """Returns the reason why a pair cannot be scored; None if it can be scored."""
        for name, symbols, known in (
            ("source", source, self.source_symbols),
            ("target", target, self.target_symbols),
        ):
            if not symbols:
                return f"its {name} is empty"
            if known is not None and (unseen := [symbol for symbol in symbols if symbol not in known]):
                return f"training never saw {unseen[0]!r}, a symbol of its {name}"
        if len(target) > self.reader.task.length:
            return f"its target must be at most {self.reader.task.length} symbols long, got {len(target)}"
        return None


def pair_reader(config: RunConfig, task: Task, escaped: bool = False) -> PairReader:
    """Returns the reader of lines for a run on pairs; the arguments are those of `LineReader`."""
    assert task.source is not None
    return PairReader(
        LineReader(config, task, escaped),
        _seen(task.source, task.train.condition),
        _seen(task.vocabulary, task.train.tokens),
    )


def source_symbols(reader: LineReader, line: str) -> Sequence[str]:
    """Returns the symbols of the source in a line, whether training saw them or not."""
    assert reader.task.source is not None
    return symbols_of(reader.string(line).strip(), reader.task.source)


def _seen(vocabulary: Vocabulary, tokens: np.ndarray) -> frozenset[str] | None:
    """Returns the symbols that training saw; None if training read some symbols as the unknown one."""
    if vocabulary.unknown is None:
        return frozenset(vocabulary.symbols)
    if (tokens == vocabulary.symbols.index(vocabulary.unknown)).any():
        return None
    return frozenset(vocabulary.symbols) - {vocabulary.unknown}
