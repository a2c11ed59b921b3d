import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gumbel_gan.losses.objectives import OBJECTIVES

REAL = jnp.array([0.5, -1.0])
GENERATED = jnp.array([2.0, 0.0, -3.0])


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


def test_hand_worked_losses():
    real, generated = sigmoid(REAL), sigmoid(GENERATED)
    cross_entropy = -np.log(real).mean() - np.log(1 - generated).mean()
    pairs = sigmoid(np.asarray(REAL)[:, None] - np.asarray(GENERATED)[None, :])
    expected = {
        "log_odds": (cross_entropy, -np.log(generated / (1 - generated)).mean()),
        "minimax": (cross_entropy, np.log(1 - generated).mean()),
        "non_saturating": (cross_entropy, -np.log(generated).mean()),
        "relativistic_pairing": (-np.log(pairs).mean(), -np.log(1 - pairs).mean()),
    }
    assert set(expected) == set(OBJECTIVES)
    for name, losses in expected.items():
        objective = OBJECTIVES[name]
        np.testing.assert_allclose(objective.discriminator_loss(REAL, GENERATED), losses[0], rtol=1e-5)
        np.testing.assert_allclose(objective.generator_loss(REAL, GENERATED), losses[1], rtol=1e-5)


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_losses_and_gradients_are_finite_at_huge_logits(name):
    objective = OBJECTIVES[name]
    for scale in (-1e4, 1e4):
        for loss in objective:
            value, gradients = jax.value_and_grad(loss, argnums=(0, 1))(jnp.full(2, scale), jnp.full(3, -scale))
            assert np.isfinite(value)
            assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_each_side_pulls_its_own_way(name):
    objective = OBJECTIVES[name]
    to_real, to_generated = jax.grad(objective.discriminator_loss, argnums=(0, 1))(REAL, GENERATED)
    assert (np.asarray(to_real) < 0).all()
    assert (np.asarray(to_generated) > 0).all()
    assert (np.asarray(jax.grad(objective.generator_loss, argnums=1)(REAL, GENERATED)) < 0).all()


def test_log_odds_at_the_optimal_discriminator_is_the_reverse_kl():
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])
    # A sample in which each outcome stands exactly as often as q says.
    outcomes = np.repeat([0, 1, 2], [2, 2, 6])
    d = jnp.asarray(np.log(p / q)[outcomes], jnp.float32)
    kl = np.sum(q * np.log(q / p))
    np.testing.assert_allclose(OBJECTIVES["log_odds"].generator_loss(jnp.zeros(1), d), kl, rtol=1e-5)


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_a_generator_loss_is_a_mean_over_generated_sequences(name):
    real, generated = jnp.array([0.3, -1.0]), jnp.array([2.0, -0.5, 0.1])
    each = [OBJECTIVES[name].generator_loss(real, generated[index : index + 1]) for index in range(3)]
    np.testing.assert_allclose(OBJECTIVES[name].generator_loss(real, generated), np.mean(each), rtol=1e-6)
