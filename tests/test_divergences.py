"""Variational bounds of f-divergences against closed forms for two discrete distributions, and the MMD by hand."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gumbel_gan as gg
from gumbel_gan.losses.mmd import rational_quadratic_kernel, squared_mmd, witness_losses
from gumbel_gan.losses.objectives import cross_entropy, loss_of_each, pearson_fit_loss

P = jnp.array([0.5, 0.3, 0.2])
Q = jnp.array([0.2, 0.2, 0.6])
THETA = jnp.log(Q)


def kl(p, q):
    return jnp.sum(p * jnp.log(p / q))


def js(p, q):
    return 0.5 * kl(p, (p + q) / 2) + 0.5 * kl(q, (p + q) / 2)


def pearson(p, q):
    return jnp.sum(jnp.square(p - q) / q)


# The divergence between the data P and the generator Q, and the optimal output as a function of the ratio P / Q.
DIVERGENCES = {
    "variational_kl": (kl, lambda r: 1 + jnp.log(r)),
    "variational_reverse_kl": (lambda p, q: kl(q, p), jnp.log),
    "variational_pearson": (pearson, lambda r: 2 * (r - 1)),
    "variational_squared_hellinger": (
        lambda p, q: jnp.sum(jnp.square(jnp.sqrt(p) - jnp.sqrt(q))),
        lambda r: jnp.log(r) / 2,
    ),
    "variational_jensen_shannon": (lambda p, q: 2 * js(p, q), jnp.log),
}


def samples(values):
    """Returns `values` at ten samples of P and at ten of Q, with outcomes in the exact proportions of P and Q."""
    return values[np.repeat([0, 1, 2], [5, 3, 2])], values[np.repeat([0, 1, 2], [2, 2, 6])]


def test_the_bound_is_tight_at_the_optimal_output_and_below_elsewhere():
    shifts = jax.random.normal(jax.random.key(0), (50, 3)) * jnp.geomspace(0.1, 100.0, 50)[:, None]

    def bounds(name):
        divergence, optimum = DIVERGENCES[name]
        best = optimum(P / Q)

        def bound(v):
            return -getattr(gg, name).discriminator_loss(*samples(v))

        return divergence(P, Q), jax.value_and_grad(bound)(best), jax.vmap(lambda shift: bound(best + shift))(shifts)

    for name, (exact, (tight, gradient), below) in jax.jit(
        lambda: {each: bounds(each) for each in DIVERGENCES}
    )().items():
        np.testing.assert_allclose(tight, exact, rtol=1e-5, err_msg=name)
        np.testing.assert_allclose(gradient, 0, atol=1e-6, err_msg=name)
        assert (np.asarray(below) < exact - 1e-4).all(), name


def test_the_generator_descends_the_divergence_at_the_optimal_output():
    def descents(name):
        divergence, optimum = DIVERGENCES[name]
        losses = loss_of_each(getattr(gg, name), P, optimum(P / Q))
        return [
            jax.grad(lambda theta: jnp.sum(jax.nn.softmax(theta) * losses))(THETA),
            jax.grad(lambda theta: divergence(P, jax.nn.softmax(theta)))(THETA),
        ]

    for name, (descent, exact) in jax.jit(lambda: {each: descents(each) for each in DIVERGENCES})().items():
        np.testing.assert_allclose(descent, exact, rtol=1e-4, atol=1e-6, err_msg=name)


def test_the_gan_and_the_jensen_shannon_divergence_are_one_game():
    real, generated = jnp.array([0.5, -1.0]), jnp.array([2.0, 0.0, -3.0])
    for ours, theirs in zip(gg.variational_jensen_shannon[:2], gg.minimax[:2], strict=True):
        gradients = [jax.grad(loss, argnums=(0, 1))(real, generated) for loss in (ours, theirs)]
        for each, other in zip(*gradients, strict=True):
            np.testing.assert_allclose(each, other, rtol=1e-6)
    bound = -cross_entropy(*samples(jnp.log(P / Q)))
    np.testing.assert_allclose(bound, 2 * js(P, Q) - 2 * np.log(2), rtol=1e-5)


def test_b_gan_s_fit_is_least_at_the_true_ratio():
    best = jnp.log(P / Q)
    np.testing.assert_allclose(pearson_fit_loss(*samples(best)), -(1 + pearson(P, Q)) / 2, rtol=1e-5)
    np.testing.assert_allclose(jax.grad(lambda d: pearson_fit_loss(*samples(d)))(best), 0, atol=1e-6)
    # The same fit, with an output that is linear in the ratio.
    ratio_loss = gg.variational_pearson.discriminator_loss(*samples(2 * (P / Q - 1)))
    np.testing.assert_allclose(ratio_loss, 2 * pearson_fit_loss(*samples(best)) + 1, rtol=1e-5)


def test_the_squared_mmd_by_hand():
    real, generated = np.array([0.5, -1.0]), np.array([2.0, 0.0, -3.0])

    def kernel(u, v):
        return np.mean([(1 + (u - v) ** 2 / (2 * a)) ** -a for a in (0.2, 0.5, 1.0, 2.0, 5.0)])

    def mean(pairs):
        return np.mean([kernel(u, v) for u, v in pairs])

    expected = mean(itertools.permutations(real, 2)) + mean(itertools.permutations(generated, 2))
    expected -= 2 * mean(itertools.product(real, generated))

    def found(real, other, generated):
        prefixes = squared_mmd(jnp.stack([real, other], axis=1), jnp.stack([generated, generated], axis=1))
        return squared_mmd(real, generated), squared_mmd(other, generated), prefixes

    one, two, prefixes = jax.jit(found)(*map(jnp.float32, (real, generated[:2], generated)))
    np.testing.assert_allclose(one, expected, rtol=1e-5)
    np.testing.assert_allclose(prefixes, (one + two) / 2, rtol=1e-5)
    with pytest.raises(ValueError, match="generated must hold at least 2 sequences, got 1"):
        squared_mmd(jnp.array(real), jnp.ones(1))
    with pytest.raises(ValueError, match="real must hold at least 2 sequences, got 1"):
        witness_losses(jnp.ones(1), jnp.array(real))


def test_the_witness_gives_the_score_function_gradient_of_the_mmd():
    # Enumerates all pairs of samples of a generator with three outcomes.
    outputs, real = jnp.array([0.3, -0.8, 1.5]), jnp.array([1.0, 0.2, -0.4])

    def population(theta):
        q = jax.nn.softmax(theta)
        kernel = rational_quadratic_kernel(outputs[:, None], outputs[None, :])
        return q @ kernel @ q - 2 * q @ jnp.mean(rational_quadratic_kernel(outputs[:, None], real[None, :]), axis=1)

    def expected():
        losses = jax.vmap(lambda pair: witness_losses(real, outputs[pair]))(pairs)
        scores = jax.jacobian(jax.nn.log_softmax)(THETA)
        return jnp.prod(Q[pairs], axis=1) @ jnp.mean(losses[:, :, None] * scores[pairs], axis=1)

    pairs = jnp.array(list(itertools.product(range(3), repeat=2)))
    found, exact = jax.jit(lambda: (expected(), jax.grad(population)(THETA)))()
    np.testing.assert_allclose(found, exact, rtol=1e-4, atol=1e-6)
