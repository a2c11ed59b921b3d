"""Times a reward from the host inside a compiled scan, by `jax.pure_callback`, against one between compiled steps.

python -m experiments.benchmarks.host_reward [--seconds=60] [--output=FILE.json]

Policy gradients train an LSTM of width 256 on sequences of 26 symbols, in batches of 64. The property is the share of a
symbol, so that mainly the transfer to the host and back is measured. Between steps, each call runs one compiled step:
its tokens go to the host, and their rewards are used in the next step, which is less work than a step that waits for
its own rewards. Both ways are timed in turn; their median and least times are printed, in milliseconds per step.
"""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from absl import flags

import gumbel_gan as gg
from experiments import cli, devices
from experiments.benchmarks import timing
from experiments.benchmarks.timing import Spread
from gumbel_gan import training

_SECONDS = flags.DEFINE_float("seconds", 60.0, "Duration of the measurement, in seconds.", lower_bound=0.01)
_OUTPUT = flags.DEFINE_string("output", None, "File for all figures, as JSON.")

_NUM, _LENGTH, _SYMBOLS, _HIDDEN, _STEPS = 64, 26, 27, 256, 10


def decode(tokens: np.ndarray) -> list[str]:
    """Returns one string for each row of tokens."""
    return ["".join(chr(97 + token) for token in row) for row in tokens.tolist()]


def score(strings: list[str]) -> list[float]:
    """Returns the share of the symbol 'b' in each string."""
    return [string.count("b") / _LENGTH for string in strings]


def algorithm(property_reward: Callable[[jax.Array], jax.Array]) -> gg.Algorithm:
    """Returns policy gradients with a property in the reward."""
    model = gg.sequence_model(gg.lstm_generator(_SYMBOLS, _HIDDEN), length=_LENGTH)
    return gg.policy_gradient(
        model,
        gg.lstm_discriminator(_SYMBOLS, 128),
        generator_optimizer=optax.adam(1e-4),
        discriminator_optimizer=optax.adam(1e-4),
        reward=gg.tanh_half_logit,
        advantages=gg.reinforce(),
        property_reward=property_reward,
        adversarial_weight=0.5,
    )


def main() -> None:
    """Runs the benchmark as set by the flags."""
    devices.select("", num_devices=1)
    data = jnp.asarray(np.random.default_rng(0).integers(0, _SYMBOLS, (1_000, _LENGTH)), jnp.int32)
    keys = training.run_keys(0)
    inside, plain = algorithm(gg.host_reward(score, decode)), algorithm(lambda tokens: jnp.zeros(len(tokens)))
    state = jax.jit(plain.init)(keys.init)

    @jax.jit
    def scanned(state):
        return training.train(inside, keys.train, state, data, batch_size=_NUM, num_steps=_STEPS)[0]

    @jax.jit
    def stepped(state, rewards):
        between = algorithm(lambda tokens: rewards)
        tokens = data[:_NUM] + state.step % 2
        return training.train(between, keys.train, state, data, batch_size=_NUM, num_steps=1)[0], tokens

    def between_steps(state):
        rewards = jnp.zeros(_NUM)
        for _ in range(_STEPS):
            state, tokens = stepped(state, rewards)
            rewards = jnp.asarray(score(decode(np.asarray(tokens))), jnp.float32)
        return state

    ways: dict[str, Callable[[Any], Any]] = {
        "inside, by pure_callback": scanned,
        "between compiled steps": between_steps,
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        jax.block_until_ready(way(state))
    end = time.monotonic() + _SECONDS.value
    while not times[next(iter(ways))] or time.monotonic() < end:
        for name, way in ways.items():
            began = time.perf_counter()
            jax.block_until_ready(way(state))
            times[name].append((time.perf_counter() - began) / _STEPS * 1e3)
    spreads = {name: Spread.of(found) for name, found in times.items()}
    table = timing.table("milliseconds a step", "reward", "median", "least", "rounds")
    for name, spread in spreads.items():
        table.add_row(name, f"{spread.median:.2f}", f"{spread.least:.2f}", f"{len(times[name]):,}")
    cli.screen().print(table)
    milliseconds = {name: spread._asdict() for name, spread in spreads.items()}
    timing.write(_OUTPUT.value, {"machine": timing.machine(), "milliseconds_a_step": milliseconds})


if __name__ == "__main__":
    cli.run(main)
