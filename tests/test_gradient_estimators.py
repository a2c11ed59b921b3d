"""Straight-through and related estimators against exact gradients by enumeration."""

import functools
import itertools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gumbel_gan as gg
from gumbel_gan.relaxation.rao_blackwell import conditional_scores
from tests.slow import slow_but

NUM_SYMBOLS = 3
LOGITS = jnp.array([[0.3, -0.9, 0.8], [0.0, 0.5, -0.5]])
SYMBOLS = jnp.array(list(itertools.product(range(NUM_SYMBOLS), repeat=2)))
STATES = jax.nn.one_hot(SYMBOLS, NUM_SYMBOLS)
# For each state, noise with which that state is the sample.
BUMPS = 10 * STATES
MATRIX = jax.random.normal(jax.random.key(0), (6, 6))
NUM_DRAWS = 4_000
ESTIMATORS = {
    "soft": gg.soft,
    "straight_through": gg.straight_through,
    "plain_straight_through": gg.plain_straight_through,
    "gapped_straight_through": gg.gapped_straight_through(gap=1.0),
    "decoupled": gg.decoupled(backward_temperature=0.7),
    "gumbel_rao": gg.gumbel_rao(num_draws=4),
    "reinmax": gg.reinmax,
    "reinmax_rao": gg.reinmax_rao(num_draws=4),
    "reinmax_cv": gg.reinmax_cv(weight=0.5, num_draws=4),
}


def linear(x):
    return MATRIX[0] @ x.ravel()


def quadratic(x):
    return x.ravel() @ MATRIX @ x.ravel() + linear(x)


def exponential(x):
    return jnp.exp(quadratic(x) / 4)


def probabilities(logits):
    return jnp.prod(jnp.sum(STATES * jax.nn.softmax(logits)[None], axis=-1), axis=-1)


@functools.cache
def exact_gradient(f):
    return jax.grad(lambda logits: probabilities(logits) @ jax.vmap(f)(STATES))(LOGITS)


def sampled(estimator, key, noise, temperature):
    if estimator.uses_key:
        return lambda logits: estimator(key, logits, noise, temperature)
    return lambda logits: estimator(logits, noise, temperature)


@functools.partial(jax.jit, static_argnums=(0, 1, 3))
def gradients(estimator, f, temperature, num=NUM_DRAWS):
    """Computes the gradients `[N, 2, K]` of independent samples."""
    noise = jax.random.gumbel(jax.random.key(2), (num, *LOGITS.shape))
    keys = jax.random.split(jax.random.key(3), num)
    return jax.vmap(lambda key, noise: jax.grad(lambda a: f(sampled(estimator, key, noise, temperature)(a)))(LOGITS))(
        keys, noise
    )


@functools.partial(jax.jit, static_argnums=(0, 1))
def of_states(estimator, f, temperature):
    """Computes the gradient at each state, for an estimator that depends only on the sample."""
    return jax.vmap(lambda noise: jax.grad(lambda a: f(estimator(a, noise, temperature)))(LOGITS))(BUMPS)


def check_mean(values, expected, others=None):
    """Checks that the mean of `values` is within 5 standard errors of `expected`, the mean of `others` if given."""
    values = np.asarray(values)
    error = values.std(axis=0) / np.sqrt(len(values))
    if others is not None:
        error = np.hypot(error, np.asarray(others).std(axis=0) / np.sqrt(len(others)))
    assert np.all(np.abs(values.mean(axis=0) - expected) < 5 * error + 1e-6)


def expectation(of_each_state):
    return jnp.tensordot(probabilities(LOGITS), of_each_state, 1)


def test_plain_straight_through_is_exact_for_linear_losses_only():
    for f, is_exact in ((linear, True), (quadratic, False)):
        found = expectation(of_states(gg.plain_straight_through, f, 1.0))
        assert np.allclose(found, exact_gradient(f), rtol=1e-4, atol=1e-5) == is_exact


def test_reinmax_is_exact_for_quadratics_but_not_beyond():
    for f, is_exact in ((linear, True), (quadratic, True), (exponential, False)):
        found = expectation(of_states(gg.reinmax, f, 1.0))
        assert np.allclose(found, exact_gradient(f), rtol=1e-4, atol=1e-5) == is_exact


def test_reinmax_at_temperature_1_is_zgr():
    p, g = jax.nn.softmax(LOGITS), jax.vmap(jax.grad(exponential))(STATES)
    along = jnp.sum(g * STATES, -1, keepdims=True)
    mean = jnp.sum(p[None] * g, -1, keepdims=True)
    zgr = (p[None] * g + (STATES - p[None]) * along - STATES * mean) / 2
    np.testing.assert_allclose(of_states(gg.reinmax, exponential, 1.0), zgr, rtol=1e-4, atol=1e-5)


def test_reinmax_at_another_temperature_is_the_papers_formula():
    p, tempered = jax.nn.softmax(LOGITS), jax.nn.softmax(LOGITS / 1.3)
    g = jax.vmap(jax.grad(quadratic))(STATES)

    def jacobian_product(q):
        return q * g - q * jnp.sum(q * g, -1, keepdims=True)

    expected = 2 * jacobian_product((tempered[None] + STATES) / 2) - jacobian_product(p[None]) / 2
    np.testing.assert_allclose(of_states(gg.reinmax, quadratic, 1.3), expected, rtol=1e-4, atol=1e-5)


def test_gumbel_rao_has_the_mean_of_straight_through_and_less_variance():
    of_noise = gradients(gg.straight_through, exponential, 0.5)
    averaged = gradients(gg.gumbel_rao(num_draws=10), exponential, 0.5)
    check_mean(averaged, np.mean(of_noise, axis=0), of_noise)
    assert averaged.var(axis=0).sum() < 0.7 * of_noise.var(axis=0).sum()


def test_conditional_scores_are_distributed_as_scores_of_that_sample():
    num = 20_000
    scores = LOGITS[:1] + jax.random.gumbel(jax.random.key(4), (num, NUM_SYMBOLS))
    onehot = jax.nn.one_hot(jnp.argmax(scores, -1), NUM_SYMBOLS)
    noise = jax.random.gumbel(jax.random.key(5), scores.shape)
    drawn = conditional_scores(jnp.broadcast_to(LOGITS[:1], scores.shape), onehot, noise)
    np.testing.assert_array_equal(jnp.argmax(drawn, -1), jnp.argmax(scores, -1))
    # Compares means of functions of the scores, separately for each sampled symbol.
    for function in (lambda z: z, lambda z: z * jnp.roll(z, 1, -1), jnp.tanh):
        given, of_scores = (np.asarray(onehot[:, :, None] * function(z)[:, None]) for z in (drawn, scores))
        check_mean(given, of_scores.mean(axis=0), of_scores)


def test_reinmax_rao_has_the_mean_of_reinmax_at_low_temperatures():
    estimator = gg.reinmax_rao(num_draws=8)
    for f in (linear, quadratic):
        check_mean(gradients(estimator, f, 0.05), exact_gradient(f))


@pytest.mark.slow
def test_the_control_variate_goes_from_reinmax_to_plain_straight_through():
    estimator, of_reinmax = gg.reinmax_cv(weight=1.0, num_draws=8), gradients(gg.reinmax, quadratic, 1.0)
    without = gradients(gg.reinmax_cv(weight=0.0, num_draws=1), quadratic, 0.3)
    np.testing.assert_allclose(without, of_reinmax, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(gradients(estimator, quadratic, 1e3), of_reinmax, rtol=1e-2, atol=1e-2)
    cold = gradients(estimator, quadratic, 0.05)
    check_mean(cold, expectation(of_states(gg.plain_straight_through, quadratic, 1.0)))


@pytest.mark.slow
def test_the_control_variate_keeps_the_gradient_of_a_linear_loss_and_lowers_its_variance():
    controlled = gradients(gg.reinmax_cv(weight=1.0, num_draws=64), linear, 0.5)
    check_mean(controlled, exact_gradient(linear))
    assert controlled.var(axis=0).sum() < 0.6 * gradients(gg.reinmax, linear, 1.0).var(axis=0).sum()


def test_gapped_straight_through_moves_the_sampled_symbol_to_the_top():
    noise = jnp.array([0.0, 5.0, 0.0])
    logits = LOGITS[0]
    cotangent = jnp.array([1.0, 2.0, -1.0])
    _, pull_back = jax.vjp(lambda logits: gg.gapped_straight_through(gap=1.0)(logits, noise, 0.5), logits)
    y = jax.nn.softmax(jnp.array([-0.2, 0.8, -0.2]) / 0.5)
    np.testing.assert_allclose(pull_back(cotangent)[0], y * (cotangent - y @ cotangent) / 0.5, rtol=1e-5)


def test_decoupled_has_the_value_of_one_temperature_and_the_gradient_of_the_other():
    noise = BUMPS[0] / 10
    sample, tangent = jax.jvp(lambda a: gg.decoupled(backward_temperature=2.0)(a, noise, 0.1), (LOGITS,), (LOGITS,))
    np.testing.assert_allclose(sample, gg.soft(LOGITS, noise, 0.1), rtol=1e-5)
    np.testing.assert_allclose(tangent, jax.jvp(lambda a: gg.soft(a, noise, 2.0), (LOGITS,), (LOGITS,))[1], rtol=1e-5)


def test_limits_of_the_relaxation():
    noise, g = BUMPS[1] / 10, jax.grad(linear)(STATES[0])
    np.testing.assert_allclose(gg.soft(LOGITS, noise, 1e6), jnp.full_like(LOGITS, 1 / 3), rtol=1e-5)
    np.testing.assert_allclose(gg.soft(LOGITS, noise, 1e-3), STATES[1], atol=1e-6)
    hot = 1e4 * jax.grad(lambda a: linear(gg.straight_through(a, noise, 1e4)))(LOGITS)
    np.testing.assert_allclose(hot, (g - g.mean(-1, keepdims=True)) / 3, rtol=1e-2, atol=1e-3)
    cold = jax.grad(lambda a: linear(gg.straight_through(a, noise, 1e-3)))(LOGITS)
    np.testing.assert_allclose(cold, jnp.zeros_like(LOGITS), atol=1e-6)


@pytest.mark.parametrize("name", slow_but(ESTIMATORS, "straight_through", "gumbel_rao", "reinmax_cv"))
def test_every_estimator_is_finite_at_the_edges_and_one_hot_where_it_says_so(name):
    estimator = ESTIMATORS[name]
    logits = jnp.array([[1e4, -1e4, 0.0], [-jnp.inf, 1.0, -1.0], [-1e4, -1e4, -jnp.inf], [0.0, -jnp.inf, -jnp.inf]])
    noise = jax.random.gumbel(jax.random.key(6), logits.shape)
    cotangent = jnp.array([1.0, -2.0, 0.5])

    @jax.jit
    def program(logits, noise, temperatures):
        def both(temperature):
            def value(logits, temperature):
                sample = sampled(estimator, jax.random.key(7), noise, temperature)(logits)
                weights = cotangent[: sample.shape[-1]].astype(sample.dtype)
                return jnp.sum(sample * weights[None]).astype(jnp.float32), sample

            (_, sample), found = jax.value_and_grad(value, (0, 1), has_aux=True)(logits, temperature)
            return sample, found

        return jax.lax.map(both, temperatures)

    temperatures = jnp.array([1e-3, 1.0, 1e3])
    for given in (logits, logits.astype(jnp.bfloat16), jnp.zeros((2, 1))):
        samples, found = program(given, noise[: given.shape[0], : given.shape[1]], temperatures)
        assert samples.dtype == found[0].dtype == given.dtype
        chex.assert_tree_all_finite((samples, found))
        np.testing.assert_allclose(samples.astype(jnp.float32).sum(-1), np.ones(samples.shape[:-1]), rtol=1e-2)
        if estimator.one_hot:
            np.testing.assert_array_equal(jnp.sort(samples, -1)[..., -1], np.ones(samples.shape[:-1]))
            assert set(np.unique(samples.astype(jnp.float32))) <= {0.0, 1.0}
    excluded = np.asarray(program(logits, noise, temperatures)[1][0])[:, np.isneginf(logits)]
    np.testing.assert_array_equal(excluded, np.zeros_like(excluded))


@pytest.mark.parametrize("name", slow_but(["gumbel_rao", "reinmax_cv"], "reinmax_cv"))
def test_gradients_are_the_same_under_vmap_and_scan(name):
    estimator = ESTIMATORS[name]
    noise = jax.random.gumbel(jax.random.key(8), (5, *LOGITS.shape))
    keys = jax.random.key_data(jax.random.split(jax.random.key(9), 5))

    def gradient(key_and_noise):
        key = jax.random.wrap_key_data(key_and_noise[0])
        return jax.grad(lambda a: quadratic(sampled(estimator, key, key_and_noise[1], 0.5)(a)))(LOGITS)

    together = jax.jit(jax.vmap(gradient))((keys, noise))
    _, in_turn = jax.lax.scan(lambda carry, given: (carry, gradient(given)), None, (keys, noise))
    np.testing.assert_allclose(together, in_turn, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_learned_temperature_stays_in_bounds_and_has_the_gradient_of_the_relaxed_objective():
    temperatures = [gg.learned_temperature(parameter, low=0.25, high=4.0) for parameter in (-100.0, 0.0, 100.0)]
    np.testing.assert_allclose(temperatures, [0.25, 1.0, 4.0], rtol=1e-5)
    noise = jax.random.gumbel(jax.random.key(10), (50, *LOGITS.shape))

    def objective(parameter):
        temperature = gg.learned_temperature(parameter)
        return jnp.mean(jax.vmap(lambda noise: quadratic(gg.soft(LOGITS, noise, temperature)))(noise))

    jax.test_util.check_grads(objective, (jnp.float32(0.4),), order=1, modes=("rev",), rtol=2e-2, atol=2e-2)
    for estimator in (gg.straight_through, gg.gapped_straight_through(), gg.plain_straight_through):
        slope = jax.grad(lambda t, estimator=estimator: quadratic(estimator(LOGITS, noise[0], t)))(0.7)
        assert np.isfinite(slope)
        assert slope != 0


def test_hyperparameters_of_factories_are_checked():
    for factory in (gg.gumbel_rao, gg.reinmax_rao, gg.reinmax_cv):
        with pytest.raises(ValueError, match="num_draws must be at least 1, got 0"):
            factory(num_draws=0)
    with pytest.raises(ValueError, match=r"weight must be a finite number in \[0, 2\], got 3"):
        gg.reinmax_cv(weight=3)
    with pytest.raises(ValueError, match="gap must be a finite number >= 0, got -1"):
        gg.gapped_straight_through(gap=-1)
    with pytest.raises(ValueError, match="backward_temperature must be a finite number > 0, got 0"):
        gg.decoupled(backward_temperature=0)
    with pytest.raises(ValueError, match="high must be a finite number > 1, got 1"):
        gg.learned_temperature(0.0, low=1, high=1)
