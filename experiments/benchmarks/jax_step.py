"""The paper's step with this library: as experiments run it, and in a naive loop."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
import optax

import gumbel_gan as gg
from experiments.benchmarks import flax_networks
from experiments.benchmarks.timing import Program, Sizes
from gumbel_gan import schedules, sharding, training

NUM_STEPS = 20


class Compiled(NamedTuple):
    """A compiled scan of steps.

    Attributes:
      program: runs the scan.
      compiled: the executable that XLA compiled.
    """

    program: Program
    compiled: Any


def own_networks(sizes: Sizes) -> tuple[gg.Generator, gg.Discriminator]:
    """Builds the paper's networks with this library's LSTM."""
    return (
        gg.lstm_generator(sizes.num_symbols, sizes.hidden_size, latent="hidden_and_cell"),
        gg.lstm_discriminator(sizes.num_symbols, sizes.hidden_size, pooling="last"),
    )


def algorithm(
    sizes: Sizes,
    *,
    networks: Callable[[Sizes], tuple[gg.Generator, gg.Discriminator]] = own_networks,
    num_shards: int = 1,
    penalty: float | None = None,
    penalized_fraction: float = 1.0,
) -> gg.Algorithm:
    """Builds the paper's Gumbel-softmax GAN, with its annealed temperature and its pair of losses.

    Args:
      sizes: sizes of the step.
      networks: builds the generator and the discriminator.
      num_shards: number of shards of a batch.
      penalty: weight of R1 and of R2; None computes no penalty.
      penalized_fraction: share of the sequences at which the penalties are computed.
    """
    generator, discriminator = networks(sizes)
    return gg.relaxed_gan(
        gg.sequence_model(generator, length=sizes.length),
        discriminator,
        generator_optimizer=optax.adam(1e-3),
        discriminator_optimizer=optax.adam(1e-3),
        objective=gg.log_odds,
        estimator=gg.soft,
        temperature=schedules.linear(5.0, 1.0, 20_000),
        penalty=gg.GradientPenalty(penalty, penalty, penalized_fraction),
        shard_axis=sharding.shard_axis(num_shards),
    )


def random_tokens(sizes: Sizes) -> jax.Array:
    """Draws 5,000 uniform sequences."""
    return jax.random.randint(jax.random.key(0), (5_000, sizes.length), 0, sizes.num_symbols)


def scanned(sizes: Sizes, *, num_seeds: int = 1, num_shards: int = 1, **settings: Any) -> Compiled:
    """Builds the step as experiments run it: in a scan, with seeds and shards on all devices and the state donated.

    Args:
      sizes: sizes of the step.
      num_seeds: seeds in the program; a step updates all of them.
      num_shards: number of shards of a batch.
      **settings: arguments of `algorithm`.
    """
    method = algorithm(sizes, num_shards=num_shards, **settings)
    mesh = sharding.seeds_mesh(num_seeds, num_shards)
    keys = jax.device_put(training.seeds_axis(range(num_seeds)), sharding.seeds_sharding(mesh))
    data = jax.device_put(random_tokens(sizes), sharding.replicated(mesh))
    train = functools.partial(
        training.train,
        method,
        batch_size=sizes.batch_size,
        num_steps=NUM_STEPS,
        shard_axis=sharding.shard_axis(num_shards),
    )
    state = sharding.init_seeds(method.init, keys.init, mesh)
    train_seeds = sharding.vmap_seeds(train, mesh, in_axes=(0, 0, None), num_shards=num_shards)
    compiled = jax.jit(train_seeds, donate_argnums=1).lower(keys.train, state, data).compile()

    def run() -> None:
        nonlocal state
        state, _ = compiled(keys.train, state, data)
        jax.block_until_ready(state)

    return Compiled(Program(run, NUM_STEPS), compiled)


def naive(sizes: Sizes) -> Program:
    """Builds the step as in a first version of such a program: Flax's LSTM, and a jitted step in a Python loop."""
    method = algorithm(sizes, networks=flax_networks.make)
    step = jax.jit(method.step)
    data, key, state = np.asarray(random_tokens(sizes)), jax.random.key(1), method.init(jax.random.key(0))
    rng = np.random.default_rng(0)

    def run() -> None:
        nonlocal key, state
        for _ in range(NUM_STEPS):
            key, step_key = jax.random.split(key)
            state, metrics = step(step_key, state, gg.Batch(data[rng.integers(0, len(data), sizes.batch_size)]))
            float(metrics["discriminator_loss"])

    return Program(run, NUM_STEPS)


def flops(sizes: Sizes) -> float:
    """Computes the floating-point operations of the matrix products of a step without penalties, from its sizes.

    A multiplication and an addition count as two operations. For an LSTM with N inputs and H units, a symbol costs
    4H(N + H) products in the forward pass, as many for the gradient of the weights, 4H H for the gradient of the state,
    and 4H N for the gradient of the input:

    - the generator is unrolled once and needs all gradients, as does its head with H K products;
    - the discriminator reads 2B sequences for its own update, without the gradient of the input;
    - it reads B of them again for the generator's update, without the gradient of the weights.
    """
    batch_size, length, num_symbols, hidden_size = sizes
    recurrent, symbols, head = 4 * hidden_size**2, 4 * hidden_size * num_symbols, hidden_size * num_symbols
    start = 4 * hidden_size
    generator = 3 * (recurrent + symbols + start + head)
    discriminator = 2 * (3 * recurrent + 2 * symbols) + 2 * recurrent + 2 * symbols
    return 2.0 * batch_size * length * (generator + discriminator)
