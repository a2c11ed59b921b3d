"""Each algorithm against the interface, and the relaxed GAN's step against the paper's Algorithm 1 written out."""

import itertools
from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gumbel_gan import schedules, training, unroll
from gumbel_gan.algorithms import (
    averaging,
    importance_gan,
    likelihood,
    maximum_likelihood,
    policy_gradient,
    professor_forcing,
    relaxed_gan,
)
from gumbel_gan.losses.advantages import per_prefix, roll_outs, terminal
from gumbel_gan.relaxation.estimators import ESTIMATORS
from gumbel_gan.networks import (
    Discriminator,
    behavior_discriminator,
    gru_discriminator,
    gru_generator,
    gru_prefix_discriminator,
    lstm_discriminator,
    lstm_generator,
)
from gumbel_gan.losses.objectives import OBJECTIVES
from gumbel_gan.losses.penalties import logits_and_gradients, zero_centred_gradient_penalty
from gumbel_gan.losses.rewards import REWARDS

NUM_SYMBOLS, LENGTH = 3, 4
EVERY = jnp.array(list(itertools.product(range(NUM_SYMBOLS), repeat=LENGTH)))
DATA = EVERY[::3]
OPTIMIZER = optax.sgd(0.1)


def make_generator(latent="none"):
    return lstm_generator(NUM_SYMBOLS, 3, latent=latent)


def make_gan(generator=None, discriminator=None, **settings):
    settings = {
        "length": LENGTH,
        "generator_optimizer": OPTIMIZER,
        "discriminator_optimizer": OPTIMIZER,
        "objective": OBJECTIVES["relativistic_pairing"],
        "estimator": ESTIMATORS["straight_through"],
        "temperature": schedules.linear(2.0, 1.0, 10),
        "real_penalty": schedules.constant(0.5),
        "generated_penalty": schedules.constant(2.0),
        "average_decay": 0.9,
    } | settings
    return relaxed_gan(generator or make_generator(), discriminator or lstm_discriminator(NUM_SYMBOLS, 3), **settings)


def make_mle(generator=None, **settings):
    return maximum_likelihood(generator or make_generator(), length=LENGTH, optimizer=OPTIMIZER, **settings)


def make_importance_gan(**settings):
    settings = {
        "data": np.asarray(DATA),
        "generator_optimizer": OPTIMIZER,
        "discriminator_optimizer": OPTIMIZER,
        "average_decay": 0.9,
    } | settings
    return importance_gan(make_generator(), lstm_discriminator(NUM_SYMBOLS, 3), **settings)


def make_policy_gradient(**settings):
    settings = {
        "length": LENGTH,
        "generator_optimizer": OPTIMIZER,
        "discriminator_optimizer": OPTIMIZER,
        "reward": REWARDS["logit"],
        "credit": terminal(),
        "real_penalty": schedules.constant(0.5),
        "generated_penalty": schedules.constant(0.5),
        "average_decay": 0.9,
    } | settings
    discriminator = settings.pop("discriminator", lstm_discriminator(NUM_SYMBOLS, 3))
    return policy_gradient(make_generator(), discriminator, **settings)


def make_professor_forcing(**settings):
    settings = {
        "length": LENGTH,
        "generator_optimizer": OPTIMIZER,
        "discriminator_optimizer": OPTIMIZER,
        "free_running_weight": schedules.constant(1.0),
        "teacher_forced_weight": schedules.constant(0.5),
        "average_decay": 0.9,
    } | settings
    return professor_forcing(make_generator(), behavior_discriminator(3 + NUM_SYMBOLS, 3), **settings)


ALGORITHMS = {
    "relaxed_gan": make_gan,
    "relaxed_gan with everything": lambda: make_gan(
        make_generator("hidden_and_cell"),
        feedback_temperature=schedules.constant(0.5),
        feedback_gradient=False,
        num_generated=7,
        instance_noise=schedules.constant(0.5),
        num_latent_draws=8,
    ),
    "the paper's relaxed_gan": lambda: make_gan(
        make_generator("hidden_and_cell"),
        lstm_discriminator(NUM_SYMBOLS, 3, pooling="last"),
        objective=OBJECTIVES["log_odds"],
        estimator=ESTIMATORS["soft"],
        real_penalty=None,
        generated_penalty=None,
        average_decay=0.0,
        num_latent_draws=8,
    ),
    "relaxed_gan of GRUs": lambda: make_gan(
        gru_generator(NUM_SYMBOLS, 3, latent="hidden"), gru_discriminator(NUM_SYMBOLS, 3), num_latent_draws=8
    ),
    "maximum_likelihood": make_mle,
    "maximum_likelihood, scheduled sampling": lambda: make_mle(sampling_rate=schedules.linear(0.1, 0.5, 10)),
    "policy_gradient": make_policy_gradient,
    "professor_forcing": make_professor_forcing,
    "policy_gradient, prefixes": lambda: make_policy_gradient(
        credit=per_prefix(discount=0.23, baseline_decay=0.08),
        discriminator=gru_prefix_discriminator(NUM_SYMBOLS, 3),
        real_penalty=None,
        generated_penalty=None,
    ),
    "policy_gradient, roll-outs, warm": lambda: make_policy_gradient(
        credit=roll_outs(num_roll_outs=2), warm_up_steps=2
    ),
    "importance_gan": make_importance_gan,
    "importance_gan, tempered": lambda: make_importance_gan(
        temper=0.5, adversarial=False, real_penalty=schedules.constant(0.5), generated_penalty=schedules.constant(0.5)
    ),
}


@pytest.fixture(params=sorted(ALGORITHMS), scope="module")
def algorithm(request):
    return ALGORITHMS[request.param]()


def test_a_step_keeps_the_state_s_structure_and_counts(algorithm):
    state = algorithm.init(jax.random.key(0))
    new_state, metrics = jax.jit(algorithm.step)(jax.random.key(1), state, DATA)
    chex.assert_trees_all_equal_shapes_and_dtypes(state, new_state)
    assert int(new_state.step) == 1
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(state))
    chex.assert_tree_all_finite((new_state, metrics))
    assert all(value.shape == () for value in metrics.values())
    moved = jax.tree.map(lambda old, new: jnp.abs(new - old).max(), state.generator, new_state.generator)
    assert max(jax.tree.leaves(moved)) > 0


def test_a_state_can_be_donated_from_the_start(algorithm):
    state = algorithm.init(jax.random.key(0))
    step = jax.jit(algorithm.step, donate_argnums=1)
    for key in jax.random.split(jax.random.key(1), 3):
        state, _ = step(key, state, DATA)
    assert int(state.step) == 3


def test_samples_are_tokens_and_their_likelihoods_finite(algorithm):
    state = algorithm.init(jax.random.key(0))
    tokens = jax.jit(algorithm.sample, static_argnums=2)(jax.random.key(1), state, 50)
    chex.assert_shape(tokens, (50, LENGTH))
    assert tokens.dtype == jnp.int32
    assert int(tokens.min()) >= 0
    assert int(tokens.max()) < NUM_SYMBOLS
    log_prob = jax.jit(algorithm.log_prob)(state, tokens)
    chex.assert_shape(log_prob, (50,))
    assert (np.asarray(log_prob) < 0).all()


def test_activations_are_those_along_a_sequence_whatever_comes_later(algorithm):
    state = algorithm.init(jax.random.key(0))
    activations = jax.jit(algorithm.activations)
    chex.assert_shape(activations(state, EVERY), (*EVERY.shape, 3))
    # A symbol enters the state after it.
    for time in range(LENGTH):
        change = activations(state, EVERY.at[:, time].set(0)) - activations(state, EVERY)
        np.testing.assert_array_equal(change[:, : time + 1], 0)
        assert (jnp.abs(change[:, time + 1 :]).max(axis=(0, 2)) > 1e-6).all()


def test_likelihoods_sum_to_one_over_all_sequences(algorithm):
    state = algorithm.init(jax.random.key(0))
    state = state._replace(average=jax.tree.map(lambda leaf: leaf * 3, state.average))
    np.testing.assert_allclose(np.exp(jax.jit(algorithm.log_prob)(state, EVERY)).sum(), 1.0, rtol=1e-5)


@pytest.mark.parametrize("latent", ["none", "hidden_and_cell"])
def test_sample_frequencies_are_the_likelihood_at_temperature_one(latent):
    algorithm = make_mle(make_generator(latent), num_latent_draws=4_000)
    state = algorithm.init(jax.random.key(0))
    state = state._replace(average=jax.tree.map(lambda leaf: leaf * 3, state.average))
    num = 20_000
    tokens = np.asarray(algorithm.sample(jax.random.key(1), state, num))
    counts = np.bincount(tokens @ NUM_SYMBOLS ** np.arange(LENGTH)[::-1], minlength=len(EVERY))
    probs = np.exp(algorithm.log_prob(state, EVERY))
    # The estimate over latents has an error of its own, below a twentieth here.
    np.testing.assert_array_less(np.abs(counts / num - probs), 5 * np.sqrt(probs / num) + 0.05 * probs)


@pytest.mark.parametrize("ends", [False, True])
def test_a_length_may_be_forced(ends):
    generator = lstm_generator(NUM_SYMBOLS, 3, padding=0, ends=ends)
    algorithm = make_mle(generator)
    state = algorithm.init(jax.random.key(0))
    for length in (2, LENGTH + 3):
        tokens = np.asarray(algorithm.sample(jax.random.key(1), state, 400, length=length))
        assert tokens.shape == (400, length)
        assert set(np.unique(tokens)) == {1, 2}
    usual = np.asarray(algorithm.sample(jax.random.key(1), state, 400))
    ended = np.maximum.accumulate(usual == 0, axis=1)
    assert ended[:, :-1].any()
    assert (usual[ended] == 0).all() == ends
    # The law of the first symbol is the usual one, given that it is no padding.
    shares = np.bincount(tokens[:, 0], minlength=3) / 400
    expected = np.bincount(usual[usual[:, 0] > 0][:, 0], minlength=3) / (usual[:, 0] > 0).sum()
    np.testing.assert_allclose(shares, expected, atol=5 * np.sqrt(0.25 / 200))


def test_temperature_sharpens_samples_and_leaves_likelihoods_alone():
    algorithm = make_mle()
    state = algorithm.init(jax.random.key(0))
    state = state._replace(average=jax.tree.map(lambda leaf: leaf * 3, state.average))
    log_probs = [
        float(jnp.mean(algorithm.log_prob(state, algorithm.sample(jax.random.key(1), state, 2_000, temperature=t))))
        for t in (0.2, 1.0, 5.0)
    ]
    assert log_probs == sorted(log_probs, reverse=True)


def test_latent_log_prob_is_the_mean_of_likelihoods_over_latents():
    # Against draws and products of its own: many latents, one token's probability after another.
    generator, num = make_generator("hidden"), 4_000
    params = jax.tree.map(lambda leaf: leaf * 3, generator.init(jax.random.key(0)))
    ours = np.exp(likelihood.log_prob(generator, params, EVERY[:4], num_latent_draws=num))
    hidden = jax.random.normal(jax.random.key(5), (num, 3))
    for tokens, probability in zip(EVERY[:4].tolist(), ours, strict=True):
        carry, x, product = (jnp.zeros((num, 3)), hidden), unroll.start_symbols(num, NUM_SYMBOLS), np.ones(num)
        for token in tokens:
            carry, logits = generator.step(params, carry, x)
            product = product * np.asarray(jax.nn.softmax(logits)[:, token])
            x = jnp.tile(jnp.eye(NUM_SYMBOLS + 1)[token][None], (num, 1))
        assert abs(product.mean() - probability) < 7 * product.std() / np.sqrt(num)  # both means err


def test_the_averaged_generator_is_sampled_and_scored(algorithm):
    state = algorithm.init(jax.random.key(0))
    louder = jax.tree.map(lambda leaf: leaf * 5, state.generator)
    for changed, same in ((state._replace(generator=louder), True), (state._replace(average=louder), False)):
        for result in (
            lambda state: algorithm.log_prob(state, EVERY),
            lambda state: algorithm.sample(jax.random.key(1), state, 60),
        ):
            assert bool(jnp.array_equal(result(state), result(changed))) == same


def test_the_average_starts_at_the_weights_and_follows_by_its_ramp():
    params, average = {"w": jnp.array(11.0)}, {"w": jnp.array(0.0)}
    for step, decay in ((0, 0.1), (8, 0.5), (10_000, 0.9)):
        moved = averaging.update(params, average, 0.9, jnp.int32(step))
        assert float(moved["w"]) == pytest.approx(11.0 * (1 - decay))


@pytest.mark.parametrize(("penalised_fraction", "num_penalised"), [(1.0, 27), (0.25, 7)])
def test_a_gan_step_is_the_paper_s_algorithm_one(penalised_fraction, num_penalised):
    generator, discriminator = make_generator("hidden_and_cell"), lstm_discriminator(NUM_SYMBOLS, 3)
    objective = OBJECTIVES["log_odds"]
    algorithm = make_gan(
        generator,
        discriminator,
        objective=objective,
        estimator=ESTIMATORS["soft"],
        penalised_fraction=penalised_fraction,
    )
    state = algorithm.init(jax.random.key(0))._replace(step=jnp.int32(5))
    ours, metrics = jax.jit(algorithm.step)(jax.random.key(1), state, DATA)

    real = jax.nn.one_hot(DATA, NUM_SYMBOLS)

    def generate(params):
        latent_key, noise_key = jax.random.split(jax.random.split(jax.random.key(1), 3)[0])
        return unroll.relaxed(
            noise_key,
            partial(generator.step, params),
            generator.initial_carry(latent_key, len(DATA)),
            unroll.start_symbols(len(DATA), NUM_SYMBOLS),
            LENGTH,
            estimator=ESTIMATORS["soft"],
            temperature=1.5,
        ).emitted

    fixed = generate(state.generator)

    def discriminator_loss(params):
        def d(x):
            return discriminator.logits(params, x)

        cross_entropy = -jnp.mean(jax.nn.log_sigmoid(d(real))) - jnp.mean(jax.nn.log_sigmoid(-d(fixed)))
        some = (real[:num_penalised], fixed[:num_penalised])
        r1, r2 = (zero_centred_gradient_penalty(logits_and_gradients(d, x)[1]) for x in some)
        penalties = 0.5 * r1 + 2.0 * r2
        return cross_entropy + penalties

    def descend(params, gradient):
        return jax.tree.map(lambda leaf, slope: leaf - 0.1 * slope, params, gradient)

    new_discriminator = descend(state.discriminator, jax.jit(jax.grad(discriminator_loss))(state.discriminator))

    def generator_loss(params):
        probability = jax.nn.sigmoid(discriminator.logits(new_discriminator, generate(params)))
        return -jnp.mean(jnp.log(probability / (1 - probability)))

    loss, gradient = jax.jit(jax.value_and_grad(generator_loss))(state.generator)
    new_generator = descend(state.generator, gradient)
    chex.assert_trees_all_close(ours.discriminator, new_discriminator, rtol=1e-4, atol=1e-6)
    chex.assert_trees_all_close(ours.generator, new_generator, rtol=1e-4, atol=1e-6)
    chex.assert_trees_all_close(
        ours.average, averaging.update(new_generator, state.average, 0.9, state.step), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(metrics["generator_loss"], loss, rtol=1e-4)
    np.testing.assert_allclose(metrics["temperature"], 1.5)


def test_the_score_function_gradient_is_the_exact_one_by_enumeration():
    # The discriminator's optimiser stands still, so that the generator's step is known: the gradient of
    # sum_y p(y) loss(d(y)) over all 81 sequences, to be met by the mean over steps of 64 samples each.
    generator, discriminator = make_generator(), lstm_discriminator(NUM_SYMBOLS, 3)
    algorithm = make_gan(
        generator,
        discriminator,
        objective=OBJECTIVES["non_saturating"],
        score_weight=1.0,
        num_generated=64,
        discriminator_optimizer=optax.sgd(0.0),
    )
    state = algorithm.init(jax.random.key(0))
    louder = jax.tree.map(lambda leaf: leaf * 3, state.discriminator)
    state = state._replace(discriminator=louder)

    def expected_loss(params):
        probs = jnp.exp(likelihood.log_prob(generator, params, EVERY, num_latent_draws=1))
        logits = discriminator.logits(louder, jax.nn.one_hot(EVERY, NUM_SYMBOLS))
        return jnp.sum(probs * -jax.nn.log_sigmoid(logits))

    exact = jax.grad(expected_loss)(state.generator)
    keys = jax.random.split(jax.random.key(1), 2_000)
    moved = jax.jit(jax.vmap(lambda key: algorithm.step(key, state, DATA)[0].generator))(keys)
    steps = jax.tree.map(lambda new, old: (old[None] - new) / 0.1, moved, state.generator)
    errors = jax.tree.map(lambda step: 5 * jnp.std(step, axis=0) / len(keys) ** 0.5 + 1e-7, steps)
    gaps = jax.tree.map(lambda step, goal: jnp.abs(jnp.mean(step, axis=0) - goal), steps, exact)
    assert all(jax.tree.leaves(jax.tree.map(lambda gap, error: bool((gap < error).all()), gaps, errors)))
    assert optax.tree.norm(exact) > 5 * optax.tree.norm(gaps)


def test_the_score_weight_mixes_the_two_gradients():
    def generator_step(weight):
        algorithm = make_gan(score_weight=weight)
        state = algorithm.init(jax.random.key(0))
        new_state, _ = jax.jit(algorithm.step)(jax.random.key(1), state, DATA)
        return jax.tree.map(lambda new, old: new - old, new_state.generator, state.generator)

    relaxed, mixed, score = (generator_step(weight) for weight in (0.0, 0.25, 1.0))
    expected = jax.tree.map(lambda a, b: 0.75 * a + 0.25 * b, relaxed, score)
    chex.assert_trees_all_close(mixed, expected, rtol=1e-4, atol=1e-6)
    assert optax.tree.norm(jax.tree.map(jnp.subtract, relaxed, score)) > 0.1 * optax.tree.norm(relaxed)


def test_a_gan_step_samples_the_generator_once():
    generator, calls = make_generator(), []

    def counted(params, carry, x):
        calls.append(x.shape)
        return generator.step(params, carry, x)

    algorithm = make_gan(generator._replace(step=counted))
    state = algorithm.init(jax.random.key(0))
    jax.eval_shape(algorithm.step, jax.random.key(1), state, DATA)
    assert calls == [(len(DATA), NUM_SYMBOLS + 1)]


def test_the_discriminator_gets_no_length_cue_that_the_other_side_lacks():
    # Real and generated sequences of all lengths reach it whole, T symbols long, padding among them as symbol 0: let
    # the data be what the generator will write, and neither the discriminator nor its input can tell which is which.
    inner, seen = lstm_discriminator(NUM_SYMBOLS, 3), []

    def recorded(params, x):
        jax.debug.callback(lambda x: seen.append(np.asarray(x)), x)
        return inner.logits(params, x)

    generator = make_generator()
    algorithm = make_gan(generator, Discriminator(inner.init, recorded), objective=OBJECTIVES["log_odds"])
    state = algorithm.init(jax.random.key(0))
    noise_key = jax.random.split(jax.random.split(jax.random.key(1), 3)[0])[1]
    step, start = partial(generator.step, state.generator), unroll.start_symbols(27, NUM_SYMBOLS)
    carry = generator.initial_carry(jax.random.key(0), 27)
    settings = {"estimator": ESTIMATORS["straight_through"], "temperature": 1.0}
    data = unroll.relaxed(noise_key, step, carry, start, LENGTH, **settings).emitted.argmax(-1)
    assert len({int(jnp.sum(row != 0)) for row in data}) > 2
    _, metrics = jax.jit(algorithm.step)(jax.random.key(1), state, data)
    jax.effects_barrier()
    together = [x for x in seen if len(x) == 2 * 27]
    apart = [x for x in seen if len(x) == 27]
    assert together
    assert {x.shape[1:] for x in seen} == {(LENGTH, NUM_SYMBOLS)}
    for real, generated in [*((x[:27], x[27:]) for x in together), *zip(apart[::2], apart[1::2], strict=True)]:
        np.testing.assert_array_equal(real, generated)
    assert float(metrics["real_logit"]) == float(metrics["generated_logit"])
    assert float(metrics["real_penalty"]) == float(metrics["generated_penalty"])


def test_the_number_generated_may_differ_from_the_batch():
    generator, shapes = make_generator(), []

    def recorded(params, carry, x):
        shapes.append(x.shape[0])
        return generator.step(params, carry, x)

    algorithm = make_gan(generator._replace(step=recorded), num_generated=40)
    jax.eval_shape(algorithm.step, jax.random.key(1), algorithm.init(jax.random.key(0)), DATA)
    assert shapes == [40]


def test_hyperparameters_may_be_vmapped():
    def final_temperature(end):
        algorithm = make_gan(temperature=schedules.linear(5.0, end, 10))
        state = algorithm.init(jax.random.key(0))
        return algorithm.step(jax.random.key(1), state._replace(step=jnp.int32(10)), DATA)[1]["temperature"]

    np.testing.assert_allclose(jax.jit(jax.vmap(final_temperature))(jnp.array([1.0, 0.5])), [1.0, 0.5])


def test_maximum_likelihood_finds_a_small_law():
    # Two sequences, one three times as frequent: the optimum is their empirical law.
    data = jnp.array([[1, 2, 0, 0]] * 3 + [[2, 0, 0, 0]])
    algorithm = maximum_likelihood(make_generator(), length=LENGTH, optimizer=optax.adam(0.05))
    keys = training.run_keys(0)
    state = algorithm.init(keys.init)
    train = partial(training.train, algorithm, batch_size=4, num_steps=400)
    state, metrics = jax.jit(train)(keys.train, state, data)
    assert metrics["generator_loss"][-50:].mean() == pytest.approx(0.562, abs=0.1)  # the law's entropy
    np.testing.assert_allclose(np.exp(algorithm.log_prob(state, data[2:])), [0.75, 0.25], atol=0.12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"average_decay": 1.0}, r"average_decay must be in \[0, 1\), got 1\.0"),
        ({"num_latent_draws": 0}, "num_latent_draws must be at least 1, got 0"),
    ],
)
def test_bad_arguments_are_named(settings, message):
    for make in (make_gan, make_mle):
        with pytest.raises(ValueError, match=message):
            make(**settings)
    with pytest.raises(ValueError, match="num_generated must be at least 1, got 0"):
        make_gan(num_generated=0)
    with pytest.raises(ValueError, match=r"score_weight must be in \[0, 1\], got 1\.5"):
        make_gan(score_weight=1.5)
    for fraction in (0.0, 1.5):
        with pytest.raises(ValueError, match=rf"penalised_fraction must be in \(0, 1\], got {fraction}"):
            make_gan(penalised_fraction=fraction)
    with pytest.raises(ValueError, match="num_generated must be at least 2 where score_weight is not 0, got 1"):
        make_gan(score_weight=0.5, num_generated=1)
    with pytest.raises(ValueError, match="score_weight must be 0 for an estimator of samples that are not one-hot"):
        make_gan(score_weight=0.5, estimator=ESTIMATORS["soft"])
