"""Estimates of a generator's gradient, and their errors against the exact gradient."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

import gumbel_gan as gg
from gumbel_gan import model as models
from gumbel_gan import unroll
from gumbel_gan.losses.score_function import leave_one_out

# Sequences of the leave-one-out baseline of REINFORCE.
_COMPARED = 16
# Batch size at which the error is reported.
BATCH = 128
_GROUPS = 20

Objective = Callable[[jax.Array, Any], jax.Array]


class Draw(NamedTuple):
    """An estimator of the gradient.

    Attributes:
      gradient: (key, temperature, flat parameters `[P]`, discriminator's parameters) -> `[P]` one estimate.
      num_sequences: number of sequences of one estimate.
      is_tempered: whether the estimate depends on the temperature.
    """

    gradient: Callable[[jax.Array, jax.Array, jax.Array, Any], jax.Array]
    num_sequences: int = 1
    is_tempered: bool = True


class Problem(NamedTuple):
    """A generator small enough to enumerate, and estimators of the gradient of its loss.

    Attributes:
      exact: (flat parameters `[P]`, discriminator's parameters) -> `[P]` the exact gradient.
      draws: the estimators, by name.
    """

    exact: Callable[[jax.Array, Any], jax.Array]
    draws: Mapping[str, Draw]


ESTIMATORS: Mapping[str, gg.Estimator] = {
    "soft": gg.soft,
    "straight_through": gg.straight_through,
    "plain_straight_through": gg.plain_straight_through,
    "gapped_straight_through": gg.gapped_straight_through(),
    "decoupled": gg.decoupled(backward_temperature=1.0),
    "gumbel_rao": gg.gumbel_rao(num_draws=10),
    "reinmax": gg.reinmax,
    "reinmax_rao": gg.reinmax_rao(num_draws=10),
    "reinmax_cv": gg.reinmax_cv(num_draws=10),
}


def autoregressive(
    model: gg.SequenceModel, discriminator: gg.Discriminator, unravel: Callable[[jax.Array], Any]
) -> Problem:
    """Builds the problem of a recurrent generator; `unravel` maps a flat vector to its parameters."""
    loss, num_symbols = _loss(discriminator), model.generator.num_symbols
    every_NT = _every(num_symbols, model.length)

    def expected(flat: jax.Array, given: Any) -> jax.Array:
        return jnp.exp(model.log_prob(unravel(flat), every_NT)) @ loss(given, one_hot(every_NT, num_symbols))

    def relaxed(estimator: gg.Estimator) -> Draw:
        def value(flat: jax.Array, key: jax.Array, temperature: jax.Array, given: Any) -> jax.Array:
            params = unravel(flat)
            emitted_1TK = unroll.relaxed(
                key,
                models.relaxed_step(model, params),
                model.generator.initial_carry(params, 1, model.length),
                unroll.start_symbols(1, num_symbols),
                model.length,
                estimator=estimator,
                temperature=temperature,
            )
            return loss(given, emitted_1TK)[0]

        return Draw(lambda key, temperature, flat, given: jax.grad(value)(flat, key, temperature, given))

    def compared(key: jax.Array, _: jax.Array, flat: jax.Array, given: Any) -> jax.Array:
        tokens_NT = model.sample(key, unravel(flat), _COMPARED)
        advantages_N = leave_one_out(loss(given, one_hot(tokens_NT, num_symbols)))
        return jax.grad(lambda flat: jnp.mean(advantages_N * model.log_prob(unravel(flat), tokens_NT)))(flat)

    def with_baseline(key: jax.Array, _: jax.Array, flat: jax.Array, given: Any) -> jax.Array:
        tokens_1T = model.sample(key, unravel(flat), 1)
        advantage = loss(given, one_hot(tokens_1T, num_symbols))[0] - expected(flat, given)
        return jax.grad(lambda flat: advantage * model.log_prob(unravel(flat), tokens_1T)[0])(flat)

    def every_symbol(key: jax.Array, _: jax.Array, flat: jax.Array, given: Any) -> jax.Array:
        """Sums over all symbols at each time step, with the later symbols drawn again."""
        sample_key, complete_key = jax.random.split(key)
        params, length = unravel(flat), model.length
        tokens_1T = model.sample(sample_key, params, 1)
        time_R, symbol_R = (grid.ravel() for grid in jnp.meshgrid(jnp.arange(length), jnp.arange(num_symbols)))
        keys_R = jax.random.split(complete_key, len(time_R))

        def complete(key: jax.Array, time: jax.Array, symbol: jax.Array) -> jax.Array:
            changed_1T = jnp.where((jnp.arange(length) == time)[None], symbol, tokens_1T)
            return model.complete(key, params, changed_1T, time + 1)[0]

        losses_R = loss(given, one_hot(jax.vmap(complete)(keys_R, time_R, symbol_R), num_symbols))

        def surrogate(flat: jax.Array) -> jax.Array:
            logits_1TK = models.teacher_forced_logits(model, unravel(flat), tokens_1T, {})
            return jnp.sum(jax.nn.softmax(logits_1TK[0])[time_R, symbol_R] * losses_R)

        return jax.grad(surrogate)(flat)

    draws = {name: relaxed(estimator) for name, estimator in ESTIMATORS.items()}
    draws["reinforce_leave_one_out"] = Draw(compared, _COMPARED, False)
    draws["reinforce_mean_baseline"] = Draw(with_baseline, 1, False)
    draws["indecater"] = Draw(every_symbol, 1, False)
    return Problem(jax.jit(jax.grad(expected)), draws)


def independent(num_symbols: int, length: int, discriminator: gg.Discriminator) -> Problem:
    """Builds the problem of a generator of independent symbols; its parameters are the flattened logits."""
    loss = _loss(discriminator)
    every_NT = _every(num_symbols, length)

    def expected(flat: jax.Array, given: Any) -> jax.Array:
        log_probs_TK = jax.nn.log_softmax(flat.reshape(length, num_symbols))
        return jnp.exp(jnp.sum(log_probs_TK[jnp.arange(length), every_NT], axis=1)) @ loss(
            given, one_hot(every_NT, num_symbols)
        )

    def relaxed(estimator: gg.Estimator) -> Draw:
        def value(flat: jax.Array, key: jax.Array, temperature: jax.Array, given: Any) -> jax.Array:
            noise_key, own_key = jax.random.split(key)
            logits_TK = flat.reshape(length, num_symbols)
            keys = (own_key,) if estimator.uses_key else ()
            noise_TK = gg.sample_gumbel(noise_key, logits_TK.shape)
            return loss(given, estimator(*keys, logits_TK, noise_TK, temperature)[None])[0]

        return Draw(lambda key, temperature, flat, given: jax.grad(value)(flat, key, temperature, given))

    def score(function: Callable[..., jax.Array], num_sequences: int, *, is_tempered: bool = False) -> Draw:
        def gradient(key: jax.Array, temperature: jax.Array, flat: jax.Array, given: Any) -> jax.Array:
            settings = {"temperature": temperature} if is_tempered else {"num_samples": num_sequences}

            def value(flat: jax.Array) -> jax.Array:
                return function(
                    key, lambda x_TK: loss(given, x_TK[None])[0], flat.reshape(length, num_symbols), **settings
                )

            return jax.grad(value)(flat)

        return Draw(gradient, num_sequences, is_tempered)

    draws = {name: relaxed(estimator) for name, estimator in ESTIMATORS.items()}
    draws["reinforce_leave_one_out"] = score(gg.reinforce_loss, _COMPARED)
    draws["indecater"] = score(gg.indecater_loss, 1)
    draws["rebar"] = score(gg.rebar_loss, 1, is_tempered=True)
    return Problem(jax.jit(jax.grad(expected)), draws)


def one_hot(tokens: jax.Array, num_symbols: int) -> jax.Array:
    """Returns the float32 one-hot vectors of tokens."""
    return jax.nn.one_hot(tokens, num_symbols, dtype=jnp.float32)


def compiled(draw: Draw, num_sequences: int, params: Any, given: Any) -> Callable[..., tuple[jax.Array, jax.Array]]:
    """Compiles a function that draws gradient estimates from about `num_sequences` sequences.

    Returns:
      A function (key, temperature, flat parameters, discriminator's parameters) -> (mean estimate of each group
      `[G, P]`, mean squared norm of the estimates of each group `[G]`).
    """
    size = max(2, num_sequences // (_GROUPS * draw.num_sequences))

    def run(key: jax.Array, temperature: jax.Array, flat: jax.Array, given: Any) -> tuple[jax.Array, jax.Array]:
        def group(key_data: jax.Array) -> tuple[jax.Array, jax.Array]:
            keys = jax.random.split(jax.random.wrap_key_data(key_data), size)
            gradients = jax.vmap(draw.gradient, (0, None, None, None))(keys, temperature, flat, given)
            return jnp.mean(gradients, axis=0), jnp.mean(jnp.sum(gradients**2, axis=1))

        return jax.lax.map(group, jax.random.key_data(jax.random.split(key, _GROUPS)))

    return jax.jit(run).lower(jax.random.key(0), jnp.float32(1), params, given).compile()


def measure(
    program: Callable[..., Any], draw: Draw, num_sequences: int, exact: np.ndarray, arguments: tuple[Any, ...]
) -> dict[str, Any]:
    """Runs a compiled program, and compares the estimates with the exact gradient.

    Returns:
      Relative to the norm of the exact gradient: `bias`, the norm of the bias; `deviation`, the standard deviation of
      an estimate from a single sequence; `error`, the root mean squared error of a batch of `BATCH`; `norm`, the norm
      of the mean. `cosine`, the cosine similarity of the mean and the exact gradient. These have a 95 % interval by the
      jackknife over groups, as [value, low, high]. `z`, the squared bias in standard errors. `microseconds`, the time
      per sequence.
    """
    start = time.perf_counter()
    means, squares = (np.asarray(each, np.float64) for each in jax.block_until_ready(program(*arguments)))
    seconds = time.perf_counter() - start
    size = max(2, num_sequences // (_GROUPS * draw.num_sequences))
    scale = float(exact @ exact)

    def statistics(kept: np.ndarray) -> np.ndarray:
        chosen = means[kept]
        # Only products of different groups, whose expectation is the product of the means without a variance term.
        squared_norm = _between(chosen @ chosen.T)
        squared_bias = _between((chosen - exact) @ (chosen - exact).T)
        variance = draw.num_sequences * (squares[kept].mean() - squared_norm)
        cosine = float(chosen.mean(axis=0) @ exact) / np.sqrt(scale * max(squared_norm, 1e-30))
        error = max(squared_bias, 0.0) + variance / BATCH
        return np.array([squared_bias / scale, variance / scale, error / scale, squared_norm / scale, cosine])

    groups = np.arange(_GROUPS)
    value = statistics(groups)
    without = np.array([statistics(groups[groups != left_out]) for left_out in groups])
    standard_error = np.sqrt((_GROUPS - 1) / _GROUPS * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    low, high = value - 1.96 * standard_error, value + 1.96 * standard_error
    cell: dict[str, Any] = {}
    for index, name in enumerate(("bias", "deviation", "error", "norm")):
        cell[name] = [_rounded(np.sqrt(max(each[index], 0.0))) for each in (value, low, high)]
    cell["cosine"] = [_rounded(np.clip(each[4], -1, 1)) for each in (value, low, high)]
    cell["z"] = _rounded(value[0] / max(standard_error[0], 1e-30))
    cell["microseconds"] = _rounded(1e6 * seconds / (_GROUPS * size * draw.num_sequences))
    return cell


def _rounded(number: float) -> float:
    return float(f"{number:.5g}")


def _between(gram: np.ndarray) -> float:
    """Returns the mean of the off-diagonal elements."""
    num = len(gram)
    return float((gram.sum() - np.trace(gram)) / (num * (num - 1)))


def _every(num_symbols: int, length: int) -> jax.Array:
    return jnp.asarray(np.indices((num_symbols,) * length).reshape(length, -1).T, jnp.int32)


def _loss(discriminator: gg.Discriminator) -> Callable[[Any, jax.Array], jax.Array]:
    """Returns the generator's non-saturating loss, (parameters, `[N, T, K]`) -> `[N]`."""
    return lambda params, x_NTK: jax.nn.softplus(-discriminator.logits(params, x_NTK))


def flat(params: Any) -> tuple[jax.Array, Callable[[jax.Array], Any]]:
    """Returns parameters as a flat vector, and the function that maps a vector to parameters."""
    return ravel_pytree(params)
