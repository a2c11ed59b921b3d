"""Saved and loaded models: every shipped generator, replicas, a network of your own, and damaged files."""

import json
import struct
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from safetensors.numpy import save_file

import gumbel_gan as gg
from gumbel_gan import networks
from gumbel_gan.algorithms.maximum_likelihood import MaximumLikelihoodState
from tests.own_decoder import decoder

TASK = gg.strings_task(["abc", "cab", "b", "cc", "a"], num_heldout=1)
K = TASK.num_symbols
GENERATORS = {
    "lstm": lambda: gg.lstm_generator(K, 3),
    "lstm with a latent": lambda: gg.lstm_generator(K, 3, latent="hidden_and_cell"),
    "two gru layers": lambda: gg.gru_generator(K, 3, num_layers=2, embedding_size=2, latent="hidden"),
    "dropout": lambda: gg.lstm_generator(K, 3, dropout_rate=np.float32(0.25), recurrent_dropout_rate=0.5),
    "bfloat16": lambda: gg.lstm_generator(K, 3, dtype=jnp.bfloat16),
    "transformer": lambda: gg.transformer_generator(K, 4, num_layers=1, latent_size=2),
    "one pass": lambda: gg.one_pass_generator(K, TASK.length, 4, num_layers=1, num_heads=1, latent_size=2),
    "one pass, convolutional": lambda: gg.convolutional_one_pass_generator(K, TASK.length, 4, num_blocks=1),
    "labels": lambda: gg.lstm_generator(K, 3, condition=gg.Labels(2)),
    "vectors": lambda: gg.gru_generator(K, 3, condition=gg.Vectors(2)),
    "sequences": lambda: gg.transformer_generator(K, 4, num_layers=1, condition=gg.Sequences(5, padding=0)),
}


def assert_same(first, second):
    assert jax.tree.structure(first) == jax.tree.structure(second)
    jax.tree.map(np.testing.assert_array_equal, first, second)


def params_of(model, *axes):
    """Returns random parameters of a model, with leading axes, without compiling `init`."""
    rng = np.random.default_rng(0)
    like = jax.eval_shape(model.init, jax.random.key(0))
    return jax.tree.map(lambda leaf: rng.normal(size=(*axes, *leaf.shape)).astype(leaf.dtype), like)


@pytest.mark.parametrize("name", GENERATORS)
def test_a_saved_model_is_the_same_model(name, tmp_path):
    model = TASK.model(GENERATORS[name](), num_latent_draws=7)
    algorithm = gg.maximum_likelihood(model, optimizer=optax.sgd(0.1), ema_decay=0.9)
    newest = params_of(model)
    averaged = jax.tree.map(lambda leaf: leaf + 1, newest)
    state = MaximumLikelihoodState(np.int32(3), newest, averaged, None)
    for file, is_averaged in (("average.safetensors", True), ("newest.safetensors", False)):
        params = algorithm.params(state, averaged=is_averaged)
        loaded = gg.load(gg.save(tmp_path / file, TASK, model, params))
        assert_same(loaded.params, averaged if is_averaged else newest)
    strings = ["ab", "", "ccc"]
    np.testing.assert_array_equal(loaded.task.encode(strings), TASK.encode(strings))
    assert loaded.task.decode(TASK.encode(strings)) == strings
    assert loaded.task.vocabulary == TASK.vocabulary
    assert loaded.task.length == TASK.length
    assert loaded.model.num_latent_draws == 7
    # The settings determine the functions of a model.
    assert networks.settings_of(loaded.model.generator) == networks.settings_of(model.generator) is not None
    assert loaded.model.generator.uses_dropout == model.generator.uses_dropout


@pytest.mark.parametrize("name", ["two gru layers", "labels"])
def test_a_loaded_model_samples_and_scores_as_the_saved_one(name, tmp_path):
    model = TASK.model(GENERATORS[name](), num_latent_draws=7)
    params = params_of(model)
    gg.save(tmp_path / "own.safetensors", TASK, model, params)
    _, other, others, about = gg.load(tmp_path / "own.safetensors")
    condition = jnp.array([0, 1, 1]) if name == "labels" else None

    def use(model, params):
        drawn = model.sample(jax.random.key(1), params, 3, condition=condition)
        return drawn, model.log_prob(params, drawn, condition=condition)

    assert_same(jax.jit(partial(use, other))(others), jax.jit(partial(use, model))(params))
    assert about == {}


def test_replicas_are_loaded_one_by_one_with_what_is_told_of_them(tmp_path):
    model = TASK.model(gg.lstm_generator(K, 3))
    params = params_of(model, 3)
    file = gg.save(tmp_path, TASK, model, params, replicas=True, about={"seeds": [4, 5, 6]})
    assert file == tmp_path / "model.safetensors"
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    loaded = gg.load(file, replica=2)
    assert_same(loaded.params, jax.tree.map(lambda leaf: leaf[2], params))
    assert loaded.about == {"seeds": [4, 5, 6]}
    with pytest.raises(ValueError, match=r"replica must be from 0 to 2 .* got 3"):
        gg.load(file, replica=3)


def test_a_network_of_ones_own_is_given_to_load(tmp_path):
    generator = decoder(K, 4, TASK.length)
    model = TASK.model(generator)
    params = params_of(model)
    gg.save(tmp_path, TASK, model, params)
    assert_same(gg.load(tmp_path, generator=generator).params, params)
    for given, message in (
        (None, "generator must be given"),
        (decoder(K + 1, 4, TASK.length), f"generator must have {K} symbols"),
        (decoder(K, 6, TASK.length), r"must hold the parameters of this generator; embed must be float32\[5, 6\]"),
    ):
        with pytest.raises(ValueError, match=message):
            gg.load(tmp_path, generator=given)


@pytest.mark.parametrize("cell", [nn.LSTMCell, partial(networks.LSTMCell, forward_mode=True)])
def test_what_can_not_be_written_down_is_given_to_load(cell, tmp_path):
    generator = gg.recurrent_generator(K, 3, cell=cell)
    assert networks.settings_of(generator) is None
    model = TASK.model(generator)
    gg.save(tmp_path, TASK, model, params_of(model))
    with pytest.raises(ValueError, match="generator must be given"):
        gg.load(tmp_path)
    gg.load(tmp_path, generator=generator)


def rewritten(file, **changes):
    """Changes entries of the record in a saved model's header."""
    content = file.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    record = json.loads(header["__metadata__"]["gumbel_gan"]) | changes
    header["__metadata__"]["gumbel_gan"] = json.dumps(record)
    written = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(written)) + written + content[8 + size :])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 99, "version": "7.0"}, "of format 99, written by version 7.0"),
        ({"generator": {"name": "os.system", "command": "true"}}, "must name one of recurrent_generator"),
        ({"generator": {"name": "recurrent_generator", "num_symbols": 5}}, "must be those of a recurrent_generator"),
        (
            {"generator": {"name": "recurrent_generator", "num_symbols": 4, "hidden_size": 3, "cell": "eval"}},
            "must be those of a recurrent_generator",
        ),
        (
            {"generator": {"name": "transformer_generator", "num_symbols": 4, "width": 4, "module": "os"}},
            "must be among num_symbols, width, .*; got module",
        ),
        ({"vocabulary": {"symbols": ["", "a"], "color": "red"}}, "a vocabulary must have no color in this version"),
        ({"task": {}}, "name"),
    ],
)
def test_what_a_file_says_is_not_believed(changes, message, tmp_path):
    model = TASK.model(gg.lstm_generator(K, 3))
    file = gg.save(tmp_path, TASK, model, params_of(model))
    rewritten(file, **changes)
    with pytest.raises(ValueError, match=message):
        gg.load(file)


def test_damage_and_strange_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path must be a saved model, or a folder with a model\.safetensors"):
        gg.load(tmp_path)
    model = TASK.model(gg.lstm_generator(K, 3))
    file = gg.save(tmp_path, TASK, model, params_of(model))
    content = file.read_bytes()
    for damaged in (b"", b"no model", content[:-1], content[: len(content) // 2]):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match="which is damaged"):
            gg.load(file)
    save_file({"w": np.zeros(2)}, file)
    with pytest.raises(ValueError, match=r"path must be a model that gumbel_gan\.save wrote"):
        gg.load(file)


def test_parameters_of_one_name_are_named(tmp_path):
    generator = gg.lstm_generator(K, 3)

    def init(key):
        keys = jax.random.split(key)
        return {"a.b": generator.init(keys[0]), "a": {"b": generator.init(keys[1])}}

    model = TASK.model(generator._replace(init=init))
    with pytest.raises(ValueError, match=r"paths of arrays must differ .*, got two of 'a\.b\."):
        gg.save(tmp_path, TASK, model, params_of(model))


def test_what_is_saved_must_belong_together(tmp_path):
    model = TASK.model(gg.lstm_generator(K, 3))
    params = params_of(model)
    other = gg.sequence_model(gg.lstm_generator(K, 3), length=TASK.length)
    wider = params_of(TASK.model(gg.lstm_generator(K, 4)))
    for arguments, options, message in (
        ((TASK, other, params), {}, "model must be task.model.generator., with padding=0, got None"),
        ((TASK, model, wider), {}, "params must hold the parameters of this generator"),
        ((TASK, model, params), {"replicas": True}, "params must hold the parameters of this generator"),
    ):
        with pytest.raises(ValueError, match=message):
            gg.save(tmp_path, *arguments, **options)
    for about in ({"a": np.ones(2)}, {"a": float("nan")}):
        with pytest.raises(TypeError, match="about must be plain JSON"):
            gg.save(tmp_path, TASK, model, params, about=about)
    assert not list(tmp_path.iterdir())
