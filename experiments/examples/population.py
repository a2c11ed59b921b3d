"""Population-based training in one program: the library's step inside a larger `lax.scan`.

python -m experiments.examples.population

A population of generators is trained on the arithmetic grammar by maximum likelihood, each with its own learning rate.
After each round of training steps, the likelihood of the validation set is measured. The worst quarter then copies the
states of the best quarter, with learning rates that are a fifth smaller or a quarter larger (Jaderberg et al. 2017,
https://arxiv.org/abs/1711.09846). All rounds run in one compiled program, which returns to the host only at its end.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

import gumbel_gan as gg
from gumbel_gan import evaluation, training


class Population(NamedTuple):
    """A population of P generators in training.

    Attributes:
      state: states of the algorithm, with a leading axis of size P.
      learning_rate: `[P]` float32 learning rates.
    """

    state: Any
    learning_rate: jax.Array


class History(NamedTuple):
    """Measurements of each of R rounds.

    Attributes:
      nll: `[R, P]` mean negative log-likelihood of the validation set, in nats, before states are copied.
      learning_rate: `[R, P]` learning rates of the round.
      source: `[R, P]` int32 indices of the generators whose states the next round starts from.
    """

    nll: jax.Array
    learning_rate: jax.Array
    source: jax.Array


def train_population(
    key: jax.Array,
    *,
    task: gg.Task,
    model: gg.SequenceModel,
    size: int = 16,
    num_rounds: int = 20,
    steps_per_round: int = 50,
    batch_size: int = 64,
    exploits: ArrayLike = True,
) -> tuple[Population, History]:
    """Trains a population; jit it with all arguments but `key` and `exploits` bound.

    Args:
      key: typed PRNG key; consumed.
      task: the task to train on.
      model: the model to train.
      size: P, the number of generators, at least 4.
      num_rounds: R, the number of rounds.
      steps_per_round: steps of each generator in a round.
      batch_size: batch size of each generator.
      exploits: whether the worst quarter copies the states of the best; if not, learning rates do not change. May be
        traced.

    Returns:
      The population after the last round, and its history.
    """
    init_key, rate_key, rounds_key = jax.random.split(key, 3)
    num_replaced = size // 4
    likelihoods = evaluation.negative_log_likelihoods(model, task.validation)

    def algorithm(learning_rate: jax.Array) -> gg.Algorithm:
        return gg.maximum_likelihood(model, optimizer=optax.adam(learning_rate))

    def train_one(key: jax.Array, state: Any, learning_rate: jax.Array) -> tuple[Any, jax.Array]:
        learner = algorithm(learning_rate)
        state, _ = training.train(learner, key, state, task.train, batch_size=batch_size, num_steps=steps_per_round)
        return state, jnp.mean(likelihoods(learner.params(state)))

    def train_round(population: Population, number: jax.Array) -> tuple[Population, History]:
        train_key, explore_key = jax.random.split(jax.random.fold_in(rounds_key, number))
        rate_P = population.learning_rate
        state, nll_P = jax.vmap(train_one)(jax.random.split(train_key, size), population.state, rate_P)
        # argsort puts NaN last, that is, as the worst.
        order_P = jnp.argsort(nll_P).astype(jnp.int32)
        worst = order_P[size - num_replaced :]
        indices_P = jnp.arange(size, dtype=jnp.int32)
        source_P = jnp.where(exploits, indices_P.at[worst].set(order_P[:num_replaced]), indices_P)
        factor = jnp.where(jax.random.bernoulli(explore_key, 0.5, (num_replaced,)), 1.25, 0.8)
        new_rate_P = jnp.where(exploits, rate_P[source_P].at[worst].multiply(factor), rate_P)
        state = jax.tree.map(lambda leaf: leaf[source_P], state)
        return Population(state, new_rate_P), History(nll_P, rate_P, source_P)

    # Log-uniform from 1e-4 to 1e-1.
    rate_P = 10 ** jax.random.uniform(rate_key, (size,), minval=-4.0, maxval=-1.0)
    state = jax.vmap(algorithm(rate_P[0]).init)(jax.random.split(init_key, size))
    return jax.lax.scan(train_round, Population(state, rate_P), jnp.arange(num_rounds, dtype=jnp.int32))


def main() -> None:
    """Trains a population with exploitation and one without, and prints their final losses."""
    task = gg.grammar_task("arithmetic", max_length=12, num_train=5_000)
    model = task.model(gg.lstm_generator(task.num_symbols, 16))
    program = jax.jit(partial(train_population, task=task, model=model))
    for exploits in (False, True):
        _, history = program(jax.random.key(0), exploits=exploits)
        nll = jnp.sort(history.nll[-1])
        print(
            f"{'with' if exploits else 'without'} exploitation: validation NLL {nll[0]:.3f} (best), "
            f"{jnp.median(nll):.3f} (median), {nll[-1]:.3f} (worst) nats; learning rates "
            f"{history.learning_rate[-1].min():.1e} to {history.learning_rate[-1].max():.1e}"
        )


if __name__ == "__main__":
    main()
