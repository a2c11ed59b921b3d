"""The result of a source of sequences: a `Task`, with an `Oracle` if the true distribution is known."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from gumbel_gan.data import Batch
from gumbel_gan.model import SequenceModel, sequence_model
from gumbel_gan.networks import Generator
from gumbel_gan.tasks.token_rows import TokenRows
from gumbel_gan.tasks.vocabulary import Vocabulary


class Support(NamedTuple):
    """All sequences with probability > 0 under the true distribution.

    Attributes:
      tokens: `[M, T]` int32, the sequences.
      log_probs: `[M]` float64, the log-probabilities in nats. The probabilities sum to 1.
      probs: the probability of each decoded string, in the order of `tokens`.
    """

    tokens: np.ndarray
    log_probs: np.ndarray
    probs: Mapping[str, float]


class Oracle(NamedTuple):
    """The known facts about the true distribution of a task. A field is None if it is not known.

    Attributes:
      support: all sequences and their probabilities, if they are few enough to list.
      is_valid: (string without padding) -> whether the string has probability > 0. None if unknown, or if every string
        is valid.
      validity_method: the method of `is_valid`, for reports, such as 'enumeration' or 'parser'.
      log_prob: (tokens `[N, T]`) -> `[N]` log-probabilities in nats, if they can be computed without the support.
      length_probs: `[T + 1]` float64, the distribution of the length in symbols, without padding.
    """

    support: Support | None = None
    is_valid: Callable[[str], bool] | None = None
    validity_method: str | None = None
    log_prob: Callable[[np.ndarray], np.ndarray] | None = None
    length_probs: np.ndarray | None = None


class Picture(NamedTuple):
    """A drawing of a sequence, which a report shows beside its string.

    Attributes:
      svg: the drawing, as SVG; None if the sequence cannot be drawn.
      caption: the text below the drawing.
      reason: why the sequence is not valid, in a few words; None otherwise.
    """

    svg: str | None
    caption: str
    reason: str | None = None


class Task(NamedTuple):
    """Training, validation and test sequences, all padded to one length T.

    Attributes:
      name: short name, for reports.
      vocabulary: the symbols.
      train: N sequences to train on, tokens `[N, T]` int32.
      validation: sequences for choosing hyperparameters and training steps.
      test: sequences for the reported results.
      oracle: the true distribution, if it is known.
      image_shape: height and width, if a sequence holds the pixels of an image, row by row; None for other tasks.
      notes: sentences for the user on what happened to the data, such as sequences dropped, cut or repeated.
      stream: all N training sequences, if they are too many for memory; `train` then holds a sample of them.
      chosen: the values of `max_length` and `num_heldout` that the task chose because the argument was None.
      source: the vocabulary of the sources, if sequences are generated from source sequences: the condition of each
        batch is then the tokens `[N, S]` of the sources, padded at the end. None for other tasks.
      in_order: whether each sequence of a split continues the one before it.
    """

    name: str
    vocabulary: Vocabulary
    train: Batch
    validation: Batch
    test: Batch
    oracle: Oracle | None = None
    image_shape: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()
    stream: TokenRows | None = None
    chosen: Mapping[str, int] = MappingProxyType({})
    source: Vocabulary | None = None
    in_order: bool = False

    @property
    def num_train(self) -> int:
        """N, the number of training sequences."""
        return len(self.train.tokens) if self.stream is None else len(self.stream)

    @property
    def length(self) -> int:
        """T, the number of symbols of a sequence, padding included."""
        return self.train.tokens.shape[1]

    @property
    def symbols(self) -> tuple[str, ...]:
        """The K symbols of the vocabulary."""
        return self.vocabulary.symbols

    @property
    def num_symbols(self) -> int:
        """K, the size of the vocabulary."""
        return self.vocabulary.size

    @property
    def is_valid(self) -> Callable[[str], bool] | None:
        """The validity check of the oracle; None if there is no oracle, or if the oracle has no check."""
        return None if self.oracle is None else self.oracle.is_valid

    def model(self, generator: Generator, *, num_latent_draws: int = 256) -> SequenceModel:
        """Returns the `sequence_model` of a generator with the length and the padding rules of this task."""
        return sequence_model(
            generator,
            length=self.length,
            padding=self.vocabulary.padding,
            padding_ends=self.vocabulary.padding_ends,
            allow_empty=self.vocabulary.allow_empty,
            num_latent_draws=num_latent_draws,
        )

    def encode(self, strings: Sequence[str | Sequence[str]]) -> np.ndarray:
        """Returns the `[N, T]` tokens of N strings, by `Vocabulary.encode`."""
        return self.vocabulary.encode(strings, self.length)

    def encode_sources(self, strings: Sequence[str | Sequence[str]]) -> np.ndarray:
        """Returns the `[N, S']` tokens of N sources, for use as the condition of N sequences.

        S' is the S of the task or the length of the longest source, whichever is larger.

        Raises:
          TypeError: as in `Vocabulary.encode`.
          ValueError: the task has no sources; or as in `Vocabulary.encode`.
        """
        if self.source is None:
            raise ValueError(f"task must be one of pairs to encode sources, got {self.name}")
        longest = max(map(len, map(self.source.symbols_of, strings)), default=0)
        return self.source.encode(strings, max(longest, self.train.condition.shape[1]))

    def decode(self, tokens: np.ndarray) -> list[str]:
        """Returns the N strings of `[N, T]` tokens, by `Vocabulary.decode`."""
        return self.vocabulary.decode(tokens)

    def sequences(self, tokens: np.ndarray) -> list[tuple[int, ...]]:
        """Returns the N sequences of `[N, T]` tokens without padding, by `Vocabulary.sequences`."""
        return self.vocabulary.sequences(tokens)
