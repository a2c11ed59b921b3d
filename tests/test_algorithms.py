"""Each algorithm against the interface, and a step of the relaxed GAN against the paper's Algorithm 1."""

import itertools
from functools import partial
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gumbel_gan as gg
from gumbel_gan import schedules, training, unroll
from gumbel_gan.algorithms import _ema
from gumbel_gan.losses.objectives import loss_of_each
from gumbel_gan.losses.penalties import logits_and_gradients, zero_centered_gradient_penalty
from gumbel_gan.networks import (
    Discriminator,
    behavior_discriminator,
    convolutional_one_pass_generator,
    gru_discriminator,
    gru_generator,
    gru_prefix_discriminator,
    lstm_discriminator,
    lstm_generator,
)
from tests.slow import slow

NUM_SYMBOLS, LENGTH = 3, 4
EVERY = jnp.array(list(itertools.product(range(NUM_SYMBOLS), repeat=LENGTH)), jnp.int32)
DATA = EVERY[::3]
BATCH = gg.Batch(DATA)
OPTIMIZER = optax.sgd(0.1)


def make_generator(latent="none"):
    return lstm_generator(NUM_SYMBOLS, 3, latent=latent)


def make_model(generator=None, **settings):
    return gg.sequence_model(generator or make_generator(), length=LENGTH, **settings)


def make_gan(model=None, discriminator=None, **settings):
    settings = {
        "generator_optimizer": OPTIMIZER,
        "discriminator_optimizer": OPTIMIZER,
        "objective": gg.relativistic,
        "estimator": gg.straight_through,
        "temperature": schedules.linear(2.0, 1.0, 10),
        "penalty": gg.GradientPenalty(0.5, 2.0),
        "ema_decay": 0.9,
    } | settings
    return gg.relaxed_gan(model or make_model(), discriminator or lstm_discriminator(NUM_SYMBOLS, 3), **settings)


def make_mle(model=None, **settings):
    return gg.maximum_likelihood(model or make_model(), optimizer=OPTIMIZER, **settings)


def make_importance_gan(**settings):
    settings = {
        "generator_optimizer": OPTIMIZER,
        "discriminator_optimizer": OPTIMIZER,
        "ema_decay": 0.9,
    } | settings
    return gg.importance_gan(make_model(), lstm_discriminator(NUM_SYMBOLS, 3), **settings)


def make_policy_gradient(**settings):
    settings = {
        "generator_optimizer": OPTIMIZER,
        "discriminator_optimizer": OPTIMIZER,
        "reward": gg.logit,
        "advantages": gg.reinforce(),
        "penalty": gg.GradientPenalty(0.5, 0.5),
        "ema_decay": 0.9,
    } | settings
    discriminator = settings.pop("discriminator", lstm_discriminator(NUM_SYMBOLS, 3))
    return gg.policy_gradient(make_model(), discriminator, **settings)


def make_professor_forcing(**settings):
    settings = {
        "generator_optimizer": OPTIMIZER,
        "discriminator_optimizer": OPTIMIZER,
        "free_running_weight": 1.0,
        "teacher_forced_weight": 0.5,
        "ema_decay": 0.9,
    } | settings
    return gg.professor_forcing(make_model(), behavior_discriminator(3 + NUM_SYMBOLS, 3), **settings)


def make_distilled_gan(model=None, **settings):
    settings = {
        "generator_optimizer": OPTIMIZER,
        "discriminator_optimizer": OPTIMIZER,
        "autoencoder_optimizer": OPTIMIZER,
        "discriminator_updates": 3,
        "ema_decay": 0.9,
    } | settings
    one_pass = convolutional_one_pass_generator(NUM_SYMBOLS, LENGTH, 3, num_blocks=1, kernel_size=3, latent_size=2)
    return gg.distilled_gan(
        model or make_model(one_pass, num_latent_draws=8),
        gg.convolutional_discriminator(NUM_SYMBOLS, 3, num_blocks=1, kernel_size=2),
        gg.recurrent_encoder(NUM_SYMBOLS, 3, 2),
        one_pass,
        **settings,
    )


ALGORITHMS = {
    "distilled_gan": make_distilled_gan,
    "distilled_gan, relaxed samples": lambda: make_distilled_gan(
        make_model(), estimator=gg.soft, temperature=schedules.linear(2.0, 1.0, 10), reconstruction="cross_entropy"
    ),
    "relaxed_gan": make_gan,
    "relaxed_gan with everything": lambda: make_gan(
        make_model(make_generator("hidden_and_cell"), num_latent_draws=8),
        feedback=gg.Feedback(temperature=0.5, gradient=False),
        num_generated=7,
        instance_noise=0.5,
    ),
    "relaxed_gan, two updates of a discriminator with dropout": lambda: make_gan(
        make_model(lstm_generator(NUM_SYMBOLS, 3, dropout_rate=0.2)),
        lstm_discriminator(NUM_SYMBOLS, 3, dropout_rate=0.2),
        score_weight=0.5,
        discriminator_updates=3,
    ),
    "the paper's relaxed_gan": lambda: make_gan(
        make_model(make_generator("hidden_and_cell"), num_latent_draws=8),
        lstm_discriminator(NUM_SYMBOLS, 3, pooling="last"),
        objective=gg.log_odds,
        estimator=gg.soft,
        penalty=gg.GradientPenalty(),
        ema_decay=0.0,
    ),
    "relaxed_gan of GRUs": lambda: make_gan(
        make_model(gru_generator(NUM_SYMBOLS, 3, latent="hidden"), num_latent_draws=8),
        gru_discriminator(NUM_SYMBOLS, 3),
    ),
    "maximum_likelihood": make_mle,
    "maximum_likelihood, scheduled sampling": lambda: make_mle(sampling_rate=schedules.linear(0.1, 0.5, 10)),
    "policy_gradient": make_policy_gradient,
    "professor_forcing": make_professor_forcing,
    "policy_gradient, prefixes": lambda: make_policy_gradient(
        advantages=gg.per_prefix(discount=0.23, baseline_decay=0.08),
        discriminator=gru_prefix_discriminator(NUM_SYMBOLS, 3),
        penalty=gg.GradientPenalty(),
    ),
    "policy_gradient, roll-outs, warm": lambda: make_policy_gradient(
        advantages=gg.monte_carlo(num_roll_outs=2), warm_up_steps=2
    ),
    "importance_gan": make_importance_gan,
    "importance_gan, tempered": lambda: make_importance_gan(
        weight_exponent=0.5, adversarial=False, penalty=gg.GradientPenalty(0.5, 0.5)
    ),
}


@pytest.fixture(
    params=slow(
        sorted(ALGORITHMS),
        "relaxed_gan, two updates of a discriminator with dropout",
        "relaxed_gan of GRUs",
        "the paper's relaxed_gan",
        "distilled_gan",
        "importance_gan, tempered",
    ),
    scope="module",
)
def algorithm(request):
    return ALGORITHMS[request.param]()


class Trained(NamedTuple):
    before: Any
    after: Any
    metrics: dict[str, jax.Array]
    third: Any


@pytest.fixture(scope="module")
def trained(algorithm):
    """Runs three steps with donated states, and keeps the states before and after the first step and its metrics."""
    state = algorithm.init(jax.random.key(0))
    before = jax.tree.map(jnp.copy, state)
    step = jax.jit(algorithm.step, donate_argnums=1)
    first, *others = jax.random.split(jax.random.key(1), 3)
    state, metrics = step(first, state, BATCH)
    after = jax.tree.map(jnp.copy, state)
    for key in others:
        state, _ = step(key, state, BATCH)
    return Trained(before, after, metrics, state)


def test_a_step_keeps_the_state_s_structure_and_counts(algorithm, trained):
    chex.assert_trees_all_equal_shapes_and_dtypes(trained.before, trained.after)
    assert int(trained.after.step) == 1
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(trained.before))
    chex.assert_tree_all_finite((trained.after, trained.metrics))
    assert all(value.shape == () for value in trained.metrics.values())
    old_params, new_params = (algorithm.params(each, averaged=False) for each in (trained.before, trained.after))
    moved = jax.tree.map(lambda old, new: jnp.abs(new - old).max(), old_params, new_params)
    assert max(jax.tree.leaves(moved)) > 0


def test_a_state_can_be_donated_from_the_start(trained):
    assert int(trained.third.step) == 3


def test_the_averaged_or_the_newest_parameters_may_be_asked_for(algorithm, trained):
    newest, averaged, usual = (
        algorithm.params(trained.after, averaged=False),
        algorithm.params(trained.after, averaged=True),
        algorithm.params(trained.after),
    )
    chex.assert_trees_all_equal(averaged, usual)
    chex.assert_trees_all_equal_shapes_and_dtypes(newest, averaged)
    assert np.isfinite(algorithm.model.log_prob(newest, EVERY)).all()


def test_the_average_starts_at_the_weights_and_follows_by_its_ramp():
    params, average = {"w": jnp.array(11.0)}, {"w": jnp.array(0.0)}
    for step, decay in ((0, 0.1), (8, 0.5), (10_000, 0.9)):
        moved = _ema.update(params, average, 0.9, jnp.int32(step))
        assert float(moved["w"]) == pytest.approx(11.0 * (1 - decay))


@pytest.mark.parametrize(
    ("penalized_fraction", "num_penalized"), [pytest.param(1.0, 27, marks=pytest.mark.slow), (0.25, 7)]
)
def test_a_gan_step_is_the_paper_s_algorithm_one(penalized_fraction, num_penalized):
    generator, discriminator = make_generator("hidden_and_cell"), lstm_discriminator(NUM_SYMBOLS, 3)
    algorithm = make_gan(
        make_model(generator),
        discriminator,
        objective=gg.log_odds,
        estimator=gg.soft,
        penalty=gg.GradientPenalty(0.5, 2.0, penalized_fraction),
    )
    state = algorithm.init(jax.random.key(0))._replace(step=jnp.int32(5))
    ours, metrics = jax.jit(algorithm.step)(jax.random.key(1), state, BATCH)

    real = jax.nn.one_hot(DATA, NUM_SYMBOLS)

    def generate(params):
        latent_key, noise_key = jax.random.split(jax.random.split(jax.random.key(1), 3)[0])
        return unroll.relaxed(
            noise_key,
            partial(generator.step, params),
            generator.initial_carry(params, len(DATA), LENGTH, latent=generator.sample_latent(latent_key, len(DATA))),
            unroll.start_symbols(len(DATA), NUM_SYMBOLS),
            LENGTH,
            estimator=gg.soft,
            temperature=1.5,
        )

    fixed = generate(state.generator_params)

    def discriminator_loss(params):
        def d(x):
            return discriminator.logits(params, x)

        cross_entropy = -jnp.mean(jax.nn.log_sigmoid(d(real))) - jnp.mean(jax.nn.log_sigmoid(-d(fixed)))
        some = (real[:num_penalized], fixed[:num_penalized])
        r1, r2 = (zero_centered_gradient_penalty(logits_and_gradients(d, x)[1]) for x in some)
        penalties = 0.5 * r1 + 2.0 * r2
        return cross_entropy + penalties

    def descend(params, gradient):
        return jax.tree.map(lambda leaf, slope: leaf - 0.1 * slope, params, gradient)

    new_discriminator = descend(
        state.discriminator_params, jax.jit(jax.grad(discriminator_loss))(state.discriminator_params)
    )

    def generator_loss(params):
        probability = jax.nn.sigmoid(discriminator.logits(new_discriminator, generate(params)))
        return -jnp.mean(jnp.log(probability / (1 - probability)))

    loss, gradient = jax.jit(jax.value_and_grad(generator_loss))(state.generator_params)
    new_generator = descend(state.generator_params, gradient)
    chex.assert_trees_all_close(ours.discriminator_params, new_discriminator, rtol=1e-4, atol=1e-6)
    chex.assert_trees_all_close(ours.generator_params, new_generator, rtol=1e-4, atol=1e-6)
    chex.assert_trees_all_close(
        ours.ema_params, _ema.update(new_generator, state.ema_params, 0.9, state.step), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(metrics["generator_loss"], loss, rtol=1e-4)
    np.testing.assert_allclose(metrics["temperature"], 1.5)


@pytest.mark.slow
def test_the_score_function_gradient_is_the_exact_one_by_enumeration():
    # The discriminator's learning rate is 0, so the exact gradient of the generator is known: that of
    # sum_y p(y) loss(d(y)) over all 81 sequences. The mean over steps of 64 samples each must agree with it.
    model, discriminator = make_model(), lstm_discriminator(NUM_SYMBOLS, 3)
    algorithm = make_gan(
        model,
        discriminator,
        objective=gg.non_saturating,
        score_weight=1.0,
        num_generated=64,
        discriminator_optimizer=optax.sgd(0.0),
    )
    state = algorithm.init(jax.random.key(0))
    louder = jax.tree.map(lambda leaf: leaf * 3, state.discriminator_params)
    state = state._replace(discriminator_params=louder)

    def expected_loss(params):
        probs = jnp.exp(model.log_prob(params, EVERY))
        logits = discriminator.logits(louder, jax.nn.one_hot(EVERY, NUM_SYMBOLS))
        return jnp.sum(probs * -jax.nn.log_sigmoid(logits))

    exact = jax.grad(expected_loss)(state.generator_params)
    keys = jax.random.split(jax.random.key(1), 2_000)
    moved = jax.jit(jax.vmap(lambda key: algorithm.step(key, state, BATCH)[0].generator_params))(keys)
    steps = jax.tree.map(lambda new, old: (old[None] - new) / 0.1, moved, state.generator_params)
    errors = jax.tree.map(lambda step: 5 * jnp.std(step, axis=0) / len(keys) ** 0.5 + 1e-7, steps)
    gaps = jax.tree.map(lambda step, goal: jnp.abs(jnp.mean(step, axis=0) - goal), steps, exact)
    assert all(jax.tree.leaves(jax.tree.map(lambda gap, error: bool((gap < error).all()), gaps, errors)))
    assert optax.tree.norm(exact) > 5 * optax.tree.norm(gaps)


OBJECTIVES = (
    *(gg.log_odds, gg.ratio_kl, gg.ratio_pearson, gg.ratio_squared_hellinger, gg.pearson_fit, gg.least_squares),
    *(gg.hinge, gg.wasserstein, gg.moment_matching, gg.variational_kl, gg.variational_reverse_kl),
    *(gg.variational_pearson, gg.variational_squared_hellinger, gg.variational_jensen_shannon),
    *(gg.minimax, gg.non_saturating, gg.relativistic),
)


@pytest.mark.slow
def test_every_objective_trains_with_all_penalties_and_an_averaged_discriminator():
    # The step is compiled once and vmapped over the objectives.
    settings = {
        "score_weight": 0.5,
        "penalty": gg.GradientPenalty(0.5, 2.0, interpolated_weight=10.0, fraction=0.5),
        "discriminator_ema_decay": 0.5,
    }
    state = make_gan(**settings).init(jax.random.key(0))

    def step(index):
        def chosen(losses):
            return lambda real, generated: jax.lax.switch(index, losses, real, generated)

        objective = gg.Objective(
            chosen([each.discriminator_loss for each in OBJECTIVES]),
            chosen([each.generator_loss for each in OBJECTIVES]),
            chosen([partial(loss_of_each, each) for each in OBJECTIVES]),
        )
        return make_gan(objective=objective, **settings).step(jax.random.key(1), state, BATCH)

    states, metrics = jax.jit(jax.vmap(step))(jnp.arange(len(OBJECTIVES)))
    chex.assert_tree_all_finite((states, metrics))
    assert (metrics["interpolated_penalty"] > 0).all()
    moved = jax.tree.map(
        lambda new, old: np.abs(np.asarray(new) - np.asarray(old)).reshape(len(OBJECTIVES), -1).max(1),
        states.generator_params,
        state.generator_params,
    )
    assert (np.max(jax.tree.leaves(moved), axis=0) > 1e-6).all()
    losses = np.asarray(metrics["generator_loss"])
    # Within its margins, the hinge loss has the gradient of the Wasserstein loss, so the generator losses are equal.
    assert len(np.unique(losses)) == len(OBJECTIVES) - 1


@pytest.mark.slow
def test_a_generator_may_be_trained_against_an_averaged_discriminator():
    # A discriminator whose logits are proportional to its only parameter.
    discriminator = Discriminator(lambda key: jnp.float32(1.0), lambda params, x: params * x[:, 0, 0])

    def stepped(**settings):
        algorithm = make_gan(
            discriminator=discriminator, objective=gg.wasserstein, penalty=gg.GradientPenalty(), **settings
        )
        state = algorithm.init(jax.random.key(0))._replace(step=jnp.int32(1_000))
        return jax.jit(algorithm.step)(jax.random.key(1), state, BATCH)

    (newest, newest_metrics), (averaged, metrics), (same, _) = (
        stepped(**settings) for settings in ({}, {"discriminator_ema_decay": 0.9}, {"discriminator_ema_decay": 0.0})
    )
    assert newest.discriminator_ema_params is None
    np.testing.assert_allclose(averaged.discriminator_ema_params, 0.9 + 0.1 * averaged.discriminator_params, rtol=1e-6)
    ratio = averaged.discriminator_ema_params / newest.discriminator_params
    np.testing.assert_allclose(metrics["generator_loss"], newest_metrics["generator_loss"] * ratio, rtol=1e-5)
    assert abs(ratio - 1) > 1e-3
    chex.assert_trees_all_close(newest.generator_params, same.generator_params)
    with pytest.raises(ValueError, match="discriminator_ema_decay must be a finite number"):
        make_gan(discriminator_ema_decay=1.0)


@pytest.mark.slow
def test_the_score_weight_mixes_the_two_gradients():
    def generator_step(weight):
        algorithm = make_gan(score_weight=weight)
        state = algorithm.init(jax.random.key(0))
        new_state, _ = jax.jit(algorithm.step)(jax.random.key(1), state, BATCH)
        return jax.tree.map(lambda new, old: new - old, new_state.generator_params, state.generator_params)

    relaxed, mixed, score = (generator_step(weight) for weight in (0.0, 0.25, 1.0))
    expected = jax.tree.map(lambda a, b: 0.75 * a + 0.25 * b, relaxed, score)
    chex.assert_trees_all_close(mixed, expected, rtol=1e-4, atol=1e-6)
    assert optax.tree.norm(jax.tree.map(jnp.subtract, relaxed, score)) > 0.1 * optax.tree.norm(relaxed)


def test_a_gan_step_samples_the_generator_once():
    generator, calls = make_generator(), []

    def counted(params, carry, x):
        calls.append(x.shape)
        return generator.step(params, carry, x)

    algorithm = make_gan(make_model(generator._replace(step=counted)))
    state = algorithm.init(jax.random.key(0))
    jax.eval_shape(algorithm.step, jax.random.key(1), state, BATCH)
    assert calls == [(len(DATA), NUM_SYMBOLS + 1)]


def test_the_discriminator_gets_no_length_cue_that_the_other_side_lacks():
    # The discriminator reads all T symbols of each sequence, with padding as symbol 0. Here the data are the sequences
    # that the generator will draw, so the real and generated inputs of the discriminator must be equal.
    inner, seen = lstm_discriminator(NUM_SYMBOLS, 3), []

    def recorded(params, x):
        jax.debug.callback(lambda x: seen.append(np.asarray(x)), x)
        return inner.logits(params, x)

    generator = make_generator()
    algorithm = make_gan(make_model(generator), Discriminator(inner.init, recorded), objective=gg.log_odds)
    state = algorithm.init(jax.random.key(0))
    noise_key = jax.random.split(jax.random.split(jax.random.key(1), 3)[0])[1]
    step, start = partial(generator.step, state.generator_params), unroll.start_symbols(27, NUM_SYMBOLS)
    carry = generator.initial_carry(state.generator_params, 27, LENGTH)
    settings = {"estimator": gg.straight_through, "temperature": 1.0}
    data = unroll.relaxed(noise_key, step, carry, start, LENGTH, **settings).argmax(-1)
    assert len({int(jnp.sum(row != 0)) for row in data}) > 2
    _, metrics = jax.jit(algorithm.step)(jax.random.key(1), state, gg.Batch(data))
    jax.effects_barrier()
    together = [x for x in seen if len(x) == 2 * 27]
    apart = [x for x in seen if len(x) == 27]
    assert together
    assert {x.shape[1:] for x in seen} == {(LENGTH, NUM_SYMBOLS)}
    for real, generated in [*((x[:27], x[27:]) for x in together), *zip(apart[::2], apart[1::2], strict=True)]:
        np.testing.assert_array_equal(real, generated)
    assert float(metrics["real_logit"]) == float(metrics["generated_logit"])
    assert float(metrics["real_penalty"]) == float(metrics["generated_penalty"])


@pytest.mark.slow
def test_the_number_generated_may_differ_from_the_batch():
    generator, shapes = make_generator(), []

    def recorded(params, carry, x):
        shapes.append(x.shape[0])
        return generator.step(params, carry, x)

    algorithm = make_gan(make_model(generator._replace(step=recorded)), num_generated=40)
    jax.eval_shape(algorithm.step, jax.random.key(1), algorithm.init(jax.random.key(0)), BATCH)
    assert shapes == [40]


def test_maximum_likelihood_finds_a_small_distribution():
    # Two sequences, one three times as frequent: the optimum is the empirical distribution.
    data = jnp.array([[1, 2, 0, 0]] * 3 + [[2, 0, 0, 0]], jnp.int32)
    algorithm = gg.maximum_likelihood(make_model(), optimizer=optax.adam(0.05))
    keys = training.run_keys(0)
    state = algorithm.init(keys.init)
    train = partial(training.train, algorithm, batch_size=4, num_steps=400)
    state, metrics = jax.jit(train)(keys.train, state, data)
    assert metrics["generator_loss"][-50:].mean() == pytest.approx(0.562, abs=0.1)  # the entropy of the data
    np.testing.assert_allclose(
        np.exp(algorithm.model.log_prob(algorithm.params(state), data[2:])), [0.75, 0.25], atol=0.12
    )


def test_weights_count_as_repetitions_do_in_maximum_likelihood():
    weighted = gg.Batch(EVERY[:3], weights=jnp.array([2.0, 0.0, 1.0]))
    repeated = gg.Batch(EVERY[jnp.array([0, 0, 2])])
    algorithm = make_mle()
    state = algorithm.init(jax.random.key(0))
    ours, theirs = (jax.jit(algorithm.step)(jax.random.key(1), state, batch)[0] for batch in (weighted, repeated))
    chex.assert_trees_all_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_several_discriminator_updates_precede_one_of_the_generator():
    algorithm = make_gan(
        discriminator_updates=3, discriminator_optimizer=optax.adam(0.1), generator_optimizer=optax.adam(0.1)
    )
    assert algorithm.batches_per_step == 3
    state, _ = jax.jit(algorithm.step)(jax.random.key(1), algorithm.init(jax.random.key(0)), BATCH)
    assert int(state.discriminator_opt_state[0].count) == 3
    assert int(state.generator_opt_state[0].count) == 1


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"ema_decay": 1.0}, ValueError, r"ema_decay must be .* in \[0, 1\), got 1\.0"),
        ({"num_generated": 0}, ValueError, "num_generated must be at least 1, got 0"),
        ({"score_weight": 1.5}, ValueError, r"score_weight must be .* in \[0, 1\], got 1\.5"),
        ({"temperature": 0.0}, ValueError, r"temperature must be .* > 0, got 0\.0"),
        ({"temperature": "1"}, TypeError, "temperature must be .* got '1'"),
        ({"temperature": True}, TypeError, "temperature must be .* got True"),
        ({"temperature": np.ones(2)}, TypeError, r"temperature must be .* got an array of shape \(2,\)"),
        ({"feedback": gg.Feedback(temperature=-1.0)}, ValueError, "feedback.temperature must be .* got -1"),
        ({"instance_noise": 2.0}, ValueError, r"instance_noise must be .* in \[0, 1\], got 2"),
        ({"discriminator_updates": 0}, ValueError, "discriminator_updates must be at least 1, got 0"),
        ({"penalty": gg.GradientPenalty(fraction=0.0)}, ValueError, r"fraction must be .* in \(0, 1\], got 0"),
        ({"penalty": gg.GradientPenalty(real_weight=-1.0)}, ValueError, "real_weight must be .* >= 0, got -1"),
        ({"penalty": 1.0}, TypeError, "penalty must be a GradientPenalty, got 1.0"),
        ({"score_weight": 0.5, "num_generated": 1}, ValueError, "num_generated must be at least 2 where score_weight"),
        ({"score_weight": 0.5, "estimator": gg.soft}, ValueError, "score_weight must be 0 for an estimator of samples"),
    ],
)
def test_bad_arguments_of_the_relaxed_gan_are_named(settings, error, message):
    with pytest.raises(error, match=message):
        make_gan(**settings)


def test_bad_arguments_of_maximum_likelihood_are_named():
    with pytest.raises(ValueError, match=r"sampling_rate must be .* in \[0, 1\], got 1\.1"):
        make_mle(sampling_rate=1.1)
    with pytest.raises(ValueError, match=r"ema_decay must be .* in \[0, 1\), got 1\.0"):
        make_mle(ema_decay=1.0)


def test_num_generated_excludes_a_condition():
    algorithm = make_gan(num_generated=7)
    batch = gg.Batch(DATA, condition=jnp.zeros(len(DATA), jnp.int32))
    with pytest.raises(ValueError, match="num_generated must be None where there is a condition, got 7"):
        algorithm.step(jax.random.key(0), algorithm.init(jax.random.key(0)), batch)


@pytest.mark.parametrize(
    ("name", "discriminator"),
    [
        ("relaxed_gan", lstm_discriminator(NUM_SYMBOLS, 3)),
        ("importance_gan", lstm_discriminator(NUM_SYMBOLS, 3)),
        ("policy_gradient", lstm_discriminator(NUM_SYMBOLS, 3)),
        ("policy_gradient, prefixes", gru_prefix_discriminator(NUM_SYMBOLS, 3)),
        ("professor_forcing", behavior_discriminator(3 + NUM_SYMBOLS, 3)),
    ],
)
def test_discriminator_logits_are_those_of_the_discriminator(name, discriminator):
    algorithm = ALGORITHMS[name]()
    rng = np.random.default_rng(0)
    like = jax.eval_shape(algorithm.init, jax.random.key(0))
    state = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), leaf.dtype), like)

    @jax.jit
    def both(state):
        adversarial, x = getattr(state, "adversarial", state), jax.nn.one_hot(DATA, NUM_SYMBOLS)
        if name == "professor_forcing":
            hidden, logits = algorithm.model.generator.hidden_states(adversarial.generator_params, DATA)
            x = jnp.concatenate([hidden, jax.nn.softmax(logits)], axis=-1)
        return discriminator.logits(adversarial.discriminator_params, x), algorithm.discriminator_logits(state, DATA)

    expected, found = both(state)
    np.testing.assert_allclose(found, expected[:, -1] if expected.ndim == 2 else expected, rtol=1e-5, atol=1e-6)


def test_likelihood_has_no_discriminator():
    assert make_mle().discriminator_logits is None
