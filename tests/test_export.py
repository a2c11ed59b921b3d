"""Exported models agree with the library in a process that has only jax, numpy and flatbuffers."""

import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gumbel_gan as gg
from gumbel_gan import exported

TASK = gg.strings_task(["abc", "cab", "b", "cc", "a"], num_heldout=1)
K = TASK.num_symbols
# jax, numpy, flatbuffers and their dependencies.
INSTALLED = ("jax", "jaxlib", "numpy", "flatbuffers", "ml_dtypes", "opt_einsum", "scipy")
PROGRAM = """
import json, sys
sys.path[:0] = sys.argv[1:]
import jax, load_own

model = load_own.load()
key = jax.random.key(3)
tokens = model.sample(key, 9, temperature=0.7)
prefixes = ["c", "", "ab"]
print(json.dumps({
    "tokens": tokens.tolist(),
    "again": model.sample(key, 4).tolist(),
    "strings": model.decode(tokens),
    "encoded": model.encode(["abc", "", "c"]).tolist(),
    "scores": model.log_prob(model.encode(["abc", "", "c"])).tolist(),
    "completed": model.complete(key, prefixes, temperature=0.7).tolist(),
    "about": model.about,
    "modules": sorted({name.partition(".")[0] for name in sys.modules}),
}))
for wrong in ("abcab", "x"):
    try:
        model.encode([wrong])
    except ValueError as error:
        print(error)
"""


def params_of(model):
    rng = np.random.default_rng(0)
    like = jax.eval_shape(model.init, jax.random.key(0))
    return jax.tree.map(lambda leaf: jnp.asarray(2 * rng.normal(size=leaf.shape), leaf.dtype), like)


def environment(folder):
    """Makes `folder` with links to the packages `INSTALLED` only, and returns it."""
    folder.mkdir()
    for name in INSTALLED:
        package = Path(importlib.util.find_spec(name).origin).parent
        for path in (package, package.with_name(f"{name}.libs")):
            if path.exists():
                (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Exports a model and opens its file in a process without this library.

    Returns the model, its parameters, the results and error messages of the process, and the file.
    """
    folder = tmp_path_factory.mktemp("exported")
    model = TASK.model(gg.lstm_generator(K, 3, latent="hidden"), num_latent_draws=5)
    params = params_of(model)
    file, loader = gg.export_model(folder / "own.zip", TASK, model, params, about={"seed": 4})
    assert (file, loader) == (folder / "own.zip", folder / "load_own.py")
    assert sorted(path.name for path in folder.iterdir()) == ["load_own.py", "own.zip"]
    paths = [str(folder), str(environment(folder / "packages"))]
    # In isolated mode and without site-packages.
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, *paths]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    result, *errors = done.stdout.splitlines()
    return model, params, json.loads(result), errors, file


def test_it_opens_with_nothing_else(opened):
    _, _, result, errors, _ = opened
    assert not {"gumbel_gan", "flax", "optax", "orbax", "safetensors", "absl"} & set(result["modules"])
    assert result["about"] == {"seed": 4}
    assert errors == [
        "strings must be sequences of the model's symbols, got 'abcab': more than 4 symbols",
        "strings must be sequences of the model's symbols, got 'x': 'x' is no symbol",
    ]


def test_its_samples_completions_and_likelihoods_are_those_of_the_library(opened):
    model, params, result, _, _ = opened
    encoded, prefixes = TASK.encode(["abc", "", "c"]), TASK.encode(["c", "", "ab"])

    @jax.jit
    def compute(params, encoded, prefixes):
        return (
            model.sample(jax.random.key(3), params, 9, temperature=0.7),
            model.sample(jax.random.key(3), params, 4),
            model.log_prob(params, encoded),
            model.complete(jax.random.key(3), params, prefixes, jnp.array([1, 0, 2]), temperature=0.7),
        )

    tokens, again, scores, completed = compute(params, encoded, prefixes)
    np.testing.assert_array_equal(result["tokens"], tokens)
    np.testing.assert_array_equal(result["again"], again)
    assert result["strings"] == TASK.decode(tokens)
    np.testing.assert_array_equal(result["encoded"], encoded)
    np.testing.assert_allclose(result["scores"], scores, rtol=1e-5)
    np.testing.assert_array_equal(result["completed"], completed)
    for string, prefix in zip(TASK.decode(completed), ("c", "", "ab"), strict=True):
        assert string.startswith(prefix)


def test_the_file_holds_no_pickle_and_no_path(opened):
    *_, file = opened
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            assert b"site-packages" not in content, name
            assert str(file.parent).encode() not in content
            if name.endswith(".npy"):
                np.load(archive.open(name), allow_pickle=False)
        facts = json.loads(archive.read("model.json"))
    assert facts["vocabulary"]["symbols"] == list(TASK.symbols)
    assert facts["version"] == gg.__version__
    assert file.with_name("load_own.py").read_text().count("pickle") == 1  # in a docstring


@pytest.mark.slow
def test_a_model_of_pairs_takes_sources(tmp_path):
    words = ["ab", "ba", "cab", "abc", "bb", "ca"]
    (tmp_path / "mine.tsv").write_text("".join(f"{word}\t{word[::-1]}\n" for word in words))
    task = gg.pairs_task(tmp_path / "mine.tsv", num_heldout=1)
    model = task.model(gg.gru_generator(task.num_symbols, 3, condition=gg.Sequences(task.source.size, 0)))
    params = params_of(model)
    opened = exported.load(gg.export_model(tmp_path / "own.zip", task, model, params)[0])
    sources, strings = ["ab", "zb", ""], ["a", "b", "ab"]

    @jax.jit
    def compute(params, condition, tokens):
        return (
            model.sample(jax.random.key(3), params, 3, temperature=0.7, condition=condition),
            gg.beam_search(model, params, 3, beam_size=1, condition=condition).tokens[:, 0],
            model.complete(jax.random.key(3), params, tokens, jnp.array([1, 1, 2]), condition=condition),
            model.log_prob(params, tokens, condition=condition),
        )

    tokens = task.encode(strings)
    np.testing.assert_array_equal(opened.encode(strings), tokens)
    *drawn, log_probs = compute(params, task.encode_sources(sources), tokens)
    found = (
        opened.sample(jax.random.key(3), sources=sources, temperature=0.7),
        opened.greedy(sources),
        opened.complete(jax.random.key(3), strings, sources=sources),
    )
    jax.tree.map(np.testing.assert_array_equal, found, tuple(drawn))
    np.testing.assert_allclose(opened.log_prob(tokens, sources=sources), log_probs, rtol=1e-5)
    assert opened.greedy(["ab"]).shape == (1, task.length)
    for call, message in (
        (lambda: opened.sample(jax.random.key(3), 3), "sources must be given to a model of pairs, got None"),
        (
            lambda: opened.sample(jax.random.key(3), 3, sources=["a"]),
            "num must be left out where there are sources, got 3",
        ),
        (lambda: opened.log_prob(tokens, sources=["a"]), "sources must be 3, one for each sequence, got 1"),
        (lambda: opened.greedy(["abca"]), "got 'abca': more than 3 symbols"),
        (lambda: opened.greedy("abc"), "sources must be a list of strings, got 'abc'"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model, key: model.sample(key), "num must be an integer of at least 0, got None"),
        (lambda model, key: model.sample(key, 2, temperature=0.0), "temperature must be a finite number > 0, got 0.0"),
        (lambda model, key: model.sample(key, 2, temperature=1e-50), "temperature must be a finite number > 0, got"),
        (lambda model, key: model.sample(key, 2, temperature=1e50), "temperature must be a finite number > 0, got"),
        (lambda model, key: model.sample(key, 2, temperature=np.nan), "temperature must be a finite number > 0"),
        (lambda model, key: model.sample(jax.random.PRNGKey(0), 2), "key must be made by jax.random.key"),
        (lambda model, key: model.complete(key, "ab"), "prefixes must be a list of strings, got 'ab'"),
        (lambda model, key: model.encode("ab"), "strings must be a list of strings, got 'ab'"),
        (lambda model, key: model.log_prob(np.full((1, model.length), 99)), r"tokens must be in \[0, .*got 99 to 99"),
        (
            lambda model, key: model.log_prob(np.zeros((1, 1), int)),
            r"tokens must be \[N, .* got int64 of shape",
        ),
    ],
)
def test_what_an_opened_model_cannot_take_is_named(opened, call, message):
    with pytest.raises(ValueError, match=message):
        call(exported.load(opened[-1]), jax.random.key(0))


def test_an_opened_model_reads_strings_of_any_iterable(opened):
    model = exported.load(opened[-1])
    strings = model.vocabulary["symbols"][1:3]
    np.testing.assert_array_equal(model.encode(iter(strings)), model.encode(strings))


@pytest.mark.parametrize(
    "vocabulary",
    [
        gg.Vocabulary(("_", "a", "b"), 0, padding_ends=True),
        gg.Vocabulary(("_", "a", "b"), 0),
        gg.Vocabulary(("a", "b")),
        gg.Vocabulary(("", "a", "b"), 0, padding_ends=True, separator=" ", unknown="b"),
    ],
)
def test_an_opened_model_reads_strings_as_the_library_does(vocabulary):
    reader = exported._Reader(vocabulary._asdict(), 3)

    def read(encode, strings):
        try:
            return encode(strings)
        except ValueError:
            return None

    for strings in ([], ["ab"], ["aba"], ["a_b"], ["_"], ["a b"], ["a "], ["a  b"], [""], ["a c"], ["abab"]):
        wanted = read(lambda strings: vocabulary.encode(strings, 3), strings)
        np.testing.assert_array_equal(read(reader.encode, strings), wanted, str(strings))


def test_errors_name_the_argument(tmp_path):
    model = TASK.model(gg.lstm_generator(K, 3))
    params = params_of(model)
    (tmp_path / "load_own.py").write_text("mine")
    for name, message in (("own.bin", r"path must be NAME\.zip"), ("a-b.zip", r"path must be NAME\.zip")):
        with pytest.raises(ValueError, match=message):
            gg.export_model(tmp_path / name, TASK, model, params)
    with pytest.raises(ValueError, match=r"without another file called load_own\.py"):
        gg.export_model(tmp_path / "own.zip", TASK, model, params)
    with pytest.raises(TypeError, match="about must be plain JSON"):
        gg.export_model(tmp_path / "other.zip", TASK, model, params, about={"a": object()})
    assert [path.name for path in tmp_path.iterdir()] == ["load_own.py"]
