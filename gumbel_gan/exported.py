"""Opens a model that `gumbel_gan.export_model` wrote, with jax, numpy and flatbuffers alone.

import jax
import load_NAME

model = load_NAME.load()  # of the file NAME.zip beside this one
print(model.decode(model.sample(jax.random.key(0), 5, temperature=1.0)))
print(model.log_prob(model.encode(["a string", "another"])))
print(model.decode(model.complete(jax.random.key(1), ["a st", "an"])))

A model of pairs draws a target for each source (run as a program, this file decodes sources from standard input):

print(model.decode(model.greedy(["a source", "another"])))
print(model.decode(model.sample(jax.random.key(0), sources=["a source", "another"])))
print(model.log_prob(model.encode(["a target", "another"]), sources=["a source", "another"]))
"""

import json
import sys
import unicodedata
from pathlib import Path

import jax
import numpy as np
from jax import export


class Model:
    """A model read from its file. `about` holds facts about it; `vocabulary` and `length` describe its sequences.

    For a model of pairs, `source` and `source_length` are the vocabulary and the length of sources; otherwise they are
    None. The functions of a model of pairs need N strings as sources. Symbols of a source that are not in the training
    data are all read as the same unknown symbol.
    """

    def __init__(self, path):
        """Reads the file, which holds no pickled data."""
        with np.load(path) as archive:
            facts = json.loads(archive["model.json"])
            programs = {name: export.deserialize(bytearray(archive[f"{name}.bin"])) for name in facts["programs"]}
            self._weights = [archive[f"weights/{i}"].view(dtype) for i, dtype in enumerate(facts["dtypes"])]
        self._programs = {name: jax.jit(program.call) for name, program in programs.items()}
        self.about, self.length = facts["about"], facts["length"]
        self.vocabulary = facts["vocabulary"]
        self.source, self.source_length = facts.get("source"), facts.get("source_length")
        self._strings = _Reader(self.vocabulary, self.length)
        self._sources = None if self.source is None else _Reader(self.source, self.source_length)

    def sample(self, key, num=None, temperature=1.0, sources=None):
        """Returns `[num, T]` tokens, or `[N, T]` for N sources; `key` is made by `jax.random.key`."""
        given = self._given(sources)
        if given and num not in (None, len(sources)):
            raise ValueError(f"num must be left out where there are sources, got {num}")
        if not given and not (isinstance(num, int | np.integer) and num >= 0):
            raise ValueError(f"num must be an integer of at least 0, got {num!r}")
        rows = given or [np.zeros(num, bool)]
        return self._programs["sample"](self._weights, _key(key), *rows, _temperature(temperature))

    def greedy(self, sources, key=None):
        """Returns the `[N, T]` tokens of greedy decoding from N sources; `key` draws the latent if there is one."""
        given = self._given(sources)
        return self._programs["greedy"](self._weights, jax.random.key(0) if key is None else _key(key), *given)

    def complete(self, key, prefixes, temperature=1.0, sources=None):
        """Returns `[N, T]` tokens that begin with the N strings `prefixes`."""
        rows = [self._strings.row(prefix) for prefix in _strings("prefixes", prefixes)]
        lengths, tokens = np.array([*map(len, rows)], np.int32), np.zeros((len(rows), self.length), np.int32)
        for row, into in zip(rows, tokens, strict=True):
            into[: len(row)] = row
        given = self._given(sources, len(rows))
        return self._programs["complete"](self._weights, _key(key), tokens, lengths, _temperature(temperature), *given)

    def log_prob(self, tokens, sources=None):
        """Returns `[N]` log-probabilities of `[N, T]` tokens in nats, given the sources if the model has any."""
        tokens, num_symbols = np.asarray(tokens), len(self.vocabulary["symbols"])
        if tokens.ndim != 2 or tokens.shape[1] != self.length or not np.issubdtype(tokens.dtype, np.integer):
            raise ValueError(f"tokens must be [N, {self.length}] integers, got {tokens.dtype} of shape {tokens.shape}")
        if tokens.size and not 0 <= tokens.min() <= tokens.max() < num_symbols:
            raise ValueError(f"tokens must be in [0, {num_symbols}), got {tokens.min()} to {tokens.max()}")
        tokens = tokens.astype(np.int32)
        return self._programs["log_prob"](self._weights, tokens, *self._given(sources, len(tokens)))

    def encode(self, strings):
        """Returns the `[N, T]` tokens of N strings."""
        return self._strings.encode(_strings("strings", strings))

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

    def _given(self, sources, num=None):
        """Returns the encoded sources as a list of one argument; an empty list for a model without sources."""
        reader = self._sources
        if (sources is None) != (reader is None):
            wanted = "None for a model without sources" if reader is None else "given to a model of pairs"
            raise ValueError(f"sources must be {wanted}, got {sources!r}")
        if reader is None:
            return []
        if num not in (None, len(sources)):
            raise ValueError(f"sources must be {num}, one for each sequence, got {len(sources)}")
        return [reader.encode(_strings("sources", sources))]


def _key(key):
    if not jax.dtypes.issubdtype(getattr(key, "dtype", None), jax.dtypes.prng_key):
        raise ValueError(f"key must be made by jax.random.key, got {key!r}")
    return key


def _temperature(temperature):
    with np.errstate(over="ignore"):
        rounded = np.float32(temperature)
    # A positive number may round to 0 or to infinity.
    if not (temperature > 0 and 0 < rounded < float("inf")):
        raise ValueError(f"temperature must be a finite number > 0, got {temperature}")
    return rounded


def _strings(name, strings):
    found = [] if isinstance(strings, str) else list(strings)
    if isinstance(strings, str) or not all(isinstance(string, str) for string in found):
        raise ValueError(f"{name} must be a list of strings, got {strings!r}")
    return found


class _Reader:
    """Converts strings over a vocabulary to rows of at most `length` tokens."""

    def __init__(self, vocabulary, length):
        self._vocabulary, self._length = vocabulary, length
        self._token_of = {symbol: token for token, symbol in enumerate(vocabulary["symbols"])}

    def encode(self, strings):
        rows, padding = [self.row(string) for string in strings], self._vocabulary["padding"]
        for string, row in zip(strings, rows, strict=True):
            if padding is None and len(row) < self._length:
                raise ValueError(f"strings must be {self._length} symbols long, got {string!r}")
        padded = [row + [padding] * (self._length - len(row)) for row in rows]
        return np.array(padded, np.int32).reshape(len(rows), self._length)

    def row(self, string):
        symbols = self._symbols(string)
        other = self._token_of.get(self._vocabulary.get("unknown"))
        unknown = [symbol for symbol in symbols if symbol not in self._token_of] if other is None else []
        if unknown or len(symbols) > self._length:
            problem = f"{unknown[0]!r} is no symbol" if unknown else f"more than {self._length} symbols"
            raise ValueError(f"strings must be sequences of the model's symbols, got {string!r}: {problem}")
        row = [self._token_of.get(symbol, other) for symbol in symbols]
        padding = self._vocabulary["padding"]
        if self._vocabulary["padding_ends"] and padding in row:
            symbol = self._vocabulary["symbols"][padding]
            raise ValueError(f"strings must not hold the symbol {symbol!r}, which ends a sequence, got {string!r}")
        return row

    def _symbols(self, string):
        separator, pattern, form = (self._vocabulary[name] for name in ("separator", "pattern", "normalize"))
        if form != "none":
            string = unicodedata.normalize(form, string)
        if separator or not pattern:
            return string.split(separator) if separator and string else string
        if pattern == r"\X":
            # Grapheme clusters, which Python's own `re` does not support.
            import regex as expressions
        else:
            import re as expressions
        found, end = [], 0
        for match in expressions.finditer(pattern, string):
            found += [*string[end : match.start()], match.group()]
            end = match.end()
        return [symbol for symbol in [*found, *string[end:]] if symbol]


def load(path=None):
    """Returns the `Model` of a file; by default that of NAME.zip next to this file, load_NAME.py."""
    here = Path(__file__)
    return Model(here.with_name(f"{here.stem.removeprefix('load_')}.zip") if path is None else path)


if __name__ == "__main__":
    model = load()
    if model.source is None:
        seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
        print(*model.decode(model.sample(jax.random.key(seed), 10)), sep="\n")
    else:
        print(*model.decode(model.greedy(sys.stdin.read().splitlines())), sep="\n")
