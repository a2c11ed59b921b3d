"""User-defined networks, algorithm, task and metric, each added from outside the package."""

import itertools
from collections import Counter
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from ml_collections import ConfigDict

import gumbel_gan as gg
from experiments.config import build, registries, run_config
from experiments.configs import quicktest
from gumbel_gan import evaluation, training
from gumbel_gan import model as model_lib
from gumbel_gan.arguments import Scalar, at_step
from gumbel_gan.metrics import METRICS, Comparison, Estimate, Metric
from gumbel_gan.sharding import mean_over

SYMBOLS, LENGTH = "abc", 4
# Row i: probabilities of the symbol after symbol i. Last row: of the first symbol. 'c' never follows 'c'.
TRANSITIONS = np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3], [0.6, 0.4, 0.0], [0.7, 0.1, 0.2]])
EVERY = np.array(list(itertools.product(range(3), repeat=LENGTH)), np.int32)


def contexts(tokens):
    """Returns the symbol before each symbol, 3 before the first."""
    return np.concatenate([np.full((len(tokens), 1), 3), tokens[:, :-1]], axis=1)


def chain(num_symbols: int, dtype: Any = jnp.float32) -> gg.Generator:
    """Builds a generator: a Markov chain, with an empty carry."""

    def init(key):
        return 0.1 * jax.random.normal(key, (num_symbols + 1, num_symbols))

    def initial_carry(params, batch_size, length):
        return ()

    def step(params, carry, x):
        return carry, x.astype(dtype) @ params.astype(dtype)

    return gg.Generator(init, initial_carry, step, num_symbols)


def labeled_chain(num_symbols: int, num_labels: int) -> gg.Generator:
    """Builds a conditional generator: a Markov chain for each label."""

    def init(key):
        return 0.1 * jax.random.normal(key, (num_labels, num_symbols + 1, num_symbols))

    def initial_carry(params, batch_size, length, *, condition):
        return params[condition]

    def step(params, carry, x):
        return carry, jnp.einsum("bj,bjk->bk", x, carry)

    return gg.Generator(init, initial_carry, step, num_symbols)


def pairs(num_symbols: int) -> gg.Discriminator:
    """Builds a discriminator: a weight for the first symbol and a weight for each pair of neighbors."""

    def init(key):
        return {"first": jnp.zeros(num_symbols), "pairs": jnp.zeros((num_symbols, num_symbols))}

    def logits(params, x):
        return x[:, 0] @ params["first"] + jnp.einsum("bti,ij,btj->b", x[:, :-1], params["pairs"], x[:, 1:])

    return gg.Discriminator(init, logits)


class SmoothedState(NamedTuple):
    """The state of `smoothed_likelihood`."""

    step: jax.Array
    generator_params: Any
    opt_state: optax.OptState


def smoothed_likelihood(
    model: gg.SequenceModel,
    *,
    optimizer: optax.GradientTransformation,
    smoothing: Scalar = 0.0,
    shard_axis: str | None = None,
) -> gg.Algorithm:
    """Builds an algorithm: maximum likelihood with a share of each target spread over all symbols (label smoothing)."""

    def init(key):
        params = model.init(key)
        return SmoothedState(jnp.zeros((), jnp.int32), params, optimizer.init(params))

    def loss(params, key, share, batch):
        given = model_lib.inputs(model, key, len(batch.tokens), batch.condition, training=True)
        log_probs = jax.nn.log_softmax(model_lib.teacher_forced_logits(model, params, batch.tokens, given))
        num_symbols = model.generator.num_symbols
        targets = (1 - share) * jax.nn.one_hot(batch.tokens, num_symbols) + share / num_symbols
        return -jnp.mean(jnp.sum(targets * log_probs, axis=(1, 2)))

    def step(key, state, batch):
        share = at_step(smoothing, state.step)
        value, gradient = jax.value_and_grad(loss)(state.generator_params, key, share, batch)
        updates, opt_state = optimizer.update(mean_over(shard_axis, gradient), state.opt_state, state.generator_params)
        params = optax.apply_updates(state.generator_params, updates)
        return SmoothedState(state.step + 1, params, opt_state), {"generator_loss": value}

    def params(state, *, averaged=True):
        return state.generator_params

    return gg.Algorithm(init, step, params, model)


def chain_task(num_train: int = 2_000) -> gg.Task:
    """Builds a task: sequences of a Markov chain with a known distribution."""
    with np.errstate(divide="ignore"):
        log_probs = np.log(TRANSITIONS)[contexts(EVERY), EVERY].sum(axis=1)
    tokens, log_probs = EVERY[np.isfinite(log_probs)], log_probs[np.isfinite(log_probs)]
    vocabulary = gg.Vocabulary(tuple(SYMBOLS))
    probs = dict(zip(vocabulary.decode(tokens), np.exp(log_probs), strict=True))
    rng = np.random.default_rng(0)
    drawn = tokens[rng.choice(len(tokens), num_train + 1_000, p=np.exp(log_probs))]
    train, validation, test = map(gg.Batch, np.split(drawn, [num_train, num_train + 500]))
    oracle = gg.Oracle(gg.Support(tokens, log_probs, probs), is_valid=probs.__contains__, validity_method="list")
    return gg.Task("chain", vocabulary, train, validation, test, oracle)


def first_is_a(comparison: Comparison) -> Estimate:
    """Estimates the share of samples that begin with 'a'."""
    return comparison.mean(np.array([sample[0] == 0 for sample in comparison.samples], np.float64))


FIRST_IS_A = Metric("begins with a", "as data", "Share of the samples that begin with 'a'.", first_is_a)
TASK = chain_task()
MODEL = TASK.model(chain(TASK.num_symbols))
ADAM = optax.adam(optax.cosine_decay_schedule(0.1, 300))


def run(algorithm, data, num_steps, seed=0):
    keys = training.run_keys(seed)

    @jax.jit
    def train(state):
        return training.train(algorithm, keys.train, state, data, batch_size=200, num_steps=num_steps)

    return train(algorithm.init(keys.init))[0]


def shares(tokens):
    """Returns the shares of the symbols after each context, `[4, 3]`."""
    counts = Counter(zip(contexts(tokens).ravel().tolist(), tokens.ravel().tolist(), strict=True))
    table = np.array([[counts[context, token] for token in range(3)] for context in range(4)])
    return table / table.sum(axis=1, keepdims=True)


def test_a_network_learns_the_distribution_by_relaxed_samples():
    algorithm = gg.relaxed_gan(
        MODEL,
        pairs(TASK.num_symbols),
        generator_optimizer=optax.adam(optax.cosine_decay_schedule(0.05, 400), b1=0.0),
        discriminator_optimizer=optax.adam(0.05, b1=0.0),
        objective=gg.log_odds,
        estimator=gg.straight_through,
        score_weight=0.5,
        penalty=gg.GradientPenalty(1.0, 1.0),
        ema_decay=0.95,
    )
    metrics = jax.jit(evaluation.exact_metrics(MODEL, TASK))
    before = metrics(algorithm.init(jax.random.key(0)).ema_params)
    after = metrics(algorithm.params(run(algorithm, TASK.train, 400)))
    assert before["total_variation"] > 0.4
    assert after["total_variation"] < 0.1
    assert after["validity"] > 0.97


@pytest.mark.parametrize("method", ["relaxed_gan", "maximum_likelihood"])
def test_a_network_may_compute_in_another_dtype(method):
    model = TASK.model(chain(TASK.num_symbols, jnp.bfloat16))
    if method == "maximum_likelihood":
        algorithm = gg.maximum_likelihood(model, optimizer=ADAM)
    else:
        algorithm = gg.relaxed_gan(
            model,
            pairs(TASK.num_symbols),
            generator_optimizer=ADAM,
            discriminator_optimizer=ADAM,
            objective=gg.log_odds,
            estimator=gg.soft,
        )
    state = run(algorithm, TASK.train, 3)
    before = algorithm.init(jax.random.key(0))
    jax.tree.map(lambda new, old: np.testing.assert_equal(new.dtype, old.dtype), state, before)
    assert np.isfinite(state.generator_params).all()


def test_an_algorithm_finds_its_optimum():
    algorithm = smoothed_likelihood(MODEL, optimizer=ADAM, smoothing=0.3)
    state = run(algorithm, TASK.train, 300)
    optimum = 0.7 * shares(TASK.train.tokens) + 0.1
    np.testing.assert_allclose(jax.nn.softmax(algorithm.params(state)), optimum, atol=0.02)
    metrics = jax.jit(evaluation.exact_metrics(MODEL, TASK))
    found, expected = metrics(algorithm.params(state)), metrics(jnp.log(optimum.astype(np.float32)))
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], atol=0.02)
    nll = jax.jit(evaluation.negative_log_likelihoods(MODEL, TASK.test))(algorithm.params(state))
    np.testing.assert_allclose(
        nll, -np.log(optimum)[contexts(TASK.test.tokens), TASK.test.tokens].sum(axis=1), atol=0.2
    )


def test_an_algorithm_goes_on_where_it_stopped_and_takes_seeds():
    algorithm = smoothed_likelihood(MODEL, optimizer=ADAM, smoothing=optax.linear_schedule(0.5, 0.1, 30))

    def train(num_steps, keys, state):
        return training.train(algorithm, keys.train, state, TASK.train, batch_size=50, num_steps=num_steps)[0]

    all_steps, half = jax.jit(partial(train, 30)), jax.jit(partial(train, 15))
    keys = training.run_keys(4)
    state = algorithm.init(keys.init)
    alone = all_steps(keys, state)
    jax.tree.map(np.testing.assert_array_equal, alone, half(keys, half(keys, state)))
    several = training.seeds_axis((3, 4))
    together = jax.jit(jax.vmap(partial(train, 30)))(several, jax.vmap(algorithm.init)(several.init))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[1], b, rtol=1e-5, atol=1e-6), together, alone)
    params = algorithm.params(together)
    assert not np.allclose(params[0], params[1])
    metrics = jax.jit(jax.vmap(evaluation.exact_metrics(MODEL, TASK)))(params)
    start = evaluation.exact_metrics(MODEL, TASK)(algorithm.params(state))
    assert (metrics["kl_data_model"] < 0.5 * start["kl_data_model"]).all()


def test_a_task_by_hand_is_learned_and_measured_exactly():
    algorithm = gg.maximum_likelihood(MODEL, optimizer=ADAM, ema_decay=0.9)
    params = algorithm.params(run(algorithm, TASK.train, 300))
    np.testing.assert_allclose(jax.nn.softmax(params), shares(TASK.train.tokens), atol=0.02)
    exact = jax.jit(evaluation.exact_metrics(MODEL, TASK))(params)
    marks = evaluation.baselines(TASK, num_samples=2_000)
    # A chain has 8 free parameters, fewer than the empirical distribution of whole sequences.
    assert exact["total_variation"] < marks["training_set"]["total_variation"]
    assert exact["validity"] > 0.99
    tokens = np.asarray(jax.jit(MODEL.sample, static_argnums=2)(jax.random.key(1), params, 2_000))
    sampled = evaluation.sample_metrics(tokens, TASK)
    invalid = ((tokens[:, 1:] == 2) & (tokens[:, :-1] == 2)).any(axis=1)
    assert sampled["sampled_validity"] == pytest.approx(1 - invalid.mean())
    assert sampled["sampled_total_variation"] < 1.5 * marks["sampling_floor"]["sampled_total_variation"]


def test_an_array_with_labels_is_learned_label_by_label():
    labels = np.arange(2_000) % 2
    # With label 1, 'a' and 'b' are swapped.
    tokens = np.where(labels[:, None] == 1, np.array([1, 0, 2])[TASK.train.tokens], TASK.train.tokens)
    train, heldout = gg.Batch(tokens[:1_600], labels[:1_600]), gg.Batch(tokens[1_600:], labels[1_600:])
    task = gg.array_task(train.tokens, symbols=SYMBOLS, condition=train.condition, validation=heldout, test=heldout)
    model = task.model(labeled_chain(task.num_symbols, 2))
    params = run(gg.maximum_likelihood(model, optimizer=ADAM), task.train, 300).generator_params
    optimum = [shares(task.train.tokens[task.train.condition == label]) for label in (0, 1)]
    np.testing.assert_allclose(jax.nn.softmax(params), optimum, atol=0.02)
    nll = jax.jit(evaluation.negative_log_likelihoods(model, task.test))(params)
    original = TASK.train.tokens[1_600:]
    truth = -np.log(TRANSITIONS[contexts(original), original]).sum(axis=1)
    np.testing.assert_allclose(nll.mean(), truth.mean(), atol=0.03)
    num = 4_000
    drawn = model.sample(jax.random.key(1), params, num, condition=jnp.arange(num) % 2)
    first_is_a = np.asarray(drawn[:, 0] == 0).reshape(-1, 2).mean(axis=0)
    np.testing.assert_allclose(first_is_a, [optimum[0][3, 0], optimum[1][3, 0]], atol=5 * np.sqrt(0.25 / (num / 2)))


def test_a_metric_is_measured_beside_the_others():
    num, tokens = 100, TASK.train.tokens[:100]
    held_out = evaluation.held_out(TASK, split="test", num=num, metrics=METRICS | {"first_is_a": FIRST_IS_A})
    found = held_out.compare(tokens)
    share = np.mean(tokens[:, 0] == 0)
    margin = 1.96 * np.sqrt(share * (1 - share) / num)
    assert found["first_is_a"].value == pytest.approx(share)
    assert found["first_is_a"].high == pytest.approx(share + margin, abs=5 * margin / np.sqrt(400))
    assert held_out.heldout_sample["first_is_a"].value == np.mean(TASK.validation.tokens[:num, 0] == 0)
    others = evaluation.held_out(TASK, split="test", num=num).compare(tokens)
    assert found == others | {"first_is_a": found["first_is_a"]}


def test_a_config_names_all_of_them(monkeypatch):
    monkeypatch.setitem(registries.TASKS, "chain", chain_task)
    monkeypatch.setitem(registries.GENERATORS, "chain", chain)
    monkeypatch.setitem(registries.DISCRIMINATORS, "pairs", pairs)
    monkeypatch.setitem(registries.ALGORITHMS, "smoothed", registries.AlgorithmEntry(smoothed_likelihood))
    config = quicktest.get_config()
    with config.unlocked(), config.ignore_type():
        config.task = ConfigDict({"name": "chain", "num_train": 600})
        config.algorithm.generator = ConfigDict({"name": "chain"})
        config.algorithm.discriminator = ConfigDict({"name": "pairs"})
    adversarial = build.build(run_config.parse(config)).algorithm
    assert adversarial.init(jax.random.key(0)).discriminator_params["pairs"].shape == (3, 3)
    with config.unlocked(), config.ignore_type():
        config.num_shards, config.num_steps = 1, 100
        config.algorithm = ConfigDict(
            {
                "name": "smoothed",
                "generator": {"name": "chain"},
                "num_latent_draws": 1,
                "smoothing": "linear(0.5, 0.3)",
                "optimizer": {"name": "adam", "learning_rate": "cosine(0.1, 0.01)", "b1": 0.9, "b2": 0.999},
            }
        )
    experiment = build.build(run_config.parse(config))
    params = experiment.algorithm.params(run(experiment.algorithm, experiment.data, 100))
    optimum = 0.7 * shares(experiment.data.tokens) + 0.1
    np.testing.assert_allclose(jax.nn.softmax(params), optimum, atol=0.05)
    with config.unlocked():
        config.algorithm.smoothness = 0.1
    with pytest.raises(ValueError, match=r"config\.algorithm has no setting 'smoothness' .did you mean 'smoothing'"):
        build.build(run_config.parse(config))
