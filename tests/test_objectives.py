"""Losses against hand-worked values, optax's cross-entropy and the divergences that they estimate."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gumbel_gan as gg
from gumbel_gan.losses.objectives import cross_entropy, log_odds, loss_of_each, relativistic

REAL = jnp.array([0.5, -1.0])
GENERATED = jnp.array([2.0, 0.0, -3.0])
OBJECTIVES = {
    name: getattr(gg, name)
    for name in (
        *("log_odds", "minimax", "non_saturating", "ratio_kl", "ratio_pearson", "ratio_squared_hellinger"),
        *("pearson_fit", "relativistic", "least_squares", "hinge", "wasserstein", "variational_kl"),
        *("variational_reverse_kl", "variational_pearson", "variational_squared_hellinger"),
        *("variational_jensen_shannon", "moment_matching"),
    )
}
EMBEDS = ("moment_matching",)
LOSSES = {
    f"{side} of {name}": getattr(OBJECTIVES[name], side)
    for name in ("log_odds", "pearson_fit", "relativistic", "least_squares", "hinge", "wasserstein", "variational_kl")
    for side in ("discriminator_loss", "generator_loss")
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def of_all(function):
    """Returns `function(objective)` by name for all objectives, computed in one program."""
    return jax.jit(lambda: {name: function(objective) for name, objective in OBJECTIVES.items()})()


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


def test_hand_worked_losses():
    real, generated = sigmoid(REAL), sigmoid(GENERATED)
    discriminator_loss = -np.log(real).mean() - np.log(1 - generated).mean()
    pairs = sigmoid(np.asarray(REAL)[:, None] - np.asarray(GENERATED)[None, :])
    expected = {
        "log_odds": (discriminator_loss, -np.log(generated / (1 - generated)).mean()),
        "minimax": (discriminator_loss, np.log(1 - generated).mean()),
        "non_saturating": (discriminator_loss, -np.log(generated).mean()),
        "ratio_kl": (discriminator_loss, -(generated / (1 - generated)).mean()),
        "ratio_pearson": (discriminator_loss, -((generated / (1 - generated)) ** 2).mean()),
        "ratio_squared_hellinger": (discriminator_loss, -np.sqrt(generated / (1 - generated)).mean()),
        "pearson_fit": (
            0.5 * np.exp([4.0, 0.0, -6.0]).mean() - np.exp([0.5, -1.0]).mean(),
            -(2.0 + 0.0 - 3.0) / 3,
        ),
        "relativistic": (-np.log(pairs).mean(), -np.log(1 - pairs).mean()),
        "least_squares": ((0.25 + 4) / 4 + (4 + 0 + 9) / 6, (1 + 1 + 16) / 6),
        "hinge": ((0.5 + 2) / 2 + (3 + 1 + 0) / 3, 1 / 3),
        "wasserstein": (-1 / 3 + 0.25, 1 / 3),
        "variational_kl": (np.exp([1.0, -1.0, -4.0]).mean() + 0.25, -np.exp([1.0, -1.0, -4.0]).mean()),
        "variational_reverse_kl": (-1 / 3 - 1 + np.exp([-0.5, 1.0]).mean(), 1 / 3 + 1),
        "variational_pearson": ((3 + 0 - 1) / 3 + 0.25, -(3 + 0 - 1) / 3),
        "variational_squared_hellinger": (
            np.exp([2.0, 0.0, -3.0]).mean() - 2 + np.exp([-0.5, 1.0]).mean(),
            1 - np.exp([2.0, 0.0, -3.0]).mean(),
        ),
        "variational_jensen_shannon": (
            discriminator_loss - 2 * np.log(2),
            np.log(1 - generated).mean() + np.log(2),
        ),
    }
    assert set(expected) == set(OBJECTIVES) - set(EMBEDS)
    found = of_all(lambda objective: [loss(REAL, GENERATED) for loss in objective[:2]])
    for name, losses in expected.items():
        np.testing.assert_allclose(found[name], losses, rtol=1e-5)


def test_the_cross_entropy_is_that_of_optax():
    real, generated = optax.sigmoid_binary_cross_entropy(REAL, 1), optax.sigmoid_binary_cross_entropy(GENERATED, 0)
    np.testing.assert_allclose(cross_entropy(REAL, GENERATED), real.mean() + generated.mean(), rtol=1e-6)


def test_losses_of_equal_logits():
    np.testing.assert_allclose(cross_entropy(jnp.zeros(2), jnp.zeros(3)), 2 * np.log(2), rtol=1e-6)
    for loss in relativistic[:2]:
        np.testing.assert_allclose(loss(jnp.full(2, 7.0), jnp.full(3, 7.0)), np.log(2), rtol=1e-6)


def test_losses_and_gradients_are_finite_at_huge_logits():
    real, generated = (jnp.array([[-1e4], [1e4], [1e4], [-1e4]]), jnp.array([[1e4], [-1e4], [1e4], [-1e4]]))
    real, generated = jnp.repeat(real, 2, axis=1), jnp.repeat(generated, 3, axis=1)
    found = of_all(
        lambda objective: [jax.vmap(jax.value_and_grad(loss, (0, 1)))(real, generated) for loss in objective[:2]]
    )
    chex.assert_tree_all_finite(found)


def test_the_networks_move_logits_in_opposite_directions():
    # The logits are between the least-squares targets, 0 and 1, and within the margins of the hinge loss.
    real, generated = jnp.array([0.6, 0.2]), jnp.array([0.7, 0.3, 0.4])
    found = of_all(lambda objective: [jax.grad(loss, (0, 1))(real, generated) for loss in objective[:2]])
    for name in set(OBJECTIVES) - set(EMBEDS):
        (to_real, to_generated), (_, by_generator) = found[name]
        assert (np.asarray(to_real) < 0).all(), name
        assert (np.asarray(to_generated) > 0).all(), name
        assert (np.asarray(by_generator) < 0).all(), name


def test_log_odds_at_the_optimal_discriminator_is_the_reverse_kl():
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])
    # A sample in which the frequencies of the outcomes are exactly q.
    outcomes = np.repeat([0, 1, 2], [2, 2, 6])
    d = jnp.asarray(np.log(p / q)[outcomes], jnp.float32)
    kl = np.sum(q * np.log(q / p))
    np.testing.assert_allclose(log_odds.generator_loss(jnp.zeros(1), d), kl, rtol=1e-5)


def test_the_cross_entropy_at_the_optimal_discriminator_is_the_js_divergence():
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])
    d = np.log(p / q)
    real, generated = (jnp.asarray(np.repeat(d, counts), jnp.float32) for counts in ([5, 3, 2], [2, 2, 6]))
    m = (p + q) / 2
    js = 0.5 * np.sum(p * np.log(p / m)) + 0.5 * np.sum(q * np.log(q / m))
    np.testing.assert_allclose(cross_entropy(real, generated), 2 * np.log(2) - 2 * js, rtol=1e-5)


def test_the_losses_of_each_generated_sequence_have_the_gradient_of_the_generator_s_loss():
    real, generated = jnp.array([0.3, -1.0]), jnp.array([2.0, -0.5, 0.1])

    def function(objective):
        def mean(real, generated):
            return jnp.mean(loss_of_each(objective, real, generated))

        return [jax.value_and_grad(loss, 1)(real, generated) for loss in (mean, objective.generator_loss)]

    for name, ((mean, gradient), (loss, expected)) in of_all(function).items():
        np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-7)
        assert name in EMBEDS or mean == pytest.approx(float(loss), rel=1e-5)


@every_loss
def test_a_loss_of_prefixes_is_the_mean_over_prefix_lengths(loss):
    real, generated = (jax.random.normal(jax.random.key(seed), (num, 4)) for seed, num in ((0, 2), (1, 3)))
    expected = np.mean([loss(real[:, t], generated[:, t]) for t in range(4)])
    np.testing.assert_allclose(loss(real, generated), expected, rtol=1e-5)


@every_loss
def test_a_loss_is_a_scalar_in_the_dtype_of_the_logits(loss):
    for dtype in (jnp.float32, jnp.bfloat16):
        value = jax.jit(loss)(REAL.astype(dtype), GENERATED.astype(dtype))
        assert value.shape == ()
        assert value.dtype == dtype


@every_loss
def test_bad_logits_are_named(loss):
    with pytest.raises(TypeError, match="real must be an array, got list"):
        loss([0.5, -1.0], GENERATED)
    with pytest.raises(TypeError, match="generated must be floating, got int32"):
        loss(REAL, GENERATED.astype(jnp.int32))
    with pytest.raises(ValueError, match=r"real must be \[B\] or \[B, T\] and not empty, got shape \(\)"):
        loss(REAL[0], GENERATED)
    with pytest.raises(ValueError, match=r"generated must be \[N\] or \[N, T\] and not empty, got shape \(0,\)"):
        loss(REAL, GENERATED[:0])
    with pytest.raises(ValueError, match=r"generated must be \[N\] or \[N, T\] and not empty, got shape \(1, 3, 1\)"):
        loss(REAL, GENERATED[None, :, None])
    with pytest.raises(ValueError, match=r"axes of real but for the first, got shapes \(3, 2\) and \(2, 1\)"):
        loss(REAL[:, None], jnp.zeros((3, 2)))
