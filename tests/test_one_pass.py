"""Generators that write all symbols at once: their samples, likelihoods and gradients, and each method's step."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gumbel_gan as gg
from gumbel_gan import model as model_lib
from gumbel_gan import one_pass
from gumbel_gan.networks.conditions import Labels, Sequences, Vectors
from tests.parameters import random_params
from tests.slow import slow

NUM_SYMBOLS, LENGTH, BATCH = 3, 4, 16
EVERY = jnp.array(list(itertools.product(range(NUM_SYMBOLS), repeat=LENGTH)), jnp.int32)
make = functools.partial(gg.one_pass_generator, NUM_SYMBOLS, LENGTH, 4, num_layers=1, num_heads=2, latent_size=2)
GENERATORS = {
    "transformer": make,
    "self-conditioned": functools.partial(make, self_conditioning=True),
    "convolutional": functools.partial(
        gg.convolutional_one_pass_generator, NUM_SYMBOLS, LENGTH, 4, num_blocks=1, kernel_size=3, latent_size=2
    ),
}
RULES = {
    "no padding": {},
    "padding": {"padding": 0, "allow_empty": False},
    "padding ends": {"padding": 0, "padding_ends": True, "allow_empty": False},
}
DISCRIMINATOR = gg.lstm_discriminator(NUM_SYMBOLS, 3)
SGD = {"generator_optimizer": optax.sgd(0.1), "discriminator_optimizer": optax.sgd(0.1)}


def model_of(generator=None, rules="padding ends", **settings):
    return gg.sequence_model(generator or make(), length=LENGTH, num_latent_draws=4, **RULES[rules], **settings)


def one_by_one(generator):
    """Returns the same generator without `independent_logits`, so that it generates one symbol at a time."""
    return generator._replace(independent_logits=None)


def sequences_that_exist(rules):
    """Returns a mask of the sequences in `EVERY` that the padding rules allow."""
    tokens = np.asarray(EVERY)
    begins = tokens[:, 0] != 0
    ends = ~((tokens != 0) & np.maximum.accumulate(tokens == 0, axis=1)).any(axis=1)
    return {"no padding": np.ones_like(begins), "padding": begins, "padding ends": begins & ends}[rules]


@pytest.mark.parametrize("rules", slow(sorted(RULES), "padding"))
def test_all_at_once_equals_one_by_one(rules):
    models = model_of(rules=rules), model_of(one_by_one(make()), rules=rules)
    params = random_params(models[0].init)

    @jax.jit
    def both(params):
        return [
            {
                "sample": model.sample(jax.random.key(2), params, 50, temperature=0.8),
                "exact": model.sample(jax.random.key(2), params, 50, exact_length=3),
                "complete": model.complete(jax.random.key(3), params, EVERY, jnp.int32(2)),
                "log_prob": model.log_prob(params, EVERY),
            }
            for model in models
        ]

    fast, slow = both(params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), fast, slow)
    np.testing.assert_allclose(np.exp(fast["log_prob"]).sum(), 1.0, rtol=1e-5)
    np.testing.assert_allclose(np.exp(fast["log_prob"])[~sequences_that_exist(rules)], 0.0, atol=1e-30)
    assert (np.asarray(fast["exact"]) > 0).all() == (rules != "no padding")


@pytest.mark.parametrize(
    "estimator",
    [
        pytest.param(gg.soft, id="soft", marks=pytest.mark.slow),
        pytest.param(gg.gumbel_rao(num_draws=2), id="gumbel_rao"),
    ],
)
def test_relaxed_samples_and_their_gradients_equal_those_one_by_one(estimator):
    models = model_of(), model_of(one_by_one(make()))
    params = random_params(models[0].init)
    weights = jax.random.normal(jax.random.key(4), (*EVERY.shape, NUM_SYMBOLS))

    @jax.jit
    def both(params):
        def relaxed(params, model):
            given = model_lib.inputs(model, jax.random.key(0), len(EVERY))
            x = model_lib.relaxed_sample(
                jax.random.key(1), model, params, len(EVERY), given, estimator=estimator, temperature=0.7
            )
            return jnp.sum(weights * x**2), x

        return [jax.value_and_grad(relaxed, has_aux=True)(params, model) for model in models]

    fast, slow = both(params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), fast, slow)
    x = np.asarray(fast[0][1])
    ended = np.maximum.accumulate(x[:, :-1, 0] > 0.5, axis=1)
    np.testing.assert_array_equal(x[:, 1:][ended], np.tile([1.0, 0.0, 0.0], (ended.sum(), 1)))


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_samples_follow_the_product_of_the_positions_given_the_latent(name):
    model, num = model_of(GENERATORS[name](), "padding ends"), 20_000
    params = random_params(model.init)
    latent = jnp.broadcast_to(jnp.array([[0.5, -1.0]]), (num, 2))

    @jax.jit
    def both(params):
        tokens = model_lib.sample(jax.random.key(1), model, params, num, {"latent": latent}, length=LENGTH)
        log_probs = model_lib.token_log_probs(model, params, EVERY, {"latent": latent[: len(EVERY)]})
        return tokens, jnp.sum(log_probs, axis=1)

    tokens, log_probs = both(params)
    probs = np.exp(log_probs)
    np.testing.assert_allclose(probs.sum(), 1.0, rtol=1e-5)
    counts = np.bincount(np.asarray(tokens) @ NUM_SYMBOLS ** np.arange(LENGTH)[::-1], minlength=len(EVERY))
    np.testing.assert_array_less(np.abs(counts / num - probs), 5 * np.sqrt(probs / num) + 1e-4)


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        (Labels(4), jnp.array([3, 0])),
        (Vectors(2), jnp.array([[0.5, 1.0], [-1.0, 0.0]])),
        (Sequences(7, padding=0), jnp.array([[1, 2, 3, 4], [6, 0, 0, 0]])),
    ],
)
def test_a_condition_and_dropout_change_the_logits(kind, condition):
    generator = make(condition=kind, dropout_rate=0.5)
    params = random_params(generator.init)
    latent = jnp.zeros((2, 2))

    @jax.jit
    def three_ways(params):
        logits = functools.partial(generator.independent_logits, params, 2, LENGTH, latent=latent)
        other = logits(condition=condition[::-1])
        return logits(condition=condition), other, logits(condition=condition, dropout_key=jax.random.key(0))

    given, other, dropped = three_ways(params)
    np.testing.assert_allclose(given, other[::-1], rtol=1e-5, atol=1e-6)
    assert float(jnp.abs(given - other).max()) > 1e-3
    assert float(jnp.abs(given - dropped).max()) > 1e-3
    with pytest.raises(ValueError, match="condition must be given"):
        generator.independent_logits(params, 2, LENGTH, latent=latent)


def test_self_conditioning_reads_what_the_network_would_write():
    generator, plain = make(self_conditioning=True), make()
    params = random_params(generator.init)
    without = {"params": {name: leaf for name, leaf in params["params"].items() if name != "estimate_embedding"}}
    assert jax.tree.structure(without) == jax.tree.structure(jax.eval_shape(plain.init, jax.random.key(0)))
    latent = jax.random.normal(jax.random.key(1), (BATCH, 2))

    def logits(params, **given):
        return generator.independent_logits(params, BATCH, LENGTH, latent=latent, **given)

    @jax.jit
    def compute(params):
        first = plain.independent_logits(without, BATCH, LENGTH, latent=latent)
        gradient = jax.grad(lambda params: jnp.sum(logits(params) ** 2))(params)
        return first, logits(params), logits(params, dropout_key=jax.random.key(2)), gradient

    first, second, in_training, gradient = compute(params)
    assert float(jnp.abs(first - second).max(axis=(1, 2)).min()) > 1e-3
    # In training, each sequence is conditioned on its estimate with probability 1/2.
    is_first, is_second = (np.isclose(in_training, each, rtol=1e-4, atol=1e-5).all((1, 2)) for each in (first, second))
    np.testing.assert_array_equal(is_first, ~is_second)
    assert 0 < is_first.sum() < BATCH
    gradient = gradient["params"]
    assert all(
        bool(jnp.any(gradient[name][leaf])) for name, leaf in (("estimate_embedding", "kernel"), ("head", "kernel"))
    )
    # The gradient treats the first probabilities as constant, although they also depend on the bias.
    np.testing.assert_allclose(gradient["head"]["bias"], 2 * second.sum((0, 1)), rtol=1e-4)
    assert generator.uses_dropout
    assert not plain.uses_dropout


def test_the_score_function_is_the_gradient_by_enumeration():
    """At one latent, the mean of loss times score over samples is the exact gradient of the expected loss."""
    model = model_of()
    params = random_params(model.init)
    weights = random_params(DISCRIMINATOR.init, seed=1)
    latent = {"latent": jnp.broadcast_to(jnp.array([[0.3, -0.7]]), (len(EVERY), 2))}
    losses = -DISCRIMINATOR.logits(weights, jax.nn.one_hot(EVERY, NUM_SYMBOLS))
    num = 4_000

    def log_probs(params, tokens, given):
        return jnp.sum(model_lib.token_log_probs(model, params, tokens, given), axis=1)

    @jax.jit
    def both(params):
        exact = jax.grad(lambda params: jnp.sum(jnp.exp(log_probs(params, EVERY, latent)) * losses))(params)
        given = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf[:1], (num, 2)), latent)
        tokens = model_lib.sample(jax.random.key(2), model, params, num, given, length=LENGTH)
        rows = tokens @ NUM_SYMBOLS ** jnp.arange(LENGTH)[::-1]

        def surrogate(params, token, row):
            one = jax.tree.map(lambda leaf: leaf[:1], given)
            return losses[row] * log_probs(params, token[None], one)[0]

        return exact, jax.vmap(jax.grad(surrogate), in_axes=(None, 0, 0))(params, tokens, rows)

    exact, samples = both(params)

    def compare(exact, samples):
        error = np.asarray(samples).std(axis=0) / np.sqrt(num)
        np.testing.assert_array_less(np.abs(np.asarray(samples).mean(axis=0) - exact), 5 * error + 1e-6)

    jax.tree.map(compare, exact, samples)


def test_without_a_latent_the_likelihood_is_greatest_at_the_shares_of_each_position():
    tokens = jnp.array([[1, 2, 0, 0], [1, 1, 2, 1], [2, 2, 1, 0], [1, 0, 2, 2]], jnp.int32)
    shares = np.stack([(np.asarray(tokens) == symbol).mean(axis=0) for symbol in range(NUM_SYMBOLS)], axis=1)
    table = jnp.log(jnp.asarray(shares, jnp.float32) + 1e-12)
    own = gg.independent_generator(
        lambda key: jnp.zeros((LENGTH, NUM_SYMBOLS)),
        lambda params, batch_size, length: jnp.broadcast_to(params[None, :length], (batch_size, length, NUM_SYMBOLS)),
        NUM_SYMBOLS,
    )
    model = gg.sequence_model(own, length=LENGTH)
    np.testing.assert_allclose(jax.grad(lambda table: model.log_prob(table, tokens).mean())(table), 0.0, atol=1e-6)
    products = np.prod(shares[np.arange(LENGTH), np.asarray(EVERY)], axis=1)
    np.testing.assert_allclose(np.exp(model.log_prob(table, EVERY)), products, atol=1e-6)


def test_errors_name_the_argument():
    generator = make()
    params = random_params(generator.init)
    with pytest.raises(ValueError, match="length must be at most 4, that of the network, got 5"):
        generator.independent_logits(params, 1, 5, latent=jnp.zeros((1, 2)))
    with pytest.raises(ValueError, match=r"latent must have shape \(1, 2\), got None"):
        generator.independent_logits(params, 1, LENGTH)
    with pytest.raises(ValueError, match="latent_size must be at least 0, got -1"):
        make(latent_size=-1)
    with pytest.raises(TypeError, match="independent_logits must be callable, got 3"):
        gg.independent_generator(generator.init, 3, NUM_SYMBOLS)
    with pytest.raises(ValueError, match=r"logits must be \[B, T, K\] with T at least 1, got shape \(2, 3\)"):
        one_pass.hard(jax.random.key(0), jnp.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"logits must be \[T, K\] for tokens of shape \(81, 4\), got shape \(3, 3\)"):
        one_pass.token_log_probs(jnp.zeros((3, 3)), EVERY)
    with pytest.raises(ValueError, match="num_given must be a finite number"):
        one_pass.completed(jax.random.key(0), jnp.zeros((81, 4, 3)), EVERY, 5)


METHODS = {
    "relaxed": lambda model: gg.relaxed_gan(
        model, DISCRIMINATOR, objective=gg.log_odds, estimator=gg.reinmax, penalty=gg.GradientPenalty(1.0, 1.0), **SGD
    ),
    "relaxed and score": lambda model: gg.relaxed_gan(
        model, DISCRIMINATOR, objective=gg.relativistic, estimator=gg.straight_through, score_weight=0.5, **SGD
    ),
    "policy gradient": lambda model: gg.policy_gradient(
        model, DISCRIMINATOR, reward=gg.logit, advantages=gg.monte_carlo(num_roll_outs=1), **SGD
    ),
    "maximum likelihood": lambda model: gg.maximum_likelihood(model, optimizer=optax.sgd(0.1), sampling_rate=0.5),
    "variational autoencoder": lambda model: gg.variational_autoencoder(
        model, gg.recurrent_encoder(NUM_SYMBOLS, 3, 2), optimizer=optax.sgd(0.1), kl_weight=0.5
    ),
}


@functools.cache
def steps_of_two_seeds(name):
    """Returns a method, two states, a batch, and both states after one step under vmap."""
    algorithm = METHODS[name](model_of())
    states = jax.tree.map(lambda *leaves: jnp.stack(leaves), *[random_state(algorithm, seed) for seed in range(2)])
    batch = gg.Batch(EVERY[sequences_that_exist("padding ends")][:BATCH])
    step = jax.jit(lambda keys, states: jax.vmap(algorithm.step, in_axes=(0, 0, None))(keys, states, batch))
    return algorithm, states, batch, step(jax.random.split(jax.random.key(0), 2), states)[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_method_takes_a_step(name):
    algorithm, states, _, new_states = steps_of_two_seeds(name)
    np.testing.assert_array_equal(new_states.step, [1, 1])
    before, after = algorithm.params(states, averaged=False), algorithm.params(new_states, averaged=False)
    assert all(jax.tree.leaves(jax.tree.map(lambda leaf: bool(jnp.isfinite(leaf).all()), after)))
    # Not all arrays change: the key bias of attention has no effect.
    assert sum(jax.tree.leaves(jax.tree.map(lambda a, b: bool(jnp.any(a != b)), before, after))) > 10


@pytest.mark.slow
def test_the_seeds_axis_equals_the_loop():
    algorithm, states, batch, together = steps_of_two_seeds("relaxed and score")
    state = jax.tree.map(lambda leaf: leaf[1], states)
    alone, _ = jax.jit(algorithm.step)(jax.random.split(jax.random.key(0), 2)[1], state, batch)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[1], b, rtol=1e-3, atol=1e-5), together, alone)


def random_state(algorithm, seed):
    state = random_params(algorithm.init, seed)
    return jax.tree.map(lambda leaf: jnp.zeros_like(leaf) if leaf.dtype == jnp.int32 else leaf, state)
