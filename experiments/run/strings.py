"""Reads lines of text as sequences of a run's vocabulary, as the training of the run read them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.config import registries, values
from experiments.config.run_config import RunConfig
from experiments.run.texts import unescaped
from gumbel_gan.tasks import Task, Vocabulary
from gumbel_gan.tasks.units import find_unit


class LineReader(NamedTuple):
    """Reads lines as a run's training did.

    Attributes:
      config: config of the run.
      task: task of the run.
      escaped: whether line ends and backslashes in a string are escaped, as `sample` writes them.
    """

    config: RunConfig
    task: Task
    escaped: bool = False

    def string(self, line: str) -> str:
        """Returns the string of a line, unescaped, and normalized, stripped and lowercased as in training."""
        string = unescaped(line) if self.escaped else line
        read, settings = registries.LINES.get(self.config.task.name), self.config.task.settings
        if read is None:
            return string
        return read(string, **{name: settings[name] for name in values.parameters(read) if name in settings})

    def symbols(self, lines: Sequence[str]) -> list[Sequence[str]]:
        """Returns the symbols of lines; unknown words are replaced as in training."""
        words = [symbols_of(self.string(line), self.task.vocabulary) for line in lines]
        known, unknown = set(self.task.symbols), find_unit("words").unknown
        if not self.task.vocabulary.separator or unknown not in known:
            return words
        return [[word if word in known else unknown for word in each] for each in words]

    def tokens(self, lines: Sequence[str]) -> tuple[np.ndarray, dict[int, str]]:
        """Returns the tokens of lines.

        Args:
          lines: N lines.

        Returns:
          `[M, T]` tokens of the lines that are sequences of the model; and a dictionary from the index of each other
          line to the reason why it is not a sequence of the model.
        """
        sequences = self.symbols(lines)
        try:
            return self.task.encode(sequences), {}
        except ValueError:
            rows, problems = [], {}
        for index, sequence in enumerate(sequences):
            try:
                rows.append(self.task.encode([sequence]))
            except ValueError as error:
                problems[index] = str(error)
        length = self.task.length
        return np.concatenate(rows) if rows else np.zeros((0, length), np.int32), problems


def symbols_of(string: str, vocabulary: Vocabulary) -> Sequence[str]:
    """Returns the symbols of a string, known or not; words may be separated by any whitespace."""
    return vocabulary.symbols_of(" ".join(string.split()) if vocabulary.separator else string)
