"""Opens a model that `gumbel_gan.export_model` wrote, with jax, numpy and flatbuffers alone.

import jax
import load_NAME

model = load_NAME.load()  # of the file NAME.zip beside this one
print(model.decode(model.sample(jax.random.key(0), 5, temperature=1.0)))
print(model.log_prob(model.encode(["a string", "another"])))
print(model.decode(model.complete(jax.random.key(1), ["a st", "an"])))
"""

import json
import sys
import unicodedata
from pathlib import Path

import jax
import numpy as np
from jax import export


class Model:
    """A model from its file: `about` is what is known of it, `vocabulary` and `length` are those of its sequences."""

    def __init__(self, path):
        """Reads the file, in which nothing is pickled."""
        with np.load(path) as archive:
            facts = json.loads(archive["model.json"])
            programs = {name: export.deserialize(bytearray(archive[f"{name}.bin"])) for name in facts["programs"]}
            self._weights = [archive[f"weights/{i}"].view(dtype) for i, dtype in enumerate(facts["dtypes"])]
        self._programs = {name: jax.jit(program.call) for name, program in programs.items()}
        self.about, self.length = facts["about"], facts["length"]
        self.vocabulary = facts["vocabulary"]
        self._token_of = {symbol: token for token, symbol in enumerate(self.vocabulary["symbols"])}

    def sample(self, key, num, temperature=1.0):
        """Returns `[num, T]` tokens; `key` is that of `jax.random.key`."""
        return self._programs["sample"](self._weights, key, np.zeros(num, bool), np.float32(temperature))

    def complete(self, key, prefixes, temperature=1.0):
        """Returns `[N, T]` tokens, which begin with N strings."""
        rows = [self._row(prefix) for prefix in prefixes]
        lengths, tokens = np.array([*map(len, rows)], np.int32), np.zeros((len(rows), self.length), np.int32)
        for row, into in zip(rows, tokens, strict=True):
            into[: len(row)] = row
        return self._programs["complete"](self._weights, key, tokens, lengths, np.float32(temperature))

    def log_prob(self, tokens):
        """Returns `[N]` log-probabilities of `[N, T]` tokens, in nats."""
        return self._programs["log_prob"](self._weights, np.asarray(tokens, np.int32))

    def encode(self, strings):
        """Returns the `[N, T]` tokens of N strings."""
        rows, padding = [self._row(string) for string in strings], self.vocabulary["padding"]
        for string, row in zip(strings, rows, strict=True):
            if padding is None and len(row) < self.length:
                raise ValueError(f"strings must be {self.length} symbols long, got {string!r}")
        return np.array([row + [padding] * (self.length - len(row)) for row in rows], np.int32)

    def decode(self, tokens):
        """Returns the strings of `[N, T]` tokens, without padding."""
        padding, strings = self.vocabulary["padding"], []
        for row in np.asarray(tokens).tolist():
            if self.vocabulary["padding_ends"] and padding in row:
                row = row[: row.index(padding)]
            while row and row[-1] == padding:
                row.pop()
            strings.append(self.vocabulary["separator"].join(self.vocabulary["symbols"][token] for token in row))
        return strings

    def _symbols(self, string):
        separator, pattern, form = (self.vocabulary[name] for name in ("separator", "pattern", "normalize"))
        if form != "none":
            string = unicodedata.normalize(form, string)
        if separator or not pattern:
            return string.split(separator) if separator and string else string
        if pattern == r"\X":
            # Clusters of characters that a reader sees as one, which Python's own expressions don't know.
            import regex as expressions
        else:
            import re as expressions
        found, end = [], 0
        for match in expressions.finditer(pattern, string):
            found += [*string[end : match.start()], match.group()]
            end = match.end()
        return [symbol for symbol in [*found, *string[end:]] if symbol]

    def _row(self, string):
        symbols = self._symbols(string)
        unknown = [symbol for symbol in symbols if symbol not in self._token_of]
        if unknown or len(symbols) > self.length:
            problem = f"{unknown[0]!r} is no symbol" if unknown else f"more than {self.length} symbols"
            raise ValueError(f"strings must be sequences of the model's symbols, got {string!r}: {problem}")
        return [self._token_of[symbol] for symbol in symbols]


def load(path=None):
    """Returns the `Model` of a file; by default of NAME.zip beside this file, where that is load_NAME.py."""
    here = Path(__file__)
    return Model(here.with_name(f"{here.stem.removeprefix('load_')}.zip") if path is None else path)


if __name__ == "__main__":
    model = load()
    print(*model.decode(model.sample(jax.random.key(int(*sys.argv[1:2] or [0])), 10)), sep="\n")
